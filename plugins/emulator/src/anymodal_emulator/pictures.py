"""
Pictures that open, made without a library, and show the words that they were made of.

A picture is a mosaic of cells of eight by eight pixels in two colours, so that each
of its packings is a few lines: one bit or one block a cell. The same words stand in
its metadata, where `seen` finds them again.
"""

from __future__ import annotations

import colorsys
import hashlib
import re
import struct
import textwrap
import zlib
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, unescape

import attrs

__all__ = ["CELL", "FORMATS", "Mosaic", "Seen", "mosaic", "picture", "seen"]

CELL: Final = 8
"""Pixels of a side of a cell."""

Colour = tuple[int, int, int]

_TABLE: Final = """
A=25755 B=65656 C=34443 D=65556 E=74647 F=74644 G=34553 H=55755 I=72227 J=11152
K=55655 L=44447 M=57755 N=65555 O=25552 P=65644 Q=25573 R=65655 S=34216 T=72222
U=55557 V=55552 W=55775 X=55255 Y=55222 Z=71247 0=75557 1=26227 2=61247 3=61216
4=55711 5=74616 6=24652 7=71222 8=25252 9=25316 .=00002 ,=00024 :=02020 /=11244
-=00700 ?=61202 !=22202 '=22000 (=12221 )=42224 _=00007 +=02720 "=55000
;=02024 [=64446 ]=31113 #=57575 %=51245
"""
_GLYPHS: Final = dict(pair.split("=", 1) for pair in _TABLE.split())
"""Five rows of three cells each, a row being an octal digit."""

_UNKNOWN: Final = "07570"
_BLANK: Final = "00000"


@attrs.frozen
class Mosaic:
    """
    A picture before it is packed.

    Attributes:
        width: Pixels.
        height: Pixels.
        cells: Rows of cells from the top; true ones have the colour of ink.
        paper: Red, green and blue of what is behind.
        ink: Those of what is written.
        words: What it was made of.
    """

    width: int
    height: int
    cells: Sequence[Sequence[bool]] = attrs.field(repr=False)
    paper: Colour
    ink: Colour
    words: str


def mosaic(words: str, width: int, height: int) -> Mosaic:
    """Return a picture that shows *words*, as far as they fit, in colours of their own."""
    wide, high = -(-width // CELL), -(-height // CELL)
    cells = [[False] * wide for _ in range(high)]
    for x in range(wide):
        cells[0][x] = cells[-1][x] = True
    for row in cells:
        row[0] = row[-1] = True
    for line, text in enumerate(_lines(words, (wide - 3) // 4, (high - 3) // 6)):
        for column, letter in enumerate(text):
            _write(cells, letter, 2 + 4 * column, 2 + 6 * line)
    hue = hashlib.sha256(words.encode("utf-8", "replace")).digest()[0] / 256
    return Mosaic(width, height, cells, _colour(hue, 0.9), _colour(hue, 0.25), words)


def _lines(words: str, wide: int, high: int) -> list[str]:
    if wide < 1 or high < 1:
        return []
    return textwrap.wrap(words, wide)[:high]


def _write(cells: list[list[bool]], letter: str, left: int, top: int) -> None:
    glyph = _BLANK if letter.isspace() else _GLYPHS.get(letter.upper(), _UNKNOWN)
    for down, row in enumerate(glyph):
        for right in range(3):
            cells[top + down][left + right] = bool(int(row, 8) & (4 >> right))


def _colour(hue: float, lightness: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)


def picture(
    words: str,
    width: int,
    height: int,
    *,
    media_type: str = "image/png",
    transparent: bool = False,
) -> bytes:
    """
    Return a picture that shows *words*, and has them in its metadata.

    Args:
        words: Who made it, of which prompt, how large: different ones give different bytes.
        width: Pixels.
        height: Pixels.
        media_type: One of `FORMATS`.
        transparent: Whether its paper is; a JPEG's is not.
    """
    drawn = mosaic(words, width, height)
    if media_type == "image/jpeg":
        return _jpeg(drawn)
    pack = {"image/png": _png, "image/webp": _webp}[media_type]
    return pack(drawn, transparent=transparent)


FORMATS: Final = ("image/png", "image/jpeg", "image/webp")


# -- PNG: https://www.w3.org/TR/png-3/ -------------------------------------------------


def _png(drawn: Mosaic, *, transparent: bool) -> bytes:
    """Pack at one bit a pixel, so that each cell is a byte of eight rows."""
    wide = -(-drawn.width // 8)
    rows = b"".join(
        (b"\0" + bytes(-cell & 255 for cell in row[:wide])) * CELL for row in drawn.cells
    )
    header = struct.pack(">IIBBBBB", drawn.width, drawn.height, 1, 3, 0, 0, 0)
    text = b"Description\0\0\0\0\0" + drawn.words.encode("utf-8", "replace")
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", bytes((*drawn.paper, *drawn.ink)))
        + (_chunk(b"tRNS", b"\0\xff") if transparent else b"")
        + _chunk(b"iTXt", text)
        + _chunk(b"IDAT", zlib.compress(rows[: drawn.height * (wide + 1)], 6))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# -- JPEG: ITU-T T.81, baseline ---------------------------------------------------------


def _jpeg(drawn: Mosaic) -> bytes:
    """Pack each cell as one block that has nothing but its mean."""
    levels = {False: _ycc(drawn.paper), True: _ycc(drawn.ink)}
    before, pieces = (0, 0, 0), []
    for row in drawn.cells:
        for cell in row:
            now = levels[cell]
            pieces += [_difference(new - old) for new, old in zip(now, before, strict=True)]
            before = now
    bits = "".join(pieces)
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = struct.pack(">BHHB", 8, drawn.height, drawn.width, 3)
    frame += b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    means = bytes((0, 0, 0, 9, *[0] * 12)).rjust(17, b"\0") + bytes(range(9))
    ends = b"\x10" + bytes((1, *[0] * 15)) + b"\0"
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xFE, drawn.words.encode("utf-8", "replace")[:60_000]),
            _segment(0xDB, b"\0" + bytes([8] * 64)),
            _segment(0xC0, frame),
            _segment(0xC4, means),
            _segment(0xC4, ends),
            _segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0"),
            scan,
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _ycc(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(light) - 128, round((blue - light) / 1.772), round((red - light) / 1.402)


def _difference(value: int) -> str:
    """Return the bits of a block: how many the difference has, the difference, and the end."""
    size = abs(value).bit_length()
    digits = value if value >= 0 else value + (1 << size) - 1
    return f"{size:04b}" + (f"{digits:0{size}b}" if size else "") + "0"


# -- WebP: RFC 9649, lossless -----------------------------------------------------------


def _webp(drawn: Mosaic, *, transparent: bool) -> bytes:
    """Pack at one bit a pixel by a palette of two colours; eight pixels are one symbol."""
    bits = _Bits()
    bits.add(0x2F, 8)
    bits.add(drawn.width - 1, 14)
    bits.add(drawn.height - 1, 14)
    bits.add(int(transparent), 1)
    bits.add(0, 3)  # the version
    bits.add(1, 1)  # a transform follows:
    bits.add(3, 2)  # colours by index,
    bits.add(1, 8)  # two of them
    _palette(bits, drawn, transparent=transparent)
    bits.add(0, 1)  # no further transform
    bits.add(0, 1)  # no cache of colours
    bits.add(0, 1)  # one set of codes
    bits.add(0b111, 3)  # green: a simple code of two symbols, each of eight bits:
    bits.add(0, 8)
    bits.add(255, 8)
    for _ in range(4):
        _only(bits, 0)
    wide = -(-drawn.width // 8)
    rows = ["".join("01"[cell] for cell in row[:wide]) * CELL for row in drawn.cells]
    bits.text("".join(rows)[: drawn.height * wide])
    data = bits.packed()
    size = (drawn.width - 1).to_bytes(3, "little") + (drawn.height - 1).to_bytes(3, "little")
    flags = 0x04 | (0x10 if transparent else 0)
    body = b"WEBP" + _riff(b"VP8X", bytes((flags, 0, 0, 0)) + size) + _riff(b"VP8L", data)
    body += _riff(b"XMP ", _XMP.format(escape(drawn.words)).encode("utf-8", "replace"))
    return b"RIFF" + struct.pack("<I", len(body)) + body


_XMP: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
    '22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:description>{}</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def _palette(bits: _Bits, drawn: Mosaic, *, transparent: bool) -> None:
    """Add the picture of two pixels that the colours are: the second less the first."""
    bits.add(0, 1)  # no cache of colours
    first = (*drawn.paper, 0 if transparent else 255)
    second = (*drawn.ink, 255)
    pixels = (first, [(new - old) & 255 for new, old in zip(second, first, strict=True)])
    for channel in (1, 0, 2, 3):  # green, red, blue, alpha
        found = sorted({pixel[channel] for pixel in pixels})
        if len(found) == 1:
            _only(bits, found[0])
        else:
            bits.add(0b111, 3)
            bits.add(found[0], 8)
            bits.add(found[1], 8)
    _only(bits, 0)  # distances
    for pixel in pixels:
        for channel in (1, 0, 2, 3):
            found = sorted({other[channel] for other in pixels})
            if len(found) == 2:
                bits.add(found.index(pixel[channel]), 1)


def _only(bits: _Bits, symbol: int) -> None:
    """Add a code of one symbol, which takes no bits afterwards."""
    bits.add(0b101, 3)
    bits.add(symbol, 8)


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


class _Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, value: int, count: int) -> None:
        self._pieces.append(f"{value:0{count}b}"[::-1])

    def text(self, bits: str) -> None:
        self._pieces.append(bits)

    def packed(self) -> bytes:
        bits = "".join(self._pieces)
        return int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")


# -- reading ----------------------------------------------------------------------------


@attrs.frozen
class Seen:
    """What a picture's head says; *words* only where `picture` made it."""

    media_type: str
    width: int
    height: int
    words: str = ""

    @property
    def size(self) -> str:
        """Width and height, such as `1024x768`."""
        return f"{self.width}x{self.height}"


def seen(data: bytes) -> Seen:
    """
    Return what a picture's head says: of a PNG, a JPEG, or a WebP of ours.

    Raises:
        ValueError: It is none.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _seen_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _seen_jpeg(data)
        if data.startswith(b"RIFF") and data[8:16] == b"WEBPVP8X":
            found = re.search(rb"<dc:description>(.*?)</dc:description>", data, re.DOTALL)
            words = unescape(found[1].decode()) if found else ""
            wide, high = data[24:27], data[27:30]
            return Seen(
                "image/webp",
                int.from_bytes(wide, "little") + 1,
                int.from_bytes(high, "little") + 1,
                words,
            )
    except (struct.error, IndexError) as error:
        msg = "the picture ends in its head"
        raise ValueError(msg) from error
    msg = "neither a PNG nor a JPEG nor a WebP"
    raise ValueError(msg)


def _seen_png(data: bytes) -> Seen:
    width, height = struct.unpack_from(">II", data, 16)
    words, at = "", 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"iTXt":
            words = data[at + 8 : at + 8 + size].rpartition(b"\0")[2].decode()
        at += size + 12
    return Seen("image/png", width, height, words)


def _seen_jpeg(data: bytes) -> Seen:
    words, at = "", 2
    while True:
        marker, size = struct.unpack_from(">xBH", data, at)
        if marker in {0xC0, 0xC1, 0xC2}:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Seen("image/jpeg", width, height, words)
        if marker == 0xFE:
            words = data[at + 4 : at + 2 + size].decode("utf-8", "ignore")
        at += size + 2
