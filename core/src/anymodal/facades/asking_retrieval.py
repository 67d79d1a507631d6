"""What callers ask of stores, as they gave it, and how it is done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..modalities.documents import MODES, Collection, Distance, Document, Mode
from ..modalities.embedding import DenseVector, EmbeddingModelSpec, SparseVector, dense
from ..modalities.filters import Filter
from ..modalities.retrieval import (
    CountRequest,
    CreateRequest,
    DeleteRequest,
    DropRequest,
    QueryRequest,
    QueryResult,
    RetrievalOption,
    Tally,
    UpsertRequest,
)
from ..policies import Policy
from ..specs import supports
from .retrieving import Stored, Vectors

if TYPE_CHECKING:
    from ..resolution import Row
    from ..way import Way

__all__ = ["AskedCollection", "AskedCreate", "AskedDelete", "AskedQuery", "AskedUpsert"]

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,126}")
PROBE: Final = "lighthouse"
"""A text whose vector tells how many numbers the vectors of a model have."""


def _wrong(field: str, message: str) -> e.InvalidRequestError:
    return e.InvalidRequestError(f"{field}: {message}", field=field)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        field = "collection"
        why = f"{name!r} is no name: letters, digits, _, - and . make one, a letter or digit first."
        raise _wrong(field, why)


def _check_filter(given: object) -> None:
    if given is not None and not isinstance(given, Filter):
        field = "filter"
        why = f"Eq, In, Range or these put together are needed, not {type(given).__name__}."
        raise _wrong(field, why)


async def _ended(call: Call, request_id: str | None = None) -> None:
    call.account(None, request_id)
    await call.settle()


@attrs.frozen(kw_only=True)
class AskedCollection:
    """
    What a caller asks of a store.

    The attributes are the arguments of `RetrievalFacade.drop` and `collections`.
    """

    collection: str = ""
    model: ModelChoice = None
    options: Sequence[RetrievalOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def _stored(self, call: Call) -> Stored:
        return Stored(
            call, options=tuple(self.options), end_user=self.end_user, strict=self.strict,
            raw=self.raw,
        )  # fmt: skip

    async def all(self, call: Call) -> tuple[Collection, ...]:
        """Return the collections, by name."""
        found = await self._stored(call).all(self.model)
        await _ended(call)
        ordered = sorted(found, key=lambda one: one.name)
        return tuple(attrs.evolve(one, record=call.record) for one in ordered)

    async def drop(self, call: Call) -> Tally:
        """Take the collection away, if it is there."""
        _check_name(self.collection)
        stored, count = self._stored(call), 0
        if await stored.named(self.collection, self.model) is not None:
            ask = partial(DropRequest, name=self.collection)
            count = int(await stored.do(ask, lambda door, it: door.bound.drop(it)))
        await _ended(call)
        return Tally(count=count, record=call.record)


@attrs.frozen(kw_only=True)
class AskedDelete(AskedCollection):
    """The arguments of `RetrievalFacade.delete` and `count`."""

    ids: str | Sequence[str] = ()
    filter: Filter | None = None

    async def delete(self, call: Call) -> Tally:
        """Take documents out."""
        _check_filter(self.filter)
        ids = (self.ids,) if isinstance(self.ids, str) else tuple(self.ids)
        if bool(ids) == (self.filter is not None) or not all(
            isinstance(one, str) and one for one in ids
        ):
            field = "ids"
            why = "ids that are strings, or else a filter; drop() takes all of a collection."
            raise _wrong(field, why)
        stored = self._stored(call)
        collection = await stored.found(self.collection, self.model)
        ask = partial(DeleteRequest, collection=collection, ids=ids, filter=self.filter)
        count = await stored.do(ask, lambda door, it: door.bound.delete(it))
        await _ended(call)
        return Tally(count=count, record=call.record)

    async def count(self, call: Call) -> Tally:
        """Count documents."""
        _check_filter(self.filter)
        stored = self._stored(call)
        collection = await stored.found(self.collection, self.model)
        ask = partial(CountRequest, collection=collection, filter=self.filter)
        count = await stored.do(ask, lambda door, it: door.bound.count(it))
        await _ended(call)
        return Tally(count=count, record=call.record)


@attrs.frozen(kw_only=True)
class _AskedOfModels(AskedCollection):
    """What may need vectors of texts."""

    way: Way = attrs.field(repr=False)
    policy: Policy | None = None

    def _vectors(self, call: Call) -> Vectors:
        return Vectors(self.way, call, self.policy)


@attrs.frozen(kw_only=True)
class AskedCreate(_AskedOfModels):
    """The arguments of `RetrievalFacade.create`."""

    embedding: str | None = None
    sparse: str | bool | None = None
    dimensions: int | None = None
    distance: Distance | None = None
    idf: bool | None = None
    exists_ok: bool = False

    async def create(self, call: Call) -> Collection:
        """Make the collection, unless it is there as it is wanted."""
        self._check()
        by, thin = self._maker("dense"), self._maker("sparse")
        is_dense = by is not None or self.dimensions is not None
        needs = [*(["dense"] if is_dense else []), *(["sparse"] if self.sparse else [])]
        stored = self._stored(call)
        there = await stored.named(self.collection, self.model, needs)
        if there is not None:
            self._compare(there, by, thin)
            await _ended(call)
            return attrs.evolve(there, record=call.record)
        made = Collection(
            name=self.collection,
            dimensions=await self._dimensions(call, by),
            distance=self.distance or "cosine",
            embedding=by.name if by else None,
            is_shortened=by is not None and self.dimensions is not None,
            has_sparse=bool(self.sparse),
            sparse=thin.name if thin else None,
            idf=self.idf is not False,
        )
        ask = partial(CreateRequest, collection=made)
        await stored.do(ask, lambda door, it: door.bound.create(it))
        await _ended(call)
        return attrs.evolve(made, record=call.record)

    def _check(self) -> None:
        _check_name(self.collection)
        wanted = self.dimensions
        if wanted is not None and (type(wanted) is not int or wanted < 1):
            field, why = "dimensions", f"a whole number from 1 up is needed, not {wanted!r}."
            raise _wrong(field, why)
        if self.distance not in {None, "cosine", "dot"}:
            field, why = "distance", f"{self.distance!r} is neither cosine nor dot."
            raise _wrong(field, why)
        if not (self.embedding or self.sparse or wanted):
            field = "embedding"
            why = "say what makes the vectors: embedding=, sparse=, or dimensions= of your own."
            raise _wrong(field, why)

    def _maker(self, kind: str) -> Row | None:
        """Return who serves the model that is to make vectors of a *kind*."""
        name = self.embedding if kind == "dense" else self.sparse
        if not name or name is True:
            return None
        field = "embedding" if kind == "dense" else "sparse"
        row = next(iter(self.way.candidates(name, "embedding")))
        if isinstance(row, e.AnymodalError):
            raise row
        if supports(row.offer.spec, row.model, kind) is False:
            other = "sparse=" if kind == "dense" else "embedding="
            why = f"{row.name} makes no {kind} vectors; for what it makes there is {other}."
            raise _wrong(field, why)
        return row

    async def _dimensions(self, call: Call, by: Row | None) -> int | None:
        if by is None or self.dimensions is not None:
            return self.dimensions
        if isinstance(by.model, EmbeddingModelSpec) and by.model.dimensions is not None:
            return by.model.dimensions
        found = await self._vectors(call).of([PROBE], by.name, "document")
        if found.dimensions is None:
            field, why = "embedding", f"{by.name} makes no dense vectors."
            raise _wrong(field, why)
        return found.dimensions

    def _compare(self, there: Collection, by: Row | None, thin: Row | None) -> None:
        """Refuse what would mix vectors of different models, or what may not exist."""
        field = "collection"
        if not self.exists_ok:
            why = f"there is a {there.name!r} already; exists_ok=True takes it as it is."
            raise _wrong(field, why)
        for what, is_said, wanted, has in (
            ("embedding", by is not None, by.name if by else None, there.embedding),
            ("sparse", thin is not None, thin.name if thin else None, there.sparse),
            ("sparse vectors", self.sparse is not None, bool(self.sparse), there.has_sparse),
            ("dimensions", self.dimensions is not None, self.dimensions, there.dimensions),
            ("distance", self.distance is not None, self.distance, there.distance),
            ("idf", self.idf is not None, self.idf, there.idf),
        ):
            if is_said and wanted != has:
                why = (
                    f"{there.name!r} was made with {what} {has}, not {wanted}, and vectors of both "
                    "cannot be compared: drop it, or take another name."
                )
                raise _wrong(field, why)


@attrs.frozen(kw_only=True)
class AskedUpsert(_AskedOfModels):
    """The arguments of `RetrievalFacade.upsert`."""

    documents: Sequence[Document]

    async def upsert(self, call: Call) -> Tally:
        """Make the vectors that are lacking, and keep the documents."""
        documents = tuple(self.documents)
        self._check(documents)
        stored, vectors = self._stored(call), self._vectors(call)
        collection = await stored.found(self.collection, self.model)
        whole = await vectors.of_documents(documents, collection)
        for index, document in enumerate(whole):
            _check_length(document.vector, collection, index)
        ask = partial(UpsertRequest, collection=collection, documents=whole)
        await stored.do(ask, stored.upsert)
        await _ended(call)
        return Tally(count=len(whole), embedded=tuple(vectors.records), record=call.record)

    def _check(self, documents: Sequence[Document]) -> None:
        seen: set[str] = set()
        for index, document in enumerate(documents):
            if not isinstance(document, Document):
                field, why = "documents", f"number {index} is a {type(document).__name__}."
                raise _wrong(field, why)
            document.check(index)
            if document.id in seen:
                field, why = "documents", f"the id {document.id!r} comes twice."
                error = _wrong(field, why)
                error.index = index
                raise error
            seen.add(document.id)


def _check_length(vector: DenseVector | None, collection: Collection, index: int | None) -> None:
    wanted = collection.dimensions
    if vector is not None and wanted is not None and len(vector) != wanted:
        field = "vector"
        why = f"{collection.name} has vectors of {wanted} numbers, and this one has {len(vector)}."
        error = _wrong(field, why)
        error.index = index
        raise error


@attrs.frozen(kw_only=True)
class AskedQuery(_AskedOfModels):
    """The arguments of `RetrievalFacade.query`."""

    query: str | DenseVector | Sequence[float] | SparseVector
    sparse: SparseVector | None = None
    mode: Mode | None = None
    limit: int = 10
    filter: Filter | None = None

    async def find(self, call: Call) -> QueryResult:
        """Make the vectors that are needed, and look for what is near them."""
        self._check()
        stored, vectors = self._stored(call), self._vectors(call)
        collection = await stored.found(self.collection, self.model)
        mode = self._mode(collection)
        thick: Any
        thin: Any
        if isinstance(self.query, str):
            thick, thin = await vectors.of_query(self.query, collection, mode)
        else:
            thick, thin = self._given()
        _check_length(thick, collection, None)
        if thin is not None and not len(thin):  # words that are none: nothing is near them
            mode, thin = ("dense", None) if mode == "hybrid" else (mode, thin)
        if mode == "sparse" and not len(thin):
            result = QueryResult(hits=())
        else:
            ask = partial(
                QueryRequest, collection=collection, mode=mode, dense=thick, sparse=thin,
                limit=self.limit, filter=self.filter,
            )  # fmt: skip
            result = await stored.do(ask, stored.query)
        call.record.raw = result.raw
        await _ended(call, result.request_id)
        return attrs.evolve(result, mode=mode, embedded=tuple(vectors.records), record=call.record)

    def _check(self) -> None:
        _check_filter(self.filter)
        if type(self.limit) is not int or self.limit < 1:
            field, why = "limit", f"a whole number from 1 up is needed, not {self.limit!r}."
            raise _wrong(field, why)
        if self.mode is not None and self.mode not in MODES:
            field, why = "mode", f"{self.mode!r} is none of {', '.join(MODES)}."
            raise _wrong(field, why)
        if isinstance(self.query, str) and not self.query.strip():
            field, why = "query", "it is empty; words are needed, or a vector."
            raise _wrong(field, why)
        if self.sparse is not None and isinstance(self.query, str | SparseVector):
            field, why = "sparse", "it stands beside a dense vector, and the query is none."
            raise _wrong(field, why)

    def _mode(self, collection: Collection) -> Mode:
        """Return by which vectors to look."""
        able = collection.modes
        wanted: Mode | None = self.mode
        if not isinstance(self.query, str):
            given: Mode = "sparse" if isinstance(self.query, SparseVector) else "dense"
            given = "hybrid" if self.sparse is not None else given
            if wanted not in {None, given}:
                field, why = "mode", f"{wanted} needs other vectors than the {given} ones given."
                raise _wrong(field, why)
            wanted = given
        if wanted is None:
            return able[-1]
        if wanted not in able:
            field, why = "mode", f"{collection.name} can be queried by {' or '.join(able)} only."
            raise _wrong(field, why)
        return wanted

    def _given(self) -> tuple[DenseVector | None, SparseVector | None]:
        if isinstance(self.query, SparseVector):
            return None, self.query
        assert not isinstance(self.query, str)  # the caller made vectors of words
        return dense(self.query), self.sparse
