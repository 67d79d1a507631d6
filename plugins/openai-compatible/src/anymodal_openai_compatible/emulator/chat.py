"""The Chat Completions protocol: a body to what is asked, and an answer to frames."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import attrs
from anymodal_emulator.app import RefusedError, Reply, Request, Stream, sse
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.text import Answer, Ask, Call, Given, answer, tokens, word

from .dialect import Dialect

__all__ = ["complete"]

Json = Mapping[str, object]

TOOL_CALL = Field(
    "object",
    fields={
        "id": Field("string", required=True),
        "type": one_of("function", required=True),
        "function": Field(
            "object",
            required=True,
            fields={
                "name": Field("string", required=True),
                "arguments": Field("string", required=True),
            },
        ),
    },
)
CONTENT = Field("string|array", required=True, items=Field("object"))
ROLES: Mapping[str, Mapping[str, Field]] = {
    "system": {"role": Field("string"), "content": CONTENT, "name": Field("string")},
    "developer": {"role": Field("string"), "content": CONTENT, "name": Field("string")},
    "user": {"role": Field("string"), "content": CONTENT, "name": Field("string")},
    "assistant": {
        "role": Field("string"),
        "content": Field("string|array|null", items=Field("object")),
        "refusal": Field("string|null"),
        "name": Field("string"),
        "audio": Field("object|null"),
        "annotations": Field("array"),
        "tool_calls": Field("array", items=TOOL_CALL),
    },
    "tool": {
        "role": Field("string"),
        "content": CONTENT,
        "tool_call_id": Field("string", required=True),
    },
}


def complete(request: Request, dialect: Dialect) -> Reply | Stream:
    """Answer `POST /chat/completions`."""
    body = request.json()
    check(body, dialect.fields, lenient=dialect.lenient)
    dialect.require_model(str(body["model"]))
    dialect.object_to(str(body["model"]), body)
    streamed = body.get("stream") is True
    if body.get("stream_options") and not streamed:
        words = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise RefusedError(kind="other", param="stream_options", got=words)
    asked = _ask(body, dialect)
    magic = word(asked.prompt)
    refused = dialect.block(magic)
    if refused is not None:
        return refused
    if magic == "fail" and not streamed:
        return dialect.fail(500)
    answered = answer(asked, request.memory)
    if dialect.call_id_length:
        calls = (
            attrs.evolve(call, id=call.id[-dialect.call_id_length :]) for call in answered.calls
        )
        answered = attrs.evolve(answered, calls=tuple(calls))
    if answered.refusal and not dialect.refusal_field:
        answered = attrs.evolve(answered, text=answered.refusal, refusal="")
    shared: dict[str, object] = {
        "id": request.memory.id("chatcmpl-", 29),
        "created": request.memory.now(),
        "model": body["model"],
    }
    if dialect.own_fields:
        shared |= {"service_tier": "default", "system_fingerprint": "fp_emulated"}
    choices = range(cast("int", body.get("n") or 1))
    if streamed:
        options = cast("Json", body.get("stream_options") or {})
        usage = options.get("include_usage") is True
        return Stream(_frames(answered, shared, choices, dialect, usage=usage))
    made = [_choice(answered, index, dialect) for index in choices]
    whole = {**shared, "object": "chat.completion", "choices": made}
    whole["usage"] = dialect.usage(answered)
    dialect.touch(whole, answered)
    return Reply.json(whole)


# -- what is asked ------------------------------------------------------------------------


def _ask(body: Json, dialect: Dialect) -> Ask:
    messages = cast("Sequence[Json]", body["messages"])
    if not messages:
        raise RefusedError(kind="value", param="messages", got="[]", need="at least one message")
    for index, message in enumerate(messages):
        _check_message(f"messages[{index}]", message, dialect)
    names = _check_calls(messages)
    users = [at for at, message in enumerate(messages) if message["role"] == "user"]
    last = users[-1] if users else 0
    given = [g for i, m in enumerate(messages) for g in _given(f"messages[{i}]", m)]
    system = "\n".join(_text(m) for m in messages if m["role"] in {"system", "developer"})
    return Ask(
        provider=dialect.provider,
        model=str(body["model"]),
        prompt=_text(messages[last]),
        system=system,
        history="\n".join(_text(m) for m in messages if m["role"] not in {"system", "developer"}),
        turns=len(users),
        given=tuple(given),
        results=tuple(
            (names[str(m["tool_call_id"])], _text(m))
            for m in messages[last:]
            if m["role"] == "tool"
        ),
        tools=_tools(body),
        tool_choice=_tool_choice(body),
        schema=_schema(body),
        max_tokens=cast("int | None", body.get("max_completion_tokens") or body.get("max_tokens")),
        stop=_stop(body),
        effort=dialect.effort(body),
        cache_key=dialect.cache_key(body),
        search="web_search_options" in body or _searches(body),
    )


def _searches(body: Json) -> bool:
    return any(
        "search" in str(tool["type"]) for tool in cast("Sequence[Json]", body.get("tools") or ())
    )


def _check_message(at: str, message: Json, dialect: Dialect) -> None:
    check(message, {"role": one_of(*ROLES, required=True)}, at=at, lenient=True)
    role = str(message["role"])
    fields = {**ROLES[role], **dialect.turns.get(role, {})}
    if dialect.reasoning_field:
        fields = {**fields, dialect.reasoning_field: Field("string|null")}
    check(message, fields, at=at, lenient=dialect.lenient)
    content = message.get("content")
    for index, part in enumerate(content if isinstance(content, list) else ()):
        place = f"{at}.content[{index}]"
        check(part, {"type": one_of(*dialect.parts, required=True)}, at=place, lenient=True)
        check(part, dialect.parts[part["type"]], at=place, lenient=dialect.lenient)


def _check_calls(messages: Sequence[Json]) -> dict[str, str]:
    """Return the names of the tools called, by call; each call has a result after it."""
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in names:
                words = (
                    "messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'."
                )
                raise RefusedError(kind="other", param=f"messages[{index}].role", got=words)
            continue
        calls = cast("Sequence[Json]", message.get("tool_calls") or ())
        answered = {m["tool_call_id"] for m in messages[index:] if m["role"] == "tool"}
        for call in calls:
            names[str(call["id"])] = str(cast("Json", call["function"])["name"])
            if call["id"] not in answered:
                words = (
                    "An assistant message with 'tool_calls' must be followed by tool messages "
                    f"responding to each 'tool_call_id'. Without a response: {call['id']}"
                )
                raise RefusedError(kind="other", param=f"messages[{index}]", got=words)
    return names


def _parts(message: Json) -> list[Json]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return cast("list[Json]", content or [])


def _text(message: Json) -> str:
    return "".join(str(part["text"]) for part in _parts(message) if part["type"] == "text")


def _given(at: str, message: Json) -> Iterator[Given]:
    for index, part in enumerate(_parts(message)):
        try:
            inner = cast("Mapping[str, str]", part.get(str(part["type"])))
            if isinstance(inner, str):
                yield from _bare(str(part["type"]), inner, str(part.get("document_name") or ""))
            elif part["type"] == "image_url":
                yield Given.of_uri("image", inner["url"])
            elif part["type"] == "input_audio":
                uri = f"data:audio/{inner['format']};base64,{inner['data']}"
                yield Given.of_uri("audio", uri)
            elif part["type"] == "file" and "file_data" in inner:
                yield Given.of_uri("file", inner["file_data"], name=inner.get("filename", ""))
        except ValueError as error:
            raise RefusedError(
                kind="other",
                param=f"{at}.content[{index}]",
                got=f"Invalid media: {error}.",
                code="invalid_base64_image",
            ) from error


def _bare(kind: str, text: str, name: str) -> Iterator[Given]:
    """Iterate over what a part holds that is a string where OpenAI has an object."""
    if kind == "image_url":
        yield Given.of_uri("image", text)
    elif kind == "document_url":
        yield Given.of_uri("file", text, name=name)
    elif kind == "input_audio":
        sound = text if "://" in text else f"data:audio/mpeg;base64,{text}"
        yield Given.of_uri("audio", sound)


def _tools(body: Json) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for tool in cast("Sequence[Json]", body.get("tools") or ()):
        if function := cast("Json", tool.get("function") or {}):
            found[str(function["name"])] = cast("Json", function.get("parameters") or {})
    return found


def _tool_choice(body: Json) -> str:
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, Mapping):
        choice = cast("Json", choice.get("function") or {}).get("name", "auto")
    return str(choice)


def _schema(body: Json) -> Json | None:
    wanted = cast("Json", body.get("response_format") or {})
    if wanted.get("type") == "json_object":
        return _described(body)
    inner = cast("Json", wanted.get("json_schema") or {})
    return cast("Json", inner.get("schema") or {}) if inner else None


def _described(body: Json) -> Json:
    """Return the JSON Schema that the system prompt has, as a model would read it there."""
    for message in cast("list[Json]", body["messages"]):
        text = message.get("content")
        if message.get("role") in {"system", "developer"} and isinstance(text, str) and "{" in text:
            with contextlib.suppress(ValueError):
                found, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
                return cast("Json", found)
    return {}


def _stop(body: Json) -> tuple[str, ...]:
    stop = body.get("stop") or ()
    return (stop,) if isinstance(stop, str) else tuple(cast("Sequence[str]", stop))


# -- what is answered ---------------------------------------------------------------------


def _choice(found: Answer, index: int, dialect: Dialect) -> Json:
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if found.calls or found.refusal else found.text,
    }
    if dialect.refusal_field:
        message["refusal"] = found.refusal or None
    if dialect.own_fields or found.cited:
        message["annotations"] = _annotations(found)
    if found.calls:
        message["tool_calls"] = [_call(call) for call in found.calls]
    if dialect.reasoning_field and found.reasoning:
        message[dialect.reasoning_field] = found.reasoning
    return {"index": index, "message": message, "logprobs": None, "finish_reason": found.end}


def _annotations(found: Answer) -> list[Json]:
    if found.cited is None:
        return []
    url, title = found.cited
    place = {"start_index": 0, "end_index": len(found.text), "title": title, "url": url}
    return [{"type": "url_citation", "url_citation": place}]


def _call(call: Call) -> dict[str, object]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _frames(
    found: Answer, shared: Json, choices: Sequence[int], dialect: Dialect, *, usage: bool
) -> Iterator[bytes]:
    """Iterate over the frames: role first, then words, the reason, usage, and the end mark."""
    extra: Json = {"usage": None} if usage else {}
    sent = 0

    def frame(made: list[Json], **more: object) -> bytes:
        chunk = {**shared, "object": "chat.completion.chunk", "choices": made, **extra, **more}
        dialect.touch(chunk, found)
        return sse(chunk)

    for index in choices:
        for delta, end in _deltas(found, dialect):
            if found.word == "fail" and sent == 3:
                yield sse(dialect.broken(shared).decode())
                return
            sent += 1
            yield frame([{"index": index, "delta": delta, "logprobs": None, "finish_reason": end}])
    if usage:
        yield frame([], usage=dialect.usage(found))
    yield sse("[DONE]")


def _deltas(found: Answer, dialect: Dialect) -> Iterator[tuple[Json, str | None]]:
    """Iterate over the deltas of one choice; the last has the reason of the end."""
    content = None if found.calls else ""
    first: Json = {"role": "assistant", "content": content}
    yield {**first, "refusal": None} if dialect.refusal_field else first, None
    if dialect.reasoning_field:
        for piece in tokens(found.reasoning):
            yield {dialect.reasoning_field: piece}, None
    for piece in tokens(found.refusal):
        yield {"refusal": piece}, None
    for piece in found.pieces:
        yield {"content": piece}, None
    if found.cited:
        yield {"annotations": _annotations(found)}, None
    for index, call in enumerate(found.calls):
        if dialect.whole_calls:
            yield {"tool_calls": [{"index": index, **_call(call)}]}, None
            continue
        begun = {**_call(call), "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": index, **begun}]}, None
        for piece in tokens(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
    yield {}, found.end
