"""What a store keeps: documents, in collections that remember what made their vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, Self, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..usage import Record
from .embedding import DenseVector, SparseVector, dense

__all__ = ["MODES", "NOTHING", "Collection", "Distance", "Document", "Mode"]

Mode: TypeAlias = Literal["dense", "sparse", "hybrid"]
MODES: Final = ("dense", "sparse", "hybrid")
Distance: TypeAlias = Literal["cosine", "dot"]
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
VERSION: Final = 1
"""Of what `Collection.to_dict` gives."""


def _unfit(message: str, index: int) -> InvalidRequestError:
    error = InvalidRequestError(f"documents: {message}", field="documents")
    error.index = index
    return error


def _dense(found: DenseVector | Sequence[float] | None) -> DenseVector | None:
    return None if found is None else dense(found)


@attrs.frozen(kw_only=True)
class Document:
    """
    What is kept under an id of the caller's own.

    Args:
        id: Any string; the same one again takes the document's place.
        text: What its vectors are made of, and what a hit shows.
        vector: Its dense vector, where the caller has made it.
        sparse: Its sparse one, likewise.
        payload: What filters go by: keys, and values that JSON has.
    """

    id: str
    text: str | None = None
    vector: DenseVector | None = attrs.field(default=None, converter=_dense, repr=False)
    sparse: SparseVector | None = attrs.field(default=None, repr=False)
    payload: Mapping[str, object] = NOTHING

    def check(self, index: int) -> None:
        """
        See that a store could keep it.

        Raises:
            InvalidRequestError: It could not; *index* is its place.
        """
        if not isinstance(self.id, str) or not self.id:
            why = f"number {index} has no id: a string is needed."
            raise _unfit(why, index)
        if self.text is not None and not isinstance(self.text, str):
            why = f"number {index} has a text that is no string."
            raise _unfit(why, index)
        try:
            json.dumps(dict(self.payload), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            why = f"number {index} has a payload that JSON cannot have: {error}."
            raise _unfit(why, index) from None


@attrs.frozen(kw_only=True)
class Collection:
    """
    A collection, and what its vectors are made by.

    Attributes:
        name: Of the caller's own.
        dimensions: How many numbers its dense vectors have; None where it has none.
        distance: What nearness is, by dense vectors: `cosine` or `dot`.
        embedding: The model of its dense vectors, `instance/model`; None where
            callers bring them.
        is_shortened: Whether that model was asked for this many dimensions.
        has_sparse: Whether it has sparse vectors.
        sparse: The model of these, likewise.
        idf: Whether rare words of these count more, as BM25 has it.
        record: What is known about the call. Set by the client.
    """

    name: str
    dimensions: int | None = None
    distance: Distance = "cosine"
    embedding: str | None = None
    is_shortened: bool = False
    has_sparse: bool = False
    sparse: str | None = None
    idf: bool = True
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """How it can be queried, the best way last."""
        found: list[Mode] = ["dense"] if self.dimensions is not None else []
        if self.has_sparse:
            found += ["sparse", "hybrid"] if found else ["sparse"]
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return it for a store to keep, fit for JSON."""
        found = attrs.asdict(self, filter=lambda field, _: field.name != "record")
        return {"version": VERSION, **found}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `to_dict` gave; what later versions added is passed over."""
        known = {field.name for field in attrs.fields(cls)} - {"record"}
        return cls(**{name: value for name, value in kept.items() if name in known})
