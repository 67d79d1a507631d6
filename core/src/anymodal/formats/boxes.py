"""MP4, MOV and their kin: boxes within boxes (ISO/IEC 14496-12, read 2026-11-20)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from .facts import Clip, Sound
from .reading import exactly, number

__all__ = ["boxes", "clip"]

MAX_BOXES: Final = 10_000
"""How many are looked at. A film has hundreds; a made-up file could have millions."""

_INSIDE: Final[Mapping[bytes, int]] = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
}
"""Boxes that hold boxes, and how many bytes come before those."""

_CODECS: Final = {
    b"mp4a": "aac",
    b"alac": "alac",
    b"Opus": "opus",
    b"fLaC": "flac",
    b".mp3": "mp3",
    b"sowt": "pcm",
    b"twos": "pcm",
    b"lpcm": "pcm",
    b"ipcm": "pcm",
}


def boxes(file: BinaryIO, inside: Mapping[bytes, int]) -> Iterator[tuple[bytes, int]]:
    """
    Iterate over the boxes of *file*, and over those inside the ones that *inside* names.

    At each, *file* stands at its content, which may be read.

    Args:
        file: Anything that can be sought in.
        inside: Names of boxes that hold boxes, and how many bytes come before those.

    Yields:
        Name of the box, and size of its content in bytes.

    Raises:
        ValueError: The boxes make no sense.
    """
    end = file.seek(0, io.SEEK_END)
    at = 0
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = exactly(file, 8)
        size, name, begin = number(head, 0, 4), head[4:8], at + 8
        if size == 1:
            size, begin = number(exactly(file, 8), 0, 8), at + 16
        elif size == 0:
            size = end - at
        if size < begin - at:
            msg = "a box is smaller than its head"
            raise ValueError(msg)
        yield name, min(at + size, end) - begin
        at = begin + inside[name] if name in inside else at + size


def clip(file: BinaryIO) -> Clip:
    """
    Return what the head of a clip says.

    Raises:
        ValueError: The file is damaged.
    """
    seconds: float | None = None
    dimensions: tuple[int, int] | None = None
    sound = Sound()
    kind, tick = b"", 0
    for name, size in boxes(file, _INSIDE):
        if name == b"mvhd":
            seconds = _seconds(file, size)[0]
        elif name == b"tkhd":
            kind, dimensions = b"", dimensions or _shown(file, size)
        elif name == b"mdhd":
            lasts, tick = _seconds(file, size)
            seconds = seconds or lasts
        elif name == b"hdlr":
            found = exactly(file, min(size, 12))[8:12]
            kind = found if found == b"soun" else kind  # QuickTime has a second one, of data
        elif name == b"stsd" and kind == b"soun" and sound.codec is None:
            sound = _sound(exactly(file, min(size, 44)), tick)
    return Clip(seconds=seconds or None, dimensions=dimensions, sound=sound)


def _seconds(file: BinaryIO, size: int) -> tuple[float | None, int]:
    """Return the duration in a `mvhd` or `mdhd` box, and its ticks per second."""
    body = exactly(file, min(size, 32))
    wide = body[:1] == b"\1"
    tick = number(body, 20 if wide else 12, 4)
    count = number(body, 24, 8) if wide else number(body, 16, 4)
    is_unknown = count in {0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF} or not tick
    return (None if is_unknown else count / tick), tick


def _shown(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Return the size at which a track is shown; turned by a quarter where it is to be."""
    body = exactly(file, min(size, 104))
    at = 88 if body[:1] == b"\1" else 76
    width, height = number(body, at, 4) >> 16, number(body, at + 4, 4) >> 16
    if not (width and height):
        return None
    is_turned = number(body, at - 36, 4) == 0 and number(body, at - 32, 4) != 0
    return (height, width) if is_turned else (width, height)


def _sound(body: bytes, tick: int) -> Sound:
    """Return what the first entry of a `stsd` box says of sound."""
    rate = number(body, 40, 4) >> 16
    return Sound(
        sample_rate_hz=rate or tick or None,
        channels=number(body, 32, 2) or None,
        codec=_CODECS.get(body[12:16]),
    )
