"""What a body asks, once it was found to be as the vendor wants it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from anymodal.media import sniff
from anymodal_emulator.app import RefusedError
from anymodal_emulator.checking import check, one_of
from anymodal_emulator.text import Ask, Given

from ..models import MODELS
from .fields import BLOCKS, MEDIA, MESSAGE, SEARCH, SOURCES, TOOL
from .rules import check_settings
from .seals import verify

__all__ = ["Json", "ask", "blocks", "searches"]

Json = Mapping[str, object]

TOOL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
SERVED: Final = {model.id: model for model in MODELS if model.lifecycle.state != "retired"}


def ask(body: Json) -> Ask:
    """
    Return what *body* asks; its fields are known to be of their types.

    Raises:
        RefusedError: The vendor would not take it.
    """
    if body["model"] not in SERVED:
        raise RefusedError(kind="no_model", got=str(body["model"]))
    messages = cast("Sequence[Json]", body["messages"])
    if not messages:
        _refuse("messages", "at least one message is required")
    for index, message in enumerate(messages):
        _check_message(f"messages[{index}]", message)
    names = _check_calls(messages)
    _check_tools(body)
    check_settings(body, SERVED[str(body["model"])])
    _check_end(messages)
    verify(body)
    users = [at for at, m in enumerate(messages) if m["role"] == "user" and _words(m)]
    last = users[-1] if users else 0
    output = cast("Json", body.get("output_config") or {})
    wanted = cast("Json", output.get("format") or {})
    return Ask(
        provider="anthropic",
        model=str(body["model"]),
        prompt=_words(messages[last]),
        system="\n".join(str(block["text"]) for block in blocks(body.get("system") or [])),
        history="\n".join(filter(None, map(_words, messages))),
        turns=len(users),
        given=tuple(given for message in messages for given in _given(message)),
        results=tuple(
            (names[str(block["tool_use_id"])], _result(block))
            for message in messages[last:]
            for block in blocks(message["content"])
            if block["type"] == "tool_result"
        ),
        tools={
            str(tool["name"]): cast("Json", tool["input_schema"])
            for tool in _tools(body)
            if "input_schema" in tool
        },
        tool_choice=_tool_choice(body),
        schema=cast("Json | None", wanted.get("schema")),
        max_tokens=cast("int | None", body.get("max_tokens")),
        stop=tuple(cast("Sequence[str]", body.get("stop_sequences") or ())),
        effort=_effort(body, output),
        cache_key=f"{body['model']} {body.get('system')}" if "cache_control" in str(body) else "",
        search=searches(body),
    )


def blocks(content: object) -> list[Json]:
    """Return the blocks of *content*, a string being one of text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return cast("list[Json]", content)


def searches(body: Json) -> bool:
    """Tell whether the model may search the web."""
    return any(tool.get("name") == "web_search" and "type" in tool for tool in _tools(body))


def _refuse(at: str, words: str) -> None:
    raise RefusedError(kind="other", param=at, got=words)


def _tools(body: Json) -> list[Json]:
    return cast("list[Json]", body.get("tools") or [])


def _effort(body: Json, output: Json) -> str:
    """Return how hard the model thinks: not at all unless it is asked to."""
    thinking = cast("Json", body.get("thinking") or {})
    if thinking.get("type") == "enabled":
        return f"{thinking['budget_tokens']} tokens of"
    if thinking.get("type") in {"disabled", "between_tools"}:
        return ""
    usual = "medium" if thinking else ""
    return str(output.get("effort") or usual)


def _tool_choice(body: Json) -> str:
    choice = cast("Json", body.get("tool_choice") or {"type": "auto"})
    return str(choice.get("name") or {"any": "required"}.get(str(choice["type"]), choice["type"]))


# -- turns ----------------------------------------------------------------------------


def _check_message(at: str, message: Json) -> None:
    check(message, MESSAGE, at=at)
    known = BLOCKS[str(message["role"])]
    content = blocks(message["content"])
    if not content:
        _refuse(at, "all messages must have non-empty content")
    for number, block in enumerate(content):
        place = f"{at}.content[{number}]"
        check(block, {"type": one_of(*known, required=True)}, at=place, lenient=True)
        check(block, known[str(block["type"])], at=place)
        if block["type"] == "text" and not str(block["text"]).strip():
            _refuse(at, "text content blocks must be non-empty")
        if block["type"] == "text" and block.get("citations") and message["role"] == "user":
            _refuse(place, "citations are not supported on text blocks in user messages")
        if block["type"] in MEDIA:
            _check_source(f"{place}.source", str(block["type"]), cast("Json", block["source"]))


def _check_source(at: str, kind: str, source: Json) -> None:
    known = MEDIA[kind]
    check(source, {"type": one_of(*known, required=True)}, at=at, lenient=True)
    check(source, SOURCES[str(source["type"])], at=at)
    types = known[str(source["type"])]
    if types:
        check(source, {"media_type": one_of(*types, required=True)}, at=at, lenient=True)
    if source["type"] != "base64":
        return
    try:
        data = base64.b64decode(str(source["data"]), validate=True)
    except binascii.Error:
        _refuse(at, "invalid base64 data")
    seems = sniff(data)
    if seems != source["media_type"]:
        words = f"{kind} was specified using the {source['media_type']} media type, "
        _refuse(at, f"{words}but the {kind} appears to be a {seems} {kind}")


def _check_calls(messages: Sequence[Json]) -> dict[str, str]:
    """Return the names of the tools called, by call; each result follows its call at once."""
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        before = _ids(messages[index - 1], "tool_use", "id") if index else []
        _check_results(f"messages[{index}]", message, before)
        for number, block in enumerate(blocks(message["content"])):
            if block["type"] == "tool_use":
                at = f"messages[{index}].content[{number}].id"
                if not TOOL_ID.fullmatch(str(block["id"])):
                    _refuse(at, f"String should match pattern '^{TOOL_ID.pattern}$'")
                if block["id"] in names:
                    _refuse(at, "`tool_use` ids must be unique")
                names[str(block["id"])] = str(block["name"])
    if _ids(messages[-1], "tool_use", "id"):
        _refuse(f"messages[{len(messages) - 1}]", "`tool_use` without `tool_result` at the end")
    return names


def _check_results(at: str, message: Json, before: Sequence[str]) -> None:
    results = _ids(message, "tool_result", "tool_use_id")
    for call in results:
        if call not in before:
            _refuse(at, f"unexpected `tool_use_id` found in `tool_result` blocks: {call}")
    if results and blocks(message["content"])[0]["type"] != "tool_result":
        _refuse(at, "tool_result blocks must come first in the content")
    if missing := [call for call in before if call not in results]:
        words = "`tool_use` ids were found without `tool_result` blocks immediately after"
        _refuse(at, f"{words}: {', '.join(missing)}")


def _ids(message: Json, kind: str, name: str) -> list[str]:
    return [str(block[name]) for block in blocks(message["content"]) if block["type"] == kind]


def _check_end(messages: Sequence[Json]) -> None:
    """Refuse an answer begun by the caller; one that was paused may go on."""
    last = messages[-1]
    if last["role"] == "assistant" and not str(blocks(last["content"])[-1]["type"]).startswith(
        ("server_tool", "web_search_tool")
    ):
        words = "This model does not support assistant message prefill. "
        _refuse("", f"{words}The conversation must end with a user message.")


def _words(message: Json) -> str:
    found = blocks(message["content"])
    return "".join(str(block["text"]) for block in found if block["type"] == "text")


def _result(block: Json) -> str:
    content = block.get("content") or ""
    failed = "error: " if block.get("is_error") else ""
    return failed + "".join(str(inner.get("text", "")) for inner in blocks(content))


def _given(message: Json) -> Iterator[Given]:
    for block in blocks(message["content"]):
        if block["type"] not in MEDIA:
            continue
        kind = "image" if block["type"] == "image" else "file"
        source, name = cast("Mapping[str, str]", block["source"]), str(block.get("title") or "")
        if source["type"] == "url":
            yield Given(kind, url=source["url"], name=name)
        elif source["type"] == "base64":
            yield Given(kind, source["media_type"], base64.b64decode(source["data"]), name=name)
        elif source["type"] == "text":
            yield Given(kind, source["media_type"], source["data"].encode(), name=name)


def _check_tools(body: Json) -> None:
    for index, tool in enumerate(_tools(body)):
        at = f"tools[{index}]"
        check(tool, TOOL if tool.get("type") in {None, "custom"} else SEARCH, at=at)
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            _refuse(at, "only one of allowed_domains and blocked_domains can be specified")
        if "input_schema" in tool and cast("Json", tool["input_schema"]).get("type") != "object":
            _refuse(f"{at}.input_schema.type", "Input should be 'object'")
    names = [tool["name"] for tool in _tools(body)]
    if len(set(names)) < len(names):
        _refuse("tools", "Tool names must be unique.")
    choice = cast("Json", body.get("tool_choice") or {})
    if choice and not names:
        _refuse("tool_choice", "may only be specified while providing tools")
    if choice.get("type") == "tool" and choice.get("name") not in names:
        _refuse("tool_choice", f"Tool '{choice.get('name')}' not found in provided tools")
