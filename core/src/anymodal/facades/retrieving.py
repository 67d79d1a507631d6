"""
How a call to a store goes.

    find     the store says what the collection is; a store that fails may fail over here
    embed    texts become vectors, by the models that the collection remembers
    do       the same store is asked to do it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..modalities.documents import Collection, Document, Mode
from ..modalities.embedding import EmbeddingResult, Purpose
from ..modalities.fusion import depth_for, fused
from ..modalities.retrieval import (
    CollectionsRequest,
    CountRequest,
    CreateRequest,
    DeleteRequest,
    DropRequest,
    QueryRequest,
    QueryResult,
    RetrievalProvider,
    UpsertRequest,
)
from ..specs import supports
from ..usage import Record
from .awaiting import awaited

if TYPE_CHECKING:
    from ..doors import Door
    from ..modalities.requests import Request
    from ..resolution import Row
    from ..way import Way

__all__ = ["BoundRetrieval", "Stored", "Vectors", "bind"]

T = TypeVar("T")
RequestT = TypeVar("RequestT", bound="Request")


@attrs.frozen
class BoundRetrieval:
    """A store, its methods to be awaited; see `Retrieves`."""

    collections: Callable[[CollectionsRequest], Awaitable[Sequence[Collection]]]
    create: Callable[[CreateRequest], Awaitable[None]]
    drop: Callable[[DropRequest], Awaitable[bool]]
    upsert: Callable[[UpsertRequest], Awaitable[None]]
    query: Callable[[QueryRequest], Awaitable[QueryResult]]
    delete: Callable[[DeleteRequest], Awaitable[int | None]]
    count: Callable[[CountRequest], Awaitable[int]]


def bind(provider: RetrievalProvider) -> BoundRetrieval:
    """
    Return *provider* with its methods to be awaited.

    Raises:
        BrokenPluginError: It lacks one.
    """
    found: list[Callable[..., Awaitable[Any]]] = []
    for field in attrs.fields(BoundRetrieval):
        method = getattr(provider, field.name, None)
        if method is None:
            msg = f"{type(provider).__name__} has no {field.name}()."
            raise e.BrokenPluginError(msg)
        found.append(awaited(method))
    return BoundRetrieval(*found)


class Vectors:
    """
    The vectors of texts, by the models that a collection remembers.

    Args:
        way: What the client's calls share.
        call: On whose behalf, and within whose time.
        policy: The caller's, and so for these calls as well.

    Attributes:
        records: Of the calls that were made.
    """

    def __init__(self, way: Way, call: Call, policy: Any) -> None:
        from .embedding import EmbeddingFacade  # noqa: PLC0415  # collections of vectors need none

        self._facade = EmbeddingFacade(way)
        self._call = call
        self._policy = policy
        self.records: list[Record] = []

    async def of(
        self, texts: Sequence[str], name: str, purpose: Purpose, dimensions: int | None = None
    ) -> EmbeddingResult:
        """
        Return vectors of *texts* by the model *name*, and by no other.

        Raises:
            ConfigurationError: Another model serves under this name now.
        """
        call = self._call
        asking = self._facade.embed(
            texts,
            model=[name],  # in a list, since a name alone falls back on other models
            purpose=purpose,
            dimensions=dimensions,
            policy=self._policy,
            tags=call.record.tags,
        )
        found = await call.within(asking, None)
        self.records.append(found.record)
        call.record.warnings.extend(found.record.warnings)
        served = f"{found.record.instance}/{found.record.model}"
        if served != name:
            msg = f"The collection's vectors are by {name}, which now means {served}: they cannot be compared."
            raise e.ConfigurationError(msg)
        return found

    async def of_query(
        self, text: str, collection: Collection, mode: Mode
    ) -> tuple[Any | None, Any | None]:
        """Return the dense and the sparse vector of a query, as far as *mode* needs them."""
        dense = sparse = None
        if mode != "sparse":
            name = _maker(collection.embedding, collection, "dense")
            asked = collection.dimensions if collection.is_shortened else None
            dense = (await self.of([text], name, "query", asked)).dense[0]
        if mode != "dense":
            name = _maker(collection.sparse, collection, "sparse")
            sparse = _sparse_of(await self.of([text], name, "query"), name)[0]
        return dense, sparse

    async def of_documents(
        self, documents: Sequence[Document], collection: Collection
    ) -> tuple[Document, ...]:
        """Return *documents* with the vectors that they lack, each model asked once."""
        found = list(documents)
        if collection.dimensions is not None:
            lacking = [at for at, one in enumerate(found) if one.vector is None]
            asked = collection.dimensions if collection.is_shortened else None
            made = await self._of_some(found, lacking, collection, "dense", asked)
            for at, vector in zip(lacking, made.dense if made else (), strict=True):
                found[at] = attrs.evolve(found[at], vector=vector)
        if collection.has_sparse:
            lacking = [at for at, one in enumerate(found) if one.sparse is None]
            made = await self._of_some(found, lacking, collection, "sparse", None)
            sparse = _sparse_of(made, collection.sparse) if made else ()
            for at, thin in zip(lacking, sparse, strict=True):
                found[at] = attrs.evolve(found[at], sparse=thin)
        return tuple(found)

    async def _of_some(
        self,
        documents: Sequence[Document],
        places: Sequence[int],
        collection: Collection,
        kind: str,
        dimensions: int | None,
    ) -> EmbeddingResult | None:
        if not places:
            return None
        made_by = collection.embedding if kind == "dense" else collection.sparse
        name = _maker(made_by, collection, kind, places[0])
        texts = [documents[at].text or "" for at in places]
        try:
            return await self.of(texts, name, "document", dimensions)
        except e.AnymodalError as error:
            if error.index is not None:
                error.index = places[error.index]
            raise


def _sparse_of(found: EmbeddingResult, name: str | None) -> tuple[Any, ...]:
    if not found.sparse:
        msg = f"{name} makes no sparse vectors."
        raise e.InvalidRequestError(msg, field="sparse")
    return found.sparse


def _maker(name: str | None, collection: Collection, kind: str, index: int | None = None) -> str:
    if name is None:
        msg = f"{collection.name} was made without a model for {kind} vectors: bring them along."
        error = e.InvalidRequestError(msg, field="vector" if kind == "dense" else "sparse")
        error.index = index
        raise error
    return name


class Stored:
    """
    One call to a store.

    Args:
        call: It.
        options: What the caller asks of the vendor, and what else all requests have.
    """

    def __init__(self, call: Call, **common: Any) -> None:
        self._call = call
        self._common = common

    async def named(
        self, name: str, model: ModelChoice, needs: Sequence[str] = ()
    ) -> Collection | None:
        """
        Return the collection called *name*, or None; a store that fails may fail over.

        Args:
            name: The collection's.
            model: Which stores may be asked.
            needs: What a store has to keep; one that does not is not asked.
        """
        found = await self.all(model, name, needs)
        return next((one for one in found if one.name == name), None)

    async def found(self, name: str, model: ModelChoice) -> Collection:
        """
        Return the collection called *name*.

        Raises:
            NotFoundError: There is none.
        """
        collection = await self.named(name, model)
        if collection is None:
            record = self._call.record
            msg = f"{record.instance} has no collection {name!r}: create() makes one."
            error = e.NotFoundError(msg, provider=record.provider)
            error.record = record
            raise error
        return collection

    async def all(
        self, model: ModelChoice, name: str | None = None, needs: Sequence[str] = ()
    ) -> Sequence[Collection]:
        """Return the collections of the store that answers."""
        ask = partial(CollectionsRequest, name=name)
        return await self._run(model, ask, lambda door, it: door.bound.collections(it), needs)

    async def do(
        self,
        ask: Callable[..., RequestT],
        attempt: Callable[[Door, RequestT], Awaitable[T]],
        needs: Sequence[str] = (),
    ) -> T:
        """Ask the store that was found to do something."""
        # in a list, since a name alone falls back on other stores
        return await self._run([self._call.record.instance], ask, attempt, needs)

    async def _run(
        self,
        model: ModelChoice,
        ask: Callable[..., RequestT],
        attempt: Callable[[Door, RequestT], Awaitable[T]],
        needs: Sequence[str],
    ) -> T:
        call = self._call

        def request(row: Row) -> RequestT:
            return ask(
                model=row.model,
                deadlines=call.deadlines,
                warnings=call.record.warnings,
                **self._common,
            )

        return await call.run(model, request, attempt, bind=bind, needs_of=lambda _: needs)

    async def upsert(self, door: Door, request: UpsertRequest) -> None:
        """Send the documents in as many requests as the store needs; again does no harm."""
        most = door.offer.spec.max_documents  # type: ignore[attr-defined]  # its spec is a store's
        for at in range(0, len(request.documents), most):
            if at:
                await self._call.again()
            some = request.documents[at : at + most]
            await door.bound.upsert(attrs.evolve(request, documents=some))

    async def query(self, door: Door, request: QueryRequest) -> QueryResult:
        """Ask for the nearest, twice where the store does not put both kinds together."""
        native = supports(door.offer.spec, request.model, "hybrid") is True
        if request.mode != "hybrid" or native:
            asked = attrs.evolve(request, depth=depth_for(request.limit))
            found: QueryResult = await door.bound.query(asked)
            return found
        rankings: list[QueryResult] = []
        modes: tuple[Mode, ...] = ("dense", "sparse")
        for mode in modes:
            if rankings:
                await self._call.again()
            one = attrs.evolve(request, mode=mode, limit=depth_for(request.limit))
            rankings.append(await door.bound.query(one))
        raws = tuple(one.raw for one in rankings) if request.raw else None
        return QueryResult(
            hits=fused([one.hits for one in rankings], request.limit),
            request_id=rankings[-1].request_id,
            raw=raws,
        )
