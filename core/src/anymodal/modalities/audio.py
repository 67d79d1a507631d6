"""Audio: music, effects and enhanced sound."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["AudioProviderSpec"]


@attrs.frozen(kw_only=True)
class AudioProviderSpec(ProviderSpec[object]):
    """A provider of music, effects and enhanced sound. Its contract comes with its first provider."""

    modality: ClassVar[str] = "audio"
