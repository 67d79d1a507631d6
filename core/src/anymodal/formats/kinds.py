"""Media types: by the first bytes, and as endings of file names."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Final

__all__ = ["HEAD_BYTES", "extension", "of_kind", "sniff"]

HEAD_BYTES: Final = 4096
"""How much of the beginning is looked at."""

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\0\0\0\x0cJXL ", "image/jxl"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
)
"""Offset, bytes, type: the first that fits wins."""

_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_FORM: Final = {b"AIFF": "audio/aiff", b"AIFC": "audio/aiff"}

_BRANDS: Final[Mapping[bytes, str]] = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"M4A ", b"M4B ", b"F4A "), "audio/mp4"),
    b"qt  ": "video/quicktime",
}
"""Of ISO base media files, by whose brand their kind shows. MP4 RA (mp4ra.org), read 2026-11-20."""

_OLD_QUICKTIME: Final = frozenset({b"moov", b"mdat", b"wide"})
"""First boxes of QuickTime files from before there were brands."""

_BITMAP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})
"""Sizes of the second header of a BMP; two letters are too few to tell it by."""

_SVG: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]", re.DOTALL
)

_EXTENSIONS: Final[Mapping[str, str]] = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "audio/aac": ".aac",
    "audio/aiff": ".aiff",
    "audio/amr": ".amr",
    "audio/flac": ".flac",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
    "audio/x-wav": ".wav",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/jxl": ".jxl",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tiff",
    "image/webp": ".webp",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/ogg": ".ogv",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
}


def sniff(data: bytes) -> str | None:
    """Return the media type that the first bytes of *data* show, or None."""
    head = data[:HEAD_BYTES]
    for offset, magic, media_type in _MAGIC:
        if head.startswith(magic, offset):
            return media_type
    return _container(head) or _frames(head) or _bitmap(head) or _text(head)


_BOTH: Final = frozenset({"mp4", "ogg", "webm", "x-matroska"})
"""What holds sound as well as clips; the beginning does not always tell which."""


def of_kind(media_type: str, kind: str) -> str:
    """Return what *media_type* is called where it holds *kind*: `audio/mp4` for a clip's, say."""
    family, _, name = media_type.partition("/")
    is_other = name in _BOTH and {family, kind} == {"audio", "video"}
    return f"{kind}/{name}" if is_other else media_type


def extension(media_type: str) -> str:
    """Return how names of files of *media_type* end, with the dot; `.bin` where it is unknown."""
    return _EXTENSIONS.get(media_type.partition(";")[0].strip().lower(), ".bin")


def _container(head: bytes) -> str | None:
    form = head[8:12]
    match head[:4]:
        case b"RIFF" | b"RF64":
            return _RIFF.get(form)
        case b"FORM":
            return _FORM.get(form)
        case b"OggS":
            return "video/ogg" if b"\x80theora" in head else "audio/ogg"
        case b"\x1aE\xdf\xa3":
            return _matroska(head)
    if head[4:8] == b"ftyp":
        return _branded(head)
    return "video/quicktime" if head[4:8] in _OLD_QUICKTIME else None


def _branded(head: bytes) -> str:
    """Return the type of an ISO base media file by its brand, else by those it works with."""
    end = max(16, min(int.from_bytes(head[:4], "big"), len(head)))
    main, *others = (head[8:12], *(head[at : at + 4] for at in range(16, end, 4)))
    if main in _BRANDS:
        return _BRANDS[main]
    if main in {b"mif1", b"msf1"}:
        return next((_BRANDS[one] for one in others if one in _BRANDS), "image/heif")
    return "video/3gpp" if main.startswith(b"3gp") else "video/mp4"


def _matroska(head: bytes) -> str:
    is_sound = b"A_" in head and b"V_" not in head
    if b"matroska" in head[:64]:
        return "audio/x-matroska" if is_sound else "video/x-matroska"
    return "audio/webm" if is_sound else "video/webm"


def _frames(head: bytes) -> str | None:
    """Return the type of sound that is frames from its first byte on."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer, version = head[1] >> 1 & 3, head[1] >> 3 & 3
    is_possible = head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3
    return "audio/mpeg" if layer in {1, 2} and version != 1 and is_possible else None


def _bitmap(head: bytes) -> str | None:
    is_one = head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS
    return "image/bmp" if is_one else None


def _text(head: bytes) -> str | None:
    if _SVG.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "image/svg+xml"
    head = head[:2048]
    if head and b"\0" not in head:
        with contextlib.suppress(UnicodeDecodeError):
            head.decode("ascii")
            return "text/plain"
    return None
