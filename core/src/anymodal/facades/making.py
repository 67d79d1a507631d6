"""
From a request for a clip or for sound to a job, and from a job to what was made.

What a provider makes at once is had at once; what it makes as a job is submitted,
kept, waited for and fetched, here or by whoever comes back with the token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeAlias, TypeVar, cast

import anyio.to_thread
import attrs

from .. import errors as e
from ..call import Call, ModelChoice, Way
from ..jobs import Handle, JobStatus, JobToken, Polling
from ..ledger import Submission, fingerprint
from ..media import Media
from ..modalities.making import Fetching, MadeResult, MakingRequest
from ..specs import Deadlines, ModelSpec
from ..usage import Record, Usage, Used, cost_of
from .awaiting import awaited
from .jobs import Job, target_of
from .returning import RUNNING, found_again

if TYPE_CHECKING:
    from ..doors import Door
    from ..resolution import Offer, Row

__all__ = ["AskedMaking", "BoundMaker", "Maker", "OnProgress", "bind", "placed", "progress_of"]

ResultT = TypeVar("ResultT", bound=MadeResult)
RequestT = TypeVar("RequestT", bound=MakingRequest)
Method: TypeAlias = Callable[..., Awaitable[Any]]
OnProgress: TypeAlias = Callable[[JobStatus], None]
"""Told how it stands, as often as that is known anew."""

OPERATION: Final = "generate"
"""Of every job that is made here."""

POLLING: Final = Polling()

SAID_OF_THE_ANSWER: Final = frozenset({"into", "key", "progress", "raw", "strict"})
"""What changes nothing of what is made."""


@attrs.frozen(eq=False)
class BoundMaker:
    """A provider's methods, to be awaited; None is what it has not."""

    generate: Method | None = None
    submit: Method | None = None
    poll: Method | None = None
    fetch: Method | None = None
    cancel: Method | None = None
    compose: Method | None = None
    enhance: Method | None = None


def bind(provider: Any, *others: str) -> BoundMaker:
    """
    Return *provider* with its methods to be awaited.

    Args:
        provider: A plugin's.
        others: Methods of which one is enough, beside those that make something.

    Raises:
        BrokenPluginError: It makes nothing, or jobs that cannot be asked for.
    """
    names = attrs.fields_dict(BoundMaker)
    found = {name: getattr(provider, name, None) for name in names}
    bound = BoundMaker(**{name: awaited(one) for name, one in found.items() if one is not None})
    where = type(provider).__name__
    if bound.submit is not None and (bound.poll is None or bound.fetch is None):
        msg = f"{where} has submit(), but not both poll() and fetch()."
        raise e.BrokenPluginError(msg)
    if all(getattr(bound, name) is None for name in ("submit", "generate", *others)):
        msg = f"{where} has neither submit() nor generate()."
        raise e.BrokenPluginError(msg)
    return bound


class AskedMaking(Protocol):
    """What a caller asks for, as it was given."""

    @property
    def model(self) -> ModelChoice: ...
    @property
    def key(self) -> str | None: ...
    @property
    def into(self) -> Path | None: ...
    @property
    def progress(self) -> OnProgress | None: ...
    @property
    def raw(self) -> bool: ...

    def request(self, call: Call, row: Row) -> MakingRequest:
        """Return the request for the candidate *row*."""


@attrs.frozen
class _Submitted:
    handle: Handle


@attrs.frozen(eq=False)
class Maker(Generic[ResultT]):
    """
    Makes things of one modality.

    Args:
        way: What the client's calls share.
        modality: Its name.
        needs_of: What a request needs of a model, as capabilities.
        bind: Makes `Door.bound` of a provider.
    """

    way: Way
    modality: str
    needs_of: Callable[[Any], Sequence[str]]
    bind: Callable[[Any], BoundMaker]

    async def submitted(self, call: Call) -> Job[ResultT]:
        """
        Make a job, or return the one that was made with its key before.

        Raises:
            KeyReusedError: The key was used for something else.
            UnsupportedFeatureError: The provider makes no jobs; nothing was sent.
            OutcomeUnknownError: It may have been made.
            VendorError: The vendor refused or failed.
        """
        found = await self._begun(call, needs_job=True)
        return cast("Job[ResultT]", found)

    async def generated(self, call: Call) -> ResultT:
        """
        Return what is made: at once, or by a job that is waited for.

        Raises:
            AnymodalError: As `submitted` and `Job.result`.
        """
        clock, asked = self.way.clock, call.asked
        began = clock.now()
        found = await self._begun(call, needs_job=asked.key is not None)
        if not isinstance(found, Job):
            return found
        total = call.deadlines.total
        left = None if total is None else max(began + total - clock.now(), 0.001)
        try:
            async for status in found.progress(timeout=left):
                if asked.progress is not None:
                    asked.progress(status)
            result = await found.result(into=asked.into)
        except e.DeadlineExceededError as error:
            raise _going_on(error, found.token) from error
        if found.record is not call.record:  # it was submitted before, with this key
            return result
        call.record.seconds = clock.now() - began
        return result

    def resumed(self, text: str) -> Job[ResultT]:
        """
        Return the job that the token *text* leads to.

        Raises:
            InvalidRequestError: It is no token of such a job.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        token = JobToken.parse(text)
        if (token.modality, token.operation) != (self.modality, OPERATION):
            msg = f"token: it is not that of a job of {self.modality}; see client.jobs.resume()."
            raise e.InvalidRequestError(msg, field="token")
        row, record = found_again(self.way, token)
        work: _Making[ResultT] = _Making(token, row.model, record)
        return self._job(row.offer, work, row.offer.deadlines)

    # -- the making ---------------------------------------------------------------------

    async def _begun(self, call: Call, *, needs_job: bool) -> Job[ResultT] | ResultT:
        asked: AskedMaking = call.asked
        async with Submission(self.way.jobs, call.record, asked.key) as submission:
            there = await submission.claimed(partial(_fingerprint, self.modality, asked))
            if there is not None:
                return self.resumed(there)
            rows: list[Row] = []

            def request_of(row: Row) -> MakingRequest:
                rows.append(row)
                return asked.request(call, row)

            submit = submission.sending(_submit)

            async def attempt(door: Door, request: MakingRequest) -> _Submitted | ResultT:
                bound: BoundMaker = door.bound
                if bound.submit is not None:
                    return _Submitted(await submit(door, request))
                if bound.generate is None or needs_job:
                    raise _unable(door, needs_job=needs_job)
                made: ResultT = await bound.generate(request)
                return made

            found = await call.run(
                asked.model, request_of, attempt, bind=self.bind, needs_of=self.needs_of,
                weigh=_weight_of, is_repeatable=False,
            )  # fmt: skip
            if isinstance(found, _Submitted):
                return await self._kept(call, rows[-1], found.handle, submission)
        return await finished(call, found, asked.into)

    async def _kept(
        self, call: Call, row: Row, handle: Handle, submission: Submission
    ) -> Job[ResultT]:
        """Return the job that is known by *handle*, when it is in the book."""
        record = call.record
        call.account(None, None)
        record.cost = RUNNING
        token = JobToken(
            provider=record.provider,
            instance=record.instance,
            model=record.model,
            modality=record.modality,
            operation=OPERATION,
            call=record.id,
            handle=handle,
            kept={"raw": call.asked.raw, **submission.kept},
        )
        await submission.keep(token)
        work: _Making[ResultT] = _Making(token, row.model, record, call)
        return self._job(row.offer, work, call.deadlines)

    def _job(self, offer: Offer, work: _Making[ResultT], deadlines: Deadlines) -> Job[ResultT]:
        return Job(
            self.way,
            offer,
            self.bind,
            token=work.token,
            work=work,
            record=work.record,
            deadlines=deadlines,
            polling=POLLING,
        )


async def _submit(door: Door, request: MakingRequest) -> Handle:
    handle: Handle = await door.bound.submit(request)
    return handle


def _unable(door: Door, *, needs_job: bool) -> e.UnsupportedFeatureError:
    instance = door.offer.instance
    what = "makes no jobs, so it has none to submit or to keep under a key" if needs_job else (
        "makes nothing from a prompt"
    )  # fmt: skip
    msg = f"{instance} {what}; nothing was sent."
    return e.UnsupportedFeatureError(msg)


def _going_on(error: e.DeadlineExceededError, text: str) -> e.DeadlineExceededError:
    """Return *error* with the way back, for who has no token."""
    token = JobToken.parse(text)
    key = token.kept.get("key") or token.call
    found = e.DeadlineExceededError(f"{error} client.jobs.get({key!r}) leads back to it.")
    found.record = error.record
    return found


# -- what tells it from others, and what it weighs ---------------------------------------


def _fingerprint(modality: str, asked: Any) -> str:
    settings = {
        field.name: _identity(getattr(asked, field.name))
        for field in attrs.fields(type(asked))
        if field.name not in SAID_OF_THE_ANSWER
    }
    return fingerprint(modality, OPERATION, settings)


def _identity(value: object) -> object:
    """Return *value*, or what tells a picture from others, wherever its bytes lie."""
    if not isinstance(value, Media):
        return value
    where = value.url or hashlib.sha256(value.read_bytes()).hexdigest()
    return [value.kind, value.media_type, where]


def _weight_of(request: MakingRequest) -> Usage:
    seconds = getattr(request, "seconds", None)
    size = getattr(request, "size", None)
    if seconds is None:
        return Usage()
    return Usage(units=(Used("second", seconds, size="" if size is None else str(size)),))


# -- what was made ------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Making(Generic[ResultT]):
    """What a job's requests are; see `Work`."""

    has_files: ClassVar[bool] = True

    token: JobToken
    model: ModelSpec
    record: Record
    call: Call | None = None

    async def poll(self, door: Door) -> JobStatus:
        found: JobStatus = await door.bound.poll(self.token.handle)
        return found

    async def cancel(self, door: Door) -> None:
        if door.bound.cancel is None:
            msg = f"{door.offer.instance} cannot stop a job; it goes on, and may be billed."
            raise e.UnsupportedFeatureError(msg)
        await door.bound.cancel(self.token.handle)

    async def fetch(self, door: Door, status: JobStatus, into: Path | None) -> ResultT:
        del status
        wanted = Fetching(
            model=self.model,
            into=into,
            deadlines=door.offer.deadlines,
            raw=self.token.kept.get("raw") is True,
        )
        found: ResultT = await door.bound.fetch(self.token.handle, wanted)
        record = self.record
        record.usage, record.request_id = found.usage, found.request_id
        record.cost = cost_of(found.usage, self.model.prices)
        record.raw = found.raw
        if self.call is not None:
            await self.call.settle()
        return attrs.evolve(await placed(found, into), record=record)


async def finished(call: Call, found: ResultT, into: Path | None) -> ResultT:
    """Return what was made at once, when it is where it is wanted and paid for."""
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
    await call.settle()
    return attrs.evolve(await placed(found, into), record=call.record)


async def placed(found: ResultT, into: Path | None) -> ResultT:
    """
    Return *found* with its bytes in the file *into*, where that is wanted and not done.

    Raises:
        OSError: It cannot be written.
    """
    media = found.media
    if into is None or media.path == into:
        return found
    await anyio.to_thread.run_sync(media.save, into)
    there: Any = type(media)(path=into, media_type=media.media_type)
    return cast("ResultT", attrs.evolve(cast("Any", found), **{found.medium: there}))


def progress_of(asked: AskedMaking) -> Mapping[str, Any]:
    """Return what a request says of where it is to go, and of who is told how it gets on."""
    said: dict[str, Any] = {"into": asked.into}
    told = asked.progress
    if told is not None:
        said["progress"] = lambda share: told(JobStatus(state="running", progress=share))
    return said


def wanted(into: str | PathLike[str] | None) -> Path | None:
    """
    Return *into* as the path of a file that can be written; None of None.

    Raises:
        InvalidRequestError: It has no folder, or is one.
    """
    return None if into is None else target_of(into)
