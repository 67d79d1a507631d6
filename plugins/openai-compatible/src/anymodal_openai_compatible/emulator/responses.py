"""The Responses protocol: an answer as one object, or as frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from anymodal_emulator.app import Memory, Reply, Request, Stream, sse
from anymodal_emulator.checking import check
from anymodal_emulator.text import Answer, Ask, answer, tokens, word

from .asked import ask, conversation, sealed
from .dialect import Dialect
from .fields import COUNTED, RESPONSES
from .refusals import object_to_word

__all__ = ["count_input", "create"]

Json = Mapping[str, object]
Item = dict[str, object]

FAILURE: Json = {"code": "server_error", "message": "The model failed, says the emulator."}


def create(request: Request, dialect: Dialect) -> Reply | Stream:
    """Answer `POST /responses`."""
    body = request.json()
    check(body, RESPONSES, lenient=dialect.lenient)
    dialect.require_model(str(body["model"]))
    dialect.object_to(str(body["model"]), body)
    asked = ask(body, dialect, request.memory)
    refused = object_to_word(word(asked.prompt))
    if refused is not None:
        return refused
    answered = answer(asked, request.memory)
    response = _begun(body, request.memory)
    items = _items(body, asked, answered, request.memory)
    if body.get("store") is not False:
        request.memory.kept[f"response {response['id']}"] = [
            *conversation(body, request.memory),
            *items,
        ]
    if body.get("stream") is True:
        return Stream(_frames(response, items, answered))
    return Reply.json(_ended(response, items, answered))


def count_input(request: Request, dialect: Dialect) -> Reply:
    """Answer `POST /responses/input_tokens`."""
    body = request.json()
    check(body, COUNTED, lenient=dialect.lenient)
    model = body.get("model")
    if model is not None:
        dialect.require_model(str(model))
    asked = ask({**body, "model": model, "input": body.get("input") or ""}, dialect, request.memory)
    found = answer(asked, request.memory)
    return Reply.json({"object": "response.input_tokens", "input_tokens": found.input_tokens})


# -- the object ---------------------------------------------------------------------------


def _begun(body: Json, memory: Memory) -> Item:
    """Return the response as it is when nothing has been said yet."""
    reasoning = cast("Json", body.get("reasoning") or {})
    text = cast("Json", body.get("text") or {})
    return {
        "id": memory.id("resp_", 50),
        "object": "response",
        "created_at": memory.now(),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": body.get("prompt_cache_retention"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": body.get("service_tier") or "default",
        "temperature": body.get("temperature", 1.0),
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": [_tool(tool) for tool in cast("list[Json]", body.get("tools") or ())],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
    }


def _tool(tool: Json) -> Json:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": True, **tool}


def _items(body: Json, asked: Ask, found: Answer, memory: Memory) -> list[Item]:
    """Return the output, whole."""
    items: list[Item] = []
    if found.reasoning:
        wanted = cast("Json", body.get("reasoning") or {}).get("summary")
        summary = [{"type": "summary_text", "text": found.reasoning}] if wanted else []
        thought: Item = {"id": memory.id("rs_", 48), "type": "reasoning", "summary": summary}
        if "reasoning.encrypted_content" in cast("list[str]", body.get("include") or ()):
            thought["encrypted_content"] = sealed(found.reasoning)
        items.append(thought)
    if asked.search and found.cited:
        action = {"type": "search", "query": asked.prompt}
        search = {"id": memory.id("ws_", 48), "type": "web_search_call", "status": "completed"}
        items.append({**search, "action": action})
    items.extend(
        {
            "id": memory.id("fc_", 48),
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in found.calls
    )
    if not found.calls:
        cut = found.end in {"length", "content_filter"}
        items.append(
            {
                "id": memory.id("msg_", 48),
                "type": "message",
                "role": "assistant",
                "status": "incomplete" if cut else "completed",
                "content": [_content(found)],
            }
        )
    return items


def _content(found: Answer) -> Item:
    if found.refusal:
        return {"type": "refusal", "refusal": found.refusal}
    annotations = []
    if found.cited:
        url, title = found.cited
        place = {"start_index": 0, "end_index": len(found.text), "url": url, "title": title}
        annotations.append({"type": "url_citation", **place})
    return {"type": "output_text", "text": found.text, "annotations": annotations, "logprobs": []}


def _ended(response: Item, items: list[Item], found: Answer) -> Item:
    """Return the response as it is in the end."""
    if found.word == "fail":
        return {**response, "status": "failed", "error": FAILURE}
    ended = {**response, "output": items, "usage": _usage(found)}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(found.end)
    if reason:
        return {**ended, "status": "incomplete", "incomplete_details": {"reason": reason}}
    return {**ended, "status": "completed", "completed_at": response["created_at"]}


def _usage(found: Answer) -> Json:
    return {
        "input_tokens": found.input_tokens,
        "input_tokens_details": {"cached_tokens": found.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": found.output_tokens,
        "output_tokens_details": {"reasoning_tokens": found.reasoning_tokens},
        "total_tokens": found.input_tokens + found.output_tokens,
    }


# -- the frames ---------------------------------------------------------------------------


def _frames(response: Item, items: list[Item], found: Answer) -> Iterator[bytes]:
    """Iterate over the frames, numbered."""
    for number, (kind, event) in enumerate(_events(response, items, found)):
        yield sse({"type": kind, "sequence_number": number, **event}, event=kind)


def _events(response: Item, items: list[Item], found: Answer) -> Iterator[tuple[str, Json]]:
    yield "response.created", {"response": response}
    yield "response.in_progress", {"response": response}
    spoken = [] if found.word == "fail" else items
    for index, item in enumerate(spoken):
        at: Json = {"item_id": item["id"], "output_index": index}
        empty = _EMPTY[str(item["type"])]
        yield "response.output_item.added", {"output_index": index, "item": {**item, **empty}}
        match item["type"]:
            case "reasoning":
                yield from _thought(item, at)
            case "web_search_call":
                for step in ("in_progress", "searching", "completed"):
                    yield f"response.web_search_call.{step}", at
            case "function_call":
                arguments = str(item["arguments"])
                for piece in tokens(arguments):
                    yield "response.function_call_arguments.delta", {**at, "delta": piece}
                yield "response.function_call_arguments.done", {**at, "arguments": arguments}
            case _:
                yield from _said(item, at)
        yield "response.output_item.done", {"output_index": index, "item": item}
    ended = _ended(response, items, found)
    yield f"response.{ended['status']}", {"response": ended}


_EMPTY: Mapping[str, Json] = {
    "reasoning": {"summary": []},
    "web_search_call": {"status": "in_progress"},
    "function_call": {"status": "in_progress", "arguments": ""},
    "message": {"status": "in_progress", "content": []},
}
"""An item when it begins, by its type."""


def _thought(item: Item, at: Json) -> Iterator[tuple[str, Json]]:
    event = "response.reasoning_summary"
    for index, part in enumerate(cast("list[Json]", item["summary"])):
        place = {**at, "summary_index": index}
        text = str(part["text"])
        yield f"{event}_part.added", {**place, "part": {**part, "text": ""}}
        for piece in tokens(text):
            yield f"{event}_text.delta", {**place, "delta": piece}
        yield f"{event}_text.done", {**place, "text": text}
        yield f"{event}_part.done", {**place, "part": part}


def _said(item: Item, at: Json) -> Iterator[tuple[str, Json]]:
    for index, part in enumerate(cast("list[Json]", item["content"])):
        place = {**at, "content_index": index}
        if part["type"] == "refusal":
            text = str(part["refusal"])
            yield "response.content_part.added", {**place, "part": {**part, "refusal": ""}}
            for piece in tokens(text):
                yield "response.refusal.delta", {**place, "delta": piece}
            yield "response.refusal.done", {**place, "refusal": text}
        else:
            text = str(part["text"])
            begun = {**part, "text": "", "annotations": []}
            yield "response.content_part.added", {**place, "part": begun}
            for piece in tokens(text):
                yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}
            for number, annotation in enumerate(cast("list[Json]", part["annotations"])):
                note = {**place, "annotation_index": number, "annotation": annotation}
                yield "response.output_text.annotation.added", note
            yield "response.output_text.done", {**place, "text": text, "logprobs": []}
        yield "response.content_part.done", {**place, "part": part}
