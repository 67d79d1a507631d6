"""Both kinds of vectors together find no less than the better of them."""

from __future__ import annotations

import math

import anyio
import pytest

from .measuring import MODES, hashed, labelled, measured


@pytest.fixture(scope="module")
def recalls():
    """Of each query, by mode."""
    return anyio.run(measured)


def mean(found):
    return sum(found) / len(found)


def test_set_is_large_enough():
    """Two hundred documents, forty topics of five, two queries each."""
    wanted = labelled()

    assert (200, 80) == (len(wanted.documents), len(wanted.queries))
    assert {5} == {len(right) for _, right in wanted.queries}
    assert 80 == len({words for words, _ in wanted.queries})


def test_hybrid_finds_no_less_than_the_better(recalls):
    """Recall at 5 over all queries, the dense side being hashed letters, the sparse BM25."""
    dense, sparse, hybrid = (mean(recalls[mode]) for mode in MODES)

    assert hybrid >= max(dense, sparse), (dense, sparse, hybrid)
    assert min(dense, sparse) > 0.15  # by chance it would be 0.025


def test_dense_side_is_what_it_says():
    """Deterministic, of length 1, and near where words are spelt alike."""
    bee, bees, tax = map(hashed, ("beekeeping", "bee keepers", "income tax"))

    assert hashed("beekeeping") == bee
    assert math.isclose(1, dot(bee, bee), rel_tol=1e-5)
    assert dot(bee, bees) > dot(bee, tax) + 0.2


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))
