"""
Sound that plays and says what it was asked to say, made without a library.

Of bare samples each character is a tone of 60 ms whose lowest bits spell it, so that
`heard` reads the words back, wherever the sound was cut and joined. MP3 and Opus are
silence of the right length with the words in their tags.
"""

from __future__ import annotations

import array
import math
import struct
import sys
from functools import lru_cache
from typing import Final

__all__ = ["CHARACTER_SECONDS", "heard", "mp3", "mp3_frames", "opus", "pcm", "wav"]

CHARACTER_SECONDS: Final = 0.06
_BITS: Final = 40
"""A character has up to 32 bits in UTF-8, and a zero byte ends it."""


def pcm(words: str, rate: int, *, pitch: int = 0) -> bytes:
    """Return bare samples, 16 bits, one channel; *pitch* is a voice's own."""
    return b"".join(_tone(one, rate, pitch % 12) for one in words)


def wav(words: str, rate: int, *, pitch: int = 0) -> bytes:
    """Return the same as a WAV file."""
    samples = pcm(words, rate, pitch=pitch)
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    head += b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples


def heard(samples: bytes, rate: int) -> str:
    """Return the words that bare samples of `pcm` say."""
    length = _length(rate) * 2
    found = bytearray()
    for start in range(0, len(samples) - length + 1, length):
        bits = [samples[start + 2 * at] & 1 for at in range(_BITS)]
        for place in range(0, _BITS, 8):
            byte = sum(bit << at for at, bit in enumerate(bits[place : place + 8]))
            if not byte:
                break
            found.append(byte)
    return found.decode("utf-8", "replace")


def _length(rate: int) -> int:
    return int(rate * CHARACTER_SECONDS)


@lru_cache(maxsize=1024)
def _tone(one: str, rate: int, pitch: int) -> bytes:
    length = _length(rate)
    loud = 0 if one.isspace() else 6000
    turn = 2 * math.pi * (180 + ord(one) % 64 * 7) * 2 ** (pitch / 12) / rate
    fade = [min(at, length - at, 200) / 200 for at in range(length)]
    found = [int(loud * fade[at] * math.sin(at * turn)) & ~1 for at in range(length)]
    for place, byte in enumerate(one.encode()):
        for at in range(8):
            found[place * 8 + at] |= byte >> at & 1
    samples = array.array("h", found)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


# -- MP3 ----------------------------------------------------------------------------------

_KBPS_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = {44100: (1, 0), 48000: (1, 1), 32000: (1, 2), 22050: (2, 0), 24000: (2, 1)}
"""MPEG version and index of each rate; ISO 11172-3 and 13818-3, section 2.4.2.3."""


def mp3(words: str, rate: int, kbps: int) -> bytes:
    """Return an MP3 file that has *words* as its title."""
    title = b"\x03" + words.encode()
    frame = b"TIT2" + struct.pack(">IH", len(title), 0) + title
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frame + mp3_frames(words, rate, kbps)


def mp3_frames(words: str, rate: int, kbps: int) -> bytes:
    """Return the frames alone, with *words* where decoders do not look."""
    version, index = _RATES[rate]
    samples, factor, rest = (1152, 144, 17) if version == 1 else (576, 72, 9)
    table = _KBPS_1 if version == 1 else _KBPS_2
    length = factor * kbps * 1000 // rate
    head = bytes((0xFF, 0xFB if version == 1 else 0xF3, table.index(kbps) << 4 | index << 2, 0xC0))
    count = math.ceil(len(words) * CHARACTER_SECONDS * rate / samples)
    text, room = words.encode(), length - len(head) - rest
    found = bytearray()
    for number in range(count):
        piece = text[number * room : (number + 1) * room]
        found += head + bytes(rest) + piece + bytes(room - len(piece))
    return bytes(found)


# -- Opus in Ogg ----------------------------------------------------------------------------

_SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of nothing, RFC 6716."""
_PER_PAGE: Final = 50


def opus(words: str) -> bytes:
    """Return Opus at 48 kHz in Ogg, with *words* as its title."""
    title = b"TITLE=" + words.encode()
    tags = b"OpusTags" + struct.pack("<I", 8) + b"anymodal" + struct.pack("<II", 1, len(title))
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    pages = [_page(0, [head], 0, 2), _page(1, [tags + title], 0, 0)]
    left = max(math.ceil(len(words) * CHARACTER_SECONDS / 0.02), 1)
    granule = 0
    while left:
        count = min(left, _PER_PAGE)
        left -= count
        granule += count * 960
        pages.append(_page(len(pages), [_SILENCE] * count, granule, 0 if left else 4))
    return b"".join(pages)


def _page(number: int, packets: list[bytes], granule: int, flags: int) -> bytes:
    """Return a page of Ogg, RFC 3533, section 6."""
    lacing = b"".join(b"\xff" * (len(one) // 255) + bytes((len(one) % 255,)) for one in packets)
    head = b"OggS" + struct.pack("<BBqIIIB", 0, flags, granule, 1, number, 0, len(lacing)) + lacing
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


@lru_cache(maxsize=1)
def _table() -> list[int]:
    found = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        found.append(value)
    return found


def _checksum(data: bytes) -> int:
    table, found = _table(), 0
    for byte in data:
        found = (found << 8 & 0xFFFFFFFF) ^ table[found >> 24 ^ byte]
    return found
