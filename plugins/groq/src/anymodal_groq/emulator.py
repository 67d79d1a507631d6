"""
Groq on loopback: Chat Completions, models and batches, as strict as Groq's OpenAPI description.

The protocol is that of `anymodal_openai_compatible.emulator`. Here stands what is
Groq's own: the fields that it takes and refuses, `x_groq`, times in the usage, and
searches as executed tools. Source: the description as of groq 1.7.0 and
https://console.groq.com/docs; read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
from anymodal_emulator.app import RefusedError, Reply
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.text import Answer
from anymodal_openai_compatible.emulator import Dialect, serve_batches, vendor
from anymodal_openai_compatible.emulator.fields import CHAT, PARTS
from anymodal_openai_compatible.emulator.refusals import fail

__all__ = ["app"]

Body = Mapping[str, object]

MODELS: Final = (
    "openai/gpt-oss-120b",
    "openai/gpt-oss-20b",
    "openai/gpt-oss-safeguard-20b",
    "qwen/qwen3.8-27b",
)
AS_OPENAI: Final = (
    "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "messages", "model", "parallel_tool_calls",
    "presence_penalty", "response_format", "seed", "stop", "stream", "temperature",
    "tool_choice", "top_logprobs", "top_p", "user",
)  # fmt: skip
TOOL: Final = cast("Field", CHAT["tools"].items)
SEARCHES: Final = {"exclude_domains": Field("array|null"), "include_domains": Field("array|null")}
FIELDS: Final[Mapping[str, Field]] = {
    **{name: CHAT[name] for name in AS_OPENAI},
    **SEARCHES,
    "citation_options": one_of("enabled", "disabled", null=True),
    "compound_custom": Field("object|null"),
    "disable_tool_validation": Field("boolean"),
    "documents": Field("array|null"),
    "include_reasoning": Field("boolean|null"),
    "metadata": Field("object|null"),
    "n": Field("integer|null", least=1, most=1),
    "reasoning_effort": one_of("none", "default", "low", "medium", "high", null=True),
    "reasoning_format": one_of("hidden", "raw", "parsed", null=True),
    "search_settings": Field("object|null"),
    "service_tier": one_of("auto", "on_demand", "flex", "performance", null=True),
    "store": Field("boolean|null"),
    "tools": Field(
        "array|null",
        items=attrs.evolve(
            TOOL,
            fields={
                **cast("Mapping[str, Field]", TOOL.fields),
                "type": one_of("function", "browser_search", "code_interpreter", required=True),
            },
        ),
    ),
}
CONTENT: Final = {
    "text": PARTS["text"],
    "image_url": PARTS["image_url"],
    "document": {"type": Field("string"), "document": Field("object", required=True)},
}


def object_to(model: str, body: Body) -> None:
    """Refuse what does not go together, and efforts that a model does not have."""
    tools = cast("list[Body]", body.get("tools") or [])
    wanted = cast("Body", body.get("response_format") or {})
    if wanted.get("type") == "json_schema":
        if body.get("stream"):
            _object("response_format", "`json_schema` does not support streaming")
        if tools:
            _object("response_format", "json mode cannot be combined with tool/function calling")
    if body.get("reasoning_format") and body.get("include_reasoning") is not None:
        _object("reasoning_format", "reasoning_format and include_reasoning are mutually exclusive")
    efforts = ("none", "default") if model.startswith("qwen/") else ("low", "medium", "high")
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in efforts:
        _object("reasoning_effort", f"`reasoning_effort` must be one of {', '.join(efforts)}")
    if model.startswith("qwen/") and any(tool["type"] == "browser_search" for tool in tools):
        _object("tools", f"tool type `browser_search` is not supported with {model}")
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > 4:
        _object("stop", "maximum number of items is 4")


def _object(param: str, words: str) -> None:
    raise RefusedError(kind="other", param=param, got=words)


def effort(body: Body) -> str:
    """Return how hard to think where the thought is shown apart from the words."""
    if body.get("include_reasoning") is False or body.get("reasoning_format") == "hidden":
        return ""
    if str(body["model"]).startswith("qwen/"):
        thinks = body.get("reasoning_effort") != "none"
        return "default" if thinks and body.get("reasoning_format") == "parsed" else ""
    return str(body.get("reasoning_effort") or "medium")


def cache_key(body: Body) -> str:
    """Return what prompts share that begin alike; Groq caches unasked."""
    first = cast("list[Body]", body["messages"])[0]
    return f"{body['model']} {json.dumps(first)}" if "gpt-oss" in str(body["model"]) else ""


def usage(found: Answer) -> dict[str, object]:
    """Return tokens, and times that say what was counted."""
    taken = found.output_tokens / 1000
    said: dict[str, object] = {
        "queue_time": 0.01,
        "prompt_tokens": found.input_tokens,
        "prompt_time": 0.002,
        "completion_tokens": found.output_tokens,
        "completion_time": taken,
        "total_tokens": found.input_tokens + found.output_tokens,
        "total_time": taken + 0.002,
    }
    if found.cached_tokens:
        said["prompt_tokens_details"] = {"cached_tokens": found.cached_tokens}
    if found.reasoning_tokens:
        said["completion_tokens_details"] = {"reasoning_tokens": found.reasoning_tokens}
    return said


def touch(whole: dict[str, object], found: Answer) -> None:
    """Put into an answer or chunk what only Groq has."""
    name = str(whole["id"]).replace("chatcmpl-", "req_")
    whole["system_fingerprint"] = "fp_emulated"
    streamed = whole["object"] == "chat.completion.chunk"
    for choice in cast("list[dict[str, Any]]", whole["choices"]):
        said = choice["delta" if streamed else "message"]
        if said.pop("annotations", None):
            said["executed_tools"] = [_executed(found)]
        if streamed and choice["finish_reason"]:
            whole["x_groq"] = {"id": name, "usage": usage(found)}
        elif streamed and "role" in said:
            whole["x_groq"] = {"id": name}
    if not streamed:
        whole["x_groq"] = {"id": name}
        whole["service_tier"] = "on_demand"


def _executed(found: Answer) -> dict[str, object]:
    url, title = found.cited or ("", "")
    page = {"title": title, "url": url, "content": "", "score": 0.5}
    return {
        "index": 0,
        "type": "browser_search",
        "arguments": '{"query": "it"}',
        "output": "",
        "search_results": {"results": [page]},
    }


def failed(status: int) -> Reply:
    """Return the body for a bare status; 498 is Groq's own."""
    if status != 498:
        return fail(status)
    inner = {
        "message": "Flex tier capacity exceeded, says the emulator.",
        "type": "invalid_request_error",
        "code": "capacity_exceeded",
    }
    return Reply.json({"error": inner}, status=status)


def broken(shared: Mapping[str, object]) -> bytes:
    """Return the chunk that says why a stream was stopped early."""
    extension = {"id": "req_emulated", "error": "Internal error, says the emulator."}
    chunk = {**shared, "object": "chat.completion.chunk", "choices": [], "x_groq": extension}
    return json.dumps(chunk).encode()


app = vendor(
    Dialect(
        provider="groq",
        models=MODELS,
        reasoning_field="reasoning",
        responses=False,
        refusal_field=False,
        fields=FIELDS,
        parts=CONTENT,
        headers=lambda request: {"x-request-id": request.memory.id("req_", 26)},
        object_to=object_to,
        effort=effort,
        cache_key=cache_key,
        usage=usage,
        touch=touch,
        fail=failed,
        broken=broken,
    ),
    base_path="/openai/v1",
)
serve_batches(
    app,
    "/openai/v1",
    endpoints=("/v1/chat/completions",),
    window=Field("string", required=True),  # from `24h` to `7d`, in no form that is told
    lacks={"model", "usage"},
    files_lack={"expires_at", "status", "status_details"},
)
