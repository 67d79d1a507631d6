"""What only Anthropic can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs
from anymodal.modalities.text import TextOption
from anymodal.specs import words

__all__ = ["AnthropicText"]


@attrs.frozen(kw_only=True)
class AnthropicText(TextOption):
    """
    Options for text from Anthropic. `None` means the vendor's default.

    Source: https://platform.claude.com/docs/en/api/messages/create and
    anthropic 2.11, `types/message_create_params.py`; read 2026-11-20.

    Args:
        service_tier: `standard_only` uses no priority capacity.
        speed: `fast` costs more, where the model has it.
        inference_geo: Region in which the model runs, such as `us`.
        thinking_display: `summarized` shows what the model thinks; newer models
            show nothing unless asked.
        citations: Whether answers cite the files that they were given.
        cache_ttl: How long what `cache` asks for is kept.
        parallel_tool_calls: Whether one answer may hold several tool calls.
        web_search_tool: Version of the tool that `web_search` gives. Versions from
            `web_search_20260209` on filter what they find by running code.
        top_k: How many tokens to sample from, in API versions that take it.
        betas: Names for the header `anthropic-beta`.
        extra_body: Fields of the body, sent unchecked. Objects are merged with
            what is there, lists are joined, all else is replaced.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "anthropic"

    service_tier: Literal["auto", "standard_only"] | None = None
    speed: Literal["standard", "fast"] | None = None
    inference_geo: str | None = None
    thinking_display: Literal["summarized", "omitted"] | None = None
    citations: bool = False
    cache_ttl: Literal["5m", "1h"] | None = None
    parallel_tool_calls: bool | None = None
    web_search_tool: str = "web_search_20250305"
    top_k: int | None = None
    betas: tuple[str, ...] = attrs.field(default=(), converter=words)
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
