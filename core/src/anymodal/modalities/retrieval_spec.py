"""How providers of stores are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .retrieval import RetrievalProvider  # noqa: F401  # named in a string

__all__ = ["RetrievalProviderSpec"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetrievalProviderSpec(ProviderSpec["RetrievalProvider"]):
    """
    A store, before anything is connected. It has no models; its name alone is one.

    The capabilities `dense` and `sparse` say which vectors it keeps, and `hybrid`
    whether it puts both together itself.

    Args:
        max_documents: Most documents in one request.
        in_memory: Settings of an instance that keeps nothing, for trying it out.
    """

    modality: ClassVar[str] = "retrieval"
    has_models: ClassVar[bool] = False

    max_documents: int = attrs.field(
        default=200, validator=(attrs.validators.instance_of(int), attrs.validators.ge(1))
    )
    in_memory: Mapping[str, object] = attrs.field(factory=dict)
