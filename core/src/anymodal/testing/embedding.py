"""The contract of providers of vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Final

from ..client import Client
from ..modalities.embedding import EmbeddingModelSpec, EmbeddingResult, SparseVector, Vector
from .asking import NOTHING
from .clauses import clause, not_applicable
from .provider import ProviderSuite
from .stage import Stage
from .text import FOREIGN

__all__ = ["EmbeddingSuite"]

TEXTS: Final = (
    "The keeper lights the lamp of the lighthouse.",
    "A lighthouse keeper is lighting his lamps.",
    "Quarterly taxes were paid by bank transfer.",
)
"""The second means what the first does, and the third something else."""

MANY: Final = tuple(f"Lighthouse number {number} stands by the sea." for number in range(1, 301))
"""More than most vendors take at once."""


class EmbeddingSuite(ProviderSuite):
    """The contract of a provider of vectors, dense or sparse."""

    modality: ClassVar[str] = "embedding"
    methods: ClassVar[Sequence[Sequence[str]]] = (("embed",),)

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> EmbeddingResult:
        """Return the vector of one text."""
        return await ai.embedding.embed(question, model=name, timeout=timeout, **more)

    def content(self, result: EmbeddingResult) -> object:
        """Return the numbers."""
        return [numbers(one) for one in result.vectors]

    @clause("embedding.has-one-a-text", "works")
    async def test_each_text_has_a_vector(self, stage: Stage, ai: Client) -> None:
        """There are as many vectors as texts, and none is empty."""
        found = (await ai.embedding.embed(TEXTS, model=stage.name)).vectors
        assert [bool(len(one)) for one in found] == [True] * len(TEXTS), (
            f"{stage.id} gave {len(found)} vectors for {len(TEXTS)} texts, or empty ones."
        )

    @clause("embedding.keeps-the-order", "works")
    async def test_vectors_keep_the_order(self, stage: Stage, ai: Client) -> None:
        """Each vector stands in its text's place, however many texts there are."""
        many = (await ai.embedding.embed(MANY, model=stage.name)).vectors
        for at in (0, 7, len(MANY) - 1):
            (alone,) = (await ai.embedding.embed(MANY[at], model=stage.name)).vectors
            assert cosine(many[at], alone) > 0.999, (
                f"{stage.id} gave another vector in place {at} of {len(MANY)}. Sort the vendor's "
                "answer by its index."
            )

    @clause("embedding.repeats", "works")
    async def test_vectors_repeat(self, stage: Stage, ai: Client) -> None:
        """The same text has the same vector, or nothing that was kept is found again."""
        found = (await ai.embedding.embed([TEXTS[0]] * 2, model=stage.name)).vectors
        assert cosine(*found) > 0.999, f"{stage.id} gave one text two vectors."

    @clause("embedding.is-near-where-meaning-is", "complete")
    async def test_related_texts_are_near(self, stage: Stage, ai: Client) -> None:
        """A related text is nearer than another: that is what vectors are for."""
        one, near, far = (await ai.embedding.embed(TEXTS, model=stage.name)).vectors
        assert cosine(one, near) > cosine(one, far), (
            f"{stage.id} puts {TEXTS[2]!r} nearer to {TEXTS[0]!r} than {TEXTS[1]!r}."
        )

    @clause("embedding.has-its-dimensions", "honest")
    async def test_vectors_have_their_dimensions(self, stage: Stage, ai: Client) -> None:
        """Vectors are as long as the model's table, or the caller, says: stores are made for it."""
        model = stage.model_spec
        size = model.dimensions if isinstance(model, EmbeddingModelSpec) else None
        if not size:
            not_applicable(f"no length of the vectors of {stage.name} is known")
        (found,) = (await ai.embedding.embed(TEXTS[0], model=stage.name)).dense
        assert len(found) == size, f"{stage.name} has {size} dimensions and gave {len(found)}."

    @clause("embedding.keeps-its-limits", "honest", needs_vendor=True)
    async def test_requests_keep_the_limits(self, stage: Stage, ai: Client) -> None:
        """No request has more texts than the vendor takes: it would refuse them all."""
        most = getattr(stage.model_spec, "max_inputs", None) or stage.spec.max_inputs  # type: ignore[attr-defined]  # every spec of this modality has it
        if not most:
            not_applicable(f"{stage.name} says of no limit")
        texts = [f"Wave {number}." for number in range(most + 1)]
        found = (await ai.embedding.embed(texts, model=stage.name)).vectors
        assert len(found) == most + 1, f"{stage.id} gave {len(found)} vectors, not {most + 1}."
        assert len(stage.requests) > 1, f"{stage.id} sent {most + 1} texts at once; {most} may go."

    @clause("embedding.text-arrives-whole", "works", needs_vendor=True)
    async def test_texts_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of a text reaches the vendor, whatever the language."""
        await self.ask(ai, stage.name, FOREIGN)
        assert stage.sent(FOREIGN), f"{stage.id} did not send {FOREIGN!r} as it is."

    @clause("embedding.is-normalised-where-said", "honest")
    async def test_lengths_are_one_where_said(self, stage: Stage, ai: Client) -> None:
        """Lengths are 1 where the spec says so: stores then leave out the division."""
        result = await ai.embedding.embed(TEXTS, model=stage.name)
        if not result.normalised:
            not_applicable(f"{stage.name} does not say that its vectors have length 1")
        lengths = [math.hypot(*numbers(one).values()) for one in result.vectors]
        assert all(abs(one - 1) < 1e-3 for one in lengths), f"{stage.name}: lengths {lengths}."

    @clause("embedding.sparse-is-sorted", "honest")
    async def test_sparse_indices_grow(self, stage: Stage, ai: Client) -> None:
        """Indices of sparse vectors grow, so that two are compared in one pass."""
        result = await ai.embedding.embed(TEXTS, model=stage.name)
        if not result.sparse:
            not_applicable(f"{stage.name} makes no sparse vectors")
        rising = all(a < b for one in result.sparse for a, b in pairwise(one.indices))
        assert rising, f"{stage.id} gave indices that do not grow. Sort them."


def numbers(vector: Vector) -> dict[int, float]:
    """Return what is not 0 in a vector, by its place."""
    return dict(vector if isinstance(vector, SparseVector) else enumerate(vector))


def cosine(one: Vector, other: Vector) -> float:
    """Return how near two vectors are, from -1 to 1."""
    a, b = numbers(one), numbers(other)
    dot = sum(value * b.get(at, 0.0) for at, value in a.items())
    return dot / (math.hypot(*a.values()) * math.hypot(*b.values()) or 1.0)
