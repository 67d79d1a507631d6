"""A bare name goes to the provider whose model table has it. Text is routed so."""

from __future__ import annotations

from collections.abc import Sequence

from . import Decision, Offer, Row, decided, refusal

__all__ = ["by_table"]


def by_table(
    name: str, modality: str, offers: Sequence[Offer], needs: Sequence[str] = ()
) -> Decision:
    """Return who serves the model called *name*, by id or alias."""
    rows = [
        Row(offer=offer, model=model, refused=refusal(offer, model, needs))
        for offer in offers
        if (model := offer.model(name)) is not None
    ]
    return decided(name, modality, "table", rows)
