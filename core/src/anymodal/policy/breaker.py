"""Circuits: who failed so often that others are asked first."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

from .. import errors as e
from ..policies import Breaker

__all__ = ["Circuit", "CircuitState", "is_to_blame"]

CircuitState: TypeAlias = Literal["closed", "open", "half-open"]

_BLAMED: Final = (
    e.ConnectionFailedError,
    e.DeadlineExceededError,
    e.IncompleteError,
    e.MalformedReplyError,
    e.OutcomeUnknownError,
    e.OverloadedError,
    e.ServerError,
    e.TimedOutError,
)


def is_to_blame(error: BaseException) -> bool:
    """Whether *error* tells of a vendor that is not well, and not of a bad request or key."""
    return isinstance(error, _BLAMED)


@attrs.define(eq=False)
class Circuit:
    """
    What one instance's answers in one kind of work came to of late.

    Time is given; nothing here waits. The counts are those of the present window
    and of the one before it.

    Attributes:
        in_a_row: Failures since the last answer.
        opened_at: When it was opened; None while it is closed.
        prober: The call under way that will tell, whatever the others come to.
    """

    in_a_row: int = 0
    opened_at: float | None = None
    prober: object = None
    _since: float = float("-inf")
    _calls: int = 0
    _failed: int = 0
    _calls_before: int = 0
    _failed_before: int = 0

    def state(self, breaker: Breaker, now: float) -> CircuitState:
        """Return what it is."""
        if self.opened_at is None:
            return "closed"
        return "half-open" if now - self.opened_at >= breaker.rest else "open"

    def admits(self, breaker: Breaker, now: float, call: object) -> bool:
        """Return whether *call* may go there in its turn; the one that tells is noted."""
        if self.opened_at is None:
            return True
        if self.prober is not None or now - self.opened_at < breaker.rest:
            return False
        self.prober = call
        return True

    def answered(self, breaker: Breaker, now: float) -> bool:
        """Note an answer, and return whether that closed it."""
        self._roll(breaker, now)
        self._calls += 1
        self.in_a_row = 0
        self.prober = None
        if self.opened_at is None:
            return False
        self.opened_at = None
        self._calls = self._failed = self._calls_before = self._failed_before = 0
        return True

    def failed(self, breaker: Breaker, now: float, call: object = None) -> bool:
        """Note that *call* failed, and return whether that opened it, anew or again."""
        self._roll(breaker, now)
        self._calls += 1
        self._failed += 1
        self.in_a_row += 1
        if self.opened_at is not None:
            if self.prober is None or self.prober is not call:
                return False
            self.prober = None
            self.opened_at = now
            return True
        if not self._is_too_much(breaker):
            return False
        self.opened_at = now
        return True

    def left(self, call: object) -> None:
        """Note that *call* ended without telling anything."""
        if self.prober is call:
            self.prober = None

    def share_failed(self, breaker: Breaker, now: float) -> float | None:
        """Return the share of failures of late; None where there were no calls."""
        self._roll(breaker, now)
        calls = self._calls + self._calls_before
        return (self._failed + self._failed_before) / calls if calls else None

    def _is_too_much(self, breaker: Breaker) -> bool:
        if breaker.failures is not None and self.in_a_row >= breaker.failures:
            return True
        calls = self._calls + self._calls_before
        if breaker.rate is None or calls < breaker.floor:
            return False
        return self._failed + self._failed_before >= breaker.rate * calls

    def _roll(self, breaker: Breaker, now: float) -> None:
        """Let what is older than the windows go."""
        age = now - self._since
        if age < breaker.window:
            return
        is_next = age < 2 * breaker.window
        self._calls_before = self._calls if is_next else 0
        self._failed_before = self._failed if is_next else 0
        self._calls = self._failed = 0
        self._since = self._since + breaker.window if is_next else now
