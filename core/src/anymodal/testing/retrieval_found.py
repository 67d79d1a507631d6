"""The clauses of what a store finds, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..client import Client
from ..modalities.documents import Document
from ..modalities.embedding import SparseVector
from ..modalities.filters import Eq, Filter, In, Range
from .clauses import clause, not_applicable
from .retrieval_kept import SIZE, Keeping, ids, near
from .stage import Stage

__all__ = ["Finding"]

PAYLOADS: Final[Mapping[str, Mapping[str, object]]] = {
    "letter": {"kind": "letter", "year": 1875, "tongue": ["en", "la"], "is_signed": True},
    "log": {"kind": "log", "year": 1901.5, "tongue": "en", "is_signed": False},
    "chart": {"kind": "chart", "year": 1875, "scale": 1},
    "bill": {"kind": "letter", "year": None, "tongue": [], "scale": "1"},
    "blank": {},
}
FILTERS: Final[tuple[Filter, ...]] = (
    Eq("kind", "letter"),
    Eq("tongue", "la"),
    Eq("is_signed", True),  # noqa: FBT003  # the value that is looked for
    Eq("scale", 1),
    Eq("scale", "1"),
    In("kind", ["log", "chart"]),
    In("year", [1875, 1900]),
    Range("year", gte=1875, lt=1901.5),
    Range("year", gt=1875),
    ~Eq("kind", "letter"),
    ~Range("year", lte=1900),
    Eq("kind", "letter") & Eq("year", 1875),
    Eq("kind", "log") | Eq("tongue", "la"),
    (Eq("kind", "letter") | Eq("kind", "chart")) & ~Eq("is_signed", True),  # noqa: FBT003  # as above
    ~(Eq("kind", "letter") & Range("year", gte=1)),
)
"""Each lets some of `PAYLOADS` through and keeps others back."""


class Finding(Keeping):
    """What a query finds."""

    @clause("retrieval.filters", "honest")
    async def test_filters_let_through_what_they_say(self, stage: Stage, ai: Client) -> None:
        """A filter lets through what `filter.matches` does, so that stores can be exchanged."""
        documents = [
            self.document(name, near(at), payload=payload)
            for at, (name, payload) in enumerate(PAYLOADS.items())
        ]
        await self.fill(ai, stage.name, "filtered", documents)
        wrong = []
        for one in FILTERS:
            wanted = sorted(name for name, payload in PAYLOADS.items() if one.matches(payload))
            found = sorted(ids(await self.everything(ai, stage.name, "filtered", one)))
            if found != wanted:
                wrong.append(f"{one} let through {found}, not {wanted}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}. `filter.matches` says how it is."

    @clause("retrieval.keeps-the-limit", "honest")
    async def test_there_are_no_more_hits_than_asked_for(self, stage: Stage, ai: Client) -> None:
        """There are as many hits as asked for, or as there are: prompts are made of them."""
        await self.fill(
            ai, stage.name, "limited", [self.document(str(at), near(at)) for at in range(14)]
        )
        for limit, wanted in ((1, 1), (5, 5), (50, 14)):
            found = await ai.retrieval.query(
                "limited", self.vector([1.0] * SIZE), limit=limit, model=stage.name
            )
            assert len(found) == wanted, (
                f"{stage.id} was asked for {limit} of 14 and gave {len(found)}."
            )

    @clause("retrieval.gives-the-nearest-first", "works")
    async def test_the_nearest_comes_first(self, stage: Stage, ai: Client) -> None:
        """The nearest comes first, and scores fall from hit to hit."""
        order = [3, 0, 5, 1, 4, 2]
        await self.fill(
            ai, stage.name, "ordered", [self.document(str(at), near(at)) for at in order]
        )
        found = await ai.retrieval.query("ordered", self.vector(near(0)), model=stage.name)
        assert ids(found) == [str(at) for at in range(6)], (
            f"{stage.id} gave {ids(found)}, where the nearest has the smallest number. "
            "Greater scores are nearer."
        )
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True), (
            f"{stage.id} gave scores that rise: {scores}."
        )

    @clause("retrieval.distance.is-kept", "honest")
    async def test_the_distance_is_the_collections(self, stage: Stage, ai: Client) -> None:
        """Nearness is what the collection says: by `dot` long vectors win, by `cosine` not."""
        if not self.keeps("dense"):
            not_applicable(f"{stage.id} keeps no dense vectors")
        long, same = [3.0, 3.0, *near(0)[2:]], near(0)
        documents = [Document(id="long", vector=long), Document(id="same", vector=same)]
        for distance, first in (("cosine", "same"), ("dot", "long")):
            await self.fill(ai, stage.name, distance, documents, dimensions=SIZE, distance=distance)
            found = await ai.retrieval.query(distance, same, model=stage.name)
            assert ids(found)[:1] == [first], (
                f"{stage.id} measures something else than {distance}: it put {ids(found)} in this "
                "order."
            )

    @clause("retrieval.can.find-by-words", "complete")
    async def test_sparse_vectors_are_searched(self, stage: Stage, ai: Client) -> None:
        """Sparse vectors are near where they have the same places, and as far as these weigh."""
        if not self.keeps("sparse"):
            not_applicable(f"{stage.id} keeps no sparse vectors")
        documents = [
            Document(id="other", sparse=SparseVector([7, 9], [9.0, 9.0])),
            Document(id="some", sparse=SparseVector([4, 7], [1.0, 5.0])),
            Document(id="most", sparse=SparseVector([4, 2**31], [2.0, 1.0])),
        ]
        await self.fill(ai, stage.name, "words", documents, sparse=True, idf=False)
        query = SparseVector([4, 2**31], [1.0, 1.0])
        found = await ai.retrieval.query("words", query, model=stage.name)
        assert ids(found)[:2] == ["most", "some"], (
            f"{stage.id} gave {ids(found)} by sparse vectors, not most and then some."
        )

    @clause("retrieval.can.use-both", "complete")
    async def test_both_kinds_are_put_together(self, stage: Stage, ai: Client) -> None:
        """By `hybrid` both kinds of vectors count: meaning alone misses names, words alone meaning."""
        if not (self.keeps("dense") and self.keeps("sparse")):
            not_applicable(f"{stage.id} does not keep both kinds of vectors")
        weights = {"names": 1.0, "both": 4.0, "third": 3.0, "last": 2.0}
        documents = [
            Document(id=name, vector=near(at), sparse=SparseVector([4], [weight]))
            for at, (name, weight) in enumerate(weights.items())
        ]
        made = {"dimensions": SIZE, "sparse": True, "idf": False}
        await self.fill(ai, stage.name, "both", documents, **made)
        found = ids(
            await ai.retrieval.query(
                "both", near(0), sparse=SparseVector([4], [1.0]), mode="hybrid", model=stage.name
            )
        )
        assert found[:1] == ["both"], (
            f"{stage.id} put {found} in this order, where `both` is second and first. By dense "
            "vectors alone `names` comes first."
        )
        assert found.index("names") < found.index("last"), (
            f"{stage.id} put {found} in this order, which is that of sparse vectors alone."
        )
