"""
OpenAI's models that make pictures.

Sources, read 2026-11-20: openai 3.52, `types/image_model.py`, `image_generate_params.py` and
`image_edit_params.py`; the vendor's bounds of sizes by
https://github.com/MicrosoftDocs/azure-ai-docs/pull/779.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, Lifecycle, ModelSpec

__all__ = ["DEFAULT_MODEL", "FIXED", "MODELS"]

DEFAULT_MODEL: Final = "gpt-image-2.5-flare"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://developers.openai.com/api/docs/models, by openai 3.52.0"
PRICING: Final = "https://developers.openai.com/api/docs/pricing, by litellm 1.109.1 (MIT)"
DEPRECATIONS: Final = (
    "https://developers.openai.com/api/docs/deprecations, by openai 3.52.0 and "
    "https://aiweekly.co/alerts/openai-deprecates-three-image-apis-by-december-2026"
)

FIXED: Final = ("gpt-image-1", "chatgpt-image-latest")
"""Families of models that make `SIZES` alone."""

_TABLE: Final = """
# ids                                                     text in  picture in  picture out  text out
gpt-image-2.5-flare,gpt-image-2.5-flare-2026-09-08        5        8           30           -
gpt-image-2.5-sunburst,gpt-image-2.5-sunburst-2026-09-08  5        8           30           -
gpt-image-2.6-flare                                       -        -           -            -
gpt-image-2.6-sunburst                                    -        -           -            -
gpt-image-2,gpt-image-2-2026-04-21                        5        8           30           -
gpt-image-1.5,gpt-image-1.5-2025-12-16                    5        8           32           10
chatgpt-image-latest                                      5        8           32           10
gpt-image-1-mini                                          2        2.5         8            -
"""
_UNITS: Final = ("input_token", "image_input_token", "image_output_token", "output_token")

_LEAVING: Final = Lifecycle(
    state="deprecated", retires_on=dt.date(2026, 12, 1), replacement="gpt-image-2"
)
_RETIRED: Final = (
    ("gpt-image-1", dt.date(2026, 10, 23), "gpt-image-2.5-flare"),
    ("dall-e-3", dt.date(2026, 5, 12), "gpt-image-2"),
    ("dall-e-2", dt.date(2026, 5, 12), "gpt-image-2"),
)
"""For the last two the vendor names any GPT image model."""


def _models() -> Iterator[ModelSpec]:
    for line in _TABLE.strip().splitlines()[1:]:
        ids, *prices = line.split()
        items = [Price(unit, usd) for unit, usd in zip(_UNITS, prices, strict=True) if usd != "-"]
        for name in ids.split(","):
            yield ModelSpec(
                id=name,
                prices=Prices(items, PRICING, READ_ON) if items else None,
                lifecycle=_LEAVING if name.startswith(FIXED) else Lifecycle(),
                source=DEPRECATIONS if name.startswith(FIXED) else FACTS,
            )
    for name, day, replacement in _RETIRED:
        lifecycle = Lifecycle(state="retired", retires_on=day, replacement=replacement)
        no = Capabilities(no={"image_edit"})
        yield ModelSpec(id=name, capabilities=no, lifecycle=lifecycle, source=DEPRECATIONS)


MODELS: Final = tuple(_models())
"""Current models first, retired ones last. Snapshots are models of their own."""
