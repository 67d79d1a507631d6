"""
Moving mosaics, packed as every player and browser reads them: H.264, without a library.

A macroblock is two by two cells of a mosaic, so it is told by four bits. One that goes on
as its left or upper neighbour ends is named as that, one that is as it was is skipped,
and what is left is stored as it is. Numbers in comments are clauses of ITU-T H.264 (2024-08).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from .pictures import CELL, Colour, Mosaic

__all__ = ["Track", "track"]

Block = tuple[bool, bool, bool, bool]
"""Whether the cells of a macroblock are ink: the upper two, then the lower two."""

SIDE: Final = 2 * CELL

_VERTICAL: Final = 0
_HORIZONTAL: Final = 1
_STORED: Final = 25  # I_PCM, table 7-11
_INTRA_IN_P: Final = 5  # what is added to the types of table 7-11 in a P slice
_LEVELS: Final = ((1620, 30), (3600, 31), (8192, 40), (36864, 51))  # table A-1, by macroblocks


@attrs.frozen
class Track:
    """
    Pictures for the box `avc1` of an MP4 file.

    Attributes:
        config: The content of its box `avcC` (ISO 14496-15).
        samples: One picture each; the first stands alone, each other changes the one before.
    """

    config: bytes
    samples: tuple[bytes, ...]


def track(frames: Sequence[Mosaic]) -> Track:
    """
    Return *frames* packed: all of one size, in the colours of the first.

    Raises:
        ValueError: Width or height is odd: colour stands for two pixels each way.
    """
    first = frames[0]
    if first.width % 2 or first.height % 2:
        msg = f"a clip's width and height are even, unlike {first.width}x{first.height}"
        raise ValueError(msg)
    sequence, picture = _sequence(first.width, first.height), _picture()
    config = b"\1" + sequence[1:4] + b"\xff\xe1" + _sized(sequence, 2) + b"\1" + _sized(picture, 2)
    samples: list[bytes] = []
    before: list[list[Block]] = []
    for number, frame in enumerate(frames):
        blocks = _blocks(frame)
        data = _slice(blocks, before, number, (first.paper, first.ink))
        samples.append(_sized(data, 4))
        before = blocks
    return Track(config, tuple(samples))


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data


def _blocks(frame: Mosaic) -> list[list[Block]]:
    """Return rows of macroblocks; past the edges, the last cells go on."""
    cells = frame.cells
    down, right = len(cells) - 1, len(cells[0]) - 1
    return [
        [
            (
                cells[y][x], cells[y][min(x + 1, right)],
                cells[min(y + 1, down)][x], cells[min(y + 1, down)][min(x + 1, right)],
            )
            for x in range(0, right + 1, 2)
        ]
        for y in range(0, down + 1, 2)
    ]  # fmt: skip


# -- parameter sets: 7.3.2.1 and 7.3.2.2 ---------------------------------------------------


def _sequence(width: int, height: int) -> bytes:
    wide, high = -(-width // SIDE), -(-height // SIDE)
    level = next((level for most, level in _LEVELS if wide * high <= most), 62)
    bits = _Bits()
    bits.stored(bytes((66, 0xC0, level)))  # constrained baseline
    bits.numbers(0, 0, 2, 1)  # id, frame numbers of 4 bits, shown as decoded, one reference
    bits.text("0")
    bits.numbers(wide - 1, high - 1)
    bits.text("11")  # frames alone
    bits.text("1")  # cut, in units of two pixels:
    bits.numbers(0, (wide * SIDE - width) // 2, 0, (high * SIDE - height) // 2)
    bits.text("0")
    return bits.unit(0x67)


def _picture() -> bytes:
    bits = _Bits()
    bits.numbers(0, 0)
    bits.text("00")
    bits.numbers(0, 0, 0)
    bits.text("000")
    bits.numbers(0, 0, 0)  # quantisers and the offset of colour, none of which is used
    bits.text("100")  # slices say whether edges are smoothed
    return bits.unit(0x68)


# -- slices: 7.3.3 to 7.3.5 -----------------------------------------------------------------


def _slice(
    blocks: list[list[Block]],
    before: list[list[Block]],
    number: int,
    colours: tuple[Colour, Colour],
) -> bytes:
    bits = _Bits()
    bits.numbers(0, 5 if before else 7, 0)
    bits.text(f"{number % 16:04b}")
    if before:
        bits.text("000")
    else:
        bits.numbers(0)
        bits.text("00")
    bits.numbers(0, 1)  # no change of the quantiser; no smoothing, so that predictions are exact
    stored: set[tuple[int, int]] = set()
    samples = _samples(colours)
    skipped = 0
    for y, x, block in _each(blocks):
        if before and before[y][x] == block:
            skipped += 1
            continue
        if before:
            bits.numbers(skipped)
            skipped = 0
        offset = _INTRA_IN_P if before else 0
        mode = _mode(blocks, y, x)
        if mode is None:
            bits.numbers(_STORED + offset)
            bits.align()
            bits.stored(_pixels(block, samples))
            stored.add((y, x))
        else:
            bits.numbers(1 + mode + offset, 1 if mode == _HORIZONTAL else 2, 0)
            bits.text(_nothing(stored, y, x))
    if skipped:
        bits.numbers(skipped)
    return bits.unit(0x41 if before else 0x65)


def _each(blocks: list[list[Block]]) -> Iterator[tuple[int, int, Block]]:
    for y, row in enumerate(blocks):
        for x, block in enumerate(row):
            yield y, x, block


def _mode(blocks: list[list[Block]], y: int, x: int) -> int | None:
    """Return the prediction that gives the macroblock exactly, if one does (8.3.3, 8.3.4)."""
    block = blocks[y][x]
    if x:
        _, upper, _, lower = blocks[y][x - 1]
        if block == (upper, upper, lower, lower):
            return _HORIZONTAL
    if y:
        _, _, left, right = blocks[y - 1][x]
        if block == (left, right, left, right):
            return _VERTICAL
    return None


def _nothing(stored: set[tuple[int, int]], y: int, x: int) -> str:
    """Return the code of no coefficients, which neighbours choose (9.2.1; stored ones count 16)."""
    counts = [16 * ((y, x - 1) in stored)] if x else []
    counts += [16 * ((y - 1, x) in stored)] if y else []
    return "000011" if (sum(counts) + len(counts) - 1) // max(len(counts), 1) >= 8 else "1"


def _samples(colours: tuple[Colour, Colour]) -> tuple[tuple[int, int, int], ...]:
    """Return luma and chroma of paper and of ink, in the narrow range of ITU-R BT.709."""
    found: list[tuple[int, int, int]] = []
    for colour in colours:
        red, green, blue = (part / 255 for part in colour)
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        blueness, redness = (blue - light) / 1.8556, (red - light) / 1.5748
        found.append(
            (round(16 + 219 * light), round(128 + 224 * blueness), round(128 + 224 * redness))
        )
    return tuple(found)


def _pixels(block: Block, samples: tuple[tuple[int, int, int], ...]) -> bytes:
    planes: list[bytes] = []
    for channel, side in ((0, CELL), (1, CELL // 2), (2, CELL // 2)):
        levels = [bytes((samples[ink][channel],)) * side for ink in block]
        planes += [(levels[0] + levels[1]) * side, (levels[2] + levels[3]) * side]
    return b"".join(planes)


class _Bits:
    """Bits, the highest first."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._bits: list[str] = []

    def text(self, bits: str) -> None:
        self._bits.append(bits)

    def numbers(self, *values: int) -> None:
        """Add *values* as ue(v), 9.1; nothing signed is written but 0, which is the same."""
        for value in values:
            digits = f"{value + 1:b}"
            self._bits.append("0" * (len(digits) - 1) + digits)

    def align(self) -> None:
        bits = "".join(self._bits)
        bits += "0" * (-len(bits) % 8)
        self._done += int(bits or "0", 2).to_bytes(len(bits) // 8, "big")
        self._bits = []

    def stored(self, data: bytes) -> None:
        self.align()
        self._done += data

    def unit(self, kind: int) -> bytes:
        """Return the unit: its kind, the bits, their end; what looks like a start is broken (7.4.1)."""
        self.text("1")
        self.align()
        unit, zeros = bytearray((kind,)), 0
        for byte in self._done:
            if zeros == 2 and byte <= 3:
                unit.append(3)
                zeros = 0
            unit.append(byte)
            zeros = zeros + 1 if not byte else 0
        return bytes(unit)
