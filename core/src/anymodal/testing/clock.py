"""Time that a test makes: waits end at once, in the order in which they would."""

from __future__ import annotations

import bisect
import math
from typing import Final
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import attrs

__all__ = ["FakeClock"]

WALL: Final = 1_800_000_000.0
"""The time of day when a clock is made, in seconds since 1970: 15 January 2027."""

TURNS: Final = 30
"""Turns that all other tasks have before time goes on."""


def _when(one: _Sleeper) -> float:
    return one.at


@attrs.define(eq=False)
class _Sleeper:
    """Somebody who waits: until when, and what rouses them to look again."""

    at: float
    roused: anyio.Event = attrs.field(factory=anyio.Event)


class FakeClock:
    """
    A clock for `Client(clock=…)` on which waiting takes no time.

    Retries, limits, polling and deadlines go by it. Time stands still while anything
    can be done; when the other tasks have had their turns and somebody sleeps on the
    clock, it goes on to the next who wakes, or to the deadline that comes before. Work
    in threads is not waited for.

    It serves one event loop. A vendor that does not answer is a provider, or a reply
    of a `FakeClient`, that awaits `clock.sleep(…)`.

    Args:
        auto: Whether time goes on by itself; else only by `advance`.
        turns: How many turns other tasks have first.

    Attributes:
        slept: The seconds of every sleep so far, in order.
        time: The seconds that have gone by; may be set, to a later moment, and whoever
            is to wake by then does so when it is their turn.
    """

    def __init__(self, *, auto: bool = True, turns: int = TURNS) -> None:
        self.slept: list[float] = []
        self._auto = auto
        self._turns = turns
        self._time = 0.0
        self._sleeping: list[_Sleeper] = []  # who wakes first stands first
        self._ends: WeakKeyDictionary[anyio.CancelScope, float] = WeakKeyDictionary()

    @property
    def time(self) -> float:  # documented with the class
        return self._time

    @time.setter
    def time(self, then: float) -> None:
        self._go_to(then)

    def now(self) -> float:
        """Return the seconds that have gone by."""
        return self._time

    def wall(self) -> float:
        """Return the time of day, in seconds since 1970, by which budgets end."""
        return WALL + self._time

    async def sleep(self, seconds: float) -> None:
        """Wait, until time has gone on."""
        self.slept.append(seconds)
        await anyio.lowlevel.checkpoint()
        me = _Sleeper(self._time + seconds)
        bisect.insort(self._sleeping, me, key=_when)
        try:
            while me.at > self._time:
                if not self._auto or self._sleeping[0] is not me or self._next(me.at) == math.inf:
                    me.roused = anyio.Event()
                    await me.roused.wait()
                    continue
                await self._others()
                if self._sleeping[0] is me and me.at > self._time:
                    self._go_to(self._next(me.at))
        finally:
            self._sleeping.remove(me)
            self._rouse()

    async def advance(self, seconds: float) -> None:
        """
        Let *seconds* go by: whoever wakes and whatever ends meanwhile does so in order.

        Args:
            seconds: How many; 0 lets the other tasks have their turns.
        """
        end = self._time + seconds
        await self._others()
        while (then := self._next(self._sleeping[0].at if self._sleeping else math.inf)) <= end:
            self._go_to(then)
            await self._others()
        self._time = max(self._time, end)

    def arm(self, scope: anyio.CancelScope, seconds: float) -> None:
        """
        Cancel *scope* when *seconds* have gone by; the core asks for this.

        They may go by here or on the machine, whichever is first: where nobody sleeps
        on this clock, what hangs hangs no longer than it would.
        """
        scope.deadline = anyio.current_time() + seconds
        self._ends[scope] = self._time + seconds
        self._rouse()

    def _next(self, waking: float) -> float:
        """Return when something happens: somebody wakes, or before that a scope ends."""
        return min(waking, *self._ends.values(), math.inf)

    def _go_to(self, then: float) -> None:
        self._time = max(self._time, then)
        if not any(one.at == then for one in self._sleeping):  # who wakes then is in time
            for scope in [one for one, end in self._ends.items() if end <= then]:
                del self._ends[scope]
                scope.cancel()
        self._rouse()

    def _rouse(self) -> None:
        """Have those look again who are to wake, and the one who is next."""
        for number, one in enumerate(self._sleeping):
            if number and one.at > self._time:
                break
            one.roused.set()

    async def _others(self) -> None:
        for _ in range(self._turns):
            await anyio.lowlevel.checkpoint()
