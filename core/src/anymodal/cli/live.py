"""Asks providers which models they have now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import anyio
import attrs

from .. import errors as e
from ..doors import Doors, SystemClock
from ..failures import transport_errors
from ..registry import Registry
from ..resolution import Offer
from ..specs import ModelSpec, ProviderSpec
from ..specs import supports as known_to
from .ending import run_async

__all__ = ["asked", "wanted"]

LIMIT_SECONDS: Final = 30.0
"""How long one provider may take."""

Found: TypeAlias = list[tuple[ProviderSpec[Any], ModelSpec]]


def asked(
    registry: Registry, modality: str | None, provider: str | None
) -> tuple[Found, list[str]]:
    """
    Return the models that no table has, and a sentence for each provider that failed.

    All providers that can be used are asked at once, through one instance each.

    Args:
        registry: What is installed and configured.
        modality: Only for this kind of work.
        provider: Only this one; that it cannot be used is then a failure.
    """
    offers: dict[tuple[str, str], Offer] = {}
    for offer in registry.providers(modality):
        if offer.enabled and offer.configured and provider in {None, offer.spec.id}:
            offers.setdefault((offer.spec.id, offer.spec.modality), offer)
    if provider is not None and not offers:
        every = registry.providers(modality)
        why = [offer.missing or f"{provider} is switched off." for offer in every]
        return [], [
            words for offer, words in zip(every, why, strict=True) if offer.instance == provider
        ][:1]
    found: Found = []
    failures: list[str] = []

    async def ask(doors: Doors, offer: Offer) -> None:
        try:
            listed = await _listed(doors, offer)
        except e.AnymodalError as error:
            failures.append(str(error))
        except Exception as error:  # noqa: BLE001  # a stranger's; the others are listed all the same
            failures.append(f"{offer.instance}: unexpected {type(error).__name__}.")
        else:
            found.extend((offer.spec, one) for one in listed if offer.model(one.id) is None)

    async def every_one() -> None:
        doors = Doors(registry.settings, SystemClock())
        try:
            async with anyio.create_task_group() as tasks:
                for offer in offers.values():
                    tasks.start_soon(ask, doors, offer)
        finally:
            await doors.aclose()

    run_async(every_one)
    found.sort(key=lambda pair: (pair[0].id, pair[0].modality, pair[1].id))
    return found, sorted(failures)


def wanted(
    found: Found, *, supports: str | None, free: bool
) -> Iterator[tuple[ProviderSpec[Any], ModelSpec]]:
    """Iterate over those of *found* that the options ask for, their source being said."""
    for spec, model in found:
        prices = model.prices.items if model.prices else ()
        is_free = bool(prices) and all(one.usd == 0 for one in prices)
        if (supports is None or known_to(spec, model, supports)) and (is_free or not free):
            yield spec, attrs.evolve(model, source="live")


async def _listed(doors: Doors, offer: Offer) -> Sequence[ModelSpec]:
    """Return what *offer* lists; nothing where it cannot be asked."""
    with anyio.move_on_after(LIMIT_SECONDS), transport_errors(offer.instance):
        door = await doors.open(offer, lambda provider: provider)
        ask = getattr(door.provider, "list_models", None)
        if ask is None:
            return ()
        listed: Iterable[ModelSpec] = await ask()
        return tuple(listed)
    msg = f"{offer.instance}: no list of models in {LIMIT_SECONDS:g} s."
    raise e.TimedOutError(msg, provider=offer.spec.id)
