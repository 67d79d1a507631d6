"""
Mistral's models that make vectors, what only they can be asked for, and the vendor's habits.

Sources: https://docs.mistral.ai/capabilities/embeddings/text_embeddings and
mistralai 3.7.0, `client/models/embeddingrequest.py`; read 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import attrs
from anymodal.errors import ContextLengthError, VendorError
from anymodal.modalities.embedding import EmbeddingModelSpec, EmbeddingRequest
from anymodal.specs import Capabilities
from anymodal.usage import Price, Prices
from anymodal_openai_compatible.embedding import EmbeddingQuirks, WireEmbedding

from .quirks import QUIRKS as TEXT_QUIRKS

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "MOST_INPUTS",
    "MOST_TOKENS",
    "QUIRKS",
    "MistralEmbedding",
    "refine",
]

DEFAULT_MODEL: Final = "mistral-embed"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://docs.mistral.ai/models, by litellm 1.109.1 (MIT)"
DIMENSIONS: Final = "https://docs.mistral.ai/capabilities/embeddings/code_embeddings"
BATCHES: Final = "https://docs.mistral.ai/inference/batch-processing: 50 % of the usual price"

MOST_INPUTS: Final = 512
"""Source: https://github.com/raphaelmansuy/edgequake-llm/pull/74, read 2026-11-20."""
MOST_TOKENS: Final = 16_384
"""Source: https://github.com/mistralai/client-python/issues/46, read 2026-11-20."""
TOO_MUCH: Final = "3210"
"""The code of a 400 for too many texts or tokens. Source: as for `MOST_INPUTS`, and
https://github.com/chroma-core/chroma/pull/5597; read 2026-11-20."""

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


@attrs.frozen(kw_only=True)
class MistralEmbedding(WireEmbedding):
    """
    Options for vectors from Mistral.

    Args:
        metadata: Pairs that the vendor keeps with the request.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "mistral"

    metadata: Mapping[str, str] | None = None

    def fields(self, request: EmbeddingRequest) -> Mapping[str, object]:
        """Return the field, where it was given."""
        del request
        return {} if self.metadata is None else {"metadata": dict(self.metadata)}


QUIRKS: Final = EmbeddingQuirks(
    option=MistralEmbedding,
    dimensions_field="output_dimension",
    end_user_field="",
)
"""
Not in base64, in which the vendor's answers are not those of the protocol.
Source: https://github.com/Mintplex-Labs/anything-llm/issues/5794, read 2026-11-20.
"""

_REFINE: Final = attrs.evolve(
    TEXT_QUIRKS, codes={**TEXT_QUIRKS.codes, TOO_MUCH: ContextLengthError}
).refine


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what a status means; too many texts at once are a matter of length."""
    return _REFINE(status, headers, body)
