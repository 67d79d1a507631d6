"""
Retrieval: collections of documents, and those of them that are near a query.

A collection remembers which models made its vectors, so that a query is measured
by the same. A store keeps what `Collection.to_dict` gives beside the points.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import ClassVar, Protocol, TypeAlias

import attrs

from ..usage import Record
from .documents import NOTHING, Collection, Distance, Document, Mode
from .embedding import DenseVector, SparseVector
from .filters import Filter
from .requests import Request, VendorOption
from .retrieval_spec import RetrievalProviderSpec

__all__ = [
    "Collection",
    "CollectionsRequest",
    "CountRequest",
    "CreateRequest",
    "DeleteRequest",
    "Distance",
    "Document",
    "DropRequest",
    "Hit",
    "Mode",
    "QueryRequest",
    "QueryResult",
    "RetrievalOption",
    "RetrievalProvider",
    "RetrievalProviderSpec",
    "Retrieves",
    "RetrievesInThreads",
    "Tally",
    "UpsertRequest",
]


@attrs.frozen(kw_only=True)
class Hit:
    """
    A document that was found.

    Attributes:
        id: The document's.
        score: Greater is nearer. Scores of different modes cannot be compared.
        text: The document's, if it has any.
        payload: The document's.
    """

    id: str
    score: float
    text: str | None = None
    payload: Mapping[str, object] = NOTHING


@attrs.frozen(kw_only=True)
class QueryResult:
    """
    What was found, the nearest first.

    Attributes:
        hits: As many as there are, up to the limit.
        mode: By which vectors.
        embedded: Records of the calls that made vectors of the query.
        request_id: The vendor's id of the request.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    hits: tuple[Hit, ...]
    mode: Mode = "dense"
    embedded: tuple[Record, ...] = attrs.field(default=(), eq=False, repr=False)
    request_id: str | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@attrs.frozen(kw_only=True)
class Tally:
    """
    How many documents, or collections, something was done to.

    Attributes:
        count: The number; None where the store does not say.
        embedded: Records of the calls that made vectors of texts.
        record: What is known about the call.
    """

    count: int | None
    embedded: tuple[Record, ...] = attrs.field(default=(), eq=False, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)


class RetrievalOption(VendorOption):
    """Base of a plugin's own frozen options for stores; other providers ignore them."""


@attrs.frozen(kw_only=True)
class _StoreRequest(Request):
    option_class: ClassVar[type[VendorOption]] = RetrievalOption


@attrs.frozen(kw_only=True)
class CollectionsRequest(_StoreRequest):
    """
    Which collections there are; see `Request` for the rest.

    Attributes:
        name: Only this one; None for all.
    """

    name: str | None = None


@attrs.frozen(kw_only=True)
class CreateRequest(_StoreRequest):
    """
    A new collection.

    Attributes:
        collection: What it is to be; `to_dict` is to be kept with it.
    """

    collection: Collection


@attrs.frozen(kw_only=True)
class DropRequest(_StoreRequest):
    """
    The end of a collection.

    Attributes:
        name: Its name.
    """

    name: str


@attrs.frozen(kw_only=True)
class UpsertRequest(_StoreRequest):
    """
    Documents to keep.

    Attributes:
        collection: Where.
        documents: With every vector that the collection has; no id comes twice.
    """

    collection: Collection
    documents: tuple[Document, ...]


@attrs.frozen(kw_only=True)
class QueryRequest(_StoreRequest):
    """
    What is looked for.

    Attributes:
        collection: Where.
        mode: By which vectors; those are there, and the others may be.
        dense: The query's dense vector.
        sparse: Its sparse one.
        limit: Most hits to give.
        filter: Which documents come into question; None for all.
        depth: For `hybrid`, how many hits of each kind of vector are put together.
    """

    collection: Collection
    mode: Mode
    dense: DenseVector | None = None
    sparse: SparseVector | None = None
    limit: int = 10
    filter: Filter | None = None
    depth: int = 50


@attrs.frozen(kw_only=True)
class DeleteRequest(_StoreRequest):
    """
    Documents to take out: by their ids, or else by a filter.

    Attributes:
        collection: Where.
        ids: Theirs; ones that are not there do no harm.
        filter: Which, where there are no ids.
    """

    collection: Collection
    ids: tuple[str, ...] = ()
    filter: Filter | None = None


@attrs.frozen(kw_only=True)
class CountRequest(_StoreRequest):
    """
    How many documents there are.

    Attributes:
        collection: Where.
        filter: Which are counted; None for all.
    """

    collection: Collection
    filter: Filter | None = None


class Retrieves(Protocol):
    """
    What a store is. What it has done it has done when a method returns.

    `NotFoundError` where the collection is gone, other errors of `VendorError` where
    it refused or failed.
    """

    async def collections(self, request: CollectionsRequest, /) -> Sequence[Collection]:
        """Return those that anymodal made, or the one that is asked for; none where it is not."""

    async def create(self, request: CreateRequest, /) -> None:
        """Make a collection; `BadRequestError` where there is one of this name."""

    async def drop(self, request: DropRequest, /) -> bool:
        """Take a collection away with all that is in it; say whether there was one."""

    async def upsert(self, request: UpsertRequest, /) -> None:
        """Keep documents, in the place of those with the same ids."""

    async def query(self, request: QueryRequest, /) -> QueryResult:
        """
        Return the nearest documents, the nearest first.

        The mode is never `hybrid` where the spec does not declare `hybrid`: the core
        then asks twice, and puts both together by reciprocal ranks.
        """

    async def delete(self, request: DeleteRequest, /) -> int | None:
        """Take documents out; return how many there were, or None where it cannot tell."""

    async def count(self, request: CountRequest, /) -> int:
        """Return how many documents there are."""


class RetrievesInThreads(Protocol):
    """The same written without `async`: each method runs in a thread. See `Retrieves`."""

    def collections(self, request: CollectionsRequest, /) -> Sequence[Collection]:
        """Return those that there are."""

    def create(self, request: CreateRequest, /) -> None:
        """Make a collection."""

    def drop(self, request: DropRequest, /) -> bool:
        """Take a collection away."""

    def upsert(self, request: UpsertRequest, /) -> None:
        """Keep documents."""

    def query(self, request: QueryRequest, /) -> QueryResult | Awaitable[QueryResult]:
        """Return the nearest documents."""

    def delete(self, request: DeleteRequest, /) -> int | None:
        """Take documents out."""

    def count(self, request: CountRequest, /) -> int:
        """Return how many documents there are."""


RetrievalProvider: TypeAlias = Retrieves | RetrievesInThreads
