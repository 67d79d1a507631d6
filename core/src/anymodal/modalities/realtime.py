"""Realtime: spoken conversation, both ways at once."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["RealtimeProviderSpec"]


@attrs.frozen(kw_only=True)
class RealtimeProviderSpec(ProviderSpec[object]):
    """A provider of spoken conversation, both ways at once. Its contract comes with its first provider."""

    modality: ClassVar[str] = "realtime"
