"""OpenAI's own habits with the protocols that it gave to others."""

from __future__ import annotations

from typing import Final

from anymodal_openai_compatible.quirks import Quirks

from .models import REFUSED_EFFORTS
from .options import OpenAIText

__all__ = ["QUIRKS"]

QUIRKS: Final = Quirks(
    option=OpenAIText,
    max_tokens_field="max_completion_tokens",
    reasoning_fields=(),
    kept_items=frozenset({"reasoning", "web_search_call"}),
    refused_efforts=REFUSED_EFFORTS,
    samples_unreasoned=True,
    web_search={"web_search_options": {}},
    end_user_field="safety_identifier",
)
"""Source: openai 3.52, `types/responses` and `types/chat`; read 2026-11-20."""
