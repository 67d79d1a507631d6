"""
What was said, as the conventions write it down: JSON, for attributes of spans.

Source: gen-ai-input-messages.json, gen-ai-output-messages.json,
gen-ai-system-instructions.json and gen-ai-tool-definitions.json of
https://github.com/open-telemetry/semantic-conventions-genai; read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from anymodal import Citation, Media, Message, Reasoning, TextResult, ToolCall, ToolResult
from anymodal.modalities.messages import Part
from anymodal.modalities.text import TextRequest

__all__ = ["content_of"]

DOCUMENT: Final = "document"
MODALITIES: Final = frozenset({"audio", "image", "video"})


def content_of(request: object, answer: object) -> Iterator[tuple[str, str]]:
    """Yield the attributes for what was asked and answered."""
    if isinstance(request, TextRequest):
        messages = [_written(message) for message in request.messages]
        yield "gen_ai.input.messages", _json(messages)
        if request.system:
            yield "gen_ai.system_instructions", _json([_text(request.system)])
        if request.tools:
            # No more than is required: the conventions advise against it for its size.
            tools = [{"type": "function", "name": tool.name} for tool in request.tools]
            yield "gen_ai.tool.definitions", _json(tools)
    reason, message = "error", answer
    if isinstance(answer, TextResult):
        reason, message = answer.finish.reason, answer.message
    if isinstance(message, Message):
        yield "gen_ai.output.messages", _json([{**_written(message), "finish_reason": reason}])


def _json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str)


def _written(message: Message) -> dict[str, object]:
    only_results = all(isinstance(part, ToolResult) for part in message.parts)
    return {
        "role": "tool" if only_results else message.role,
        "parts": [_part(part) for part in message.parts],
    }


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "content": text}


def _part(part: Part) -> dict[str, object]:
    match part:
        case str():
            return _text(part)
        case Reasoning(text):
            return {"type": "reasoning", "content": text}
        case ToolCall(id, name, arguments):
            return {"type": "tool_call", "id": id, "name": name, "arguments": _read(arguments)}
        case ToolResult(id, content):
            return {"type": "tool_call_response", "id": id, "response": content}
        case Citation():
            return part.to_dict()
        case Media():
            return _medium(part)


def _read(arguments: str) -> object:
    """Return a tool's arguments as the object that they are; models write wrong JSON as well."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _medium(medium: Media) -> dict[str, object]:
    """Return where it is, or how large; megabytes of it are no attribute."""
    found: dict[str, object] = {
        "modality": medium.kind if medium.kind in MODALITIES else DOCUMENT,
        "mime_type": medium.media_type or None,
    }
    if medium.url is None:
        return {"type": "media", **found, "bytes": medium.size or 0}
    return {"type": "uri", **found, "uri": _bare(medium.url)}


def _bare(url: str) -> str:
    """Return *url* without what may be a key in it: user, password, query and fragment."""
    scheme, where, path, _, _ = urlsplit(url)
    return urlunsplit((scheme, where.rpartition("@")[2], path, "", ""))
