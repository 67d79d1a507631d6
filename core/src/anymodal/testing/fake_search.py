"""Vectors made of words, and a store in memory: both work, without any reply."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..errors import BadRequestError, NotFoundError
from ..modalities.documents import Collection, Document
from ..modalities.embedding import EmbeddingRequest, EmbeddingResult, SparseVector, dense
from ..modalities.requests import Request
from ..modalities.retrieval import (
    CollectionsRequest,
    CountRequest,
    CreateRequest,
    DeleteRequest,
    DropRequest,
    Hit,
    QueryRequest,
    QueryResult,
    UpsertRequest,
)
from ..usage import Usage
from .replies import Replies

__all__ = ["FakeEmbedding", "FakeRetrieval"]

DIMENSIONS: Final = 64
_WORD: Final = re.compile(r"\w+")


class FakeEmbedding:
    """
    Vectors, near where texts have words in common, dense and sparse.

    Replies, where some were given, take their place: lists of numbers, one for each
    text, or results.
    """

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult:
        """Make vectors."""
        self._replies.note(request)
        usage = Usage(input_tokens=sum(len(one.split()) for one in request.texts), output_tokens=0)
        if self._replies.given is not None:
            reply = await self._replies.next(request)
            if isinstance(reply, list | tuple):
                return EmbeddingResult(dense=tuple(dense(one) for one in reply), usage=usage)
            if not isinstance(reply, EmbeddingResult):
                raise self._replies.unknown(reply, "lists of numbers, or an EmbeddingResult")
            return reply
        counts = [_counts(text) for text in request.texts]
        return EmbeddingResult(
            dense=tuple(dense(_dense(one, request.dimensions or DIMENSIONS)) for one in counts),
            sparse=tuple(
                SparseVector(sorted(one), [float(one[at]) for at in sorted(one)]) for one in counts
            ),
            normalised=True,
            usage=usage,
        )


def _counts(text: str) -> Counter[int]:
    words = _WORD.findall(text.casefold()) or [text]
    return Counter(zlib.crc32(word.encode()) for word in words)


def _dense(counts: Counter[int], size: int) -> list[float]:
    found = [0.0] * size
    for at, count in counts.items():
        found[at % size] += count
    length = math.hypot(*found)
    return [one / length for one in found]


class FakeRetrieval:
    """
    A store that keeps documents in memory and compares them all.

    Replies, where some were given, are what queries find: hits, or results.
    """

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._made: dict[str, Collection] = {}
        self._kept: dict[str, dict[str, Document]] = {}

    async def collections(self, request: CollectionsRequest, /) -> Sequence[Collection]:
        """Return those that were made."""
        self._replies.note(request)
        return [one for one in self._made.values() if request.name in {None, one.name}]

    async def create(self, request: CreateRequest, /) -> None:
        """Make a collection."""
        self._replies.note(request)
        name = request.collection.name
        if name in self._made:
            msg = f"there is a collection {name!r}"
            raise BadRequestError(msg)
        self._made[name], self._kept[name] = request.collection, {}

    async def drop(self, request: DropRequest, /) -> bool:
        """Take a collection away."""
        self._replies.note(request)
        self._kept.pop(request.name, None)
        return self._made.pop(request.name, None) is not None

    async def upsert(self, request: UpsertRequest, /) -> None:
        """Keep documents."""
        self._of(request, request.collection).update({one.id: one for one in request.documents})

    async def query(self, request: QueryRequest, /) -> QueryResult:
        """Return the nearest documents, or the next reply."""
        kept = self._of(request, request.collection)
        if self._replies.given is not None:
            reply = await self._replies.next(request)
            if isinstance(reply, list | tuple) and all(isinstance(one, Hit) for one in reply):
                return QueryResult(hits=tuple(reply), mode=request.mode)
            if not isinstance(reply, QueryResult):
                raise self._replies.unknown(reply, "Hits, or a QueryResult")
            return reply
        hits = [
            Hit(id=one.id, score=_score(one, request), text=one.text, payload=one.payload)
            for one in kept.values()
            if request.filter is None or request.filter.matches(one.payload)
        ]
        hits.sort(key=lambda one: (-one.score, one.id))
        return QueryResult(hits=tuple(hits[: request.limit]), mode=request.mode)

    async def delete(self, request: DeleteRequest, /) -> int:
        """Take documents out."""
        kept = self._of(request, request.collection)
        gone = [
            one.id
            for one in kept.values()
            if one.id in request.ids
            or (request.filter is not None and request.filter.matches(one.payload))
        ]
        for name in gone:
            del kept[name]
        return len(gone)

    async def count(self, request: CountRequest, /) -> int:
        """Return how many documents there are."""
        kept = self._of(request, request.collection).values()
        chosen = request.filter
        return sum(chosen is None or chosen.matches(one.payload) for one in kept)

    def _of(self, request: Request, collection: Collection) -> dict[str, Document]:
        self._replies.note(request)
        if collection.name not in self._kept:
            msg = f"there is no collection {collection.name!r}"
            raise NotFoundError(msg)
        return self._kept[collection.name]


def _score(document: Document, request: QueryRequest) -> float:
    if request.mode == "sparse":
        theirs = dict(document.sparse or ())
        return sum(value * theirs.get(at, 0.0) for at, value in request.sparse or ())
    ours, theirs_too = list(request.dense or ()), list(document.vector or ())
    found = math.fsum(one * other for one, other in zip(ours, theirs_too, strict=True))
    if request.collection.distance == "dot":
        return found
    return found / ((math.hypot(*ours) * math.hypot(*theirs_too)) or 1.0)
