"""How much is sent to one instance, and who waits for his turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import anyio
import attrs

from ..connection import Clock
from ..policies import Limits

__all__ = ["Limiter", "Ticket", "TooLongError"]

MINUTE: Final = 60.0
UNTIL_FREED: Final = float("inf")


class TooLongError(Exception):
    """
    A call would wait longer than it may.

    Attributes:
        seconds: How long that is.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@attrs.define(eq=False)
class Ticket:
    """
    A call that was let in.

    Attributes:
        at: When.
        tokens: What it uses: a guess, until it is settled.
        is_in: Whether it is still there.
        is_counted: Whether it is among those of the last minute.
    """

    at: float
    tokens: int
    is_in: bool = True
    is_counted: bool = False


class Limiter:
    """
    Lets calls into one instance, in the order in which they came.

    The limits hold for any sixty seconds, so a burst goes out at once and the next
    has to wait. Where nobody waits and there is room, nothing is awaited.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: deque[Ticket] = deque()
        self._tokens = 0
        self._queue: deque[anyio.Event] = deque()
        self._freed: anyio.Event | None = None
        self.running = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def wait_for(self, limits: Limits, tokens: int) -> float:
        """
        Return the seconds until a call of *tokens* may go; infinite is until another ends.

        One that is larger than a minute's tokens goes when it has a minute to itself.
        """
        now, sent = self._clock.now(), self._sent
        while sent and now >= sent[0].at + MINUTE:
            self._tokens -= sent[0].tokens
            sent.popleft().is_counted = False
        if limits.concurrency is not None and self.running >= limits.concurrency:
            return UNTIL_FREED
        at = now
        if limits.requests is not None and len(sent) >= limits.requests:
            at = sent[len(sent) - limits.requests].at + MINUTE
        if limits.tokens is not None and self._tokens and self._tokens + tokens > limits.tokens:
            at = max(at, self._room_at(limits.tokens - tokens))
        return at - now

    def _room_at(self, most: int) -> float:
        """Return when no more than *most* tokens are left of the last minute."""
        left = self._tokens
        for ticket in self._sent:
            left -= ticket.tokens
            if left <= most:
                return ticket.at + MINUTE
        return self._sent[-1].at + MINUTE

    def take(self, limits: Limits, tokens: int) -> Ticket | None:
        """Let a call in where it need not wait, else return None."""
        if self._queue or self.wait_for(limits, tokens) > 0:
            return None
        return self._let_in(limits, tokens)

    def _let_in(self, limits: Limits, tokens: int) -> Ticket:
        ticket = Ticket(self._clock.now(), tokens)
        self.running += 1
        if limits.requests is not None or limits.tokens is not None:
            self._sent.append(ticket)
            ticket.is_counted = True
            self._tokens += tokens
        return ticket

    async def wait(self, limits: Limits, tokens: int, left: Callable[[], float]) -> Ticket:
        """
        Let a call in when it is its turn.

        Args:
            limits: What holds for it.
            tokens: What it will use, as far as that is known.
            left: Gives the seconds that it has.

        Raises:
            TooLongError: It would have to wait longer than that.
        """
        turn = anyio.Event()
        self._queue.append(turn)
        try:
            if self._queue[0] is not turn:
                await turn.wait()
            while (seconds := self.wait_for(limits, tokens)) > 0:
                if seconds != UNTIL_FREED and seconds > left():
                    raise TooLongError(seconds)
                await self._pause(seconds)
            return self._let_in(limits, tokens)
        finally:
            self._queue.remove(turn)
            if self._queue:
                self._queue[0].set()

    async def _pause(self, seconds: float) -> None:
        """Wait that long, or until a call ends, or turns out to have used less."""
        freed = self._freed = anyio.Event()
        if seconds == UNTIL_FREED:
            await freed.wait()
            return

        async def wake() -> None:
            await self._clock.sleep(seconds)
            freed.set()

        async with anyio.create_task_group() as group:
            group.start_soon(wake)
            await freed.wait()
            group.cancel_scope.cancel()

    async def wait_again(self, limits: Limits, left: Callable[[], float]) -> None:
        """
        Let a call that is in send a further request when the rate allows it.

        It does not queue: who holds a place must not wait for those who wait for one.

        Raises:
            TooLongError: It would have to wait longer than *left* gives.
        """
        rate = Limits(requests=limits.requests)
        while (seconds := self.wait_for(rate, 0)) > 0:
            if seconds > left():
                raise TooLongError(seconds)
            await self._clock.sleep(seconds)
        self.leave(self._let_in(rate, 0))

    def leave(self, ticket: Ticket, *, was_used: bool = True) -> None:
        """Note, once, that a call has ended; one that sent nothing counts for no minute."""
        if ticket.is_in:
            ticket.is_in = False
            self.running -= 1
            if ticket.is_counted and not was_used:
                ticket.is_counted = False
                self._tokens -= ticket.tokens
                self._sent.remove(ticket)
            if self._freed is not None:
                self._freed.set()

    def settle(self, ticket: Ticket, tokens: int) -> None:
        """Note what a call used."""
        if ticket.is_counted:
            change = tokens - ticket.tokens
            self._tokens += change
            ticket.tokens = tokens
            if change < 0 and self._freed is not None:
                self._freed.set()
