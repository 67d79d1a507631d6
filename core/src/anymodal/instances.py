"""A provider under each of its names, as settings have it."""

from __future__ import annotations

from collections.abc import Iterator

from .catalogue import table
from .config import Settings
from .resolution import Offer
from .scopes import Scope
from .secrets import is_ambient, missing
from .specs import ProviderSpec, ProviderT

__all__ = ["under_each_name"]


def under_each_name(
    spec: ProviderSpec[ProviderT], label: str, settings: Settings, scope: Scope
) -> Iterator[Offer]:
    """
    Give *spec* under its own id and under each instance's name.

    Args:
        spec: What a plugin offers.
        label: Distribution and version of the plugin.
        settings: What is set.
        scope: For whom.
    """
    models = table(spec, settings.models)
    names = [name for name, one in settings.instances.items() if spec.goes_by(one.provider or "")]
    if spec.id not in settings.instances:  # a name of the user's own wins over what was installed
        names.insert(0, spec.id)
    for name in names:
        said = settings.of(name)
        yield Offer(
            instance=name,
            spec=spec,
            models=models,
            plugin=label,
            enabled=_is_enabled(spec, name, settings),
            missing=_missing(spec, name, settings, scope),
            deadlines=said.deadlines(spec.deadlines),
            scope=scope,
            default_model=said.default_models.get(spec.modality) or spec.default_model,
            priority=spec.priority if said.priority is None else said.priority,
            facts=settings.models,
        )


def _is_enabled(spec: ProviderSpec[ProviderT], name: str, settings: Settings) -> bool:
    flag = settings.flags.get(spec.flag or spec.id)
    return settings.of(name).enabled is not False and flag is not False


def _missing(spec: ProviderSpec[ProviderT], name: str, settings: Settings, scope: Scope) -> str:
    """Return what has to be set before *name* can be used."""
    said = settings.of(name)
    if (said.base_url or spec.base_url) is None and spec.kind == "remote":
        return f"{name} needs an address: set base_url in {settings.section(name)}."
    lack = missing(
        spec,
        instance=name,
        given=scope.given(name, said.rest),
        environ=settings.environ,
        ambient=scope.keys is None and is_ambient(spec, name, said.base_url),
    )
    if lack and scope.keys is not None:
        return f"{name} needs a key of {scope.name}'s own: scoped(…, keys={{{name!r}: …}})."
    return str(lack) if lack else ""
