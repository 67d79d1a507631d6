"""
A bare name goes to the store that it means. Retrieval is routed so.

A store has no models to go by: it is a provider, or an instance of one, and both
are exact names. What is left is another spelling of a provider's name. An instance
is connected once a client, so one name is one cached store.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import Decision, Offer, Query, decided, row_of
from .naming import normalised

__all__ = ["by_store"]


def by_store(query: Query, offers: Sequence[Offer]) -> Decision:
    """Return which provider's id or display name *query.name* means."""
    wanted = normalised(query.name)
    rows = (
        row_of(offer, offer.default() or offer.find(offer.spec.id), query)
        for offer in offers
        if wanted in (normalised(offer.spec.id), normalised(offer.spec.display_name))
    )
    return decided(query.name, query.modality, "store", rows)
