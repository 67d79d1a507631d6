"""Vendors of clips and of sound, for tests of jobs that make files."""

from __future__ import annotations

import datetime as dt

from anymodal import (
    Audio,
    Client,
    JobStatus,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    Usage,
    Used,
    Video,
    hookimpl,
)
from anymodal.modalities.audio import AudioProviderSpec, AudioResult
from anymodal.modalities.video import VideoProviderSpec, VideoResult

from .clocks import FakeClock
from .once import ONCE

CLIP = b"\0\0\0\x18ftypisom" + bytes(16)
SOUND = b"RIFF\x24\0\0\0WAVEfmt " + bytes(24)
PRICES = Prices([Price("second", "0.10")], "acme.example", dt.date(2026, 11, 20))
DONE = JobStatus(state="succeeded", word="done")
RUNNING = JobStatus(state="running", progress=0.5, word="busy")


def usage(seconds=5):
    return Usage(units=(Used("second", seconds),))


class AtOnce:
    """Makes clips and sound in one piece, and remembers what it was asked."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    async def generate(self, request):
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        request.progress(0.5)
        made = {"usage": usage(), "request_id": "r-1", "raw": {"it": "says"}}
        if type(request).__name__ == "AudioRequest":
            return AudioResult(audio=Audio(SOUND), **made)
        return VideoResult(video=Video(CLIP), **made)

    def compose(self, request):
        self.asked.append(request)
        return VideoResult(video=Video(CLIP), usage=usage())

    def enhance(self, request):
        self.asked.append(request)
        return AudioResult(audio=Audio(SOUND), usage=usage())


class Jobs:
    """
    Makes clips and sound as jobs.

    Args:
        states: What it says when it is asked, the last again and again.
        refuses: What is raised by a submit.
    """

    def __init__(self, *states, refuses=None, kind="video"):
        self.states = list(states) or [DONE]
        self.refuses = refuses
        self.kind = kind
        self.calls = []
        self.asked = []
        self.wanted = []

    async def submit(self, request):
        self.calls.append("submit")
        self.asked.append(request)
        if self.refuses is not None:
            raise self.refuses
        return {"id": "j-1"}

    async def poll(self, handle):
        assert {"id": "j-1"} == handle
        self.calls.append("poll")
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    async def fetch(self, handle, wanted):
        self.calls.append("fetch")
        self.wanted.append(wanted)
        made = {
            "usage": usage(),
            "request_id": "r-2",
            "raw": {"it": "says"} if wanted.raw else None,
        }
        if self.kind == "audio":
            return AudioResult(audio=Audio(SOUND), **made)
        return VideoResult(video=Video(CLIP), **made)


class Stops(Jobs):
    """One whose jobs can be stopped."""

    async def cancel(self, handle):
        self.calls.append("cancel")


def brings(provider, kind="video", **spec):
    """A plugin of one vendor, whose name is acme."""
    cls = {"video": VideoProviderSpec, "audio": AudioProviderSpec}[kind]
    made = cls(
        id="acme",
        display_name="Acme",
        kind="local",
        models=[ModelSpec(id="m-1", prices=PRICES)],
        default_model="m-1",
        connect=lambda _: provider,
        **spec,
    )

    class Brings:
        @hookimpl
        def anymodal_video_providers(self):
            return [made] if kind == "video" else []

        @hookimpl
        def anymodal_audio_providers(self):
            return [made] if kind == "audio" else []

    return Brings()


def client(provider, *, store=None, clock=None, settings=None, kind="video", policy=ONCE, **spec):
    """A client of that vendor alone."""
    found = Registry(
        Settings.from_mapping(settings or {}, environ={}),
        plugins=[brings(provider, kind, **spec)],
        distributions=(),
    )
    return Client(registry=found, policy=policy, clock=clock or FakeClock(), store=store)
