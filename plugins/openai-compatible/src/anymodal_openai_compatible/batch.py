"""
Batches of text, as OpenAI documents them: a file of requests in, a file of answers out.

Sources: https://developers.openai.com/api/docs/guides/batch and openai 3.52,
`types/batch.py`, `types/batch_create_params.py` and `types/file_create_params.py`;
read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, cast
from urllib.parse import quote

import anyio.lowlevel
import attrs
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.failures import request_id, status_error
from anymodal.http import MAX_BODY_BYTES, HttpReply, opened, parse_json, read
from anymodal.jobs import Handle, JobState, JobStatus, state_of, submitting
from anymodal.modalities.batches import BatchLine, Outcome
from anymodal.modalities.text import TextRequest
from anymodal.streams import LineSplitter

from .carrier import HttpCarrier, Upload, UploadingCarrier
from .chat import ChatCodec
from .frames import MALFORMED, Object, malformed
from .provider import Codec, CompatibleText
from .quirks import PLAIN, Quirks, fault

__all__ = ["BatchingText", "batching_text"]

STATES: Final[Mapping[str, JobState]] = {
    "validating": "queued",
    "in_progress": "running",
    "finalizing": "running",
    "cancelling": "running",
    "completed": "succeeded",
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
}
UNDONE: Final = frozenset({"batch_cancelled", "batch_expired"})
"""Codes of lines that were never worked on."""

MAX_LINES: Final = 50_000
MAX_BYTES: Final = 200_000_000
LINES_AT_ONCE: Final = 200
"""How many are written before other tasks have their turn."""


@attrs.frozen(eq=False, kw_only=True)
class BatchingText(CompatibleText):
    """
    Text from a vendor that has OpenAI's batches too.

    A vendor that has them in other words overrides what stands under "the vendor's
    words": the way from lines to a job and from its files to outcomes is the same.

    Args:
        carrier: The road to the vendor; it can carry a file.
        codecs: The protocols that the vendor speaks; lines name them by path.
        max_lines: The most lines that a batch may have.
        max_bytes: The most bytes.
    """

    carrier: UploadingCarrier = attrs.field(repr=False)
    codecs: tuple[Codec, ...] = attrs.field(repr=False)
    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES

    batches_path: ClassVar[str] = "/batches"
    result_files: ClassVar[Sequence[str]] = ("output_file_id", "error_file_id")
    """Fields of a batch that name the files of its outcomes."""

    # -- the vendor's words ---------------------------------------------------------------

    def batch_row(self, line: BatchLine, codec: Codec) -> Object:
        """Return *line* as the file of requests has it."""
        body = codec.encode(line.request, stream=False)
        return {"custom_id": line.id, "method": "POST", "url": f"/v1{codec.path}", "body": body}

    def batch_body(self, file: str, codec: Codec, lines: Sequence[BatchLine]) -> Object:
        """Return the body that makes a batch of the uploaded *file*."""
        del lines
        endpoint = f"/v1{codec.path}"
        return {"input_file_id": file, "endpoint": endpoint, "completion_window": "24h"}

    def batch_status(self, found: Object, named: str | None) -> JobStatus:
        """Return what the vendor says of a batch, in an answer that is *named* so."""
        return _status(found, named, self.codecs[0])

    # -- the way --------------------------------------------------------------------------

    async def submit_batch(self, lines: Sequence[BatchLine], /) -> Handle:
        """
        Upload *lines* as a file, make a batch of it, and return its ids.

        Raises:
            InvalidRequestError: There are more lines or bytes than a batch may have.
            OutcomeUnknownError: No answer came to the second of the two requests.
            UnsupportedFeatureError: The protocol has no form for a part.
            VendorError: The vendor refused or failed.
        """
        codec = self._codec([line.request for line in lines])
        content = await self._written(lines, codec)
        upload = Upload("batch.jsonl", content, "application/jsonl")
        reply = await self.carrier.upload("/files", {"purpose": "batch"}, upload)
        file = await self._field(reply, "id")
        with submitting(self.provider):
            reply = await self.carrier.send(
                "POST", self.batches_path, self.batch_body(file, codec, lines), headers={}
            )
            batch = await self._field(reply, "id")
        return {"batch": batch, "api": codec.api}

    def _codec(self, requests: Sequence[TextRequest]) -> Codec:
        """Return the one protocol for all lines: Chat Completions where one of them needs it."""
        wanted = [self.choose(request) for request in requests]
        return next((codec for codec in wanted if codec.api == "chat"), wanted[0])

    async def _written(self, lines: Sequence[BatchLine], codec: Codec) -> bytes:
        if len(lines) > self.max_lines:
            msg = f"prompts: {self.provider} takes {self.max_lines} in a batch, not {len(lines)}."
            raise e.InvalidRequestError(msg, field="prompts")
        content = bytearray()
        for number, line in enumerate(lines):
            if number % LINES_AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
            content += self._line(line, codec)
            if len(content) > self.max_bytes:
                msg = f"prompts: {self.provider} takes {self.max_bytes} bytes in a batch."
                raise e.InvalidRequestError(msg, field="prompts")
        return bytes(content)

    def _line(self, line: BatchLine, codec: Codec) -> bytes:
        option = line.request.option(codec.quirks.option)
        if option is not None and option.extra_headers:
            line.request.warn("options", "extra_headers were left out; lines of a batch have none")
        row = self.batch_row(line, codec)
        try:
            return (
                json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
            ).encode()
        except (TypeError, ValueError, RecursionError) as error:
            # what these errors say may quote the prompt
            name = type(error).__name__
            msg = f"{self.provider}: a request cannot be written as JSON ({name})."
            raise e.InvalidRequestError(msg, field="prompts") from None

    async def poll_batch(self, handle: Handle, /) -> JobStatus:
        """
        Ask how a batch stands.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply, found = await self._batch(handle)
        try:
            return self.batch_status(found, request_id(reply.headers))
        except MALFORMED as error:
            raise malformed(self.provider, error, request_id(reply.headers)) from error

    async def fetch_batch(self, handle: Handle, request: TextRequest, /) -> Mapping[str, Outcome]:
        """
        Return what became of the lines, from the files of answers and of errors.

        Raises:
            VendorError: The vendor refused or failed.
        """
        api = handle.get("api")
        codec = next((one for one in self.codecs if one.api == api), self.codecs[0])
        _, found = await self._batch(handle)
        outcomes: dict[str, Outcome] = {}
        for file in map(found.get, self.result_files):
            if file:
                await self._read(str(file), codec, request, outcomes)
        return outcomes

    async def cancel_batch(self, handle: Handle, /) -> None:
        """
        Ask the vendor to stop, which takes up to ten minutes.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("POST", f"{self._path(handle)}/cancel", headers={})
        await read(reply, self.provider)

    async def _batch(self, handle: Handle) -> tuple[HttpReply, Object]:
        reply = await self.carrier.send("GET", self._path(handle), headers={})
        found = parse_json(await read(reply, self.provider), self.provider)
        if not isinstance(found, dict):
            raise malformed(self.provider, TypeError(), request_id(reply.headers))
        return reply, found

    def _path(self, handle: Handle) -> str:
        name = handle.get("batch")
        if not isinstance(name, str) or not name:
            msg = "token: it does not name a batch."
            raise e.InvalidRequestError(msg, field="token")
        return f"{self.batches_path}/{quote(name, safe='')}"

    async def _field(self, reply: HttpReply, name: str) -> str:
        found = parse_json(await read(reply, self.provider), self.provider)
        value = found.get(name) if isinstance(found, dict) else None
        if not isinstance(value, str) or not value:
            raise malformed(self.provider, KeyError(name), request_id(reply.headers))
        return value

    async def _read(
        self, file: str, codec: Codec, request: TextRequest, outcomes: dict[str, Outcome]
    ) -> None:
        """Add the lines of *file* to *outcomes*."""
        path = f"/files/{quote(file, safe='')}/content"
        reply = await self.carrier.send("GET", path, headers={})
        splitter = LineSplitter()
        async with opened(
            reply, self.provider, splitter.feed, splitter.end, limit=MAX_BODY_BYTES
        ) as lines:
            async for line in lines:
                if line.strip():
                    row = parse_json(line, self.provider)
                    try:
                        name, outcome = _outcome(cast("Object", row), codec, request, self.provider)
                    except MALFORMED as error:
                        named = request_id(reply.headers)
                        raise malformed(self.provider, error, named) from error
                    outcomes[name] = outcome


def batching_text(
    connection: Connection, quirks: Quirks | None = None, *, max_bytes: int = MAX_BYTES
) -> BatchingText:
    """
    Return the provider for a vendor with Chat Completions and batches: its whole `connect`.

    Args:
        connection: The way to the vendor.
        quirks: How it deviates from the protocol.
        max_bytes: The most bytes that a batch may have.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    known = quirks or PLAIN
    codec = ChatCodec(connection.provider, known, connection.scrub)
    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return BatchingText(
        provider=connection.provider,
        carrier=HttpCarrier(connection, known.headers),
        choose=lambda _: codec,
        codecs=(codec,),
        max_bytes=max_bytes,
    )


# -- what is said of it -------------------------------------------------------------------


def _status(found: Object, named: str | None, codec: Codec) -> JobStatus:
    word = str(found["status"])
    state = state_of(word, STATES)
    counts = found.get("request_counts") or {}
    total = counts.get("total") or 0
    errors = (found.get("errors") or {}).get("data") or []
    first = errors[0] if state == "failed" and errors else {}
    words = first.get("message")
    place = f"line {first['line']}: " if first.get("line") is not None else ""
    return JobStatus(
        state=state,
        word=word,
        progress=(counts["completed"] + counts["failed"]) / total if total else None,
        has_result=state == "succeeded"
        or (
            state in {"cancelled", "expired"}
            and bool(found.get("output_file_id") or found.get("error_file_id"))
        ),
        message=codec.scrub(f"{place}{' '.join(words.split())[:500]}") if words else "",
        code=first.get("code"),
        request_id=named,
    )


def _outcome(row: Object, codec: Codec, request: TextRequest, provider: str) -> tuple[str, Outcome]:
    """Return which line *row* is of, and what became of it."""
    name = row["custom_id"]
    if not isinstance(name, str):
        raise TypeError
    reply = row.get("response")
    if reply is None:
        return name, _undone(row["error"], codec, provider)
    status, named = reply["status_code"], reply.get("request_id")
    if 200 <= status < 300:
        try:
            return name, codec.decode(reply["body"], request, named)
        except e.VendorError as error:
            return name, error
    headers = {"x-request-id": named} if named else {}
    content = json.dumps(reply.get("body")).encode()
    return name, status_error(
        provider, status, headers, content, refine=codec.quirks.refine, scrub=codec.scrub
    )


def _undone(error: Object | str, codec: Codec, provider: str) -> e.VendorError:
    if isinstance(error, str) or error.get("code") not in UNDONE:
        return fault(
            error, provider=provider, quirks=codec.quirks, request_id=None, scrub=codec.scrub
        )
    words = codec.scrub(" ".join(str(error.get("message") or "it was not worked on").split())[:500])
    return e.JobFailedError(f"{provider}: {words}", provider=provider, vendor_code=error["code"])
