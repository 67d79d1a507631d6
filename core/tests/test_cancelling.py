"""Calls that are cancelled, wherever they wait: nothing is left, and the client goes on."""

from __future__ import annotations

import asyncio
import threading

import anyio
import anyio.lowlevel
import pytest
from anymodal import (
    Budget,
    Client,
    Finish,
    Limits,
    Policy,
    Registry,
    Retry,
    Settings,
    TextDelta,
    Usage,
    errors as e,
    streaming,
)
from anymodal.events import CallEnded, CallStarted
from anymodal.stores.sqlite import SqliteStore

from .clocks import FakeClock
from .plugins_on_path import Brings
from .stopping import HOW, at_every_wait, our_threads, stopped, tasks, tasks_are
from .talking import MODEL, asks, says

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_dropped")]


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


class Acme:
    """
    A provider that waits before and after whatever it does.

    Args:
        fails: How many calls fail first.
    """

    def __init__(self, fails=0, answer=None):
        self.fails = fails
        self.answers = answer or [says("yes", usage=Usage(10, 10))]
        self.asked = 0
        self.open = 0
        self.closed = 0

    async def _answer(self):
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.asked <= self.fails:
            msg = "busy"
            raise e.OverloadedError(msg)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def generate(self, request):
        answer = await self._answer()
        await anyio.lowlevel.checkpoint()
        return answer

    @streaming
    async def stream(self, request):
        self.open += 1
        try:
            answer = await self._answer()
            for part in answer.message.parts:
                await anyio.lowlevel.checkpoint()
                yield TextDelta(part) if isinstance(part, str) else part
            await anyio.lowlevel.checkpoint()
            yield answer.finish
            await anyio.lowlevel.checkpoint()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            self.open -= 1

    async def aclose(self):
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        self.closed += 1


class Watching:
    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    def count(self, kind):
        return sum(isinstance(one, kind) for one in self.events)


class Around:
    async def around(self, call, proceed):
        await anyio.lowlevel.checkpoint()
        try:
            return await proceed(call)
        finally:
            await anyio.lowlevel.checkpoint()


BUDGETS = (Budget(tokens=1_000_000), Budget(tokens=1_000_000, name="all"))
EVERYTHING = Policy(
    retry=Retry(attempts=3),
    limits=Limits(requests=1000, tokens=1_000_000, concurrency=2),
    budgets=BUDGETS,
)


def client(provider, *, store=None, settings=None, policy=EVERYTHING, watching=None, spec=()):
    registry = Registry(
        Settings.from_mapping(settings or {}, environ={}),
        plugins=(Brings(provider, **dict(spec)),),
        distributions=(),
    )
    return Client(
        registry=registry,
        policy=policy,
        store=store,
        clock=FakeClock(),
        observers=[watching] if watching else (),
        middleware=[Around()],
    )


def is_idle(ai):
    """Return whether nothing is held by a call: no turn, no place in the line, no probe."""
    way = ai._way
    return all(
        one.limiter.running == one.limiter.waiting == 0 and one.circuit.prober is None
        for one in way._standings.values()
    )


def kept_back(ai):
    """Return how many tokens the budget that is kept in memory has counted."""
    purse = ai._way.purses.of("")
    return sum(amount.tokens for used in purse.values() for amount in used.by_value.values())


async def kept_in(store):
    """Return how many tokens the budget in the store has counted."""
    items = await store.items("budgets")
    return sum(one["tokens"] for one in items.values())


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "kept.sqlite")


# -- calls ------------------------------------------------------------------------------------


async def test_generate(how, store):
    """With everything on: middleware, observers, limits, budgets, a retry."""
    alive = tasks()

    async def once(at):
        acme, watching = Acme(fails=1), Watching()
        async with client(acme, store=store, watching=watching) as ai:
            before = await kept_in(store)
            is_stopped = await stopped(
                how, at, ai.text.generate("Well?", model=MODEL, max_tokens=7)
            )
            assert is_idle(ai)
            assert watching.count(CallStarted) == watching.count(CallEnded)
            assert kept_back(ai) == await kept_in(store) - before
            assert kept_back(ai) in ({0, 9, 20} if is_stopped else {20})
            if not acme.asked:
                assert kept_back(ai) == 0
            reply = await ai.text.generate("Well?", model=MODEL, max_tokens=7)
            assert "yes" == reply.text
        assert 1 == acme.closed
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 9
    assert [] == our_threads()
