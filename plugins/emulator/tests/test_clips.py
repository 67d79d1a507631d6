"""Clips of the emulators, as a decoder that is not ours sees them."""

from __future__ import annotations

import io

import av
import pytest
from anymodal_emulator.clips import clip, watched


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


def test_other_words_other_clips():
    """Two prompts give different bytes, and the same ones the same."""
    assert clip("waves", 64, 64, 1) == clip("waves", 64, 64, 1) != clip("wind", 64, 64, 1)


@pytest.mark.parametrize("data", [b"", b"no clip at all", clip("waves", 64, 64, 1)[:60]])
def test_no_clips(data):
    """What is none is said to be none."""
    with pytest.raises(ValueError, match=r"clip|MP4"):
        watched(data)
