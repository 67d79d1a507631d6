"""What a call does about failures, limits and money, as frozen values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import attrs
from attrs.validators import instance_of, optional

from .specs import Deadlines

__all__ = ["Breaker", "Budget", "Limits", "Policy", "Retry", "Rules"]


Check: TypeAlias = Callable[[Any, Any, Any], None]


def _needs(what: str, fits: Callable[[Any], bool]) -> Check:
    """Return a validator that says what is needed; of a string, which may be a key, not the string."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not fits(value):
            shown = repr(value) if isinstance(value, int | float) else type(value).__name__
            msg = f"{attribute.name}: {what} is needed, not {shown}"
            raise ValueError(msg)

    return check


def _is(what: str, fits: Callable[[object], bool]) -> Check:
    """Return a validator that never shows what it was given."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not fits(value):
            msg = f"{attribute.name}: {what} is needed"
            raise ValueError(msg)

    return check


def _or_none(check: Check) -> Check:
    return optional(check)


_text: Final = _is("a string", lambda value: isinstance(value, str))
_flag: Final = _is("true or false", lambda value: isinstance(value, bool))
_above_zero: Final = _needs("a number above 0", lambda value: 0 < value < math.inf)
_not_negative: Final = _needs("a number from 0 up", lambda value: 0 <= value < math.inf)
_one_or_more: Final = _needs("a number from 1 up", lambda value: 1 <= value < math.inf)
_share: Final = _needs("a number from 0 to 1", lambda value: 0 <= value <= 1)
_count: Final = _needs("a whole number above 0", lambda value: isinstance(value, int) and value > 0)


@attrs.frozen(kw_only=True)
class Retry:
    """
    When a failed attempt is made again, and how many of them there may be.

    The wait is left to chance: anything from nothing to *first*, then to twice that,
    and so on. What the vendor asks for by `Retry-After` is the least.

    Args:
        attempts: How often a candidate is asked in all; 1 is never again.
        first: Longest wait before the second attempt, in seconds.
        factor: How much longer it may be each time.
        longest: Longest wait that the vendor did not ask for, in seconds.
        patience: Longest wait that the vendor may ask for, in seconds; past it the
            error is raised at once, and carries the wait.
        budget: Failures that a provider may have before nothing is retried there.
            Each failure takes one away, each success gives *refill* back, and
            retries stop while half of it or less is left. So many callers at once
            cannot multiply the load of a vendor that is down.
        refill: Share of a failure that a success gives back.
        resend: Whether a request is sent again after its connection broke before the
            answer began. The vendor may have begun to work, and bill for it.
    """

    attempts: int = attrs.field(default=3, validator=_count)
    first: float = attrs.field(default=0.5, validator=_above_zero)
    factor: float = attrs.field(default=2.0, validator=_one_or_more)
    longest: float = attrs.field(default=8.0, validator=_above_zero)
    patience: float = attrs.field(default=60.0, validator=_not_negative)
    budget: float = attrs.field(default=10.0, validator=_above_zero)
    refill: float = attrs.field(default=0.1, validator=_share)
    resend: bool = attrs.field(default=True, validator=_flag)


@attrs.frozen(kw_only=True)
class Breaker:
    """
    When a provider is left alone for a while: its circuit is open.

    After *rest* seconds one call is let through; if it is answered, the circuit is
    closed again. Counted are failures of the vendor and of the way there, not
    refusals of a request, of a key or for too many requests.

    Args:
        failures: Failures in a row that open it; None is never.
        rate: Share of failures that opens it; None is never.
        floor: Calls within *window* below which the share says nothing.
        window: Seconds that the share looks back, at least; up to twice as many.
        rest: Seconds that it stays open.
        refuses: Whether a call ends with `CircuitOpenError` where nobody else
            answers. By default the open ones are then asked after all: who is
            ejected is asked last, and nobody's last candidate is kept from him.
    """

    failures: int | None = attrs.field(default=5, validator=_or_none(_count))
    rate: float | None = attrs.field(default=0.5, validator=_or_none(_share))
    floor: int = attrs.field(default=20, validator=_count)
    window: float = attrs.field(default=60.0, validator=_above_zero)
    rest: float = attrs.field(default=30.0, validator=_above_zero)
    refuses: bool = attrs.field(default=False, validator=_flag)


@attrs.frozen(kw_only=True)
class Limits:
    """
    How much is sent to one instance; None is no limit.

    Args:
        requests: In any minute.
        tokens: In any minute, estimated before and corrected after.
        concurrency: Calls at once, streams to their end.
    """

    requests: int | None = attrs.field(default=None, validator=_or_none(_count))
    tokens: int | None = attrs.field(default=None, validator=_or_none(_count))
    concurrency: int | None = attrs.field(default=None, validator=_or_none(_count))

    def over(self, other: Limits) -> Limits:
        """Return what is said here, and else what *other* says."""
        return Limits(
            requests=self.requests if self.requests is not None else other.requests,
            tokens=self.tokens if self.tokens is not None else other.tokens,
            concurrency=self.concurrency if self.concurrency is not None else other.concurrency,
        )


def _dollars(value: Decimal | float | str | None) -> Decimal | None:
    try:
        found = None if value is None or isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        found = Decimal("nan")
    if value is not None and (found is None or not found.is_finite() or found <= 0):
        msg = "usd: a number of dollars above 0 is needed"
        raise ValueError(msg)
    return found


@attrs.frozen(kw_only=True)
class Budget:
    """
    What calls may use together, reserved before a call and settled after it.

    The reserve is what the call is expected to cost: exact where it says
    `max_tokens`, else with a guess of a thousand tokens for the answer, past which
    calls that run at once may go.

    Args:
        usd: Dollars.
        tokens: Tokens, in and out together.
        per: Seconds after which it is full again, by the day of UTC for 86400; None
            is never.
        tag: Name of a tag of which each value has this much to itself. Calls without
            it are not counted.
        name: Under which it is kept in the client's store, so that it outlives the
            process and is shared by all that name it; in memory where empty.
        unknown: What to do with a call whose cost is not known beforehand: `refuse`
            or `allow` it, uncounted.
    """

    usd: Decimal | None = attrs.field(default=None, converter=_dollars)
    tokens: int | None = attrs.field(default=None, validator=_or_none(_count))
    per: float | None = attrs.field(default=None, validator=_or_none(_above_zero))
    tag: str = attrs.field(default="", validator=_text)
    name: str = attrs.field(default="", validator=_text)
    unknown: Literal["refuse", "allow"] = attrs.field(
        default="refuse", validator=_is("refuse or allow", ("refuse", "allow").__contains__)
    )


def _budgets(found: Budget | Iterable[Budget]) -> tuple[Budget, ...]:
    given = (found,) if isinstance(found, Budget) else found
    given = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(one, Budget) for one in given):
        msg = "budgets: a list of Budget is needed"
        raise TypeError(msg)
    return given


def _deadlines(said: Deadlines | float | None) -> Deadlines | None:
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return Deadlines(total=said) if is_number else said  # type: ignore[arg-type,return-value]  # a validator follows


@attrs.frozen(kw_only=True)
class Policy:
    """
    What to do about failures, limits and money. None is what the wider policy says.

    It may be set for a client, an instance, a modality and a call; the narrower wins,
    part by part. Only budgets add up: each of them that a call comes under has to
    have enough left.

    Args:
        retry: When a failed attempt is made again.
        breaker: When a provider is left alone.
        limits: How much is sent to an instance.
        budgets: What calls may use together.
        timeout: How long things may take: seconds in all, or `Deadlines`.
        on_filtered: Whether a call goes on to its `next` candidate where a vendor's
            filter refused the prompt; by default that is the end (`stop`), because
            what one vendor refused is not shown to others unasked.
    """

    retry: Retry | None = attrs.field(default=None, validator=optional(instance_of(Retry)))
    breaker: Breaker | None = attrs.field(default=None, validator=optional(instance_of(Breaker)))
    limits: Limits | None = attrs.field(default=None, validator=optional(instance_of(Limits)))
    budgets: tuple[Budget, ...] = attrs.field(default=(), converter=_budgets)
    timeout: Deadlines | None = attrs.field(
        default=None, converter=_deadlines, validator=optional(instance_of(Deadlines))
    )
    on_filtered: Literal["stop", "next"] | None = attrs.field(
        default=None, validator=_is("stop or next", ("stop", "next", None).__contains__)
    )

    def over(self, other: Policy) -> Policy:
        """Return what is said here, and else what *other* says; the budgets of both."""
        limits = self.limits
        if limits is not None and other.limits is not None:
            limits = limits.over(other.limits)
        return Policy(
            retry=self.retry or other.retry,
            breaker=self.breaker or other.breaker,
            limits=limits or other.limits,
            budgets=_both(other.budgets, self.budgets),
            timeout=self.timeout or other.timeout,
            on_filtered=self.on_filtered or other.on_filtered,
        )


@attrs.frozen
class Rules:
    """
    A policy in which everything is said: what holds for a call.

    Attributes:
        retry: When a failed attempt is made again.
        breaker: When a provider is left alone.
        limits: How much is sent to an instance.
        budgets: What calls may use together.
        timeout: How long things may take; None is what the provider's spec says.
        on_filtered: Whether a filtered call goes on.
    """

    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    limits: Limits = Limits()
    budgets: tuple[Budget, ...] = ()
    timeout: Deadlines | None = None
    on_filtered: Literal["stop", "next"] = "stop"

    def under(self, *policies: Policy | None) -> Rules:
        """Return what holds where *policies* say more, the later winning."""
        found = self
        for policy in policies:
            if policy is not None:
                found = Rules(
                    retry=policy.retry or found.retry,
                    breaker=policy.breaker or found.breaker,
                    limits=policy.limits.over(found.limits) if policy.limits else found.limits,
                    budgets=_both(found.budgets, policy.budgets),
                    timeout=policy.timeout or found.timeout,
                    on_filtered=policy.on_filtered or found.on_filtered,
                )
        return found


def _both(first: tuple[Budget, ...], then: tuple[Budget, ...]) -> tuple[Budget, ...]:
    return (*first, *(one for one in then if one not in first)) if then else first
