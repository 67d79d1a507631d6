"""
An answer in one piece, and what it shares with a streamed one.

Source: https://platform.claude.com/docs/en/api/messages/create,
…/build-with-claude/handling-stop-reasons and anthropic 2.11, `types/message.py`;
read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from anymodal.errors import VendorError
from anymodal.modalities.messages import (
    Citation,
    Message,
    Part,
    ProviderState,
    Reasoning,
    ToolCall,
)
from anymodal.modalities.text import Finish, FinishReason, TextResult
from anymodal.usage import Usage

from .faults import MALFORMED, Object, filtered, malformed

__all__ = ["citations_of", "decode", "finish_of"]

_REASONS: Final[dict[object, FinishReason]] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}
"""
`pause_turn`, and what is new, is `other`: a search that takes long was paused. The
turn holds what the vendor wants back, so that the same conversation with it
appended goes on where it stopped.
"""

_REBUILT: Final = frozenset({"text", "tool_use"})
"""Blocks that a message's own parts say all of, unless they cite."""


def decode(
    reply: object, provider: str, request_id: str | None, *, raw: bool = False
) -> TextResult:
    """
    Return what a whole answer says.

    Args:
        reply: The vendor's message.
        provider: Id of the provider.
        request_id: The vendor's id of the request.
        raw: Whether the message is kept for `Finish.raw`.

    Raises:
        ContentFilteredError: The vendor refused to answer.
        MalformedReplyError: It follows no protocol.
    """
    try:
        if not isinstance(reply, dict):
            raise TypeError
        parts = list(_parts(reply["content"]))
        finish = finish_of(reply, provider, request_id, raw=raw)
        return TextResult(Message("assistant", parts or ("",), finish.state), finish)
    except VendorError:
        raise
    except MALFORMED as error:
        raise malformed(provider, error, request_id) from error


def _parts(content: list[Object]) -> Iterator[Part]:
    place = 0
    for block in content:
        match block["type"]:
            case "text":
                if block["text"]:
                    yield block["text"]
                end = place + len(block["text"])
                yield from citations_of(block, place, end)
                place = end
            case "thinking" if block["thinking"]:
                yield Reasoning(block["thinking"])
            case "tool_use":
                arguments = json.dumps(block["input"], ensure_ascii=False, separators=(",", ":"))
                yield ToolCall(block["id"], block["name"], arguments)


def citations_of(block: Object, start: int, end: int) -> Iterator[Citation]:
    """
    Iterate over the sources that a block of text names, where they have a name.

    Args:
        block: Of type `text`.
        start: Its first character within the answer.
        end: One past its last.
    """
    for found in block.get("citations") or ():
        url = found.get("url") or found.get("source") or ""
        title = found.get("title") or found.get("document_title") or ""
        if not isinstance(url, str) or not isinstance(title, str):
            raise TypeError
        if url or title:
            yield Citation(url, title, start, end)


def finish_of(message: Object, provider: str, request_id: str | None, *, raw: bool) -> Finish:
    """
    Return the end of an answer.

    Raises:
        ContentFilteredError: The vendor refused to go on.
    """
    content, word = message["content"], message.get("stop_reason")
    if word == "refusal":
        said = "".join(block["text"] for block in content if block["type"] == "text")
        raise filtered(provider, message.get("stop_details"), request_id, said)
    state: tuple[ProviderState, ...] = ()
    if word == "pause_turn" or any(
        block["type"] not in _REBUILT or block.get("citations") for block in content
    ):
        state = (ProviderState(provider, {"content": content}),)
    return Finish(
        _REASONS.get(word, "other"),
        _usage(message.get("usage")),
        message.get("model"),
        request_id,
        word,
        state,
        message if raw else None,
    )


def _usage(found: Object | None) -> Usage | None:
    """Return what the vendor counted; it counts cached input beside the input."""
    if found is None:
        return None
    plain = _count(found.get("input_tokens"))
    cached = _count(found.get("cache_read_input_tokens"))
    written = _count(found.get("cache_creation_input_tokens"))
    return Usage(
        None if plain is None else plain + (cached or 0) + (written or 0),
        _count(found.get("output_tokens")),
        cached,
        written,
        _count((found.get("output_tokens_details") or {}).get("thinking_tokens")),
    )


def _count(found: object) -> int | None:
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise TypeError
    return found
