"""`anymodal jobs`: what was submitted, by this program or another, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, cast

import click

from ..client import Client
from ..config import Settings
from ..facades.jobs import Job
from ..jobs import PREFIX, JobStatus, JobToken
from ..ledger import KeptJob
from ..modalities.batches import Outcome, TextBatch
from ..modalities.making import MadeResult
from ..modalities.text import TextResult
from .ending import run_async
from .output import Json, Listing, Stdout, json_option
from .text import cost_of, document_of, usage_of

__all__ = ["bar", "jobs"]

_KEPT: Final = ("key", "state", "modality", "operation", "instance", "model", "submitted_at")
LISTED: Final = Listing(*_KEPT)
LISTED_WHOLE: Final = Listing(*_KEPT, "token")
SHOWN: Final = Listing(*_KEPT, "progress", "word", "message", "token")

job_argument = click.argument("job")


@click.group
def jobs() -> None:
    """
    List, show, resume, cancel and forget jobs.

    JOB is the key that a job was submitted with, what `list` has in its place,
    or a token.
    """


@jobs.command("list")
@json_option
def list_jobs(*, as_json: bool) -> None:
    """
    List the jobs that are kept, the oldest first. Nobody is asked.

    One that has ended is kept for 30 days. `submitting` is one whose making got
    no answer: look at the vendor's own list before you forget it.
    """
    out = Stdout.taken()

    async def listed() -> tuple[KeptJob, ...]:
        async with Client(Settings.load()) as ai:
            return await ai.jobs.list()

    rows = [_row(one) for one in run_async(listed)]
    (LISTED_WHOLE if as_json else LISTED).write(rows, out, as_json=as_json)


@jobs.command
@job_argument
@json_option
def show(*, job: str, as_json: bool) -> None:
    """Ask how JOB stands."""
    _stands(job, as_json=as_json, cancels=False)


@jobs.command
@job_argument
@json_option
def cancel(*, job: str, as_json: bool) -> None:
    """Ask the vendor to stop JOB, and how it then stands. What was done by then can be fetched."""
    _stands(job, as_json=as_json, cancels=True)


@jobs.command
@job_argument
@click.option("--timeout", metavar="S", type=click.FloatRange(min=0, min_open=True),
              help="Seconds to wait at most; the job goes on.")  # fmt: skip
@click.option("-o", "--out", "path", metavar="FILE",
              type=click.Path(dir_okay=False, writable=True, path_type=Path),
              help="Where a clip or sound goes.")  # fmt: skip
def resume(*, job: str, timeout: float | None, path: Path | None) -> None:
    """
    Wait until JOB has ended, and write what came of it as JSON.

    A clip or sound goes into FILE, and what is known of it is written.
    """
    out = Stdout.taken()

    async def waited() -> object:
        async with Client(Settings.load()) as ai:
            found = await _found(ai, job)
            is_file = JobToken.parse(found.token).modality in {"audio", "video"}
            if is_file and path is None:
                msg = "what comes of this job is a file: name one with -o."
                raise click.ClickException(msg)
            with bar() as shown:
                async for status in found.progress(timeout=timeout):
                    shown(status)
            return await found.result(into=path)

    out.document(_document(run_async(waited), path))


@jobs.command
@click.argument("key")
def forget(*, key: str) -> None:
    """Drop what is kept of the job KEY, so that the key can be used again. The job goes on."""

    async def forgotten() -> bool:
        async with Client(Settings.load()) as ai:
            return await ai.jobs.forget(key)

    if not run_async(forgotten):
        msg = f"no job {key!r} is kept here; see anymodal jobs list."
        raise click.ClickException(msg)


# -- one of them --------------------------------------------------------------------------


async def _found(ai: Client, name: str) -> Job[Any]:
    return ai.jobs.resume(name) if name.startswith(PREFIX) else await ai.jobs.get(name)


def _stands(name: str, *, as_json: bool, cancels: bool) -> None:
    """Write how a job stands, as its vendor says."""
    out = Stdout.taken()

    async def asked() -> tuple[Job[Any], KeptJob | None]:
        async with Client(Settings.load()) as ai:
            found = await _found(ai, name)
            if cancels:
                await found.cancel()
            await found.poll()
            kept = {one.token: one for one in await ai.jobs.list()}
            return found, kept.get(found.token)

    found, kept = run_async(asked)
    row = {**(_of_elsewhere(found) if kept is None else _row(kept)), **_told(found.status)}
    SHOWN.write([row], out, as_json=as_json)


def _row(kept: KeptJob) -> dict[str, Json]:
    return {
        "key": kept.key,
        "state": kept.state,
        "modality": kept.modality,
        "operation": kept.operation,
        "instance": kept.instance or None,
        "model": kept.model or None,
        "submitted_at": kept.submitted_at.isoformat(),
        "token": kept.token,
    }


def _of_elsewhere(job: Job[Any]) -> dict[str, Json]:
    """Return what a token says of a job that is not kept here."""
    token = JobToken.parse(job.token)
    return {
        "key": None,
        "modality": token.modality,
        "operation": token.operation,
        "instance": token.instance,
        "model": token.model,
        "submitted_at": None,
        "token": job.token,
    }


def _told(status: JobStatus) -> dict[str, Json]:
    return {
        "state": status.state,
        "progress": status.progress,
        "word": status.word or None,
        "message": status.message or None,
    }


# -- the wait -----------------------------------------------------------------------------


class Bar(Protocol):
    def __call__(self, status: JobStatus, /) -> None: ...


@contextmanager
def bar() -> Iterator[Bar]:
    """Show on a terminal how a job gets on, and nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  # rich is slow to import
    from rich.progress import Progress  # noqa: PLC0415  # as above

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("queued", total=None)

        def show_status(status: JobStatus) -> None:
            total = None if status.progress is None else 1.0
            progress.update(
                task, description=status.state, total=total, completed=status.progress or 0.0
            )

        yield show_status


# -- what came of it ----------------------------------------------------------------------


def _document(result: object, path: Path | None = None) -> Json:
    if isinstance(result, MadeResult):
        from .making import document_of  # noqa: PLC0415  # it shows its progress by what stands here

        return document_of(result, cast("Path", path))
    if not isinstance(result, TextBatch):
        msg = f"the result is a {type(result).__name__}, which is not written as JSON."
        raise click.ClickException(msg)
    record = result.record
    return {
        "provider": record.provider,
        "instance": record.instance,
        "model": record.model,
        "usage": usage_of(record.usage),
        "cost": cost_of(record.cost),
        "record_id": record.id,
        "lines": [_line(key, one) for key, one in zip(result.keys, result.lines, strict=True)],
    }


def _line(key: str, outcome: Outcome) -> Mapping[str, Json]:
    """Return an answer or an error, one of them None."""
    if isinstance(outcome, TextResult):
        return {"key": key or None, "answer": document_of(outcome), "error": None}
    error = {"code": outcome.code, "message": str(outcome)}
    return {"key": key or None, "answer": None, "error": error}
