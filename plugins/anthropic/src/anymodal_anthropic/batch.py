"""
Message batches: many requests at half the price, within a day.

Sources: https://platform.claude.com/docs/en/build-with-claude/batch-processing,
https://platform.claude.com/docs/en/api/creating-message-batches and anthropic 2.11,
`types/messages/message_batch*.py`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote

import anyio.lowlevel
import attrs
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.failures import request_id
from anymodal.http import MAX_BODY_BYTES, opened, parse_json, read
from anymodal.jobs import Handle, JobState, JobStatus, state_of, submitting
from anymodal.modalities.batches import BatchLine, Outcome
from anymodal.modalities.text import TextRequest
from anymodal.streams import LineSplitter

from .faults import MALFORMED, Object, fault
from .reply import decode
from .sdk import sdk_carrier
from .text import MessagesText

__all__ = ["BatchingMessages", "batching_messages"]

PATH: Final = "/v1/messages/batches"
MAX_LINES: Final = 100_000
LINES_AT_ONCE: Final = 200
"""How many are put into form before other tasks have their turn."""

STATES: Final[Mapping[str, JobState]] = {"in_progress": "running", "canceling": "running"}


@attrs.frozen(eq=False)
class BatchingMessages(MessagesText):
    """
    Text from Anthropic, one by one or in batches.

    Args:
        max_lines: The most lines that a batch may have.
    """

    max_lines: int = MAX_LINES

    async def submit_batch(self, lines: Sequence[BatchLine], /) -> Handle:
        """
        Make a batch of *lines*, and return its id.

        Raises:
            InvalidRequestError: There are more lines than a batch may have.
            OutcomeUnknownError: No answer came.
            UnsupportedFeatureError: The vendor has no form for a part.
            VendorError: The vendor refused or failed.
        """
        provider = self.connection.provider
        if len(lines) > self.max_lines:
            msg = f"prompts: {provider} takes {self.max_lines} in a batch, not {len(lines)}."
            raise e.InvalidRequestError(msg, field="prompts")
        requests: list[object] = []
        for number, line in enumerate(lines):
            if number % LINES_AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
            params = self._body(line.request, stream=False)
            requests.append({"custom_id": line.id, "params": params})
        with submitting(provider):
            reply = await self._post(PATH, {"requests": requests}, lines[0].request)
            found = await self._json(reply)
        try:
            name = cast("Object", found)["id"]
            if not isinstance(name, str) or not name:
                raise TypeError
        except MALFORMED as error:
            raise self._malformed(error, reply) from error
        return {"batch": name}

    async def poll_batch(self, handle: Handle, /) -> JobStatus:
        """
        Ask how a batch stands.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("GET", _path(handle), headers={})
        found = await self._json(reply)
        try:
            return _status(cast("Object", found), request_id(reply.headers))
        except MALFORMED as error:
            raise self._malformed(error, reply) from error

    async def fetch_batch(self, handle: Handle, request: TextRequest, /) -> Mapping[str, Outcome]:
        """
        Return what became of the lines.

        Raises:
            VendorError: The vendor refused or failed.
        """
        provider = self.connection.provider
        reply = await self.carrier.send(
            "GET", f"{_path(handle)}/results", headers={"accept": "application/binary"}
        )
        outcomes: dict[str, Outcome] = {}
        splitter = LineSplitter()
        async with opened(
            reply, provider, splitter.feed, splitter.end, limit=MAX_BODY_BYTES
        ) as lines:
            async for line in lines:
                if line.strip():
                    row = parse_json(line, provider)
                    try:
                        name, outcome = self._outcome(cast("Object", row), request)
                    except MALFORMED as error:
                        raise self._malformed(error, reply) from error
                    outcomes[name] = outcome
        return outcomes

    async def cancel_batch(self, handle: Handle, /) -> None:
        """
        Ask the vendor to stop. Lines that are being worked on may still be answered.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("POST", f"{_path(handle)}/cancel", headers={})
        await read(reply, self.connection.provider)

    def _outcome(self, row: Object, request: TextRequest) -> tuple[str, Outcome]:
        """Return which line *row* is of, and what became of it."""
        provider = self.connection.provider
        name, result = row["custom_id"], row["result"]
        if not isinstance(name, str):
            raise TypeError
        match result["type"]:
            case "succeeded":
                try:
                    return name, decode(result["message"], provider, None, raw=request.raw)
                except e.VendorError as error:
                    return name, error
            case "errored":
                found = result["error"]
                named = found.get("request_id")
                headers = {"request-id": named} if isinstance(named, str) else {}
                scrub = self.connection.scrub
                return name, fault(found["error"], provider=provider, headers=headers, scrub=scrub)
        word = str(result["type"])
        msg = f"{provider}: the line was not worked on ({word})"
        return name, e.JobFailedError(msg, provider=provider, vendor_code=word)


def batching_messages(connection: Connection) -> BatchingMessages:
    """Return the provider for an instance."""
    return BatchingMessages(connection, sdk_carrier(connection))


def _path(handle: Handle) -> str:
    name = handle.get("batch")
    if not isinstance(name, str) or not name:
        msg = "token: it does not name a batch."
        raise e.InvalidRequestError(msg, field="token")
    return f"{PATH}/{quote(name, safe='')}"


def _status(found: Object, named: str | None) -> JobStatus:
    """
    Return what is said of a batch.

    While it runs the vendor counts no line as done, so that its progress is unknown.
    """
    word = str(found["processing_status"])
    if word != "ended":
        return JobStatus(state=state_of(word, STATES), word=word, request_id=named)
    counts = found["request_counts"]
    state: JobState = "succeeded"
    if counts["canceled"]:
        state = "cancelled"
    elif counts["expired"]:
        state = "expired"
    if found.get("archived_at"):
        words = "its results are no longer kept"
        return JobStatus(state="expired", word="archived", message=words, request_id=named)
    return JobStatus(state=state, word=word, progress=1.0, has_result=True, request_id=named)
