"""
Frames of a streamed answer: bytes in, events out, and the same message in the end.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming and
anthropic 2.11, `types/raw_message_stream_event.py`; read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, TypeAlias

import attrs
from anymodal.errors import VendorError
from anymodal.failures import request_id as id_of
from anymodal.modalities.text import (
    ReasoningDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
)
from anymodal.streams import SseSplitter

from .faults import MALFORMED, Object, fault, malformed
from .reply import citations_of, finish_of

__all__ = ["Decoder"]

_json: Final = json.JSONDecoder().decode
_ACCUMULATED: Final = {
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}
"""Type of a delta other than text to its field, and to that of its block, bar `partial_json`."""

Handler: TypeAlias = "Callable[[Decoder, Object, list[TextEvent]], None]"


class _Block:
    """A block of the answer under way: as it began, its words, and other pieces by type."""

    __slots__ = ("call", "found", "pieces", "text")

    def __init__(self, found: Object, call: int) -> None:
        self.found = found
        self.call = call
        self.text: list[str] = []
        self.pieces: dict[str, list[str]] = {}


class Decoder:
    """
    Turns the bytes of one stream into events.

    Args:
        provider: Id of the provider.
        headers: Of the answer; they have the vendor's id of the request.
        scrub: Takes secrets out of the vendor's words.
        raw: Whether the message is kept for `Finish.raw`.
    """

    def __init__(
        self,
        provider: str,
        headers: Mapping[str, str],
        scrub: Callable[[str], str] = str,
        *,
        raw: bool = False,
    ) -> None:
        self._provider = provider
        self._headers = headers
        self._scrub = scrub
        self._raw = raw
        self._split = SseSplitter().feed
        self._message: Object = {}
        self._content: list[Object] = []
        self._open: dict[object, _Block] = {}
        self._calls = 0
        self._place = 0
        self._whole = True
        self._ended = False

    def feed(self, chunk: bytes, found: list[TextEvent]) -> None:
        """
        Add the events that *chunk* completes to *found*.

        Raises:
            VendorError: A frame says that the vendor failed or refused, or follows
                no protocol. The events before it are in *found*.
        """
        frames: list[tuple[bytes, bytes]] = []
        self._split(chunk, frames)
        try:
            for name, data in frames:
                if name == b"ping" or self._ended:
                    continue
                # str() before: json.loads would look for UTF-16 and UTF-32 in every frame.
                event: Object = _json(str(data, "utf-8"))
                handle = self._handlers.get(event["type"])
                if handle is not None:
                    handle(self, event, found)
        except VendorError:
            raise
        except MALFORMED as error:
            raise malformed(self._provider, error, id_of(self._headers)) from error

    def _on_delta(self, event: Object, found: list[TextEvent]) -> None:
        delta, block = event["delta"], self._open[event["index"]]
        kind = delta["type"]
        if kind == "text_delta":  # nearly all of them
            piece = delta["text"]
            if piece.__class__ is not str:
                raise TypeError
            if piece:
                block.text.append(piece)
                found.append(TextDelta(piece))
            return
        if kind == "citations_delta":
            block.found.setdefault("citations", [])
            block.found["citations"] = [*(block.found["citations"] or ()), delta["citation"]]
            return
        if kind not in _ACCUMULATED:
            self._whole = False
            return
        piece = delta[_ACCUMULATED[kind]]
        if piece.__class__ is not str:
            raise TypeError
        if not piece:
            return
        block.pieces.setdefault(kind, []).append(piece)
        if kind == "thinking_delta":
            found.append(ReasoningDelta(piece))
        elif block.call >= 0 and kind == "input_json_delta":
            found.append(ToolCallDelta(block.call, arguments=piece))

    def _on_block(self, event: Object, found: list[TextEvent]) -> None:
        begun = dict(event["content_block"])
        before = self._open.get(event["index"])
        if before is not None:
            if before.found.get("id") != begun.get("id"):
                msg = "two blocks have one index"
                raise ValueError(msg)
            return  # the same one again
        block = self._open[event["index"]] = _Block(begun, -1)
        match begun["type"]:
            case "text" if begun["text"]:
                found.append(TextDelta(_string(begun["text"])))
            case "thinking" if begun["thinking"]:
                found.append(ReasoningDelta(_string(begun["thinking"])))
            case "tool_use":
                block.call, self._calls = self._calls, self._calls + 1
                call = _string(begun["id"]), _string(begun["name"])
                found.append(ToolCallDelta(block.call, *call))

    def _on_block_end(self, event: Object, found: list[TextEvent]) -> None:
        block = self._open.pop(event["index"])
        made = block.found
        for kind, pieces in block.pieces.items():
            text = "".join(pieces)
            if kind == "input_json_delta":
                try:
                    made["input"] = _json(text)
                except ValueError:
                    self._whole = False  # cut by max_tokens; nobody can send that back
            else:
                name = _ACCUMULATED[kind]
                made[name] = made.get(name, "") + text
        self._content.append(made)
        if made["type"] == "text":
            made["text"] += "".join(block.text)
            end = self._place + len(made["text"])
            found.extend(citations_of(made, self._place, end))
            self._place = end

    def _on_start(self, event: Object, found: list[TextEvent]) -> None:
        del found
        self._message = dict(event["message"])

    def _on_message(self, event: Object, found: list[TextEvent]) -> None:
        del found
        message = self._message
        message |= event["delta"]
        counted = {k: v for k, v in (event.get("usage") or {}).items() if v is not None}
        message["usage"] = {**(message.get("usage") or {}), **counted}

    def _on_end(self, event: Object, found: list[TextEvent]) -> None:
        del event
        message = {**self._message, "content": self._content}
        finish = finish_of(message, self._provider, id_of(self._headers), raw=self._raw)
        if not self._whole:
            finish = attrs.evolve(finish, state=())
        self._ended = True
        found.append(finish)

    def _on_error(self, event: Object, found: list[TextEvent]) -> None:
        del found
        raise fault(
            event["error"], provider=self._provider, headers=self._headers, scrub=self._scrub
        )

    _handlers: ClassVar[Mapping[object, Handler]] = {
        "content_block_delta": _on_delta,
        "content_block_start": _on_block,
        "content_block_stop": _on_block_end,
        "error": _on_error,
        "message_delta": _on_message,
        "message_start": _on_start,
        "message_stop": _on_end,
    }


def _string(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found
