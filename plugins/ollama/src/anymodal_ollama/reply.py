"""
The answer of `POST /api/chat`, whole or line by line, as events.

Source: https://docs.ollama.com/api/chat, https://docs.ollama.com/api/streaming and
https://docs.ollama.com/api/errors, read 2026-11-20.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
from anymodal.errors import (
    IncompleteError,
    InvalidRequestError,
    MalformedReplyError,
    ServerError,
)
from anymodal.modalities.messages import Message, Part, Reasoning, ToolCall
from anymodal.modalities.text import (
    Finish,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    TextResult,
    ToolCallDelta,
)
from anymodal.streams import LineSplitter
from anymodal.usage import Usage

__all__ = ["MALFORMED", "Lines", "Object", "ReplyReader", "decode", "failure", "malformed"]

EventT = TypeVar("EventT")
Object: TypeAlias = dict[str, Any]
"""JSON that is read field by field; what a wrong shape raises is in `MALFORMED`."""

MALFORMED: Final = (
    ArithmeticError,
    AttributeError,
    InvalidRequestError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading an answer raises that is not shaped as its protocol says."""

FINISH_REASONS: Final[Mapping[str | None, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    None: "stop",  # old servers have no word for it
}
"""What a `done_reason` means; `load` and `unload` answer requests without messages."""

_json: Final = json.JSONDecoder().decode


def malformed(provider: str, error: Exception) -> MalformedReplyError:
    """Return the error for an answer that *error* shows not to follow its protocol."""
    msg = f"{provider}: the answer does not follow the protocol ({type(error).__name__})"
    return MalformedReplyError(msg, provider=provider)


def failure(found: object) -> str:
    """Return the words of an error within an answer, on one line."""
    words = found.get("message") if isinstance(found, Mapping) else found
    return " ".join(words.split())[:500] if isinstance(words, str) else "it failed"


class Lines(Generic[EventT]):
    """
    Reads a stream of JSON objects, one a line.

    Args:
        provider: Id of the provider, for errors.
        take: Adds the events of an object to a list.
    """

    def __init__(self, provider: str, take: Callable[[Object, list[EventT]], None]) -> None:
        self._provider = provider
        self._take = take
        self._splitter = LineSplitter()

    def feed(self, chunk: bytes, found: list[EventT]) -> None:
        """
        Add the events that *chunk* completes to *found*.

        Raises:
            VendorError: A line says that the vendor failed, or follows no
                protocol. The events before it are in *found*.
        """
        lines: list[bytes] = []
        try:
            self._splitter.feed(chunk, lines)
        finally:
            self._read(lines, found)

    def end(self, found: list[EventT]) -> None:
        """Add the events of a last line without its end."""
        lines: list[bytes] = []
        self._splitter.end(lines)
        self._read(lines, found)

    def _read(self, lines: list[bytes], found: list[EventT]) -> None:
        take = self._take
        try:
            for line in lines:
                if line:
                    # str() before: json.loads would look for UTF-16 and UTF-32 in every line
                    take(_json(str(line, "utf-8")), found)
        except MALFORMED as error:
            raise malformed(self._provider, error) from error


@attrs.define(eq=False)
class ReplyReader:
    """
    Turns the objects of one answer into events, the last of them a `Finish`.

    Attributes:
        provider: Id of the provider.
        free: Whether the model is known to cost nothing, so far.
        scrub: Takes secrets out of the vendor's words.
        keep: Whether the objects are kept for `Finish.raw`.
    """

    provider: str
    free: bool = False
    scrub: Callable[[str], str] = str
    keep: bool = False
    _kept: list[object] = attrs.field(factory=list, init=False)
    _calls: int = attrs.field(default=0, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    def take(self, frame: Object, found: list[TextEvent]) -> None:
        """
        Add the events of *frame* to *found*.

        Raises:
            ServerError: It says that the server failed.
        """
        if self._ended:
            return
        if self.keep:
            self._kept.append(frame)
        if "error" in frame:
            raise self._fault(frame["error"])
        message = frame.get("message")
        if message:
            thought = message.get("thinking")
            if thought:
                found.append(ReasoningDelta(_string(thought)))
            text = message.get("content")
            if text:
                found.append(TextDelta(_string(text)))
            calls = message.get("tool_calls")
            if calls:
                found.extend([self._call(call, frame) for call in calls])
        if frame.get("done"):
            found.append(self._finish(frame))
            self._ended = True

    def _fault(self, error: object) -> ServerError:
        msg = f"{self.provider}: {self.scrub(failure(error))}"
        return ServerError(msg, provider=self.provider)

    def _call(self, call: Object, frame: Object) -> ToolCallDelta:
        """
        Return a call, which comes whole, with an id.

        Most servers give none, and two rounds of a conversation must not share
        one: it is made of what is called and when.
        """
        function, index = call["function"], self._calls
        name, arguments = _string(function["name"]), function.get("arguments")
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments or {}, ensure_ascii=False)
        called = call.get("id")
        if not called:
            seed = f"{frame.get('created_at')} {index} {name} {arguments}"
            called = f"call_{hashlib.sha256(seed.encode()).hexdigest()[:16]}"
        self._calls += 1
        return ToolCallDelta(index, _string(called), name, arguments)

    def _finish(self, frame: Object) -> Finish:
        word, model = frame.get("done_reason"), frame.get("model")
        if not (word is None or isinstance(word, str)) or not (
            model is None or isinstance(model, str)
        ):
            raise TypeError
        reason = FINISH_REASONS.get(word or None, "other")
        return Finish(
            "tool_calls" if self._calls and reason != "length" else reason,
            self._usage(frame),
            model,
            raw_reason=word,
            raw=self._kept if self.keep else None,
        )

    def _usage(self, frame: Object) -> Usage | None:
        """Return what was counted; a prompt that is cached whole goes uncounted."""
        read, written = _count(frame.get("prompt_eval_count")), _count(frame.get("eval_count"))
        if read is None and written is None:
            return None
        free = self.free and not frame.get("remote_host")
        return Usage(read, written, usd=Decimal(0) if free else None)


def decode(reply: object, reader: ReplyReader) -> TextResult:
    """
    Return what a whole answer says.

    Raises:
        VendorError: It says that the server failed, is not whole, or follows no
            protocol.
    """
    found: list[TextEvent] = []
    try:
        if not isinstance(reply, dict):
            raise TypeError
        reader.take(reply, found)
    except MALFORMED as error:
        raise malformed(reader.provider, error) from error
    parts: list[Part] = []
    for event in found:
        match event:
            case TextDelta(text):
                parts.append(text)
            case ReasoningDelta(text):
                parts.append(Reasoning(text))
            case ToolCallDelta():
                parts.append(ToolCall(event.id, event.name, event.arguments))
            case Finish():
                finish = attrs.evolve(event, raw=reply if reader.keep else None)
                return TextResult(Message("assistant", tuple(parts) or ("",)), finish)
    partial = IncompleteError(
        f"{reader.provider}: the answer is not done", provider=reader.provider
    )
    partial.partial = "".join(part for part in parts if isinstance(part, str))
    raise partial


def _string(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _count(found: object) -> int | None:
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise TypeError
    return found
