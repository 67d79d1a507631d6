"""
Jobs as callers hold them, without `await`.

Written by tools/make_sync.py, from facades/jobs.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any, Generic

from ..facades.jobs import Job, Jobs, T
from ..jobs import JobStatus
from ..ledger import KeptJob
from ..usage import Record
from .face import Face

__all__ = ["SyncJob", "SyncJobs"]


class SyncJob(Face[Job[T]], Generic[T]):
    """
    Work that goes on at the vendor's.

    Attributes:
        status: How it stood when it was last asked for.
        record: What is known about it; what it used and cost comes with its result.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about it; what it used and cost comes with its result."""
        return self._inner.record

    @record.setter
    def record(self, value: Record) -> None:
        self._inner.record = value

    @property
    def status(self) -> JobStatus:
        """How it stood when it was last asked for."""
        return self._inner.status

    @status.setter
    def status(self, value: JobStatus) -> None:
        self._inner.status = value

    @property
    def token(self) -> str:
        """
        The way back to it, for another client, process or day: `ai.jobs.resume(token)`.

        It holds no key. It is for whoever may use the instance that it names.
        """
        return self._inner.token

    def poll(self) -> JobStatus:
        """
        Ask once how it stands.

        Raises:
            VendorError: The vendor refused or failed to say. The job goes on.
        """
        return self._loop.run(self._inner.poll())

    def progress(self, *, timeout: float | None = None) -> Iterator[JobStatus]:
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
        return self._loop.each(self._inner.progress(timeout=timeout))

    def result(self, *, timeout: float | None = None, into: str | PathLike[str] | None = None) -> T:
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
        return self._loop.run(self._inner.result(timeout=timeout, into=into))

    def cancel(self) -> None:
        """
        Ask the vendor to stop, unless it has ended. `result` says what was left.

        Raises:
            UnsupportedFeatureError: The vendor cannot.
            VendorError: The vendor refused or failed.
        """
        self._loop.run(self._inner.cancel())


class SyncJobs(Face[Jobs]):
    """
    The way back to jobs that were submitted elsewhere: `client.jobs`.

    What this client or tenant submitted, with a key or without one, is kept in the
    store of the settings until 30 days after it was seen to have ended.
    """

    __slots__ = ()

    def list(self) -> tuple[KeptJob, ...]:
        """
        Return the jobs that are kept, the oldest first. Nothing is sent.

        Raises:
            ConfigurationError: The store cannot be read.
        """
        return self._loop.run(self._inner.list())

    def get(self, key: str) -> SyncJob[Any]:
        """
        Return the job that was submitted with *key*. Nothing is sent.

        Args:
            key: That of the submission, or what `list` says in place of one.

        Raises:
            InvalidRequestError: There is none.
            OutcomeUnknownError: No answer came when it was submitted.
            ConfigurationError: Nobody here serves the instance that it went to.
        """
        return SyncJob(self._loop.run(self._inner.get(key)), self._loop)

    def forget(self, key: str) -> bool:
        """
        Drop what is kept of a job, so that its key can be used again.

        The job itself goes on; see `cancel`.

        Args:
            key: That of the submission, or what `list` says in place of one.

        Returns:
            Whether there was one.
        """
        return self._loop.run(self._inner.forget(key))

    def cancel(self, token: str) -> JobStatus:
        """
        Ask the vendor to stop the job that *token* leads to, and how it then stands.

        Raises:
            InvalidRequestError: It is no token of a job.
            ConfigurationError: Nobody here serves the instance that it names.
            UnsupportedFeatureError: The vendor cannot.
            VendorError: The vendor refused or failed.
        """
        return self._loop.run(self._inner.cancel(token))

    def resume(self, token: str) -> SyncJob[Any]:
        """
        Return the job that *token* leads to. Nothing is sent.

        Args:
            token: From `SyncJob.token`. The instance that it names has to be
                configured here as well.

        Raises:
            InvalidRequestError: It is no token of a job.
            ConfigurationError: Nobody here serves the instance that it names.
        """
        return SyncJob(self._inner.resume(token), self._loop)
