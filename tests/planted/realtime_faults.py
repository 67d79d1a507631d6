"""The faults of spoken conversation: each is Acme with one thing changed."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager

import attrs
from acme_voices import Talk, Talks, talks
from anymodal import errors as e
from anymodal.modalities.live import (
    AudioFormat,
    AudioOut,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
)
from anymodal.modalities.realtime import AudioIn, Interrupt, Respond, ToolResults
from sowing import Bed

BED = Bed("realtime", talks, Talks, "anymodal_openai.emulator:app", "/v1")
planted, plant = BED.planted, BED.plant
USUAL = AudioFormat(rate=24_000)


def talking(name):
    """Plant the decorated session."""

    def take(cls):
        plant(name, type(cls.__name__, (Talks,), {"talk": cls}))
        return cls

    return take


def telling(change):
    """Return a provider whose sessions change what they tell."""

    class Telling(Talk):
        def told(self, event):
            return change(event)

    return type("Tells", (Talks,), {"talk": Telling})


def without(*kinds):
    return telling(lambda event: [] if isinstance(event, kinds) else [event])


def saying(change):
    """Return a provider whose sessions change what they are told."""

    class Saying(Talk):
        def said(self, event):
            return change(event)

    return type("Says", (Talks,), {"talk": Saying})


def unsaid(**fields):
    """Return a provider that asks for other things than it was asked for."""

    class Unsaid(Talks):
        def sent(self, request):
            return attrs.evolve(request, **fields)

    return Unsaid


# -- what it says -------------------------------------------------------------------------


def _ends(event):
    return isinstance(event, ResponseDone)


def halves(event):
    if not isinstance(event, AudioOut):
        return [event]
    return [AudioOut(part, event.item_id) for part in (event.data[:101], event.data[101:])]


plant("silent", without(AudioOut))
plant("textless", without(Transcript))
plant("no-turns", without(SpeechStarted, TurnEnded))
plant("no-tools", without(ToolRequested))
plant("two-ends", telling(lambda one: [one, one] if _ends(one) else [one]))
plant("sound-after-end", telling(lambda one: [one, AudioOut(bytes(2))] if _ends(one) else [one]))
plant("half-samples", telling(halves))


# -- what is asked for --------------------------------------------------------------------

plant(
    "wrong-format",
    unsaid(input_format=USUAL),
    input_formats=[USUAL, AudioFormat(rate=16_000)],
)
plant("one-format", unsaid(output_format=USUAL))
plant("drops-voice", unsaid(voice=None))
plant("lenient", unsaid(strict=False))
plant("impatient", unsaid(turns=None))
plant("speaks-always", unsaid(answers="audio"))


def forgotten(event):
    if not isinstance(event, ToolResults):
        return [event]
    return [attrs.evolve(event, results=[attrs.evolve(one, content="ok") for one in event.results])]


plant("no-result", saying(forgotten))


# -- while it goes on ---------------------------------------------------------------------


@talking("deaf-while-speaking")
class DeafWhileSpeaking(Talk):
    def __init__(self, inner):
        super().__init__(inner)
        self.silence = asyncio.Event()
        self.silence.set()

    async def send(self, event):
        if isinstance(event, AudioIn):
            await self.silence.wait()
        await self.inner.send(event)

    def told(self, event):
        if isinstance(event, AudioOut):
            self.silence.clear()
        elif _ends(event):
            self.silence.set()
        return [event]


def _interrupts(event):
    return isinstance(event, Interrupt)


plant("talks-on", saying(lambda one: [] if _interrupts(one) else [one]))
plant("heard-it-all", saying(lambda one: [Interrupt()] if _interrupts(one) else [one]))


@talking("sulks")
class Sulks(Talk):
    hurt = False

    def said(self, event):
        self.hurt = self.hurt or isinstance(event, Interrupt)
        return [] if self.hurt and isinstance(event, Respond) else [event]


@talking("buffers-all")
class BuffersAll(Talk):
    def __init__(self, inner):
        super().__init__(inner)
        self.tasks = []

    async def send(self, event):
        self.tasks.append(asyncio.ensure_future(self.later(event)))

    async def later(self, event):
        with contextlib.suppress(e.VendorError):
            await self.inner.send(event)


# -- its end ------------------------------------------------------------------------------

HELD = []


@planted("leaves-open")
class LeavesOpen(Talks):
    @asynccontextmanager
    async def open(self, request):
        opened = super().open(request)
        HELD.append(opened)
        yield await opened.__aenter__()


@planted("leaks-a-task")
class LeaksATask(Talks):
    @asynccontextmanager
    async def open(self, request):
        self.task = asyncio.create_task(asyncio.sleep(20))
        async with super().open(request) as conversation:
            yield conversation


@talking("broken-is-end")
class BrokenIsEnd(Talk):
    async def __aiter__(self):
        with contextlib.suppress(e.VendorError):
            async for event in self.inner:
                yield event
