"""Budgets: what is kept back before a call, and what stands there after it."""

import asyncio
from decimal import Decimal

import anyio
import pytest
from anymodal import Budget, Usage
from anymodal import errors as e
from anymodal.policy.budget import SPACE, Purses
from anymodal.stores import MemoryStore
from anymodal.usage import Cost
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

NANOS = 1_000_000_000
WHERE = "acme/m-1"
ALL = Budget(usd=1, tokens=100)
HOURLY = Budget(tokens=60, per=3600)
EACH = Budget(usd="0.5", tag="user")
SHARED = Budget(usd=2, tokens=150, name="shared")
SHARED_TOO = Budget(tokens=120, name="shared")
BUDGETS = (ALL, HOURLY, EACH, SHARED, SHARED_TOO)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Wall:
    def __init__(self):
        self.time = 1_700_000_000.0

    def __call__(self):
        return self.time


class Spending(RuleBasedStateMachine):
    """Two clients with purses of their own and one store, whose calls overlap."""

    reserves = Bundle("reserves")

    @initialize()
    def begins(self):
        self.loop = asyncio.new_event_loop()
        self.wall = Wall()
        store = MemoryStore(self.wall)
        self.clients = [Purses(lambda: store, self.wall) for _ in range(2)]
        self.used = {}

    def run(self, doing):
        return self.loop.run_until_complete(doing)

    def places(self, client, tags):
        """Where a call counts: each budget's mark, in this window."""
        found = {}
        for budget in BUDGETS:
            if budget.tag in tags or not budget.tag:
                window = self.wall.time // budget.per if budget.per else 0
                owner = budget.name or (client, budget)
                mark = (owner, tags.get(budget.tag) if budget.tag else "", window)
                found.setdefault(mark, []).append(budget)
        return found

    @rule(
        target=reserves,
        client=st.integers(0, 1),
        user=st.sampled_from([None, "ann", "bob"]),
        cents=st.integers(0, 60),
        tokens=st.integers(0, 70),
    )
    def is_kept_back(self, client, user, cents, tokens):
        tags = {} if user is None else {"user": user}
        places = self.places(client, tags)
        usage, cost = Usage(tokens, 0), Cost(Decimal(cents) / 100, "here")
        fits = all(
            (budget.usd is None or usd + cost.usd <= budget.usd)
            and (budget.tokens is None or had + tokens <= budget.tokens)
            for mark, budgets in places.items()
            for usd, had in [self.used.get(mark, (0, 0))]
            for budget in budgets
        )
        purses = self.clients[client]
        owned = [(purses.of("me"), budget) for budget in BUDGETS]
        try:
            reserve = self.run(purses.reserve(owned, usage, cost, tags=tags, where=WHERE))
        except e.BudgetExceededError:
            assert not fits
            return None
        assert fits
        self.change(places, cost.usd, tokens)
        return client, places, reserve, cost.usd, tokens

    def change(self, places, usd, tokens):
        for mark in places:
            before = self.used.get(mark, (0, 0))
            self.used[mark] = (before[0] + usd, before[1] + tokens)

    @rule(one=consumes(reserves), share=st.fractions(0, 1))
    def is_settled(self, one, share):
        if one is not None:
            client, places, reserve, usd, tokens = one
            used = Usage(int(tokens * share), 0)
            cost = Cost(
                (usd * share.numerator / share.denominator).quantize(usd / 1000) if usd else usd, ""
            )
            self.run(self.clients[client].settle(reserve, used, cost))
            self.change(places, cost.usd - usd, used.total_tokens - tokens)

    @rule(one=consumes(reserves))
    def is_released(self, one):
        if one is not None:
            client, places, reserve, usd, tokens = one
            self.run(self.clients[client].release(reserve))
            self.change(places, -usd, -tokens)

    @rule(one=consumes(reserves))
    def stays_for_want_of_better(self, one):
        if one is not None:
            client, _, reserve, _, _ = one
            self.run(self.clients[client].settle(reserve, None, None))

    @rule(seconds=st.sampled_from([60.0, 1800.0, 3600.0]))
    def time_passes(self, seconds):
        self.wall.time += seconds

    @invariant()
    def no_budget_is_exceeded(self):
        """By what was really used, as it never was more than was kept back."""
        for (owner, _, _), (usd, tokens) in self.used.items():
            for budget in BUDGETS:
                if owner in (budget.name, (0, budget), (1, budget)) and owner != "":
                    assert budget.usd is None or 0 <= usd <= budget.usd
                    assert budget.tokens is None or 0 <= tokens <= budget.tokens

    def teardown(self):
        if hasattr(self, "loop"):
            self.loop.close()


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


# -- one thing at a time ------------------------------------------------------------------


def purses(store=None, wall=None):
    return Purses(lambda: store, wall or Wall())


async def keep(found, *budgets, tokens=10, usd="0.1", tags=None, owner=("me",)):
    cost = Cost(None, "no price is known") if usd is None else Cost(Decimal(usd), "here")
    owned = [(found.of(*owner), one) for one in budgets]
    return await found.reserve(owned, Usage(tokens, 0), cost, tags=tags or {}, where=WHERE)


@pytest.mark.anyio
async def test_second_budget_that_refuses_takes_nothing_from_the_first():
    """A call that did not happen counts nowhere."""
    found = purses()
    wide, narrow = Budget(tokens=100), Budget(tokens=5)
    with pytest.raises(e.BudgetExceededError):
        await keep(found, wide, narrow)

    await keep(found, wide, tokens=100)


@pytest.mark.anyio
async def test_messages_say_what_is_left():
    """Of money and of tokens, and of whose tag."""
    found = purses()
    await keep(
        found, Budget(usd=1), Budget(tokens=50, tag="user"), usd="0.75", tags={"user": "ann"}
    )
    with pytest.raises(e.BudgetExceededError) as money:
        await keep(found, Budget(usd=1), usd="0.3")
    with pytest.raises(e.BudgetExceededError) as tokens:
        await keep(found, Budget(tokens=50, tag="user"), tokens=41, tags={"user": "ann"})

    assert str(money.value) == (
        "acme/m-1: the budget has $0.2500 left of $1, and the call may need $0.3000."
    )
    assert str(tokens.value) == (
        "acme/m-1: the budget of 'ann' has 40 tokens left of 50, and the call may need 41."
    )


@pytest.mark.anyio
async def test_unknown_costs_are_refused_or_not_counted():
    """As the budget says; tokens are counted all the same."""
    found = purses()
    with pytest.raises(e.BudgetExceededError, match=r"no price is known.*prices in"):
        await keep(found, Budget(usd=1), usd=None)
    lenient = Budget(usd=1, tokens=15, unknown="allow")
    reserve = await keep(found, lenient, usd=None)
    with pytest.raises(e.BudgetExceededError, match="5 tokens left"):
        await keep(found, lenient, usd=None)
    await found.settle(reserve, None, Cost(Decimal("0.9"), "told after all"))
    with pytest.raises(e.BudgetExceededError, match=r"0\.1000 left"):
        await keep(found, lenient, usd="0.2", tokens=0)


@pytest.mark.anyio
async def test_calls_without_the_tag_are_not_counted():
    """And each value of it has as much."""
    found, budget = purses(), Budget(tokens=10, tag="user")
    for tags in ({}, {"user": "ann"}, {"user": "bob"}, {}):
        await keep(found, budget, tags=tags)
    with pytest.raises(e.BudgetExceededError):
        await keep(found, budget, tags={"user": "ann"})


@pytest.mark.anyio
async def test_owners_have_purses_of_their_own():
    """Equal budgets of two instances are two."""
    found, budget = purses(), Budget(tokens=10)
    await keep(found, budget, owner=("", "instances", "a"))
    await keep(found, budget, owner=("", "instances", "b"))
    with pytest.raises(e.BudgetExceededError):
        await keep(found, budget, owner=("", "instances", "a"))


@pytest.mark.anyio
async def test_windows_begin_full_and_forget_those_before():
    """What was kept back before midnight is not given back after it."""
    wall = Wall()
    found, budget = purses(wall=wall), Budget(tokens=10, per=3600, tag="user")
    tags = {"user": "ann"}
    before = await keep(found, budget, tags=tags)
    wall.time += 3600
    after = await keep(found, budget, tags=tags)
    await found.release(before)
    with pytest.raises(e.BudgetExceededError):
        await keep(found, budget, tokens=1, tags=tags)
    wall.time -= 3600  # somebody set the clock
    with pytest.raises(e.BudgetExceededError):
        await keep(found, budget, tokens=1, tags=tags)
    await found.release(after)
    await keep(found, budget, tags=tags)

    (used,) = found.of("me").values()
    assert ["ann"] == list(used.by_value)


@pytest.mark.anyio
async def test_names_are_shared_through_the_store_and_outlive_the_client():
    """Under one name there is one count, however often it is said."""
    store, wall = MemoryStore(Wall()), Wall()
    dollars, tokens = Budget(usd=1, name="day", per=86400), Budget(tokens=10, name="day", per=86400)
    await keep(purses(store, wall), dollars, tokens)
    with pytest.raises(e.BudgetExceededError, match="0 tokens left of 10"):
        await keep(purses(store, wall), dollars, tokens)
    window = int(wall.time // 86400)

    assert {"nanos": NANOS // 10, "tokens": 10} == await store.get(SPACE, f"day:{window}:")


class Failing(MemoryStore):
    """A store that fails when it is told to."""

    fails = False

    async def add(self, space, key, amounts, *, seconds=None):
        if self.fails:
            msg = "the disk is full"
            raise OSError(msg)
        return await super().add(space, key, amounts, seconds=seconds)


@pytest.mark.anyio
async def test_stores_that_fail_refuse_the_call_and_spare_the_answer(caplog):
    """Before, nobody knows whether it fits; after, there is an answer that was paid for."""
    store = Failing()
    found, named = purses(store), Budget(tokens=10, name="day")
    reserve = await keep(found, named)
    store.fails = True
    with pytest.raises(OSError):
        await keep(found, named)
    await found.release(reserve)

    assert "a budget could not be settled" in caplog.text


class Slow(MemoryStore):
    """A store that takes a while."""

    async def add(self, space, key, amounts, *, seconds=None):
        await anyio.lowlevel.checkpoint()
        found = await super().add(space, key, amounts, seconds=seconds)
        await anyio.lowlevel.checkpoint()
        return found


@pytest.mark.anyio
async def test_who_leaves_while_it_is_kept_back_leaves_nothing():
    """Wherever the call is cancelled, all of it is counted or nothing is."""
    store = Slow()
    found = purses(store)
    budgets = [Budget(tokens=99, name="one"), Budget(tokens=99, name="two")]
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: keep(found, *budgets))
        group.cancel_scope.cancel()
    counts = [await store.get(SPACE, f"{name}:0:") for name in ("one", "two")]

    assert counts[0] == counts[1]


@pytest.mark.anyio
async def test_callers_at_once_do_not_exceed_it():
    """The store's own order decides."""
    store, kept = Slow(), []
    named = Budget(tokens=50, name="day")

    async def call():
        try:
            kept.append(await keep(purses(store), named))
        except e.BudgetExceededError:
            return

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(call)

    assert 1 <= len(kept) <= 5
    assert 10 * len(kept) == (await store.get(SPACE, "day:0:"))["tokens"]
