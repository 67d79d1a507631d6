"""A bare name goes to the provider whose model table has it. Text is routed so."""

from __future__ import annotations

from collections.abc import Sequence

from . import Decision, Offer, Query, Row, decided, row_of

__all__ = ["by_table", "listed"]


def by_table(query: Query, offers: Sequence[Offer]) -> Decision:
    """
    Return who serves the model called *query.name*, by id or alias.

    Other spellings of the name count only where no table has it as it is.
    """
    strategy, rows = listed(query, offers)
    return decided(query.name, query.modality, strategy, rows)


def listed(query: Query, offers: Sequence[Offer]) -> tuple[str, list[Row]]:
    """Return who lists the model, and whether its name had to be normalised for that."""
    found = ((offer, offer.model(query.name)) for offer in offers)
    rows = [row_of(offer, model, query) for offer, model in found if model is not None]
    if rows:
        return "table", rows
    return "table, normalised", [
        row_of(offer, model, query) for offer in offers for model in offer.alike(query.name)
    ]
