"""How providers of vectors are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from ..specs import ModelSpec, ProviderSpec

if TYPE_CHECKING:
    from .embedding import EmbeddingProvider  # noqa: F401  # named in a string

__all__ = ["EmbeddingModelSpec", "EmbeddingProviderSpec"]

_COUNT: Final = attrs.validators.and_(attrs.validators.instance_of(int), attrs.validators.ge(1))
_COUNT_OR_NONE: Final = attrs.validators.optional(_COUNT)


@attrs.frozen(kw_only=True)
class EmbeddingModelSpec(ModelSpec):
    """
    A model that makes vectors; `context_tokens` is the longest text.

    Args:
        dimensions: How many numbers a dense vector has unless asked otherwise.
        most_dimensions: The most that may be asked for.
        normalised: Whether dense vectors have length 1; None is unknown.
        max_inputs: Most texts in one request, where it is not the provider's number.
        max_request_tokens: Most tokens of all texts in one request, likewise.
    """

    dimensions: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)
    most_dimensions: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)
    normalised: bool | None = None
    max_inputs: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)
    max_request_tokens: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EmbeddingProviderSpec(ProviderSpec["EmbeddingProvider"]):
    """
    A provider of vectors, before anything is connected.

    The capabilities `dense` and `sparse` say which vectors its models make, and
    `dimensions` whether a number of them may be asked for.

    Args:
        max_inputs: Most texts in one request; None for any number.
        max_request_tokens: Most tokens of all texts in one request.
        requests_at_once: How many requests one call may have under way.
        normalised: Whether dense vectors have length 1; None is unknown.
    """

    modality: ClassVar[str] = "embedding"

    max_inputs: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)
    max_request_tokens: int | None = attrs.field(default=None, validator=_COUNT_OR_NONE)
    requests_at_once: int = attrs.field(default=4, validator=_COUNT)
    normalised: bool | None = None
