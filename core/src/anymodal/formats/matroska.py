"""WebM and Matroska: elements within elements (RFC 8794 and RFC 9559, read 2026-11-20)."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from .facts import Clip, Sound
from .reading import exactly, number

__all__ = ["clip"]

MAX_ELEMENTS: Final = 10_000
"""How many are looked at. What is told stands before the first picture."""

_INSIDE: Final = frozenset({0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1})
"""Segment, Info, Tracks, TrackEntry, Video, Audio."""

_CLUSTER: Final = 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_CODEC = 0x86
_WIDTH, _HEIGHT = 0xB0, 0xBA
_RATE, _CHANNELS, _AUDIO = 0xB5, 0x9F, 0xE1
_NUMBERS: Final = frozenset({_SCALE, _WIDTH, _HEIGHT, _CHANNELS})
_FLOATS: Final = frozenset({_DURATION, _RATE})

_CODECS: Final = {
    b"A_OPUS": "opus",
    b"A_VORBIS": "vorbis",
    b"A_FLAC": "flac",
    b"A_AAC": "aac",
    b"A_MPEG/L3": "mp3",
}


def clip(file: BinaryIO) -> Clip:
    """
    Return what the head of a clip says.

    Raises:
        ValueError: The file is damaged.
    """
    found: dict[int, float] = {}
    codec: str | None = None
    for name, size in _elements(file):
        if name == _CODEC:
            codec = codec or _CODECS.get(exactly(file, min(size, 32)).rstrip(b"\0"))
        else:
            found.setdefault(name, _value(file, name, size))
    seconds = found.get(_DURATION, 0.0) * found.get(_SCALE, 1_000_000) / 1e9
    width, height = int(found.get(_WIDTH, 0)), int(found.get(_HEIGHT, 0))
    sound = Sound(
        sample_rate_hz=round(found.get(_RATE, 0)) or None,
        channels=int(found.get(_CHANNELS, _AUDIO in found)) or None,  # one, unless it is said
        codec=codec,
    )
    return Clip(
        seconds=seconds if 0 < seconds < math.inf else None,
        dimensions=(width, height) if width and height else None,
        sound=sound,
    )


def _elements(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Iterate over elements and those inside them, until the first cluster."""
    end = file.seek(0, io.SEEK_END)
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at + 2 > end:
            return
        file.seek(at)
        name, taken = _varint(file, keep=True)
        size, more = _varint(file, keep=False)
        if name == _CLUSTER:
            return
        begin = at + taken + more
        yield name, min(size, end - begin)
        at = begin if name in _INSIDE else begin + size


def _varint(file: BinaryIO, *, keep: bool) -> tuple[int, int]:
    """Return a number of variable length, and how many bytes it took."""
    first = exactly(file, 1)[0]
    length = 9 - first.bit_length()
    if length > 8:
        msg = "a number is too long"
        raise ValueError(msg)
    rest = exactly(file, length - 1)
    head = first if keep else first & (0xFF >> length)
    return int.from_bytes(bytes([head]) + rest, "big"), length


def _value(file: BinaryIO, name: int, size: int) -> float:
    if name in _NUMBERS and size <= 8:
        return number(exactly(file, size), 0, size)
    if name in _FLOATS and size in {4, 8}:
        found: float = struct.unpack(">f" if size == 4 else ">d", exactly(file, size))[0]
        return found if math.isfinite(found) and found >= 0 else 0.0
    return 0
