"""What the client of a conversation may say; openai 3.52, `types/realtime`, read 2026-11-20."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal_emulator.checking import Field, one_of

__all__ = ["EVENTS", "ITEM", "ITEMS", "RESPONSE", "SESSION"]

Fields = Mapping[str, Field]

_ID: Final = {"event_id": Field("string"), "type": Field("string", required=True)}
_STRING: Final = Field("string", required=True)

EVENTS: Final[Mapping[str, Fields]] = {
    "session.update": {**_ID, "session": Field("object", required=True)},
    "input_audio_buffer.append": {**_ID, "audio": _STRING},
    "input_audio_buffer.commit": _ID,
    "input_audio_buffer.clear": _ID,
    "conversation.item.create": {
        **_ID,
        "item": Field("object", required=True),
        "previous_item_id": Field("string|null"),
    },
    "conversation.item.retrieve": {**_ID, "item_id": _STRING},
    "conversation.item.delete": {**_ID, "item_id": _STRING},
    "conversation.item.truncate": {
        **_ID,
        "item_id": _STRING,
        "content_index": Field("integer", required=True, least=0, most=0),
        "audio_end_ms": Field("integer", required=True, least=0),
    },
    "response.create": {**_ID, "response": Field("object|null")},
    "response.cancel": {**_ID, "response_id": Field("string")},
    "output_audio_buffer.clear": _ID,
}

_FORMAT: Final = Field(
    "object",
    fields={
        "type": one_of("audio/pcm", "audio/pcmu", "audio/pcma", required=True),
        "rate": Field("integer", values=[24_000]),
    },
)
_TURNS: Final = Field(
    "object|null",
    fields={
        "type": one_of("server_vad", "semantic_vad", required=True),
        "create_response": Field("boolean"),
        "interrupt_response": Field("boolean"),
        "threshold": Field("number", least=0, most=1),
        "prefix_padding_ms": Field("integer", least=0),
        "silence_duration_ms": Field("integer", least=0),
        "idle_timeout_ms": Field("integer|null", least=5000, most=30_000),
        "eagerness": one_of("low", "medium", "high", "auto"),
    },
)
_TRANSCRIPTION: Final = Field(
    "object|null",
    fields={
        "model": Field("string"),
        "language": Field("string"),
        "languages": Field("array", items=Field("string")),
        "keywords": Field("array", items=Field("string")),
        "prompt": Field("string"),
        "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
    },
)
_TOOLS: Final = Field(
    "array",
    items=Field(
        "object",
        fields={
            "type": one_of("function", required=True),
            "name": _STRING,
            "description": Field("string"),
            "parameters": Field("object"),
        },
    ),
)
_OUTPUT: Final[Fields] = {
    "format": _FORMAT,
    "voice": Field("string|object"),
    "speed": Field("number", least=0.25, most=1.5),
}
_BOTH: Final[Fields] = {
    "instructions": Field("string"),
    "max_output_tokens": Field("integer|string", least=1, most=4096),
    "metadata": Field("object|null"),
    "output_modalities": Field("array", items=one_of("text", "audio")),
    "parallel_tool_calls": Field("boolean"),
    "prompt": Field("object|null"),
    "reasoning": Field(
        "object", fields={"effort": one_of("minimal", "low", "medium", "high", "xhigh")}
    ),
    "tool_choice": Field("string|object"),
    "tools": _TOOLS,
}

SESSION: Final[Fields] = {
    **{name: field for name, field in _BOTH.items() if name != "metadata"},
    "type": one_of("realtime", required=True),
    "model": Field("string"),
    "audio": Field(
        "object",
        fields={
            "input": Field(
                "object",
                fields={
                    "format": _FORMAT,
                    "noise_reduction": Field("object|null"),
                    "transcription": _TRANSCRIPTION,
                    "turn_detection": _TURNS,
                },
            ),
            "output": Field("object", fields=_OUTPUT),
        },
    ),
    "include": Field("array"),
    "tracing": Field("string|object|null"),
    "truncation": Field("string|object"),
}
RESPONSE: Final[Fields] = {
    **_BOTH,
    "audio": Field("object", fields={"output": Field("object", fields=_OUTPUT)}),
    "conversation": Field("string"),
    "input": Field("array"),
}

ITEM: Final[Fields] = {
    "type": one_of("message", "function_call", "function_call_output", required=True)
}
_ITEM: Final[Fields] = {
    "type": _STRING,
    "id": Field("string"),
    "object": one_of("realtime.item"),
    "status": one_of("completed", "incomplete", "in_progress"),
}
_PART: Final = Field(
    "object",
    fields={
        "type": one_of("input_text", "input_audio", "input_image", "output_text", required=True),
        "text": Field("string"),
        "audio": Field("string"),
        "transcript": Field("string"),
        "image_url": Field("string"),
        "detail": one_of("auto", "low", "high"),
    },
)
ITEMS: Final[Mapping[str, Fields]] = {
    "message": {
        **_ITEM,
        "role": one_of("user", "assistant", "system", required=True),
        "content": Field("array", required=True, items=_PART),
    },
    "function_call": {
        **_ITEM,
        "name": _STRING,
        "arguments": _STRING,
        "call_id": Field("string"),
    },
    "function_call_output": {**_ITEM, "call_id": _STRING, "output": _STRING},
}
