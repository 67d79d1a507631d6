"""Who may go, and who waits: in whatever order calls come, end, and lose patience."""

import asyncio
import math

import anyio
import pytest
from anymodal import Limits
from anymodal.policy.limits import Limiter, TooLongError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from .clocks import FakeClock

MINUTE = 60.0
LONG = 1e9


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def patient():
    return LONG


class HandClock:
    """Time that the test alone moves."""

    def __init__(self):
        self.time = 0.0
        self.sleepers = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        woken = anyio.Event()
        self.sleepers.append((self.time + seconds, woken))
        await woken.wait()

    def move(self, seconds):
        self.time += seconds
        for at, woken in self.sleepers:
            if at <= self.time:
                woken.set()
        self.sleepers = [one for one in self.sleepers if one[0] > self.time]


class Caller:
    """A call: when it came, and its ticket once it is in."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.ticket = None
        self.is_gone = False
        self.task = None


class Limiters(RuleBasedStateMachine):
    """Everything that callers may do, between any two turns of the event loop."""

    callers = Bundle("callers")

    @initialize(
        requests=st.none() | st.integers(1, 4),
        tokens=st.none() | st.integers(10, 100),
        concurrency=st.none() | st.integers(1, 3),
    )
    def begins(self, requests, tokens, concurrency):
        self.loop = asyncio.new_event_loop()
        self.clock = HandClock()
        self.limits = Limits(requests=requests, tokens=tokens, concurrency=concurrency)
        self.limiter = Limiter(self.clock)
        self.came = []
        self.went = []

    def turn(self):
        async def rounds():
            for _ in range(15):
                await asyncio.sleep(0)

        self.loop.run_until_complete(rounds())

    @rule(target=callers, tokens=st.integers(0, 120))
    def comes(self, tokens):
        caller = Caller(tokens)
        self.came.append(caller)

        async def call():
            ticket = self.limiter.take(self.limits, caller.tokens)
            if ticket is None:
                ticket = await self.limiter.wait(self.limits, caller.tokens, patient)
            caller.ticket = ticket
            self.check_window(caller)
            self.went.append(caller)

        async def start():
            caller.task = asyncio.ensure_future(call())

        self.loop.run_until_complete(start())
        self.turn()
        return caller

    def check_window(self, caller):
        """What went in the last minute, this one included, is within the limits."""
        now = self.clock.now()
        recent = [one for one in self.went if now < one.ticket.at + MINUTE]
        used = sum(one.ticket.tokens for one in recent)
        limits = self.limits
        assert limits.requests is None or len(recent) < limits.requests
        assert limits.tokens is None or used == 0 or used + caller.tokens <= limits.tokens

    @rule(caller=callers)
    def ends(self, caller):
        if caller.ticket is not None:
            self.limiter.leave(caller.ticket)
            self.limiter.leave(caller.ticket)  # once is enough, and twice is no harm
            self.turn()

    @rule(caller=callers, tokens=st.integers(0, 200))
    def is_settled(self, caller, tokens):
        if caller.ticket is not None:
            self.limiter.settle(caller.ticket, tokens)
            self.turn()

    @rule(caller=callers)
    def goes_away(self, caller):
        if caller.ticket is None and not caller.is_gone:
            caller.is_gone = True
            caller.task.cancel()
            self.turn()

    @rule(seconds=st.sampled_from([0.5, 1.0, 20.0, 30.0, 59.5, 60.0, 600.0]))
    def time_passes(self, seconds):
        self.clock.move(seconds)
        self.turn()

    def waiting(self):
        return [one for one in self.came if one.ticket is None and not one.is_gone]

    @invariant()
    def counts_are_true(self):
        running = sum(one.ticket.is_in for one in self.went)

        assert running == self.limiter.running
        assert self.limits.concurrency is None or running <= self.limits.concurrency
        assert len(self.waiting()) == self.limiter.waiting

    @invariant()
    def first_come_is_first_served(self):
        assert self.went == [one for one in self.came if one.ticket is not None]
        for first in self.waiting()[:1]:
            later = self.came[self.came.index(first) :]
            assert all(one.ticket is None for one in later)

    @invariant()
    def nobody_waits_who_may_go(self):
        for first in self.waiting()[:1]:
            assert self.limiter.wait_for(self.limits, first.tokens) > 0

    def teardown(self):
        if not hasattr(self, "loop"):
            return
        for _ in range(200):  # all come through in the end, whatever happened before
            for one in self.went:
                self.limiter.leave(one.ticket)
            self.clock.move(MINUTE)
            self.turn()
            if not self.waiting():
                break
        assert [] == self.waiting()
        self.loop.close()


TestLimiters = Limiters.TestCase
TestLimiters.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_nothing_is_awaited_where_there_is_room():
    """Not even an event loop is needed."""
    limiter = Limiter(FakeClock())
    limits = Limits(requests=3, concurrency=2)
    tickets = [limiter.take(limits, 0), limiter.take(limits, 0)]

    assert None not in tickets
    assert limiter.take(limits, 0) is None
    limiter.leave(tickets[0])
    assert limiter.take(limits, 0) is not None
    limiter.leave(tickets[1])
    assert limiter.take(limits, 0) is None


@pytest.mark.anyio
async def test_longer_waits_than_may_be_are_refused_at_once():
    """And the next in line is not held up by that."""
    clock = FakeClock()
    limiter, limits = Limiter(clock), Limits(requests=1)
    assert limiter.take(limits, 0) is not None
    with pytest.raises(TooLongError) as caught:
        await limiter.wait(limits, 0, lambda: 59.0)
    await limiter.wait(limits, 0, lambda: 60.0)

    assert 60 == caught.value.seconds
    assert [60] == clock.slept
    assert 0 == limiter.waiting


@pytest.mark.anyio
async def test_who_waits_for_tokens_goes_when_fewer_were_used():
    """A guess that was too high does not hold up a minute."""
    clock = FakeClock(auto=False)
    limiter, limits = Limiter(clock), Limits(tokens=100)
    first = limiter.take(limits, 90)
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.wait, limits, 50, patient)
        await anyio.wait_all_tasks_blocked()
        assert 1 == limiter.waiting
        limiter.settle(first, 95)  # more than was thought changes nothing
        await anyio.wait_all_tasks_blocked()
        assert 1 == limiter.waiting
        limiter.settle(first, 20)

    assert 0 == limiter.waiting
    assert 0 == clock.now()


@pytest.mark.anyio
async def test_what_is_larger_than_a_minute_has_one_to_itself():
    """Or it would wait for ever."""
    clock = FakeClock()
    limiter, limits = Limiter(clock), Limits(tokens=100)
    assert limiter.take(limits, 500) is not None
    assert limiter.take(limits, 1) is None
    clock.time += MINUTE
    assert limiter.take(limits, 60) is not None
    await limiter.wait(limits, 500, patient)

    assert [MINUTE] == clock.slept
    assert math.inf == limiter.wait_for(Limits(concurrency=1), 0)


@pytest.mark.anyio
async def test_late_settlement_changes_nothing():
    """What is older than a minute no longer counts."""
    clock = FakeClock()
    limiter, limits = Limiter(clock), Limits(tokens=100)
    first = limiter.take(limits, 100)
    clock.time += MINUTE
    assert limiter.take(limits, 100) is not None
    limiter.settle(first, 0)

    assert MINUTE == limiter.wait_for(limits, 1)
