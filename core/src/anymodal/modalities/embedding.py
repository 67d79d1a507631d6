"""
Embedding: vectors of texts, near where the texts mean the same.

A dense vector is an `array('f')`: four bytes a number, and a buffer that
`numpy.asarray` and `memoryview` read without a copy. A sparse one names the
numbers that are not 0.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import ClassVar, Final, Literal, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..usage import Record, Usage
from .embedding_spec import EmbeddingModelSpec, EmbeddingProviderSpec
from .requests import Request, VendorOption

__all__ = [
    "DenseVector",
    "EmbeddingModelSpec",
    "EmbeddingOption",
    "EmbeddingProvider",
    "EmbeddingProviderSpec",
    "EmbeddingRequest",
    "EmbeddingResult",
    "EmbedsInThreads",
    "EmbedsTexts",
    "Purpose",
    "SparseVector",
    "Vector",
    "dense",
]

Purpose: TypeAlias = Literal["query", "document"]
PURPOSES: Final = ("query", "document")

DenseVector: TypeAlias = "array[float]"
"""As many numbers as the model has dimensions, of four bytes each: `array('f')`."""


def dense(numbers: Iterable[float]) -> DenseVector:
    """
    Return *numbers* as a dense vector.

    Raises:
        TypeError, OverflowError: One of them is no number.
    """
    return array("f", numbers)


def _indices(found: Iterable[int]) -> array[int]:
    return array("I", found)


@attrs.frozen
class SparseVector:
    """
    A vector that is 0 nearly everywhere.

    Attributes:
        indices: Where it is not, each once; whole numbers below 2**32, `array('I')`.
        values: What it is there, in the same order, `array('f')`.
    """

    indices: array[int] = attrs.field(converter=_indices)
    values: array[float] = attrs.field(converter=dense)

    def __attrs_post_init__(self) -> None:
        if len(self.indices) != len(self.values):
            msg = f"{len(self.indices)} indices have {len(self.values)} values"
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.indices, self.values, strict=True)

    def to_dict(self) -> dict[str, Sequence[float]]:
        """Return it as lists, fit for JSON."""
        return {"indices": self.indices.tolist(), "values": self.values.tolist()}


Vector: TypeAlias = "DenseVector | SparseVector"


class EmbeddingOption(VendorOption):
    """Base of a plugin's own frozen options for vectors; other providers ignore them."""


@attrs.frozen(kw_only=True)
class EmbeddingRequest(Request):
    """
    What a provider of vectors is asked for; see `Request` for the rest.

    Attributes:
        texts: From one to as many as the provider takes at once, none of them empty.
        purpose: What the vectors are for, for models that tell queries from what is
            searched; to the others it makes no difference.
        dimensions: How many numbers a vector is to have; None where it is the
            model's own number.
    """

    option_class: ClassVar[type[VendorOption]] = EmbeddingOption

    texts: tuple[str, ...]
    purpose: Purpose | None = None
    dimensions: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.texts:
            msg = "texts: at least one is needed."
            raise InvalidRequestError(msg, field="texts")
        for index, text in enumerate(self.texts):
            if not isinstance(text, str) or not text or text.isspace():
                what = "is empty" if isinstance(text, str) else f"is a {type(text).__name__}"
                msg = f"texts: number {index} {what}; words are needed."
                error = InvalidRequestError(msg, field="texts")
                error.index = index
                raise error
        if self.purpose is not None and self.purpose not in PURPOSES:
            msg = f"purpose: {self.purpose!r} is neither query nor document."
            raise InvalidRequestError(msg, field="purpose")
        if self.dimensions is not None:
            self._check_dimensions(self.dimensions)

    def _check_dimensions(self, wanted: int) -> None:
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
            msg = f"dimensions: a whole number from 1 up is needed, not {wanted!r}."
            raise InvalidRequestError(msg, field="dimensions")
        model = self.model
        if not isinstance(model, EmbeddingModelSpec):
            return
        if wanted == model.dimensions:
            object.__setattr__(self, "dimensions", None)
        elif model.most_dimensions is not None and wanted > model.most_dimensions:
            msg = f"dimensions: {model.id} has at most {model.most_dimensions}, not {wanted}."
            raise InvalidRequestError(msg, field="dimensions")


@attrs.frozen(kw_only=True)
class EmbeddingResult:
    """
    Vectors, one for each text, in the order of the texts.

    Attributes:
        dense: Dense ones; empty where the model makes none.
        sparse: Sparse ones, likewise. A model may make both.
        normalised: Whether every dense vector has length 1, so that the dot product
            is the cosine; None is unknown.
        usage: What the vendor counted, all requests together.
        model: The model that made them, in the vendor's words. Vectors of different
            models cannot be compared.
        request_id: The vendor's id of the last request.
        raw: The vendor's answer, where the request asked for it; a tuple where there
            were several requests.
        record: What is known about the call. Set by the client.
    """

    dense: tuple[DenseVector, ...] = attrs.field(
        default=(), repr=lambda found: f"{len(found)} vectors"
    )
    sparse: tuple[SparseVector, ...] = attrs.field(
        default=(), repr=lambda found: f"{len(found)} vectors"
    )
    normalised: bool | None = None
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def vectors(self) -> tuple[Vector, ...]:
        """The dense vectors, or the sparse ones where there are no others."""
        return self.dense or self.sparse

    @property
    def vector(self) -> Vector:
        """The first."""
        return self.vectors[0]

    @property
    def dimensions(self) -> int | None:
        """How many numbers each dense vector has."""
        return len(self.dense[0]) if self.dense else None


class EmbedsTexts(Protocol):
    """What a provider of vectors is."""

    async def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult:
        """
        Make a vector of each text, in their order.

        There are never more texts than the spec's limits allow, as far as their
        tokens can be guessed: the core splits what is longer, sends the parts,
        several at once, and puts the vectors together.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            ContextLengthError, TooLargeError: A text is too long for the model, or all
                together are for one request. The core then tries with fewer of them;
                where one alone is left it is the one at fault.
            VendorError: It refused or failed; `index` is the text's, in *request*,
                where the vendor says which it is.
        """


class EmbedsInThreads(Protocol):
    """The same written without `async`; it runs in a thread."""

    def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult | Awaitable[EmbeddingResult]:
        """Make a vector of each text; see `EmbedsTexts.embed`."""


EmbeddingProvider: TypeAlias = EmbedsTexts | EmbedsInThreads
