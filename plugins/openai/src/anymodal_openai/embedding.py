"""What OpenAI's models that make vectors can be asked for beside what all can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
from anymodal.modalities.embedding import EmbeddingRequest
from anymodal_openai_compatible.embedding import EmbeddingQuirks, WireEmbedding

__all__ = ["QUIRKS", "OpenAIEmbedding"]


@attrs.frozen(kw_only=True)
class OpenAIEmbedding(WireEmbedding):
    """
    Options for vectors from OpenAI.

    Args:
        user: Stable id of the person behind the call; goes before `end_user`.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "openai"

    user: str | None = None

    def fields(self, request: EmbeddingRequest) -> Mapping[str, object]:
        """Return the field, where it was given."""
        del request
        return {} if self.user is None else {"user": self.user}


QUIRKS: Final = EmbeddingQuirks(option=OpenAIEmbedding, encoding="base64")
