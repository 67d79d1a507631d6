"""Time that tests make."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 1000.0
        self.slept = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds
        await anyio.lowlevel.checkpoint()


class TurningClock:
    """
    Time for many tasks: it goes on to the next that sleeps when all others have had turns.

    Args:
        turns: How many, for each moment.
    """

    def __init__(self, turns=30):
        self.time = 0.0
        self._turns = turns
        self._sleeping = []
        self._count = 0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self._count += 1
        woken = anyio.Event()
        heapq.heappush(self._sleeping, (self.time + seconds, self._count, woken))
        await woken.wait()

    @asynccontextmanager
    async def turning(self) -> AsyncIterator[None]:
        """Let the time go on while the body runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._turn)
            yield
            group.cancel_scope.cancel()

    async def _turn(self):
        while True:
            for _ in range(self._turns):
                await anyio.lowlevel.checkpoint()
            if self._sleeping:
                self.time = max(self.time, self._sleeping[0][0])
            while self._sleeping and self._sleeping[0][0] <= self.time:
                heapq.heappop(self._sleeping)[2].set()
