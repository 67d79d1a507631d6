"""
A bare name goes by the tables, then by the patterns of further ids.

Image and video are routed so, since their providers come out with models more
often than their plugins do.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from . import Decision, Offer, Query, decided, row_of
from .table import by_table

__all__ = ["by_table_then_pattern", "matching"]


def by_table_then_pattern(query: Query, offers: Sequence[Offer]) -> Decision:
    """Return who lists *query.name*; where nobody does, whose pattern it fits."""
    decision = by_table(query, offers)
    return decision if decision.rows else matching(query, offers)


def matching(query: Query, offers: Sequence[Offer]) -> Decision:
    """Return who has a pattern that *query.name* fits."""
    rows = (
        row_of(offer, offer.find(query.name), query)
        for offer in offers
        if any(fnmatchcase(query.name, pattern) for pattern in offer.spec.patterns)
    )
    return decided(query.name, query.modality, "pattern", rows)
