"""How providers of sound are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .audio import AudioProvider  # noqa: F401  # named in a string

__all__ = ["AudioProviderSpec"]


@attrs.frozen(kw_only=True)
class AudioProviderSpec(ProviderSpec["AudioProvider"]):
    """A provider of music, of effects, or of better sound, before anything is connected."""

    modality: ClassVar[str] = "audio"
