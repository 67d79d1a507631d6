"""
What only Mistral's models that make vectors can be asked for, and the vendor's habits.

Sources: https://docs.mistral.ai/capabilities/embeddings/text_embeddings and
mistralai 3.7.0, `client/models/embeddingrequest.py`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
from anymodal.errors import ContextLengthError, VendorError
from anymodal.modalities.embedding import EmbeddingRequest
from anymodal_openai_compatible.embedding import EmbeddingQuirks, WireEmbedding

from .quirks import QUIRKS as TEXT_QUIRKS

__all__ = ["QUIRKS", "MistralEmbedding", "refine"]

TOO_MUCH: Final = "3210"
"""The code of a 400 for too many texts or tokens. Source: https://github.com/raphaelmansuy/edgequake-llm/pull/74 and
https://github.com/chroma-core/chroma/pull/5597; read 2026-11-20."""


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
