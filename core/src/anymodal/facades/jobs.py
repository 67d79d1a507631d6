"""Jobs as callers hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import attrs

from .. import errors as e
from ..call import Call, Way
from ..events import JobChanged
from ..jobs import TRANSIENT, JobStatus, JobToken, Polling, failure_of
from ..ledger import KeptJob, Ledger
from ..modalities import BUILT_IN
from ..specs import Deadlines
from ..usage import Record

if TYPE_CHECKING:
    from ..client import Client
    from ..doors import Door
    from ..resolution import Offer

__all__ = ["Job", "Jobs", "Work", "target_of"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
AnswerT = TypeVar("AnswerT")

LAST_SECONDS: Final = 5.0
"""What a request is given that begins when the wait is nearly over."""


def target_of(into: str | PathLike[str]) -> Path:
    """
    Return *into* as the path of a file that can be written.

    Raises:
        InvalidRequestError: It has no folder, or is one.
    """
    target = Path(into)
    if not target.parent.is_dir() or target.is_dir():
        why = "is a folder" if target.is_dir() else f"has no folder {target.parent}"
        msg = f"into: {target} {why}."
        raise e.InvalidRequestError(msg, field="into")
    return target


class Work(Protocol[T_co]):
    """
    What a job's requests are; the facade that submitted it knows.

    Attributes:
        has_files: Whether its result can be put into a file.
    """

    @property
    def has_files(self) -> bool: ...

    async def poll(self, door: Door, /) -> JobStatus:
        """Ask how it stands."""

    async def fetch(self, door: Door, status: JobStatus, into: Path | None, /) -> T_co:
        """Return the result, *into* a file where there is one."""

    async def cancel(self, door: Door, /) -> None:
        """Ask the vendor to stop."""


class Job(Generic[T]):
    """
    Work that goes on at the vendor's.

    Attributes:
        status: How it stood when it was last asked for.
        record: What is known about it; what it used and cost comes with its result.
    """

    def __init__(
        self,
        way: Way,
        offer: Offer,
        bind: Callable[[Any], object],
        *,
        token: JobToken,
        work: Work[T],
        record: Record,
        deadlines: Deadlines,
        polling: Polling,
    ) -> None:
        self._way = way
        self._offer, self._looks = offer, way.doors.looks
        self._bind = bind
        self._token = token
        self._work = work
        self._deadlines = deadlines
        self._polling = polling
        self.record = record
        self.status = JobStatus(state="queued")
        self._is_stopped = False

    def __repr__(self) -> str:
        return f"<Job {self._where}: {self.status.state}>"

    @property
    def token(self) -> str:
        """
        The way back to it, for another client, process or day: `ai.jobs.resume(token)`.

        It holds no key. It is for whoever may use the instance that it names.
        """
        return str(self._token)

    @property
    def _where(self) -> str:
        return f"{self._token.instance}/{self._token.model}"

    async def poll(self) -> JobStatus:
        """
        Ask once how it stands.

        Raises:
            VendorError: The vendor refused or failed to say. The job goes on.
        """
        return await self._poll(None)

    def progress(
        self,
        *,
        timeout: float | None = None,
    ) -> AsyncIterator[JobStatus]:
        """
        Iterate over how it stands, from now until it has ended.

        The waits in between grow, and are no shorter than the vendor asks for. A
        request that fails for a passing reason is made again.

        Args:
            timeout: Seconds to wait at most; None for as long as the vendor takes.

        Raises:
            DeadlineExceededError: *timeout* went by. The job goes on.
            VendorError: The vendor would not say how it stands.
        """
        return _Watch(self, self._end_of(timeout))

    async def result(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # on the client's clock, and of the wait alone
        into: str | PathLike[str] | None = None,
    ) -> T:
        """
        Wait until it has ended, and return what came of it.

        Args:
            timeout: Seconds to wait at most; None for as long as the vendor takes.
                Each request has the deadline of the call that submitted it.
            into: File for the clip or sound that was made, which is complete or as it
                was; None to have it in memory.

        Raises:
            InvalidRequestError: *into* has no folder, or the result no file.
            JobFailedError: It failed, was cancelled or expired, and left nothing.
            ContentFilteredError: The vendor's filter stopped it.
            DeadlineExceededError: *timeout* went by. The job goes on, and
                `result` may be called again.
            VendorError: The vendor refused or failed to give it.
        """
        target = None if into is None else self._target(into)
        async for _ in self.progress(timeout=timeout):
            pass
        status = self.status
        if not status.has_result:
            raise self._told(failure_of(status, self._where, self._token.provider))
        return await self._ask(lambda door: self._work.fetch(door, status, target), None)

    async def cancel(self) -> None:
        """
        Ask the vendor to stop, unless it has ended. `result` says what was left.

        Raises:
            UnsupportedFeatureError: The vendor cannot.
            VendorError: The vendor refused or failed.
        """
        if not self.status.is_ended:
            await self._ask(self._work.cancel, None)
            self._is_stopped = True

    def _target(self, into: str | PathLike[str]) -> Path:
        if not self._work.has_files:
            msg = f"into: what comes of a {self._token.operation} is no file."
            raise e.InvalidRequestError(msg, field="into")
        return target_of(into)

    # -- one request ------------------------------------------------------------------

    async def _poll(self, seconds: float | None) -> JobStatus:
        status = await self._ask(self._work.poll, seconds)
        if self._is_stopped and status.state == "expired" and not status.has_result:
            status = attrs.evolve(status, state="cancelled")  # a vendor may forget what it stopped
        await self._became(status)
        return status

    async def _became(self, status: JobStatus) -> None:
        """Take *status*; the one place in which it changes."""
        before, self.status = self.status, status
        if status.state != before.state:
            if self._way.tell is not None:
                self._way.tell(JobChanged(self.record, status))
            await self._way.jobs.became(self._token, status.state, self.record)

    async def _ask(
        self, doing: Callable[[Door], Awaitable[AnswerT]], seconds: float | None
    ) -> AnswerT:
        """Do one request, within its own deadline and *seconds*."""
        limits = [one for one in (self._deadlines.total, seconds) if one is not None]
        deadlines = attrs.evolve(self._deadlines, total=min(limits, default=None))
        call = Call(self._way, self._token.modality, self._token.operation, timeout=deadlines)
        call.record = self.record

        async def do() -> AnswerT:
            doors = self._way.doors
            door = doors.get(self._offer) or await doors.open(self._offer, self._bind, self._looks)
            return await doing(door)

        try:
            return await call.within(do(), None)
        except e.AnymodalError as error:
            self._told(error)
            raise

    def _told(self, error: e.AnymodalError) -> e.AnymodalError:
        error.record = self.record
        if isinstance(error, e.VendorError):
            error.provider = error.provider or self._token.provider
        return error

    # -- the wait ---------------------------------------------------------------------

    def _end_of(self, timeout: float | None) -> float | None:
        if timeout is None:
            return None
        if not timeout > 0:
            msg = f"timeout: a number of seconds above 0 is needed, not {timeout!r}."
            raise e.InvalidRequestError(msg, field="timeout")
        return self._way.clock.now() + timeout

    async def _next(self, asked: int, end: float | None) -> JobStatus:
        """Ask how it stands, again where that fails for a passing reason."""
        for failed in range(1, self._polling.patience + 1):
            try:
                return await self._poll(self._left(end, LAST_SECONDS))
            except (*TRANSIENT, e.DeadlineExceededError) as error:
                if failed == self._polling.patience:
                    raise
                wanted = error.retry_after if isinstance(error, e.VendorError) else None
                await self._pause(asked + failed, wanted, end)
        raise AssertionError  # patience is at least one  # pragma: no cover

    async def _pause(self, asked: int, wanted: float | None, end: float | None) -> None:
        seconds = self._polling.wait(asked, self._way.chance(), wanted)
        left = self._left(end, 0.0)
        if left is not None:
            if left <= 0:
                raise self._late()
            seconds = min(seconds, left)
        await self._way.clock.sleep(seconds)

    def _left(self, end: float | None, least: float) -> float | None:
        return None if end is None else max(end - self._way.clock.now(), least)

    def _late(self) -> e.AnymodalError:
        msg = (
            f"{self._where}: the job has not ended in time; it is {self.status.state}. It goes "
            "on: wait again, or come back with its token."
        )
        return self._told(e.DeadlineExceededError(msg))


class _Watch(AsyncIterator[JobStatus]):
    """An iterator and no generator, so that leaving it half-way leaves nothing behind."""

    def __init__(self, job: Job[Any], end: float | None) -> None:
        self._job = job
        self._end = end
        self._asked = 0
        self._is_over = False

    async def __anext__(self) -> JobStatus:
        job = self._job
        if self._is_over:
            raise StopAsyncIteration
        status = job.status
        if not status.is_ended:
            if self._asked:
                await job._pause(self._asked, status.retry_after, self._end)  # noqa: SLF001  # its own
            self._asked += 1
            status = await job._next(self._asked, self._end)  # noqa: SLF001  # as above
        self._is_over = status.is_ended
        return status


class Jobs:
    """
    The way back to jobs that were submitted elsewhere: `client.jobs`.

    What this client or tenant submitted, with a key or without one, is kept in the
    store of the settings until 30 days after it was seen to have ended.
    """

    def __init__(self, client: Client, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger

    async def list(self) -> tuple[KeptJob, ...]:
        """
        Return the jobs that are kept, the oldest first. Nothing is sent.

        Raises:
            ConfigurationError: The store cannot be read.
        """
        return await self._ledger.all()

    async def get(self, key: str) -> Job[Any]:
        """
        Return the job that was submitted with *key*. Nothing is sent.

        Args:
            key: That of the submission, or what `list` says in place of one.

        Raises:
            InvalidRequestError: There is none.
            OutcomeUnknownError: No answer came when it was submitted.
            ConfigurationError: Nobody here serves the instance that it went to.
        """
        return self.resume(await self._ledger.token(key))

    async def forget(self, key: str) -> bool:
        """
        Drop what is kept of a job, so that its key can be used again.

        The job itself goes on; see `cancel`.

        Args:
            key: That of the submission, or what `list` says in place of one.

        Returns:
            Whether there was one.
        """
        return await self._ledger.forget(key)

    async def cancel(self, token: str) -> JobStatus:
        """
        Ask the vendor to stop the job that *token* leads to, and how it then stands.

        Raises:
            InvalidRequestError: It is no token of a job.
            ConfigurationError: Nobody here serves the instance that it names.
            UnsupportedFeatureError: The vendor cannot.
            VendorError: The vendor refused or failed.
        """
        job = self.resume(token)
        await job.cancel()
        return await job.poll()

    def resume(self, token: str) -> Job[Any]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Args:
            token: From `Job.token`. The instance that it names has to be
                configured here as well.

        Raises:
            InvalidRequestError: It is no token of a job.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        name = JobToken.parse(token).modality
        known = {one.name: one for one in BUILT_IN}
        if name not in known:
            known = {one.name: one for one in self._client.registry.modalities()}
        modality = known.get(name)
        resume = None
        if modality is not None and modality.facade:
            resume = getattr(self._client[modality], "resume", None)
        if resume is None:
            msg = f"token: nothing installed here comes back to jobs of {name}."
            raise e.InvalidRequestError(msg, field="token")
        found: Job[Any] = resume(token)
        return found
