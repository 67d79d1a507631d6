"""
OpenAI on loopback: Responses, Chat Completions and models, as strict as the vendor.

The protocols are those of `anymodal_openai_compatible.emulator`. Here stand the
models that are served (`types/shared/chat_model.py` of openai 3.52 without those
that were shut down, read 2026-11-20) and what some of them do not take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal_emulator.app import RefusedError
from anymodal_openai_compatible.emulator import Dialect, vendor

__all__ = ["app"]

MODELS: Final = (
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
    "gpt-5.5-2026-04-23",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.4-mini-2026-03-17",
    "gpt-5.4-nano-2026-03-17",
    "gpt-5.2",
    "gpt-5.2-2025-12-11",
    "gpt-5.2-pro",
    "gpt-5.2-pro-2025-12-11",
    "gpt-5.1",
    "gpt-5.1-2025-11-13",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-5-2025-08-07",
    "gpt-5-mini-2025-08-07",
    "gpt-5-nano-2025-08-07",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-2025-04-14",
    "gpt-4.1-mini-2025-04-14",
    "o3",
    "o3-2025-04-16",
    "gpt-4o",
    "gpt-4o-2024-11-20",
    "gpt-4o-2024-08-06",
    "gpt-4o-mini",
    "gpt-4o-mini-2024-07-18",
    "gpt-audio-mini",
    "gpt-audio-mini-2025-12-15",
)
LEAST_OUTPUT_TOKENS: Final = 16
"""Of Responses; the API refuses less."""


def object_to(model: str, body: Mapping[str, object]) -> None:
    """Refuse what the vendor's reasoning models do not take."""
    if body.get("max_tokens") is not None and model.startswith(("o3", "gpt-5", "gpt-6")):
        words = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        )
        raise RefusedError(
            kind="other", param="max_tokens", got=words, code="unsupported_parameter"
        )
    limit = body.get("max_output_tokens")
    if isinstance(limit, int) and limit < LEAST_OUTPUT_TOKENS:
        words = (
            "Invalid 'max_output_tokens': integer below minimum value. "
            f"Expected a value >= {LEAST_OUTPUT_TOKENS}, but got {limit} instead."
        )
        code = "integer_below_min_value"
        raise RefusedError(kind="other", param="max_output_tokens", got=words, code=code)


app = vendor(
    Dialect(provider="openai", models=MODELS, own_fields=True, object_to=object_to),
)
