"""
OpenAI on loopback: Responses and counts of them, Chat Completions, embeddings, pictures, models, batches.

As strict as the vendor. The protocols are those of `anymodal_openai_compatible.emulator`.
Here stand the models that are served and what some of them do not take. Models are
those of `types/shared/chat_model.py` and `responses_model.py` of openai 3.52 without
those that were shut down, and a few that only the model data of litellm 1.109.1
(MIT) has; both read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, NoReturn, cast

from anymodal_emulator.app import RefusedError
from anymodal_openai_compatible.emulator import (
    Dialect,
    Embedder,
    serve_batches,
    serve_embeddings,
    vendor,
)
from anymodal_openai_compatible.emulator.responses import count_input

from .emulated_images import SERVED, serve_images
from .emulated_realtime import serve_realtime

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
    "gpt-5.4-2026-03-05",
)
CHAT_ONLY: Final = (
    "gpt-audio-mini",
    "gpt-audio-mini-2025-12-15",
    "gpt-audio",
    "gpt-audio-1.5",
    "gpt-audio-2025-08-28",
)
RESPONSES_ONLY: Final = (
    "gpt-5.5-pro",
    "gpt-5.5-pro-2026-04-23",
    "gpt-5.4-pro",
    "gpt-5.4-pro-2026-03-05",
    "gpt-5.3-codex",
    "gpt-5.2-pro",
    "gpt-5.2-pro-2025-12-11",
    "gpt-5-pro",
    "gpt-5-pro-2025-10-06",
    "o3-pro",
    "o3-pro-2025-06-10",
)
OTHERS: Final = (
    "gpt-4o-mini-tts",
    "gpt-4o-transcribe",
    *SERVED,
    "gpt-realtime-2.1",
    "omni-moderation-latest",
    "text-embedding-3-large",
    "text-embedding-3-small",
    "text-embedding-ada-002",
    "whisper-1",
)
"""Of other kinds of work; they stand in the same list."""
LEAST_OUTPUT_TOKENS: Final = 16
"""Of Responses; the API refuses less."""
REASON: Final = ("o3", "gpt-5", "gpt-6")
"""Families that reason, and while they do take no temperature other than 1."""
REASON_WHEN_ASKED: Final = ("gpt-5.1", "gpt-5.2", "gpt-5.4")
"""Of these, the families that do not reason by default."""
FIRST: Final = ("gpt-5", "gpt-5-mini", "gpt-5-nano")
"""Models that know the effort `minimal`; later ones know `none` in its place."""


def object_to(model: str, body: Mapping[str, object]) -> None:
    """Refuse what the vendor's models do not take, by model and protocol."""
    chat = "messages" in body
    if model in (RESPONSES_ONLY if chat else CHAT_ONLY):
        where = "v1/chat/completions" if chat else "v1/responses"
        words = f"This model is not supported in the {where} endpoint."
        raise RefusedError(kind="other", param="model", got=words, status=404)
    if model.startswith(REASON):
        _object_to_settings(model, body, _effort(body))
    limit = body.get("max_output_tokens")
    if isinstance(limit, int) and limit < LEAST_OUTPUT_TOKENS:
        words = (
            "Invalid 'max_output_tokens': integer below minimum value. "
            f"Expected a value >= {LEAST_OUTPUT_TOKENS}, but got {limit} instead."
        )
        _refuse("max_output_tokens", words, "integer_below_min_value")


def _object_to_settings(model: str, body: Mapping[str, object], effort: object) -> None:
    if body.get("max_tokens") is not None:
        words = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        )
        _refuse("max_tokens", words, "unsupported_parameter")
    first = model.startswith("o3") or model.partition("-20")[0] in FIRST
    if effort == ("none" if first else "minimal"):
        at = "reasoning_effort" if "messages" in body else "reasoning.effort"
        words = f"Unsupported value: '{effort}' is not supported with the '{model}' model."
        _refuse(at, words, "unsupported_value")
    reasons = effort != "none" and (effort or not model.startswith(REASON_WHEN_ASKED))
    for name in ("temperature", "top_p"):
        if reasons and body.get(name) not in {None, 1}:
            words = f"Unsupported parameter: '{name}' is not supported with this model."
            _refuse(name, words, "unsupported_parameter")


def _effort(body: Mapping[str, object]) -> object:
    reasoning = cast("Mapping[str, object]", body.get("reasoning") or {})
    return body.get("reasoning_effort") or reasoning.get("effort")


def _refuse(param: str, words: str, code: str) -> NoReturn:
    raise RefusedError(kind="other", param=param, got=words, code=code)


DIALECT: Final = Dialect(
    provider="openai",
    models=(*MODELS, *CHAT_ONLY, *RESPONSES_ONLY),
    others=OTHERS,
    own_fields=True,
    object_to=object_to,
)
app = vendor(DIALECT)
app.route("POST", "/v1/responses/input_tokens")(partial(count_input, dialect=DIALECT))
serve_batches(app, "/v1")
serve_images(app, "/v1")
serve_realtime(app, "/v1")


def _refuse_inputs(inputs: int, most: int) -> NoReturn:
    words = (
        f"Invalid 'input': array too long. Expected an array with maximum length {most}, "
        f"but got an array with length {inputs} instead."
    )
    _refuse("input", words, "array_above_max_length")


serve_embeddings(
    app,
    "/v1",
    Embedder(
        provider="openai",
        models={
            "text-embedding-3-large": (3072, 3072),
            "text-embedding-3-small": (1536, 1536),
            "text-embedding-ada-002": (1536, 0),
        },
        most_inputs=2048,
        most_tokens=300_000,
        most_text=8192,
        refuse_inputs=_refuse_inputs,
    ),
)
