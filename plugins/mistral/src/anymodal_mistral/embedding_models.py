"""
Mistral's models that make vectors.

Sources: https://docs.mistral.ai/capabilities/embeddings/text_embeddings and
mistralai 3.7.0, `client/models/embeddingrequest.py`; read 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from anymodal.modalities.embedding_spec import EmbeddingModelSpec
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities

__all__ = ["DEFAULT_MODEL", "MODELS", "MOST_INPUTS", "MOST_TOKENS"]

DEFAULT_MODEL: Final = "mistral-embed"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://docs.mistral.ai/models, by litellm 1.109.1 (MIT)"
DIMENSIONS: Final = "https://docs.mistral.ai/capabilities/embeddings/code_embeddings"
BATCHES: Final = "https://docs.mistral.ai/inference/batch-processing: 50 % of the usual price"

MOST_INPUTS: Final = 512
"""Source: https://github.com/raphaelmansuy/edgequake-llm/pull/74, read 2026-11-20."""
MOST_TOKENS: Final = 16_384
"""Source: https://github.com/mistralai/client-python/issues/46, read 2026-11-20."""

_TABLE: Final = (
    # ids, dimensions, most that may be asked for, dollars, source
    ("mistral-embed mistral-embed-2312", 1024, None, "0.1", FACTS),
    ("codestral-embed codestral-embed-2505", 1536, 3072, "0.15", DIMENSIONS),
)


def _models() -> Iterator[EmbeddingModelSpec]:
    for ids, dimensions, most, usd, source in _TABLE:
        prices = Prices([Price("input_token", usd)], FACTS, READ_ON)
        able = frozenset({"dimensions"})
        for name in ids.split():
            yield EmbeddingModelSpec(
                id=name,
                capabilities=Capabilities(yes=able if most else (), no=() if most else able),
                context_tokens=8192,
                prices=prices,
                batch_prices=prices.times("0.5", BATCHES, READ_ON),
                source=source,
                dimensions=dimensions,
                most_dimensions=most or dimensions,
            )


MODELS: Final = tuple(_models())
