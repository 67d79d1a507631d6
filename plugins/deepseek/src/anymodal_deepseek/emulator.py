"""
DeepSeek on loopback: Chat Completions and models.

The protocol is that of `anymodal_openai_compatible.emulator`. Here stands what is
DeepSeek's own: thinking that is on by default, the refusal of a model's turn that
comes back without its thought, cache hits in the usage, its words for what is
wrong. Unknown fields are passed over, as DeepSeek does. Sources:
https://api-docs.deepseek.com/guides/thinking_mode, /quick_start/error_codes and
/api/create-chat-completion; read 2026-11-20.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

from anymodal_emulator.app import RefusedError, Reply
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.text import Answer, Word
from anymodal_openai_compatible.emulator import Dialect, vendor
from anymodal_openai_compatible.emulator.fields import CHAT, PARTS
from anymodal_openai_compatible.emulator.refusals import WORDS

__all__ = ["app"]

Body = Mapping[str, object]

MODELS: Final = (
    "deepseek-v4-pro",
    "deepseek-v4-flash",
    "deepseek-flash",
    "deepseek-v4-flash-vision-exp",
)
BLIND: Final = frozenset({"deepseek-v4-pro"})
AS_OPENAI: Final = (
    "frequency_penalty", "logprobs", "max_tokens", "messages", "model", "presence_penalty",
    "stop", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs",
    "top_p",
)  # fmt: skip
FIELDS: Final[Mapping[str, Field]] = {
    **{name: CHAT[name] for name in AS_OPENAI},
    "reasoning_effort": one_of(
        "minimal", "low", "medium", "high", "xhigh", "max", "ultra", null=True
    ),
    "response_format": Field(
        "object|null", fields={"type": one_of("text", "json_object", required=True)}
    ),
    "thinking": Field("object|null", fields={"type": one_of("enabled", "disabled", required=True)}),
}
MAPPED: Final = {"minimal": "low", "medium": "high", "xhigh": "high", "ultra": "max"}
KINDS: Final = {401: "authentication_error", 402: "unknown_error", 429: "rate_limit_error"}
PHRASES: Final = {
    400: "Invalid Format",
    401: "Authentication Fails",
    402: "Insufficient Balance",
    422: "Invalid Parameters",
    429: "Rate Limit Reached",
    500: "Server Error",
    503: "Server Overloaded",
}
BLOCKS: Final[Mapping[Word, tuple[int, str]]] = {
    "block": (400, "Content Exists Risk"),
    "context": (400, "This model's maximum context length is 1000000 tokens."),
    "quota": (402, "Insufficient Balance"),
}


def thinks(body: Body) -> bool:
    """Tell whether the thinking mode is on, as it is unless it is turned off."""
    return cast("Body", body.get("thinking") or {}).get("type") != "disabled"


def object_to(model: str, body: Body) -> None:
    """Refuse turns that come back without their thought, and pictures that nobody sees."""
    for at, message in enumerate(cast("list[Body]", body["messages"])):
        bare = message.get("role") == "assistant" and not message.get("reasoning_content")
        if bare and thinks(body):
            words = "The `reasoning_content` in the thinking mode must be passed back to the API."
            raise RefusedError(kind="other", param=f"messages[{at}]", got=words)
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if part.get("type") == "image_url" and model in BLIND:
                raise RefusedError(
                    kind="value", param=f"messages[{at}]", got="image_url", need="'text'"
                )


def effort(body: Body) -> str:
    """Return how hard the model thinks: `high` unless something else is asked for."""
    asked = str(body.get("reasoning_effort") or "high")
    return MAPPED.get(asked, asked) if thinks(body) else ""


def cache_key(body: Body) -> str:
    """Return what prompts share that begin alike; DeepSeek caches unasked."""
    return f"{body['model']} {json.dumps(cast('list[Body]', body['messages'])[0])}"


def usage(found: Answer) -> dict[str, object]:
    """Return tokens, those of the prompt by whether they were cached."""
    return {
        "prompt_tokens": found.input_tokens,
        "completion_tokens": found.output_tokens,
        "total_tokens": found.input_tokens + found.output_tokens,
        "prompt_cache_hit_tokens": found.cached_tokens,
        "prompt_cache_miss_tokens": found.input_tokens - found.cached_tokens,
        "completion_tokens_details": {"reasoning_tokens": found.reasoning_tokens},
    }


def touch(whole: dict[str, object], found: Answer) -> None:
    """Put into an answer or chunk what DeepSeek's always have."""
    del found
    whole["system_fingerprint"] = "fp_emulated"


def _error(status: int, words: str) -> Reply:
    inner = {
        "message": words,
        "type": KINDS.get(status, "invalid_request_error"),
        "param": None,
        "code": "invalid_request_error",
    }
    return Reply.json({"error": inner}, status=status)


def refuse(error: RefusedError) -> Reply:
    """Return the body and status for what is wrong with a request."""
    wrong = error.kind in {"missing", "type", "value"}
    return _error(422 if wrong else error.status, WORDS[error.kind](error)[0])


def fail(status: int) -> Reply:
    """Return the body for a bare status."""
    return _error(status, f"{PHRASES.get(status, 'Error')}, says the emulator.")


def block(word: Word | None) -> Reply | None:
    """Return the refusal that a magic word asks for; DeepSeek's codes do not tell them apart."""
    return _error(*BLOCKS[word]) if word is not None and word in BLOCKS else None


app = vendor(
    Dialect(
        provider="deepseek",
        models=MODELS,
        lenient=True,
        reasoning_field="reasoning_content",
        responses=False,
        refusal_field=False,
        fields=FIELDS,
        parts={name: PARTS[name] for name in ("text", "image_url")},
        headers=lambda request: {"x-ds-trace-id": request.memory.id("", 32)},
        object_to=object_to,
        effort=effort,
        cache_key=cache_key,
        usage=usage,
        touch=touch,
        refuse=refuse,
        fail=fail,
        block=block,
        broken=lambda _: fail(500).body,
    ),
    base_path="",
)
