"""How providers of clips are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .video import VideoProvider  # noqa: F401  # named in a string

__all__ = ["VideoProviderSpec"]


@attrs.frozen(kw_only=True)
class VideoProviderSpec(ProviderSpec["VideoProvider"]):
    """A provider of clips, before anything is connected."""

    modality: ClassVar[str] = "video"
