"""Thousands of calls at once, over vendors that fail, fall over and come back."""

import gc
import random
from collections import Counter, deque

import anyio
import pytest
from anymodal import (
    Breaker,
    Budget,
    Client,
    Finish,
    Limits,
    Message,
    Policy,
    Registry,
    Retry,
    Settings,
    TextResult,
    Usage,
)
from anymodal import errors as e
from anymodal.events import BreakerChanged

from .batching import PRICED
from .clocks import FakeClock
from .plugins_on_path import Brings

CALLS = 10_000
AT_ONCE = 256
MINUTE = 60.0
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Vendor:
    """
    Answers after a while, on a clock that is made; watches what it is sent.

    Args:
        clock: Whose time it takes.
        fails: Share of requests that it fails.
        down: From when until when it fails all of them.
    """

    def __init__(self, clock, *, fails=0.0, down=(0.0, 0.0)):
        self.clock = clock
        self.fails = fails
        self.down = down
        self.luck = random.Random(1)
        self.outcomes = Counter()
        self.minute = deque()
        self.most_in_a_minute = self.most_at_once = self.at_once = 0

    async def generate(self, request):
        now = self.clock.now()
        while self.minute and now >= self.minute[0] + MINUTE:
            self.minute.popleft()
        self.minute.append(now)
        self.most_in_a_minute = max(self.most_in_a_minute, len(self.minute))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.clock.sleep(self.luck.choice((1.0, 2.0, 3.0)))
        finally:
            self.at_once -= 1
        if self.down[0] <= now < self.down[1] or self.luck.random() < self.fails:
            self.outcomes["failed"] += 1
            msg = "HTTP 500"
            raise e.ServerError(msg)
        self.outcomes["answered"] += 1
        return TextResult(Message.assistant(request.messages[0].text), Finish(usage=Usage(1, 1)))


class Timeline:
    """An observer that keeps how circuits changed, and counts the rest."""

    def __init__(self, clock):
        self.clock = clock
        self.changes = []
        self.counts = Counter()

    def on_event(self, event):
        self.counts[type(event).__name__] += 1
        if isinstance(event, BreakerChanged):
            self.changes.append((event.instance, event.state, self.clock.now()))


def client(clock, vendors, policy, observers=(), settings=None):
    plugins = [Brings(one, id=name, models=[PRICED]) for name, one in vendors.items()]
    registry = Registry(
        Settings.from_mapping(settings or {}, environ={}), plugins=plugins, distributions=()
    )
    found = Client(registry=registry, clock=clock, policy=policy, observers=observers)
    found._way.chance = random.Random(2).random
    return found


async def calls(ai, count, models):
    """Make calls, so many at once, and return what each was answered."""
    answers, numbers = {}, iter(range(count))

    async def worker():
        for number in numbers:
            reply = await ai.text.generate(
                f"call {number}", model=models[number % len(models) :] + models[: number % len(models)],
                max_tokens=10,
            )  # fmt: skip
            answers[number] = reply.text

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(worker)
    return answers


async def test_no_call_is_lost(anyio_backend):
    """
    Of ten thousand over three vendors, each is answered, with its own answer.

    One fails half of its requests, one is down for a minute, and the third is well.
    """
    clock = FakeClock(turns=12)
    vendors = {
        "flaky": Vendor(clock, fails=0.5),
        "falls": Vendor(clock, down=(5.0, 65.0)),
        "well": Vendor(clock),
    }
    timeline = Timeline(clock)
    policy = Policy(
        retry=Retry(attempts=2),
        breaker=Breaker(failures=30, rate=0.6, rest=10),
        budgets=Budget(tokens=10**9),
    )
    limits = {"falls": {"concurrency": 20}, "well": {"rate_limit": 3000, "concurrency": 150}}
    async with client(clock, vendors, policy, [timeline], {"providers": limits}) as ai:
        answers = await calls(ai, CALLS, [f"{name}/m-1" for name in vendors])
        standings = ai._way._standings
        (budget,) = ai._way.purses.of("").values()

        assert [0, 0, 0] == [one.limiter.running for one in standings.values()]
        assert [0, 0, 0] == [one.limiter.waiting for one in standings.values()]
        assert [None] * 3 == [one.circuit.prober for one in standings.values()]
        assert 2 * CALLS == budget.by_value[""].tokens
    assert {number: f"call {number}" for number in range(CALLS)} == answers
    assert sum(one.outcomes["answered"] for one in vendors.values()) == CALLS
    assert CALLS == timeline.counts["CallStarted"] == timeline.counts["CallEnded"]
    assert 30 <= vendors["falls"].outcomes["failed"] <= 60  # nobody who waited went there in vain
    assert vendors["falls"].most_at_once <= 20
    assert vendors["well"].most_at_once <= 150
    assert vendors["well"].most_in_a_minute <= 3000
    check_timeline([(state, at) for name, state, at in timeline.changes if name == "falls"])
    assert [] == [one for one in timeline.changes if one[0] == "well"]


def check_timeline(changes):
    """Opened when the vendor fell, probed after each rest, closed after it came back."""
    states, times = zip(*changes, strict=True)
    probes = states.count("half-open") - 1

    assert ("open", *["half-open", "open"] * probes, "half-open", "closed") == states
    assert 5.0 <= times[0] <= 12.0
    assert 65.0 <= times[-2] <= 80.0
    assert 4 <= probes <= 5
    opened = [at for state, at in changes if state == "open"]
    probed = [at for state, at in changes if state == "half-open"]
    assert all(10 <= then - at <= 11 for at, then in zip(opened, probed, strict=True))


async def test_a_dead_vendor_is_not_stormed():
    """Fifty callers at once make few more than fifty attempts."""
    clock = FakeClock()
    dead = Vendor(clock, fails=1.0)
    errors = []

    async def caller():
        try:
            await ai.text.generate("hi", model="dead/m-1")
        except e.ServerError as error:
            errors.append(error)

    async with client(clock, {"dead": dead}, Policy()) as ai:
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(caller)

    assert 50 == len(errors)
    assert 50 <= dead.outcomes["failed"] <= 55
    assert dead.outcomes["failed"] == sum(
        isinstance(one.error, e.ServerError) for error in errors for one in error.record.attempts
    )


async def test_nothing_is_kept_of_calls_that_are_over():
    """After two thousand more there are as many objects as before."""
    clock = FakeClock(turns=12)
    vendors = {"flaky": Vendor(clock, fails=0.4), "well": Vendor(clock)}
    policy = Policy(
        limits=Limits(concurrency=50, requests=10**6, tokens=10**9),
        breaker=Breaker(failures=None, rate=None),
    )
    tags = Policy(budgets=[Budget(tokens=10**9), Budget(usd=100, tag="user")])
    models = ["flaky/m-1", "well/m-1"]
    async with client(clock, vendors, policy) as ai:

        async def some(count):
            await calls(ai, count, models)
            for _ in range(20):
                await ai.text.generate("hi", model=models, policy=tags, tags={"user": "ann"})
            await clock.sleep(2 * MINUTE)
            for model in models:
                await ai.text.generate("hi", model=[model, "well/m-1"])
            for one in vendors.values():
                one.minute.clear()
            gc.collect()
            return len(gc.get_objects())

        await some(1000)
        before = await some(1000)
        after = await some(2000)

    assert after - before < 500
