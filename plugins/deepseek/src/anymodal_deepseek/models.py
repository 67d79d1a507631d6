"""
DeepSeek's text models: what is known of them, from where, and as of when.

Prices are those of the peak hours; at other times they are half as high.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

__all__ = ["DEFAULT_MODEL", "MODELS"]

DEFAULT_MODEL: Final = "deepseek-v4-pro"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://api-docs.deepseek.com/quick_start/pricing, by litellm 1.109.1 (MIT)"

_BASE: Final = "function_calling structured_output reasoning prompt_cache"

_TABLE: Final = (
    # id, dollars for input, cached input and output, yes, no
    ("deepseek-v4-pro", "1.32", "0.044", "3.96", _BASE, "image_input sampling"),
    ("deepseek-v4-flash", "0.3", "0.006", "1.2", f"{_BASE} image_input", "sampling"),
    ("deepseek-flash", "0.3", "0.006", "1.2", f"{_BASE} image_input", "sampling"),
    ("deepseek-v4-flash-vision-exp", "0.3", "0.006", "1.2", f"{_BASE} image_input", "sampling"),
)


def _models() -> Iterator[ModelSpec]:
    units = ("input_token", "cached_input_token", "output_token")
    for name, *prices, yes, no in _TABLE:
        items = [Price(unit, usd) for unit, usd in zip(units, prices, strict=True)]
        yield ModelSpec(
            id=name,
            capabilities=Capabilities(yes.split(), no.split()),
            context_tokens=1_000_000,
            max_output_tokens=393_216,
            prices=Prices(items, FACTS, READ_ON),
            source=FACTS,
        )
    gone = Lifecycle(
        state="retired", retires_on=dt.date(2026, 7, 24), replacement="deepseek-v4-flash"
    )
    for name in ("deepseek-chat", "deepseek-reasoner"):
        yield ModelSpec(id=name, lifecycle=gone, source=FACTS)


MODELS: Final = tuple(_models())
"""`sampling` is a no because the models think unless told not to."""
