"""
Several rankings as one, by reciprocal ranks.

Scores of dense and sparse vectors have no common measure; places have one. A hit
counts 1 / (k + place) in each ranking that has it.

Source: G. Cormack, C. Clarke and S. Buettcher, "Reciprocal Rank Fusion outperforms
Condorcet and individual Rank Learning Methods" (SIGIR 2009), which has k = 60; read 2026-11-20.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from .retrieval import Hit

__all__ = ["CONSTANT", "depth_for", "fused"]

CONSTANT: Final = 60
"""How little the first places count before the others."""
SHALLOWEST: Final = 50
DEEPER: Final = 4


def depth_for(limit: int) -> int:
    """Return how many hits of each ranking are needed for the best *limit* of both."""
    return max(SHALLOWEST, DEEPER * limit)


def fused(rankings: Sequence[Sequence[Hit]], limit: int) -> tuple[Hit, ...]:
    """
    Return the best of *rankings*, with what each counts as its score.

    The order of the rankings makes no difference, and those that count the same
    stand in the order of their ids.

    Args:
        rankings: Each the best first, and no id twice in one of them.
        limit: Most hits to return.
    """
    counts: defaultdict[str, list[float]] = defaultdict(list)
    hits: dict[str, Hit] = {}
    for ranking in rankings:
        for place, hit in enumerate(ranking, 1):
            counts[hit.id].append(1 / (CONSTANT + place))
            hits.setdefault(hit.id, hit)
    # fsum, since a sum that depended on the order would make the order of rankings count
    scored = [attrs.evolve(hit, score=math.fsum(counts[hit.id])) for hit in hits.values()]
    scored.sort(key=lambda hit: (-hit.score, hit.id))
    return tuple(scored[:limit])
