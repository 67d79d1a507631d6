"""The clauses of jobs, and of the files that clips and sound are put into."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from .. import errors as e
from ..client import Client
from ..facades.jobs import Job
from ..jobs import JobStatus, JobToken
from .clauses import clause, not_applicable
from .emulators import faults
from .failures import key_of
from .leftovers import eventually
from .made import THRICE, Made
from .opening import flaw
from .stage import Stage

__all__ = ["Jobs"]

LOOKS: Final = 60
"""How often a job on loopback is asked for at most."""

LARGEST_HANDLE: Final = 4096
BRIEF: Final = 0.03
"""Seconds in which no program has made anything."""

STRANGE: Final = b"ANNEALING-7"
"""A state that no vendor has."""


class Jobs(Made):
    """What becomes of work that outlives a connection, and of the file that it ends in."""

    async def submitted(
        self, ai: Client, stage: Stage, question: str = "", **more: Any
    ) -> Job[Any]:
        """Submit the plain call; not applicable where the provider makes things at once."""
        provider = await stage.provider(ai)
        if not hasattr(provider, "submit"):
            not_applicable(f"{stage.id} makes things at once, and no jobs")
        facade: Any = getattr(ai, self.modality)
        asked = self.plain(stage.name, question or self.questions[0])
        job: Job[Any] = await facade.submit(**{**asked, **more})
        return job

    def plain(self, name: str, question: str) -> dict[str, Any]:
        """Return the arguments of the plain call."""
        raise NotImplementedError

    async def looked(self, job: Job[Any]) -> list[JobStatus]:
        """Ask for *job* until it has ended, and return all that was said."""
        said = [await job.poll()]
        while not said[-1].is_ended and len(said) < LOOKS:
            said.append(await job.poll())
        return said

    async def had(self, job: Job[Any], stage: Stage, hint: str) -> bytes:
        """Return the content of what *job* made; an error of it fails the clause, with a *hint*."""
        try:
            return self.content(await job.result())
        except Exception as error:
            msg = f"{stage.id} could not give what a job made: {error!r}. {hint}."
            raise AssertionError(msg) from error

    # -- the way back -------------------------------------------------------------------------

    @clause("job.comes-back", "works")
    async def test_a_job_is_found_again(self, stage: Stage, ai: Client) -> None:
        """A job is found again by its token, by another client: who submitted it may be gone."""
        jobs = [await self.submitted(ai, stage, words) for words in self.questions[:2]]
        expected = [await self.had(job, stage, "Keep each job apart") for job in jobs]
        async with stage.client() as other:
            hint = "Let the handle be all that is needed to ask for a job"
            found = [await self.had(other.jobs.resume(job.token), stage, hint) for job in jobs]
        assert found == expected, (
            f"{stage.id} gave another client something else. Let the handle be all that is needed, "
            "and keep nothing in the provider."
        )

    @clause("job.key-leads-back", "honest")
    async def test_a_key_leads_back(self, stage: Stage, ai: Client) -> None:
        """Under one key there is one job, which can be asked for when it was kept and read again."""
        job = await self.submitted(ai, stage, key="lamp/1")
        count = len(stage.requests)
        again = await self.submitted(ai, stage, key="lamp/1")
        assert len(stage.requests) == count, f"{stage.id} was asked twice under one key."
        hint = "A handle is JSON: names are strings, and there are lists and no tuples"
        found = await self.had(again, stage, hint)
        assert found == await self.had(job, stage, hint), (
            f"{stage.id} gave something else for a job that had been kept. {hint}."
        )

    @clause("job.handle-is-plain", "honest")
    async def test_a_handle_is_plain(self, stage: Stage, ai: Client) -> None:
        """The handle is small, JSON, and has no key in it: it is kept, printed and sent around."""
        handle = JobToken.parse((await self.submitted(ai, stage)).token).handle
        words = json.dumps(handle)
        assert len(words) <= LARGEST_HANDLE, (
            f"{stage.id} has a handle of {len(words)} characters. Keep what names the job alone."
        )
        assert not handle or any(handle.values()), f"{stage.id} has a handle of nothing: {words}."
        assert key_of(stage) not in words, f"{stage.id} keeps its key in the handle. Leave it out."

    @clause("job.is-made-once", "honest", needs_vendor=True)
    async def test_a_lost_answer_is_of_unknown_outcome(self, stage: Stage, ai: Client) -> None:
        """A submit without an answer is an OutcomeUnknownError and not sent again: it may be paid."""
        await self.submitted(ai, stage)
        assert stage.vendor
        stage.vendor.clear()
        stage.play(faults().Reset(), times=3)
        found: Exception | None = None
        try:
            await self.submitted(ai, stage, policy=THRICE)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
            found = error
        assert isinstance(found, e.OutcomeUnknownError), (
            f"{stage.id} lost the answer to a submit and raised {found!r}. Put the one request "
            "under anymodal.jobs.submitting(…)."
        )
        count = len(stage.requests)
        assert count == 1, f"{stage.id} submitted {count} times, because an answer was lost."

    # -- how it stands ------------------------------------------------------------------------

    @clause("job.ends-once", "works")
    async def test_a_job_ends_once(self, stage: Stage, ai: Client) -> None:
        """A job that has ended stays so, and has what was to be made."""
        job = await self.submitted(ai, stage)
        last = (await self.looked(job))[-1]
        assert last.state == "succeeded", (
            f"{stage.id}: a job that was asked for {LOOKS} times is {last.state} ({last.word})."
        )
        hint = "Say succeeded when there is something to fetch"
        await self.had(job, stage, hint)
        wrong = flaw(self.media(await job.result()))
        assert not wrong, f"{stage.id} said that a job had ended, and {wrong}. {hint}."
        after = await job.poll()
        assert after.state == "succeeded", f"{stage.id}: a job that had ended is {after.state}."

    @clause("job.progress-never-falls", "honest")
    async def test_progress_never_falls(self, stage: Stage, ai: Client) -> None:
        """Progress grows, and is told by who says so: somebody looks at a bar."""
        seen: list[JobStatus] = []
        await self.ask(ai, stage.name, self.questions[0], more={"progress": seen.append})
        shares = [one.progress for one in seen if one.progress is not None]
        assert shares == sorted(shares), f"{stage.id} told of progress {shares}."
        assert shares or not self.can("progress"), (
            f"{stage.id} says that it tells progress, and told none. Say no to it."
        )

    @clause("job.tells-failure", "honest", needs_vendor=True)
    async def test_a_failed_job_says_why(self, stage: Stage, ai: Client) -> None:
        """A failed job is a JobFailedError with the vendor's reason."""
        job = await self.submitted(ai, stage, "A lamp. emulator:fail")
        last = (await self.looked(job))[-1]
        if last.state == "succeeded":
            not_applicable(f"the emulator of {stage.id} does not know emulator:fail")
        assert last.state == "failed", f"{stage.id} says of a failed job that it is {last.state}."
        assert last.message, f"{stage.id} does not say why a job failed: `message`."
        with pytest.raises(e.JobFailedError, match=re.escape(last.message)):
            await job.result()

    @clause("job.cancels", "complete", needs_vendor=True)
    async def test_a_job_is_cancelled(self, stage: Stage, ai: Client) -> None:
        """A cancelled job is cancelled at the vendor's: there it costs money."""
        stage.able("cancel")
        job = await self.submitted(ai, stage, "A lamp. emulator:slow")
        await job.poll()
        count = len(stage.requests)
        await job.cancel()
        assert len(stage.requests) > count, f"{stage.id} did not tell its vendor to stop."
        last = (await self.looked(job))[-1]
        assert last.state == "cancelled", (
            f"{stage.id} says of a job that was stopped that it is {last.state} ({last.word})."
        )

    @clause("job.unknown-is-running", "honest", needs_vendor=True)
    async def test_a_strange_state_means_running(self, stage: Stage, ai: Client) -> None:
        """A state that nobody knows means that it runs: vendors invent new ones."""
        job = await self.submitted(ai, stage)
        word = (await job.poll()).word
        assert word, f"{stage.id} does not say the vendor's own word for a state: `word`."

        def renamed(_: int, piece: bytes) -> bytes:
            return piece.replace(f'"{word}"'.encode(), b'"%b"' % STRANGE)

        stage.play(faults().Rewrite(renamed))
        try:
            found: object = (await job.poll()).state
        except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
            found = error
        assert found == "running", (
            f"{stage.id} takes a state that it does not know for {found!r}. Use state_of()."
        )

    @clause("job.hiccup-is-no-end", "honest", needs_vendor=True)
    async def test_a_failed_look_is_no_failed_job(self, stage: Stage, ai: Client) -> None:
        """A request for a job's state that fails is an error, and says nothing of the job."""
        job = await self.submitted(ai, stage)
        for fault, wanted in (
            (faults().Status(503), e.OverloadedError),
            (faults().Status(429, retry_after=7), e.RateLimitedError),
            (faults().Reset(), e.ConnectionFailedError),
        ):
            stage.play(fault)
            error: Exception | None = None
            try:
                await job.poll()
            except Exception as found:  # noqa: BLE001  # as above
                error = found
            assert isinstance(error, wanted), (
                f"{stage.id} was asked for a job's state, and {fault} became "
                f"{error or job.status!r}. Let it through: the core asks again."
            )
        assert (await self.looked(job))[-1].state == "succeeded", (
            f"{stage.id} takes a job for ended because it could not be asked for."
        )

    @clause("job.forgotten-is-over", "honest", needs_vendor=True)
    async def test_a_forgotten_job_is_over(self, stage: Stage, ai: Client) -> None:
        """A job that the vendor knows no more has expired, or is a NotFoundError; nobody waits on."""
        job = await self.submitted(ai, stage)
        stage.play(faults().Status(404))
        try:
            status = await job.poll()
        except e.NotFoundError:
            return  # the core hands it on, and waits no more
        assert status.state in {"expired", "failed"}, (
            f"{stage.id} says of a job that its vendor knows no more that it is {status.state}."
        )

    # -- files --------------------------------------------------------------------------------

    @clause("file.has-it-all", "works")
    async def test_a_file_has_it_all(self, stage: Stage, ai: Client, tmp_path: Path) -> None:
        """What is put into a file is what is otherwise in memory, and the result says where it is."""
        expected = self.content(await self.made(ai, stage))
        file = tmp_path / "made.bin"
        result = await self.made(ai, stage, into=file)
        assert self.media(result).path == file, (
            f"{stage.id} was to put it into {file.name}, and says that it is elsewhere."
        )
        assert file.read_bytes() == expected, f"{stage.id} put something else into a file."

    @clause("file.is-whole-or-absent", "honest")
    async def test_no_half_file_is_left(self, stage: Stage, ai: Client, tmp_path: Path) -> None:
        """A file that could not be finished is not left behind, and one that was there stays."""
        expected = self.content(await self.made(ai, stage))
        kept, new = tmp_path / "kept.bin", tmp_path / "new.bin"
        kept.write_bytes(b"as it was")
        for file in (kept, new):
            if stage.vendor:
                stage.vendor.clear()
                await self.made(ai, stage)
                await self.play_last(stage, faults().Cut(after_bytes=len(expected) // 2))
                error = await self.failure(self.ask, ai, stage, more={"into": file})
                assert error is not None, f"{stage.id} took half of it for the whole."
            elif not await self.left(ai, stage, file):
                not_applicable(f"{stage.id} is too quick to be left half-way")
        found = {one.name: one.read_bytes() for one in tmp_path.iterdir()}  # noqa: ASYNC240  # two small files
        assert found == {"kept.bin": b"as it was"}, (
            f"{stage.id} left {sorted(found)} of a file that was not finished. Write by "
            "connection.http.download(into=…) or Media.save."
        )

    async def left(self, ai: Client, stage: Stage, file: Path) -> bool:
        """Give up a plain call whose result would go into *file*; return whether that was in time."""
        made: list[object] = []

        async def call() -> None:
            made.append(await self.made(ai, stage, into=file))

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await eventually(lambda: bool(made), BRIEF)
            group.cancel_scope.cancel()
        return not made
