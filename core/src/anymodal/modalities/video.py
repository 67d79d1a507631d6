"""Video: clips."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["VideoProviderSpec"]


@attrs.frozen(kw_only=True)
class VideoProviderSpec(ProviderSpec[object]):
    """A provider of clips. Its contract comes with its first provider."""

    modality: ClassVar[str] = "video"
