"""Retrieval: semantic search over collections."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["RetrievalProviderSpec"]


@attrs.frozen(kw_only=True)
class RetrievalProviderSpec(ProviderSpec[object]):
    """A provider of semantic search over collections. Its contract comes with its first provider."""

    modality: ClassVar[str] = "retrieval"
    has_models: ClassVar[bool] = False
