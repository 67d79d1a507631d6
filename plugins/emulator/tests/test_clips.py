"""Clips of the emulators, as a decoder that is not ours sees them."""

from __future__ import annotations

import io

import av
import pytest
from anymodal_emulator.clips import clip, watched
from anymodal_emulator.h264 import track
from anymodal_emulator.pictures import CELL, mosaic
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("width", "height", "seconds"), [(320, 240, 2), (1280, 720, 5), (30, 54, 0.1)]
)
def test_clips_play(width, height, seconds):
    """Every picture of them, for as long as they say, with the words as comment."""
    words = f"fal (acme) made: waves at ñight, {width}x{height}"
    made = clip(words, width, height, seconds)
    with av.open(io.BytesIO(made)) as file:
        pictures = list(file.decode(video=0))
        comment, length = file.metadata["comment"], file.duration

    assert max(round(seconds * 2), 1) == len(pictures)
    assert {(width, height)} == {(one.width, one.height) for one in pictures}
    assert words == comment
    assert max(seconds, 0.5) * 1_000_000 == length
    found = watched(made)
    assert (f"{width}x{height}", max(seconds, 0.5), words) == (
        found.size,
        found.seconds,
        found.words,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.text(max_size=60),
    st.integers(1, 90),
    st.integers(1, 70),
    st.integers(min_value=1, max_value=4),
)
def test_pictures_are_exact(words, width, height, count):
    """A decoder gives each pixel as it was drawn, so no prediction and no skip is wrong."""
    width, height = 2 * width, 2 * height
    drawn = [mosaic(f"{words} {'#' * (number + 1)}", width, height) for number in range(count)]
    with av.open(io.BytesIO(clip(words, width, height, count / 2))) as file:
        pictures = [(one.width, one.height, rows(one.planes[0])) for one in file.decode(video=0)]

    assert [(width, height)] * count == [one[:2] for one in pictures]
    for picture, (_, _, light) in zip(drawn, pictures, strict=True):
        dark = min(map(min, light))
        assert [
            [picture.cells[y // CELL][x // CELL] for x in range(width)] for y in range(height)
        ] == [[one == dark for one in row] for row in light]


def rows(plane):
    """Return the rows of a plane, without what stands past their ends."""
    data = bytes(plane)
    return [data[y * plane.line_size :][: plane.width] for y in range(plane.height)]


def test_odd_sizes_are_refused():
    """Colour stands for two pixels each way, so half of one cannot be told."""
    with pytest.raises(ValueError, match="31x40"):
        track([mosaic("waves", 31, 40)])


def test_other_words_other_clips():
    """Two prompts give different bytes, and the same ones the same."""
    assert clip("waves", 64, 64, 1) == clip("waves", 64, 64, 1) != clip("wind", 64, 64, 1)


@pytest.mark.parametrize("data", [b"", b"no clip at all", clip("waves", 64, 64, 1)[:60]])
def test_no_clips(data):
    """What is none is said to be none."""
    with pytest.raises(ValueError, match=r"clip|MP4"):
        watched(data)
