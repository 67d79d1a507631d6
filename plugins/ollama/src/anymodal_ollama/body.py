"""
A request as the body of `POST /api/chat`; does no I/O.

Source: https://docs.ollama.com/api/chat and Ollama's OpenAPI description,
read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from anymodal.errors import UnsupportedFeatureError
from anymodal.media import Image, Media
from anymodal.modalities.messages import Citation, Message, Reasoning, ToolCall, ToolResult
from anymodal.modalities.text import Effort, TextRequest, ToolSpec

from .options import OllamaText

__all__ = ["encode", "merge"]

_OPTIONS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "num_predict",
    "seed": "seed",
}
"""Our settings, and what `options` calls them."""

_THINK: Final[Mapping[Effort, bool | str]] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
"""A model that can only think or not takes any of the words for yes."""

_NO_FIELD: Final = {
    "cache": "left out: Ollama has no field for it, and keeps the last prompt by itself",
    "end_user": "left out, because Ollama has no field for it",
}


def encode(request: TextRequest, provider: str, *, stream: bool) -> dict[str, object]:
    """
    Return the body of *request*.

    Args:
        request: Takes the warnings of what cannot be honoured.
        provider: Id of the provider, whose own state goes back to it.
        stream: Whether the answer comes in pieces.

    Raises:
        UnsupportedFeatureError: Ollama has no form for a part, or a search is asked for.
    """
    if request.web_search is not None:
        msg = "web_search: Ollama's models have none; nothing was sent."
        raise UnsupportedFeatureError(msg)
    body: dict[str, object] = {
        "model": request.model.id,
        "messages": _messages(request, provider),
        "stream": stream,
    }
    _add_tools(body, request)
    if request.schema is not None:
        body["format"] = request.schema
    _add_thinking(body, request)
    _add_options(body, request)
    for setting, why in _NO_FIELD.items():
        if getattr(request, setting) is not None:
            request.warn(setting, why)
    option = request.option(OllamaText)
    if option is not None:
        if option.keep_alive is not None:
            body["keep_alive"] = option.keep_alive
        merge(body, option.extra_body)
    return body


def _add_options(body: dict[str, object], request: TextRequest) -> None:
    options: dict[str, object] = {}
    for setting, name in _OPTIONS.items():
        value = getattr(request, setting)
        if value is not None:
            options[name] = value
    if request.stop:
        options["stop"] = list(request.stop)
    own = request.option(OllamaText)
    if own is not None:
        options |= own.model_options()
    if options:
        body["options"] = options


def _add_thinking(body: dict[str, object], request: TextRequest) -> None:
    """
    Add how hard to think.

    A server refuses the field for a model that cannot think. Source:
    https://docs.ollama.com/capabilities/thinking, read 2026-11-20.
    """
    own, effort = request.option(OllamaText), request.reasoning
    if own is not None and own.think is not None:
        body["think"] = own.think
    elif effort is not None:
        if request.model.capabilities.get("reasoning") is False:
            if effort != "none":
                request.warn("reasoning", f"left out, because {request.model.id} does not reason")
            return
        word = body["think"] = _THINK[effort]
        if word not in {effort, False}:
            request.warn("reasoning", f"{word!r} is asked for, because Ollama has no {effort!r}")


def merge(body: dict[str, object], more: Mapping[str, object]) -> None:
    """Put *more* into *body*: objects are merged, lists joined, all else replaced."""
    for name, value in more.items():
        there = body.get(name)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            inner = dict(there)
            merge(inner, value)
            body[name] = inner
        elif isinstance(there, list) and isinstance(value, list):
            body[name] = [*there, *value]
        else:
            body[name] = value


# -- tools ------------------------------------------------------------------------------


def _add_tools(body: dict[str, object], request: TextRequest) -> None:
    """Add the tools that may be called: without a field for the choice, by offering fewer."""
    choice = request.tool_choice
    if not request.tools or choice == "none":
        return
    offered = [tool for tool in request.tools if choice in {None, "auto", "required", tool.name}]
    if choice == "required":
        request.warn("tool_choice", "left out, because Ollama cannot force a call")
    elif choice not in {None, "auto"}:
        request.warn("tool_choice", f"{choice} alone is offered; Ollama cannot force its call")
    body["tools"] = [_tool(tool, request) for tool in offered]


def _tool(tool: ToolSpec, request: TextRequest) -> dict[str, object]:
    if tool.strict:
        request.warn("tools", f"strict was left out of {tool.name}; Ollama does not know it")
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters
    return {"type": "function", "function": function}


def _called(part: ToolCall, request: TextRequest) -> dict[str, object]:
    """Return a call; its arguments go as an object, and a call has no id."""
    try:
        arguments: object = json.loads(part.arguments or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        request.warn("messages", f"the arguments of a call of {part.name} are no JSON object")
        arguments = {}
    return {"function": {"name": part.name, "arguments": arguments}}


# -- messages ---------------------------------------------------------------------------


def _messages(request: TextRequest, provider: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if request.system is not None:
        found.append({"role": "system", "content": request.system})
    names: dict[str, str] = {}
    for message in request.messages:
        for state in message.state:
            if state.provider != provider:
                request.warn("state", f"what {state.provider} wants back was left out")
        if message.role == "assistant":
            found.extend(_assistant(message, request))
            names |= {part.id: part.name for part in message.parts if isinstance(part, ToolCall)}
            found.extend(_results(message, names))
        else:
            found.extend(_results(message, names))
            found.extend(_user(message, request))
    return found


def _results(message: Message, names: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Iterate over what tools gave back. It is told by name which; of two alike, by order."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            said: dict[str, object] = {"role": "tool", "content": part.content}
            name = part.name or names.get(part.id)
            if name:
                said["tool_name"] = name
            yield said


def _user(message: Message, request: TextRequest) -> Iterator[dict[str, object]]:
    words: list[str] = []
    images: list[str] = []
    for part in message.parts:
        match part:
            case str():
                words.append(part)
            case Image() if part.url is None:
                images.append(part.to_base64())
            case Image():
                raise _unsupported(part, "Ollama takes bytes, not a URL")
            case Media():
                raise _unsupported(part, "Ollama has no form for it")
            case ToolCall() | Reasoning() | Citation():
                name = type(part).__name__
                request.warn("messages", f"a {name} in a user's turn was left out")
    if words or images:
        said: dict[str, object] = {"role": "user", "content": "\n".join(words)}
        if images:
            said["images"] = images
        yield said


def _assistant(message: Message, request: TextRequest) -> Iterator[dict[str, object]]:
    said: dict[str, object] = {"role": "assistant", "content": message.text}
    thought = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    if thought and request.model.capabilities.get("reasoning") is not False:
        said["thinking"] = thought
    calls = [_called(part, request) for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        said["tool_calls"] = calls
    for part in message.parts:
        if isinstance(part, Media):
            raise _unsupported(part, "Ollama takes none in a model's turn")
    if message.text or len(said) > 2:
        yield said


def _unsupported(media: Media, what: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(f"{media.kind}: {what}; nothing was sent.")
