"""Requests, frames and answers that the tests of both protocols use."""

from __future__ import annotations

import json
from collections.abc import Iterable

import anymodal_openai_compatible as compatible
from anymodal import (
    Citation,
    Finish,
    Message,
    ModelSpec,
    Reasoning,
    ReasoningDelta,
    TextDelta,
    TextRequest,
    ToolCall,
    ToolCallDelta,
)

CODECS = {"chat": compatible.ChatCodec("acme"), "responses": compatible.ResponsesCodec("acme")}


def ask(*parts, model=None, messages=None, **settings):
    """Return a request with one user's turn."""
    found = messages or (Message.user(*(parts or ("Hello",))),)
    return TextRequest(model=model or ModelSpec(id="m-1"), messages=found, **settings)


def frames(*found, named=False, end="\n"):
    """Return *found* as server-sent events."""
    lines = []
    for frame in found:
        if named and not isinstance(frame, str):
            lines.append(f"event: {frame['type']}")
        data = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        lines += [f"data: {data}", ""]
    return (end.join(lines) + end).encode()


def events(codec, body: bytes | Iterable[bytes], request=None):
    """Return the events of a stream, and the error that ended it, if one did."""
    decoder = codec.decoder(request or ask(), "req_1")
    found, error = [], None
    try:
        for chunk in (body,) if isinstance(body, bytes) else body:
            decoder.feed(chunk, found)
    except Exception as fault:  # noqa: BLE001  # tests look at what kind it is
        error = fault
    return found, error


def joined(found):
    """Return text, reasoning, citations, tool calls and the end that *found* amount to."""
    calls = {}
    for event in found:
        if isinstance(event, ToolCallDelta):
            call_id, name, arguments = calls.get(event.index, ("", "", ""))
            calls[event.index] = (
                call_id or event.id,
                name or event.name,
                arguments + event.arguments,
            )
    return {
        "text": "".join(e.text for e in found if isinstance(e, TextDelta)),
        "reasoning": "".join(e.text for e in found if isinstance(e, ReasoningDelta)),
        "citations": [e for e in found if isinstance(e, Citation)],
        "calls": [calls[index] for index in sorted(calls)],
        "finish": [e for e in found if isinstance(e, Finish)],
    }


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


# -- one answer, in every form ---------------------------------------------------------

CITED = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 4}
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 7,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
CHAT_WHOLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m-1-2026",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "Grüße, 世界 🌍",
                "reasoning_content": "hm, hm",
                "refusal": None,
                "annotations": [{"type": "url_citation", "url_citation": CITED}],
                "tool_calls": [
                    {
                        "id": "call_a",
                        "type": "function",
                        "function": {"name": "rate", "arguments": '{"x":1}'},
                    },
                    {
                        "id": "call_b",
                        "type": "function",
                        "function": {"name": "rate", "arguments": '{"x":2}'},
                    },
                ],
            },
        }
    ],
    "usage": USAGE,
}


def chunk(delta=None, finish=None, **more):
    """Return one chunk of a chat stream."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "model": "m-1-2026", "choices": choices, **more}


def piece(index, arguments="", **more):
    """Return one piece of a tool call, as a delta has it."""
    function = {"arguments": arguments, **({"name": "rate"} if more else {})}
    return {"tool_calls": [{"index": index, "function": function, **more}]}


CHAT_FRAMES = (
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"reasoning_content": "hm, "}),
    chunk({"reasoning_content": "hm"}),
    chunk({"content": "Grüße, "}),
    chunk({"content": "世界 🌍"}),
    chunk({"annotations": [{"type": "url_citation", "url_citation": CITED}]}),
    chunk(piece(0, id="call_a")),
    chunk(piece(0, '{"x"')),
    chunk(piece(0, ":1}")),
    chunk(piece(1, '{"x":2}', id="call_b")),
    chunk({}, "tool_calls"),
    chunk(usage=USAGE),
    "[DONE]",
)

REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [
        {"type": "summary_text", "text": "hm,"},
        {"type": "summary_text", "text": "hm"},
    ],
    "encrypted_content": "gAAA",
}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [
        {
            "type": "output_text",
            "text": "Grüße, 世界 🌍",
            "annotations": [{"type": "url_citation", **CITED}],
        }
    ],
}


def call_item(call_id, arguments):
    """Return an item that calls a tool."""
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": "rate",
        "arguments": arguments,
    }


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "m-1-2026",
    "output": [REASONING, MESSAGE, call_item("call_a", '{"x":1}'), call_item("call_b", '{"x":2}')],
    "usage": {
        "input_tokens": 9,
        "output_tokens": 7,
        "total_tokens": 16,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 3},
    },
}


def event(kind, **more):
    """Return one event of a Responses stream."""
    return {"type": f"response.{kind}", "sequence_number": 1, **more}


RESPONSE_FRAMES = (
    event("created", response={"status": "in_progress"}),
    event("in_progress", response={"status": "in_progress"}),
    event("output_item.added", output_index=0, item={"type": "reasoning", "summary": []}),
    event("reasoning_summary_part.added", output_index=0, summary_index=0, part={"text": ""}),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="hm,"),
    event("reasoning_summary_part.added", output_index=0, summary_index=1, part={"text": ""}),
    event("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="hm"),
    event("output_item.done", output_index=0, item=REASONING),
    event("output_item.added", output_index=1, item={"type": "message", "content": []}),
    event("content_part.added", output_index=1, content_index=0, part={"text": ""}),
    event("output_text.delta", output_index=1, content_index=0, delta="Grüße, "),
    event("output_text.delta", output_index=1, content_index=0, delta="世界 🌍"),
    event("output_text.annotation.added", annotation={"type": "url_citation", **CITED}),
    event("output_text.done", output_index=1, text="Grüße, 世界 🌍"),
    event("something.new", more="that nobody knows"),
    event("output_item.done", output_index=1, item=MESSAGE),
    event("output_item.added", output_index=2, item=call_item("call_a", "")),
    event("function_call_arguments.delta", output_index=2, delta='{"x"'),
    event("function_call_arguments.delta", output_index=2, delta=":1}"),
    event("function_call_arguments.done", output_index=2, arguments='{"x":1}'),
    event("output_item.done", output_index=2, item=call_item("call_a", '{"x":1}')),
    event("output_item.added", output_index=3, item=call_item("call_b", "")),
    event("output_item.done", output_index=3, item=call_item("call_b", '{"x":2}')),
    event("completed", response=RESPONSE),
)
STREAMS = {"chat": frames(*CHAT_FRAMES), "responses": frames(*RESPONSE_FRAMES, named=True)}
WHOLES = {"chat": CHAT_WHOLE, "responses": RESPONSE}
