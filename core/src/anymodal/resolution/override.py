"""A bare name goes where the settings' map says, and else by the tables. Realtime is routed so."""

from __future__ import annotations

from collections.abc import Sequence

from .. import errors as e
from . import Decision, Offer, Query, decided, row_of
from .table import by_table

__all__ = ["by_override"]


def by_override(query: Query, offers: Sequence[Offer]) -> Decision:
    """
    Return who serves what the map has for *query.name*.

    The map holds exact names, `provider/model` or a provider alone, and is looked
    into for names as they are written.
    """
    target = query.routes.get(query.name)
    if target is None:
        return by_table(query, offers)
    where = f'[routes.{query.modality}] "{query.name}" = "{target}"'
    door, _, rest = target.partition("/")
    for offer in offers:
        if offer.instance == door:
            model = offer.find(rest) if rest else offer.default()
            if model is None:
                msg = f"{where}: {door} has no default model. Say which: {door}/..."
                raise e.UnknownModelError(msg)
            row = row_of(offer, model, query)
            return decided(query.name, query.modality, "override", [row])
    msg = f"{where}: no {query.modality} provider or instance is called {door!r}."
    raise e.UnknownProviderError(msg)
