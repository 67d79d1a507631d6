"""What there is: `providers`, `models`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import attrs
import click

from ..catalogue import is_free
from ..config import Settings
from ..errors import AnymodalError
from ..modalities import BUILT_IN
from ..pricing import Prices
from ..registry import Registry
from ..resolution import Offer
from ..specs import Credential, ModelSpec, ProviderSpec
from ..specs import supports as known_to
from .output import Json, Listing, Stdout, day, json_option, note, number

if TYPE_CHECKING:
    from ..discovery import DiscoveredModel

__all__ = ["models", "providers"]

Row: TypeAlias = dict[str, Json]
Specs: TypeAlias = Mapping[tuple[str, str], ProviderSpec[Any]]
"""Providers by id and kind of work."""

modality_option = click.option("--modality", metavar="M", help="Only this kind of work.")


# -- providers ----------------------------------------------------------------------------


def _credential_words(found: Json) -> str:
    rows = cast("Sequence[Mapping[str, Any]]", found)
    return ", ".join(
        (row["variables"][0] if row["variables"] else row["name"])
        + ("" if row["required"] else " (optional)")
        for row in rows
    )


PROVIDERS: Final = Listing(
    "provider",
    "display_name",
    "modality",
    "distribution",
    "version",
    "kind",
    "capabilities",
    "credentials",
    "configured",
    "enabled",
    "priority",
    "default_model",
    words={"credentials": _credential_words},
)


@click.command
@modality_option
@json_option
def providers(*, modality: str | None, as_json: bool) -> None:
    """
    List the providers, and the instances that settings make of them.

    `configured` is whether keys and addresses are there, `capabilities` are
    those that every model is known to have.
    """
    out = Stdout.taken()
    registry = Registry(Settings.load())
    check_modality(registry, modality)
    PROVIDERS.write(
        [_provider(offer, registry) for offer in registry.providers(modality)],
        out,
        as_json=as_json,
    )
    tell_of_broken(registry)


def _provider(offer: Offer, registry: Registry) -> Row:
    spec, (distribution, _, version) = offer.spec, offer.plugin.partition(" ")
    named = registry.settings.instances.get(offer.instance)
    said = named or registry.settings.providers.get(offer.instance)
    default_model = said.default_models.get(spec.modality) if said else None
    priority = said.priority if said else None
    return {
        "provider": offer.instance,
        "display_name": spec.display_name,
        "modality": spec.modality,
        "distribution": distribution,
        "version": version or None,
        "kind": spec.kind,
        "capabilities": sorted(spec.capabilities.yes),
        "credentials": [_credential(one) for one in spec.credentials],
        "configured": offer.configured,
        "enabled": offer.enabled,
        "priority": spec.priority if priority is None else priority,
        "default_model": default_model or spec.default_model,
    }


def _credential(one: Credential) -> Row:
    return {"name": one.name, "variables": one.env, "required": one.required}


# -- models -------------------------------------------------------------------------------


def _price_words(found: Json) -> str:
    rows = cast("Sequence[Mapping[str, Any]]", found or ())
    return ", ".join(
        " ".join(str(row[name]) for name in ("unit", "size", "quality") if name in row)
        + f" ${row['usd']:g}/{row['per']}"
        for row in rows
    )


MODELS: Final = Listing(
    "id",
    "provider",
    "modality",
    "capabilities",
    "context_tokens",
    "prices",
    "lifecycle",
    "retires_on",
    "source",
    words={"prices": _price_words},
)


@click.command
@modality_option
@click.option("--provider", metavar="P", help="Only of this provider.")
@click.option("--supports", metavar="C", help="Only those known to have this capability.")
@click.option("--free", is_flag=True, help="Only those known to cost nothing.")
@click.option("--refresh", is_flag=True, help="Ask the providers, too, which models they have now.")
@json_option
def models(
    *,
    modality: str | None,
    provider: str | None,
    supports: str | None,
    free: bool,
    refresh: bool,
    as_json: bool,
) -> None:
    """
    List the models that are known.

    They are those of the plugins' tables, and those that the providers listed
    when they were last asked, with the source "live" and how long ago that was.
    With --refresh, providers that can be used are asked now.
    """
    from ..discovery import kept  # noqa: PLC0415  # the other listing needs none

    out = Stdout.taken()
    registry = Registry(Settings.load())
    check_modality(registry, modality)
    check_capability(registry, supports)
    asked_for = provider
    if provider is not None:
        provider = checked_provider(registry, provider)
    specs = {(one.spec.id, one.spec.modality): one.spec for one in registry.providers(modality)}
    rows = [
        _model(one.provider, one.modality, one.model, specs)
        for one in registry.models(modality, provider=provider, supports=supports, free=free)
    ]
    failures: tuple[AnymodalError, ...] = ()
    if refresh:
        from .live import asked  # noqa: PLC0415  # starts an event loop

        discovery = asked(registry, modality, asked_for)
        live, failures = discovery.models, discovery.failures
    else:
        live = kept(registry, asked_for, modality=modality)
    rows += _live(live, specs, supports=supports, free=free)
    MODELS.write(rows, out, as_json=as_json)
    for failure in failures:
        note(str(failure))
    tell_of_broken(registry)
    if failures:
        click.get_current_context().exit(1)


def _live(
    found: Iterable[DiscoveredModel], specs: Specs, *, supports: str | None, free: bool
) -> Iterator[Row]:
    """Give rows of those that no table has, and that the options ask for."""
    from ..discovery import age  # noqa: PLC0415  # as above

    now = dt.datetime.now(dt.UTC)
    for one in found:
        spec = specs.get((one.provider, one.modality or ""))
        able = one.model.capabilities.get(supports or "") if spec is None else None
        if one.model.listed or (free and not is_free(one.model)):
            continue
        if supports is None or able or (spec and known_to(spec, one.model, supports)):
            model = attrs.evolve(one.model, source=f"live, {age(one.found_at, now)}")
            yield _model(one.provider, one.modality, model, specs)


def _model(provider: str, modality: str | None, model: ModelSpec, specs: Specs) -> Row:
    spec = specs.get((provider, modality or ""))
    able = model.capabilities.over(spec.capabilities) if spec else model.capabilities
    return {
        "id": model.id,
        "provider": provider,
        "modality": modality,
        "capabilities": sorted(able.yes),
        "context_tokens": model.context_tokens,
        "prices": _prices(model.prices),
        "lifecycle": model.lifecycle.state,
        "retires_on": day(model.lifecycle.retires_on),
        "source": model.source or None,
    }


def _prices(found: Prices | None) -> list[Row] | None:
    if found is None:
        return None
    return [
        {
            "unit": one.unit,
            "usd": number(one.usd),
            "per": one.per,
            **{name: value for name in ("size", "quality") if (value := getattr(one, name))},
            "source": found.source,
            "as_of": day(found.as_of),
        }
        for one in found.items
    ]


# -- what the words on the command line may be ------------------------------------------------


def check_modality(registry: Registry, name: str | None) -> None:
    """Refuse a kind of work that is none; plugins are loaded only where one may have brought it."""
    if name is None or name in {one.name for one in BUILT_IN}:
        return
    _check(name, [one.name for one in registry.modalities()], "--modality", "kind of work")


def check_capability(registry: Registry, name: str | None, *, modality: str | None = None) -> None:
    """Refuse a capability that no modality, or not this one, speaks of."""
    if name is None or any(name in one.capabilities for one in BUILT_IN if one.name == modality):
        return
    spoken = [one for one in registry.modalities() if modality in {None, one.name}]
    known = sorted({word for one in spoken for word in one.capabilities})
    _check(name, known, "--needs" if modality else "--supports", "capability")


def _check(name: str, known: Iterable[str], option: str, what: str) -> None:
    known = list(known)
    if name not in known:
        msg = f"there is no {what} {name!r}; there are {', '.join(known)}."
        raise click.BadParameter(msg, param_hint=option)


def checked_provider(registry: Registry, name: str) -> str:
    """
    Return the id of the provider called *name*, which may be an instance's.

    Raises:
        AnymodalError: There is none, or its plugin does not serve.
    """
    for offer in registry.providers():
        if offer.instance == name:
            return offer.spec.id
    error = registry.explain(f"{name}/*").error
    if error is not None:
        raise error
    return name


def tell_of_broken(registry: Registry) -> None:
    """Say which plugins are missing from a listing."""
    missing = [one.label for one in registry.plugins() if one.state not in {"loaded", "blocked"}]
    if missing:
        note(f"Plugins that do not serve: {', '.join(missing)}; see anymodal doctor.")
