"""Small pictures and documents that open, made without a library."""

from __future__ import annotations

import struct
import zlib

__all__ = ["pdf", "png"]


def png(width: int, height: int) -> bytes:
    """Return a picture: a sea under an evening sky."""
    rows = bytearray()
    horizon = height * 3 // 5
    for y in range(height):
        rows.append(0)
        for x in range(width):
            colour = _sea(x, y, horizon) if y > horizon else _sky(x, y, width, horizon)
            rows += bytes(colour)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _sky(x: int, y: int, width: int, horizon: int) -> tuple[int, int, int]:
    sun = (x - width * 0.7) ** 2 + (y - horizon * 0.75) ** 2
    if sun < (horizon * 0.22) ** 2:
        return 255, 226, 150
    share = y / max(horizon, 1)
    return int(60 + 180 * share), int(70 + 70 * share), int(130 - 20 * share)


def _sea(x: int, y: int, horizon: int) -> tuple[int, int, int]:
    wave = ((x + y * y) // 5) % 3 * 9
    return 24 + wave, max(70 - (y - horizon), 40) + wave, 110 + wave


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf(words: str) -> bytes:
    """Return a document of one page with *words*, which are plain ASCII, on it."""
    safe = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    text = f"BT /F1 18 Tf 40 100 Td ({safe}) Tj ET".encode("ascii")
    fonts = b"/Resources << /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R %s >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    found, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(found)
    found += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    found += b"".join(b"%010d 00000 n \n" % place for place in places)
    found += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(found)
