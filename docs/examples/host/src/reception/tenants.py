"""The host's own plugin system: who its tenants are, plugins of the host's say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs
import pluggy

__all__ = ["Tenant", "hookimpl", "tenancy", "tenants_of"]

hookspec = pluggy.HookspecMarker("reception")
hookimpl = pluggy.HookimplMarker("reception")


@attrs.frozen(kw_only=True)
class Tenant:
    """
    A company that is served.

    Attributes:
        name: Lower-case words joined by hyphens.
        token: By which its requests are known.
        keys: Of its own, by provider; with none, nothing remote serves it.
        usd: What it may spend, in all.
        allow: Patterns of what it may use; None for everything.
        plan: A tag on every call.
    """

    name: str
    token: str = attrs.field(repr=False)
    keys: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    usd: Decimal = Decimal(10)
    allow: tuple[str, ...] | None = None
    plan: str = "free"


@hookspec
def reception_tenants() -> Iterable[Tenant]:  # type: ignore[empty-body]  # a specification
    """Name tenants. Asked once, when the reception opens."""


def tenancy(*plugins: object) -> pluggy.PluginManager:
    """Return the host's own manager; it is no business of anymodal's."""
    manager = pluggy.PluginManager("reception")
    manager.add_hookspecs(sys.modules[__name__])
    for plugin in plugins:
        manager.register(plugin)
    manager.check_pending()
    return manager


def tenants_of(manager: pluggy.PluginManager) -> dict[str, Tenant]:
    """
    Return the tenants by their tokens.

    Raises:
        ValueError: Two have one name or one token.
    """
    every = [one for some in manager.hook.reception_tenants() for one in some]
    found = {one.token: one for one in every}
    if len(found) < len(every) or len({one.name for one in every}) < len(every):
        msg = "two tenants share a name or a token"
        raise ValueError(msg)
    return found
