"""How providers of clips are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .video import VideoProvider  # noqa: F401  # named in a string

__all__ = ["VideoProviderSpec"]


class VideoProviderSpec(ProviderSpec["VideoProvider"]):
    """A provider of clips, before anything is connected."""

    __slots__ = ()  # it has no fields of its own, so attrs would make all of it once more

    modality: ClassVar[str] = "video"
