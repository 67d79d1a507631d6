"""Speech that the tour brings home, as a decoder that is not ours hears it."""

from __future__ import annotations

import anyio
import anymodal
import av
from anymodal_emulator.tour import rows_of, travel


def test_speech_is_said(tmp_path):
    """Every row is well, its file opens, and other words are other bytes."""
    registry = anymodal.Registry(anymodal.Settings.empty())
    offers = registry.providers("speech")
    specs = [one.spec for one in offers if one.instance == one.spec.id]
    speakers = {spec.id for spec in specs}
    emulators = [one for one in registry.offers_of("emulators") if one.provider in speakers]
    visits = anyio.run(travel, specs, emulators, tmp_path, anymodal.Settings.empty())

    assert len(rows_of(specs)) == len(visits)
    assert [] == [(visit.row, visit.outcome) for visit in visits if visit.outcome != "ok"]
    assert {"synthesize", "stream", "told", "voices", "clone"} == {v.row.operation for v in visits}
    heard = {}
    for visit in visits:
        if visit.path.endswith(".wav"):
            with av.open(tmp_path / visit.path) as file:
                stream = file.streams.audio[0]
                samples = sum(frame.samples for frame in file.decode(audio=0))
                assert samples > stream.rate / 2
            heard[visit.row.provider, visit.prompt] = (tmp_path / visit.path).read_bytes()
    assert len(heard) == len(set(heard.values()))
