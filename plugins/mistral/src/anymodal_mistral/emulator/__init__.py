"""
Mistral on loopback: chat, embeddings, models, files, batches; as strict as the vendor's own types.

The protocol is that of `anymodal_openai_compatible.emulator`. Here stands what is
Mistral's own: the fields that it takes, reasoning among the pieces of content, ids
of tool calls, 422 for what does not fit. Sources: mistralai 3.7.0, `client/models`
and `client/errors`; https://docs.mistral.ai/capabilities/reasoning; bodies of
errors as in https://github.com/mistralai/mistral-vibe/issues/617; read 2026-11-20.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
from anymodal_emulator.app import RefusedError, Reply
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.text import Answer, Word
from anymodal_openai_compatible.emulator import Dialect, serve_embeddings, vendor
from anymodal_openai_compatible.emulator.chat import ROLES
from anymodal_openai_compatible.emulator.fields import CHAT, PARTS
from anymodal_openai_compatible.emulator.refusals import WORDS

from .batches import serve_batches
from .embeddings import EMBEDDER
from .files import serve_files

__all__ = ["app"]

Body = Mapping[str, object]

THINKERS: Final = ("mistral-large-4", "mistral-medium-3-5", "mistral-small-2603")
MODELS: Final = (*THINKERS, "mistral-large-2512", "ministral-8b-2512", "voxtral-small-2507")
OTHERS: Final = ("codestral-embed", "mistral-embed")
"""Of another kind of work; they stand in the same list."""
BLIND: Final = frozenset({"voxtral-small-2507"})
CALL_ID: Final = re.compile("[a-zA-Z0-9]{9}")

AS_OPENAI: Final = (
    "frequency_penalty", "logprobs", "max_tokens", "messages", "metadata", "model", "n",
    "parallel_tool_calls", "presence_penalty", "prompt_cache_key", "response_format", "stop",
    "stream", "tool_choice", "tools", "top_logprobs", "top_p",
)  # fmt: skip
FIELDS: Final[Mapping[str, Field]] = {
    **{name: CHAT[name] for name in AS_OPENAI},
    "guardrails": Field("array|null", items=Field("object")),
    "min_tokens": Field("integer|null", least=0),
    "prediction": Field("object"),
    "prompt_logprobs": Field("boolean|null"),
    "prompt_mode": one_of("reasoning", null=True),
    "random_seed": Field("integer|null", least=0),
    "reasoning_effort": one_of(
        "none", "minimal", "low", "medium", "high", "xhigh", "max", null=True
    ),
    "repetition_penalty": Field("number|null"),
    "safe_prompt": Field("boolean"),
    "service_tier": one_of("auto", "standard_only", null=True),
    "temperature": Field("number|null", least=0, most=1.5),
    "top_k": Field("integer|null"),
    "top_prompt_logprobs": Field("integer|null"),
}
_KIND: Final = {"type": Field("string")}
CONTENT: Final[Mapping[str, Mapping[str, Field]]] = {
    "text": PARTS["text"],
    "image_url": {**_KIND, "image_url": Field("string|object", required=True)},
    "document_url": {
        **_KIND,
        "document_url": Field("string", required=True),
        "document_name": Field("string|null"),
    },
    "file": {**_KIND, "file_id": Field("string", required=True)},
    "input_audio": {**_KIND, "input_audio": Field("string", required=True)},
    "reference": {**_KIND, "reference_ids": Field("array", required=True)},
    "thinking": {
        **_KIND,
        "thinking": Field("array", required=True, items=Field("object")),
        "signature": Field("string|null"),
        "closed": Field("boolean"),
    },
}

_CALL: Final = cast("Field", ROLES["assistant"]["tool_calls"].items)
TURNS: Final[Mapping[str, Mapping[str, Field]]] = {
    "assistant": {
        "prefix": Field("boolean"),
        "tool_calls": Field(
            "array|null",
            items=attrs.evolve(
                _CALL,
                fields={**cast("Mapping[str, Field]", _CALL.fields), "index": Field("integer")},
            ),
        ),
    },
    "tool": {"name": Field("string|null")},
}


def object_to(model: str, body: Body) -> None:
    """Refuse roles, ids and efforts that the vendor does not have."""
    for at, message in enumerate(cast("list[Body]", body["messages"])):
        if message.get("role") == "developer":
            need = "'system', 'user', 'assistant' or 'tool'"
            raise RefusedError(
                kind="value", param=f"messages[{at}].role", got="developer", need=need
            )
        calls = cast("list[Body]", message.get("tool_calls") or [])
        for name in (*(call.get("id") for call in calls), message.get("tool_call_id")):
            if name is not None and not CALL_ID.fullmatch(str(name)):
                words = f"Tool call id was {name} but must be a-z, A-Z, 0-9, with a length of 9."
                raise RefusedError(kind="other", got=words, code="3280")
    effort = body.get("reasoning_effort")
    if effort in {None, "none"}:
        return
    if model not in THINKERS or (model != "mistral-large-4" and effort != "high"):
        words = f"reasoning_effort {effort} is not supported by {model}"
        raise RefusedError(kind="other", got=words, code="3051")


def effort(body: Body) -> str:
    """Return how hard to think, which these models do only when asked."""
    return str(body.get("reasoning_effort") or "")


def usage(found: Answer) -> dict[str, object]:
    """Return tokens; of a prompt that was cached in part, how many."""
    said: dict[str, object] = {
        "prompt_tokens": found.input_tokens,
        "completion_tokens": found.output_tokens,
        "total_tokens": found.input_tokens + found.output_tokens,
    }
    if found.cached_tokens:
        said["prompt_tokens_details"] = {"cached_tokens": found.cached_tokens}
    return said


def touch(whole: dict[str, object], found: Answer) -> None:
    """Put reasoning among the pieces of content, and the usage into the last chunk."""
    streamed = whole["object"] == "chat.completion.chunk"
    for choice in cast("list[dict[str, Any]]", whole["choices"]):
        del choice["logprobs"]
        said = choice["delta" if streamed else "message"]
        said.pop("annotations", None)
        thought = said.pop("reasoning", None)
        if thought:
            words = said.get("content")
            rest = [{"type": "text", "text": words}] if words else []
            thinking = [{"type": "text", "text": thought}]
            said["content"] = [{"type": "thinking", "thinking": thinking}, *rest]
        if choice["finish_reason"] == "content_filter":
            choice["finish_reason"] = "error"
        if streamed and choice["finish_reason"]:
            whole["usage"] = usage(found)


def card(name: str) -> dict[str, object]:
    """Return what the vendor's list says of a model."""
    return {
        "owned_by": "mistralai",
        "name": name,
        "description": "A model of the emulator.",
        "type": "base",
        "capabilities": {
            "completion_chat": name not in OTHERS,
            "function_calling": name not in OTHERS,
            "reasoning": name in THINKERS,
            "vision": name not in BLIND and name not in OTHERS,
            "audio": name in BLIND,
        },
        "max_context_length": 32768 if name in BLIND else 262144,
        "aliases": [],
        "deprecation": "2027-01-31T12:00:00Z" if name == "ministral-8b-2512" else None,
        "deprecation_replacement_model": None,
    }


def _error(status: int, words: str, kind: str, code: str | None) -> Reply:
    body = {
        "object": "error",
        "message": words,
        "type": kind,
        "param": None,
        "code": code,
        "raw_status_code": status,
    }
    return Reply.json(body, status=status)


def refuse(error: RefusedError) -> Reply:
    """Return the body and status for what is wrong with a request."""
    words = WORDS[error.kind](error)[0]
    if error.kind in {"no_key", "bad_key"}:
        return Reply.json({"detail": "Unauthorized"}, status=401)
    if error.kind == "no_model":
        return _error(400, f"Invalid model: {error.got}", "invalid_model", "1500")
    if error.kind in {"unknown", "missing", "type", "value", "media_type", "not_json"}:
        kind = {"unknown": "extra_forbidden", "missing": "missing"}.get(error.kind, "value_error")
        steps = re.findall(r"[^.\[\]]+", error.param)
        where = ["body", *(int(step) if step.isdecimal() else step for step in steps)]
        return Reply.json({"detail": [{"type": kind, "loc": where, "msg": words}]}, status=422)
    return _error(error.status, words, "invalid_request_error", error.code or None)


def fail(status: int) -> Reply:
    """Return the body for a bare status."""
    words = "says the emulator."
    if status == 429:
        return _error(status, f"Rate limit exceeded, {words}", "rate_limited", "1300")
    return _error(status, f"Status {status}, {words}", "error", None)


def block(word: Word | None) -> Reply | None:
    """Return the refusal that a magic word asks for, if it asks for one."""
    if word == "block":
        return _error(403, "Blocked by a guardrail.", "guardrail", None)
    if word == "context":
        words = "The prompt is too large for the model's maximum context length."
        return _error(400, words, "invalid_request_error", "3051")
    return _error(402, "No credit is left.", "error", None) if word == "quota" else None


app = vendor(
    Dialect(
        provider="mistral",
        models=MODELS,
        others=OTHERS,
        reasoning_field="reasoning",
        responses=False,
        refusal_field=False,
        call_id_length=9,
        whole_calls=True,
        fields=FIELDS,
        parts=CONTENT,
        turns=TURNS,
        headers=lambda request: {"mistral-correlation-id": request.memory.id("", 32)},
        card=card,
        object_to=object_to,
        effort=effort,
        usage=usage,
        touch=touch,
        refuse=refuse,
        fail=fail,
        block=block,
        broken=lambda shared: json.dumps(
            {**shared, "object": "error", "error": {"message": "It failed.", "code": "500"}}
        ).encode(),
    ),
    base_path="/v1",
)
serve_files(app, "/v1")
serve_batches(app, "/v1")
serve_embeddings(app, "/v1", EMBEDDER)
