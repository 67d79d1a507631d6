"""
Batches of requests: jobs that go on by one step each time they are asked for.

A job is `QUEUED` when it was made, `RUNNING` at the first two questions about it
(nothing done, then half of its lines), and `SUCCESS` from the third on. Lines that are
not as they should be make it `FAILED` at the first. After `cancel` it is
`CANCELLATION_REQUESTED` and at the next question `CANCELLED`, with the lines answered
that were done by then.

A line whose prompt has the words `emulator:expire` is never worked on, and its job ends
as `TIMEOUT_EXCEEDED`. Other magic words do in a line what they do in a request.

Sources: https://docs.mistral.ai/inference/batch-processing; mistralai 3.7.0,
`client/jobs.py`, `client/models/createbatchjobrequest.py` and `client/models/batchjob.py`;
read 2026-11-20. What no source tells is made up here: what is refused with which words,
that wrong lines fail a job when it begins, and the status of a cancel that comes too late.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, cast
from urllib.parse import parse_qs

import attrs
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of

from .files import Json, keep_file, kept, named, page

__all__ = ["serve_batches"]

EXPIRE: Final = "emulator:expire"
MAX_INLINE: Final = 10_000
ENDED: Final = frozenset({"SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED"})
LINE: Final[Mapping[str, Field]] = {
    "custom_id": Field("string|null"),
    "body": Field("object", required=True),
}
CREATE: Final[Mapping[str, Field]] = {
    # of the vendor's endpoints the one that this emulator has
    "endpoint": one_of("/v1/chat/completions", required=True),
    "input_files": Field("array|null", items=Field("string")),
    "requests": Field("array|null", items=Field("object", fields=LINE)),
    "model": Field("string|null"),
    "agent_id": Field("string|null"),
    "metadata": Field("object|null"),
    "timeout_hours": Field("integer", least=1),
}


def serve_batches(emulator: Emulator, base_path: str) -> None:
    """Let *emulator*, whose other routes are there already, take batches of requests to itself."""
    shop = _Shop(emulator)
    for method, path, handler in (
        ("POST", "/batch/jobs", shop.create),
        ("GET", "/batch/jobs", shop.all),
        ("POST", "/batch/jobs/{id}/cancel", shop.cancel),
        ("GET", "/batch/jobs/{id}", shop.show),
        ("DELETE", "/batch/jobs/{id}", shop.delete),
    ):
        emulator.route(method, base_path + path)(handler)


@attrs.define
class _Job:
    """A job, and what is done of it."""

    shown: Json
    rows: list[Json] = attrs.field(factory=list)
    asked: int = 0
    done: int = 0
    outputs: list[Json] = attrs.field(factory=list)
    errors: list[Json] = attrs.field(factory=list)


@attrs.frozen
class _Shop:
    """The handlers of jobs. What they remember is the server's."""

    emulator: Emulator

    def create(self, request: Request) -> Reply:
        """Make a job of uploaded files, or of requests that stand in the body."""
        body = request.json()
        check(body, CREATE)
        inline = cast("list[Json] | None", body.get("requests"))
        files = cast("list[str]", body.get("input_files") or [])
        if bool(inline) == bool(files):
            raise RefusedError(kind="other", got="Either input_files or requests is needed.")
        if inline and len(inline) > MAX_INLINE:
            raise RefusedError(kind="other", got=f"At most {MAX_INLINE} requests are taken inline.")
        job = _Job(
            {
                "id": named(request.memory),
                "object": "batch",
                "input_files": files,
                "metadata": body.get("metadata"),
                "endpoint": body["endpoint"],
                "model": body.get("model"),
                "agent_id": body.get("agent_id"),
                "output_file": None,
                "error_file": None,
                "errors": [],
                "outputs": None,
                "status": "QUEUED",
                "created_at": request.memory.now(),
                "total_requests": 0,
                "completed_requests": 0,
                "succeeded_requests": 0,
                "failed_requests": 0,
                "started_at": None,
                "completed_at": None,
            }
        )
        lines = [json.dumps(row).encode() for row in inline or ()]
        for name in files:
            lines += _content(name, request).splitlines()
        faults = [fault for line in lines if (fault := _fault(line, job))]
        job.shown["errors"] = [
            {"message": words, "count": faults.count(words)} for words in dict.fromkeys(faults)
        ]
        job.shown["total_requests"] = len(lines)
        kept(request.memory, "job")[job.shown["id"]] = job
        return Reply.json(job.shown)

    def all(self, request: Request) -> Reply:
        """List jobs, the newest first."""
        jobs = [job.shown for job in kept(request.memory, "job").values()][::-1]
        return Reply.json({"object": "list", "data": page(request, jobs), "total": len(jobs)})

    def show(self, request: Request) -> Reply:
        """Go on by a step, and show the job."""
        job = _job(request)
        self._step(job, request)
        inline = parse_qs(request.received.query).get("inline") == ["true"]
        return Reply.json({**job.shown, "outputs": [*_outcomes(job)] if inline else None})

    def cancel(self, request: Request) -> Reply:
        """Begin to stop."""
        job = _job(request)
        status = job.shown["status"]
        if status in ENDED:
            raise RefusedError(kind="other", got=f"The job has ended: {status}.")
        job.shown["status"] = "CANCELLATION_REQUESTED"
        return Reply.json(job.shown)

    def delete(self, request: Request) -> Reply:
        """Forget a job."""
        job = _job(request)
        del kept(request.memory, "job")[job.shown["id"]]
        return Reply.json({"id": job.shown["id"], "object": "batch", "deleted": True})

    def _step(self, job: _Job, request: Request) -> None:
        shown, total = job.shown, len(job.rows)
        job.asked += 1
        if shown["status"] in ENDED:
            return
        if shown["status"] == "CANCELLATION_REQUESTED":
            _end(job, "CANCELLED", request)
        elif shown["errors"]:
            _end(job, "FAILED", request)
        elif job.asked == 1:
            shown["status"], shown["started_at"] = "RUNNING", request.memory.now()
        elif job.asked == 2:
            self._work(job, total // 2, request)
        else:
            self._work(job, total, request)
            expired = any(EXPIRE in json.dumps(row["body"]) for row in job.rows)
            _end(job, "TIMEOUT_EXCEEDED" if expired else "SUCCESS", request)
        shown["succeeded_requests"], shown["failed_requests"] = len(job.outputs), len(job.errors)
        shown["completed_requests"] = len(job.outputs) + len(job.errors)

    def _work(self, job: _Job, up_to: int, request: Request) -> None:
        """Answer lines up to there."""
        while job.done < up_to:
            row = job.rows[job.done]
            job.done += 1
            if EXPIRE in json.dumps(row["body"]):
                continue
            reply = self._answer(row, job.shown, request)
            made = {
                "id": f"batch-{job.shown['id'][:8]}-{job.done}-{named(request.memory)}",
                "custom_id": row.get("custom_id"),
                "response": {"status_code": reply.status, "body": json.loads(reply.body)},
                "error": None,
            }
            (job.outputs if reply.status < 300 else job.errors).append(made)

    def _answer(self, row: Json, shown: Json, request: Request) -> Reply:
        """Answer one line, as the endpoint itself would."""
        model = {"model": shown["model"]} if shown["model"] else {}
        received = attrs.evolve(
            request.received,
            method="POST",
            path=shown["endpoint"],
            headers={**request.received.headers, "content-type": "application/json"},
            body=json.dumps({**row["body"], **model, "stream": False}).encode(),
        )
        return cast("Reply", self.emulator.answer(attrs.evolve(request, received=received)))


def _content(name: str, request: Request) -> bytes:
    found = kept(request.memory, "file").get(name)
    if found is None:
        raise RefusedError(kind="other", got=f"File {name} was not found.", status=404)
    shown, content = cast("tuple[Json, bytes]", found)
    if shown["purpose"] != "batch":
        raise RefusedError(kind="other", got=f"The purpose of file {name} is not batch.")
    return content


def _fault(line: bytes, job: _Job) -> str:
    """Read *line* into *job*, or return what is wrong with it."""
    try:
        row = json.loads(line)
        check(row, LINE)
    except (ValueError, TypeError):
        return "A line is no JSON object."
    except RefusedError as refused:
        return f"{refused.param}: {refused.kind}"
    name = row.get("custom_id")
    if name is not None and name in {one.get("custom_id") for one in job.rows}:
        return "A custom_id is not unique."
    if not (job.shown["model"] or row["body"].get("model")):
        return "No model is named."
    job.rows.append(row)
    return ""


def _outcomes(job: _Job) -> Iterator[Json]:
    if job.shown["status"] in ENDED:
        yield from reversed([*job.outputs, *job.errors])


def _end(job: _Job, status: str, request: Request) -> None:
    shown, memory = job.shown, request.memory
    for name, kind, rows in (
        ("output_file", "batch_result", job.outputs),
        ("error_file", "batch_error", job.errors),
    ):
        if rows:
            content = "".join(f"{json.dumps(row)}\n" for row in reversed(rows)).encode()
            filename = f"{shown['id']}_{name}.jsonl"
            made = keep_file(memory, filename, content, "batch", kind)
            shown[name] = made["id"]
    shown["status"], shown["completed_at"] = status, memory.now()


def _job(request: Request) -> _Job:
    name = request.args["id"]
    found = kept(request.memory, "job").get(name)
    if found is None:
        raise RefusedError(kind="other", got=f"Job {name} was not found.", status=404)
    return cast("_Job", found)
