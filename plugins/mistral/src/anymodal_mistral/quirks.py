"""Mistral's own habits with the protocol, and what only Mistral can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import attrs
from anymodal.errors import NotFoundError, ServerError
from anymodal.media import Audio, File
from anymodal.modalities.text import TextRequest
from anymodal_openai_compatible.body import unsupported
from anymodal_openai_compatible.options import Api, WireOption
from anymodal_openai_compatible.quirks import Quirks

from .models import OWN_EFFORTS

__all__ = ["QUIRKS", "MistralText"]


@attrs.frozen(kw_only=True)
class MistralText(WireOption):
    """
    Options for text from Mistral. `None` means the vendor's default.

    Args:
        top_k: How many tokens to sample from.
        frequency_penalty: From -2 to 2.
        presence_penalty: From -2 to 2.
        parallel_tool_calls: Whether one answer may hold several tool calls.
        safe_prompt: Whether a safety prompt goes before the conversation.
        guardrails: Moderation of the prompt, as the vendor's reference has it.
        prompt_cache_key: Goes before the key that is made where `cache` is asked for.
        service_tier: `auto` takes priority capacity where there is some.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "mistral"

    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    parallel_tool_calls: bool | None = None
    safe_prompt: bool | None = None
    guardrails: tuple[Mapping[str, object], ...] | None = None
    prompt_cache_key: str | None = None
    service_tier: Literal["auto", "standard_only"] | None = None

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """Return the fields that were given."""
        del api, request
        found: dict[str, object] = {
            "top_k": self.top_k,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
            "parallel_tool_calls": self.parallel_tool_calls,
            "safe_prompt": self.safe_prompt,
            "guardrails": None if self.guardrails is None else list(self.guardrails),
            "prompt_cache_key": self.prompt_cache_key,
            "service_tier": self.service_tier,
        }
        return {name: value for name, value in found.items() if value is not None}


def _document(file: File) -> Mapping[str, object]:
    url = file.to_data_uri()
    name = {"document_name": file.name} if file.name else {}
    return {"type": "document_url", "document_url": url, **name}


def _sound(audio: Audio) -> Mapping[str, object]:
    if audio.url is not None:
        raise unsupported(audio, "the vendor takes bytes, not a URL")
    return {"type": "input_audio", "input_audio": audio.to_base64()}


QUIRKS: Final = Quirks(
    option=MistralText,
    seed_field="random_seed",
    stream_options=False,
    reasoning_fields=(),
    thinks_in_content=True,
    call_id_length=9,
    media_forms={File: _document, Audio: _sound},
    finish_reasons={"model_length": "length"},
    failures={"error": ServerError},
    own_efforts=OWN_EFFORTS,
    cache_key_field="prompt_cache_key",
    end_user_field="",
    codes={"invalid_model": NotFoundError},
)
"""
The API refuses fields that it does not know, with 422; a stream's usage comes with
its end, unasked. Sources: mistralai 3.7.0, `client/models`;
https://docs.mistral.ai/inference/conversations/advanced/prompt-caching; read 2026-11-20.
Ids of tool calls: https://github.com/anomalyco/opencode/issues/1680, read 2026-11-20.
"""
