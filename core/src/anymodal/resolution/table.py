"""A bare name goes to the provider whose model table has it. Text is routed so."""

from __future__ import annotations

from collections.abc import Sequence

from . import Decision, Offer, Query, decided, row_of

__all__ = ["by_table"]


def by_table(query: Query, offers: Sequence[Offer]) -> Decision:
    """
    Return who serves the model called *query.name*, by id or alias.

    Other spellings of the name count only where no table has it as it is.
    """
    name, modality = query.name, query.modality
    rows = [
        row_of(offer, model, query) for offer in offers if (model := offer.model(name)) is not None
    ]
    if rows:
        return decided(name, modality, "table", rows)
    alike = (row_of(offer, model, query) for offer in offers for model in offer.alike(name))
    return decided(name, modality, "table, normalised", alike)
