"""What one tenant of a client may use, and with whose keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

import attrs

from . import errors as e
from .config import InstanceSettings, PluginSettings, Settings
from .sections import REFERENCES
from .specs import Secret

__all__ = ["Key", "Scope", "key_of", "narrowed"]

Key: TypeAlias = str | Secret | Callable[[], Awaitable[str]]
"""A key itself, or an async function that is asked for it at every request."""


@attrs.frozen(kw_only=True)
class Scope:
    """
    A tenant; without a name it is the client itself.

    Attributes:
        name: What records call it. That of a tenant's tenant has a slash in it.
        tags: What is added to the tags of every call.
        keys: The only credentials that are used, by provider or instance; None
            where those of the settings and of the environment are.
        allow: Lists of patterns; in each of them one has to match.
    """

    name: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict)
    keys: Mapping[str, Mapping[str, object]] | None = attrs.field(default=None, repr=False)
    allow: tuple[tuple[str, ...], ...] = ()

    def allows(self, instance: str, model: str) -> bool:
        """Whether *model* may be used through *instance*."""
        names = (instance, f"{instance}/{model}")
        return all(
            any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
            for patterns in self.allow
        )

    def given(self, instance: str, settings: Mapping[str, object]) -> Mapping[str, object]:
        """Return what is set of credentials for *instance*, of whose *settings* they may be."""
        return settings if self.keys is None else self.keys.get(instance, {})


def narrowed(
    settings: Settings,
    scope: Scope,
    name: str,
    *,
    keys: Mapping[str, Key | Mapping[str, Key]] | None,
    over: Mapping[str, object],
    tags: Mapping[str, str],
    allow: Iterable[str] | None,
) -> tuple[Settings, Scope]:
    """
    Return *settings* and *scope* as they are for the tenant *name*; see `Client.scoped`.

    Raises:
        ConfigurationError: An argument is wrong, or a key would go astray.
    """
    if not isinstance(name, str) or not name:
        msg = f"name: that of a tenant is needed, not {name!r}."
        raise e.ConfigurationError(msg)
    said = Settings.layer(over, on=settings, name=f"the settings of {name}")
    if said.plugins != PluginSettings():
        msg = f"{name}: [plugins] are shared with the client; set them there."
        raise e.ConfigurationError(msg)
    if said.store is not None:
        msg = f"{name}: the [store] is shared with the client; each tenant has a room of its own."
        raise e.ConfigurationError(msg)
    own = {kind: one.rest for kind, one in {**said.providers, **said.instances}.items() if one.rest}
    if keys is not None:
        sealed: Mapping[str, Mapping[str, object]] | None = _merged(own, _checked(name, keys))
    else:
        _check_addresses(name, settings, scope, said)
        sealed = None if scope.keys is None else _merged(scope.keys, own)
    return settings.merged(said), Scope(
        name=f"{scope.name}/{name}".lstrip("/"),
        tags={**scope.tags, **tags},
        keys=sealed,
        allow=scope.allow if allow is None else (*scope.allow, _patterns(name, allow)),
    )


def _merged(
    first: Mapping[str, Mapping[str, object]], then: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    return {name: {**first.get(name, {}), **then.get(name, {})} for name in {**first, **then}}


def _checked(
    tenant: str, keys: Mapping[str, Key | Mapping[str, Key]]
) -> dict[str, dict[str, object]]:
    """Return credentials by name; a bare one is the `api_key`."""
    found: dict[str, dict[str, object]] = {}
    for instance, given in keys.items():
        each = given if isinstance(given, Mapping) else {"api_key": given}
        found[instance] = {
            name: key_of(value, f"{tenant}: keys[{instance!r}] {name}")
            for name, value in each.items()
        }
    return found


def key_of(value: Key, where: str) -> object:
    """
    Return a key, which a stranger may have typed: nothing is looked up or run for it.

    Raises:
        ConfigurationError: It refers to something.
    """
    if not isinstance(value, str):
        return value
    if value.startswith(REFERENCES):
        msg = f"{where}: a key itself is needed here; references belong into settings."
        raise e.ConfigurationError(msg)
    return Secret(value)


def _patterns(tenant: str, allow: Iterable[str]) -> tuple[str, ...]:
    found = () if isinstance(allow, str) else tuple(allow)
    if isinstance(allow, str) or not all(isinstance(one, str) for one in found):
        msg = f"{tenant}: allow: a list of patterns is needed, such as ['acme/*', 'work']."
        raise e.ConfigurationError(msg)
    return found


def _check_addresses(tenant: str, settings: Settings, scope: Scope, said: Settings) -> None:
    """Refuse to send a key of the parent's where the tenant's settings point."""
    unset = InstanceSettings()
    for name, one in {**said.providers, **said.instances}.items():
        before = settings.instances.get(name, settings.providers.get(name, unset))
        moves = one.base_url not in {None, before.base_url}
        moves |= one.provider not in {None, before.provider} and before is not unset
        if moves and scope.given(name, before.rest):
            msg = (
                f"{tenant}: its settings give {name} another address, and the client's keys stay "
                f"with the client. Pass keys={{{name!r}: …}} as well."
            )
            raise e.ConfigurationError(msg)
