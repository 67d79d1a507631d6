"""Sessions by voice that are cancelled at each of their waits: nothing is left, and all is told."""

from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import attrs
import pytest
from anymodal import Budget, Usage
from anymodal.events import CallEnded, CallStarted
from anymodal.modalities.live import Transcript, TurnEnded
from anymodal.modalities.transcription import TranscriptionEnd

from .once import ONCE
from .stopping import HOW, at_every_wait, stopped, tasks, tasks_are
from .test_cancelling import Watching
from .test_realtime import DONE, Talks, until_done
from .test_realtime import client as talking
from .test_transcription import client as hearing

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_dropped")]
LIMITED = attrs.evolve(ONCE, budgets=(Budget(tokens=1_000_000_000),))


@pytest.fixture(params=HOW, ids="-".join)
def kind(request):
    """Each event loop, and each way to cancel there."""
    return request.param


@pytest.fixture
def anyio_backend(kind):
    return kind[0]


@pytest.fixture
def how(kind):
    return kind[1]


class SlowlyTalks(Talks):
    """One that waits before and after whatever it does."""

    @asynccontextmanager
    async def open(self, request):
        await anyio.lowlevel.checkpoint()
        async with super().open(request) as session:
            try:
                yield session
            finally:
                await anyio.lowlevel.checkpoint()


async def test_a_conversation(how):
    """Opened, spoken in, and closed: what it used is settled, and its end is told, once."""
    alive = tasks()

    async def once(at):
        provider, watching = SlowlyTalks([DONE], [DONE]), Watching()
        async with talking(provider, policy=LIMITED, observers=[watching]) as ai:

            async def talk():
                async with ai.realtime.open() as session:
                    await session.send_text("Hello")
                    await until_done(session)

            is_stopped = await stopped(how, at, talk())
            assert 0 == provider.open_now
            assert watching.count(CallStarted) == watching.count(CallEnded)
            for event in watching.events:
                if isinstance(event, CallEnded) and event.record.usage is not None:
                    assert DONE.usage.input_tokens == event.record.usage.input_tokens
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 5


class SlowlyHears:
    """Hears a turn in each piece of sound, and waits before and after whatever it does."""

    def __init__(self):
        self.open_now = 0

    @asynccontextmanager
    async def live(self, _):
        self.put, self.got = anyio.create_memory_object_stream(1000)
        self.open_now += 1
        try:
            await anyio.lowlevel.checkpoint()
            yield self
        finally:
            self.open_now -= 1
            self.put.close()
            self.got.close()
            await anyio.lowlevel.checkpoint()

    async def send(self, data):
        for event in (Transcript(data.decode()), TurnEnded(1.0)):
            await self.put.send(event)

    async def finish(self):
        await self.put.send(TranscriptionEnd(usage=Usage(units=())))

    async def __aiter__(self):
        async for event in self.got:
            yield event


async def sound(begun, left):
    begun.append(True)
    try:
        for one in (b"one.", b"two.", b"none"):
            await anyio.lowlevel.checkpoint()
            yield one
    finally:
        left.append(True)


@pytest.mark.parametrize("meanwhile", ["listen", "wait", "ignore"])
async def test_turns(how, meanwhile):
    """Whoever answers is stopped: no sound is read any more, and the vendor is left."""
    alive = tasks()

    async def once(at):
        provider, watching = SlowlyHears(), Watching()
        begun, left, ended, told = [], [], [], []
        async with hearing(provider, observers=[watching]) as ai:

            async def answer():
                async with ai.transcription.live(format="mulaw_8000") as session:
                    try:
                        source = sound(begun, left)
                        async with session.turns(source, while_answering=meanwhile) as turns:
                            async for turn in turns:
                                with turn.answering():
                                    await anyio.lowlevel.checkpoint()
                                told.append(turn.text)
                    finally:
                        ended.append(begun == left)

            with anyio.fail_after(5):
                is_stopped = await stopped(how, at, answer())
            assert 0 == provider.open_now
            assert all(ended)
            assert is_stopped or told
            assert watching.count(CallStarted) == watching.count(CallEnded)
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 5
