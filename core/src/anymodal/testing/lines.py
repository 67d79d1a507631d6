"""Events that one task gives and another reads, without anything to be closed."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Generic, TypeVar

import anyio

from .replies import fresh

__all__ = ["Line", "Paced"]

EventT = TypeVar("EventT")


class Line(Generic[EventT]):
    """Events in order, until it is ended; an exception among them is raised."""

    def __init__(self) -> None:
        self._ready: deque[EventT | BaseException] = deque()
        self._is_ended = False
        self._changed = anyio.Event()

    def put(self, *events: EventT | BaseException) -> None:
        """Let *events* be read."""
        self._ready.extend(events)
        self._changed.set()

    def close(self) -> None:
        """Let nothing come after what is there."""
        self._is_ended = True
        self._changed.set()

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        while not self._ready:
            if self._is_ended:
                raise StopAsyncIteration
            self._changed = anyio.Event()
            await self._changed.wait()
        found = self._ready.popleft()
        if isinstance(found, BaseException):
            raise fresh(found)
        return found


class Paced(Line[EventT]):
    """
    What is sent calls for events: one for each piece, and at its end all that are left.

    Args:
        events: What there is to say.
    """

    def __init__(self, events: Iterable[EventT | BaseException]) -> None:
        super().__init__()
        self._left = deque(events)

    async def send(self, _piece: object, /) -> None:
        """Take a piece, and say something."""
        if len(self._left) > 1:  # the last is for the end
            self.put(self._left.popleft())

    async def finish(self) -> None:
        """Say all that is left."""
        self.put(*self._left)
        self._left.clear()
        self.close()
