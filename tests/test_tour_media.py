"""Clips and sound that the tour brings home, as a decoder that is not ours sees them."""

from __future__ import annotations

import anyio
import anymodal
import av
import pytest
from anymodal_emulator.tour import rows_of, travel

MEDIA = {"audio", "video"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the tour of all providers of clips and sound has written, and what it saw."""
    out = tmp_path_factory.mktemp("tour")
    registry = anymodal.Registry(anymodal.Settings.empty())
    specs = [
        one.spec
        for one in registry.providers()
        if one.instance == one.spec.id and one.spec.modality in MEDIA
    ]
    emulators = [
        one for one in registry.offers_of("emulators") if one.provider in {s.id for s in specs}
    ]
    visits = anyio.run(travel, specs, emulators, out, anymodal.Settings.empty())
    assert len(visits) == len(rows_of(specs))
    return out, visits


def test_all_is_well(home):
    """Each row, and there are rows of every operation."""
    _, visits = home

    assert [] == [(one.row, one.outcome) for one in visits if one.outcome != "ok"]
    assert {
        ("audio", "enhance"),
        ("audio", "generate"),
        ("video", "compose"),
        ("video", "generate"),
        ("video", "image_to_video"),
    } == {(one.row.modality, one.row.operation) for one in visits}


def test_artefacts_play(home):
    """To their end, and as long as they were asked to be."""
    out, visits = home
    for visit in visits:
        with av.open(str(out / visit.path)) as file:
            kinds = {stream.type for stream in file.streams}
            frames = sum(1 for _ in file.decode(next(iter(file.streams))))
            seconds = file.duration / 1e6
        wanted = {"compose": 4, "enhance": 2}.get(
            visit.row.operation, 4 if visit.row.modality == "audio" else 5
        )

        assert visit.row.modality in kinds
        assert frames > 1
        assert abs(seconds - wanted) < 0.25, visit.row


def test_page_shows_them(home):
    """Where they can be played."""
    out, visits = home
    page = (out / "index.html").read_text("utf-8")
    for visit in visits:
        assert f'<{visit.row.modality} class="made"' in page
        assert visit.path in page


def test_bytes_are_none_that_were_seen_before(home):
    """Two prompts give different payloads."""
    _, visits = home

    assert len({visit.artefact for visit in visits}) == len(visits)
