"""
What is to be done decides between those who could serve. Transcription is routed so.

A provider is a matter of exact names. Then the model decides, by the tables. Then
the action: live audio goes to a provider that is known to do live, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..specs import ModelSpec, supports
from . import Decision, Offer, Query, Row, decided, row_of
from .table import listed

__all__ = ["by_action", "by_default"]


def by_action(query: Query, offers: Sequence[Offer]) -> Decision:
    """Return who lists *query.name*, and of several the one known to do *query.action*."""
    strategy, rows = listed(query, offers)
    if query.action:
        strategy = f"{strategy}, action"
    return decided(query.name, query.modality, strategy, _fit(rows, query.action))


def by_default(query: Query, offers: Sequence[Offer]) -> Decision:
    """
    Return whose default model serves where no model is named.

    Of a provider whose default model does not do the action, that is the first
    listed model which is known to.
    """
    found = ((offer, _default(offer, query.action)) for offer in offers)
    rows = [row_of(offer, model, query) for offer, model in found if model is not None]
    return decided(query.name, query.modality, "default", _fit(rows, query.action))


def _default(offer: Offer, action: str) -> ModelSpec | None:
    model = offer.default()
    if not action or (model is not None and supports(offer.spec, model, action)):
        return model
    able = (one for one in offer.models if supports(offer.spec, one, action))
    return next(able, model)


def _fit(rows: Iterable[Row], action: str) -> list[Row]:
    """Refuse those of whom nothing is known, where another is known to do *action*."""
    rows = list(rows)
    if not action or not any(_does(row, action) for row in rows if not row.refused):
        return rows
    why = f"not known to have {action}, and others are"
    return [
        row if row.refused or _does(row, action) else attrs.evolve(row, refused=why) for row in rows
    ]


def _does(row: Row, action: str) -> bool:
    return supports(row.offer.spec, row.model, action) is True
