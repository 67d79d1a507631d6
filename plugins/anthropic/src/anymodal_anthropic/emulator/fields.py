"""
What may stand in a body, as tables.

From anthropic 2.11, `types/message_create_params.py` and what it names; read
2026-11-20. Tools that the vendor itself runs are known by their types only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal_emulator.checking import Field, one_of

__all__ = ["BLOCKS", "BODY", "COUNT", "MESSAGE", "SAMPLING", "TOOL"]

Fields = Mapping[str, Field]

CACHE: Final = Field(
    "object|null", fields={"type": one_of("ephemeral", required=True), "ttl": one_of("5m", "1h")}
)
CALLER: Final = Field("object")
CITATIONS: Final = Field("object|null", fields={"enabled": Field("boolean")})
TEXT: Final[Fields] = {
    "type": Field("string"),
    "text": Field("string", required=True),
    "cache_control": CACHE,
    "citations": Field("array|null", items=Field("object")),
}
IMAGE: Final[Fields] = {
    "type": Field("string"),
    "source": Field("object", required=True),
    "cache_control": CACHE,
    "transformations": Field("object|null"),
}
DOCUMENT: Final[Fields] = {
    "type": Field("string"),
    "source": Field("object", required=True),
    "cache_control": CACHE,
    "citations": CITATIONS,
    "context": Field("string|null"),
    "title": Field("string|null"),
}
RESULT: Final[Fields] = {
    "type": Field("string"),
    "tool_use_id": Field("string", required=True),
    "content": Field("string|array", items=Field("object")),
    "is_error": Field("boolean"),
    "cache_control": CACHE,
    "toolset_name": Field("string|null"),
}
SEARCH_RESULT: Final[Fields] = {
    "type": Field("string"),
    "content": Field("array", required=True, items=Field("object")),
    "source": Field("string", required=True),
    "title": Field("string", required=True),
    "cache_control": CACHE,
    "citations": CITATIONS,
}
TOOL_USE: Final[Fields] = {
    "type": Field("string"),
    "id": Field("string", required=True),
    "input": Field("object", required=True),
    "name": Field("string", required=True),
    "cache_control": CACHE,
    "caller": CALLER,
    "toolset_name": Field("string|null"),
}
BLOCKS: Final[Mapping[str, Mapping[str, Fields]]] = {
    "user": {
        "text": TEXT,
        "image": IMAGE,
        "document": DOCUMENT,
        "search_result": SEARCH_RESULT,
        "tool_result": RESULT,
    },
    "assistant": {
        "text": TEXT,
        "thinking": {
            "type": Field("string"),
            "thinking": Field("string", required=True),
            "signature": Field("string", required=True),
        },
        "redacted_thinking": {"type": Field("string"), "data": Field("string", required=True)},
        "tool_use": TOOL_USE,
        "server_tool_use": TOOL_USE,
        "web_search_tool_result": {
            "type": Field("string"),
            "tool_use_id": Field("string", required=True),
            "content": Field("array|object", required=True),
            "cache_control": CACHE,
            "caller": CALLER,
        },
    },
    "system": {"text": TEXT},
}
"""Role, then type of block."""

SOURCES: Final[Mapping[str, Fields]] = {
    "base64": {
        "type": Field("string"),
        "media_type": Field("string", required=True),
        "data": Field("string", required=True),
    },
    "text": {
        "type": Field("string"),
        "media_type": one_of("text/plain", required=True),
        "data": Field("string", required=True),
    },
    "url": {"type": Field("string"), "url": Field("string", required=True)},
    "file": {"type": Field("string"), "file_id": Field("string", required=True)},
    "content": {"type": Field("string"), "content": Field("string|array", required=True)},
}
MEDIA: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "image": {
        "base64": ("image/jpeg", "image/png", "image/gif", "image/webp"),
        "url": (),
        "file": (),
    },
    "document": {
        "base64": ("application/pdf",),
        "text": ("text/plain",),
        "url": (),
        "file": (),
        "content": (),
    },
}
"""Type of block, then type of source, to the media types that it takes."""

MESSAGE: Final[Fields] = {
    "role": one_of("user", "assistant", "system", required=True),
    "content": Field("string|array", required=True, items=Field("object")),
}
TOOL: Final[Fields] = {
    "type": one_of("custom", null=True),
    "name": Field("string", required=True),
    "input_schema": Field("object", required=True),
    "description": Field("string"),
    "strict": Field("boolean"),
    "cache_control": CACHE,
    "allowed_callers": Field("array"),
    "defer_loading": Field("boolean"),
    "eager_input_streaming": Field("boolean|null"),
    "input_examples": Field("array"),
}
SEARCH: Final[Fields] = {
    "type": one_of("web_search_20250305", "web_search_20260209", "web_search_20260318"),
    "name": one_of("web_search", required=True),
    "allowed_callers": Field("array"),
    "allowed_domains": Field("array|null", items=Field("string")),
    "blocked_domains": Field("array|null", items=Field("string")),
    "cache_control": CACHE,
    "defer_loading": Field("boolean"),
    "max_uses": Field("integer|null", least=1),
    "response_inclusion": one_of("full", "excluded"),
    "strict": Field("boolean"),
    "user_location": Field(
        "object|null",
        fields={
            "type": one_of("approximate", required=True),
            "city": Field("string|null"),
            "country": Field("string|null"),
            "region": Field("string|null"),
            "timezone": Field("string|null"),
        },
    ),
}
COUNT: Final[Fields] = {
    "model": Field("string", required=True),
    "messages": Field("array", required=True, items=Field("object")),
    "cache_control": CACHE,
    "output_config": Field(
        "object",
        fields={
            "effort": one_of("low", "medium", "high", "xhigh", "max", null=True),
            "format": Field(
                "object|null",
                fields={
                    "type": one_of("json_schema", required=True),
                    "schema": Field("object", required=True),
                },
            ),
        },
    ),
    "speed": one_of("standard", "fast", null=True),
    "system": Field("string|array", items=Field("object", fields=TEXT)),
    "thinking": Field(
        "object",
        fields={
            "type": one_of("adaptive", "enabled", "disabled", "between_tools", required=True),
            "budget_tokens": Field("integer", least=1024),
            "display": one_of("summarized", "omitted", null=True),
        },
    ),
    "tool_choice": Field(
        "object",
        fields={
            "type": one_of("auto", "any", "tool", "none", required=True),
            "name": Field("string"),
            "disable_parallel_tool_use": Field("boolean"),
        },
    ),
    "tools": Field("array", items=Field("object")),
}
BODY: Final[Fields] = {
    **COUNT,
    "max_tokens": Field("integer", required=True, least=0),
    "container": Field("string|object|null"),
    "diagnostics": Field("object|null"),
    "inference_geo": Field("string|null"),
    "metadata": Field("object", fields={"user_id": Field("string|null")}),
    "service_tier": one_of("auto", "standard_only"),
    "stop_sequences": Field("array", items=Field("string")),
    "stream": Field("boolean"),
}
SAMPLING: Final[Fields] = {
    "temperature": Field("number", least=0, most=1),
    "top_p": Field("number", least=0, most=1),
    "top_k": Field("integer", least=0),
}
"""What versions of the API before 2026-10-21 take beside it."""
