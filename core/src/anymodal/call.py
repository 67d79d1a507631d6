"""
The way of one call.

    resolve    names become candidates, once; later calls find them in a dict
    admit      what a model is known not to do is refused before anything is sent
    attempt    each candidate in turn, under one cancel scope, until one answers
    account    usage, cost and times go into the record

A failure goes on to the next candidate only while the caller has seen nothing of
an answer, and only where `policy.failover` says that another may succeed. Every
error that leaves here carries the record.
"""

from __future__ import annotations

import datetime as dt
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar

import anyio

from . import errors as e
from .connection import Clock
from .doors import Door, Doors
from .failures import transport_errors
from .modalities import Modality
from .policy.failover import goes_on
from .registry import Registry
from .resolution import Row, retirement
from .specs import Deadlines, supports
from .usage import Attempt, CallWarning, Cost, Record, Usage, cost_of

__all__ = ["Call", "Facade", "ModelChoice", "Way"]

T = TypeVar("T")
RequestT = TypeVar("RequestT")
BoundT = TypeVar("BoundT")

ModelChoice: TypeAlias = str | Sequence[str] | None
"""A name, several in order of preference, or None for the default."""

Candidate: TypeAlias = Row | e.AnymodalError

REMEMBERED_NAMES: Final = 1000
"""Names that are not resolved again; callers may make up new ones without end."""

NO_END: Final = float("inf")
NO_WORD: Final = Deadlines()
FAILED: Final = Cost(None, "the call failed")
LEFT: Final = Cost(None, "the answer was not read to its end")


class Way:
    """What all calls of one client share: names resolved so far, open doors, the clock."""

    def __init__(self, registry: Registry, doors: Doors, clock: Clock) -> None:
        self.registry = registry
        self.doors = doors
        self.clock = clock
        self._resolved: dict[tuple[str, str | None], tuple[Row, ...]] = {}

    def candidates(self, model: ModelChoice, modality: str) -> Iterable[Candidate]:
        """
        Return who may serve *model*, in order; a name that nobody serves is its error.

        The second and further names are resolved when they are come to.
        """
        if model is None or isinstance(model, str):
            settings = self.registry.settings
            further = settings.fallbacks.get(model or settings.defaults.get(modality, ""))
            if not further:
                return self._resolve(model, modality)
            names: Sequence[str | None] = (model, *further)
        else:
            names = tuple(model) if isinstance(model, Sequence) else ()
            if not names or not all(isinstance(name, str) for name in names):
                msg = f"model: a name or a sequence of names is needed, not {model!r}."
                return (e.InvalidRequestError(msg, field="model"),)
        return (one for name in names for one in self._resolve(name, modality))

    def _resolve(self, name: str | None, modality: str) -> Iterable[Candidate]:
        found = self._resolved.get((modality, name))
        if found is None:
            decision = self.registry.explain(name, modality=modality)
            if decision.error is not None:
                return (decision.error,)
            found = decision.winners
            if len(self._resolved) >= REMEMBERED_NAMES:
                self._resolved.clear()
            self._resolved[modality, name] = found
        return found

    def forget(self) -> None:
        """Resolve every name anew, as after a reload."""
        self._resolved.clear()


class Call:
    """
    One call under way.

    Args:
        way: What the client's calls share.
        modality: The kind of work.
        operation: Such as `generate`.
        timeout: Seconds in all, or `Deadlines`; None for the instance's own.
        tags: The caller's own words, for the record.
    """

    __slots__ = ("_given", "_row", "_started", "_way", "deadlines", "record")

    def __init__(
        self,
        way: Way,
        modality: str,
        operation: str,
        *,
        timeout: float | Deadlines | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        way.doors.check_open()
        self._way = way
        self._given = _deadlines(timeout)
        self._started = way.clock.now()
        self.deadlines = self._given or NO_WORD
        scope = way.registry.scope
        self.record = Record(
            os.urandom(16).hex(),
            modality,
            operation,
            started_at=dt.datetime.now(dt.UTC),
            tags={**scope.tags, **tags} if tags else dict(scope.tags),
            scope=scope.name,
        )

    async def run(
        self,
        model: ModelChoice,
        request_of: Callable[[Row], RequestT],
        attempt: Callable[[Door, RequestT], Awaitable[T]],
        *,
        bind: Callable[[Any], object],
        needs_of: Callable[[RequestT], Sequence[str]],
        opens_stream: bool = False,
    ) -> T:
        """
        Return what the first candidate gives that answers.

        Args:
            model: What the caller asked for.
            request_of: Makes the request for a candidate.
            attempt: Sends it, under the deadline.
            bind: Makes `Door.bound` of a provider.
            needs_of: What a request needs of a model, as capabilities.
            opens_stream: Whether *attempt* ends with the first event, which
                `Deadlines.first` then bounds as well.

        Raises:
            AnymodalError: The only candidate's error, or `FallbackExhaustedError`
                with one of each.
        """
        failures: list[e.AnymodalError] = []
        for candidate in self._way.candidates(model, self.record.modality):
            started = self._way.clock.now()
            try:
                if isinstance(candidate, e.AnymodalError):
                    raise candidate  # noqa: TRY301  # a name that nobody serves fails like an attempt
                self._goes_to(candidate)
                request = request_of(candidate)
                self._admit(candidate, needs_of(request))
                door = self._way.doors.get(candidate.offer)
                if door is None:
                    door = await self.within(self._way.doors.open(candidate.offer, bind), None)
                seconds = self.deadlines.first if opens_stream else None
                answer = await self.within(attempt(door, request), seconds)
            except Exception as error:
                self._failed(candidate, started, error)
                if not isinstance(error, e.AnymodalError):
                    raise
                failures.append(error)
                if not goes_on(error):
                    raise
            else:
                self.record.attempts.append(self._attempt(candidate, started))
                return answer
        if len(failures) == 1:
            raise failures[0]
        exhausted = e.FallbackExhaustedError(failures)
        exhausted.record = self.record
        raise exhausted

    def _goes_to(self, row: Row) -> None:
        offer, model, record = row.offer, row.model, self.record
        self._row = row
        record.provider, record.instance = offer.spec.id, offer.instance
        record.model, record.plugin = model.id, offer.plugin
        record.request_id = None
        if self._given is None:
            self.deadlines = offer.deadlines

    def _admit(self, row: Row, needs: Sequence[str]) -> None:
        """Refuse what the model is known not to do; warn of what may not last."""
        offer, model = row.offer, row.model
        for need in needs:
            if supports(offer.spec, model, need) is False:
                msg = f"{offer.instance}/{model.id} is known not to have {need}."
                raise e.UnsupportedFeatureError(msg)
        if not model.listed:
            self._warn("model", f"{offer.spec.id} lists no model {model.id!r}; sent as it is")
        elif model.lifecycle.state == "deprecated":
            self._warn("model", f"{model.id} is deprecated: {retirement(model)}")

    def _warn(self, setting: str, message: str) -> None:
        self.record.warnings.append(CallWarning(setting, message))

    async def within(self, doing: Awaitable[T], seconds: float | None) -> T:
        """
        Await *doing* for at most *seconds*, and to the end of the whole call.

        Raises:
            TimedOutError: *seconds* went by.
            DeadlineExceededError: The whole call's time did.
        """
        left = self._left()
        limit = left if seconds is None else min(seconds, left)
        with anyio.CancelScope(deadline=anyio.current_time() + limit):
            try:
                return await doing
            except e.AnymodalError:
                raise
            except Exception:
                with transport_errors(self.record.instance):
                    raise
        raise self._late(limit, whole=limit == left)

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

    def _attempt(
        self, row: Candidate, started: float, error: e.AnymodalError | None = None
    ) -> Attempt:
        seconds = self._way.clock.now() - started
        if isinstance(row, e.AnymodalError):
            return Attempt("", "", "", seconds, error)
        return Attempt(row.offer.spec.id, row.offer.instance, row.model.id, seconds, error)

    def _failed(self, row: Candidate, started: float, error: Exception) -> None:
        record = self.record
        record.seconds = self._way.clock.now() - self._started
        record.cost = FAILED
        if not isinstance(error, e.AnymodalError):
            return
        error.record = record
        if isinstance(error, e.VendorError):
            record.request_id = error.request_id
            error.provider = error.provider or record.provider
        record.attempts.append(self._attempt(row, started, error))

    def failed_late(self, error: e.AnymodalError) -> None:
        """Note that an answer that had begun broke with *error*."""
        began = self.record.attempts.pop()
        self._failed(self._row, self._way.clock.now() - began.seconds, error)

    def left_early(self) -> None:
        """Note that the caller did not wait for the end of an answer."""
        self.record.seconds = self._way.clock.now() - self._started
        self.record.cost = LEFT

    def saw_first_event(self) -> None:
        """Note the time to the first event."""
        self.record.first_event_seconds = self._way.clock.now() - self._started

    def account(self, usage: Usage | None, request_id: str | None) -> None:
        """Note what was used, what it cost, and that the answer is whole."""
        record = self.record
        record.usage = usage
        record.cost = cost_of(usage, self._row.model.prices)
        record.request_id = request_id
        record.seconds = self._way.clock.now() - self._started


def _deadlines(timeout: float | Deadlines | None) -> Deadlines | None:
    if timeout is None or isinstance(timeout, Deadlines):
        return timeout
    try:
        return Deadlines(total=timeout)
    except ValueError as error:
        msg = f"{error}."
        raise e.InvalidRequestError(msg, field="timeout") from None


class Facade(ABC, Generic[BoundT]):
    """
    Base of what `client[modality]` gives.

    A modality's own facade subclasses this, says what it binds, and runs its
    operations through `call`.
    """

    modality: ClassVar[Modality[Any]]

    def __init__(self, way: Way) -> None:
        self._way = way

    def call(
        self,
        operation: str,
        *,
        timeout: float | Deadlines | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Call:
        """
        Begin a call.

        Raises:
            ConfigurationError: The client is not open.
            InvalidRequestError: *timeout* is no time.
        """
        return Call(self._way, self.modality.name, operation, timeout=timeout, tags=tags)

    @abstractmethod
    def bind(self, provider: Any) -> BoundT:
        """Return what this facade calls of *provider*; asked once per connection."""
