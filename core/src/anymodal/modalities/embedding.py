"""Embedding: vectors of texts."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["EmbeddingProviderSpec"]


@attrs.frozen(kw_only=True)
class EmbeddingProviderSpec(ProviderSpec[object]):
    """A provider of vectors of texts. Its contract comes with its first provider."""

    modality: ClassVar[str] = "embedding"
