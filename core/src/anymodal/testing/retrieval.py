"""The contract of stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from .. import errors as e
from ..client import Client
from ..modalities.documents import Collection
from ..modalities.filters import Eq
from ..modalities.retrieval import CountRequest, CreateRequest, QueryRequest, UpsertRequest
from .asking import NOTHING, Way
from .clauses import clause
from .emulators import faults
from .retrieval_found import Finding
from .retrieval_kept import SIZE, ids, near
from .stage import Stage
from .text import FOREIGN

__all__ = ["RetrievalSuite"]

PAYLOAD: Final[Mapping[str, object]] = {
    "year": 1875,
    "depth": 0.25,
    "is_lit": True,
    "keeper": None,
    "tongues": ["en", "灯"],
    "deep": {"er": [{"still": "Zoë"}, 2]},
}
ODD: Final = "letters/1875 · Zoë's #7 灯"
"""An id that no path, no UUID and no column takes as it is."""


class RetrievalSuite(Finding):
    """
    The contract of a store.

    Every collection is made by the suite, which brings the vectors along. A store that
    may be a server as well as something that runs here has two classes: in one `for_real`
    is set, with the settings that it takes.
    """

    def refusable(self) -> Mapping[str, Way]:
        """Return what takes a store that keeps vectors of a kind."""

        async def made(ai: Client, name: str, _: str, **how: Any) -> Collection:
            return await ai.retrieval.create("refused", model=name, **how)

        return {"dense": partial(made, dimensions=SIZE), "sparse": partial(made, sparse=True)}

    # -- documents ----------------------------------------------------------------------------

    @clause("retrieval.gives-back-what-it-got", "works")
    async def test_documents_come_back(self, stage: Stage, ai: Client) -> None:
        """A document comes back with id, text and payload as they were, in every language."""
        kept = {ODD: (FOREIGN, PAYLOAD), "plain": (None, NOTHING), "7": ("Seven.", {"n": 7})}
        documents = [
            self.document(name, near(at), text=text, payload=payload)
            for at, (name, (text, payload)) in enumerate(kept.items())
        ]
        await self.fill(ai, stage.name, "kept", documents)
        found = await self.everything(ai, stage.name, "kept")
        gave = {one.id: (one.text, dict(one.payload)) for one in found}
        wanted = {name: (text, dict(payload)) for name, (text, payload) in kept.items()}
        assert gave == wanted, f"{stage.id} was given {wanted} and gives back {gave}."

    @clause("retrieval.upsert-replaces", "works")
    async def test_a_document_replaces_another(self, stage: Stage, ai: Client) -> None:
        """A document of the same id replaces the other, all of it: texts are indexed anew."""
        old = self.document("one", near(0), text="Old.", payload={"old": 1, "both": 1})
        new = self.document("one", near(9), text="New.", payload={"both": 2})
        await self.fill(ai, stage.name, "replaced", [old, self.document("two", near(4))])
        await ai.retrieval.upsert("replaced", [new], model=stage.name)
        found = await ai.retrieval.query("replaced", self.vector(near(0)), model=stage.name)
        assert ids(found) == ["two", "one"], (
            f"{stage.id} was given another document for `one`, and finds {ids(found)} near the old."
        )
        last = found.hits[-1]
        assert (last.text, dict(last.payload)) == ("New.", {"both": 2}), (
            f"{stage.id} was given another document for `one`, and gives {last} back."
        )

    @clause("retrieval.deletes", "works")
    async def test_what_was_deleted_is_gone(self, stage: Stage, ai: Client) -> None:
        """What was deleted, by id or by filter, is not found: people have a right to it."""
        documents = [
            self.document(str(at), near(at), payload={"is_old": at % 2 == 0}) for at in range(5)
        ]
        await self.fill(ai, stage.name, "deleted", documents)
        await ai.retrieval.delete("deleted", ["1", "nobody"], model=stage.name)
        found = sorted(ids(await self.everything(ai, stage.name, "deleted")))
        assert found == ["0", "2", "3", "4"], f"{stage.id} deleted `1` and has {found}."
        is_old = Eq("is_old", True)  # noqa: FBT003  # the value that is looked for
        await ai.retrieval.delete("deleted", filter=is_old, model=stage.name)
        found = ids(await self.everything(ai, stage.name, "deleted"))
        assert found == ["3"], f"{stage.id} deleted all that is old and has {found}, not 3."

    @clause("retrieval.counts", "works")
    async def test_documents_are_counted(self, stage: Stage, ai: Client) -> None:
        """The count is that of what the filter lets through, or of all."""
        documents = [self.document(str(at), near(at), payload={"n": at % 3}) for at in range(8)]
        await self.fill(ai, stage.name, "counted", documents)
        for only, wanted in ((None, 8), (Eq("n", 0), 3), (Eq("n", 9), 0)):
            tally = await ai.retrieval.count("counted", filter=only, model=stage.name)
            assert tally.count == wanted, (
                f"{stage.id} counted {tally.count} of 8 where {only} lets {wanted} through."
            )

    @clause("retrieval.keeps-any-number", "honest")
    async def test_many_documents_are_kept(self, stage: Stage, ai: Client) -> None:
        """Any number of documents is kept, in requests of a size that the store takes."""
        most: int = getattr(stage.spec, "max_documents")  # noqa: B009  # every spec of a store has it
        many = [self.document(str(at), near(at % 30)) for at in range(most + 7)]
        await self.fill(ai, stage.name, "many", many)
        count = (await ai.retrieval.count("many", model=stage.name)).count
        assert count == len(many), (
            f"{stage.id} was given {len(many)} documents and has {count}. Keep every one, or say "
            "by max_documents how many fit into a request."
        )

    # -- collections --------------------------------------------------------------------------

    @clause("retrieval.misses-a-collection", "honest")
    async def test_a_missing_collection_is_told(self, stage: Stage, ai: Client) -> None:
        """A collection that is not there is a NotFoundError: nothing found is something else."""
        gone = await self.fill(ai, stage.name, "gone", [self.document("one", near(0))])
        await ai.retrieval.drop("gone", model=stage.name)
        bound = await self.bound(stage, ai)
        common: Any = {"model": stage.model_spec, "collection": gone}
        document = self.document("two", near(0))
        vectors: Any = {"dense": document.vector, "sparse": document.sparse}
        mode: Any = "dense" if document.vector is not None else "sparse"
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "query()": lambda: self.everything(ai, stage.name, "gone"),
            "the provider's query": lambda: bound.query(
                QueryRequest(mode=mode, **vectors, **common)
            ),
            "its upsert": lambda: bound.upsert(UpsertRequest(documents=(document,), **common)),
            "its count": lambda: bound.count(CountRequest(**common)),
        }
        wrong = []
        for name, way in ways.items():
            error = await raised(way)
            if not isinstance(error, e.NotFoundError):
                wrong.append(f"{name} ended with {error!r}")
        assert not wrong, (
            f"{stage.id} has no such collection, and {'; '.join(wrong)}. Somebody else may drop "
            "one at any time: raise NotFoundError."
        )

    @clause("retrieval.makes-none-twice", "honest")
    async def test_a_collection_is_made_once(self, stage: Stage, ai: Client) -> None:
        """A collection that is there is not made again: what two make at once is not lost."""
        made = await self.fill(ai, stage.name, "once", [self.document("one", near(0))])
        bound = await self.bound(stage, ai)
        request = CreateRequest(model=stage.model_spec, collection=made)
        error = await raised(lambda: bound.create(request))
        count = (await ai.retrieval.count("once", model=stage.name)).count
        assert count == 1, f"{stage.id} made a collection anew and lost what was in it."
        assert isinstance(error, e.VendorError), (
            f"{stage.id} was to make a collection that is there, and ended with {error!r}. Raise "
            "BadRequestError."
        )

    @clause("retrieval.remembers-its-collections", "works")
    async def test_collections_are_remembered(self, stage: Stage) -> None:
        """Another client finds a collection with all that was said of it, and its documents."""
        made = {**self.usual(), **({"distance": "dot"} if self.keeps("dense") else {})}
        async with stage.client() as ai:
            document = self.document("one", near(0))
            said = await self.fill(ai, stage.name, "remembered", [document], **made)
        async with stage.client() as ai:
            found = {one.name: one for one in await ai.retrieval.collections(model=stage.name)}
            there = found.get("remembered")
            assert there is not None, f"{stage.id} forgot a collection: it has {sorted(found)}."
            assert there.to_dict() == said.to_dict(), (
                f"{stage.id} was told {said.to_dict()} of a collection and says {there.to_dict()}. "
                "Keep what collection.to_dict() gives."
            )
            count = (await ai.retrieval.count("remembered", model=stage.name)).count
            assert count == 1, f"{stage.id} kept 1 document, and another client counts {count}."

    @clause("retrieval.drops", "works")
    async def test_a_dropped_collection_is_gone(self, stage: Stage, ai: Client) -> None:
        """A dropped collection is gone with all that was in it, and one that is not there is none."""
        await self.fill(ai, stage.name, "dropped", [self.document("one", near(0))])
        counts = [(await ai.retrieval.drop("dropped", model=stage.name)).count for _ in range(2)]
        assert counts == [1, 0], f"{stage.id} dropped one collection twice and says {counts}."
        left = [one.name for one in await ai.retrieval.collections(model=stage.name)]
        assert "dropped" not in left, f"{stage.id} has {left} after `dropped` was dropped."
        await self.fill(ai, stage.name, "dropped")
        count = (await ai.retrieval.count("dropped", model=stage.name)).count
        assert count == 0, f"{stage.id} has {count} document(s) in a collection that is new."

    # -- failures -----------------------------------------------------------------------------

    @clause("retrieval.error.of-each-operation", "honest", needs_vendor=True)
    async def test_each_operation_tells_of_failure(self, stage: Stage, ai: Client) -> None:
        """Whatever is asked of a store, its failure is an error: what was not kept is lost else."""
        store, some = ai.retrieval, [self.document("one", near(0))]
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "collections": lambda: store.collections(model=stage.name),
            "upsert": lambda: store.upsert("failing", some, model=stage.name),
            "query": lambda: self.everything(ai, stage.name, "failing"),
            "count": lambda: store.count("failing", model=stage.name),
            "delete": lambda: store.delete("failing", "one", model=stage.name),
            "drop": lambda: store.drop("failing", model=stage.name),
            "create": lambda: store.create("failing", model=stage.name, **self.usual()),
        }
        wrong = []
        for name, way in ways.items():
            await self.set_up(stage, ai, name)
            await way()
            requests = len(stage.requests)
            await self.set_up(stage, ai, name)
            if requests > 1:
                stage.play(Fine(), times=requests - 1)
            stage.play(faults().Status(503))
            error = await raised(way)
            if not isinstance(error, e.OverloadedError):
                wrong.append(f"{name} ended with {error!r}")
        assert not wrong, f"{stage.id}: HTTP 503 at its last request, and {'; '.join(wrong)}."

    async def set_up(self, stage: Stage, ai: Client, operation: str) -> None:
        """Bring about what *operation* needs, and forget what was sent for it."""
        if operation == "create":
            await ai.retrieval.drop("failing", model=stage.name)
        else:
            await self.fill(ai, stage.name, "failing", [self.document("one", near(0))])
        assert stage.vendor is not None
        stage.vendor.clear()


class Fine:
    """No fault: a request that is answered as usual."""

    async def play(self, exchange: Any) -> None:
        """Answer."""
        await exchange.answer()


async def raised(way: Callable[[], Awaitable[object]]) -> Exception | None:
    """Return what *way* raises, or None where it succeeds."""
    try:
        await way()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
        return error
    return None
