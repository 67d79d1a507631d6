"""
Clips that play, made without a library, and show the words that they were made of.

A clip is an MP4 file of mosaics from `pictures`, two a second, with a line that fills as
it plays. The same words are its comment, where `watched` finds them again.
Boxes are those of ISO 14496-12 and 14496-14; the comment lies where players look for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import attrs

from .h264 import Track, track
from .pictures import mosaic

__all__ = ["PICTURES_PER_SECOND", "Watched", "clip", "watched"]

PICTURES_PER_SECOND: Final = 2
SCALE: Final = 1000
"""Ticks of a clip's clock in a second."""

_MATRIX: Final = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_CONTAINERS: Final = frozenset({b"moov", b"trak", b"udta", b"ilst", b"\xa9cmt"})


def clip(words: str, width: int, height: int, seconds: float) -> bytes:
    """
    Return an MP4 file.

    Args:
        words: Who made it, of which prompt, how large: different ones give different bytes.
        width: Pixels, an even number.
        height: Pixels, an even number.
        seconds: How long it lasts, to the nearest half.

    Raises:
        ValueError: Width or height is odd.
    """
    count = max(round(seconds * PICTURES_PER_SECOND), 1)
    made = track([mosaic(f"{words} {'#' * (one + 1)}", width, height) for one in range(count)])
    head = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomavc1")
    start = len(head) + len(_moov(words, width, height, made, 0)) + 8
    return head + _moov(words, width, height, made, start) + _box(b"mdat", *made.samples)


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _moov(words: str, width: int, height: int, made: Track, start: int) -> bytes:
    length = len(made.samples) * SCALE // PICTURES_PER_SECOND
    times = struct.pack(">IIII", 0, 0, SCALE, length)
    mvhd = _full(
        b"mvhd", times, struct.pack(">IH10x", 1 << 16, 1 << 8), _MATRIX, bytes(24),
        struct.pack(">I", 2),
    )  # fmt: skip
    tkhd = _full(
        b"tkhd", struct.pack(">IIIII16x", 0, 0, 1, 0, length), _MATRIX,
        struct.pack(">II", width << 16, height << 16), flags=3,
    )  # fmt: skip
    handler = struct.pack(">I4s12x", 0, b"vide") + b"Pictures\0"
    media = _box(
        b"mdia",
        _full(b"mdhd", times, struct.pack(">HH", 0x55C4, 0)),
        _full(b"hdlr", handler),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))),
            _stbl(width, height, made, start),
        ),
    )
    return _box(b"moov", mvhd, _box(b"trak", tkhd, media), _comment(words))


def _stbl(width: int, height: int, made: Track, start: int) -> bytes:
    entry = _box(
        b"avc1",
        struct.pack(">6xH16xHH", 1, width, height),
        struct.pack(">III", 72 << 16, 72 << 16, 0),
        struct.pack(">H32xHh", 1, 24, -1),
        _box(b"avcC", made.config),
    )
    count = len(made.samples)
    sizes = struct.pack(f">II{count}I", 0, count, *map(len, made.samples))
    step = SCALE // PICTURES_PER_SECOND
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, count, step)),
        _full(b"stss", struct.pack(">II", 1, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        _full(b"stsz", sizes),
        _full(b"stco", struct.pack(">II", 1, start)),
    )


def _comment(words: str) -> bytes:
    data = _box(b"data", struct.pack(">II", 1, 0), words.encode("utf-8", "replace"))
    handler = _full(b"hdlr", struct.pack(">I4s4s9x", 0, b"mdir", b"appl"))
    return _box(b"udta", _full(b"meta", handler, _box(b"ilst", _box(b"\xa9cmt", data))))


# -- reading ----------------------------------------------------------------------------


@attrs.frozen
class Watched:
    """What the head of an MP4 file says; *words* are its comment."""

    width: int
    height: int
    seconds: float
    words: str = ""

    @property
    def size(self) -> str:
        """Width and height, such as `1280x720`."""
        return f"{self.width}x{self.height}"


def watched(data: bytes) -> Watched:
    """
    Return what the head of an MP4 file says, whoever made it.

    Raises:
        ValueError: It is none.
    """
    width = height = 0
    seconds, words = 0.0, ""
    try:
        for kind, content in _boxes(data):
            if kind == b"mvhd" and not content[0]:
                scale, length = struct.unpack_from(">II", content, 12)
                seconds = length / scale
            elif kind == b"tkhd":
                wide, high = struct.unpack(">II", content[-8:])
                width, height = max(width, wide >> 16), max(height, high >> 16)
            elif kind == b"data":
                words = words or content[8:].decode("utf-8", "replace")
    except (struct.error, IndexError, ZeroDivisionError) as error:
        msg = "the clip ends in its head"
        raise ValueError(msg) from error
    if not width or not seconds:
        msg = "it is no MP4 file with pictures"
        raise ValueError(msg)
    return Watched(width, height, seconds, words)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + size] if size >= 8 else data[at + 8 :]
        if kind == b"meta":
            yield from _boxes(content[4:])
        elif kind in _CONTAINERS:
            yield from _boxes(content)
        else:
            yield kind, content
        at += size if size >= 8 else len(data)
