"""DeepSeek's own habits with the protocol, and what only DeepSeek can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
from anymodal.errors import OverloadedError
from anymodal.modalities.text import Effort, TextRequest
from anymodal_openai_compatible.options import Api, WireOption
from anymodal_openai_compatible.quirks import Quirks

__all__ = ["QUIRKS", "DeepSeekText"]


@attrs.frozen(kw_only=True)
class DeepSeekText(WireOption):
    """
    Options for text from DeepSeek. `None` means the vendor's default.

    Args:
        frequency_penalty: From -2 to 2; without effect while the model thinks.
        presence_penalty: From -2 to 2; without effect while the model thinks.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "deepseek"

    frequency_penalty: float | None = None
    presence_penalty: float | None = None

    def fields(self, api: Api, request: TextRequest) -> Mapping[str, object]:
        """Return the fields that were given, and warn where they have no effect."""
        del api
        found = {
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
        }
        given = {name: value for name, value in found.items() if value is not None}
        if request.reasoning != "none":
            for name in given:
                request.warn(name, "without effect, because the model thinks")
        return given


def _thinking(effort: str) -> Mapping[str, object]:
    return {"thinking": {"type": "enabled"}, "reasoning_effort": effort}


_EFFORTS: Final[Mapping[Effort, Mapping[str, object]]] = {
    "none": {"thinking": {"type": "disabled"}},
    "minimal": _thinking("low"),
    "low": _thinking("low"),
    "medium": _thinking("high"),
    "high": _thinking("high"),
    "xhigh": _thinking("high"),
    "max": _thinking("max"),
}
"""As the vendor itself maps what others call an effort."""

QUIRKS: Final = Quirks(
    option=DeepSeekText,
    reasoning_fields=("reasoning_content",),
    reasoning_back="reasoning_content",
    reasoning_unknown=" ",
    efforts=_EFFORTS,
    samples_unreasoned=True,
    schemas="json_object",
    strict_schemas=False,
    end_user_field="",
    dropped=frozenset({"seed"}),
    failures={"insufficient_system_resource": OverloadedError},
    cached_tokens_field="prompt_cache_hit_tokens",
)
"""
Thinking is on by default; then the API refuses a model's turn without its
`reasoning_content`, a blank being the least that it takes, and passes over
sampling settings. Sources: https://api-docs.deepseek.com/guides/thinking_mode,
/guides/json_mode, /api/create-chat-completion and litellm 1.109.1; read 2026-11-20.
"""
