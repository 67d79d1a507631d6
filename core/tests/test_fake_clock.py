"""Time that tests make: waits end at once, in the order in which they would."""

import math

import anyio
import pytest
from anymodal import Client, Policy, Registry, Retry, Settings
from anymodal import errors as e
from anymodal.testing import FakeClock

from .plugins_on_path import Brings
from .talking import MODEL, says

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Late:
    """A vendor that takes its time."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self.ended = False

    async def generate(self, request):
        try:
            await self.clock.sleep(self.seconds)
        finally:
            self.ended = True
        return says("late")


def client(provider, clock, **policy):
    registry = Registry(Settings.empty(), plugins=(Brings(provider),), distributions=())
    return Client(registry=registry, clock=clock, policy=Policy(retry=Retry(attempts=1), **policy))


async def test_time_goes_on_to_who_wakes_next():
    """Whoever began first; and what was slept is known."""
    clock, woken = FakeClock(), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    async with anyio.create_task_group() as group:
        for seconds in (30, 10, 20, 10):
            group.start_soon(sleeper, seconds)

    assert [(10, 10.0), (10, 10.0), (20, 20.0), (30, 30.0)] == woken
    assert {30, 10, 20} == set(clock.slept)
    assert 30.0 == clock.time


async def test_time_stands_still_while_others_have_something_to_do():
    """As many turns as are asked for."""
    clock, seen = FakeClock(turns=50), []

    async def busy():
        for _ in range(40):
            await anyio.lowlevel.checkpoint()
            seen.append(clock.now())

    async with anyio.create_task_group() as group:
        group.start_soon(busy)
        group.start_soon(clock.sleep, 1)

    assert {0.0} == set(seen)


async def test_no_time_is_slept_at_once():
    """Nor is time that has gone by."""
    clock = FakeClock(auto=False)
    await clock.sleep(0)
    await clock.sleep(-1)

    assert [0, -1] == clock.slept
    assert 0.0 == clock.now()


async def test_who_is_cancelled_no_longer_holds_up_the_others():
    """Whether they were next or not."""
    clock = FakeClock()
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(clock.sleep, 100)
            group.start_soon(clock.sleep, 200)
            scope.cancel()
            await clock.sleep(1)

    assert 200.0 == clock.now()


async def test_time_can_be_moved_by_hand():
    """And by nothing else; whoever wakes meanwhile does so in order."""
    clock, woken = FakeClock(auto=False), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    async with anyio.create_task_group() as group:
        for seconds in (3, 1, 7):
            group.start_soon(sleeper, seconds)
        await clock.advance(0)
        assert [] == woken
        await clock.advance(5)
        assert [(1, 1.0), (3, 3.0)] == woken
        assert 5.0 == clock.now()
        clock.time += 2
    assert (7, 7.0) == woken[-1]
    await clock.advance(1)
    assert 8.0 == clock.now()


@pytest.mark.parametrize(("takes", "answers"), [(19.5, True), (20, True), (20.5, False)])
async def test_deadlines_go_by_it(takes, answers):
    """To the moment; whoever is done when it is due is in time."""
    clock = FakeClock()
    provider = Late(clock, takes)
    async with client(provider, clock) as ai:
        if answers:
            assert "late" == (await ai.text.generate("hi", model=MODEL, timeout=20)).text
        else:
            with pytest.raises(e.DeadlineExceededError):
                await ai.text.generate("hi", model=MODEL, timeout=20)

    assert provider.ended
    assert min(takes, 20) == clock.now()


async def test_deadlines_can_be_reached_by_hand():
    """Of a call that would never end."""
    clock = FakeClock(auto=False)
    provider, errors = Late(clock, math.inf), []

    async def call():
        try:
            await ai.text.generate("hi", model=MODEL, timeout=20)
        except e.DeadlineExceededError as error:
            errors.append(error)

    async with client(provider, clock) as ai:
        await ai.warm(MODEL)
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await clock.advance(19)
            assert [] == errors
            await clock.advance(2)

    assert 1 == len(errors)
    assert 21.0 == clock.now()


async def test_what_never_ends_is_ended_by_its_deadline():
    """Though it is all that goes on."""
    clock = FakeClock()
    async with client(Late(clock, math.inf), clock) as ai:
        with pytest.raises(e.DeadlineExceededError):
            await ai.text.generate("hi", model=MODEL, timeout=3600)

    assert 3600.0 == clock.now()


async def test_sleep_without_end_waits_for_somebody_to_come():
    """Time does not run to infinity."""
    clock = FakeClock()
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, math.inf)
        await clock.advance(1)
        await clock.sleep(1)
        assert 2.0 == clock.now()
        group.cancel_scope.cancel()


async def test_a_deadline_also_ends_by_the_machines_time():
    """Where nobody sleeps on the clock, what hangs hangs no longer than it would."""

    class Hangs:
        async def generate(self, request):
            await anyio.sleep_forever()

    async with client(Hangs(), FakeClock()) as ai:
        with pytest.raises(e.DeadlineExceededError):
            await ai.text.generate("hi", model=MODEL, timeout=0.01)


async def test_days_go_by_for_budgets():
    """The time of day is the clock's as well."""
    clock = FakeClock()
    before = clock.wall()
    clock.time = 86_400.0

    assert 86_400.0 == clock.wall() - before
