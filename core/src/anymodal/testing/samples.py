"""Small inputs that open, made without a library: a picture, a sound, a letter, a clip."""

from __future__ import annotations

import io
import math
import struct
import wave
import zlib
from functools import cache

from ..media import Audio, File, Image, Video

__all__ = ["clip", "letter", "picture", "sound"]


@cache
def picture(width: int = 48, height: int = 32) -> Image:
    """Return a PNG: dusk, from blue to gold."""
    rows = b"".join(
        b"\0" + bytes((60 + 4 * y % 190, 80, 160 - 2 * y % 120)) * width for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return Image(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def sound(seconds: float = 0.5, rate: int = 16_000) -> Audio:
    """Return a WAV: a tone that swells and fades."""
    count = int(seconds * rate)
    waves = (
        int(9000 * math.sin(math.pi * n / count) * math.sin(2 * math.pi * 440 * n / rate))
        for n in range(count)
    )
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", one) for one in waves))
    return Audio(kept.getvalue())


@cache
def letter(words: str = "The lamp is lit.") -> File:
    """Return a PDF of one page with *words*, plain ASCII without brackets, on it."""
    text = f"BT /F1 18 Tf 40 100 Td ({words}) Tj ET".encode("ascii")
    fonts = b"/Resources << /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return File(made + b"xref\n0 6\n0000000000 65535 f \n" + table + end, name="letter.pdf")


@cache
def clip() -> Video:
    """Return the beginning of an MP4, which nobody plays here; it has only to arrive."""
    brand = b"isom\0\0\2\0isomiso2mp41"
    return Video(struct.pack(">I", 8 + len(brand)) + b"ftyp" + brand + b"\0\0\0\x08free")
