"""The two marks that plugins and hosts put on functions."""

from __future__ import annotations

from typing import Final

import pluggy

PROJECT: Final = "anymodal"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)
