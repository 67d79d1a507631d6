"""Requests, frames and answers that several tests use."""

from __future__ import annotations

import json

from anymodal import (
    Citation,
    Connection,
    Finish,
    Message,
    ModelSpec,
    Reasoning,
    ReasoningDelta,
    Secret,
    TextDelta,
    TextRequest,
    ToolCall,
    ToolCallDelta,
)
from anymodal import errors as e
from anymodal_anthropic.faults import refine
from anymodal_anthropic.models import MODELS
from anymodal_anthropic.stream import Decoder

KEY = "sk-ant-api03-very-secret-0123456789"


class Still:
    """A clock that nobody asks."""

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        raise NotImplementedError


def connection(url="http://127.0.0.1:9", key=KEY, **settings):
    """Return a way to *url*."""
    return Connection(
        provider="anthropic",
        instance="anthropic",
        base_url=url,
        credentials={"api_key": Secret(key) if isinstance(key, str) else key},
        settings=settings,
        clock=Still(),
        refine=refine,
    )


def model(name="claude-opus-5"):
    """Return the spec of a model of the table, or one that nobody knows."""
    return next((model for model in MODELS if model.id == name), ModelSpec(id=name))


def ask(*parts, name="claude-opus-5", messages=None, **settings):
    """Return a request with one user's turn."""
    found = messages or (Message.user(*(parts or ("Hello",))),)
    return TextRequest(model=model(name), messages=tuple(found), **settings)


def frames(*found, end="\n"):
    """Return *found* as server-sent events."""
    lines = []
    for frame in found:
        data = json.dumps(frame, ensure_ascii=False)
        lines += [f"event: {frame['type']}", f"data: {data}", ""]
    return (end.join(lines) + end).encode()


def events(body, *, raw=False):
    """Return the events of a stream, and the error that ended it, if one did."""
    decoder = Decoder("acme", {"request-id": "req_1"}, raw=raw)
    found, error = [], None
    try:
        for chunk in (body,) if isinstance(body, bytes) else body:
            decoder.feed(chunk, found)
    except e.AnymodalError as fault:
        error = fault
    return found, error


def joined(found):
    """Return text, reasoning, citations, tool calls and the end that *found* amount to."""
    calls = {}
    for event in found:
        if isinstance(event, ToolCallDelta):
            before = calls.get(event.index, ("", "", ""))
            pieces = (event.id, event.name, event.arguments)
            calls[event.index] = tuple(a + b for a, b in zip(before, pieces, strict=True))
    return {
        "text": "".join(one.text for one in found if isinstance(one, TextDelta)),
        "reasoning": "".join(one.text for one in found if isinstance(one, ReasoningDelta)),
        "citations": [one for one in found if isinstance(one, Citation)],
        "calls": [calls[index] for index in sorted(calls)],
        "finish": [one for one in found if isinstance(one, Finish)],
    }


def turn_of(found):
    """Return the model's turn that *found* make."""
    whole = joined(found)
    calls = [ToolCall(*call) for call in whole["calls"]]
    return Message("assistant", [whole["text"], *calls], whole["finish"][0].state)


def taken_apart(result):
    """Return the same of a whole answer."""
    parts = result.message.parts
    return {
        "text": result.text,
        "reasoning": "".join(p.text for p in parts if isinstance(p, Reasoning)),
        "citations": list(result.citations),
        "calls": [(c.id, c.name, c.arguments) for c in parts if isinstance(c, ToolCall)],
        "finish": [result.finish],
    }


# -- one answer, whole and in frames -------------------------------------------------

USAGE = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 4,
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 3},
    "service_tier": "standard",
}
CITED = {
    "type": "web_search_result_location",
    "url": "https://a.example",
    "title": "A",
    "cited_text": "…",
    "encrypted_index": "Eo8",
}
THINKING = {"type": "thinking", "thinking": "hm, hm", "signature": "ErUB"}
REDACTED = {"type": "redacted_thinking", "data": "EmwK"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": "x"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://a.example", "title": "A"}],
}
PLAIN = {"type": "text", "text": "Grüße, "}
SOURCED = {"type": "text", "text": "世界 🌍", "citations": [CITED]}
CALLS = [
    {"type": "tool_use", "id": "toolu_a", "name": "rate", "input": {"x": 1}},
    {"type": "tool_use", "id": "toolu_b", "name": "rate", "input": {}},
]
CONTENT = [THINKING, REDACTED, PLAIN, SEARCH, FOUND, SOURCED, *CALLS]
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1-2026",
    "content": CONTENT,
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": USAGE,
}


def block(index, start, *deltas):
    """Return the frames of one block."""
    return (
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    )


def text(*pieces):
    """Return deltas of text."""
    return [{"type": "text_delta", "text": piece} for piece in pieces]


def arguments(*pieces):
    """Return deltas of a tool's input."""
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def ended(reason="end_turn", **more):
    """Return the frames of the end."""
    return (
        {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": USAGE},
        {"type": "message_stop"},
    )


START = {
    "type": "message_start",
    "message": {
        **WHOLE,
        "content": [],
        "stop_reason": None,
        "usage": {**USAGE, "output_tokens": 1, "output_tokens_details": None},
    },
}
FRAMES = (
    START,
    *block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "hm, "},
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "ErUB"},
    ),
    {"type": "ping"},
    *block(1, REDACTED),
    *block(2, {"type": "text", "text": ""}, *text("Grü", "ße, ")),
    *block(3, {**SEARCH, "input": {}}, *arguments('{"q"', ': "x"}')),
    *block(4, FOUND),
    *block(
        5,
        {"type": "text", "text": "", "citations": []},
        {"type": "citations_delta", "citation": CITED},
        *text("世界", " 🌍"),
    ),
    *block(6, {**CALLS[0], "input": {}}, *arguments("", '{"x"', ":1}")),
    {"type": "something_new", "more": "that nobody knows"},
    *block(7, {**CALLS[1], "input": {}}, *arguments("{}")),
    *ended("tool_use", stop_sequence=None),
)
STREAM = frames(*FRAMES)
