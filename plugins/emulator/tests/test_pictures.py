"""Pictures of emulators: another decoder opens them, and finds what was asked for."""

from __future__ import annotations

import io
from itertools import product

import pytest
from anymodal_emulator.pictures import FORMATS, Seen, mosaic, picture, seen
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

WORDS = "acme heard: a lighthouse <at> night & a \N{SNOWMAN}"
PILLOWS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.integers(1, 200),
    st.integers(1, 200),
    st.booleans(),
    st.text(min_size=1, max_size=60).filter(lambda text: "\0" not in text),
)
def test_every_size_opens(media_type, width, height, transparent, words):
    """Whatever the words, the size and the packing, it is a whole picture."""
    data = picture(words, width, height, media_type=media_type, transparent=transparent)
    opened = Image.open(io.BytesIO(data))
    opened.load()

    assert PILLOWS[media_type] == opened.format
    assert (width, height) == opened.size


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("media_type", FORMATS)
def test_colours_and_letters_are_where_they_belong(media_type, transparent):
    """Each cell has its colour, JPEG's within one step; only a transparent paper lets through."""
    drawn = mosaic(WORDS, 321, 203)
    data = picture(WORDS, 321, 203, media_type=media_type, transparent=transparent)
    opened = Image.open(io.BytesIO(data)).convert("RGBA")
    lets_through = transparent and media_type != "image/jpeg"

    for y, x in product(range(4, 203, 8), range(4, 321, 8)):
        is_ink = drawn.cells[y // 8][x // 8]
        *colour, alpha = opened.getpixel((x, y))
        wanted = drawn.ink if is_ink else drawn.paper
        assert all(abs(one - other) <= 1 for one, other in zip(colour, wanted, strict=True))
        assert (0 if lets_through and not is_ink else 255) == alpha


@pytest.mark.parametrize("media_type", FORMATS)
def test_head_says_what_was_asked_for(media_type):
    """Type, size and words are found again, as the tour and tests do."""
    assert Seen(media_type, 640, 360, WORDS) == seen(
        picture(WORDS, 640, 360, media_type=media_type)
    )
    assert "640x360" == seen(picture(WORDS, 640, 360, media_type=media_type)).size


@pytest.mark.parametrize("media_type", FORMATS)
def test_other_words_make_other_bytes(media_type):
    """Also where the picture is too small for any letter."""
    made = {
        picture(words, size, size, media_type=media_type)
        for words, size in product(["a cat", "a dog"], [8, 640])
    }

    assert 4 == len(made)


@pytest.mark.parametrize("media_type", FORMATS)
def test_pictures_of_other_makers(media_type):
    """Theirs have a size, and no words of ours; a WebP without an extended head is not read."""
    file = io.BytesIO()
    Image.new("RGBA", (20, 10)).convert("RGB").save(file, PILLOWS[media_type], exif=b"Exif\0\0MM")

    assert Seen(media_type, 20, 10) == seen(file.getvalue())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GIF89a", "neither a PNG"),
        (b"", "neither a PNG"),
        (b"\x89PNG\r\n\x1a\n\0\0", "ends in its head"),
        (b"\xff\xd8\xff\xe0\0", "ends in its head"),
    ],
)
def test_what_is_no_picture(data, why):
    """It is said, and not guessed."""
    with pytest.raises(ValueError, match=why):
        seen(data)
