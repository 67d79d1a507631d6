"""
OpenAI's models that make vectors.

The vectors have length 1, also where fewer dimensions are asked for than there are.
Source: https://developers.openai.com/api/docs/guides/embeddings, read 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.modalities.embedding_spec import EmbeddingModelSpec
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities

__all__ = ["DEFAULT_MODEL", "MODELS", "MOST_INPUTS", "MOST_TOKENS"]

DEFAULT_MODEL: Final = "text-embedding-3-small"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://developers.openai.com/api/docs/models, by litellm 1.109.1 (MIT)"
PRICING: Final = "https://developers.openai.com/api/docs/pricing, by litellm 1.109.1 (MIT)"
BATCHES: Final = "https://developers.openai.com/api/docs/guides/batch: 50 % of the usual price"

MOST_INPUTS: Final = 2048
MOST_TOKENS: Final = 300_000
LONGEST_TEXT: Final = 8192
"""Source of the three: openai 3.52, `types/embedding_create_params.py`, read 2026-11-20."""

MOST_LARGE: Final = 1024
"""An answer with more vectors of 3072 dimensions would be longer than 32 MiB."""

_TABLE: Final = (
    # id, dimensions, whether others may be asked for, dollars, most inputs
    ("text-embedding-3-small", 1536, True, "0.02", None),
    ("text-embedding-3-large", 3072, True, "0.13", MOST_LARGE),
    ("text-embedding-ada-002", 1536, False, "0.1", None),
)


def _models() -> Iterator[EmbeddingModelSpec]:
    for name, dimensions, chosen, usd, most in _TABLE:
        prices = Prices([Price("input_token", usd)], PRICING, READ_ON)
        yield EmbeddingModelSpec(
            id=name,
            capabilities=Capabilities(
                {"dimensions"} if chosen else (), () if chosen else {"dimensions"}
            ),
            context_tokens=LONGEST_TEXT,
            prices=prices,
            batch_prices=prices.times("0.5", BATCHES, READ_ON),
            source=FACTS,
            dimensions=dimensions,
            most_dimensions=dimensions,
            normalised=True,
            max_inputs=most,
        )


MODELS: Final = tuple(_models())
