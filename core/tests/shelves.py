"""Stores and models made up: one counts letters, one counts words, and a shelf keeps both."""

import math

import attrs
from anymodal import Client, Registry, Settings, hookimpl
from anymodal import errors as e
from anymodal.modalities.embedding import (
    EmbeddingModelSpec,
    EmbeddingProviderSpec,
    EmbeddingResult,
    SparseVector,
    dense,
)
from anymodal.modalities.retrieval import Hit, QueryResult, RetrievalProviderSpec
from anymodal.specs import Capabilities
from anymodal.usage import Usage

from .once import ONCE

WORDS = ("sea", "lamp", "tax", "rose")


class Counts:
    """Makes vectors of the words that it knows, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def embed(self, request):
        self.asked.append(request)
        counts = [[float(text.count(word)) for word in WORDS] for text in request.texts]
        usage = Usage(input_tokens=len(request.texts), output_tokens=0)
        if request.model.id == "thin":
            thin = (
                SparseVector(*zip(*[(at, n) for at, n in enumerate(one) if n], strict=True))
                if any(one)
                else SparseVector([], [])
                for one in counts
            )
            return EmbeddingResult(sparse=tuple(thin), usage=usage)
        size = request.dimensions or len(WORDS)
        return EmbeddingResult(dense=tuple(dense(one[:size]) for one in counts), usage=usage)


class Shelf:
    """Keeps documents, and compares them all; remembers what it was asked."""

    def __init__(self):
        self.made = {}
        self.kept = {}
        self.asked = []
        self.fault = None

    def _note(self, request):
        self.asked.append(request)
        if self.fault is not None:
            raise self.fault

    async def collections(self, request):
        self._note(request)
        return [one for one in self.made.values() if request.name in {None, one.name}]

    async def create(self, request):
        self._note(request)
        self.made[request.collection.name] = request.collection
        self.kept[request.collection.name] = {}

    async def drop(self, request):
        self._note(request)
        return self.made.pop(request.name, None) is not None

    async def upsert(self, request):
        self._note(request)
        self.kept[request.collection.name] |= {one.id: one for one in request.documents}

    def _let_through(self, request):
        kept = self.kept[request.collection.name].values()
        return [
            one for one in kept if request.filter is None or request.filter.matches(one.payload)
        ]

    async def query(self, request):
        self._note(request)
        hits = [self._hit(one, request) for one in self._let_through(request)]
        hits = sorted((one for one in hits if one.score > 0), key=lambda one: (-one.score, one.id))
        raw = f"raw {request.mode}" if request.raw else None
        return QueryResult(
            hits=tuple(hits[: request.limit]), request_id=f"r-{request.mode}", raw=raw
        )

    def _hit(self, one, request):
        score = 0.0
        if request.dense is not None and request.mode != "sparse":
            score += sum(map(math.prod, zip(one.vector, request.dense, strict=True)))
        if request.sparse is not None and request.mode != "dense":
            theirs = dict(one.sparse)
            score += sum(value * theirs.get(at, 0) for at, value in request.sparse)
        return Hit(id=one.id, score=score, text=one.text, payload=one.payload)

    async def delete(self, request):
        self._note(request)
        kept = self.kept[request.collection.name]
        gone = [
            one.id
            for one in kept.values()
            if one.id in request.ids or (request.filter and request.filter.matches(one.payload))
        ]
        for one in gone:
            del kept[one]
        return len(gone)

    async def count(self, request):
        self._note(request)
        return len(self._let_through(request))

    def of(self, cls):
        """Return the requests of a class."""
        return [one for one in self.asked if isinstance(one, cls)]


MODELS = [
    EmbeddingModelSpec(id="wide", capabilities=Capabilities({"dense"}, {"sparse"})),
    EmbeddingModelSpec(
        id="known", dimensions=4, most_dimensions=4,
        capabilities=Capabilities({"dense", "dimensions"}, {"sparse"}),
    ),
    EmbeddingModelSpec(id="thin", capabilities=Capabilities({"sparse"}, {"dense"})),
    EmbeddingModelSpec(id="odd"),
]  # fmt: skip


def client(shelf, counts=None, told=None, *, more=(), policy=ONCE, capabilities=None, **spec):
    """Return a client with one store, or *more*, and models."""

    class Brings:
        @hookimpl
        def anymodal_retrieval_providers(self):
            able = capabilities or Capabilities({"dense", "sparse"})
            for name, one in (("shelf", shelf), *more):
                yield RetrievalProviderSpec(
                    id=name, display_name=name, kind="local", connect=lambda _, one=one: one,
                    capabilities=able, **spec,
                )  # fmt: skip

        @hookimpl
        def anymodal_embedding_providers(self):
            yield EmbeddingProviderSpec(
                id="acme", display_name="Acme", kind="local", models=MODELS,
                connect=lambda _: counts or Counts(),
            )  # fmt: skip

    found = Registry(Settings.from_mapping(told or {}), plugins=[Brings()], distributions=())
    return Client(registry=found, policy=policy)


@attrs.frozen
class Down:
    """A store that is down."""

    def _fail(self, request):
        msg = "down"
        raise e.OverloadedError(msg)

    collections = create = drop = upsert = query = delete = count = _fail
