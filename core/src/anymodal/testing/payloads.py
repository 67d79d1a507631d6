"""Small pictures, sound and clips that say what they are: real files of no size to speak of."""

from __future__ import annotations

import struct
import zlib
from typing import Final

__all__ = ["RATE", "clip", "picture", "silence", "sound"]

RATE: Final = 24_000
"""Samples per second, where nobody asks for another number."""

SECONDS_PER_CHARACTER: Final = 0.05


def _chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def picture(words: str) -> bytes:
    """Return a PNG of one grey point, with *words* as its description."""
    size = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    said = b"Description\0\0\0\0\0" + words.encode()
    parts = ((b"IHDR", size), (b"iTXt", said), (b"IDAT", zlib.compress(b"\0\x80")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def silence(words: str, rate: int = RATE) -> bytes:
    """Return as many samples of 16 bits as it takes to say *words*, all of them 0."""
    return bytes(2 * max(int(rate * SECONDS_PER_CHARACTER * len(words)), 1))


def sound(words: str, rate: int = RATE) -> bytes:
    """Return a WAV of silence, as long as it takes to say *words*, with these as its comment."""
    samples, said = silence(words, rate), words.encode()
    said += bytes(2 - len(said) % 2)
    comment = b"INFOICMT" + struct.pack("<I", len(said)) + said
    parts = (
        (b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)),
        (b"LIST", comment),
        (b"data", samples),
    )
    body = b"".join(name + struct.pack("<I", len(content)) + content for name, content in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def clip(words: str) -> bytes:
    """Return the shell of an MP4 with *words* in it: it is known for a clip, and plays nothing."""
    boxes = ((b"ftyp", b"isom\0\0\2\0isomiso2mp41"), (b"free", words.encode()), (b"mdat", b""))
    return b"".join(struct.pack(">I", 8 + len(body)) + kind + body for kind, body in boxes)
