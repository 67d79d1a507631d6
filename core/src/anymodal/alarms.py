"""Deadlines of many calls, kept by one timer of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import anyio
import anyio.lowlevel

__all__ = ["Alarms", "armed"]

NEVER: Final = float("inf")


class Alarms:
    """
    Ends cancel scopes when their time has come.

    A timer for each would cost as much again as the scope, and hardly any ever rings. On
    asyncio, one is set for the first that is due; it may find that one gone, and is set anew.

    Args:
        arm: Cancels a scope when seconds have gone by, for a clock of its own kind.
    """

    def __init__(self, arm: Callable[[anyio.CancelScope, float], None] | None = None) -> None:
        self._arm = arm or armed
        self._is_shared = arm is None
        self._due: dict[anyio.CancelScope, float] = {}
        self._next = NEVER
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._kind = anyio.CancelScope

    def set(self, scope: anyio.CancelScope | None, seconds: float) -> anyio.CancelScope:
        """Return *scope*, or a new one, cancelled in *seconds* unless it is `left` before."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or (loop is not self._loop and not self._takes(loop)):
            scope = scope or anyio.CancelScope()
            self._arm(scope, seconds)
            return scope
        if scope is None:
            scope = self._kind()
        if seconds != NEVER:
            due = self._due[scope] = loop.time() + seconds
            if due < self._next:
                self._wake(loop, due)
        return scope

    def left(self, scope: anyio.CancelScope) -> None:
        """Forget *scope*."""
        self._due.pop(scope, None)

    def _takes(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Come under *loop* where it runs the caller and no other one has scopes here."""
        is_its = anyio.lowlevel.current_token().native_token is loop  # or trio is its guest
        if not self._is_shared or self._due or not is_its:
            return False
        self._loop, self._timer, self._next = loop, None, NEVER
        self._kind = type(anyio.CancelScope())  # finding it is a third of what a scope costs
        return True

    def _wake(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next, self._timer = due, loop.call_at(due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:  # another has scopes here by now, maybe in another thread
            return
        now, self._next, self._timer = loop.time(), NEVER, None
        for scope, due in tuple(self._due.items()):
            if due <= now:
                self.left(scope)
                scope.cancel()
        if self._due:
            self._wake(loop, min(self._due.values()))


def armed(scope: anyio.CancelScope, seconds: float) -> None:
    """Cancel *scope* when *seconds* have gone by."""
    scope.deadline = anyio.current_time() + seconds
