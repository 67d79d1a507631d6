"""How well the providers are: from what was seen of them and, when wanted, by asking them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

import anyio
import anyio.to_thread
import attrs

from . import errors as e
from .failures import transport_errors
from .policy.standing import Health
from .resolution import Offer
from .way import Way

__all__ = ["asked", "seen"]

LIMIT_SECONDS: Final = 15.0
"""How long one provider may take to say how it is."""

NOT_ASKED: Final = "it is connected; it has no free way to be asked"


def seen(way: Way, provider: str | None = None) -> tuple[Health, ...]:
    """
    Return how well each provider is, as far as this client's calls have shown.

    Args:
        way: What the client's calls share.
        provider: Only this provider or instance, configured or not.

    Raises:
        UnknownProviderError: *provider* is none.
    """
    return tuple(_health(way, offer) for offer in _offers(way, provider))


async def asked(
    way: Way, bind_of: Callable[[Offer], Callable[[Any], object]], provider: str | None = None
) -> tuple[Health, ...]:
    """
    Ask each provider how it is, all at once, in a way that costs nothing.

    That is its `check_health`, or else its list of models; one that has neither is
    only connected.

    Args:
        way: What the client's calls share.
        bind_of: Gives what makes `Door.bound`, for an offer.
        provider: Only this provider or instance, configured or not.

    Raises:
        UnknownProviderError: *provider* is none.
    """
    offers = _offers(way, provider)
    found: dict[int, Health] = {}

    async def ask(place: int, offer: Offer) -> None:
        reason = "" if offer.missing else await _ask(way, bind_of, offer)
        health = _health(way, offer)
        if reason and health.state == "healthy":
            health = attrs.evolve(health, reason=reason)
        found[place] = health

    async with anyio.create_task_group() as tasks:
        for place, offer in enumerate(offers):
            tasks.start_soon(ask, place, offer)
    return tuple(found[place] for place in range(len(offers)))


def _offers(way: Way, provider: str | None) -> list[Offer]:
    """Return those that can be used, or that somebody wants to know of."""
    registry = way.registry
    every = [one for one in registry.providers() if one.enabled]
    if provider is None:
        settings = registry.settings
        named = {*settings.instances, *settings.providers}
        return [one for one in every if one.configured or one.instance in named]
    found = [one for one in every if provider == one.instance]
    found = found or [one for one in every if provider == one.spec.id]
    if not found:
        error = registry.explain(f"{provider}/*").error
        raise error or e.UnknownProviderError(f"No provider called {provider!r} is in use.")
    return found


def _health(way: Way, offer: Offer) -> Health:
    plan = way.plan(offer)
    found = plan.standing.health(
        plan.rules, way.clock.now(), provider=offer.spec.id, missing=offer.missing
    )
    jobs = way.jobs.counts().get((offer.spec.modality, offer.instance), {})
    return attrs.evolve(
        found, active_jobs=jobs.get("running", 0), queued_jobs=jobs.get("queued", 0)
    )


async def _ask(way: Way, bind_of: Callable[[Offer], Callable[[Any], object]], offer: Offer) -> str:
    """Ask *offer*, note what came of it, and return what there is to say beside that."""
    plan = way.plan(offer)
    standing, rules = plan.standing, plan.rules
    try:
        reason = await _answer(way, bind_of, offer)
    except e.AnymodalError as error:
        is_changed = standing.failed(error, rules, way.clock.now())
        reason = ""
    else:
        is_changed = standing.answered(rules, way.clock.now())
    if is_changed:
        way.changed(plan)
    return reason


async def _answer(
    way: Way, bind_of: Callable[[Offer], Callable[[Any], object]], offer: Offer
) -> str:
    try:
        with anyio.move_on_after(LIMIT_SECONDS), transport_errors(offer.instance):
            door = await way.doors.open(offer, bind_of(offer))
            check = getattr(door.provider, "check_health", None)
            check = check or getattr(door.provider, "list_models", None)
            if check is None:
                return NOT_ASKED
            if inspect.iscoroutinefunction(check):
                await check()
            else:
                await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
            return ""
    except e.AnymodalError:
        raise
    except Exception as error:
        msg = f"{offer.instance}: unexpected {type(error).__name__}."
        raise e.BrokenPluginError(msg) from error
    msg = f"{offer.instance}: no word in {LIMIT_SECONDS:g} s."
    raise e.TimedOutError(msg, provider=offer.spec.id)
