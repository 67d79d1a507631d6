"""The faults of stores: each is Acme with one thing changed."""

from __future__ import annotations

import contextlib
import zlib

import anyio
import attrs
from acme_store import AcmeStore, Plugin, spec
from anymodal import Capabilities
from anymodal import errors as e
from anymodal.modalities.documents import Collection
from anymodal.modalities.embedding import SparseVector
from anymodal.modalities.filters import And, Or
from anymodal.modalities.retrieval import DropRequest, QueryResult

PLANTED = {}
"""By the fault's id, the plugin that has it."""


def plant(name, connect=AcmeStore, **changes):
    """Plant a fault by a `connect` or by fields of the spec."""
    fields = {"backends": {"asyncio"}, **changes, "id": f"acme-{name}"}
    PLANTED[name] = Plugin(lambda: spec(connect, **fields))
    return connect


def planted(name, **changes):
    """Plant the decorated provider."""
    return lambda cls: plant(name, cls, **changes)


def gives(change):
    """Return a store whose hits are what *change* makes of them."""

    class Gives(AcmeStore):
        async def query(self, request):
            found = await super().query(request)
            return attrs.evolve(found, hits=tuple(change(found.hits)))

    return Gives


def asks(**changes):
    """Return a store that is asked for something else: each field a function of the request."""

    class Asks(AcmeStore):
        async def query(self, request):
            fields = {name: change(request) for name, change in changes.items()}
            return await super().query(attrs.evolve(request, **fields))

    return Asks


def as_server(status, headers, body):
    return e.ServerError if status == 429 else None


plant("rate-is-server", errors=as_server)
plant("no-limit", asks(limit=lambda request: request.limit + 5))
plant("any-filter", asks(filter=lambda _: None))
plant("loses-text", gives(lambda hits: [attrs.evolve(one, text=None) for one in hits]))
plant("worst-first", gives(lambda hits: hits[::-1]))
plant("rising-scores", gives(lambda hits: [attrs.evolve(one, score=-one.score) for one in hits]))


@planted("one-answer")
class OneAnswer(AcmeStore):
    async def query(self, request):
        same = type(request.dense)("f", [1.0] * len(request.dense))
        return await super().query(attrs.evolve(request, dense=same))


@planted("one-distance")
class OneDistance(AcmeStore):
    async def call(self, operation, **body):
        if operation == "create":
            body["collection"] = {**body["collection"], "distance": "cosine"}
        return await super().call(operation, **body)


@planted("shares-state")
class SharesState(AcmeStore):
    async def query(self, request):
        self.request = request
        await anyio.sleep(0.01)
        return await super().query(self.request)


@planted("id-as-number")
class IdAsNumber(AcmeStore):
    async def query(self, request):
        found = await super().query(request)
        hashed = [attrs.evolve(one, id=str(zlib.crc32(one.id.encode()))) for one in found]
        return attrs.evolve(found, hits=tuple(hashed))


@planted("keeps-both")
class KeepsBoth(AcmeStore):
    async def upsert(self, request):
        try:
            self.times += 1
        except AttributeError:
            self.times = 0
        apart = [attrs.evolve(one, id=one.id + "'" * self.times) for one in request.documents]
        await super().upsert(attrs.evolve(request, documents=tuple(apart)))


@planted("merges")
class Merges(AcmeStore):
    async def upsert(self, request):
        self.seen = getattr(self, "seen", {})
        merged = []
        for one in request.documents:
            payload = {**self.seen.get(one.id, {}), **one.payload}
            self.seen[one.id] = payload
            merged.append(attrs.evolve(one, payload=payload))
        await super().upsert(attrs.evolve(request, documents=tuple(merged)))


@planted("keeps-deleted")
class KeepsDeleted(AcmeStore):
    async def delete(self, request):
        return len(request.ids) if request.ids else await super().delete(request)


@planted("or-is-and")
class OrIsAnd(AcmeStore):
    def filter(self, given):
        return super().filter(And(*given.parts) if isinstance(given, Or) else given)


@planted("first-of-each")
class FirstOfEach(AcmeStore):
    def packed(self, document):
        found = super().packed(document)
        firsts = {
            name: value[0] if isinstance(value, list) and value else value
            for name, value in found["payload"].items()
        }
        return {**found, "payload": firsts}


@planted("miscounts")
class Miscounts(AcmeStore):
    async def count(self, request):
        everything = await super().count(attrs.evolve(request, filter=None))
        return everything - await super().count(request) if request.filter else everything


@planted("counts-all")
class CountsAll(AcmeStore):
    async def count(self, request):
        return await super().count(attrs.evolve(request, filter=None))


@planted("keeps-a-hundred")
class KeepsAHundred(AcmeStore):
    async def upsert(self, request):
        await super().upsert(attrs.evolve(request, documents=request.documents[:100]))


@planted("makes-anew")
class MakesAnew(AcmeStore):
    async def create(self, request):
        await super().drop(DropRequest(model=request.model, name=request.collection.name))
        await super().create(request)


@planted("shrugs")
class Shrugs(AcmeStore):
    async def delete(self, request):
        with contextlib.suppress(e.VendorError):
            return await super().delete(request)
        return 0


@planted("no-words")
class NoWords(AcmeStore):
    async def query(self, request):
        if request.sparse is not None:
            light = SparseVector(request.sparse.indices, [0.0] * len(request.sparse))
            request = attrs.evolve(request, sparse=light)
        return await super().query(request)


class Alone(AcmeStore):
    """Says that it puts both kinds together, and leaves one out."""

    left_out = ""

    async def query(self, request):
        if request.mode == "hybrid":
            request = attrs.evolve(request, **{self.left_out: None})
        return await super().query(request)


BOTH = Capabilities(yes={"dense", "sparse", "hybrid"})


@planted("dense-alone", capabilities=BOTH)
class DenseAlone(Alone):
    left_out = "sparse"


@planted("sparse-alone", capabilities=BOTH)
class SparseAlone(Alone):
    left_out = "dense"


@planted("overlooks-mode")
class OverlooksMode(AcmeStore):
    async def query(self, request):
        mode = "sparse" if request.dense is None else "dense"
        return await super().query(attrs.evolve(request, mode=mode))


@planted("lost-is-empty")
class LostIsEmpty(AcmeStore):
    async def query(self, request):
        try:
            return await super().query(request)
        except e.NotFoundError:
            return QueryResult(hits=())


@planted("forgets-models")
class ForgetsModels(AcmeStore):
    async def collections(self, request):
        found = await super().collections(request)
        return [Collection(name=one.name, dimensions=one.dimensions) for one in found]


@planted("drops-none")
class DropsNone(AcmeStore):
    async def drop(self, request):
        del request
        return True


@planted("empties")
class Empties(AcmeStore):
    async def drop(self, request):
        self.gone = {*getattr(self, "gone", ()), request.name}
        return True

    async def collections(self, request):
        found = await super().collections(request)
        return [one for one in found if one.name not in getattr(self, "gone", ())]

    async def create(self, request):
        name = request.collection.name
        if name in getattr(self, "gone", ()):
            self.gone.discard(name)
            with contextlib.suppress(e.VendorError):
                await super().create(request)
            return
        await super().create(request)
