"""
Message batches: jobs that go on by one step each time they are asked for.

A batch is `in_progress` when it was made and at the first two questions about it, and
`ended` from the third on; as the vendor does, it counts no line as done before. After
`cancel` it is `canceling` and at the next question `ended`, with the first half of its
lines answered, which could not be interrupted.

A line whose prompt has the words `emulator:expire` is never worked on. Other magic
words do in a line what they do in a request. Results come in the reverse order.

Sources: https://platform.claude.com/docs/en/build-with-claude/batch-processing and
anthropic 2.11, `types/messages`; read 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs

import attrs
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request, Stream
from anymodal_emulator.checking import Field, check

__all__ = ["serve_batches"]

Json: TypeAlias = dict[str, Any]

EXPIRE: Final = "emulator:expire"
CUSTOM_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
DAY: Final = 86_400
STEPS: Final = 2
"""Questions that are answered with `in_progress`."""
LINE: Final = {
    "custom_id": Field("string", required=True),
    "params": Field("object", required=True),
}
CREATE: Final = {
    "requests": Field("array", required=True, items=Field("object", fields=LINE)),
}


def serve_batches(emulator: Emulator) -> None:
    """Let *emulator* take batches of requests to itself."""
    shop = _Shop(emulator)
    path = "/v1/messages/batches"
    for method, end, handler in (
        ("POST", "", shop.create),
        ("GET", "", shop.list_batches),
        ("POST", "/{id}/cancel", shop.cancel),
        ("GET", "/{id}/results", shop.results),
        ("GET", "/{id}", shop.show),
        ("DELETE", "/{id}", shop.delete),
    ):
        emulator.route(method, path + end)(handler)


@attrs.define
class _Batch:
    """A batch, and what came of it."""

    shown: Json
    rows: list[Json]
    asked: int = 0
    results: list[Json] = attrs.field(factory=list)


@attrs.frozen
class _Shop:
    """The handlers. What they remember is the server's."""

    emulator: Emulator

    def create(self, request: Request) -> Reply:
        """Make a batch."""
        body = request.json()
        check(body, CREATE)
        rows = cast("list[Json]", body["requests"])
        for fault in _faults(rows):
            raise fault
        now = request.memory.now()
        name = request.memory.id("msgbatch_", 24)
        counts = {"processing": len(rows), "succeeded": 0, "errored": 0, "canceled": 0}
        shown: Json = {
            "id": name,
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": {**counts, "expired": 0},
            "created_at": _moment(now),
            "expires_at": _moment(now + DAY),
            "ended_at": None,
            "cancel_initiated_at": None,
            "archived_at": None,
            "results_url": None,
        }
        _all(request.memory)[name] = _Batch(shown, rows)
        return Reply.json(shown)

    def list_batches(self, request: Request) -> Reply:
        """List batches, the newest first."""
        rows = [batch.shown for batch in _all(request.memory).values()][::-1]
        query = parse_qs(request.received.query)
        ids = [row["id"] for row in rows]
        after = query.get("after_id", [""])[0]
        rest = rows[ids.index(after) + 1 :] if after in ids else rows
        page = rest[: int(query.get("limit", ["20"])[0])]
        return Reply.json(
            {
                "data": page,
                "has_more": len(page) < len(rest),
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
            }
        )

    def show(self, request: Request) -> Reply:
        """Go on by a step, and show the batch."""
        batch = _batch(request)
        batch.asked += 1
        status = batch.shown["processing_status"]
        if status == "canceling" or (status == "in_progress" and batch.asked > STEPS):
            self._end(batch, request)
        return Reply.json(batch.shown)

    def cancel(self, request: Request) -> Reply:
        """Begin to stop."""
        batch = _batch(request)
        if batch.shown["processing_status"] == "ended":
            _refuse("Batch cannot be canceled because it has already ended.")
        batch.shown["processing_status"] = "canceling"
        batch.shown["cancel_initiated_at"] = _moment(request.memory.now())
        return Reply.json(batch.shown)

    def results(self, request: Request) -> Reply:
        """Send what came of the lines, a JSON object a line."""
        batch = _batch(request)
        if batch.shown["results_url"] is None:
            _refuse("Batch has no results: it has not ended.")
        content = "".join(f"{json.dumps(row)}\n" for row in reversed(batch.results))
        return Reply(200, content.encode(), {"content-type": "application/x-jsonl"})

    def delete(self, request: Request) -> Reply:
        """Forget a batch that has ended."""
        batch = _batch(request)
        if batch.shown["processing_status"] != "ended":
            _refuse("Batch cannot be deleted: it has not ended.")
        del _all(request.memory)[batch.shown["id"]]
        return Reply.json({"id": batch.shown["id"], "type": "message_batch_deleted"})

    def _end(self, batch: _Batch, request: Request) -> None:
        shown = batch.shown
        canceled = shown["processing_status"] == "canceling"
        worked = len(batch.rows) // 2 if canceled else len(batch.rows)
        for place, row in enumerate(batch.rows):
            if place >= worked:
                result: Json = {"type": "canceled"}
            elif EXPIRE in json.dumps(row["params"]):
                result = {"type": "expired"}
            else:
                result = self._answer(row["params"], request)
            batch.results.append({"custom_id": row["custom_id"], "result": result})
            shown["request_counts"][result["type"]] += 1
            shown["request_counts"]["processing"] -= 1
        shown["processing_status"] = "ended"
        shown["ended_at"] = _moment(request.memory.now())
        host = request.received.headers.get("host", "")
        shown["results_url"] = f"http://{host}/v1/messages/batches/{shown['id']}/results"

    def _answer(self, params: Json, request: Request) -> Json:
        """Answer one line, as a request of its own would be."""
        headers = {**request.received.headers, "content-type": "application/json"}
        received = attrs.evolve(
            request.received,
            method="POST",
            path="/v1/messages",
            headers=headers,
            body=json.dumps(params).encode(),
        )
        found: Reply | Stream = self.emulator.answer(attrs.evolve(request, received=received))
        reply = cast("Reply", found)
        body = json.loads(reply.body)
        if reply.status < 300:
            return {"type": "succeeded", "message": body}
        return {"type": "errored", "error": body}


def _all(memory: Memory) -> dict[str, _Batch]:
    return cast("dict[str, _Batch]", memory.kept.setdefault("every batch", {}))


def _batch(request: Request) -> _Batch:
    name = request.args["id"]
    if name not in _all(request.memory):
        raise RefusedError(kind="other", got=f"Batch not found: {name}", status=404)
    return _all(request.memory)[name]


def _faults(rows: list[Json]) -> Iterator[RefusedError]:
    """Iterate over what the vendor refuses before anything is worked on."""
    if not rows:
        yield RefusedError(kind="other", param="requests", got="at least 1 request is required")
    seen: set[str] = set()
    for place, row in enumerate(rows):
        at, name = f"requests[{place}]", row["custom_id"]
        if not CUSTOM_ID.fullmatch(name):
            words = f"String should match pattern '^{CUSTOM_ID.pattern}$'"
            yield RefusedError(kind="other", param=f"{at}.custom_id", got=words)
        if name in seen:
            words = f"'{name}' is a duplicate; each must be unique"
            yield RefusedError(kind="other", param=f"{at}.custom_id", got=words)
        if row["params"].get("stream"):
            words = "streaming is not supported in batches"
            yield RefusedError(kind="other", param=f"{at}.params.stream", got=words)
        seen.add(name)


def _refuse(words: str) -> None:
    raise RefusedError(kind="other", got=words)


def _moment(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")
