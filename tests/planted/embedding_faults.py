"""The faults of vectors: each is Acme with one thing changed."""

from __future__ import annotations

import itertools
import random
from array import array

import anyio
import attrs
from acme_vectors import AcmeVectors, Plugin, model, refined, spec
from anymodal import Capabilities
from anymodal import errors as e
from anymodal.modalities.embedding import SparseVector

PLANTED = {}
"""By the fault's id, the plugin that has it."""


def plant(name, connect=AcmeVectors, **changes):
    """Plant a fault by a `connect` or by fields of the spec."""
    fields = {"backends": {"asyncio"}, **changes, "id": f"acme-{name}"}
    PLANTED[name] = Plugin(lambda: spec(connect, **fields))
    return connect


def planted(name, **changes):
    """Plant the decorated provider."""
    return lambda cls: plant(name, cls, **changes)


def unsaid(**fields):
    """Return a provider that leaves out fields of requests."""

    class Unsaid(AcmeVectors):
        def sent(self, request):
            return attrs.evolve(request, **fields)

    return Unsaid


def made(change):
    """Return a provider whose dense vectors are what *change* makes of them and their texts."""

    class Made(AcmeVectors):
        def answered(self, result, request):
            rows = zip(result.dense, request.texts, strict=True)
            return attrs.evolve(result, dense=tuple(array("f", change(*row)) for row in rows))

    return Made


def noise(seed):
    """Return a vector of length 1 that means nothing."""
    drawn = random.Random(seed)
    numbers = [drawn.gauss(0, 1) for _ in range(96)]
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


calls = itertools.count()

plant("one-vector", made(lambda _, __: noise("always the same")))
plant("random", made(lambda _, __: noise(next(calls))))
plant("not-normal", made(lambda vector, _: [2 * number for number in vector]))
plant("any-length", unsaid(dimensions=None))
plant("drops-end-user", unsaid(end_user=None))
plant("lenient", unsaid(strict=False))
plant("other-length", models=[model(dimensions=128, most_dimensions=128)])
plant("too-many", max_inputs=200)


def far(_, text):
    """Put what is about lighthouses where the keeper's lamp is not."""
    return noise("taxes" if text.startswith(("The keeper", "Quarterly")) else "keepers")


plant("meaningless", made(far))


def as_server(status, headers, body):
    return e.ServerError if status == 429 else refined(status, headers, body)


plant("rate-is-server", errors=as_server)


class Sly(Capabilities):
    def over(self, other):
        return Capabilities(self.yes, self.no)

    def get(self, name):
        return None


plant("yes-and-no", models=[model(capabilities=Sly(yes={"dense"}, no={"dimensions"}))])


@planted("shares-state")
class SharesState(AcmeVectors):
    async def embed(self, request):
        self.request = request
        await anyio.sleep(0.01)
        return await super().embed(self.request)


@planted("one-short")
class OneShort(AcmeVectors):
    def answered(self, result, request):
        return attrs.evolve(result, dense=result.dense[1:] or result.dense, sparse=())


@planted("by-index")
class ByIndex(AcmeVectors):
    def answered(self, result, request):
        return attrs.evolve(result, dense=result.dense[::-1])  # as the vendor sends them


@planted("unsorted")
class Unsorted(AcmeVectors):
    def answered(self, result, request):
        turned = [SparseVector(one.indices[::-1], one.values[::-1]) for one in result.sparse]
        return attrs.evolve(result, dense=(), sparse=tuple(turned))


@planted("ascii-only")
class AsciiOnly(AcmeVectors):
    def sent(self, request):
        kept = tuple(text.encode("ascii", "ignore").decode() for text in request.texts)
        return attrs.evolve(request, texts=kept)
