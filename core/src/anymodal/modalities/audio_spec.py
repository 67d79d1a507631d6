"""How providers of sound are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .audio import AudioProvider  # noqa: F401  # named in a string

__all__ = ["AudioProviderSpec"]


class AudioProviderSpec(ProviderSpec["AudioProvider"]):
    """A provider of music, of effects, or of better sound, before anything is connected."""

    __slots__ = ()  # it has no fields of its own, so attrs would make all of it once more

    modality: ClassVar[str] = "audio"
