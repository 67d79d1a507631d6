"""The faults of text from speech: each is Acme with one thing changed."""

from __future__ import annotations

import asyncio
import collections
import contextlib
from contextlib import asynccontextmanager

import attrs
from acme_voices import Ear, Ears, ears
from anymodal import Audio
from anymodal import errors as e
from anymodal.modalities.live import AudioFormat, Partial, SpeechStarted, Transcript, TurnEnded
from anymodal.modalities.sounds import wav_header
from anymodal.modalities.transcription import TranscriptionEnd
from sowing import Bed

BED = Bed("transcription", ears, Ears, "anymodal_deepgram.emulator:app")
planted, plant = BED.planted, BED.plant


# -- files --------------------------------------------------------------------------------


@planted("hears-nothing")
class HearsNothing(Ears):
    def sent(self, request):
        silence = Audio(wav_header(16_000, 32_000) + bytes(32_000))
        return attrs.evolve(request, audio=silence)


@planted("hears-things")
class HearsThings(Ears):
    def answered(self, result):
        return attrs.evolve(result, text=result.text or "Thank you for watching.")


def answering(change):
    """Return a provider that changes what it answers."""

    class Answering(Ears):
        def answered(self, result):
            return change(result)

    return Answering


def timed(result, factor):
    """Return a result whose times are others."""
    segments = [
        attrs.evolve(one, start=one.start * factor, end=one.end * factor) for one in result.segments
    ]
    return attrs.evolve(result, segments=tuple(segments))


def nameless(result):
    segments = tuple(attrs.evolve(one, speaker=None) for one in result.segments)
    return attrs.evolve(result, segments=segments)


plant("mixed-segments", answering(lambda r: attrs.evolve(r, segments=r.segments[::-1])))
plant("milliseconds", answering(lambda r: timed(r, 1000)))
plant("wordless", answering(lambda r: attrs.evolve(r, words=())))
plant("one-speaker", answering(nameless))


def unsaid(**fields):
    """Return a provider that leaves out fields of requests."""

    class Unsaid(Ears):
        def sent(self, request):
            return attrs.evolve(request, **fields)

    return Unsaid


plant("drops-prompt", unsaid(prompt=None))
plant("lenient", unsaid(strict=False))


# -- what is heard live -------------------------------------------------------------------


def listening(name):
    """Plant the decorated listener."""

    def take(cls):
        plant(name, type(cls.__name__, (Ears,), {"ear": cls}))
        return cls

    return take


def telling(change):
    """Return a provider whose listeners change what they tell."""

    class Telling(Ear):
        def told(self, event):
            return change(event)

    return type("Tells", (Ears,), {"ear": Telling})


def without(*kinds):
    return telling(lambda event: [] if isinstance(event, kinds) else [event])


def turned(event):
    if isinstance(event, SpeechStarted):
        return [TurnEnded(event.at)]
    return [SpeechStarted(event.at)] if isinstance(event, TurnEnded) else [event]


def again(event):
    said = isinstance(event, Transcript)
    return [event, attrs.evolve(event, text=event.text.upper())] if said else [event]


def backwards(event):
    said = isinstance(event, Transcript)
    return [attrs.evolve(event, text=" ".join(event.text.split()[::-1]))] if said else [event]


plant("no-end", without(TranscriptionEnd))
plant("after-end", telling(lambda one: [one, Partial("P.S.")] if _ends(one) else [one]))
plant("no-turns", without(SpeechStarted, TurnEnded))
plant("turns-inside-out", telling(turned))
plant("empty-partial", telling(lambda one: [Partial(""), one] if _grows(one) else [one]))
plant("changes-finals", telling(again))
plant("hears-other", telling(backwards))
plant("loses-words", telling(lambda one: [Partial(one.text)] if _stays(one) else [one]))


def _ends(event):
    return isinstance(event, TranscriptionEnd)


def _grows(event):
    return isinstance(event, Partial)


def _stays(event):
    return isinstance(event, Transcript)


@listening("late-finals")
class LateFinals(Ear):
    async def __aiter__(self):
        held = None
        async for event in self.inner:
            if isinstance(event, Transcript):
                if held is not None:
                    yield held
                held = event
            elif not isinstance(event, TurnEnded):
                yield event


@listening("waits-for-all")
class WaitsForAll(Ear):
    async def __aiter__(self):
        for event in [event async for event in self.inner]:
            yield event


@listening("forgets-unread")
class ForgetsUnread(Ear):
    """Reads ahead, and keeps little of it."""

    def __init__(self, inner):
        super().__init__(inner)
        self.kept, self.came = collections.deque(maxlen=4), asyncio.Event()
        self.task = asyncio.ensure_future(self.read())

    async def read(self):
        async for event in self.inner:
            self.kept.append(event)
            self.came.set()

    async def __aiter__(self):
        while True:
            await self.came.wait()
            self.came.clear()
            while self.kept:
                yield self.kept.popleft()


# -- what is sent live, and its end -------------------------------------------------------


@listening("drops-crumbs")
class DropsCrumbs(Ear):
    async def send(self, data):
        if len(data) > 1000:
            await self.inner.send(data)


@planted("one-rate")
class OneRate(Ears):
    def sent(self, request):
        if hasattr(request, "format"):
            return attrs.evolve(request, format=AudioFormat(rate=16_000))
        return request


@listening("buffers-all")
class BuffersAll(Ear):
    def __init__(self, inner):
        super().__init__(inner)
        self.tasks = []

    async def send(self, data):
        self.tasks.append(asyncio.ensure_future(self.later(data)))

    async def later(self, data):
        with contextlib.suppress(e.VendorError):
            await self.inner.send(data)


HELD = []


@planted("leaves-open")
class LeavesOpen(Ears):
    @asynccontextmanager
    async def live(self, request):
        opened = super().live(request)
        HELD.append(opened)
        yield await opened.__aenter__()


@planted("leaks-a-task")
class LeaksATask(Ears):
    @asynccontextmanager
    async def live(self, request):
        HELD.append(asyncio.create_task(asyncio.sleep(20)))
        async with super().live(request) as listener:
            yield listener


@listening("broken-is-end")
class BrokenIsEnd(Ear):
    async def send(self, data):
        with contextlib.suppress(e.VendorError):
            await self.inner.send(data)

    async def finish(self):
        with contextlib.suppress(e.VendorError):
            await self.inner.finish()

    async def __aiter__(self):
        with contextlib.suppress(e.VendorError):
            async for event in self.inner:
                yield event
            return
        await asyncio.sleep(1)
        yield TranscriptionEnd()
