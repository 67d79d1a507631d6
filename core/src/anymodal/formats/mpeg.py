"""MP3 and AAC: frames, one after the other (ISO/IEC 11172-3, 13818-3 and 13818-7)."""

from __future__ import annotations

import io
from typing import BinaryIO, Final

import attrs

from .facts import Sound
from .reading import number

__all__ = ["adts", "mpeg"]

SEARCHED_BYTES: Final = 65_536
"""How far the first frame is looked for behind the tags."""

MAX_FRAMES: Final = 200_000
"""How many frames of AAC are counted: more than an hour."""

_RATES: Final = (44_100, 48_000, 32_000)
_AAC_RATES: Final = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
_KBITS: Final = {
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second by version (2.5 as 2) and layer."""


@attrs.frozen
class _Frame:
    layer: int
    version: int
    rate: int
    kbits: int
    channels: int
    padding: int

    @property
    def samples(self) -> int:
        return 576 if self.layer == 3 and self.version == 2 else 1152

    @property
    def size(self) -> int:
        return self.samples // 8 * self.kbits * 1000 // self.rate + self.padding


def mpeg(file: BinaryIO) -> Sound:
    """
    Return what the first frame says, and how long all of them last.

    Raises:
        ValueError: There is no frame.
    """
    end = file.seek(0, io.SEEK_END)
    begin = _behind_tags(file)
    file.seek(begin)
    data = file.read(SEARCHED_BYTES)
    at, frame = _first(data)
    inner = data[at : at + 200]
    count = _announced(inner, frame)
    if count:
        seconds = count * frame.samples / frame.rate
    else:
        file.seek(max(begin, end - 128))
        tag = 128 if file.read(3) == b"TAG" else 0
        seconds = max(0, end - begin - at - tag) * 8 / (frame.kbits * 1000)
    return Sound(seconds or None, frame.rate, frame.channels, f"mp{frame.layer}")


def _behind_tags(file: BinaryIO) -> int:
    at = 0
    for _ in range(8):
        file.seek(at)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        size = 0
        for part in head[6:10]:  # seven bits of each
            size = size << 7 | part & 0x7F
        at += 10 + size + (10 if head[5] & 0x10 else 0)
    return at


def _first(data: bytes) -> tuple[int, _Frame]:
    """Return the first frame that another one follows, and where it is; else the first."""
    found: tuple[int, _Frame] | None = None
    at = -1
    while (at := data.find(b"\xff", at + 1)) >= 0:
        frame = _read(data[at : at + 4])
        if frame is None:
            continue
        found = found or (at, frame)
        following = _read(data[at + frame.size : at + frame.size + 4])
        if following and (following.rate, following.layer) == (frame.rate, frame.layer):
            return at, frame
    if found is None:
        msg = "no frame"
        raise ValueError(msg)
    return found


def _read(head: bytes) -> _Frame | None:
    """Return what the four bytes at the head of a frame say; None where they are none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in {2, 3} or bits in {0, 15} or rate == 3:
        return None
    divisor = {3: 1, 2: 2, 0: 4}[version]
    number_of = 1 if version == 3 else 2
    return _Frame(
        layer=layer,
        version=number_of,
        rate=_RATES[rate] // divisor,
        kbits=_KBITS[number_of, layer][bits - 1],
        channels=1 if head[3] >> 6 == 3 else 2,
        padding=head[2] >> 1 & 1,
    )


def _announced(data: bytes, frame: _Frame) -> int:
    """Return how many frames the head of a variable bitrate announces; 0 without one."""
    mono = frame.channels == 1
    side = (17 if mono else 32) if frame.version == 1 else (9 if mono else 17)
    at = 4 + side
    if data[at : at + 4] in {b"Xing", b"Info"} and len(data) >= at + 12:
        return number(data, at + 8, 4) if number(data, at + 4, 4) & 1 else 0
    if data[36:40] == b"VBRI" and len(data) >= 54:
        return number(data, 50, 4)
    return 0


def adts(file: BinaryIO) -> Sound:
    """
    Return what the first frame of AAC says, and how long all of them last.

    Raises:
        ValueError: There is no frame.
    """
    at, count = 0, 0
    rate = channels = 0
    for _ in range(MAX_FRAMES):
        file.seek(at)
        head = file.read(7)
        if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            break
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if size < 7:
            break
        index = head[2] >> 2 & 15
        rate = rate or (_AAC_RATES[index] if index < len(_AAC_RATES) else 0)
        channels = channels or ((head[2] & 1) << 2 | head[3] >> 6)
        count += (head[6] & 3) + 1
        at += size
    if not count or not rate:
        msg = "no frame"
        raise ValueError(msg)
    return Sound(count * 1024 / rate, rate, {7: 8}.get(channels, channels) or None, "aac")
