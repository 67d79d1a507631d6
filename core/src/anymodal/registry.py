"""What is installed and configured, and who serves a name."""

from __future__ import annotations

import copy
import importlib
import threading
import weakref
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from . import errors as e
from .catalogue import OfferedModel, is_free
from .config import Settings
from .index import Distribution, installed
from .isolation import Plugin, Plugins
from .modalities import Modality
from .resolution import Decision, Offer, Query
from .resolution.facts import Facts
from .scopes import Scope
from .specs import supports as known_to
from .trust import candidates

if TYPE_CHECKING:
    from .resolution.best import Best

__all__ = ["OfferedModel", "Registry"]


class Watcher(Protocol):
    """Who is told that other plugins than before are there."""

    def look_again(self, touched: Collection[str]) -> None:
        """Go by what is there now; *touched* are ids that a host's plugin came or went with."""


class _Installed:
    """Plugins that several registries share, and who remembers something of them."""

    def __init__(self) -> None:
        self.hosts: tuple[object, ...] = ()
        self.plugins: Plugins
        self.changing = threading.Lock()
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
        self._watching = threading.Lock()  # who begins to watch does not wait for who changes

    def watch(self, watcher: Watcher) -> None:
        """Have *watcher* told from now on."""
        with self._watching:
            self._watchers.add(watcher)

    def tell(self, touched: Collection[str]) -> None:
        """Tell all watchers."""
        with self._watching:
            watchers = tuple(self._watchers)
        for one in watchers:
            one.look_again(touched)

    def ids_of(self, host: object) -> frozenset[str]:
        """Return the ids of the providers that *host* offers, if it is one of the host's own."""
        known = zip(self.hosts, self.plugins.host_offers, strict=True) if self.hosts else ()
        found = (offers.providers.values() for one, offers in known if one is host)
        return frozenset(spec.id for kinds in found for some in kinds for spec in some)


class Registry:
    """
    The installed plugins, under one set of settings.

    Two registries with different settings live side by side in one process.

    Args:
        settings: By default what the files and the environment say.
        plugins: Objects with hooks that the host brings itself, for tests or
            for applications with providers of their own; see `register`.
        distributions: What is installed; by default what is found on `sys.path`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        plugins: Sequence[object] = (),
        distributions: Sequence[Distribution] | None = None,
    ) -> None:
        self.settings = settings if settings is not None else Settings.load()
        self._distributions = distributions
        self._installed = _Installed()
        self.scope = Scope()
        self._look_up(tuple(plugins))

    def under(self, settings: Settings, scope: Scope) -> Registry:
        """Return a registry of the same plugins, loaded once for both, as *scope* has them."""
        found = copy.copy(self)
        found.settings, found.scope = settings, scope
        return found

    @property
    def _plugins(self) -> Plugins:
        return self._installed.plugins

    @property
    def _facts(self) -> Facts:
        return Facts(self._plugins, self.settings, self.scope)

    # -- what is there ------------------------------------------------------------------

    def reload(self) -> None:
        """
        Look again at what is installed. What was imported before stays imported.

        Clients of this registry go by it from their next call on: a name may lead
        elsewhere, and a provider that is gone or is another than before is no longer
        called through the connection that there was. Calls under way end as they would.
        """
        with self._installed.changing:
            self._look_up(self._installed.hosts)

    def register(self, plugin: object) -> None:
        """
        Add an object with hooks of the host's own, in force at once.

        It stays until `unregister`, also over `reload`. What it has that acts unasked,
        such as observers, acts in clients that are entered or reloaded after this.

        Raises:
            BrokenPluginError: It cannot be used; nothing has changed then.
            ConfigurationError: It is registered already.
        """
        with self._installed.changing:
            hosts = self._installed.hosts
            if any(one is plugin for one in hosts):
                msg = f"The plugin {type(plugin).__name__} is registered already."
                raise e.ConfigurationError(msg)
            self._look_up((*hosts, plugin), plugin)

    def unregister(self, plugin: object) -> None:
        """
        Take an object of the host's own away; calls under way end as they would.

        Raises:
            ConfigurationError: It is not registered.
        """
        with self._installed.changing:
            hosts = self._installed.hosts
            left = tuple(one for one in hosts if one is not plugin)
            if len(left) == len(hosts):
                msg = f"The plugin {type(plugin).__name__} is not registered."
                raise e.ConfigurationError(msg)
            self._look_up(left, plugin)

    def _look_up(self, hosts: tuple[object, ...], changed: object = None) -> None:
        importlib.invalidate_caches()
        found, rules = self._distributions, self.settings.plugins
        if found is None:
            found = installed() if rules.autoload else ()
        plugins = Plugins(candidates(found, rules), hosts)
        touched = self._installed.ids_of(changed)
        self._installed.plugins, self._installed.hosts = plugins, hosts
        touched |= self._installed.ids_of(changed)
        self._installed.tell(touched)

    def watch(self, watcher: Watcher) -> None:
        """Have *watcher* told when other plugins than before are there, for as long as it lives."""
        self._installed.watch(watcher)

    @property
    def manager(self) -> pluggy.PluginManager:
        """
        Everything healthy in one hook manager, for calling hooks and looking around.

        It is another one after `reload`, `register` and `unregister`; a plugin that is
        registered in it, and not here, takes part in its hook calls alone.
        """
        self._plugins.load_all()
        return self._plugins.manager

    # -- listings ---------------------------------------------------------------------

    def plugins(self) -> tuple[Plugin, ...]:
        """Return every declared plugin, loaded or with the reason why not."""
        return tuple(self._plugins.load_all())

    def modalities(self) -> tuple[Modality[Any], ...]:
        """Return the nine, and those that plugins bring."""
        self._plugins.load_all()
        return self._facts.modalities()

    def providers(self, modality: str | None = None) -> tuple[Offer, ...]:
        """
        Return every provider under each of its names, highest priority first.

        Args:
            modality: Only those of this kind of work.
        """
        return self._facts.providers(modality)

    def models(
        self,
        modality: str | None = None,
        *,
        provider: str | None = None,
        supports: str | None = None,
        free: bool = False,
    ) -> tuple[OfferedModel, ...]:
        """
        Return the models of all tables.

        Args:
            modality: Only for this kind of work.
            provider: Only this provider's.
            supports: Only those known to have this capability.
            free: Only those known to cost nothing.
        """
        return tuple(
            one
            for offer, one in self._facts.models(modality)
            if provider in {None, one.provider}
            and (supports is None or known_to(offer.spec, one.model, supports))
            and (not free or is_free(one.model))
        )

    def offers_of(self, what: str) -> tuple[Any, ...]:
        """Return all `emulators` or all `commands` that plugins offer."""
        self._plugins.load_all()
        return tuple(one for _, offers in self._facts.offers() for one in getattr(offers, what))

    def acting(self, hook: str) -> tuple[Any, ...]:
        """
        Return the objects that act unasked, by one of the hooks for these.

        Those of the plugins that `[plugins] use` names come first, in that order; then
        the host's own.

        Raises:
            SettingsError: A name is no plugin's, or of one that never acts.
            PluginError: A plugin that is named does not serve.
        """
        return self._facts.acting(hook)

    # -- from names to providers ----------------------------------------------------------

    def resolve(
        self,
        name: str | Best | None,
        modality: str,
        needs: Iterable[str] = (),
        *,
        action: str = "",
        voice: str = "",
    ) -> Decision:
        """
        Return who serves *name*; the arguments are those of `explain`.

        Raises:
            AnymodalError: Nobody does; the error says why and what to do.
        """
        decision = self.explain(name, modality=modality, needs=needs, action=action, voice=voice)
        if decision.error is not None:
            raise decision.error
        return decision

    def explain(
        self,
        name: str | Best | None,
        *,
        modality: str = "text",
        needs: Iterable[str] = (),
        action: str = "",
        voice: str = "",
    ) -> Decision:
        """
        Return how *name* is routed: every candidate, why it was refused, who wins.

        Args:
            name: `provider/model`, `instance/model`, `provider` alone, a bare
                model name, an alias, or `best(...)`; None for the default.
            modality: The kind of work.
            needs: Capabilities that must not be known to be missing.
            action: The capability that the operation itself is, such as `live`.
            voice: A voice, `provider/voice` or bare, where the work has voices.
        """
        from .resolution.best import Best  # noqa: PLC0415  # a listing routes nothing
        from .resolution.routing import Routing  # noqa: PLC0415  # as above

        wanted, name = (name, "") if isinstance(name, Best) else (None, name or "")
        query = Query(name=name, modality=modality, needs=tuple(needs), action=action, voice=voice)
        return Routing(self._facts).decide(query, wanted)

    def served(self, name: str) -> tuple[tuple[Modality[Any], Decision], ...]:
        """
        Return the kinds of work in which somebody serves *name*, and how it is routed there.

        A provider alone is served even where it has no default model.

        Raises:
            AnymodalError: Nobody does, in any.
        """
        first = self.explain(name)  # loads the plugin, which may bring a modality
        facts = self._facts
        found = [(one, self.explain(name, modality=one.name)) for one in facts.modalities()]
        served = tuple(pair for pair in found if pair[1].error is None)
        if not served and first.error is not None:
            if name in self.settings.instances or facts.claimed(name):
                return self.served(f"{name}/any")
            errors = (decision.error for _, decision in found)
            hopeful = (one for one in errors if isinstance(one, e.MissingCredentialsError))
            raise next(hopeful, first.error)
        return served
