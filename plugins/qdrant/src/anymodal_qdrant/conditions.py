"""Filters in Qdrant's words."""

from __future__ import annotations

from anymodal.modalities.filters import And, Eq, Filter, In, Not, Or, Range
from qdrant_client import models

__all__ = ["PAYLOAD", "filter_of"]

PAYLOAD = "payload"
"""Where a document's payload lies in a point's, beside its id and its text."""


def filter_of(given: Filter | None) -> models.Filter | None:
    """Return *given* as Qdrant has it."""
    if given is None:
        return None
    found = _condition(given)
    return found if isinstance(found, models.Filter) else models.Filter(must=[found])


def _condition(given: Filter) -> models.Condition:
    match given:
        case And(parts):
            return models.Filter(must=[_condition(part) for part in parts])
        case Or(parts):
            return models.Filter(should=[_condition(part) for part in parts])
        case Not(part):
            return models.Filter(must_not=[_condition(part)])
        case Eq(field, value):
            return _field(field, match=models.MatchValue(value=value))
        case In(field, values):
            # one by one: its own list of alternatives takes strings alone or numbers alone
            same: list[models.Condition] = [
                _field(field, match=models.MatchValue(value=value)) for value in values
            ]
            return models.Filter(should=same)
        case Range(field):
            bounds = models.Range(gt=given.gt, gte=given.gte, lt=given.lt, lte=given.lte)
            return _field(field, range=bounds)
    msg = f"{type(given).__name__} is a filter that Qdrant does not have."
    raise NotImplementedError(msg)


def _field(
    name: str,
    *,
    match: models.MatchValue | None = None,
    range: models.Range | None = None,  # noqa: A002  # Qdrant's word
) -> models.FieldCondition:
    return models.FieldCondition(key=f'{PAYLOAD}."{name}"', match=match, range=range)
