"""The contract of providers of vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Final

from .. import errors as e
from ..client import Client
from ..facades.embedding_parts import split
from ..modalities.embedding import (
    EmbeddingModelSpec,
    EmbeddingProviderSpec,
    EmbeddingResult,
    SparseVector,
    Vector,
)
from ..specs import supports
from .asking import NOTHING, Way
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

FEWER: Final = 24
"""A number of dimensions that every model has which can be asked for some."""

SETTINGS: Final[Mapping[str, object]] = {"dimensions": FEWER, "end_user": "reader-7077"}
"""Values that stand nowhere else in a request."""


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

    def refusable(self) -> Mapping[str, Way]:
        """Return what takes a model that shortens its vectors."""
        return {"dimensions": partial(self.ask, more={"dimensions": FEWER})}

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
        can_be_shorter = supports(stage.spec, model, "dimensions") is True
        if not (size or can_be_shorter):
            not_applicable(f"no length of the vectors of {stage.name} is known")
        if size:
            (found,) = (await ai.embedding.embed(TEXTS[0], model=stage.name)).dense
            assert len(found) == size, f"{stage.name} has {size} dimensions and gave {len(found)}."
        if can_be_shorter:
            asked = await ai.embedding.embed(TEXTS[0], model=stage.name, dimensions=FEWER)
            assert asked.dimensions == FEWER, (
                f"{stage.name} was asked for {FEWER} dimensions and gave {asked.dimensions}. Send "
                "request.dimensions, or take the capability away."
            )

    @clause("embedding.keeps-its-limits", "honest", needs_vendor=True)
    async def test_requests_keep_the_limits(self, stage: Stage, ai: Client) -> None:
        """No request has more texts than the vendor takes: it would refuse them all."""
        most, most_tokens = limits(stage)
        if not most:
            not_applicable(f"{stage.name} says of no limit")
        texts = [f"Wave {number}." for number in range(most + 1)]
        found = (await ai.embedding.embed(texts, model=stage.name)).vectors
        assert len(found) == most + 1, f"{stage.id} gave {len(found)} vectors, not {most + 1}."
        asked, needed = len(stage.requests), len(split(texts, most, most_tokens))
        assert asked == needed, (
            f"{stage.id} says that {most} texts go into a request, and asked {asked} times about "
            f"{most + 1}, not {needed} times. Where it was refused, the limit is lower: max_inputs."
        )

    @clause("embedding.text-arrives-whole", "works", needs_vendor=True)
    async def test_texts_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of a text reaches the vendor, whatever the language."""
        await self.ask(ai, stage.name, FOREIGN)
        assert stage.sent(FOREIGN), f"{stage.id} did not send {FOREIGN!r} as it is."

    @clause("embedding.setting.is-sent-or-warned-of", "honest", needs_vendor=True)
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        lost = [
            setting
            for setting, value in SETTINGS.items()
            if setting not in await self.warned(ai, stage, setting) and not stage.sent(value)
        ]
        assert not lost, (
            f"{stage.id} drops {', '.join(lost)} in silence. Send it, or say request.warn(…)."
        )

    async def warned(self, ai: Client, stage: Stage, setting: str) -> set[str]:
        """Ask with one of `SETTINGS`; return what was warned of, or refused as not to be had."""
        try:
            result = await self.ask(ai, stage.name, TEXTS[0], more={setting: SETTINGS[setting]})
        except e.RequestError:
            return {setting}
        return {one.setting for one in result.record.warnings}

    @clause("embedding.setting.is-refused-where-strict", "honest", needs_vendor=True)
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        dropped = [one for one in SETTINGS if one in await self.warned(ai, stage, one)]
        if not dropped:
            not_applicable(f"{stage.name} honours every setting")
        count, wrong = len(stage.requests), []
        for setting in dropped:
            more = {setting: SETTINGS[setting], "strict": True}
            error = await self.failure(self.ask, ai, stage, more=more)
            if not isinstance(error, e.RequestError):
                wrong.append(f"{setting} ended with {error!r}")
        assert not wrong, f"{stage.id} drops what a strict caller wants: {'; '.join(wrong)}."
        assert len(stage.requests) == count, f"{stage.id} asked its vendor before it refused."

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


def limits(stage: Stage) -> tuple[int | None, int | None]:
    """Return the most texts, and the most tokens, that a request may have."""
    model, spec = stage.model_spec, stage.spec
    assert isinstance(spec, EmbeddingProviderSpec)
    own = model if isinstance(model, EmbeddingModelSpec) else EmbeddingModelSpec(id=model.id)
    return own.max_inputs or spec.max_inputs, own.max_request_tokens or spec.max_request_tokens


def numbers(vector: Vector) -> dict[int, float]:
    """Return what is not 0 in a vector, by its place."""
    return dict(vector if isinstance(vector, SparseVector) else enumerate(vector))


def cosine(one: Vector, other: Vector) -> float:
    """Return how near two vectors are, from -1 to 1."""
    a, b = numbers(one), numbers(other)
    dot = sum(value * b.get(at, 0.0) for at, value in a.items())
    return dot / (math.hypot(*a.values()) * math.hypot(*b.values()) or 1.0)
