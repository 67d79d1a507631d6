"""
Which models the vendors have now: asked for, sorted by kind, and kept on disk.

What was found is kept in the user's cache folder, a file for each provider,
instance, address and kind of work that was asked, so that a listing needs no
network. A damaged, foreign or unwritable file is ignored. Nothing of a scoped
client's is kept, because what its keys may see is its own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from . import errors as e
from .catalogue import overridden
from .failures import transport_errors
from .files import forget_unfinished, write_whole
from .index import cache_folder
from .modalities.kinds import LiveModel
from .registry import Registry
from .resolution import Offer
from .specs import Capabilities, Lifecycle, ModelSpec
from .usage import Prices

if TYPE_CHECKING:
    from .doors import Doors

__all__ = ["DiscoveredModel", "Discovery", "age", "discovered", "kept"]

LIMIT_SECONDS: Final = 30.0
"""How long one provider may take."""

FORGOTTEN_SECONDS: Final = 90 * 86400.0
"""How long a list is kept that was not asked for anew."""

_FORMAT: Final = 1

Bind = Callable[[Offer], Callable[[Any], object]]
"""Gives what makes `Door.bound`, for an offer."""


@attrs.frozen(kw_only=True)
class DiscoveredModel:
    """
    A model that a provider listed.

    Attributes:
        provider: Id of the provider.
        instance: The name through which it was asked.
        modality: The kind of work; None where it is unknown, or none of ours.
        model: What is known of it: the plugin's table, where that has it (it is
            then `listed`), else the vendor's list; the user's settings over both.
        found_at: When the vendor said so.
    """

    provider: str
    instance: str
    modality: str | None
    model: ModelSpec
    found_at: dt.datetime

    @property
    def name(self) -> str:
        """How to ask for exactly this one."""
        return f"{self.instance}/{self.model.id}"


@attrs.frozen(kw_only=True)
class Discovery:
    """
    What providers listed.

    Attributes:
        models: By provider, kind of work and id.
        failures: An error for each provider that could not be asked, or failed.
            What it had listed before is among the models.
    """

    models: tuple[DiscoveredModel, ...] = ()
    failures: tuple[e.AnymodalError, ...] = ()


def age(found_at: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago *found_at* was, such as `3 h ago`."""
    seconds = (now - found_at).total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def kept(
    registry: Registry, provider: str | None = None, *, modality: str | None = None
) -> tuple[DiscoveredModel, ...]:
    """
    Return what was found before; nobody is asked.

    Args:
        registry: What is installed and configured.
        provider: Only this provider or instance.
        modality: Only models for this kind of work.
    """
    shelf = _Shelf(registry)
    listings = [
        (offer, listing)
        for offer in _offers(registry, provider, modality)
        if offer.enabled and (listing := shelf.read(offer)) is not None
    ]
    return tuple(_models(registry, listings, modality))


async def discovered(
    registry: Registry,
    doors: Doors,
    bind_of: Bind,
    provider: str | None = None,
    *,
    modality: str | None = None,
    refresh: bool = False,
) -> Discovery:
    """
    Return which models the providers have, asking those of whom nothing is kept.

    All are asked at once, each through one of its instances.

    Args:
        registry: What is installed and configured.
        doors: The way to them.
        bind_of: What the doors' facades make of a provider.
        provider: Only this provider or instance; that it cannot be used is then
            a failure.
        modality: Only models for this kind of work.
        refresh: Ask also those of whom something is kept.

    Raises:
        UnknownProviderError: *provider* is none.
    """
    import anyio.to_thread  # noqa: PLC0415  # a listing of what is kept needs no event loop

    shelf = _Shelf(registry)
    offers = _usable(_offers(registry, provider, modality))
    failures = [] if offers or provider is None else [_unusable(registry, provider)]
    listings: list[tuple[Offer, _Listing]] = []

    async def ask(offer: Offer) -> None:
        before = await anyio.to_thread.run_sync(shelf.read, offer)
        if before is not None and not refresh:
            listings.append((offer, before))
            return
        try:
            found = _Listing(dt.datetime.now(dt.UTC), await _asked(doors, bind_of, offer))
        except e.AnymodalError as error:
            failures.append(error)
            if before is not None:
                listings.append((offer, before))
        else:
            await anyio.to_thread.run_sync(shelf.write, offer, found)
            listings.append((offer, found))

    async with anyio.create_task_group() as tasks:
        for offer in offers:
            if offer.spec.has_models:  # a store has none, and maybe no address yet
                tasks.start_soon(ask, offer)
    # of a provider of several kinds of work the same failure is told once
    told = {(type(failure), str(failure)): failure for failure in failures}
    return Discovery(
        models=tuple(_models(registry, listings, modality)),
        failures=tuple(sorted(told.values(), key=str)),
    )


# -- whom to ask --------------------------------------------------------------------------


def _offers(registry: Registry, provider: str | None, modality: str | None) -> list[Offer]:
    """
    Return the offers of *provider*, those of *modality* where it has such.

    A list that was meant for one kind of work may have models for another.
    """
    every = registry.providers()
    named = [one for one in every if provider == one.instance]
    found = named or [one for one in every if provider in {None, one.spec.id}]
    if provider is not None and not found:
        error = registry.explain(f"{provider}/*").error
        raise error or e.UnknownProviderError(f"No provider is called {provider!r}.")
    fitting = {one.spec.id for one in found if one.spec.modality == modality}
    return [one for one in found if one.spec.modality == modality or one.spec.id not in fitting]


def _usable(offers: Iterable[Offer]) -> list[Offer]:
    """Return one usable offer for each provider and kind of work."""
    first: dict[tuple[str, str], Offer] = {}
    for offer in offers:
        if offer.enabled and offer.configured:
            first.setdefault((offer.spec.id, offer.spec.modality), offer)
    return list(first.values())


def _unusable(registry: Registry, provider: str) -> e.AnymodalError:
    offer = _offers(registry, provider, None)[0]
    if offer.enabled:
        return e.MissingCredentialsError(offer.missing)
    return e.ConfigurationError(f"{offer.instance} is switched off.")


async def _asked(doors: Doors, bind_of: Bind, offer: Offer) -> tuple[LiveModel, ...]:
    """
    Return what *offer* lists; nothing where it cannot be asked.

    Raises:
        AnymodalError: Whatever went wrong, a stranger's exceptions included.
    """
    import anyio  # noqa: PLC0415  # as above

    try:
        with anyio.move_on_after(LIMIT_SECONDS), transport_errors(offer.instance):
            door = await doors.open(offer, bind_of(offer))
            ask = getattr(door.provider, "list_models", None)
            found: Sequence[ModelSpec] = () if ask is None else await ask()
            return tuple(_live(one, offer.spec.modality) for one in found)
    except e.AnymodalError:
        raise
    except Exception as error:
        msg = f"{offer.instance}: unexpected {type(error).__name__}."
        raise e.BrokenPluginError(msg) from error
    msg = f"{offer.instance}: no list of models in {LIMIT_SECONDS:g} s."
    raise e.TimedOutError(msg, provider=offer.spec.id)


def _live(model: ModelSpec, modality: str) -> LiveModel:
    """Return *model* with its kind of work, which is the provider's own unless it says so."""
    if isinstance(model, LiveModel):
        return model
    if not isinstance(model, ModelSpec):
        msg = f"list_models gave a {type(model).__name__}"
        raise TypeError(msg)
    fields = {name: getattr(model, name) for name in attrs.fields_dict(ModelSpec)}
    return LiveModel(**{**fields, "listed": False, "modality": modality})


# -- what they said -----------------------------------------------------------------------


@attrs.frozen
class _Listing:
    """What one offer listed, and when."""

    found_at: dt.datetime
    models: tuple[LiveModel, ...]


def _models(
    registry: Registry, listings: Iterable[tuple[Offer, _Listing]], modality: str | None
) -> Iterator[DiscoveredModel]:
    """Give each model once, of the youngest list that has it."""
    tables = {(one.spec.id, one.spec.modality): one for one in registry.providers()}
    found: dict[tuple[str, str, str], DiscoveredModel] = {}
    for offer, listing in sorted(listings, key=lambda pair: pair[1].found_at, reverse=True):
        provider = offer.spec.id
        for live in listing.models:
            key = (provider, live.modality or "", live.id)
            if key in found or modality not in {None, live.modality} or not offer.allows(live):
                continue
            table = tables.get((provider, live.modality or ""))
            where = f"{provider}/{live.id}"
            model = table and table.model(live.id)
            found[key] = DiscoveredModel(
                provider=provider,
                instance=offer.instance,
                modality=live.modality,
                model=model or overridden(live, registry.settings.models.get(where, {}), where),
                found_at=listing.found_at,
            )
    for key in sorted(found):
        yield found[key]


# -- the cache ----------------------------------------------------------------------------


class _Shelf:
    """The files in which lists are kept."""

    def __init__(self, registry: Registry) -> None:
        self._settings = registry.settings
        private = bool(registry.scope.name)
        self._folder = None if private else cache_folder(registry.settings.environ)

    def _file(self, offer: Offer) -> Path | None:
        if self._folder is None:
            return None
        settings, name = self._settings, offer.instance
        said = settings.instances.get(name) or settings.providers.get(name)
        address = ((said.base_url if said else None) or offer.spec.base_url or "").rstrip("/")
        key = json.dumps([_FORMAT, offer.spec.id, name, address, offer.spec.modality])
        return self._folder / f"models-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def read(self, offer: Offer) -> _Listing | None:
        """Return what *offer* last listed, or None where nothing usable is kept."""
        file = self._file(offer)
        if file is None:
            return None
        try:
            found = json.loads(file.read_bytes())
            found_at = dt.datetime.fromisoformat(found["found_at"])
            if found_at.tzinfo is None:
                return None
            return _Listing(found_at, tuple(_read(row) for row in found["models"]))
        except Exception:  # noqa: BLE001  # whatever is wrong with it, asking again is the answer
            return None

    def write(self, offer: Offer, listing: _Listing) -> None:
        """Keep *listing*; a file that cannot be written is no fault."""
        file = self._file(offer)
        if file is not None:
            rows = [_written(one) for one in listing.models]
            content = {"found_at": listing.found_at.isoformat(), "models": rows}
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                write_whole(file, json.dumps(content).encode(), lasts=False)
                self._clear(file.parent)

    def _clear(self, folder: Path) -> None:
        """Throw away lists of addresses that nobody has asked for long."""
        for old in folder.glob("models-*.json"):
            if time.time() - old.stat().st_mtime > FORGOTTEN_SECONDS:
                old.unlink(missing_ok=True)
        forget_unfinished(folder)


_AS_THEY_ARE: Final = (
    "id", "aliases", "context_tokens", "max_output_tokens", "api", "source", "temperature_max",
    "modality",
)  # fmt: skip


def _written(model: LiveModel) -> dict[str, object]:
    life = model.lifecycle
    return {
        **{name: getattr(model, name) for name in _AS_THEY_ARE},
        "yes": sorted(model.capabilities.yes),
        "no": sorted(model.capabilities.no),
        "prices": model.prices and model.prices.to_dict(),
        "batch_prices": model.batch_prices and model.batch_prices.to_dict(),
        "state": life.state,
        "retires_on": life.retires_on and life.retires_on.isoformat(),
        "replacement": life.replacement,
    }


def _read(row: Mapping[str, Any]) -> LiveModel:
    day = row["retires_on"]
    return LiveModel(
        **{name: row[name] for name in _AS_THEY_ARE},
        capabilities=Capabilities(row["yes"], row["no"]),
        prices=row["prices"] and Prices.from_dict(row["prices"]),
        batch_prices=row["batch_prices"] and Prices.from_dict(row["batch_prices"]),
        lifecycle=Lifecycle(
            state=row["state"],
            retires_on=day and dt.date.fromisoformat(day),
            replacement=row["replacement"],
        ),
    )
