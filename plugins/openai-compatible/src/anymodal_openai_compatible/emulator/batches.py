"""
Batches of requests: jobs that go on by one step each time they are asked for.

A batch is `validating` when it was made, `in_progress` at the first two questions
about it (nothing done, then half of its lines), `finalizing` at the third, and
`completed` from the fourth on. A file that is not as it should be makes it `failed`
at the first. After `cancel` it is `cancelling` and at the next question `cancelled`,
with the lines answered that were done by then.

A line whose prompt has the words `emulator:expire` is never worked on, and its batch
ends as `expired`. Other magic words do in a line what they do in a request.

Sources: https://developers.openai.com/api/docs/guides/batch and openai 3.52,
`types/batch.py`; read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, cast

import attrs
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request, Stream
from anymodal_emulator.checking import Field, check, one_of

from .files import Json, Shelf, keep_file, kept, page, without

__all__ = ["serve_batches"]

EXPIRE: Final = "emulator:expire"
DAY: Final = 86_400
ENDPOINTS: Final = ("/v1/responses", "/v1/chat/completions")
WINDOW: Final = one_of("24h", required=True)
CREATE: Final[Mapping[str, Field]] = {
    "input_file_id": Field("string", required=True),
    "metadata": Field("object|null"),
    "output_expires_after": Field("object|null"),
}
LINE: Final[Mapping[str, Field]] = {
    "custom_id": Field("string", required=True),
    "method": one_of("POST", required=True),
    "url": Field("string", required=True),
    "body": Field("object", required=True),
}
TIMES: Final = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")  # fmt: skip
ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
UNDONE: Final = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request was not executed because the batch was cancelled.",
}


def serve_batches(
    emulator: Emulator,
    base_path: str,
    *,
    endpoints: Sequence[str] = ENDPOINTS,
    window: Field = WINDOW,
    lacks: AbstractSet[str] = frozenset(),
    files_lack: AbstractSet[str] = frozenset(),
) -> None:
    """
    Let *emulator* take files, and batches of requests to itself.

    Args:
        emulator: Its other routes are there already.
        base_path: What its paths begin with.
        endpoints: What batches may be for.
        window: What `completion_window` may be.
        lacks: Fields of batches that this vendor does not have.
        files_lack: Fields of files that this vendor does not have.
    """
    Shelf(files_lack).serve(emulator, base_path)
    shop = _Shop(emulator, base_path, endpoints, window, lacks)
    for method, path, handler in (
        ("POST", "/batches", shop.create),
        ("GET", "/batches", shop.list_batches),
        ("POST", "/batches/{id}/cancel", shop.cancel),
        ("GET", "/batches/{id}", shop.show),
    ):
        emulator.route(method, base_path + path)(handler)


@attrs.define
class _Batch:
    """A batch, and what is done of it."""

    shown: Json
    rows: list[Json]
    asked: int = 0
    done: int = 0
    outputs: list[Json] = attrs.field(factory=list)
    errors: list[Json] = attrs.field(factory=list)


@attrs.frozen
class _Shop:
    """The handlers of batches. What they remember is the server's."""

    emulator: Emulator
    base_path: str
    endpoints: Sequence[str]
    window: Field
    lacks: AbstractSet[str]

    def create(self, request: Request) -> Reply:
        """Make a batch of an uploaded file."""
        body = request.json()
        endpoint = one_of(*self.endpoints, required=True)
        check(body, {**CREATE, "endpoint": endpoint, "completion_window": self.window})
        files = kept(request.memory, "file")
        if body["input_file_id"] not in files:
            words = f"No such File object: {body['input_file_id']}"
            raise RefusedError(kind="other", param="input_file_id", got=words, status=404)
        now = request.memory.now()
        shown: Json = {
            "id": request.memory.id("batch_", 32),
            "object": "batch",
            "endpoint": body["endpoint"],
            "model": None,
            "errors": None,
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "expires_at": now + DAY,
            **{f"{name}_at": None for name in TIMES},
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "usage": None,
            "metadata": body.get("metadata"),
        }
        batch = _Batch(shown, [])
        kept(request.memory, "batch")[shown["id"]] = batch
        faults = list(self._faults(files[body["input_file_id"]][1], batch))
        if faults:
            shown["errors"] = {"object": "list", "data": faults}
        return Reply.json(without(shown, self.lacks))

    def list_batches(self, request: Request) -> Reply:
        """List batches, the newest first."""
        batches = [
            without(batch.shown, self.lacks) for batch in kept(request.memory, "batch").values()
        ]
        return Reply.json(page(request, batches[::-1]))

    def show(self, request: Request) -> Reply:
        """Go on by a step, and show the batch."""
        batch = _batch(request)
        self._step(batch, request)
        return Reply.json(without(batch.shown, self.lacks))

    def cancel(self, request: Request) -> Reply:
        """Begin to stop."""
        batch = _batch(request)
        status = batch.shown["status"]
        if status in ENDED:
            words = f"Cannot cancel a batch with status '{status}'."
            raise RefusedError(kind="other", got=words, status=409)
        _turn(batch, "cancelling", request.memory)
        return Reply.json(without(batch.shown, self.lacks))

    def _faults(self, content: bytes, batch: _Batch) -> Iterator[Json]:
        """Read the lines into *batch*, and iterate over what is wrong with them."""
        seen: set[str] = set()
        for number, line in enumerate(content.splitlines(), 1):
            try:
                row = json.loads(line)
                check(row, LINE)
            except (ValueError, TypeError):
                yield _fault(
                    number, "invalid_json_line", "This line is not parseable as valid JSON."
                )
                continue
            except RefusedError as refused:
                yield _fault(number, "invalid_request", f"{refused.param}: {refused.kind}")
                continue
            model = row["body"].get("model")
            if row["custom_id"] in seen:
                yield _fault(number, "duplicate_custom_id", "The custom_id of a line is taken.")
            if row["url"] != batch.shown["endpoint"]:
                yield _fault(number, "invalid_url", "The URL is not the endpoint of the batch.")
            if model != (batch.shown["model"] or model):
                words = "The model of a line does not match the rest of the batch."
                yield _fault(number, "mismatched_model", words)
            seen.add(row["custom_id"])
            batch.shown["model"] = batch.shown["model"] or model
            batch.rows.append(row)
        if not content.strip():
            yield _fault(None, "empty_file", "The input file is empty.")

    def _step(self, batch: _Batch, request: Request) -> None:
        shown, status = batch.shown, batch.shown["status"]
        memory, total = request.memory, len(batch.rows)
        batch.asked += 1
        if status in ENDED:
            return
        if status == "cancelling":
            self._end(batch, "cancelled", request)
        elif shown["errors"]:
            _turn(batch, "failed", memory)
        elif batch.asked == 1:
            _turn(batch, "in_progress", memory)
        elif batch.asked == 2:
            self._work(batch, total // 2, request)
        elif batch.asked == 3:
            self._work(batch, total, request)
            _turn(batch, "finalizing", memory)
        else:
            expired = any(EXPIRE in json.dumps(row["body"]) for row in batch.rows)
            self._end(batch, "expired" if expired else "completed", request)
        failed = len(batch.errors)
        counts = {"total": total, "completed": len(batch.outputs), "failed": failed}
        shown["request_counts"] = counts

    def _work(self, batch: _Batch, up_to: int, request: Request) -> None:
        """Answer lines up to there."""
        while batch.done < up_to:
            row = batch.rows[batch.done]
            batch.done += 1
            if EXPIRE in json.dumps(row["body"]):
                batch.errors.append(_undone(row, "batch_expired", request.memory))
                continue
            reply = self._answer(row, request)
            made = {
                "id": request.memory.id("batch_req_", 32),
                "custom_id": row["custom_id"],
                "response": {
                    "status_code": reply.status,
                    "request_id": request.memory.id("", 32),
                    "body": json.loads(reply.body),
                },
                "error": None,
            }
            (batch.outputs if reply.status < 300 else batch.errors).append(made)

    def _answer(self, row: Json, request: Request) -> Reply:
        """Answer one line, as the endpoint itself would."""
        path = self.base_path + str(row["url"]).removeprefix("/v1")
        received = attrs.evolve(
            request.received,
            method="POST",
            path=path,
            headers={**request.received.headers, "content-type": "application/json"},
            body=json.dumps({**row["body"], "stream": False}).encode(),
        )
        found: Reply | Stream = self.emulator.answer(attrs.evolve(request, received=received))
        return cast("Reply", found)

    def _end(self, batch: _Batch, status: str, request: Request) -> None:
        memory, shown = request.memory, batch.shown
        if status == "cancelled":
            batch.errors += [
                _undone(row, "batch_cancelled", memory) for row in batch.rows[batch.done :]
            ]
        for name, rows in (("output", batch.outputs), ("error", batch.errors)):
            if rows:
                content = "".join(f"{json.dumps(row)}\n" for row in reversed(rows)).encode()
                filename = f"{shown['id']}_{name}.jsonl"
                file = keep_file(memory, filename, content, "batch_output")
                shown[f"{name}_file_id"] = file["id"]
        shown["usage"] = _usage(batch.outputs)
        _turn(batch, status, memory)


def _batch(request: Request) -> _Batch:
    name = request.args["id"]
    if name not in kept(request.memory, "batch"):
        words = f"No batch found with id '{name}'."
        raise RefusedError(kind="other", got=words, status=404)
    return cast("_Batch", kept(request.memory, "batch")[name])


def _turn(batch: _Batch, status: str, memory: Memory) -> None:
    batch.shown["status"] = status
    batch.shown[f"{status}_at"] = memory.now()


def _fault(line: int | None, code: str, words: str) -> Json:
    return {"code": code, "line": line, "message": words, "param": None}


def _undone(row: Json, code: str, memory: Memory) -> Json:
    return {
        "id": memory.id("batch_req_", 32),
        "custom_id": row["custom_id"],
        "response": None,
        "error": {"code": code, "message": UNDONE[code]},
    }


def _usage(rows: list[Json]) -> Json:
    """Return the sum of what the answers used, in the words of Responses."""
    sums = {"input": 0, "output": 0, "cached": 0, "reasoning": 0}
    for row in rows:
        used = row["response"]["body"]["usage"]
        if used is None:  # a response that failed, with status 200
            continue
        heard, said = ("prompt", "completion") if "prompt_tokens" in used else ("input", "output")
        sums["input"] += used[f"{heard}_tokens"]
        sums["output"] += used[f"{said}_tokens"]
        sums["cached"] += used.get(f"{heard}_tokens_details", {}).get("cached_tokens", 0)
        sums["reasoning"] += used.get(f"{said}_tokens_details", {}).get("reasoning_tokens", 0)
    return {
        "input_tokens": sums["input"],
        "input_tokens_details": {"cached_tokens": sums["cached"]},
        "output_tokens": sums["output"],
        "output_tokens_details": {"reasoning_tokens": sums["reasoning"]},
        "total_tokens": sums["input"] + sums["output"],
    }
