"""Which failures send a call on to its next candidate."""

from __future__ import annotations

from typing import Final, Literal

from .. import errors as e

__all__ = ["goes_on"]

_ELSEWHERE_MAY_WORK: Final = (
    e.ConnectionFailedError,
    e.TimedOutError,
    e.OverloadedError,
    e.ServerError,
    e.RateLimitedError,
    e.QuotaExceededError,
    e.CircuitOpenError,
    e.DisabledProviderError,
    e.MissingCredentialsError,
    e.AuthenticationError,
    e.NotFoundError,
    e.NothingFitsError,
    e.ContextLengthError,
)


def goes_on(error: e.AnymodalError, *, on_filtered: Literal["stop", "next"] = "stop") -> bool:
    """
    Whether another provider may succeed where one failed with *error*.

    A bad request is bad everywhere, a budget is spent everywhere, and what one
    vendor's filter refused is not shown to the next, unless *on_filtered* says so.
    """
    if isinstance(error, e.ContentFilteredError):
        return on_filtered == "next"
    return isinstance(error, _ELSEWHERE_MAY_WORK)
