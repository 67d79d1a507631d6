"""Vectors without a model, and how the tour tells those that mean something from others."""

from __future__ import annotations

import itertools
import json
import math

import anyio
import pytest
from anymodal import Capabilities, ModelSpec, Settings, hookimpl
from anymodal.modalities.embedding import (
    EmbeddingProviderSpec,
    EmbeddingResult,
    SparseVector,
    dense,
)
from anymodal.modalities.kinds import LiveModel
from anymodal_emulator.embedding import vector
from anymodal_emulator.embedding_visits import TEXTS
from anymodal_emulator.tour import rows_of, travel


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


# -- the toolkit's vectors ----------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [8, 384, 3072])
def test_vectors_have_length_1_and_as_many_numbers_as_asked(dimensions):
    """Also of texts without a word."""
    for text in (*TEXTS, "", "?!", "東京"):
        found = vector("acme/m-1", text, dimensions)

        assert dimensions == len(found)
        assert math.isclose(1, dot(found, found), rel_tol=1e-5)


def test_vectors_show_what_they_were_made_of():
    """Text and model; the same again, and capitals make no difference."""
    lamp, lamps, taxes = (vector("acme/m-1", text, 384) for text in TEXTS)

    assert lamp == vector("acme/m-1", TEXTS[0].upper(), 384)
    assert dot(lamp, lamps) > 0.4
    assert dot(lamp, taxes) < 0.2
    assert abs(dot(lamp, vector("acme/m-2", TEXTS[0], 384))) < 0.3
    assert vector("acme/m-1", "", 384) == vector("acme/m-1", "", 384)
    assert vector("acme/m-1", "?", 384) != vector("acme/m-1", "!", 384)


# -- the tour -----------------------------------------------------------------------------


class Acme:
    """Makes vectors by a function of a text."""

    def __init__(self, made, kind="dense"):
        self.made = made
        self.kind = kind

    def embed(self, request):
        return EmbeddingResult(**{self.kind: tuple(map(self.made, request.texts))}, model="m-1")

    def list_models(self):
        raise NotImplementedError


def go(tmp_path, provider, **spec):
    class Brings:
        @hookimpl
        def anymodal_embedding_providers(self):
            return [found]

    given = {"models": [ModelSpec(id="m-1")], "default_model": "m-1", **spec}
    found = EmbeddingProviderSpec(
        id="acme", display_name="Acme", kind="local", connect=lambda _: provider, **given
    )
    return anyio.run(travel, [found], [], tmp_path, Settings.empty(), [Brings()])


def meaning(text):
    return vector("acme/m-1", text, 64)


def test_vectors_that_mean_something(tmp_path):
    """They are written down with the texts; the page says how near each is."""
    (visit,) = go(tmp_path, Acme(meaning), capabilities=Capabilities({"dense"}))

    assert "ok" == visit.outcome
    assert visit.said.startswith(f"1.000  {TEXTS[0]}")
    assert "64 numbers, by m-1" in visit.said
    rows = json.loads((tmp_path / "embedding" / "acme-embed.json").read_text())
    assert list(TEXTS) == [row["text"] for row in rows]
    assert [64] * 3 == [len(row["dense"]) for row in rows]


def test_sparse_vectors(tmp_path):
    """By the words that they share."""
    made = {text: SparseVector([1, 2, 3 + at], [1, 1, 1]) for at, text in enumerate(TEXTS[:2])}
    made[TEXTS[2]] = SparseVector([9], [1])
    (visit,) = go(tmp_path, Acme(made.get, "sparse"), capabilities=Capabilities({"sparse"}))

    assert "ok" == visit.outcome
    assert "3 words" in visit.said
    assert "indices" in json.loads((tmp_path / visit.path).read_text())[0]["sparse"]


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("provider", "kind", "words"),
    [
        (Acme(lambda _: dense([1, 2])), "dense", "related text"),
        (Acme(lambda _: dense([1, next(COUNT)])), "dense", "same text has two vectors"),
        (Acme(meaning), "sparse", "have 0 sparse vectors"),
    ],
)
def test_vectors_that_mean_nothing(tmp_path, provider, kind, words):
    """They fail, by what is wrong with them."""
    (visit,) = go(tmp_path, provider, capabilities=Capabilities({kind}))

    assert words in visit.outcome


def test_model_that_nobody_names_is_one_for_vectors(tmp_path):
    """A server of one's own lists models of all kinds."""

    class Lists(Acme):
        def list_models(self):
            return listed()

    async def listed():
        return [LiveModel(id="talks", modality="text"), LiveModel(id="m-7", modality="embedding")]

    provider = Lists(meaning)
    spec = {"models": [], "default_model": None, "capabilities": Capabilities({"dense"})}
    (visit,) = go(tmp_path, provider, **spec)

    assert ("ok", "m-7") == (visit.outcome, visit.model)


def test_rows_are_the_kinds_of_vectors():
    """What a provider does not say that it makes is no row."""
    spec = EmbeddingProviderSpec(
        id="acme", display_name="Acme", connect=print, models=[ModelSpec(id="m-1")],
        capabilities=Capabilities({"dense", "sparse"}),
    )  # fmt: skip

    assert ["embed", "sparse"] == [row.operation for row in rows_of([spec])]
