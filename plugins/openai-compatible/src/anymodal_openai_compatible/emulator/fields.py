"""
What may stand in a body, as tables.

From `types/chat/completion_create_params.py` and
`types/responses/response_create_params.py` of openai 3.52 (read 2026-11-20).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from anymodal_emulator.app import RefusedError
from anymodal_emulator.checking import Field, one_of

__all__ = ["CHAT", "COUNTED", "PARTS", "RESPONSES"]

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
VERBOSITIES: Final = ("low", "medium", "high")
TIERS: Final = ("auto", "default", "flex", "scale", "priority", "fast")
INCLUDES: Final = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)


NOT_PERMITTED: Final = frozenset(
    {
        "allOf",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "patternProperties",
        "propertyNames",
        "then",
        "uniqueItems",
    }
)
"""
What strict mode refuses. Sources, read 2026-11-20: the vendor's guide as quoted in
https://github.com/ai-dynamo/dynamo/pull/15153 (which also quotes the refusal of `oneOf`),
https://github.com/vercel-labs/json-render/issues/180 (`propertyNames`) and
https://github.com/mastra-ai/mastra/issues/23321 (`uniqueItems`). That nothing may
stand beside `$ref` is said in openai 3.52, `lib/_pydantic.py`.
"""


def strict_schema(at: str, function: Mapping[str, object], schema: object) -> None:
    """
    Hold a schema to the rules of strict mode, where that is asked for.

    https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas,
    read 2026-11-20: every object has additionalProperties false and requires all
    of its properties.
    """
    if function.get("strict") is True:
        _strict(at, schema, ())


def _strict(at: str, schema: object, path: tuple[str, ...]) -> None:
    if isinstance(schema, list):
        for item in schema:
            _strict(at, item, path)
        return
    if not isinstance(schema, dict):
        return
    for fault in _faults(schema):
        _bad_schema(at, f"In context=({', '.join(repr(step) for step in path)}), {fault}.")
    for key in ("properties", "$defs"):
        for name, inner in (schema.get(key) or {}).items():
            _strict(at, inner, (*path, key, name))
    for key in ("items", "anyOf"):
        _strict(at, schema.get(key), (*path, key))


def _faults(schema: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over what strict mode has against *schema* itself."""
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield "'additionalProperties' is required to be false"
        missing = set(schema.get("properties", {})) - set(schema.get("required", ()))
        if missing:
            yield f"'required' has to name {', '.join(sorted(missing))}"
    for key in sorted(NOT_PERMITTED & schema.keys()):
        yield f"'{key}' is not permitted"
    if "$ref" in schema and (rest := sorted(schema.keys() - {"$ref", "$defs"})):
        yield f"$ref cannot have keywords {{{', '.join(map(repr, rest))}}}"


def _bad_schema(at: str, why: str) -> None:
    code = "invalid_function_parameters" if at.startswith("tools") else "invalid_json_schema"
    raise RefusedError(kind="other", param=at, got=f"Invalid schema: {why}", code=code)


def _chat_tool(at: str, found: object) -> None:
    tool = cast("Mapping[str, object]", found)
    function = cast("Mapping[str, object]", tool.get("function") or {})
    if tool.get("type") == "function":
        if not function:
            raise RefusedError(kind="missing", param=f"{at}.function")
        strict_schema(f"{at}.function.parameters", function, function.get("parameters"))


def _responses_tool(at: str, found: object) -> None:
    tool = cast("Mapping[str, object]", found)
    if tool.get("type") == "function":
        if "name" not in tool:
            raise RefusedError(kind="missing", param=f"{at}.name")
        strict_schema(f"{at}.parameters", tool, tool.get("parameters"))


def _chat_format(at: str, found: object) -> None:
    wanted = cast("Mapping[str, object]", found)
    inner = wanted.get("json_schema")
    if wanted.get("type") == "json_schema":
        if not isinstance(inner, dict):
            raise RefusedError(kind="missing", param=f"{at}.json_schema")
        if "name" not in inner:
            raise RefusedError(kind="missing", param=f"{at}.json_schema.name")
        strict_schema(f"{at}.json_schema.schema", inner, inner.get("schema"))


def _responses_format(at: str, found: object) -> None:
    wanted = cast("Mapping[str, object]", found)
    if wanted.get("type") == "json_schema":
        for name in ("name", "schema"):
            if name not in wanted:
                raise RefusedError(kind="missing", param=f"{at}.{name}")
        strict_schema(f"{at}.schema", wanted, wanted["schema"])


FUNCTION: Final = Field(
    "object",
    fields={
        "name": Field("string", required=True),
        "description": Field("string"),
        "parameters": Field("object"),
        "strict": Field("boolean|null"),
    },
)
SHARED: Final = {
    "model": Field("string", required=True),
    "metadata": Field("object|null"),
    "moderation": Field("object|null"),
    "prompt_cache_key": Field("string|null"),
    "prompt_cache_options": Field("object"),
    "prompt_cache_retention": one_of("in_memory", "24h", null=True),
    "safety_identifier": Field("string|null"),
    "service_tier": one_of(*TIERS, null=True),
    "store": Field("boolean|null"),
    "stream": Field("boolean|null"),
    "temperature": Field("number|null", least=0, most=2),
    "tool_choice": Field("string|object"),
    "top_logprobs": Field("integer|null", least=0, most=20),
    "top_p": Field("number|null", least=0, most=1),
    "user": Field("string"),
}

TEXT_PART: Final = {"type": one_of("text", required=True), "text": Field("string", required=True)}
PARTS: Final[Mapping[str, Mapping[str, Field]]] = {
    "text": TEXT_PART,
    "image_url": {
        "type": Field("string"),
        "image_url": Field(
            "object",
            required=True,
            fields={
                "url": Field("string", required=True),
                "detail": one_of("auto", "low", "high", "original"),
            },
        ),
    },
    "input_audio": {
        "type": Field("string"),
        "input_audio": Field(
            "object",
            required=True,
            fields={
                "data": Field("string", required=True),
                "format": one_of("wav", "mp3", required=True),
            },
        ),
    },
    "file": {
        "type": Field("string"),
        "file": Field(
            "object",
            required=True,
            fields={
                "file_data": Field("string"),
                "file_id": Field("string"),
                "filename": Field("string"),
            },
        ),
    },
    "refusal": {"type": Field("string"), "refusal": Field("string", required=True)},
}

CHAT: Final[Mapping[str, Field]] = {
    **SHARED,
    "messages": Field("array", required=True, items=Field("object")),
    "audio": Field("object|null"),
    "frequency_penalty": Field("number|null", least=-2, most=2),
    "function_call": Field("string|object"),
    "functions": Field("array"),
    "logit_bias": Field("object|null"),
    "logprobs": Field("boolean|null"),
    "max_completion_tokens": Field("integer|null", least=1),
    "max_tokens": Field("integer|null", least=1),
    "modalities": Field("array|null"),
    "n": Field("integer|null", least=1, most=128),
    "parallel_tool_calls": Field("boolean"),
    "prediction": Field("object|null"),
    "presence_penalty": Field("number|null", least=-2, most=2),
    "reasoning_effort": one_of(*EFFORTS, null=True),
    "response_format": Field(
        "object",
        fields={
            "type": one_of("text", "json_object", "json_schema", required=True),
            "json_schema": Field("object"),
        },
        further=_chat_format,
    ),
    "seed": Field("integer|null"),
    "stop": Field("string|array|null", items=Field("string")),
    "stream_options": Field(
        "object|null",
        fields={"include_usage": Field("boolean"), "include_obfuscation": Field("boolean")},
    ),
    "tools": Field(
        "array",
        items=Field(
            "object",
            fields={
                "type": one_of("function", "custom", required=True),
                "function": FUNCTION,
                "custom": Field("object"),
            },
            further=_chat_tool,
        ),
    ),
    "verbosity": one_of(*VERBOSITIES, null=True),
    "web_search_options": Field("object"),
}

RESPONSES: Final[Mapping[str, Field]] = {
    **SHARED,
    "access_programs": Field("object"),
    "background": Field("boolean|null"),
    "context_management": Field("array|null"),
    "conversation": Field("string|object|null"),
    "image": Field("object"),
    "include": Field("array|null", items=one_of(*INCLUDES)),
    "input": Field("string|array", required=True, items=Field("object")),
    "instructions": Field("string|null"),
    "max_output_tokens": Field("integer|null", least=1),
    "max_tool_calls": Field("integer|null"),
    "parallel_tool_calls": Field("boolean|null"),
    "previous_response_id": Field("string|null"),
    "prompt": Field("object|null"),
    "reasoning": Field(
        "object|null",
        fields={
            "effort": one_of(*EFFORTS, null=True),
            "summary": one_of("auto", "concise", "detailed", null=True),
            "generate_summary": one_of("auto", "concise", "detailed", null=True),
            "context": one_of("auto", "current_turn", "all_turns", null=True),
            "mode": Field("string|null"),
        },
    ),
    "stream_options": Field("object|null", fields={"include_obfuscation": Field("boolean")}),
    "text": Field(
        "object",
        fields={
            "format": Field(
                "object",
                fields={
                    "type": one_of("text", "json_object", "json_schema", required=True),
                    "name": Field("string"),
                    "description": Field("string"),
                    "schema": Field("object"),
                    "strict": Field("boolean|null"),
                },
                further=_responses_format,
            ),
            "verbosity": one_of(*VERBOSITIES, null=True),
        },
    ),
    "tools": Field(
        "array",
        items=Field("object", further=_responses_tool),
    ),
    "truncation": one_of("auto", "disabled", null=True),
}

COUNTED: Final[Mapping[str, Field]] = {
    **{
        name: RESPONSES[name]
        for name in (
            "conversation",
            "instructions",
            "parallel_tool_calls",
            "previous_response_id",
            "reasoning",
            "text",
            "tool_choice",
            "tools",
            "truncation",
        )
    },
    "input": Field("string|array|null", items=Field("object")),
    "model": Field("string|null"),
    "personality": Field("string"),
}
"""From `types/responses/input_token_count_params.py` of openai 3.52 (read 2026-11-20)."""
