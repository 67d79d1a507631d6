"""What calls have used of their budgets, and whether one more fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final, TypeAlias

import attrs

from .. import errors as e
from ..policies import Budget
from ..stores import Store
from ..usage import Cost, Usage

__all__ = ["Owned", "Purses", "Reserve", "may_be_billed"]

NANOS: Final = Decimal(1_000_000_000)
SPACE: Final = "budgets"

Owned: TypeAlias = tuple[str, Budget]
"""A budget, and who has it: a client, a tenant, or one call."""

_MAY_BE_BILLED: Final = (
    e.DeadlineExceededError,
    e.IncompleteError,
    e.MalformedReplyError,
    e.OutcomeUnknownError,
    e.TimedOutError,
)


def may_be_billed(error: BaseException) -> bool:
    """Whether what failed with *error* may have been paid for all the same."""
    if isinstance(error, e.VendorError) and error.never_sent:
        return False
    return not isinstance(error, e.AnymodalError) or isinstance(error, _MAY_BE_BILLED)


@attrs.frozen
class _Amount:
    """What is, or may be, used: billionths of dollars, and tokens."""

    nanos: int
    tokens: int

    def plus(self, other: _Amount, times: int = 1) -> _Amount:
        return _Amount(self.nanos + times * other.nanos, self.tokens + times * other.tokens)


NOTHING: Final = _Amount(0, 0)


@attrs.frozen(hash=True)
class _Place:
    """Whose budget it is, for which value of its tag, and from when."""

    owner: str
    budget: Budget
    value: str
    window: int

    @property
    def key(self) -> str:
        """Its name in the store."""
        return f"{self.budget.name}:{self.window}:{self.value}"


@attrs.frozen
class Reserve:
    """What is kept back for one call, and where."""

    places: tuple[_Place, ...]
    amount: _Amount


class Purses:
    """
    What is left of the budgets of one client and its tenants.

    Budgets with a name are kept in *store*, the others here.

    Args:
        store: Gives the store when it is first needed.
        wall: Gives the seconds since 1970.
    """

    def __init__(self, store: Callable[[], Store], wall: Callable[[], float]) -> None:
        self._store = store
        self._wall = wall
        self._used: dict[_Place, _Amount] = {}

    async def reserve(
        self,
        budgets: Iterable[Owned],
        usage: Usage,
        cost: Cost,
        *,
        tags: Mapping[str, str],
        where: str,
    ) -> Reserve:
        """
        Keep back what a call is expected to use.

        Args:
            budgets: All that it comes under.
            usage: What it is expected to use.
            cost: What that costs.
            tags: The call's.
            where: Instance and model, for messages.

        Raises:
            BudgetExceededError: One has not enough left, or the cost is unknown.
                Nothing is kept back then.
        """
        amount = _amount(usage, cost)
        places = [place for one in budgets if (place := self._place(one, tags)) is not None]
        for place in places:
            _check_known(place.budget, cost, where)
        taken: list[_Place] = []
        try:
            for place in places:
                total = await self._add(place, amount)
                taken.append(place)
                _check_fits(place, total, amount, where)
        except BaseException:
            for place in taken:
                await self._add(place, NOTHING.plus(amount, -1))
            raise
        return Reserve(tuple(places), amount)

    async def settle(self, reserve: Reserve, usage: Usage | None, cost: Cost | None) -> None:
        """
        Put what was used in place of what was kept back.

        Args:
            reserve: What was kept back.
            usage: What was used; None where that is unknown, and the reserve stays.
            cost: What it cost; likewise.
        """
        tokens = reserve.amount.tokens if usage is None else usage.total_tokens
        used = _Amount(
            reserve.amount.nanos if cost is None or cost.usd is None else _nanos(cost.usd),
            reserve.amount.tokens if tokens is None else tokens,
        )
        change = used.plus(reserve.amount, -1)
        if change != NOTHING:
            for place in reserve.places:
                await self._add(place, change)

    async def release(self, reserve: Reserve) -> None:
        """Give back what was kept back for a call that used nothing."""
        await self.settle(reserve, Usage(0, 0), Cost(Decimal(0), "nothing was used"))

    def _place(self, owned: Owned, tags: Mapping[str, str]) -> _Place | None:
        owner, budget = owned
        value = tags.get(budget.tag) if budget.tag else ""
        if value is None:
            return None
        window = int(self._wall() // budget.per) if budget.per else 0
        return _Place("" if budget.name else owner, budget, value, window)

    async def _add(self, place: _Place, amount: _Amount) -> _Amount:
        budget = place.budget
        if not budget.name:
            if place not in self._used:
                self._forget_earlier(place)
            total = self._used[place] = self._used.get(place, NOTHING).plus(amount)
            return total
        found = await self._store().add(
            SPACE,
            place.key,
            {"nanos": amount.nanos, "tokens": amount.tokens},
            seconds=None if budget.per is None else 2 * budget.per,
        )
        return _Amount(found["nanos"], found["tokens"])

    def _forget_earlier(self, place: _Place) -> None:
        """Drop the windows of the same budget that are over, of whatever tag."""
        gone = [
            one
            for one in self._used
            if one.window < place.window and one.budget == place.budget and one.owner == place.owner
        ]
        for one in gone:
            del self._used[one]


def _nanos(usd: Decimal) -> int:
    return int((usd * NANOS).to_integral_value(ROUND_CEILING))


def _amount(usage: Usage, cost: Cost) -> _Amount:
    return _Amount(0 if cost.usd is None else _nanos(cost.usd), usage.total_tokens or 0)


def _check_known(budget: Budget, cost: Cost, where: str) -> None:
    if budget.usd is not None and cost.usd is None and budget.unknown == "refuse":
        msg = (
            f"{where}: there is a budget, and what the call may cost is not known: {cost.source}. "
            f'Set prices in [models."{where}"], or let it through by Budget(unknown="allow").'
        )
        raise e.BudgetExceededError(msg)


def _check_fits(place: _Place, total: _Amount, amount: _Amount, where: str) -> None:
    budget = place.budget
    what = f"the budget of {place.value!r}" if budget.tag else "the budget"
    if budget.usd is not None and total.nanos > _nanos(budget.usd):
        left = budget.usd - Decimal(total.nanos - amount.nanos) / NANOS
        msg = f"{where}: {what} has ${max(left, Decimal(0)):.4f} left of ${budget.usd}, and "
        msg += f"the call may need ${Decimal(amount.nanos) / NANOS:.4f}."
        raise e.BudgetExceededError(msg)
    if budget.tokens is not None and total.tokens > budget.tokens:
        left_tokens = max(budget.tokens - total.tokens + amount.tokens, 0)
        msg = f"{where}: {what} has {left_tokens} tokens left of {budget.tokens}, and the call "
        msg += f"may need {amount.tokens}."
        raise e.BudgetExceededError(msg)
