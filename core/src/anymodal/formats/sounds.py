"""Length, rate and channels of sound, from headers and the shape of frames."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

import attrs

from . import boxes, matroska
from .facts import Sound
from .mpeg import adts, mpeg
from .reading import exactly, number

__all__ = ["sound"]

MAX_CHUNKS: Final = 1000
"""How many are looked at. A file has ten; a made-up one could have millions."""

OGG_TAIL_BYTES: Final = 65_536
"""The last page begins within so many of the end: no page is longer (RFC 3533, section 6)."""

_WAVE_CODECS: Final = {1: "pcm", 3: "pcm", 6: "alaw", 7: "mulaw", 0x55: "mp3", 0xFFFE: "pcm"}


def sound(file: BinaryIO, media_type: str) -> Sound:
    """
    Return what *file* says of its sound.

    Raises:
        ValueError: The file is damaged.
    """
    reader = _READERS.get(media_type.partition(";")[0].strip().lower())
    return reader(file) if reader else Sound()


def _mp4(file: BinaryIO) -> Sound:
    found = boxes.clip(file)
    return attrs.evolve(found.sound, seconds=found.seconds)


def _webm(file: BinaryIO) -> Sound:
    found = matroska.clip(file)
    return attrs.evolve(found.sound, seconds=found.seconds)


def _wave(file: BinaryIO) -> Sound:
    codec, channels, rate, per_second = None, 0, 0, 0
    length: int | None = None
    end = file.seek(0, io.SEEK_END)
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            break
        file.seek(at)
        head = exactly(file, 8)
        size = number(head, 4, 4, "little")
        if head[:4] == b"fmt ":
            body = exactly(file, 16)
            codec = _WAVE_CODECS.get(number(body, 0, 2, "little"))
            channels, rate = number(body, 2, 2, "little"), number(body, 4, 4, "little")
            per_second = number(body, 8, 4, "little")
        elif head[:4] == b"data":
            # who writes a stream does not know its length, and says the largest or none
            length = min(size, end - at - 8) if size else end - at - 8
            break
        at += 8 + size + size % 2
    seconds = length / per_second if length and per_second else None
    return Sound(seconds, rate or None, channels or None, codec)


def _aiff(file: BinaryIO) -> Sound:
    end = file.seek(0, io.SEEK_END)
    file.seek(8)
    is_plain = exactly(file, 4) == b"AIFF"
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            break
        file.seek(at)
        head = exactly(file, 8)
        size = number(head, 4, 4)
        if head[:4] == b"COMM":
            body = exactly(file, 18)
            rate = _extended(body[8:18])
            frames = number(body, 2, 4)
            seconds = frames / rate if frames and rate else None
            codec = "pcm" if is_plain else None
            return Sound(seconds, round(rate) or None, number(body, 0, 2) or None, codec)
        at += 8 + size + size % 2
    return Sound()


def _extended(data: bytes) -> float:
    """Return a number of 80 bits, as Apple's processors had them; 0 where it is no rate."""
    exponent = (number(data, 0, 2) & 0x7FFF) - 16383
    return number(data, 2, 8) * 2.0 ** (exponent - 63) if 0 <= exponent < 32 else 0.0


def _flac(file: BinaryIO) -> Sound:
    """Read the first block: RFC 9639, section 8.2 (read 2026-11-20)."""
    body = exactly(file, 26)
    packed = number(body, 18, 8)
    rate = packed >> 44
    samples = packed & 0xFFFFFFFFF
    seconds = samples / rate if samples and rate else None
    return Sound(seconds, rate or None, (packed >> 41 & 7) + 1, "flac")


def _ogg(file: BinaryIO) -> Sound:
    """Read the first page, and of the last when it ends: RFC 3533, RFC 7845 (read 2026-11-20)."""
    page = exactly(file, 27)
    exactly(file, page[26])  # how long its pieces are
    content = file.read(64)
    skipped = 0
    if content.startswith(b"OpusHead"):
        codec, rate, channels = "opus", 48_000, number(content, 9, 1)
        skipped = number(content, 10, 2, "little")
    elif content.startswith(b"\x01vorbis"):
        codec, rate, channels = "vorbis", number(content, 12, 4, "little"), number(content, 11, 1)
    elif content.startswith(b"\x7fFLAC"):
        packed = number(content, 27, 8)
        codec, rate, channels = "flac", packed >> 44, (packed >> 41 & 7) + 1
    else:
        return Sound()
    samples = _last_granule(file, page[14:18]) - skipped
    seconds = samples / rate if samples > 0 and rate else None
    return Sound(seconds, rate or None, channels or None, codec)


def _last_granule(file: BinaryIO, serial: bytes) -> int:
    """Return the position at the end of the stream *serial*; 0 where it is not told."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - OGG_TAIL_BYTES - 27))
    tail = file.read()
    at = len(tail)
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        granule = tail[at + 6 : at + 14]
        if tail[at + 14 : at + 18] == serial and len(granule) == 8 and granule != b"\xff" * 8:
            return number(granule, 0, 8, "little")
    return 0


_READERS: Final[Mapping[str, Callable[[BinaryIO], Sound]]] = {
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"), _wave),
    **dict.fromkeys(("audio/aiff", "audio/x-aiff"), _aiff),
    **dict.fromkeys(("audio/flac", "audio/x-flac"), _flac),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), mpeg),
    **dict.fromkeys(("audio/ogg", "audio/opus", "audio/vorbis"), _ogg),
    **dict.fromkeys(("audio/mp4", "audio/m4a", "audio/x-m4a"), _mp4),
    **dict.fromkeys(("audio/webm", "audio/x-matroska"), _webm),
    "audio/aac": adts,
}
