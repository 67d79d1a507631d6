"""What the clauses of stores have in common: collections, documents and vectors of their own."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from .. import errors as e
from ..client import Client
from ..facades.retrieving import BoundRetrieval, bind
from ..modalities.documents import Collection, Document
from ..modalities.embedding import DenseVector, SparseVector, dense
from ..modalities.filters import Filter
from ..modalities.retrieval import QueryResult
from ..specs import ModelSpec, supports
from .asking import NOTHING
from .provider import ProviderSuite
from .stage import Stage

__all__ = ["SIZE", "Keeping", "ids", "near"]

SIZE: Final = 12
"""How many numbers the vectors have that the suite brings along."""

ASKED: Final = "asked"
"""The collection of the plainest call."""


class Keeping(ProviderSuite):
    """How a store is filled and asked. The suite makes the vectors, so that no model is needed."""

    modality: ClassVar[str] = "retrieval"
    methods: ClassVar[Sequence[Sequence[str]]] = tuple(
        (name,) for name in ("collections", "create", "drop", "upsert", "query", "delete", "count")
    )
    counts: ClassVar[bool] = False

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> QueryResult:
        """Return what is nearest to the question, of a collection that has it."""
        query = self.vector(hashed(question))
        try:
            return await ai.retrieval.query(
                ASKED, query, limit=1, model=name, timeout=timeout, **more
            )
        except e.NotFoundError as error:
            if error.status is not None:  # what the vendor said, and not that nobody made it yet
                raise
        documents = [self.document(one, hashed(one), text=one) for one in self.questions]
        await self.fill(ai, name, ASKED, documents)
        return await ai.retrieval.query(ASKED, query, limit=1, model=name, timeout=timeout, **more)

    def content(self, result: QueryResult) -> object:
        """Return what was found."""
        return [(one.id, one.text) for one in result]

    def keeps(self, kind: str) -> bool:
        """Whether the store keeps vectors of a *kind*, `dense` or `sparse`."""
        spec = self.found().offer.spec
        return supports(spec, ModelSpec(id="any", listed=False), kind) is not False

    def vector(self, numbers: Sequence[float]) -> DenseVector | SparseVector:
        """Return *numbers* as a vector of the kind that the store keeps."""
        return dense(numbers) if self.keeps("dense") else thin(numbers)

    def document(
        self,
        name: str,
        numbers: Sequence[float],
        *,
        text: str | None = None,
        payload: Mapping[str, object] = NOTHING,
    ) -> Document:
        """Return a document with a vector of the kind that the store keeps."""
        vector = self.vector(numbers)
        if isinstance(vector, SparseVector):
            return Document(id=name, text=text, sparse=vector, payload=payload)
        return Document(id=name, text=text, vector=vector, payload=payload)

    def usual(self) -> dict[str, Any]:
        """Return what is said of a collection with vectors of the kind that the store keeps."""
        return {"dimensions": SIZE} if self.keeps("dense") else {"sparse": True, "idf": False}

    async def fill(
        self,
        ai: Client,
        store: str,
        name: str,
        documents: Sequence[Document] = (),
        **made: Any,
    ) -> Collection:
        """Make a collection anew, with *documents* in it."""
        await ai.retrieval.drop(name, model=store)
        found = await ai.retrieval.create(name, model=store, **(made or self.usual()))
        if documents:
            await ai.retrieval.upsert(name, documents, model=store)
        return found

    async def everything(
        self, ai: Client, store: str, name: str, only: Filter | None = None
    ) -> QueryResult:
        """Return all documents of a small collection, or all that *only* lets through."""
        return await ai.retrieval.query(
            name, self.vector([1.0] * SIZE), limit=100, filter=only, model=store
        )

    async def bound(self, stage: Stage, ai: Client) -> BoundRetrieval:
        """Return the provider's methods themselves, to be awaited."""
        return bind(await stage.provider(ai))


def ids(result: QueryResult) -> list[str]:
    """Return the ids of the hits, in their order."""
    return [one.id for one in result]


def hashed(text: str) -> list[float]:
    """Return numbers that no other text has, none of them 0."""
    return [1.1 + math.sin(zlib.crc32(f"{text} {at}".encode())) for at in range(SIZE)]


def near(place: int) -> list[float]:
    """Return numbers that are nearest to those of place 0, the nearer the smaller *place* is."""
    angle = place * 0.1
    return [math.cos(angle), math.sin(angle), *([0.0] * (SIZE - 2))]


def thin(numbers: Sequence[float]) -> SparseVector:
    """Return *numbers* as a sparse vector."""
    places = [at for at, number in enumerate(numbers) if number]
    return SparseVector(places, [numbers[at] for at in places])
