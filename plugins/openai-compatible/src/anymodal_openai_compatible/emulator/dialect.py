"""How one vendor speaks the shared protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
from anymodal_emulator.app import RefusedError, Reply, Request
from anymodal_emulator.checking import Field
from anymodal_emulator.text import Answer, Word

from . import refusals
from .fields import CHAT, PARTS

__all__ = ["Dialect"]


def _nothing(model: str, body: Mapping[str, object]) -> None:
    """Have nothing against *body*."""
    del model, body


def _effort(body: Mapping[str, object]) -> str:
    return str(body.get("reasoning_effort") or "")


def _cache_key(body: Mapping[str, object]) -> str:
    return str(body.get("prompt_cache_key") or "")


def _headers(request: Request) -> Mapping[str, str]:
    return {
        "x-request-id": request.memory.id("req_", 32),
        "openai-version": "2020-10-01",
        "openai-processing-ms": "1",
    }


def _usage(found: Answer) -> Mapping[str, object]:
    return {
        "prompt_tokens": found.input_tokens,
        "completion_tokens": found.output_tokens,
        "total_tokens": found.input_tokens + found.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": found.cached_tokens,
            "cache_write_tokens": 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": found.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _broken(chunk: Mapping[str, object]) -> bytes:
    del chunk
    return refusals.fail(500).body


def _touched(whole: dict[str, object], found: Answer) -> None:
    """Leave an answer or chunk as it is."""
    del whole, found


@attrs.frozen(kw_only=True)
class Dialect:
    """
    How one vendor speaks the shared protocols.

    Args:
        provider: Id of the provider; it stands in every answer.
        models: Models that are listed.
        others: Models that are listed too, and not served here: they do other work.
        any_model: Whether models that are not listed answer too.
        lenient: Whether unknown fields of a body are passed over.
        needs_key: Whether a request without a key is refused.
        reasoning_field: Where reasoning stands in chat messages; nowhere if empty.
        own_fields: Whether answers have the fields that only OpenAI's have.
        object_to: Raises `RefusedError` for what a model does not take.
        responses: Whether the Responses protocol is served too.
        headers: Headers of every answer.
        card: What is said of a model, beside its name, where models are listed.
        fields: Chat: what a body may have.
        parts: Chat: what the content of messages may have, by type.
        turns: Chat: what messages may have beyond OpenAI's, by role.
        refusal_field: Chat: whether a refusal has a field of its own; else it is words.
        call_id_length: Chat: how long ids of tool calls are; 0 for OpenAI's.
        whole_calls: Chat: whether a streamed tool call comes in one piece.
        effort: Chat: how hard a body asks to think; empty or `none` for not at all.
        cache_key: Chat: what prompts share whose beginning is cached.
        usage: Chat: what is said to have been used.
        touch: Chat: changes an answer, or a chunk, into the vendor's form.
        refuse: Puts a refusal into the vendor's words and body.
        fail: What the vendor says with a bare status.
        block: Chat: the refusal that a magic word asks for, if it asks for one.
        broken: Chat: the frame that ends a stream when the vendor fails in it.
    """

    provider: str
    models: Sequence[str]
    others: Sequence[str] = ()
    any_model: bool = False
    lenient: bool = False
    needs_key: bool = True
    reasoning_field: str = ""
    own_fields: bool = False
    object_to: Callable[[str, Mapping[str, object]], None] = _nothing
    responses: bool = True
    headers: Callable[[Request], Mapping[str, str]] = _headers
    card: Callable[[str], Mapping[str, object]] = lambda _: {}
    fields: Mapping[str, Field] = attrs.field(default=CHAT, repr=False)
    parts: Mapping[str, Mapping[str, Field]] = attrs.field(default=PARTS, repr=False)
    turns: Mapping[str, Mapping[str, Field]] = attrs.field(factory=dict, repr=False)
    refusal_field: bool = True
    call_id_length: int = 0
    whole_calls: bool = False
    effort: Callable[[Mapping[str, object]], str] = _effort
    cache_key: Callable[[Mapping[str, object]], str] = _cache_key
    usage: Callable[[Answer], Mapping[str, object]] = _usage
    touch: Callable[[dict[str, object], Answer], None] = _touched
    refuse: Callable[[RefusedError], Reply] = refusals.refuse
    fail: Callable[[int], Reply] = refusals.fail
    block: Callable[[Word | None], Reply | None] = refusals.object_to_word
    broken: Callable[[Mapping[str, object]], bytes] = _broken

    def require_model(self, name: str) -> None:
        """
        Let a known model pass.

        Raises:
            RefusedError: There is no such model.
        """
        if not self.any_model and name not in self.models:
            raise RefusedError(kind="no_model", param="model", got=name)
