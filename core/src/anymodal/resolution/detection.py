"""An order of the settings' decides what would else be nobody's or anybody's."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .. import errors as e
from . import Decision, Offer, Query, won
from .pattern import matching

__all__ = ["detected", "settled"]


def settled(decision: Decision, order: Sequence[str]) -> Decision:
    """Return *decision*; where several claim the name, the first in *order* has it."""
    if not isinstance(decision.error, e.AmbiguousNameError):
        return decision
    for name in order:
        able = [row for row in decision.rows if row.offer.instance == name and not row.refused]
        if len(able) == 1:
            decision = won(decision, able[0], " in [auto_detect]")
            return attrs.evolve(decision, strategy=f"{decision.strategy}, auto_detect")
        if able:
            return decision
    return decision


def detected(query: Query, offers: Sequence[Offer], order: Sequence[str]) -> Decision:
    """Return which of those in *order* has a pattern that a name outside all tables fits."""
    listed = [offer for offer in offers if offer.instance in order]
    decision = settled(matching(query, listed), order)
    return attrs.evolve(decision, strategy="pattern, auto_detect")
