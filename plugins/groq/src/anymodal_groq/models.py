"""The text models that Groq serves: what is known of them, from where, and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

if TYPE_CHECKING:
    from anymodal.modalities.text import Effort

__all__ = ["DEFAULT_MODEL", "MODELS", "MODEL_BODIES", "OWN_EFFORTS"]

DEFAULT_MODEL: Final = "openai/gpt-oss-120b"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://console.groq.com/docs/models, by litellm 1.109.1 (MIT)"
BATCHES: Final = "https://console.groq.com/docs/batch: 50 % of the usual price"
DEPRECATIONS: Final = "https://console.groq.com/docs/deprecations"
HOTTEST: Final = 2
"""Source: Groq's OpenAPI description, `CreateChatCompletionRequest`, read 2026-11-20."""

_OSS: Final = "function_calling structured_output reasoning prompt_cache web_search citations"
_QWEN: Final = "function_calling structured_output reasoning image_input"

_TABLE: Final = (
    # id, output tokens, dollars for input, cached input and output, yes, no
    ("openai/gpt-oss-120b", 65536, "0.15", "0.075", "0.6", _OSS, "image_input"),
    ("openai/gpt-oss-20b", 65536, "0.075", "0.0375", "0.3", _OSS, "image_input"),
    ("openai/gpt-oss-safeguard-20b", 65536, "0.075", "0.0375", "0.3", _OSS, "image_input"),
    ("qwen/qwen3.8-27b", 16384, "0.8", "", "4", _QWEN, "web_search"),
)


def _models() -> Iterator[ModelSpec]:
    units = ("input_token", "cached_input_token", "output_token")
    for name, output, *prices, yes, no in _TABLE:
        items = [Price(unit, usd) for unit, usd in zip(units, prices, strict=True) if usd]
        uncached = [price for price in items if price.unit != "cached_input_token"]
        yield ModelSpec(
            id=name,
            capabilities=Capabilities(yes.split(), no.split()),
            context_tokens=131072,
            max_output_tokens=output,
            prices=Prices(items, FACTS, READ_ON),
            batch_prices=Prices(uncached, FACTS, READ_ON).times("0.5", BATCHES, READ_ON),
            source=FACTS,
            temperature_max=HOTTEST,
        )
    yield ModelSpec(
        id="llama-3.3-70b-versatile",
        lifecycle=Lifecycle(
            state="retired", retires_on=dt.date(2026, 8, 16), replacement=DEFAULT_MODEL
        ),
        source=DEPRECATIONS,
    )


MODELS: Final = tuple(_models())

_THREE: Final[Mapping[Effort, str]] = {"low": "low", "medium": "medium", "high": "high"}
_SWITCH: Final[Mapping[Effort, str]] = {"none": "none", "medium": "default"}

OWN_EFFORTS: Final[Mapping[str, Mapping[Effort, str]]] = {
    name: _SWITCH if name.startswith("qwen/") else _THREE for name, *_ in _TABLE
}
"""What `reasoning_effort` takes. Source: Groq's OpenAPI description, read 2026-11-20."""

MODEL_BODIES: Final[Mapping[str, Mapping[str, object]]] = {
    name: {"reasoning_format": "parsed"} for name, *_ in _TABLE if name.startswith("qwen/")
}
"""
Without it Qwen's reasoning stands in its words, between tags.
Source: https://console.groq.com/docs/reasoning, read 2026-11-20.
"""
