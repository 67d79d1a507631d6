"""Whether what was made opens: what can be told of a file without a decoder."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from ..formats import of_kind, sniff
from ..media import Audio, Image, Media, Video
from ..modalities.sizes import CLASSES, Size

__all__ = ["flaw", "is_as_said", "is_bare"]

LEAST_SECONDS: Final = 0.01


def flaw(media: Media) -> str:
    """Return what is wrong with a picture, a clip or a sound; nothing where it opens."""
    data = media.read_bytes()
    if isinstance(media, Audio) and is_bare(media):
        return "" if len(data) >= 2 else "it has no samples"
    found = of_kind(sniff(data) or "", media.kind)
    if not found.startswith(f"{media.kind}/"):
        return f"it begins with {data[:8]!r}, as none does"
    if isinstance(media, Image):
        return _picture(data, found)
    if isinstance(media, Video):
        return _clip(data, found)
    seconds = Audio(data, media_type=found).seconds
    return "" if seconds is not None and seconds > LEAST_SECONDS else "nothing is to be heard in it"


def is_bare(sound: Audio) -> bool:
    """Whether *sound* is samples without a header, of which nothing can be told."""
    kind = sound.media_type.partition(";")[0].strip()
    return kind in {"audio/pcm", "audio/l16", "audio/basic", "audio/x-alaw-basic"}


def _picture(data: bytes, found: str) -> str:
    if Image(data, media_type=found).dimensions is None:
        return "its head does not say how large it is"
    match found:
        case "image/png":
            is_whole = _is_whole_png(data)
        case "image/jpeg":
            is_whole = data.rstrip(b"\0").endswith(b"\xff\xd9")
        case "image/webp":
            is_whole = int.from_bytes(data[4:8], "little") + 8 == len(data)
        case _:
            is_whole = True
    return "" if is_whole else f"it is not the whole of an {found}"


def _is_whole_png(data: bytes) -> bool:
    at, packed, kind = 8, b"", b""
    try:
        while at < len(data):
            size, kind = struct.unpack_from(">I4s", data, at)
            content = data[at + 8 : at + 8 + size]
            (told,) = struct.unpack_from(">I", data, at + 8 + size)
            if zlib.crc32(kind + content) != told:
                return False
            packed += content if kind == b"IDAT" else b""
            at += size + 12
        return kind == b"IEND" and bool(zlib.decompress(packed))
    except (struct.error, zlib.error):
        return False


def _clip(data: bytes, found: str) -> str:
    facts = Video(data, media_type=found).facts
    if facts.dimensions is None or not facts.seconds:
        return "its head does not say how large it is, or how long"
    if found != "video/mp4":
        return ""
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        at += size if size >= 8 else len(data) - at
    return "" if at == len(data) else "it breaks off"


def is_as_said(said: str, width: int, height: int) -> bool:
    """Whether so many pixels are what a size says: exactly, by its ratio, or near its class."""
    size = Size.parse(said)
    if size.form == "pixels":
        return (width, height) == (size.width, size.height)
    if size.form == "ratio":
        return abs(width * size.height / (height * size.width) - 1) <= 0.015
    return abs(width * height / CLASSES[size.name] - 1) <= 0.25
