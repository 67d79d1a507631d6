"""Where jobs, budgets and limits are kept: what a store does, and one in memory."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from .. import errors as e

__all__ = ["Kept", "MemoryStore", "Row", "Step", "Store", "Value"]

Value: TypeAlias = Mapping[str, object]
"""What is kept under a key: an object as JSON has it, without any credential."""


class Store(Protocol):
    """
    A place for values by space and key, shared by all that open it.

    Each method is done whole or not at all, and nobody comes between: whether two
    tasks, threads or processes ask, one is first. What was returned from is kept.

    A value may have an end, some *seconds* after it was written; from then on it is
    as if it were not there. None is for ever.
    """

    async def get(self, space: str, key: str) -> Value | None:
        """Return the value, or None where there is none."""

    async def items(self, space: str) -> Mapping[str, Value]:
        """Return the values of *space* by key, in no promised order."""

    async def put(
        self, space: str, key: str, value: Value, *, seconds: float | None = None
    ) -> None:
        """Keep *value*, in place of what is there."""

    async def claim(self, space: str, key: str, value: Value) -> Value | None:
        """Keep *value* if there is none; otherwise leave, and return, the one that there is."""

    async def replace(
        self, space: str, key: str, old: Value, new: Value | None, *, seconds: float | None = None
    ) -> bool:
        """
        Put *new* in the place of *old*, if that is still what is there.

        Args:
            space: Where to look.
            key: What to look for.
            old: What the caller believes to be there.
            new: What is to be there; None for nothing.
            seconds: When *new* ends.

        Returns:
            Whether *old* was there.
        """

    async def delete(self, space: str, key: str) -> bool:
        """Remove the value. Returns whether there was one."""

    async def add(
        self, space: str, key: str, amounts: Mapping[str, int], *, seconds: float | None = None
    ) -> dict[str, int]:
        """
        Add to counts, which begin at 0.

        Counts are a value like others, and can be got and deleted as such.

        Args:
            space: Where they are.
            key: What they are of.
            amounts: By name; one may be below 0.
            seconds: When they end, from the first amount on; then they begin anew.

        Returns:
            All counts of *key*, these included.
        """

    async def aclose(self) -> None:
        """Let go of what is open; to be used again opens it again."""


# -- what stores of rows share --------------------------------------------------------


class Row(NamedTuple):
    """
    A value as it is kept.

    Attributes:
        text: It, as JSON.
        ends: The time from which on it is not there, in seconds since 1970.
    """

    text: str
    ends: float | None = None


Step: TypeAlias = Callable[[Row | None], Row | None]
"""Makes of what is there what is to be there."""


class Kept(ABC):
    """
    A store of rows; a subclass says how one is changed, and which ones there are.

    Args:
        now: Where the time comes from, in seconds since 1970; for tests.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    @abstractmethod
    async def change(self, space: str, key: str, step: Step) -> tuple[Row | None, Row | None]:
        """
        Keep what *step* makes of the row, and let nobody come between.

        Where it gives None, nothing is there any more. A row that `is_there` denies
        is None for *step*.

        Returns:
            What was there, and what is.
        """

    @abstractmethod
    async def rows(self, space: str, key: str | None) -> Mapping[str, Row]:
        """Return the rows of *space* that are there, by key; with a *key* only that one."""

    async def get(self, space: str, key: str) -> Value | None:
        """Return the value, or None where there is none."""
        row = (await self.rows(space, key)).get(key)
        return None if row is None else _value(row)

    async def items(self, space: str) -> Mapping[str, Value]:
        """Return the values of *space* by key."""
        return {key: _value(row) for key, row in (await self.rows(space, None)).items()}

    async def put(
        self, space: str, key: str, value: Value, *, seconds: float | None = None
    ) -> None:
        """Keep *value*, in place of what is there."""
        new = self._row(value, seconds)
        await self.change(space, key, lambda _: new)

    async def claim(self, space: str, key: str, value: Value) -> Value | None:
        """Keep *value* if there is none; otherwise leave, and return, the one that there is."""
        new = self._row(value, None)
        before, _ = await self.change(space, key, lambda row: row or new)
        return None if before is None else _value(before)

    async def replace(
        self, space: str, key: str, old: Value, new: Value | None, *, seconds: float | None = None
    ) -> bool:
        """Put *new* in the place of *old*, if that is still what is there."""
        then = None if new is None else self._row(new, seconds)
        text = _text(old)

        def step(row: Row | None) -> Row | None:
            return then if row is not None and row.text == text else row

        before, _ = await self.change(space, key, step)
        return before is not None and before.text == text

    async def delete(self, space: str, key: str) -> bool:
        """Remove the value. Returns whether there was one."""
        before, _ = await self.change(space, key, lambda _: None)
        return before is not None

    async def add(
        self, space: str, key: str, amounts: Mapping[str, int], *, seconds: float | None = None
    ) -> dict[str, int]:
        """Add to counts, which begin at 0, and return all of them."""
        totals: dict[str, int] = {}

        def step(row: Row | None) -> Row:
            if row is not None:
                totals.update(_counts(row))
            for name, amount in amounts.items():
                totals[name] = totals.get(name, 0) + amount
            return self._row(totals, seconds) if row is None else Row(_text(totals), row.ends)

        await self.change(space, key, step)
        return totals

    def _row(self, value: Value, seconds: float | None) -> Row:
        return Row(_text(value), None if seconds is None else self._now() + seconds)

    def is_there(self, row: Row) -> bool:
        """Whether the end of *row* has yet to come."""
        return row.ends is None or self._now() < row.ends


_ENCODE: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"), sort_keys=True).encode


def _text(value: Value) -> str:
    """Return *value* as JSON; equal values are equal texts."""
    return _ENCODE(value)


def _value(row: Row) -> dict[str, Any]:  # JSON; whoever put it there knows what it holds
    try:
        found = json.loads(row.text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = "The store holds a value that is damaged; move its file away, and a new one is made."
        raise e.ConfigurationError(msg)
    return found


def _counts(row: Row) -> dict[str, int]:
    found = _value(row)
    if not all(isinstance(one, int) for one in found.values()):
        msg = "what is kept there are no counts"
        raise TypeError(msg)
    return found


# -- in memory ------------------------------------------------------------------------


class MemoryStore(Kept):
    """
    Keeps what it is given until the process ends.

    Args:
        now: Where the time comes from, in seconds since 1970; for tests.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self._spaces: dict[str, dict[str, Row]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "<MemoryStore>"

    async def change(self, space: str, key: str, step: Step) -> tuple[Row | None, Row | None]:
        with self._lock:
            rows = self._spaces.setdefault(space, {})
            before = rows.get(key)
            if before is not None and not self.is_there(before):
                before = None
            after = step(before)
            if after is None:
                rows.pop(key, None)
            else:
                rows[key] = after
            return before, after

    async def rows(self, space: str, key: str | None) -> Mapping[str, Row]:
        with self._lock:
            rows = self._spaces.get(space, {})
            if key is not None:
                row = rows.get(key)
                return {key: row} if row is not None and self.is_there(row) else {}
            for name in [name for name, row in rows.items() if not self.is_there(row)]:
                del rows[name]
            return dict(rows)

    async def aclose(self) -> None:
        """Do nothing: there is nothing open."""
