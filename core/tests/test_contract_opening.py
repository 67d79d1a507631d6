"""What contract suites take for a file that opens, and for a size that was kept."""

from __future__ import annotations

import struct

import pytest
from anymodal import Audio, Image, Video
from anymodal.testing.opening import flaw, is_as_said
from anymodal.testing.samples import clip, picture, sound


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind + content


def mp4(width, height, seconds):
    """Return the head of a clip, and a byte of it."""
    mvhd = box(b"mvhd", bytes(12), struct.pack(">II", 1000, seconds * 1000), bytes(80))
    sides = struct.pack(">II", width << 16, height << 16)
    tkhd = box(b"tkhd", bytes(40), struct.pack(">9i", 1, 0, 0, 0, 1, 0, 0, 0, 1), sides)
    return (
        box(b"ftyp", b"isom", bytes(4))
        + box(b"moov", mvhd, box(b"trak", tkhd))
        + box(b"mdat", b"x")
    )


JPEG = b"\xff\xd8\xff\xc0\0\x11\x08\0\x10\0\x20\x03" + bytes(9) + b"\xff\xd9"
WEBP = (
    b"RIFF"
    + struct.pack("<I", 22)
    + b"WEBPVP8X"
    + struct.pack("<I", 10)
    + bytes(4)
    + b"\7\0\0\7\0\0"
)
WHOLE = {
    "png": picture(),
    "jpeg": Image(JPEG),
    "webp": Image(WEBP),
    "mp4": Video(mp4(320, 240, 2)),
    "wav": sound(),
    "bare": Audio(b"\0\0", media_type="audio/pcm;rate=16000"),
}


@pytest.mark.parametrize("form", WHOLE)
def test_what_is_whole_has_no_flaw(form):
    """A suite that finds fault with a good file is of no use to anybody."""
    assert flaw(WHOLE[form]) == ""


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "mp4"])
def test_what_breaks_off_is_told(form):
    """Half a file has a good head, and opens as half a picture, if at all."""
    media = WHOLE[form]
    cut = type(media)(media.read_bytes()[:-1], media_type=media.media_type)

    assert flaw(cut)


def test_a_damaged_picture_is_told():
    """One wrong byte of a PNG is known by its checksum."""
    data = bytearray(picture().read_bytes())
    data[50] ^= 1

    assert "not the whole" in flaw(Image(bytes(data)))


@pytest.mark.parametrize(
    "media",
    [
        Image(b"<html>no", media_type="image/png"),
        Image(b"\x89PNG\r\n\x1a\n", media_type="image/png"),
        Video(b"<html>no", media_type="video/mp4"),
        clip(),
        Audio(b"<html>no", media_type="audio/mpeg"),
        Audio(sound().read_bytes()[:44]),
        Audio(b"x", media_type="audio/pcm"),
    ],
)  # fmt: skip
def test_what_is_something_else_is_told(media):
    """A page, a head without a body, a clip that shows nothing, and sound of no length."""
    assert flaw(media)


@pytest.mark.parametrize(
    ("said", "width", "height", "kept"),
    [
        ("1024x768", 1024, 768, True),
        ("1024x768", 1024, 767, False),
        ("16:9", 1360, 768, True),
        ("16:9", 1024, 768, False),
        ("16:9", 768, 1360, False),
        ("1k", 1152, 896, True),
        ("1k", 2048, 2048, False),
    ],
)
def test_a_size_is_kept_as_it_was_said(said, width, height, kept):
    """Pixels exactly; of a ratio the ratio; a class by about how many pixels there are."""
    assert is_as_said(said, width, height) is kept
