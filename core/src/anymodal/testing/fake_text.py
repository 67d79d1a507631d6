"""A provider of text that says what it was given."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import cast

from ..errors import AnymodalError
from ..jobs import Handle, JobStatus
from ..modalities.batches import BatchLine, Outcome
from ..modalities.messages import Citation, Message, Part, Reasoning, ToolCall
from ..modalities.text import (
    Finish,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    TextRequest,
    TextResult,
    ToolCallDelta,
    events_of,
)
from ..streams import streaming
from ..usage import Usage
from .replies import Replies, fresh

__all__ = ["FakeText"]

_PIECES = re.compile(r"\s*\S+\s*$|\s*\S+", re.DOTALL)
_EVENTS = (TextDelta, ReasoningDelta, ToolCallDelta, Finish, BaseException)


class FakeText:
    """
    Text, a word at a time.

    It counts words for tokens.
    """

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._batches: dict[str, dict[str, Outcome]] = {}

    @streaming
    async def stream(self, request: TextRequest, /) -> AsyncGenerator[TextEvent, None]:
        """Say the next reply."""
        self._replies.note(request)
        reply = await self._replies.next(request)
        if isinstance(reply, list | tuple) and any(isinstance(one, _EVENTS) for one in reply):
            for event in cast("Sequence[TextEvent | BaseException]", reply):
                if isinstance(event, BaseException):
                    raise fresh(event)
                yield event
            return
        for event in events_of(self._result(reply, request)):
            if isinstance(event, TextDelta):
                for piece in _PIECES.findall(event.text) or [event.text]:
                    yield TextDelta(piece)
            else:
                yield event

    def _result(self, reply: object, request: TextRequest) -> TextResult:
        if isinstance(reply, TextResult):
            return reply
        if isinstance(reply, Mapping):
            reply = json.dumps(reply)
        parts = reply if isinstance(reply, list | tuple) else (reply,)
        if not all(isinstance(one, str | ToolCall | Reasoning | Citation) for one in parts):
            known = "a str, a mapping, parts of a message, events, or a TextResult"
            raise self._replies.unknown(reply, known)
        message = Message.assistant(*cast("Sequence[Part]", parts))
        asks = any(isinstance(one, ToolCall) for one in parts)
        usage = Usage(
            input_tokens=sum(_words(one.text) for one in request.messages)
            + _words(request.system or ""),
            output_tokens=_words(message.text),
        )
        return TextResult(message, Finish("tool_calls" if asks else "stop", usage=usage))

    # -- many at once -----------------------------------------------------------------------

    async def submit_batch(self, lines: Sequence[BatchLine], /) -> Handle:
        """Take a reply for each line; one that is an error is that of its line."""
        found: dict[str, Outcome] = {}
        for line in lines:
            self._replies.note(line.request)
            try:
                reply = await self._replies.next(line.request)
                found[line.id] = self._result(reply, line.request)
            except AnymodalError as error:
                found[line.id] = error
        name = f"batch-{len(self._batches) + 1}"
        self._batches[name] = found
        return {"id": name}

    async def poll_batch(self, handle: Handle, /) -> JobStatus:
        """Say that it is done."""
        return JobStatus(state="succeeded" if handle["id"] in self._batches else "expired")

    async def fetch_batch(self, handle: Handle, request: TextRequest, /) -> Mapping[str, Outcome]:
        """Give the replies."""
        del request
        return self._batches[str(handle["id"])]

    async def cancel_batch(self, handle: Handle, /) -> None:
        """Do nothing: it is done."""


def _words(text: str) -> int:
    return len(text.split())
