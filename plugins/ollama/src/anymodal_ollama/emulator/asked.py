"""What a request to the emulated server says, checked as Go's JSON reader and the server do."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from anymodal_emulator.app import RefusedError, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.text import Ask, Given

from .shelf import Model

__all__ = ["CHAT", "EMBED", "PULL", "SHOW", "ask_of", "body_of", "object_to"]

Body = Mapping[str, Any]

_DURATION: Final = re.compile(r"-?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|-?\d+")
_INTEGERS: Final = (
    "seed", "num_predict", "top_k", "num_ctx", "num_keep", "num_gpu", "num_thread", "num_batch",
    "main_gpu", "repeat_last_n", "mirostat",
)  # fmt: skip
_NUMBERS: Final = (
    "temperature", "top_p", "min_p", "typical_p", "tfs_z", "repeat_penalty", "presence_penalty",
    "frequency_penalty", "mirostat_tau", "mirostat_eta",
)  # fmt: skip
_OPTIONS: Final = {
    **dict.fromkeys(_INTEGERS, "number"),  # the server cuts fractions off
    **dict.fromkeys(_NUMBERS, "number"),
    "stop": "array",
    "use_mmap": "boolean",
    "penalize_newline": "boolean",
}
_WORDS: Final = {"number": "float32", "array": "array", "boolean": "boolean"}


def _options(at: str, found: object) -> None:
    """Check what is named in `options`; what is unknown there is passed over."""
    for name, kind in _OPTIONS.items():
        value = cast("Body", found).get(name)
        if value is None:
            continue
        try:
            check({name: value}, {name: Field(kind)}, at=at)
        except RefusedError as refused:
            word = "integer" if name in _INTEGERS else _WORDS[kind]
            why = f'option "{name}" must be of type {word}'
            raise RefusedError(kind="other", got=why, status=500) from refused


def _base64(at: str, found: object) -> None:
    try:
        base64.b64decode(str(found), validate=True)
    except binascii.Error as error:
        raise RefusedError(
            kind="other", param=at, got="illegal base64 data at input byte 0"
        ) from error


def _duration(at: str, found: object) -> None:
    if isinstance(found, str) and not _DURATION.fullmatch(found):
        raise RefusedError(kind="other", param=at, got=f'time: invalid duration "{found}"')


def _think(at: str, found: object) -> None:
    if isinstance(found, str) and found not in {"high", "medium", "low"}:
        need = 'must be "high", "medium", "low", true, or false'
        raise RefusedError(kind="other", param=at, got=f'invalid think value: "{found}" ({need})')


def _format(at: str, found: object) -> None:
    if isinstance(found, str) and found not in {"", "json"}:
        why = f'invalid format: "{found}"; expected "json" or a valid JSON Schema object'
        raise RefusedError(kind="other", param=at, got=why)


_CALL: Final = Field(
    "object",
    fields={
        "function": Field(
            "object",
            required=True,
            fields={"name": Field("string", required=True), "arguments": Field("object|null")},
        )
    },
)
_MESSAGE: Final = Field(
    "object",
    fields={
        "role": one_of("system", "user", "assistant", "tool", required=True),
        "content": Field("string|null"),
        "thinking": Field("string|null"),
        "images": Field("array|null", items=Field("string", further=_base64)),
        "tool_calls": Field("array|null", items=_CALL),
        "tool_name": Field("string|null"),
    },
)
_TOOL: Final = Field(
    "object",
    fields={
        "type": one_of("function", required=True),
        "function": Field(
            "object",
            required=True,
            fields={
                "name": Field("string", required=True),
                "description": Field("string|null"),
                "parameters": Field("object", required=True),
            },
        ),
    },
)
_MODEL: Final = {"model": Field("string"), "name": Field("string")}

CHAT: Final[Mapping[str, Field]] = {
    **_MODEL,
    "messages": Field("array|null", items=_MESSAGE),
    "tools": Field("array|null", items=_TOOL),
    "format": Field("string|object|null", further=_format),
    "options": Field("object|null", further=_options),
    "stream": Field("boolean|null"),
    "think": Field("boolean|string|null", further=_think),
    "keep_alive": Field("string|number|null", further=_duration),
    "logprobs": Field("boolean|null"),
    "top_logprobs": Field("integer|null", least=0, most=20),
}
EMBED: Final[Mapping[str, Field]] = {
    **_MODEL,
    "input": Field("string|array|null", items=Field("string")),
    "truncate": Field("boolean|null"),
    "dimensions": Field("integer", least=0),
    "options": Field("object|null", further=_options),
    "keep_alive": Field("string|number|null", further=_duration),
}
SHOW: Final[Mapping[str, Field]] = {**_MODEL, "verbose": Field("boolean|null")}
PULL: Final[Mapping[str, Field]] = {
    **_MODEL,
    "stream": Field("boolean|null"),
    "insecure": Field("boolean|null"),
}
"""What bodies may hold. Fields that are not here are passed over, as Go's JSON reader does."""


def body_of(request: Request, fields: Mapping[str, Field]) -> Body:
    """
    Return the body, of whatever media type; the server does not look at that.

    Raises:
        RefusedError: It is no JSON object, has a field of a wrong type, or names no model.
    """
    content = request.received.body
    if not content:
        raise RefusedError(kind="other", got="missing request body")
    try:
        body = json.loads(content)
    except ValueError as error:
        raise RefusedError(kind="not_json", got=str(error)) from error
    if not isinstance(body, dict):
        raise RefusedError(kind="not_json", got="cannot unmarshal the body into a Go struct")
    check(body, fields, lenient=True)
    name = body.get("model") or body.get("name")
    if not name:
        raise RefusedError(kind="other", got="model is required")
    return {**body, "model": name}


def object_to(body: Body, model: Model) -> None:
    """
    Refuse what *model* cannot do.

    Raises:
        RefusedError: It writes no text, or has no tools, sight or thought.
    """
    if "completion" not in model.capabilities:
        raise RefusedError(kind="other", got=f'"{body["model"]}" does not support chat')
    seen = any(message.get("images") for message in body.get("messages") or ())
    for wanted, able, word in (
        (body.get("tools"), "tools", "tools"),
        (seen, "vision", "vision"),
        (body.get("think"), "thinking", "thinking"),
    ):
        if wanted and able not in model.capabilities:
            why = f"registry.ollama.ai/library/{model.name} does not support {word}"
            raise RefusedError(kind="other", got=why)


def ask_of(body: Body, model: Model) -> Ask:
    """Return what the model is asked."""
    messages: Sequence[Body] = body.get("messages") or ()
    options: Body = body.get("options") or {}
    users = [at for at, message in enumerate(messages) if message["role"] == "user"]
    last = users[-1] if users else 0
    room = options.get("num_predict")
    wanted = body.get("format")
    return Ask(
        provider="ollama",
        model=body["model"],
        prompt=messages[last].get("content") or "",
        system=" ".join(m["content"] for m in messages if m["role"] == "system"),
        history=" ".join(m.get("content") or "" for m in messages if m["role"] != "system"),
        turns=len(users),
        given=tuple(_given(image) for m in messages for image in m.get("images") or ()),
        results=tuple(
            (m.get("tool_name") or "", m.get("content") or "")
            for m in messages[last:]
            if m["role"] == "tool"
        ),
        tools={
            tool["function"]["name"]: tool["function"]["parameters"]
            for tool in body.get("tools") or ()
        },
        schema=({} if wanted == "json" else wanted) if wanted else None,
        max_tokens=None if room is None or room < 0 else int(room),
        stop=tuple(options.get("stop") or ()),
        effort=_effort(body.get("think"), model),
    )


def _effort(think: object, model: Model) -> str:
    """Return how hard to think; what the model does not know is its default."""
    if not model.thinking:
        return ""
    found = think if think in model.thinking else model.thinking[0]
    if found is False:
        return "none"
    return found if isinstance(found, str) else "some"


def _given(image: str) -> Given:
    data = base64.b64decode(image)
    kind = "image/png" if data.startswith(b"\x89PNG") else "image"
    return Given("image", kind, data)
