"""What clips and sound have in common: they are large, take long, and are made as jobs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, Protocol, TypeAlias, TypeGuard, TypeVar, cast

import attrs

from ..errors import InvalidRequestError
from ..jobs import Handle, JobStatus
from ..media import Media
from ..specs import Deadlines, ModelSpec
from ..usage import Record, Usage
from .requests import Request

__all__ = [
    "Fetching",
    "MadeResult",
    "MakesAtOnce",
    "MakesJobs",
    "MakingRequest",
    "check_seconds",
    "check_words",
    "is_number",
]

LONGEST_SECONDS: Final = 24 * 3600.0
"""Longer than anything that is made in one request."""

Progress: TypeAlias = Callable[[float], None]


def _nobody(_share: float) -> None:
    pass


@attrs.frozen(kw_only=True)
class MakingRequest(Request):
    """
    What a provider is asked for that makes clips or sound; see `Request` for the rest.

    Attributes:
        into: Where the caller wants it. Whoever makes it in one piece may put it there,
            complete or not at all; else the core does.
        progress: Told how much is done, from 0 to 1, by whoever makes it in one piece.
    """

    into: Path | None = None
    progress: Progress = attrs.field(default=_nobody, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Fetching:
    """
    How what was made is to be fetched.

    Attributes:
        model: The model that made it.
        into: Where it is to be put, complete or not at all; None to keep it in memory.
        deadlines: How long things may take; the core keeps all but `connect`.
        raw: Whether the vendor's own answer is wanted beside ours.
    """

    model: ModelSpec
    into: Path | None = None
    deadlines: Deadlines = Deadlines()
    raw: bool = False


@attrs.frozen(kw_only=True)
class MadeResult:
    """
    What was made.

    Attributes:
        seconds: How long it lasts, where that is known.
        usage: What the vendor counted.
        model: The model that made it, in the vendor's words.
        request_id: The vendor's id of the request.
        revised_prompt: What the vendor made of the prompt.
        seed: What would make it again.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    medium: ClassVar[str] = ""
    """Name of the field that holds it."""

    seconds: float | None = None
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    revised_prompt: str | None = None
    seed: int | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def media(self) -> Media:
        """What was made, of whatever kind: its bytes, or the file in which it lies."""
        found: Media = getattr(self, self.medium)
        return found


RequestT_contra = TypeVar("RequestT_contra", bound=MakingRequest, contravariant=True)
ResultT_co = TypeVar("ResultT_co", bound=MadeResult, covariant=True)


class MakesJobs(Protocol[RequestT_contra, ResultT_co]):
    """
    A provider whose vendor makes things as jobs. The core waits for them, and comes back.

    It keeps no state: a handle is all that it needs to know a job again. Where the
    vendor can stop a job, it has `cancel(handle)` too.
    """

    async def submit(self, request: RequestT_contra, /) -> Handle:
        """
        Have it made, and return what the job is known by.

        The request that makes the job stands under `anymodal.jobs.submitting`.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            ContentFilteredError: Its filter refused the prompt or what came with it.
            VendorError: It refused or failed.
        """

    async def poll(self, handle: Handle, /) -> JobStatus:
        """Ask how a job stands."""

    async def fetch(self, handle: Handle, wanted: Fetching, /) -> ResultT_co:
        """
        Return what a job has made, its bytes at hand or in the file that is wanted.

        Vendors' links die within minutes, so they are followed before it returns:
        `connection.http.download(url, Video, into=wanted.into)`.
        """


class MakesAtOnce(Protocol[RequestT_contra, ResultT_co]):
    """A provider that makes things in one piece. There is no job to come back to."""

    async def generate(self, request: RequestT_contra, /) -> ResultT_co:
        """
        Make it. Whoever cancels this has nothing made, and nothing left behind.

        Raises:
            InvalidRequestError: Something in *request* it never takes.
            VendorError: It refused or failed.
        """


# -- what is refused ----------------------------------------------------------------


def check_seconds(name: str, value: object, *, least: float = 0.0, strictly: bool = True) -> None:
    """
    Check a duration or a moment; None passes.

    Args:
        name: Of the argument.
        value: What was given.
        least: What it is at least.
        strictly: Whether it has to be above *least*.

    Raises:
        InvalidRequestError: It is no such number of seconds.
    """
    if value is None:
        return
    is_within = is_number(value) and least <= value <= LONGEST_SECONDS
    if is_within and not (strictly and value == least):
        return
    bound = f"above {least:g}" if strictly else f"of {least:g} or more"
    msg = f"{name}: a number of seconds {bound}, and no day, is needed, not {value!r}."
    raise InvalidRequestError(msg, field=name)


def is_number(value: object) -> TypeGuard[float]:
    """Whether *value* is a finite number."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and math.isfinite(cast("float", value))


def check_words(name: str, value: object) -> None:
    """
    Check that there are words.

    Raises:
        InvalidRequestError: There are none.
    """
    if not isinstance(value, str) or not value.strip():
        msg = f"{name}: words are needed."
        raise InvalidRequestError(msg, field=name)
