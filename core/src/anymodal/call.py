"""
The way of one call.

    resolve    names become candidates, once; later calls find them in a dict
    admit      what a model is known not to do is refused before anything is sent,
               and what the call is expected to cost is kept back from its budgets
    attempt    each candidate in turn: limiter, breaker, one cancel scope; again where
               `policy.retry` says so, until one answers
    account    usage, cost and times go into the record, and observers are told

A failure goes on to the next candidate only while the caller has seen nothing of
an answer, and only where `policy.failover` says that another may succeed. Every
error that leaves here carries the record.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

import anyio

from . import errors as e
from .doors import Door
from .events import AttemptFailed, CallEnded, CallStarted, FirstEvent
from .failures import transport_errors
from .policies import Policy
from .policy.budget import Purse
from .policy.failover import goes_on
from .resolution import Row, retirement
from .specs import Deadlines, supports
from .stake import Stake
from .usage import Attempt, CallWarning, Cost, Record, Usage, cost_of
from .way import DEFAULT_RULES, Candidate, Middleware, ModelChoice, Sought, Way

__all__ = ["Call", "ModelChoice", "Sought", "Way"]

T = TypeVar("T")
RequestT = TypeVar("RequestT")

NO_END: Final = float("inf")
NO_WORD: Final = Deadlines()
FAILED: Final = Cost(None, "the call failed")
LEFT: Final = Cost(None, "the answer was not read to its end")
UNASKED: Final = Cost(None, "no provider was asked")
UNCOUNTED: Final = Cost(None, "what was used was not counted")


class EjectedError(Exception):
    """A candidate was put at the end of the line."""


class Call:
    """
    One call under way.

    Args:
        way: What the client's calls share.
        modality: The kind of work.
        operation: Such as `generate`.
        timeout: Seconds in all, or `Deadlines`; None for the policy's or instance's.
        policy: Over that of the instance.
        tags: The caller's own words, for the record.

    Attributes:
        asked: What the caller asked for, as the facade has it. Middleware may put
            another in its place.
        deadlines: How long it may take.
        record: What is known about it so far.
        request: The last request that was made of it.
    """

    __slots__ = (
        "_began", "_door", "_ejected", "_given", "_is_told", "_looks", "_policy", "_purse", "_stake",
        "_started", "_way", "asked", "deadlines", "record", "request",
    )  # fmt: skip

    def __init__(
        self,
        way: Way,
        modality: str,
        operation: str,
        *,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        way.doors.check_open()
        self._way = way
        self._policy = policy
        self._began = self._started = way.clock.now()
        self._is_told = False
        self._purse: Purse = {}
        self._ejected: list[Row] = []
        self._stake: Stake | None = None
        self._looks = way.doors.looks
        self._door: Door | None = None  # held to the end, so that it is not closed before
        self.asked: Any = None
        self.request: Any = None
        scope = way.registry.scope
        self.record = Record(
            os.urandom(16).hex(),
            modality,
            operation,
            started_at=dt.datetime.now(dt.UTC),
            tags={**scope.tags, **tags} if tags else dict(scope.tags),
            scope=scope.name,
        )
        self._given = _deadlines(timeout, self.record)
        self.deadlines = self._given or NO_WORD

    # -- all of it, seen from outside -----------------------------------------------------

    async def through(
        self, proceed: Callable[[Call], Awaitable[T]], *, opens_stream: bool = False
    ) -> T:
        """
        Return what *proceed* gives, with the middleware around it; observers are told.

        Args:
            proceed: Does the work.
            opens_stream: Whether the outcome is a stream, which says itself when
                it has ended.
        """
        way = self._way
        if way.tell is None and not way.middleware:
            return await proceed(self)
        if way.tell is not None:
            way.tell(CallStarted(self.record, self.asked))
        for middleware in reversed(way.middleware):
            proceed = _around(middleware, proceed)
        try:
            outcome = await proceed(self)
        except BaseException as error:
            if isinstance(error, e.AnymodalError) and error.record is None:
                error.record = self.record
            self.ended(error=error)
            raise
        if not opens_stream:
            self.ended(outcome)
        return outcome

    @property
    def is_watched(self) -> bool:
        """Whether anybody is told of it."""
        return self._way.tell is not None

    def ended(self, answer: object = None, *, error: BaseException | None = None) -> None:
        """Tell observers, once, that it is over."""
        if self._way.tell is not None and not self._is_told:
            self._is_told = True
            if self.record.seconds is None:
                self.record.seconds = self._way.clock.now() - self._started
                self.record.cost = UNASKED
            self._way.tell(CallEnded(self.record, self.request, answer, error))

    # -- from candidate to candidate ------------------------------------------------------

    async def run(
        self,
        model: ModelChoice | Sought | Sequence[Sought],
        request_of: Callable[[Row], RequestT],
        attempt: Callable[[Door, RequestT], Awaitable[T]],
        *,
        bind: Callable[[Any], object],
        needs_of: Callable[[RequestT], Sequence[str]],
        weigh: Callable[[RequestT], Usage] | None = None,
        opens_stream: bool = False,
        is_repeatable: bool = True,
    ) -> T:
        """
        Return what the first candidate gives that answers.

        Args:
            model: What the caller asked for.
            request_of: Makes the request for a candidate.
            attempt: Sends it, under the deadline.
            bind: Makes `Door.bound` of a provider.
            needs_of: What a request needs of a model, as capabilities.
            weigh: What a request is expected to use, for limits and budgets.
            opens_stream: Whether *attempt* ends with the first event, which
                `Deadlines.first` then bounds as well.
            is_repeatable: Whether it may be sent again where its outcome is unknown;
                False for what makes something at the vendor's.

        Raises:
            AnymodalError: The only candidate's error, or `FallbackExhaustedError`
                with one of each.
        """
        failures: list[e.AnymodalError] = []
        self._ejected = []
        way = self._way
        for candidate in chain(way.candidates(model, self.record.modality), self._ejected):
            self._began = way.clock.now()
            warned = len(self.record.warnings)
            try:
                if isinstance(candidate, e.AnymodalError):
                    raise candidate  # noqa: TRY301  # a name that nobody serves fails like an attempt
                stake = self._goes_to(candidate)
                self._turn_away(stake)
                request = self.request = request_of(candidate)
                self._admit(candidate, needs_of(request))
                if weigh is not None and (stake.plan.budgets or stake.plan.is_limited):
                    await stake.keep_back(weigh(request), self.record.tags)
                return await self._answer(
                    stake, attempt, request, bind, opens_stream=opens_stream, again=is_repeatable
                )
            except EjectedError:
                del self.record.warnings[warned:]
                await stake.give_back(self)
            except BaseException as error:
                self._failed(candidate, error)
                if self._stake is not None:
                    await self._stake.give_back(self)
                if not isinstance(error, e.AnymodalError):
                    raise
                failures.append(error)
                if not self._goes_on(error):
                    raise
        if len(failures) == 1:
            raise failures[0]
        exhausted = e.FallbackExhaustedError(failures)
        exhausted.record = self.record
        raise exhausted

    def _goes_on(self, error: e.AnymodalError) -> bool:
        rules = DEFAULT_RULES if self._stake is None else self._stake.plan.rules
        return goes_on(error, on_filtered=rules.on_filtered)

    def _goes_to(self, row: Row) -> Stake:
        offer, model, record = row.offer, row.model, self.record
        plan = self._way.plan(offer)
        if self._policy is not None:
            plan = plan.under(self._policy, self._purse)
        stake = self._stake = Stake(self._way, plan, row)
        record.provider, record.instance = offer.spec.id, offer.instance
        record.model, record.plugin = model.id, offer.plugin
        record.request_id = None
        if self._given is None:
            self.deadlines = plan.deadlines
        return stake

    def _turn_away(self, stake: Stake) -> None:
        """
        See to it that a candidate is not asked in its turn where its circuit is open.

        It is put at the end of the line, unless the policy wants a refusal.

        Raises:
            EjectedError: It was.
            CircuitOpenError: The policy does.
        """
        row, plan = stake.row, stake.plan
        breaker, circuit = plan.rules.breaker, plan.standing.circuit
        if circuit.opened_at is None or circuit.prober is self:
            return
        if any(row is one for one in self._ejected):
            return
        if circuit.admits(breaker, self._way.clock.now(), self):
            self._way.changed(plan)
            return
        msg = f"{row.offer.instance} failed too often of late; it is left alone for {breaker.rest:g} s."
        error = e.CircuitOpenError(msg)
        if breaker.refuses:
            raise error
        self._ejected.append(row)
        self.record.attempts.append(self._attempt(row, error))
        raise EjectedError

    def _admit(self, row: Row, needs: Sequence[str]) -> None:
        """Refuse what the model is known not to do; warn of what may not last."""
        offer, model = row.offer, row.model
        for need in needs:
            if supports(offer.spec, model, need) is False:
                msg = f"{offer.instance}/{model.id} is known not to have {need}."
                raise e.UnsupportedFeatureError(msg)
        if not model.listed:
            self._warn("model", f"{offer.spec.id} lists no model {model.id!r}; sent as it is")
        if model.lifecycle.state == "deprecated":
            self._warn("model", f"{model.id} is deprecated: {retirement(model)}")

    def _warn(self, setting: str, message: str) -> None:
        self.record.warnings.append(CallWarning(setting, message))

    # -- from attempt to attempt ----------------------------------------------------------

    async def _answer(
        self,
        stake: Stake,
        attempt: Callable[[Door, RequestT], Awaitable[T]],
        request: RequestT,
        bind: Callable[[Any], object],
        *,
        opens_stream: bool,
        again: bool,
    ) -> T:
        """Return what the present candidate gives, asking it again where that may help."""
        way, row, plan, record = self._way, stake.row, stake.plan, self.record
        offer, tried, warned, is_renewed = row.offer, 0, len(record.warnings), False
        while True:
            tried += 1
            stake.begin()
            try:
                if plan.is_limited or tried > 1:
                    await self._take_turn(stake, is_first=tried == 1)
                door = way.doors.get(offer)
                if door is None:
                    door = await self.within(way.doors.open(offer, bind, self._looks), None)
                self._door = door
                stake.is_asked = True
                seconds = self.deadlines.first if opens_stream else None
                answer = await self.within(attempt(door, request), seconds)
            except BaseException as error:
                stake.failed(error, self)
                wait = stake.wait_after(error, tried=tried, left=self._left(), again=again)
                if isinstance(error, e.AuthenticationError) and not is_renewed and self._door:
                    is_renewed = await self.within(way.doors.refreshed(self._door), None)
                    wait = 0.0 if is_renewed else None
                if wait is None:
                    raise
                self._failed(row, error, wait)
                del record.warnings[warned:]
                await way.clock.sleep(wait)
                self._began = way.clock.now()
            else:
                if not opens_stream:
                    stake.leave()
                    record.seconds, record.cost = way.clock.now() - self._started, UNCOUNTED
                if not opens_stream or plan.standing.circuit.opened_at is not None:
                    stake.answered()
                record.attempts.append(self._attempt(row))
                return answer

    async def _take_turn(self, stake: Stake, *, is_first: bool) -> None:
        has_waited = stake.plan.is_limited and not stake.take()
        if has_waited:
            await self.within(stake.wait(self._left), None)
        if has_waited or not is_first:  # the circuit may have been opened meanwhile
            self._turn_away(stake)

    async def again(self) -> None:
        """
        Wait until the present attempt may send one request more, beside those that it sent.

        Raises:
            RateLimitedError: Its instance's limit is reached for longer than the call may take.
        """
        await self.within(self._present.wait_again(self._left), None)

    def at_once(self, most: int) -> int:
        """Return how many requests the present attempt may have under way, *most* at most."""
        return most if self._present.plan.rules.limits.concurrency is None else 1

    @property
    def _present(self) -> Stake:
        assert self._stake is not None  # a candidate is being asked, or has answered
        return self._stake

    async def within(
        self, doing: Awaitable[T], seconds: float | None, scope: anyio.CancelScope | None = None
    ) -> T:
        """
        Await *doing* for at most *seconds*, and to the end of the whole call.

        Args:
            doing: What is done.
            seconds: How long it may take.
            scope: Where it is awaited, for who wants to break it off.

        Raises:
            TimedOutError: *seconds* went by.
            DeadlineExceededError: The whole call's time did.
        """
        left = self._left()
        limit = left if seconds is None else min(seconds, left)
        alarms = self._way.alarms
        scope = alarms.set(scope, limit)
        with scope:
            try:
                return await doing
            except e.AnymodalError:
                raise
            except Exception:
                with transport_errors(self.record.instance):
                    raise
            finally:
                alarms.left(scope)
        raise self._late(limit, whole=limit == left)

    def arm(self, scope: anyio.CancelScope, seconds: float) -> None:
        """Cancel *scope* when *seconds* have gone by on the client's clock."""
        self._way.arm(scope, seconds)

    def _left(self) -> float:
        total = self.deadlines.total
        return NO_END if total is None else self._started + total - self._way.clock.now()

    def _late(self, limit: float, *, whole: bool) -> e.AnymodalError:
        record = self.record
        where = f"{record.instance}/{record.model}"
        error: e.AnymodalError
        if whole:
            msg = f"{where}: no whole answer in {self.deadlines.total:g} s."
            error = e.DeadlineExceededError(msg)
        else:
            msg = f"{where}: nothing came for {limit:g} s."
            error = e.TimedOutError(msg, provider=record.provider)
        error.record = record
        return error

    def _attempt(self, row: Candidate, error: e.AnymodalError | None = None) -> Attempt:
        seconds = self._way.clock.now() - self._began
        if isinstance(row, e.AnymodalError):
            return Attempt("", "", "", seconds, error)
        return Attempt(row.offer.spec.id, row.offer.instance, row.model.id, seconds, error)

    def _failed(self, row: Candidate, error: BaseException, wait: float | None = None) -> None:
        record = self.record
        record.seconds = self._way.clock.now() - self._started
        record.cost = FAILED if isinstance(error, Exception) else LEFT
        if not isinstance(error, e.AnymodalError):
            return
        error.record = record
        if isinstance(error, e.VendorError):
            record.request_id = error.request_id
            error.provider = error.provider or record.provider
        attempt = self._attempt(row, error)
        record.attempts.append(attempt)
        if self._way.tell is not None:
            self._way.tell(AttemptFailed(record, attempt, wait))

    # -- what it used, and its end --------------------------------------------------------

    async def settle(self) -> None:
        """Put what was used in place of what was kept back; after `account`."""
        await self._present.settle(self.record.usage, self.record.cost)

    def failed_late(self, error: e.AnymodalError) -> None:
        """Note that an answer that had begun broke with *error*."""
        began = self.record.attempts.pop()
        self._began = self._way.clock.now() - began.seconds
        self._present.failed(error, self)
        self._failed(self._present.row, error)

    def left_early(self) -> None:
        """Note that the caller did not wait for the end of an answer."""
        self._present.leave()
        self._present.answered()
        self.record.seconds = self._way.clock.now() - self._started
        self.record.cost = LEFT

    def saw_first_event(self) -> None:
        """Note the time to the first event."""
        self.record.first_event_seconds = self._way.clock.now() - self._started
        if self._way.tell is not None:
            self._way.tell(FirstEvent(self.record))

    def account(self, usage: Usage | None, request_id: str | None) -> None:
        """Note what was used, what it cost, and that the answer is whole."""
        record = self.record
        record.usage = usage
        record.cost = cost_of(usage, self._present.row.model.prices)
        record.request_id = request_id
        record.seconds = self._way.clock.now() - self._started
        self._present.used(usage)


def _around(
    middleware: Middleware, proceed: Callable[[Call], Awaitable[T]]
) -> Callable[[Call], Awaitable[T]]:
    return lambda call: middleware.around(call, proceed)


def _deadlines(timeout: float | Deadlines | None, record: Record) -> Deadlines | None:
    if timeout is None or isinstance(timeout, Deadlines):
        return timeout
    try:
        return Deadlines(total=timeout)
    except ValueError as error:
        found = e.InvalidRequestError(f"{error}.", field="timeout")
        found.record = record
        raise found from None
