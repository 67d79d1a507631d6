"""Cancels work as it waits for the n-th time, in each way in which work is cancelled."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import anyio

SCOPE, TASK = "scope", "task"

HOW: Final = (("asyncio", SCOPE), ("asyncio", TASK), ("trio", SCOPE))
"""
By a cancel scope, which cancels every wait until it is left, or by `Task.cancel`, as
`asyncio.timeout`, `asyncio.TaskGroup` and Ctrl-C do, which cancels one wait.
"""

MOST: Final = 2000
"""More waits than any work here has."""


class Waits:
    """
    Work that is watched as it waits.

    Args:
        work: What is awaited.
        at: At which of its waits to call *stop*.
        stop: Cancels it.
    """

    def __init__(self, work: Awaitable[Any], at: int, stop: Callable[[], object]) -> None:
        self._steps = work.__await__()
        self._at = at
        self._stop = stop
        self.count = 0

    def __await__(self):
        step, value = self._steps.send, None
        while True:
            try:
                found = step(value)
            except StopIteration as end:
                return end.value
            self.count += 1
            if self.count == self._at:
                self._stop()
            try:
                value = yield found
            except BaseException as error:  # noqa: BLE001  # handed on to what waits
                step, value = self._steps.throw, error
            else:
                step = self._steps.send


async def stopped(how: str, at: int, work: Coroutine[Any, Any, object]) -> bool:
    """Await *work*, cancelled at its wait number *at*; return whether it came that far."""
    if how == SCOPE:
        with anyio.CancelScope() as scope:
            await Waits(work, at, scope.cancel)
        return scope.cancel_called
    came: list[bool] = []

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        await Waits(work, at, lambda: came.append(task.cancel()))

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    assert task.cancelled() == bool(came), "a cancellation was swallowed"
    if not came:
        task.result()
    return bool(came)


async def at_every_wait(once: Callable[[int], Awaitable[bool]]) -> int:
    """
    Call *once* for the first wait, the second, and so on, until there is no further.

    Returns:
        How many there were.
    """
    for at in itertools.count(1):
        assert at < MOST
        if not await once(at):
            return at - 1
    raise AssertionError


def tasks() -> int:
    """Return how many tasks live in this event loop."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


async def tasks_are(count: int) -> bool:
    """Give what was ended a few turns, and return whether no more than *count* tasks live."""
    for _ in range(100):
        if tasks() <= count:
            return True
        await anyio.sleep(0.001)
    return False


def our_threads() -> list[str]:
    """Return the names of the threads that the core has started."""
    return [one.name for one in threading.enumerate() if one.name.startswith("anymodal")]
