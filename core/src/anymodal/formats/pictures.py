"""Width and height of pictures, from their headers."""

from __future__ import annotations

from typing import BinaryIO, Final

from .boxes import boxes
from .reading import exactly, number

__all__ = ["dimensions"]

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that are followed by a size: ITU-T T.81, table B.1 (read 2026-11-20)."""

_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that nothing belongs to."""


def dimensions(file: BinaryIO, media_type: str) -> tuple[int, int] | None:
    """
    Return width and height in pixels as stored, or None.

    Raises:
        ValueError: The file is damaged.
    """
    match media_type:
        case "image/png":
            head = exactly(file, 24)
            found = number(head, 16, 4), number(head, 20, 4)
        case "image/gif":
            head = exactly(file, 10)
            found = number(head, 6, 2, "little"), number(head, 8, 2, "little")
        case "image/bmp":
            found = _bitmap(exactly(file, 26))
        case "image/jpeg":
            found = _jpeg(file)
        case "image/webp":
            found = _webp(exactly(file, 30))
        case "image/avif" | "image/heic" | "image/heif":
            found = _heif(file)
        case _:
            return None
    return found if min(found) > 0 else None


def _bitmap(head: bytes) -> tuple[int, int]:
    if number(head, 14, 4, "little") == 12:
        return number(head, 18, 2, "little"), number(head, 20, 2, "little")
    width = int.from_bytes(head[18:22], "little", signed=True)
    return width, abs(int.from_bytes(head[22:26], "little", signed=True))  # below 0: top first


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    exactly(file, 2)
    while True:
        if exactly(file, 1) != b"\xff":
            msg = "no marker"
            raise ValueError(msg)
        while (marker := exactly(file, 1)[0]) == 0xFF:
            pass
        if marker in _BARE:
            continue
        length = number(exactly(file, 2), 0, 2)
        if marker in _FRAMES:
            frame = exactly(file, 5)
            return number(frame, 3, 2), number(frame, 1, 2)
        if length < 2 or marker in {0xD9, 0xDA}:
            msg = "no frame"
            raise ValueError(msg)
        exactly(file, length - 2)


def _webp(head: bytes) -> tuple[int, int]:
    """Return the size of one of the three kinds: RFC 9649, section 2 (read 2026-11-20)."""
    match head[12:16]:
        case b"VP8X":
            return number(head, 24, 3, "little") + 1, number(head, 27, 3, "little") + 1
        case b"VP8L":
            bits = number(head, 21, 4, "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            size = number(head, 26, 2, "little"), number(head, 28, 2, "little")
            return size[0] & 0x3FFF, size[1] & 0x3FFF
    msg = "no picture"
    raise ValueError(msg)


def _heif(file: BinaryIO) -> tuple[int, int]:
    """Return the largest size that is told: thumbnails and tiles have one each."""
    found = [(0, 0)]
    for name, size in boxes(file, {b"meta": 4, b"iprp": 0, b"ipco": 0}):
        if name == b"ispe":
            body = exactly(file, min(size, 12))
            found.append((number(body, 4, 4), number(body, 8, 4)))
    return max(found, key=lambda one: one[0] * one[1])
