"""What policies make of calls: attempts, waits, and what is left behind by those that end early."""

import contextlib

import anyio
import anyio.lowlevel
import pytest
from anymodal import (
    Breaker,
    Budget,
    Client,
    Finish,
    Limits,
    ModelSpec,
    Policy,
    Registry,
    Retry,
    Settings,
    TextDelta,
    Usage,
    streaming,
)
from anymodal import errors as e
from anymodal.modalities.text import events_of
from anymodal.stores import MemoryStore

from .batching import PRICED
from .clocks import FakeClock
from .plugins_on_path import Brings
from .talking import MODEL, Scripted, says

BUSY = e.OverloadedError("acme: busy")
DOWN = e.ServerError("acme: down")
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def busy(**fields):
    return e.RateLimitedError("acme: slow down", **fields)


def client(provider=None, *, others=(), clock=None, settings=None, luck=1.0, **given):
    """A client of acme, and of others by their names; all waits are as long as may be."""
    plugins = [Brings(provider, models=[PRICED]), *(Brings(one, id=name) for name, one in others)]
    registry = Registry(
        Settings.from_mapping(settings or {}, environ={}), plugins=plugins, distributions=()
    )
    found = Client(registry=registry, clock=clock or FakeClock(), **given)
    found._way.chance = lambda: luck
    return found


def standing_of(ai, instance="acme"):
    return ai._way._standings["text", instance]


def outcomes(record):
    return [one.error and one.error.code for one in record.attempts]


# -- attempts and waits -------------------------------------------------------------------


async def test_call_that_does_not_fail_is_not_waited_for():
    """A policy of retries changes nothing where nothing fails."""
    provider, clock = Scripted(says("yes")), FakeClock()
    async with client(provider, clock=clock) as ai:
        reply = await ai.text.generate("hi", model=MODEL)

    assert ("yes", 1, []) == (reply.text, len(provider.requests), clock.slept)
    assert [None] == outcomes(reply.record)


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_failures_that_may_pass_are_waited_out(how):
    """Each wait is twice as long as the one before, and every attempt is in the record."""
    provider, clock = Scripted(BUSY, DOWN, says("yes")), FakeClock()
    async with client(provider, clock=clock) as ai:
        if how == "generate":
            reply = await ai.text.generate("hi", model=MODEL)
        else:
            async with ai.text.stream("hi", model=MODEL) as stream:
                reply = await stream.result()

    assert [0.5, 1.0] == pytest.approx(clock.slept)
    assert ["overloaded", "server", None] == outcomes(reply.record)
    assert 1.5 == pytest.approx(reply.record.seconds)
    assert all(one.seconds == 0 for one in reply.record.attempts)


async def test_last_failure_is_the_error():
    """With as many attempts as there may be."""
    provider, clock = Scripted(BUSY), FakeClock()
    async with client(provider, clock=clock, policy=Policy(retry=Retry(attempts=4))) as ai:
        with pytest.raises(e.OverloadedError) as caught:
            await ai.text.generate("hi", model=MODEL)

    assert 4 == len(provider.requests) == len(caught.value.record.attempts)
    assert [0.5, 1.0, 2.0] == pytest.approx(clock.slept)


async def test_vendors_wishes_are_kept():
    """The wait is what was asked for, and some luck."""
    clock = FakeClock()
    async with client(Scripted(busy(retry_after=7.0), says("yes")), clock=clock) as ai:
        await ai.text.generate("hi", model=MODEL)

    assert [7.5] == pytest.approx(clock.slept)


@pytest.mark.parametrize(("asked", "seconds"), [(61, None), (20, 20), (5, 3)])
async def test_waits_beyond_patience_or_deadline_end_the_call_at_once(asked, seconds):
    """The error says how long it would have been."""
    provider, clock = Scripted(busy(retry_after=asked)), FakeClock()
    async with client(provider, clock=clock) as ai:
        with pytest.raises(e.RateLimitedError) as caught:
            await ai.text.generate("hi", model=MODEL, timeout=seconds)

    assert (asked, [], 1) == (caught.value.retry_after, clock.slept, len(provider.requests))


class Warns(Scripted):
    async def generate(self, request):
        request.warn("seed", "it was left out")
        return await super().generate(request)


async def test_warnings_are_not_doubled_by_retries():
    """Each attempt warns anew of the same."""
    async with client(Warns(BUSY, BUSY, says("yes"))) as ai:
        reply = await ai.text.generate("hi", model="acme/unheard-of", seed=1)

    assert ["model", "seed"] == [one.setting for one in reply.record.warnings]


async def test_second_candidate_has_attempts_of_its_own():
    """All that the first had are in the record as well."""
    one, two = Scripted(BUSY), Scripted(busy(), says("yes"))
    async with client(one, others=[("two", two)]) as ai:
        reply = await ai.text.generate("hi", model=[MODEL, "two/m-1"])

    assert [*["overloaded"] * 3, "rate_limited", None] == outcomes(reply.record)
    assert [*["acme"] * 3, "two", "two"] == [one.instance for one in reply.record.attempts]


async def test_policy_of_a_call_goes_before_the_clients():
    """Part by part: the breaker stays the client's."""
    provider = Scripted(BUSY)
    policy = Policy(retry=Retry(attempts=9), breaker=Breaker(failures=1, rest=1e6))
    async with client(provider, policy=policy) as ai:
        with pytest.raises(e.OverloadedError):
            await ai.text.generate("hi", model=MODEL, policy=Policy(retry=Retry(attempts=1)))

        assert standing_of(ai).circuit.opened_at is not None
    assert 1 == len(provider.requests)


async def test_filtered_prompts_go_on_where_that_is_wanted():
    """By default what one vendor refused is not shown to others."""
    refused, other = Scripted(e.ContentFilteredError("acme: no")), Scripted(says("yes"))
    async with client(refused, others=[("two", other)]) as ai:
        with pytest.raises(e.ContentFilteredError):
            await ai.text.generate("hi", model=[MODEL, "two/m-1"])
        reply = await ai.text.generate(
            "hi", model=[MODEL, "two/m-1"], policy=Policy(on_filtered="next")
        )

    assert ("yes", 1) == (reply.text, len(other.requests))


class Counts(Scripted):
    async def count_tokens(self, request):
        return self._next(request)


async def test_counting_of_tokens_is_retried_and_makes_room():
    """It has no answer to account for, and holds no place because of that."""
    provider = Counts(BUSY, 7)
    async with client(provider, policy=Policy(limits=Limits(concurrency=1))) as ai:
        assert 7 == await ai.text.count_tokens("hi", model=MODEL)
        assert 7 == await ai.text.count_tokens("hi", model=MODEL)

        assert 0 == standing_of(ai).limiter.running


# -- limits -------------------------------------------------------------------------------


async def test_limits_of_a_minute_are_waited_for():
    """And the record says how long it took."""
    clock = FakeClock()
    async with client(
        Scripted(says("yes")), clock=clock, policy=Policy(limits=Limits(requests=2))
    ) as ai:
        for _ in range(5):
            await ai.text.generate("hi", model=MODEL)

    assert [60, 60] == clock.slept


async def test_limits_that_last_longer_than_the_call_are_an_error_now():
    """It goes on to the next candidate, as where the vendor says so; the vendor is not to blame."""
    other = Scripted(says("yes"))
    async with client(
        Scripted(says("no")),
        others=[("two", other)],
        settings={"providers": {"acme": {"rate_limit": 1}}},
    ) as ai:
        await ai.text.generate("hi", model=MODEL)
        with pytest.raises(e.RateLimitedError, match=r"its limit is reached for 60\.0 s") as caught:
            await ai.text.generate("hi", model=MODEL, timeout=5)
        reply = await ai.text.generate("hi", model=[MODEL, "two/m-1"], timeout=5)
        standing = standing_of(ai)

    assert 60 == caught.value.retry_after
    assert ["rate_limited", None] == outcomes(reply.record)
    assert (0, "") == (standing.circuit.in_a_row, standing.last_error)


@pytest.mark.parametrize("limited", [("acme",), ("acme", "two")])
async def test_tokens_are_settled_where_they_were_counted(limited):
    """A call that went on to another instance does not disturb what that one counts."""
    one, two = Scripted(BUSY), Scripted(says("yes", usage=Usage(3, 4)))
    said = {"policy": {"limits": {"tokens": 10_000}}}
    settings = {"providers": dict.fromkeys(limited, said)}
    policy = Policy(retry=ONCE)
    async with client(one, others=[("two", two)], settings=settings, policy=policy) as ai:
        await ai.text.generate("hi", model=[MODEL, "two/m-1"], max_tokens=100)
        first, second = (standing_of(ai, name).limiter for name in ("acme", "two"))

        assert 101 == first._tokens == sum(ticket.tokens for ticket in first._sent)
        assert 7 * (len(limited) - 1) == second._tokens
        assert second._tokens == sum(ticket.tokens for ticket in second._sent)


@pytest.mark.parametrize("end", ["whole", "left", "broken", "cancelled"])
async def test_streams_hold_their_place_to_their_end(end):
    """However that comes."""
    events = [TextDelta("a"), TextDelta("b"), Finish()]
    if end == "broken":
        events[2:] = [DOWN]
    provider = Scripted(events)
    async with client(provider, policy=Policy(limits=Limits(concurrency=1))) as ai:
        with anyio.CancelScope() as scope:
            stream = await ai.text.stream("hi", model=MODEL).start()
            limiter = standing_of(ai).limiter
            assert 1 == limiter.running
            try:
                await anext(stream)
                if end == "cancelled":
                    scope.cancel()
                    await anyio.lowlevel.checkpoint()
                if end != "left":
                    await stream.result()
            except e.ServerError:
                assert "broken" == end
            finally:
                await stream.aclose()

        assert 0 == limiter.running
        provider.answers = [says("yes")]
        await ai.text.generate("hi", model=MODEL)


# -- circuits -----------------------------------------------------------------------------

ONCE = Retry(attempts=1)


class Heard:
    """An observer that keeps what it hears, in short."""

    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    @property
    def names(self):
        return [type(event).__name__ for event in self.events]

    @property
    def states(self):
        return [event.state for event in self.events if type(event).__name__ == "BreakerChanged"]


async def test_circuit_opens_is_probed_and_closes():
    """Each change is told, also that of a probe that failed."""
    provider, clock, heard = Scripted(DOWN), FakeClock(), Heard()
    policy = Policy(retry=ONCE, breaker=Breaker(failures=2, rest=30))
    async with client(provider, clock=clock, policy=policy, observers=[heard]) as ai:

        async def ask():
            with contextlib.suppress(e.ServerError):
                await ai.text.generate("hi", model=MODEL)

        await ask()
        assert [] == heard.states
        await ask()
        assert ["open"] == heard.states
        await ask()  # the last resort
        clock.time += 30
        await ask()
        assert ["open", "half-open", "open"] == heard.states
        clock.time += 30
        provider.answers = [says("yes")]
        await ask()

    assert ["open", "half-open", "open", "half-open", "closed"] == heard.states


async def test_whose_circuit_is_open_is_asked_last():
    """Only where nobody else answered."""
    one, two = Scripted(DOWN), Scripted(says("two"))
    policy = Policy(retry=ONCE, breaker=Breaker(failures=1))
    async with client(one, others=[("two", two)], policy=policy) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        reply = await ai.text.generate("hi", model=[MODEL, "two/m-1"])
        assert ["circuit_open", None] == outcomes(reply.record)
        assert 1 == len(one.requests)
        two.answers = [DOWN]
        one.answers = [says("one")]
        last = await ai.text.generate("hi", model=[MODEL, "two/m-1"])

    assert "one" == last.text
    assert ["circuit_open", "server", None] == outcomes(last.record)


async def test_open_circuits_refuse_where_that_is_wanted():
    """Who wants to fail fast says so."""
    provider = Scripted(DOWN)
    policy = Policy(retry=ONCE, breaker=Breaker(failures=1, refuses=True))
    async with client(provider, policy=policy) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        with pytest.raises(e.CircuitOpenError, match="left alone for 30 s") as caught:
            await ai.text.generate("hi", model=MODEL)

    assert 1 == len(provider.requests)
    assert ["circuit_open"] == outcomes(caught.value.record)


async def test_streams_that_always_break_open_the_circuit():
    """A first event is not yet an answer."""
    provider = Scripted([TextDelta("a"), DOWN])
    async with client(provider) as ai:
        for _ in range(5):
            assert standing_of_or_none(ai) is None
            async with ai.text.stream("hi", model=MODEL) as stream:
                with pytest.raises(e.ServerError):
                    await stream.result()

        assert standing_of_or_none(ai) is not None


def standing_of_or_none(ai):
    found = ai._way._standings.get(("text", "acme"))
    return None if found is None else found.circuit.opened_at


@pytest.mark.parametrize("end", ["whole", "left"])
async def test_streams_count_as_answers_when_they_end(end):
    """Also where the caller did not wait for that."""
    async with client(Scripted(DOWN, [TextDelta("a"), Finish()]), policy=Policy(retry=ONCE)) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        async with ai.text.stream("hi", model=MODEL) as stream:
            await anext(stream)
            if end == "whole":
                await stream.result()

        assert (0, 0.5) == (
            standing_of(ai).circuit.in_a_row,
            standing_of(ai).circuit.share_failed(Breaker(), 0),
        )


async def test_first_event_of_a_probe_closes_the_circuit():
    """It is known by then that the vendor is there again."""
    clock, provider = FakeClock(), Scripted(DOWN, [TextDelta("a"), Finish()])
    policy = Policy(retry=ONCE, breaker=Breaker(failures=1))
    async with client(provider, clock=clock, policy=policy) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        clock.time += 30
        async with ai.text.stream("hi", model=MODEL):
            assert standing_of(ai).circuit.opened_at is None


async def test_probe_that_is_never_sent_is_given_back():
    """Or nobody would ever be let through again."""
    clock, provider = FakeClock(), Scripted(DOWN, says("yes"))
    policy = Policy(retry=ONCE, breaker=Breaker(failures=1))
    async with client(provider, clock=clock, policy=policy) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        clock.time += 30
        with pytest.raises(e.InvalidRequestError):
            await ai.text.generate([], model=MODEL)
        with pytest.raises(e.BudgetExceededError):
            await ai.text.generate("hi", model=MODEL, policy=Policy(budgets=Budget(tokens=1)))

        assert standing_of(ai).circuit.prober is None
        await ai.text.generate("hi", model=MODEL)
        assert standing_of(ai).circuit.opened_at is None


async def test_waiting_for_ones_own_limits_is_not_the_vendors_fault():
    """Callers whose time goes by in the queue do not open its circuit, and cost nothing."""
    budget = Budget(tokens=10_000)
    policy = Policy(limits=Limits(concurrency=1), breaker=Breaker(failures=1), budgets=budget)
    async with client(Scripted([TextDelta("a"), Finish()]), policy=policy) as ai:
        async with ai.text.stream("hi", model=MODEL):
            before = used_of(ai, budget)
            with pytest.raises(e.DeadlineExceededError):
                await ai.text.generate("hi", model=MODEL, timeout=0.01)

            assert before == used_of(ai, budget)
            assert standing_of(ai).circuit.opened_at is None
            assert 0 == standing_of(ai).limiter.waiting


async def test_who_waited_while_the_circuit_opened_goes_elsewhere():
    """Nobody goes from the queue to a vendor that is down by then; nothing is told twice."""
    clock, other = FakeClock(), Scripted(says("two"))

    class Falls(Scripted):
        async def generate(self, request):
            self.requests.append(request)
            await clock.sleep(1)
            raise DOWN.again()

    settings = {"providers": {"acme": {"policy": {"limits": {"concurrency": 1, "requests": 9}}}}}
    policy = Policy(retry=ONCE, breaker=Breaker(failures=2), budgets=BUDGET_OF_MANY)
    one, replies = Falls(), []
    async with client(
        one, others=[("two", other)], clock=clock, settings=settings, policy=policy
    ) as ai:

        async def call():
            replies.append(await ai.text.generate("hi", model=["acme/new", "two/m-1"]))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call)
        limiter = standing_of(ai).limiter

        assert (2, 5) == (len(one.requests), len(other.requests))
        assert (0, 0, 2) == (limiter.running, limiter.waiting, len(limiter._sent))
    failed = [reply for reply in replies if outcomes(reply.record) == ["server", None]]
    others = [reply for reply in replies if outcomes(reply.record) == ["circuit_open", None]]
    assert (2, 3) == (len(failed), len(others))
    assert all(not reply.record.warnings for reply in others)


async def test_who_slept_while_the_circuit_opened_is_asked_last():
    """A retry is no reason to jump the line."""
    clock, provider = FakeClock(), Scripted(DOWN, says("one"))
    other = Scripted(says("two"))

    async with client(provider, others=[("two", other)], clock=clock) as ai:

        class Opens(FakeClock):
            async def sleep(self, seconds):
                standing_of(ai).circuit.opened_at = clock.now()

        ai._way.clock = Opens()
        reply = await ai.text.generate("hi", model=[MODEL, "two/m-1"])
        last = await ai.text.generate("hi", model=MODEL)

    assert ["server", "circuit_open", None] == outcomes(reply.record)
    assert ("two", ["circuit_open", None]) == (reply.text, outcomes(last.record))


# -- budgets ------------------------------------------------------------------------------


def used_of(ai, budget, *owner):
    """Tokens that stand in the books of the client's own budget."""
    used = ai._way.purses.of("", *owner).get(budget)
    return 0 if used is None else sum(one.tokens for one in used.by_value.values())


BUDGET = Budget(tokens=5000)


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_budgets_have_what_was_used_in_the_end(how):
    """In place of what was kept back for it."""
    provider = Scripted(says("yes", usage=Usage(3, 4)))
    async with client(provider, policy=Policy(budgets=BUDGET)) as ai:
        if how == "generate":
            await ai.text.generate("hi", model=MODEL)
        else:
            async with ai.text.stream("hi", model=MODEL) as stream:
                assert 1001 == used_of(ai, BUDGET) or stream._finish is not None
                await stream.result()

        assert 7 == used_of(ai, BUDGET)


@pytest.mark.parametrize(
    ("error", "used"),
    [
        (BUSY, 0),
        (e.BadRequestError("no"), 0),
        (e.TimedOutError("no"), 1001),
        (ValueError("no"), 1001),
    ],
)
async def test_budgets_keep_what_may_have_been_paid_for(error, used):
    """What was refused cost nothing."""
    async with client(Scripted(error), policy=Policy(retry=ONCE, budgets=BUDGET)) as ai:
        with pytest.raises(type(error)):
            await ai.text.generate("hi", model=MODEL)

        assert used == used_of(ai, BUDGET)


async def test_spent_budgets_refuse_before_anything_is_sent():
    """It is spent at every candidate's."""
    provider, other = Scripted(says("yes")), Scripted(says("no"))
    async with client(
        provider, others=[("two", other)], policy=Policy(budgets=Budget(tokens=100))
    ) as ai:
        with pytest.raises(e.BudgetExceededError, match="may need 1001"):
            await ai.text.generate("hi", model=[MODEL, "two/m-1"])
        await ai.text.generate("hi", model=MODEL, max_tokens=50)

    assert (1, 0) == (len(provider.requests), len(other.requests))


async def test_budgets_of_calls_are_each_calls_own():
    """They bound one call with all its candidates, and nothing of them is kept."""
    one, two = Scripted(e.TimedOutError("acme: late")), Scripted(says("yes"))
    async with client(one, others=[("two", two)]) as ai:
        for _ in range(3):
            with pytest.raises(e.BudgetExceededError):  # the first may have cost all of it
                await ai.text.generate(
                    "hi", model=[MODEL, "two/m-1"], policy=Policy(budgets=Budget(tokens=1500))
                )

        assert {} == ai._way.purses._purses
    assert (3, 0) == (len(one.requests), len(two.requests))


async def test_budgets_of_instances_and_kinds_of_work_are_their_own():
    """Equal ones of two instances are two; a wider one that is equal counts once, for all."""
    equal = {"policy": {"budgets": [{"tokens": 1500}]}}
    settings = {"providers": {"acme": equal, "two": equal}}
    async with client(
        Scripted(DOWN), others=[("two", Scripted(says("yes")))], settings=settings
    ) as ai:
        ai._way.forget()
        await ai.text.generate("hi", model="two/m-1")
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        with pytest.raises(e.BudgetExceededError):
            await ai.text.generate("hi", model="two/m-1")
    settings = {**settings, "policies": {"text": equal["policy"]}}
    async with client(
        Scripted(says("yes")), others=[("two", Scripted(says("yes")))], settings=settings
    ) as ai:
        await ai.text.generate("hi", model="two/m-1")
        with pytest.raises(e.BudgetExceededError):
            await ai.text.generate("hi", model=MODEL)


async def test_tenants_come_under_their_own_budgets_and_those_of_the_client():
    """Limits and circuits are each tenant's own."""
    whole, each = Budget(tokens=2500), Budget(tokens=1500)
    policy = Policy(
        retry=ONCE, budgets=whole, limits=Limits(requests=1), breaker=Breaker(failures=1)
    )
    async with client(Scripted(says("yes")), policy=policy) as ai:
        ann, bob, cem = (
            ai.scoped(name, policy=Policy(budgets=each)) for name in ("ann", "bob", "cem")
        )
        await ann.text.generate("hi", model=MODEL)
        with pytest.raises(e.BudgetExceededError, match="of 1500"):
            await ann.text.generate("hi", model=MODEL, timeout=1)
        again = ai.scoped("ann", policy=Policy(budgets=each))
        with pytest.raises(e.BudgetExceededError, match="of 1500"):
            await again.text.generate("hi", model=MODEL)
        await bob.text.generate("hi", model=MODEL)
        with pytest.raises(e.BudgetExceededError, match="of 2500"):
            await cem.text.generate("hi", model=MODEL)

        standings = {id(one._way._standings["text", "acme"]) for one in (ann, bob)}
        assert 2 == len(standings)


async def test_tenants_wait_for_their_own_limits():
    """One does not use up another's."""
    clock = FakeClock()
    async with client(
        Scripted(says("yes")), clock=clock, policy=Policy(limits=Limits(requests=1))
    ) as ai:
        for name in ("ann", "bob"):
            await ai.scoped(name).text.generate("hi", model=MODEL)
        assert [] == clock.slept


# -- wherever a call is cancelled ---------------------------------------------------------


class Slow(MemoryStore):
    async def add(self, space, key, amounts, *, seconds=None):
        await anyio.lowlevel.checkpoint()
        found = await super().add(space, key, amounts, seconds=seconds)
        await anyio.lowlevel.checkpoint()
        return found


class Walking(Scripted):
    """A provider that has far to go."""

    async def generate(self, request):
        await anyio.lowlevel.checkpoint()
        answer = self._next(request)
        await anyio.lowlevel.checkpoint()
        return answer

    @streaming
    async def stream(self, request):
        await anyio.lowlevel.checkpoint()
        for event in events_of(self._next(request)):
            await anyio.lowlevel.checkpoint()
            yield event


STEPS = 40
BUDGET_OF_MANY = Budget(tokens=10**9)


async def cancelled_after(turns, call):
    """Run *call* for so many turns of the event loop; return whether it came to its end."""
    ended = False

    async def run():
        nonlocal ended
        await call()
        ended = True

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    return ended


@pytest.mark.parametrize("how", ["generate", "stream"])
async def test_calls_leave_nothing_behind_wherever_they_are_cancelled(how):
    """No place, no probe, nobody in the queue; and money only where it may have been spent."""
    named = Budget(tokens=10**9, name="day")
    policy = Policy(
        limits=Limits(concurrency=1, requests=10**6),
        breaker=Breaker(failures=1),
        budgets=[named, BUDGET_OF_MANY],
    )
    clock, provider, ends, costs = FakeClock(), Walking(DOWN), [], []
    async with client(provider, clock=clock, policy=policy, store=Slow()) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("hi", model=MODEL)
        standing = standing_of(ai)

        async def call():
            if how == "generate":
                await ai.text.generate("hi", model=MODEL)
            else:
                async with ai.text.stream("hi", model=MODEL) as stream:
                    await stream.result()

        for turns in range(STEPS):
            standing.circuit.opened_at = clock.time - 31
            provider.answers = [says("yes", usage=Usage(1, 1))]
            before = used_of(ai, BUDGET_OF_MANY)
            ends.append(await cancelled_after(turns, call))
            cost = used_of(ai, BUDGET_OF_MANY) - before
            count = await ai._storage.store.get("budgets", "day:0:")

            assert (0, 0, None) == (
                standing.limiter.running,
                standing.limiter.waiting,
                standing.circuit.prober,
            )
            assert used_of(ai, BUDGET_OF_MANY) == (0 if count is None else count["tokens"])
            assert cost in {0, 2, 1001}
            costs.append(cost)
    assert not ends[0]
    assert ends[-1]
    assert [0, 1001, 2] == list(dict.fromkeys(costs))


async def test_who_leaves_between_attempts_leaves_nothing():
    """The vendor said no, and was not asked again: nothing was spent."""
    clock = FakeClock(auto=False)
    policy = Policy(limits=Limits(concurrency=1), budgets=BUDGET)
    async with client(Scripted(BUSY, says("yes")), clock=clock, policy=policy) as ai:
        ended = await cancelled_after(20, lambda: ai.text.generate("hi", model=MODEL))

        assert not ended
        assert (0, 0) == (used_of(ai, BUDGET), standing_of(ai).limiter.running)


async def test_who_leaves_the_queue_leaves_nothing():
    """And the next in line comes in his turn."""
    policy = Policy(limits=Limits(concurrency=1), budgets=BUDGET)
    async with client(Scripted([TextDelta("a"), Finish()], says("yes")), policy=policy) as ai:
        async with ai.text.stream("hi", model=MODEL):
            before = used_of(ai, BUDGET)
            assert not await cancelled_after(20, lambda: ai.text.generate("hi", model=MODEL))

            assert before == used_of(ai, BUDGET)
            assert (1, 0) == (standing_of(ai).limiter.running, standing_of(ai).limiter.waiting)
        await ai.text.generate("hi", model=MODEL)


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_what_runs_on_the_machine_is_free_where_no_price_is_known(kind):
    """A budget in dollars would otherwise forbid it; of a vendor nothing is free unsaid."""
    found = Registry(
        Settings.empty(),
        plugins=[
            Brings(
                Scripted(says("yes")),
                models=[ModelSpec(id="m-1")],
                kind=kind,
                base_url="http://x.example",
            )
        ],
        distributions=(),
    )
    async with Client(registry=found, policy=Policy(budgets=[Budget(usd=1)])) as ai:
        if kind == "local":
            assert (await ai.text.generate("Hi", model="acme/m-1")).text
        else:
            with pytest.raises(e.BudgetExceededError, match="no price is known"):
                await ai.text.generate("Hi", model="acme/m-1")
