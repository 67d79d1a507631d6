"""An answer as the vendor gives it: whole, or in frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, cast

from anymodal_emulator.app import Memory, sse
from anymodal_emulator.text import SOURCE, Answer, Ask, tokens

from ..models import NEWEST, THINKING
from .asked import Json, blocks
from .seals import sealed

__all__ = ["frames", "message"]

SHOWING: Final = ("claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-5", "claude-sonnet-4-5")
"""Beginnings of the ids of models that show their thinking unless told otherwise, and
`claude-haiku-4-5`: all before 4.7."""
ENDS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
DIRECT: Final = {"type": "direct"}


def message(found: Answer, asked: Ask, body: Json, memory: Memory) -> dict[str, object]:
    """Return the whole answer to *body*."""
    refused = bool(found.refusal) or found.end == "content_filter" or found.word == "block"
    content: list[Json] = []
    if found.reasoning:
        content.append(_thinking(found.reasoning, body))
    if found.word != "block":
        content += _said(found, asked, body, memory)
    details = None
    if refused:
        words = found.refusal or "The emulator's classifiers stepped in."
        details = {"type": "refusal", "category": "general_harms", "explanation": words}
    stopped = next((mark for mark in asked.stop if mark in asked.prompt), None)
    reason = "refusal" if refused else ENDS[found.end]
    if stopped is not None and reason == "end_turn":
        reason = "stop_sequence"
    return {
        "id": memory.id("msg_", 24),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": reason,
        "stop_sequence": stopped if reason == "stop_sequence" else None,
        "stop_details": details,
        "container": None,
        "diagnostics": None,
        "usage": _usage(found, asked),
    }


def _thinking(thought: str, body: Json) -> Json:
    asked = cast("Json", body.get("thinking") or {})
    showing = THINKING.get(str(body["model"]), NEWEST).mode == "budget" or str(
        body["model"]
    ).startswith(SHOWING)
    display = asked.get("display") or ("summarized" if showing else "omitted")
    shown = thought if display == "summarized" else ""
    signature = sealed(shown, str(body["model"]), body)
    return {"type": "thinking", "thinking": shown, "signature": signature}


def _said(found: Answer, asked: Ask, body: Json, memory: Memory) -> Iterator[Json]:
    """Iterate over the blocks that are no thinking."""
    for call in found.calls:
        yield {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": json.loads(call.arguments),
            "caller": DIRECT,
        }
    if not found.text:
        return
    block: dict[str, object] = {"type": "text", "text": found.text}
    documents = list(_cited_documents(body))
    if found.cited and documents:
        block["citations"] = [_cites(*document) for document in documents]
    elif found.cited:
        yield from _searched(asked, memory)
        url, title = found.cited
        place = {"type": "web_search_result_location", "cited_text": "An example.", "url": url}
        block["citations"] = [{**place, "title": title, "encrypted_index": "Eo8BCioI"}]
    else:
        block["citations"] = None
    yield block


def _searched(asked: Ask, memory: Memory) -> Iterator[Json]:
    """Iterate over a search of the web and its one result."""
    call, (url, title) = memory.id("srvtoolu_"), SOURCE
    yield {
        "type": "server_tool_use",
        "id": call,
        "name": "web_search",
        "input": {"query": asked.prompt},
        "caller": DIRECT,
    }
    result = {"type": "web_search_result", "url": url, "title": title, "page_age": None}
    yield {
        "type": "web_search_tool_result",
        "tool_use_id": call,
        "content": [{**result, "encrypted_content": "EqgfCioIARgB"}],
        "caller": DIRECT,
    }


def _cited_documents(body: Json) -> Iterator[tuple[int, Json]]:
    """Iterate over the documents that are to be cited, with their places among all."""
    found = [
        block
        for turn in cast("list[Json]", body["messages"])
        for block in blocks(turn["content"])
        if block["type"] == "document"
    ]
    for index, block in enumerate(found):
        if cast("Json", block.get("citations") or {}).get("enabled"):
            yield index, block


def _cites(index: int, document: Json) -> Json:
    source = cast("Mapping[str, str]", document["source"])
    place = {"document_index": index, "document_title": document.get("title"), "file_id": None}
    if source["type"] == "text":
        span = {"start_char_index": 0, "end_char_index": min(20, len(source["data"]))}
        return {"type": "char_location", "cited_text": source["data"][:20], **place, **span}
    pages = {"start_page_number": 1, "end_page_number": 2}
    return {"type": "page_location", "cited_text": "A page.", **place, **pages}


def _usage(found: Answer, asked: Ask) -> dict[str, object]:
    """Return what was used; cached input is counted beside the input."""
    written = found.input_tokens - found.cached_tokens if asked.cache_key else 0
    searched = int(asked.search)
    return {
        "input_tokens": found.input_tokens - found.cached_tokens - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": found.cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": found.output_tokens,
        "output_tokens_details": {"thinking_tokens": found.reasoning_tokens},
        "server_tool_use": {"web_search_requests": searched, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": "global",
        "speed": "standard",
    }


# -- frames ---------------------------------------------------------------------------

ERROR: Final = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
COUNTED: Final = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
)
"""What of the usage is told again at the end."""


def frames(whole: Json, *, fails: bool) -> Iterator[bytes]:
    """Iterate over the frames of *whole*; where it *fails*, an error comes after three pieces."""
    usage = cast("Json", whole["usage"])
    ends = ("stop_reason", "stop_sequence", "stop_details", "container")
    begun = {
        **whole,
        "content": [],
        **dict.fromkeys(ends),
        "usage": {**usage, "output_tokens": 1, "output_tokens_details": None},
    }
    yield _frame("message_start", message=begun)
    sent = 0
    for index, block in enumerate(cast("list[Json]", whole["content"])):
        start, deltas = _pieces(block)
        yield _frame("content_block_start", index=index, content_block=start)
        if not index:
            yield _frame("ping")
        for delta in deltas:
            if fails and sent == 3:
                yield sse(ERROR, event="error")
                return
            sent += 1
            yield _frame("content_block_delta", index=index, delta=delta)
        yield _frame("content_block_stop", index=index)
    counted = {name: usage[name] for name in COUNTED}
    yield _frame("message_delta", delta={name: whole[name] for name in ends}, usage=counted)
    yield _frame("message_stop")


def _frame(kind: str, **more: object) -> bytes:
    return sse({"type": kind, **more}, event=kind)


def _pieces(block: Json) -> tuple[Json, list[Json]]:
    """Return how a block begins, and its deltas."""
    match block["type"]:
        case "thinking":
            shown = tokens(str(block["thinking"]))
            deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in shown]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, signed]
        case "tool_use" | "server_tool_use":
            arguments = tokens(json.dumps(block["input"]))
            deltas = [
                {"type": "input_json_delta", "partial_json": piece} for piece in ("", *arguments)
            ]
            return {**block, "input": {}}, deltas
        case "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in tokens(str(block["text"]))]
            cited = cast("list[Json]", block["citations"] or [])
            deltas += [{"type": "citations_delta", "citation": found} for found in cited]
            begun = {**block, "text": "", "citations": [] if cited else None}
            return begun, deltas
    return block, []
