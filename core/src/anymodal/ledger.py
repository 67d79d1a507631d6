"""The book of a client's jobs: under which key each was submitted, and how it stands."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias, TypeVar, cast

import anyio
import attrs

from . import errors as e
from .jobs import ENDED, PREFIX, JobState, JobToken
from .shielding import shielded
from .stores import MemoryStore, Store, Value
from .usage import CallWarning, Record

if TYPE_CHECKING:
    from types import TracebackType

    from .doors import Door

__all__ = ["KeptJob", "KeptState", "Ledger", "Submission", "fingerprint"]

AnswerT = TypeVar("AnswerT")
RequestT = TypeVar("RequestT")

KeptState: TypeAlias = JobState | Literal["submitting"]

KEPT_SECONDS: Final = 30 * 24 * 3600.0
"""How long a job, and its key, is known after it was seen to have ended."""

LONGEST_KEY: Final = 200
MOST_LIVE: Final = 10_000
"""Jobs that are counted; of more, the oldest are likely to be forgotten by everybody."""


@attrs.frozen(kw_only=True)
class KeptJob:
    """
    A job as the store has it.

    Attributes:
        key: What it was submitted with, or else the id of the call.
        state: As it was last seen. `submitting` is one whose making got no answer so
            far, or never will, because the process ended.
        modality: The kind of work.
        operation: Such as `batch`.
        instance: Where it was submitted to; empty while it is `submitting`.
        model: Model id as it was sent; likewise.
        submitted_at: When.
        token: The way back to it; None while it is `submitting`.
    """

    key: str
    state: KeptState
    modality: str
    operation: str
    instance: str
    model: str
    submitted_at: dt.datetime
    token: str | None = attrs.field(repr=False)


class Ledger:
    """
    The jobs of one client or tenant.

    Args:
        store: Gives the store in which the book is kept.
        scope: The tenant, whose jobs nobody else sees.
    """

    def __init__(self, store: Callable[[], Store], scope: str = "") -> None:
        self.store = store
        self.space = f"jobs/{scope}" if scope else "jobs"
        self.under_way: dict[str, anyio.Event] = {}
        """Keys that this client is submitting just now, and the end of that."""
        self._live: dict[str, tuple[str, str, str]] = {}

    async def all(self) -> tuple[KeptJob, ...]:
        """Return every job that is kept, the oldest first."""
        items = await self.store().items(self.space)
        found = (_kept(key, value) for key, value in items.items())
        return tuple(sorted(found, key=lambda one: (one.submitted_at, one.key)))

    async def find(self, name: str) -> KeptJob | None:
        """Return the job of that key or token; None where none is kept."""
        key = _key_of(JobToken.parse(name)) if name.startswith(PREFIX) else name
        value = await self.store().get(self.space, key)
        return None if value is None else _kept(key, value)

    async def token(self, key: str) -> str:
        """
        Return the token of the job of that key.

        Raises:
            InvalidRequestError: There is none.
            OutcomeUnknownError: No answer came when it was submitted.
        """
        found = await self.find(key)
        if found is None:
            msg = f"key: no job {key!r} is kept here; client.jobs.list() has those that are."
            raise e.InvalidRequestError(msg, field="key")
        if found.token is None:
            raise _unsettled(key, found.submitted_at.isoformat())
        return found.token

    async def forget(self, key: str) -> bool:
        """Drop a job, and free its key. Returns whether there was one."""
        return await self.store().delete(self.space, key)

    def counts(self) -> Mapping[tuple[str, str], Mapping[str, int]]:
        """
        Return how many jobs are queued and running, by modality and instance.

        They are those that this client submitted or asked for, as it saw them last.
        """
        found: dict[tuple[str, str], Counter[str]] = {}
        for modality, instance, state in self._live.values():
            found.setdefault((modality, instance), Counter(queued=0, running=0))[state] += 1
        return found

    def _count(self, token: JobToken, state: JobState) -> None:
        self._live.pop(token.call, None)
        if state not in ENDED:
            if len(self._live) >= MOST_LIVE:
                del self._live[next(iter(self._live))]
            self._live[token.call] = (token.modality, token.instance, state)

    async def began(self, token: JobToken, claim: Value, *, is_claimed: bool) -> None:
        """Keep a job that was made, in place of the *claim* that was put there for it."""
        self._count(token, "queued")
        said = {"state": "queued", "instance": token.instance, "model": token.model}
        value = {**claim, **said, "token": str(token)}
        store = self.store()
        if not is_claimed or not await store.replace(self.space, _key_of(token), claim, value):
            await store.put(self.space, token.call, value)

    async def became(self, token: JobToken, state: JobState, record: Record) -> None:
        """Note that a job is seen in another *state*; a store that fails is a warning."""
        self._count(token, state)
        with warned(record, "its state was not noted"):
            store, key = self.store(), _key_of(token)
            value = await store.get(self.space, key)
            if value is None or value.get("call") != token.call:
                return
            if value["state"] != state and value["state"] not in ENDED:
                seconds = KEPT_SECONDS if state in ENDED else None
                new = {**value, "state": state}
                await store.replace(self.space, key, value, new, seconds=seconds)


def _key_of(token: JobToken) -> str:
    """Return what a job is kept under."""
    return str(token.kept.get("key") or token.call)


def _kept(key: str, value: Value) -> KeptJob:
    token = value.get("token")
    return KeptJob(
        key=key,
        state=cast("KeptState", value["state"]),
        modality=str(value["modality"]),
        operation=str(value["operation"]),
        instance=str(value.get("instance", "")),
        model=str(value.get("model", "")),
        submitted_at=dt.datetime.fromisoformat(str(value["at"])),
        token=None if token is None else str(token),
    )


@contextmanager
def warned(record: Record, what: str) -> Iterator[None]:
    """Make a warning of whatever the store raises: the job is there all the same."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a store may be a stranger's
        why = str(error) if isinstance(error, e.AnymodalError) else type(error).__name__
        record.warnings.append(CallWarning("store", f"{what}: {why}"))


# -- submitting -----------------------------------------------------------------------


class Submission:
    """
    The making of a job, from the claim of its key to its token.

    Used as a context manager: what is left with an error gives its key back, unless
    the job may have been made.

    Args:
        ledger: Where it is noted.
        record: Of the call that submits it.
        key: The caller's own name for the job; None has none.

    Raises:
        InvalidRequestError: *key* is no key.
    """

    def __init__(self, ledger: Ledger, record: Record, key: str | None) -> None:
        if key is not None and not _is_key(key):
            msg = f"key: a name of up to {LONGEST_KEY} printable characters is needed."
            raise e.InvalidRequestError(msg, field="key")
        self._ledger = ledger
        self._record = record
        self._key = key
        self._is_claimed = False
        self._is_sent = False
        self._claim: dict[str, object] = {
            "state": "submitting",
            "call": record.id,
            "modality": record.modality,
            "operation": record.operation,
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }

    async def claimed(self, arguments: Callable[[], str]) -> str | None:
        """
        Claim the key, if there is one, for what has the fingerprint that *arguments* gives.

        Returns:
            The token of the job that was submitted with this key before; None where
            it is to be submitted now.

        Raises:
            KeyReusedError: The key was used for something else.
            OutcomeUnknownError: It was used for this, and no answer is known.
            ConfigurationError: It cannot be kept, so nothing was sent.
        """
        if self._key is None:
            return None
        ledger, key, found = self._ledger, self._key, arguments()
        while (before := ledger.under_way.get(key)) is not None:
            await before.wait()
        ledger.under_way[key] = anyio.Event()
        self._is_claimed = True  # though it may turn out not to be ours
        self._claim["arguments"] = found
        store = ledger.store()
        there = await store.claim(ledger.space, key, self._claim)
        if isinstance(store, MemoryStore):
            msg = "it is known to this process alone, because jobs are kept in memory; see [store]"
            self._record.warnings.append(CallWarning("key", msg))
        return None if there is None else self._told(key, found, there)

    def _told(self, key: str, found: str, there: Value) -> str:
        if there.get("arguments") != found:
            msg = (
                f"key: {key!r} was used for a job with other arguments. Give this one another "
                "key, or free it with client.jobs.forget(key)."
            )
            raise e.KeyReusedError(msg)
        token = there.get("token")
        if token is None:
            raise _unsettled(key, str(there["at"]))
        return str(token)

    def sending(
        self, submit: Callable[[Door, RequestT], Awaitable[AnswerT]]
    ) -> Callable[[Door, RequestT], Awaitable[AnswerT]]:
        """Return *submit*, watched: only a refusal says that no job was made."""

        async def attempt(door: Door, request: RequestT) -> AnswerT:
            before, self._is_sent = self._is_sent, True
            try:
                return await submit(door, request)
            except e.AnymodalError as error:
                self._is_sent = before or not _is_refusal(error)
                raise

        return attempt

    @property
    def kept(self) -> Mapping[str, str]:
        """What the token has to hold, so that the job is found by it."""
        return {} if self._key is None else {"key": self._key}

    async def keep(self, token: JobToken) -> None:
        """Note that the job was made, before anybody is told."""
        with warned(self._record, "keep the token yourself"):
            await shielded(self._ledger.began(token, self._claim, is_claimed=self._is_claimed))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        ledger, key = self._ledger, self._key
        if key is not None and self._is_claimed:
            try:
                if exc is not None and not self._is_sent:  # of another's claim nothing is taken
                    with warned(self._record, "the key is taken"):
                        await shielded(self._freed(key))
            finally:
                ledger.under_way.pop(key).set()
        if self._is_sent and isinstance(exc, e.DeadlineExceededError):
            error = _unknown(f"{self._record.instance}/{self._record.model}", str(exc), key)
            error.record = self._record
            raise error from exc

    async def _freed(self, key: str) -> None:
        await self._ledger.store().replace(self._ledger.space, key, self._claim, None)


def _is_key(key: object) -> bool:
    is_name = isinstance(key, str) and key.isprintable() and not key.startswith(PREFIX)
    return is_name and 0 < len(cast("str", key)) <= LONGEST_KEY


def _is_refusal(error: e.AnymodalError) -> bool:
    """Whether *error* says that nothing was made."""
    if isinstance(error, e.OutcomeUnknownError | e.MalformedReplyError):
        return False
    if isinstance(error, e.ConnectionFailedError | e.IncompleteError | e.TimedOutError):
        return error.never_sent
    return True


def _unsettled(key: str, at: str) -> e.OutcomeUnknownError:
    return _unknown(repr(key), f"it was being submitted at {at}", key)


def _unknown(who: str, what: str, key: str | None) -> e.OutcomeUnknownError:
    then = f"; then free the key with client.jobs.forget({key!r})" if key is not None else ""
    msg = (
        f"{who}: {what.rstrip('.')}, and no answer is known, so it may exist and be paid for. "
        f"Look at the vendor's list of jobs before you submit it again{then}."
    )
    return e.OutcomeUnknownError(msg)


def fingerprint(*arguments: object) -> str:
    """
    Return what tells *arguments* from others, without holding them.

    Raises:
        InvalidRequestError: They hold an object of no known kind.
    """
    text = json.dumps(arguments, default=_plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    cls = type(value)
    if attrs.has(cls):
        said = {field.name: getattr(value, field.name) for field in attrs.fields(cls) if field.eq}
        return [cls.__qualname__, said]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, dt.date | Decimal):
        return str(value)
    msg = f"key: a job with a {type(value).__name__} among its options can have none."
    raise e.InvalidRequestError(msg, field="key")
