"""Whether a failed attempt is made again, and when."""

from __future__ import annotations

import math
from typing import Final

from .. import errors as e
from ..policies import Retry

__all__ = ["Allowance", "wait_before"]

_SAID_SO: Final = (e.OverloadedError, e.RateLimitedError)
"""The vendor did not begin."""


def wait_before(
    retry: Retry,
    error: Exception,
    *,
    tried: int,
    chance: float,
    left: float,
    repeatable: bool = True,
) -> float | None:
    """
    Return the seconds until the next attempt, or None where there is to be none.

    Args:
        retry: What the policy says.
        error: How the last attempt ended.
        tried: How many there were so far.
        chance: A number from 0 to 1.
        left: Seconds until the call's deadline. A wait that leaves no time for the
            attempt itself is none.
        repeatable: Whether a request may be sent again though it may have taken
            effect; False for what makes something at the vendor's.
    """
    if tried >= retry.attempts or not _may_pass(retry, error, repeatable=repeatable):
        return None
    seconds = chance * _longest(retry, tried)
    asked = error.retry_after if isinstance(error, e.VendorError) else None
    if asked is not None:
        if asked > retry.patience:
            return None
        seconds += max(asked, 0.0)
    return seconds if seconds < left else None


def _may_pass(retry: Retry, error: Exception, *, repeatable: bool) -> bool:
    """Whether *error* may be gone in a while, and nothing is lost by asking again."""
    if isinstance(error, e.VendorError) and error.is_lasting:
        return False
    if isinstance(error, _SAID_SO):
        return True
    if isinstance(error, e.VendorError) and error.never_sent:
        return True
    if isinstance(error, e.ConnectionFailedError):
        return repeatable and retry.resend
    if isinstance(error, e.TimedOutError):
        # Without a status it is our own deadline: the vendor is at work, and is paid for it.
        return repeatable and error.status is not None
    return repeatable and isinstance(error, e.ServerError)


def _longest(retry: Retry, tried: int) -> float:
    """Return what the wait after *tried* attempts may be; a power would leave all numbers."""
    steps = math.log(retry.first) + (tried - 1) * math.log(retry.factor)
    if steps >= math.log(retry.longest):
        return retry.longest
    return min(math.exp(steps), retry.longest)


class Allowance:
    """
    How many failures a provider has had beyond its successes, as far as retries go.

    While half of a policy's `Retry.budget` or more is used up, nothing is retried.
    """

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0.0

    def answered(self, retry: Retry) -> None:
        """Note a success."""
        if self.used:
            self.used = max(self.used - retry.refill, 0.0)

    def failed(self, retry: Retry) -> bool:
        """Note a failure, and return whether it may be retried."""
        self.used = min(self.used + 1.0, retry.budget)
        return self.used < retry.budget / 2
