"""
What bytes of pictures, sound and clips say of themselves, without a decoder.

Nothing here raises on strange bytes: what cannot be told is None.
"""

from __future__ import annotations

from typing import BinaryIO

from .facts import Clip, Sound
from .kinds import HEAD_BYTES, extension, of_kind, sniff

__all__ = [
    "HEAD_BYTES",
    "Clip",
    "Sound",
    "clip",
    "dimensions",
    "extension",
    "of_kind",
    "sniff",
    "sound",
]


def dimensions(file: BinaryIO, media_type: str) -> tuple[int, int] | None:
    """Return width and height in pixels of a picture, as it is stored; None where unknown."""
    from . import pictures  # noqa: PLC0415  # most calls measure nothing

    try:
        return pictures.dimensions(file, media_type)
    except (ValueError, OverflowError, OSError):
        return None


def sound(file: BinaryIO, media_type: str) -> Sound:
    """Return what a file of sound says of itself."""
    from . import sounds  # noqa: PLC0415  # as above

    try:
        return sounds.sound(file, media_type)
    except (ValueError, OverflowError, OSError):
        return Sound()


def clip(file: BinaryIO, media_type: str) -> Clip:
    """Return what a clip says of itself."""
    from . import boxes, matroska  # noqa: PLC0415  # as above

    try:
        match media_type:
            case "video/mp4" | "video/quicktime" | "video/3gpp" | "video/x-m4v":
                return boxes.clip(file)
            case "video/webm" | "video/x-matroska":
                return matroska.clip(file)
    except (ValueError, OverflowError, OSError):
        pass
    return Clip()
