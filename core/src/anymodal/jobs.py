"""
Jobs: what is known of one, the way back to it, and how often to ask for it.

A job outlives a connection: it is submitted, asked for until it ends, and fetched.
Here stands what plugins and facades share; `facades.jobs` has what callers hold.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias, get_args

import attrs

from . import errors as e

__all__ = [
    "ENDED",
    "PREFIX",
    "TRANSIENT",
    "Handle",
    "JobState",
    "JobStatus",
    "JobToken",
    "Polling",
    "failure_of",
    "state_of",
    "submitting",
]

JobState = Literal["queued", "running", "succeeded", "failed", "filtered", "cancelled", "expired"]
Handle: TypeAlias = Mapping[str, object]
"""What a vendor needs to know a job again, as JSON, without any key."""

ENDED: Final = frozenset({"succeeded", "failed", "filtered", "cancelled", "expired"})
"""States that do not change any more."""

TRANSIENT: Final = (
    e.ConnectionFailedError,
    e.IncompleteError,
    e.OverloadedError,
    e.RateLimitedError,
    e.ServerError,
    e.TimedOutError,
)
"""Failures of one request for a job's state that say nothing about the job."""


# -- the state ------------------------------------------------------------------------


def state_of(word: str, known: Mapping[str, JobState]) -> JobState:
    """
    Return what a vendor's *word* for a state means.

    A word that is not *known* means running: a vendor's new one must not end a
    job that goes on. Whoever waits still has a deadline of his own.
    """
    return known.get(word, "running")


def _share(value: float | None) -> float | None:
    """Return *value* within 0 and 1; what is no number is unknown."""
    return None if value is None or math.isnan(value) else min(max(float(value), 0.0), 1.0)


@attrs.frozen(kw_only=True)
class JobStatus:
    """
    What is known of a job at one time.

    Attributes:
        state: Where it stands.
        progress: How much is done, from 0 to 1; None where the vendor does not say.
        word: The vendor's own word for the state.
        has_result: Whether there is something to fetch. That is so when it
            succeeded; a vendor may also give the finished part of a job that
            was cancelled or expired.
        message: Why it failed, in the vendor's words, without secrets.
        code: The vendor's own name for that.
        request_id: The vendor's id of the request that brought the news.
        retry_after: Seconds that the vendor asks to wait before the next one.
    """

    state: JobState = attrs.field(validator=attrs.validators.in_(get_args(JobState)))
    progress: float | None = attrs.field(default=None, converter=_share)
    word: str = ""
    has_result: bool = attrs.field()
    message: str = ""
    code: str | None = None
    request_id: str | None = None
    retry_after: float | None = None

    @has_result.default
    def _succeeded(self) -> bool:
        return self.state == "succeeded"

    @property
    def is_ended(self) -> bool:
        """Whether the state does not change any more."""
        return self.state in ENDED


def failure_of(status: JobStatus, where: str, provider: str) -> e.VendorError:
    """
    Return the error for a job that ended without a result.

    Args:
        status: Its last one.
        where: Instance and model, for the message.
        provider: Id of the provider.
    """
    cls = e.ContentFilteredError if status.state == "filtered" else e.JobFailedError
    what = {"failed": "failed", "filtered": "was filtered", "cancelled": "was cancelled"}
    ended = what.get(status.state, "expired before it was done")
    why = f": {status.message}" if status.message else "."
    return cls(
        f"{where}: the job {ended}{why}",
        provider=provider,
        vendor_code=status.code or status.word or None,
        request_id=status.request_id,
    )


# -- the way back ---------------------------------------------------------------------

_VERSION: Final = 1
PREFIX: Final = "job1."
"""With which every token begins."""
LONGEST_TOKEN: Final = 16_384
"""More characters than any job needs; tokens come from files and command lines."""


@attrs.frozen(kw_only=True)
class JobToken:
    """
    The way back to a job, for another client, process or day. It holds no key.

    As text it has only letters, digits, hyphens, underscores and one dot, so that
    no shell and no URL minds it.

    Attributes:
        provider: Id of the provider.
        instance: Name under which it is configured; it has to be so again.
        model: Model id as it was sent.
        modality: The kind of work.
        operation: Such as `batch`.
        call: Id of the call that submitted it.
        handle: What the vendor knows it by.
        kept: What the facade needs to know again.
    """

    provider: str
    instance: str
    model: str
    modality: str
    operation: str
    call: str
    handle: Handle
    kept: Mapping[str, object] = attrs.field(factory=dict)

    def __str__(self) -> str:
        text = json.dumps({"v": _VERSION, **attrs.asdict(self)}, separators=(",", ":"))
        return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> JobToken:
        """
        Return the token that *text* is.

        Raises:
            InvalidRequestError: It is none.
        """
        try:
            found = _unpacked(text)
            token = cls(**{field.name: found[field.name] for field in attrs.fields(cls)})
            for field in attrs.fields(cls):
                value = getattr(token, field.name)
                if not isinstance(value, dict if field.name in {"handle", "kept"} else str):
                    raise TypeError(field.name)  # noqa: TRY301  # one way out for all that is no token
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            msg = "token: it is not the token of a job, or not the whole of it."
            raise e.InvalidRequestError(msg, field="token") from None
        return token


def _unpacked(text: str) -> dict[str, Any]:  # JSON; its fields are checked by the caller
    if not text.startswith(PREFIX) or len(text) > LONGEST_TOKEN:
        raise ValueError
    packed = text.removeprefix(PREFIX)
    found = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), "-_", validate=True))
    if not isinstance(found, dict):
        raise TypeError
    return found


# -- how often to ask -----------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Polling:
    """
    How often a job is asked for.

    Args:
        first: Seconds between the first two times.
        factor: How much longer each wait is than the one before.
        longest: Longest wait that is not asked for by the vendor.
        jitter: Share of a wait that is left to chance, so that many clients
            which began together do not ask together.
        patience: How many requests in a row may fail before the waiting ends. The
            job goes on all the same.
    """

    first: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    factor: float = attrs.field(default=1.5, validator=attrs.validators.ge(1))
    longest: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    jitter: float = attrs.field(
        default=0.2, validator=(attrs.validators.ge(0), attrs.validators.le(1))
    )
    patience: int = attrs.field(default=5, validator=attrs.validators.ge(1))

    def wait(self, asked: int, chance: float, retry_after: float | None = None) -> float:
        """
        Return the seconds before the job is asked for again.

        Args:
            asked: How often it was asked for so far.
            chance: A number from 0 to 1.
            retry_after: Seconds that the vendor wants at least.
        """
        # A power that is past the longest wait is not taken: it may be past all numbers.
        steps = min(max(asked - 1, 0), self._steps)
        full = min(self.first * self.factor**steps, self.longest)
        seconds = full * (1 - self.jitter * chance)
        return seconds if retry_after is None else max(seconds, retry_after)

    @property
    def _steps(self) -> int:
        if self.factor == 1 or self.first >= self.longest:
            return 0
        return math.ceil(math.log(self.longest / self.first, self.factor))


# -- submitting -----------------------------------------------------------------------


@contextmanager
def submitting(provider: str) -> Iterator[None]:
    """
    Say that the outcome is unknown where the request that makes a job got no answer.

    Put it around that one request. A connection that could not be made stays what
    it is, because then nothing was sent.

    Raises:
        OutcomeUnknownError: The job may exist, and be paid for.
    """
    try:
        yield
    except (e.ConnectionFailedError, e.IncompleteError, e.TimedOutError) as error:
        if error.never_sent:
            raise
        msg = (
            f"{provider}: no answer came to the request that makes the job, so it may exist "
            "and be paid for. Look at the vendor's list of jobs before you submit it again."
        )
        raise e.OutcomeUnknownError(
            msg, provider=provider, status=error.status, request_id=error.request_id
        ) from error
