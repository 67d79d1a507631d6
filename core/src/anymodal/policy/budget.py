"""What calls have used of their budgets, and whether one more fits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, TypeAlias

import attrs

from .. import errors as e
from ..policies import Budget
from ..shielding import shielded
from ..stores import Store
from ..usage import Cost, Usage

__all__ = ["Owned", "Purse", "Purses", "Reserve", "may_be_billed"]

NANOS: Final = Decimal(1_000_000_000)
SPACE: Final = "budgets"

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


@attrs.define(eq=False)
class _Used:
    """What was used in the present window, by the values of the budget's tag."""

    window: int
    by_value: dict[str, _Amount] = attrs.field(factory=dict)


Purse: TypeAlias = dict[Budget, _Used]
"""What was used of the budgets of a client, a tenant, an instance or one call."""

Owned: TypeAlias = tuple[Purse, Budget]
"""A budget, and the purse that it is in."""


@attrs.frozen(eq=False)
class _Place:
    """Where a budget is kept, for which value of its tag, and from when."""

    purse: Purse
    budget: Budget
    value: str
    window: int

    @property
    def key(self) -> str:
        """Its name in the store; empty where it is in the purse."""
        return self.budget.name and f"{self.budget.name}:{self.window}:{self.value}"


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
        self._purses: dict[tuple[str, ...], Purse] = {}

    def of(self, *owner: str) -> Purse:
        """Return the purse of *owner*."""
        return self._purses.setdefault(owner, {})

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
        taken: dict[str | _Place, tuple[_Place, _Amount]] = {}

        async def take(mark: str | _Place, place: _Place) -> None:
            taken[mark] = place, await self._add(place, amount)

        try:
            for place in places:
                mark = place.key or place  # of one name there may be several, and one count
                if mark not in taken:
                    await _whole(take(mark, place), [place])
                _check_fits(place, taken[mark][1], amount, where)
        except BaseException:
            await self._change([place for place, _ in taken.values()], NOTHING.plus(amount, -1))
            raise
        return Reserve(tuple(place for place, _ in taken.values()), amount)

    async def settle(self, reserve: Reserve, usage: Usage | None, cost: Cost | None) -> None:
        """
        Put what was used in place of what was kept back.

        A store that fails is logged: there is an answer by then, or an error that says more.

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
            await self._change(reserve.places, change)

    async def release(self, reserve: Reserve) -> None:
        """Give back what was kept back for a call that used nothing."""
        await self.settle(reserve, Usage(0, 0), Cost(Decimal(0), "nothing was used"))

    def _place(self, owned: Owned, tags: Mapping[str, str]) -> _Place | None:
        purse, budget = owned
        value = tags.get(budget.tag) if budget.tag else ""
        if value is None:
            return None
        window = int(self._wall() // budget.per) if budget.per else 0
        if budget not in purse or purse[budget].window < window:
            purse[budget] = _Used(window)
        return _Place(purse, budget, value, purse[budget].window)

    async def _change(self, places: Sequence[_Place], amount: _Amount) -> None:
        await _whole(self._add_to_each(places, amount), places)

    async def _add_to_each(self, places: Sequence[_Place], amount: _Amount) -> None:
        for place in places:
            try:
                await self._add(place, amount)
            except Exception:
                logging.getLogger("anymodal").exception("a budget could not be settled")

    async def _add(self, place: _Place, amount: _Amount) -> _Amount:
        budget = place.budget
        if not budget.name:
            used = place.purse[budget]
            if used.window > place.window:
                return NOTHING  # it was kept back in a window that is over
            total = used.by_value[place.value] = used.by_value.get(place.value, NOTHING).plus(
                amount
            )
            return total
        found = await self._store().add(
            SPACE,
            place.key,
            {"nanos": amount.nanos, "tokens": amount.tokens},
            seconds=None if budget.per is None else 2 * budget.per,
        )
        return _Amount(found["nanos"], found["tokens"])


async def _whole(change: Coroutine[Any, Any, None], places: Sequence[_Place]) -> None:
    """Await *change*, also where the call is cancelled: what is in a store has to be known."""
    if any(place.key for place in places):
        await shielded(change)
    else:
        await change  # and nothing is waited for


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
