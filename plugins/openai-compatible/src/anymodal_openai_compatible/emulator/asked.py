"""The Responses protocol: what a body asks."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from anymodal_emulator.app import Memory, RefusedError
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.text import Ask, Given

from .dialect import Dialect

__all__ = ["ask", "conversation", "sealed"]

Json = Mapping[str, object]

SEAL: Final = "gAAAAAB"
DETAIL: Final = one_of("auto", "low", "high", "original")
INPUT_PARTS: Final[Mapping[str, Mapping[str, Field]]] = {
    "input_text": {"type": Field("string"), "text": Field("string", required=True)},
    "input_image": {
        "type": Field("string"),
        "image_url": Field("string|null"),
        "file_id": Field("string|null"),
        "detail": DETAIL,
    },
    "input_file": {
        "type": Field("string"),
        "file_data": Field("string"),
        "file_id": Field("string|null"),
        "file_url": Field("string"),
        "filename": Field("string"),
        "detail": one_of("auto", "low", "high"),
    },
}
OUTPUT_PARTS: Final[Mapping[str, Mapping[str, Field]]] = {
    "output_text": {
        "type": Field("string"),
        "text": Field("string", required=True),
        "annotations": Field("array"),
        "logprobs": Field("array"),
    },
    "refusal": {"type": Field("string"), "refusal": Field("string", required=True)},
}
MESSAGE: Final = {
    "type": Field("string"),
    "role": one_of("user", "assistant", "system", "developer", required=True),
    "content": Field("string|array", required=True, items=Field("object")),
    "id": Field("string"),
    "status": Field("string|null"),
    "phase": Field("string|null"),
}
STATUS: Final = one_of("in_progress", "completed", "incomplete", null=True)
ITEMS: Final[Mapping[str, Mapping[str, Field]]] = {
    "message": MESSAGE,
    "function_call": {
        "type": Field("string"),
        "call_id": Field("string", required=True),
        "name": Field("string", required=True),
        "arguments": Field("string", required=True),
        "id": Field("string|null"),
        "status": STATUS,
        "namespace": Field("string|null"),
    },
    "function_call_output": {
        "type": Field("string"),
        "call_id": Field("string", required=True),
        "output": Field("string|array", required=True),
        "id": Field("string|null"),
        "status": STATUS,
    },
    "reasoning": {
        "type": Field("string"),
        "id": Field("string", required=True),
        "summary": Field("array", required=True),
        "content": Field("array|null"),
        "encrypted_content": Field("string|null"),
        "status": STATUS,
    },
    "item_reference": {"type": Field("string"), "id": Field("string", required=True)},
    "web_search_call": {
        "type": Field("string"),
        "id": Field("string", required=True),
        "status": Field("string"),
        "action": Field("object"),
    },
}


def sealed(thought: str) -> str:
    """Return *thought* as the opaque string that comes back with the next turn."""
    return SEAL + base64.urlsafe_b64encode(thought.encode()).decode()


def ask(body: Json, dialect: Dialect, memory: Memory) -> Ask:
    """
    Return what *body* asks.

    Raises:
        RefusedError: One of its items is wrong.
    """
    _check_items(body, dialect)
    items = conversation(body, memory)
    names = _check_calls(items)
    users = [at for at, item in enumerate(items) if item.get("role") == "user"]
    last = users[-1] if users else 0
    said = [item for item in items if _is_message(item)]
    choice = body.get("tool_choice", "auto")
    first = [str(body["instructions"])] if body.get("instructions") else []
    return Ask(
        provider=dialect.provider,
        model=str(body["model"]),
        prompt=_text(items[last]) if items else "",
        system="\n".join(
            [*first, *(_text(m) for m in said if m["role"] in {"system", "developer"})]
        ),
        history="\n".join(_text(m) for m in said if m["role"] in {"user", "assistant"}),
        turns=len(users),
        given=tuple(given for index, item in enumerate(items) for given in _given(index, item)),
        results=tuple(
            (names[str(item["call_id"])], _output(item))
            for item in items[last:]
            if item.get("type") == "function_call_output"
        ),
        tools={
            str(tool["name"]): cast("Json", tool.get("parameters") or {})
            for tool in _tools(body)
            if tool.get("type") == "function"
        },
        tool_choice=str(choice.get("name", "auto") if isinstance(choice, Mapping) else choice),
        schema=_schema(body),
        max_tokens=cast("int | None", body.get("max_output_tokens")),
        effort=_effort(body),
        cache_key=str(body.get("prompt_cache_key") or ""),
        search=any(str(tool.get("type")).startswith("web_search") for tool in _tools(body)),
    )


def conversation(body: Json, memory: Memory) -> list[Json]:
    """
    Return the items of the conversation, those of the response before it included.

    Raises:
        RefusedError: There is no such response.
    """
    before = body.get("previous_response_id")
    if before is None:
        return _input(body)
    kept = memory.kept.get(f"response {before}")
    if kept is None:
        words = f"Previous response with id '{before}' not found."
        code = "previous_response_not_found"
        raise RefusedError(kind="other", param="previous_response_id", got=words, code=code)
    return [*cast("list[Json]", kept), *_input(body)]


def _input(body: Json) -> list[Json]:
    """Return the items of the input, a string being one user turn."""
    given = body["input"]
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return cast("list[Json]", given)


def _tools(body: Json) -> list[Json]:
    return cast("list[Json]", body.get("tools") or [])


def _schema(body: Json) -> Json | None:
    text = cast("Json", body.get("text") or {})
    wanted = cast("Json", text.get("format") or {})
    if wanted.get("type") == "json_object":
        return {}
    return cast("Json", wanted["schema"]) if wanted.get("type") == "json_schema" else None


def _effort(body: Json) -> str:
    reasoning = cast("Json", body.get("reasoning") or {})
    return str(reasoning.get("effort") or ("medium" if reasoning.get("summary") else ""))


def _is_message(item: Json) -> bool:
    return item.get("type", "message") == "message"


def _check_items(body: Json, dialect: Dialect) -> None:
    items = _input(body)
    if not items:
        raise RefusedError(kind="value", param="input", got="[]", need="at least one item")
    for index, item in enumerate(items):
        at = f"input[{index}]"
        kind = str(item.get("type", "message"))
        if kind not in ITEMS:
            need = ", ".join(f"'{name}'" for name in ITEMS)
            raise RefusedError(kind="value", param=f"{at}.type", got=kind, need=need)
        check(item, ITEMS[kind], at=at, lenient=dialect.lenient)
        if kind == "message":
            _check_parts(at, item, dialect)
        elif kind == "reasoning":
            _check_seal(at, item)


def _check_parts(at: str, message: Json, dialect: Dialect) -> None:
    known = OUTPUT_PARTS if message["role"] == "assistant" else INPUT_PARTS
    content = message["content"]
    for index, part in enumerate(content if isinstance(content, list) else ()):
        place = f"{at}.content[{index}]"
        check(part, {"type": one_of(*known, required=True)}, at=place, lenient=True)
        check(part, known[part["type"]], at=place, lenient=dialect.lenient)
        if part["type"] == "input_file" and "file_data" in part and "filename" not in part:
            raise RefusedError(kind="missing", param=f"{place}.filename")


def _check_seal(at: str, item: Json) -> None:
    """Accept only reasoning that an emulator wrote, unchanged as far as can be seen."""
    seal = item.get("encrypted_content")
    if seal is None:
        return
    try:
        if not str(seal).startswith(SEAL):
            raise ValueError  # noqa: TRY301  # the same refusal as for what cannot be decoded
        base64.urlsafe_b64decode(str(seal).removeprefix(SEAL)).decode()
    except ValueError as error:
        words = f"The encrypted content of item {item['id']} could not be verified."
        raise RefusedError(
            kind="other", param=at, got=words, code="invalid_encrypted_content"
        ) from error


def _check_calls(items: Sequence[Json]) -> dict[str, str]:
    """Return the names of the tools called, by call; each call has an output, and vice versa."""
    calls = {str(i["call_id"]): str(i["name"]) for i in items if i.get("type") == "function_call"}
    outputs = {str(i["call_id"]) for i in items if i.get("type") == "function_call_output"}
    for call in outputs - set(calls):
        words = f"No tool call found for function call output with call_id {call}."
        raise RefusedError(kind="other", param="input", got=words)
    for call in set(calls) - outputs:
        words = f"No tool output found for function call {call}."
        raise RefusedError(kind="other", param="input", got=words)
    return calls


def _parts(item: Json) -> list[Json]:
    content = item.get("content")
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    return cast("list[Json]", content or [])


def _text(item: Json) -> str:
    return "".join(str(part["text"]) for part in _parts(item) if "text" in part)


def _output(item: Json) -> str:
    output = item["output"]
    return output if isinstance(output, str) else _text({"content": output})


def _given(index: int, item: Json) -> Iterator[Given]:
    if not _is_message(item):
        return
    for number, part in enumerate(_parts(item)):
        try:
            if part["type"] == "input_image" and part.get("image_url"):
                yield Given.of_uri("image", str(part["image_url"]))
            elif part["type"] == "input_file":
                uri = str(part.get("file_data") or part.get("file_url") or "")
                name = str(part.get("filename", ""))
                yield Given.of_uri("file", uri, name=name) if uri else Given("file", name=name)
        except ValueError as error:
            code = "invalid_image_url" if part["type"] == "input_image" else "invalid_value"
            raise RefusedError(
                kind="other",
                param=f"input[{index}].content[{number}]",
                got=f"Invalid media: {error}.",
                code=code,
            ) from error
