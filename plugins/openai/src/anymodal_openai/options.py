"""What only OpenAI can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs
from anymodal.modalities.text import TextRequest
from anymodal_openai_compatible.options import Api, WireOption

__all__ = ["OpenAIText"]


@attrs.frozen(kw_only=True)
class OpenAIText(WireOption):
    """
    Options for text from OpenAI. `None` means the vendor's default.

    Source: https://developers.openai.com/api/docs/api-reference/responses/create,
    read 2026-11-20.

    Args:
        service_tier: `flex` costs less and waits longer, `priority` the reverse.
        verbosity: How much the answer says.
        reasoning_summary: Asks for a summary of the reasoning.
        reasoning_mode: `pro` reasons longer, where the model can.
        prompt_cache_key: Brings similar prompts to the same cache.
        prompt_cache_retention: How long a cached prompt is kept.
        safety_identifier: Stable id of the person behind the call; goes before
            `end_user`.
        parallel_tool_calls: Whether one answer may hold several tool calls.
        metadata: Up to 16 pairs, kept with a stored answer.
        store: Whether OpenAI keeps the answer, for its dashboard and for
            `previous_response_id`. It does not unless asked.
        previous_response_id: A kept answer that the conversation goes on from.
        truncation: `auto` drops what does not fit the context.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "openai"

    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    reasoning_summary: Literal["auto", "concise", "detailed"] | None = None
    reasoning_mode: Literal["standard", "pro"] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    safety_identifier: str | None = None
    parallel_tool_calls: bool | None = None
    metadata: Mapping[str, str] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    truncation: Literal["auto", "disabled"] | None = None

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """Return the fields of the body; what Chat Completions lacks is warned of."""
        found: dict[str, object] = {
            "service_tier": self.service_tier,
            "prompt_cache_key": self.prompt_cache_key,
            "prompt_cache_retention": self.prompt_cache_retention,
            "safety_identifier": self.safety_identifier,
            "parallel_tool_calls": self.parallel_tool_calls,
            "metadata": self.metadata,
            "store": self.store,
        }
        if api == "chat":
            found["verbosity"] = self.verbosity
            for name in (
                "reasoning_summary",
                "reasoning_mode",
                "previous_response_id",
                "truncation",
            ):
                if getattr(self, name) is not None:
                    request.warn(name, "left out, because Chat Completions has no field for it")
        else:
            found["previous_response_id"] = self.previous_response_id
            found["truncation"] = self.truncation
            thinking = {"summary": self.reasoning_summary, "mode": self.reasoning_mode}
            found["reasoning"] = {name: word for name, word in thinking.items() if word} or None
            if self.verbosity is not None:
                found["text"] = {"verbosity": self.verbosity}
        return {name: value for name, value in found.items() if value is not None}
