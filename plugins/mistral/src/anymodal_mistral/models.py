"""Mistral's text models: what is known of them, from where, and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

if TYPE_CHECKING:
    from anymodal.modalities.text import Effort

__all__ = ["DEFAULT_MODEL", "MODELS", "OWN_EFFORTS"]

DEFAULT_MODEL: Final = "mistral-medium-3-5"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://docs.mistral.ai/models, by litellm 1.109.1 (MIT)"
REASONING: Final = "https://docs.mistral.ai/capabilities/reasoning"
BATCHES: Final = "https://docs.mistral.ai/inference/batch-processing: 50 % of the usual price"

_TOOLS: Final = "function_calling structured_output"
_SEES: Final = f"{_TOOLS} image_input"
_THINKS: Final = f"{_TOOLS} reasoning prompt_cache"
_BOTH: Final = f"{_SEES} reasoning prompt_cache"

_TABLE: Final = (
    # ids, context, output, dollars for input, cached input and output, yes, no
    ("mistral-large-4 mistral-large-4-0", 1048576, 1048576, "1.36", "0.14", "4.18", _BOTH, "audio_input"),
    ("mistral-medium-3-5 mistral-medium-2604 mistral-medium-latest", 262144, 262144, "1.5", "0.15", "7.5", _BOTH, "audio_input"),
    ("mistral-small-2603 mistral-small-latest", 262144, 262144, "0.15", "0.015", "0.6", _BOTH, "audio_input"),
    ("mistral-large-2512 mistral-large-latest", 262144, 262144, "0.5", "0.05", "1.5", _SEES, "reasoning audio_input"),
    ("ministral-14b-2512 ministral-14b-latest", 262144, 262144, "0.2", "0.02", "0.2", _SEES, "reasoning audio_input"),
    ("ministral-8b-2512 ministral-8b-latest", 262144, 262144, "0.15", "0.015", "0.15", _SEES, "reasoning audio_input"),
    ("ministral-3b-2512 ministral-3b-latest", 131072, 131072, "0.1", "0.01", "0.1", _SEES, "reasoning audio_input"),
    ("codestral-2508 codestral-latest", 128000, 128000, "0.3", "0.03", "0.9", _TOOLS, "reasoning image_input audio_input"),
    ("voxtral-small-2507 voxtral-small-latest", 32768, 32768, "", "", "", f"{_TOOLS} audio_input", "reasoning image_input"),
    ("zai-glm-5-3", 1048576, 131072, "1.4", "0.14", "4.4", _THINKS, "image_input audio_input"),
    ("zai-glm-5-3-flash", 1048576, 131072, "0.15", "0.03", "0.5", _BOTH, "audio_input"),
    ("deepseek-v4-1-flash-1017", 1048576, 131072, "0.3", "0.007", "1.2", _THINKS, "image_input audio_input"),
    ("magistral-medium-latest", 262144, 262144, "1.5", "0.15", "7.5", _BOTH, "audio_input"),
    ("magistral-small-latest", 262144, 262144, "0.15", "0.015", "0.6", _BOTH, "audio_input"),
)  # fmt: skip
_OTHERS: Final = ("zai-", "deepseek-")
"""Beginnings of models that are served for others; what they cost in a batch is not said."""

_LEAVING: Final = {
    "magistral-medium-latest": "mistral-medium-3-5",
    "magistral-small-latest": "mistral-small-2603",
}


def _models() -> Iterator[ModelSpec]:
    units = ("input_token", "cached_input_token", "output_token")
    for ids, context, output, *prices, yes, no in _TABLE:
        items = [Price(unit, usd) for unit, usd in zip(units, prices, strict=True) if usd]
        uncached = [price for price in items if price.unit != "cached_input_token"]
        halved = uncached and not ids.startswith(_OTHERS)
        for name in ids.split():
            left = _LEAVING.get(name)
            lifecycle = Lifecycle(state="deprecated", replacement=left) if left else Lifecycle()
            yield ModelSpec(
                id=name,
                capabilities=Capabilities(yes.split(), no.split()),
                context_tokens=context,
                max_output_tokens=output,
                prices=Prices(items, FACTS, READ_ON) if items else None,
                batch_prices=Prices(uncached, FACTS, READ_ON).times("0.5", BATCHES, READ_ON)
                if halved
                else None,
                lifecycle=lifecycle,
                source=REASONING if left else FACTS,
            )


MODELS: Final = tuple(_models())
"""
Names that end in `-latest` are models of their own, because the vendor moves them.
Voxtral counts sound by the hour, so that its price is left unknown.
"""

_SWITCH: Final[Mapping[Effort, str]] = {"none": "none", "high": "high"}
_GLM: Final[Mapping[Effort, str]] = {"low": "low", "high": "high", "max": "max"}

OWN_EFFORTS: Final[Mapping[str, Mapping[Effort, str]]] = {
    name: efforts
    for start, efforts in (
        ("mistral-medium-", _SWITCH),
        ("mistral-small-", _SWITCH),
        ("zai-glm-5-3", _GLM),
    )
    for name in (model.id for model in MODELS)
    if name.startswith(start)
}
"""
What `reasoning_effort` takes; of the others it is not known, so that it is sent as
it is. Sources: `REASONING`, and litellm 1.109.1 for GLM; read 2026-11-20.
"""
