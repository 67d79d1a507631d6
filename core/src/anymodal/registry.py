"""What is installed and configured, and who serves a name."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from . import errors as e
from .catalogue import OfferedModel, find, is_free, likeliest, suggestion
from .config import Settings
from .index import Distribution, installed
from .instances import under_each_name
from .isolation import Offers, Plugin, Plugins
from .modalities import BUILT_IN, Modality
from .resolution import Decision, Offer, Row, decided, refusal
from .resolution.table import by_table
from .scopes import Scope
from .specs import ModelSpec, ProviderSpec
from .specs import supports as known_to
from .trust import candidates

__all__ = ["OfferedModel", "Registry"]

AnySpec = ProviderSpec[Any]


class _Installed:
    """Plugins that several registries share."""

    plugins: Plugins


class Registry:
    """
    The installed plugins, under one set of settings.

    Two registries with different settings live side by side in one process.

    Args:
        settings: By default what the files and the environment say.
        plugins: Objects with hooks that the host brings itself, for tests or
            for applications with providers of their own.
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
        self._hosts = tuple(plugins)
        self._distributions = distributions
        self._installed = _Installed()
        self.scope = Scope()
        self.reload()

    def under(self, settings: Settings, scope: Scope) -> Registry:
        """Return a registry of the same plugins, loaded once for both, as *scope* has them."""
        found = copy.copy(self)
        found.settings, found.scope = settings, scope
        return found

    @property
    def _plugins(self) -> Plugins:
        return self._installed.plugins

    def reload(self) -> None:
        """Look again at what is installed. What was imported before stays imported."""
        importlib.invalidate_caches()
        found = self._distributions
        if found is None:
            found = installed() if self.settings.plugins.autoload else ()
        rules = self.settings.plugins
        self._installed.plugins = Plugins(candidates(found, rules), self._hosts)

    # -- listings ---------------------------------------------------------------------

    def plugins(self) -> tuple[Plugin, ...]:
        """Return every declared plugin, loaded or with the reason why not."""
        return tuple(self._plugins.load_all())

    def modalities(self) -> tuple[Modality[Any], ...]:
        """Return the nine, and those that plugins bring."""
        self._plugins.load_all()
        return self._known_modalities()

    def _known_modalities(self) -> tuple[Modality[Any], ...]:
        """Return the nine, and those of plugins that were loaded so far."""
        return (*BUILT_IN, *(one for _, offers in self._offers() for one in offers.modalities))

    def providers(self, modality: str | None = None) -> tuple[Offer, ...]:
        """
        Return every provider under each of its names, highest priority first.

        Args:
            modality: Only those of this kind of work.
        """
        self._plugins.load_all()
        specs: dict[tuple[str, str], tuple[AnySpec, str]] = {}
        for label, offers in self._offers():
            for kind, some in offers.providers.items():
                for spec in some if modality in {None, kind} else ():
                    specs.setdefault((kind, spec.id), (spec, label))  # the host's come first
        found = [
            offer
            for spec, label in specs.values()
            for offer in under_each_name(spec, label, self.settings, self.scope)
        ]
        found.sort(key=lambda one: (-self._priority(one), one.instance, one.spec.modality))
        return tuple(found)

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
            OfferedModel(provider=offer.spec.id, modality=offer.spec.modality, model=model)
            for offer in self.providers(modality)
            if offer.instance == offer.spec.id and provider in {None, offer.spec.id}
            for model in offer.models
            if (supports is None or known_to(offer.spec, model, supports))
            and (not free or is_free(model))
            and offer.allows(model)
        )

    def offers_of(self, what: str) -> tuple[Any, ...]:
        """Return all `emulators` or all `commands` that plugins offer."""
        self._plugins.load_all()
        return tuple(one for _, offers in self._offers() for one in getattr(offers, what))

    def acting(self, hook: str) -> tuple[Any, ...]:
        """
        Return the objects that act unasked, by one of the hooks for these.

        Those of the plugins that `[plugins] use` names come first, in that order; then
        the host's own.

        Raises:
            SettingsError: A name is no plugin's, or of one that never acts.
            PluginError: A plugin that is named does not serve.
        """
        return self._plugins.acting(hook, self.settings.plugins.use)

    def _offers(self) -> Iterator[tuple[str, Offers]]:
        for offers in self._plugins.host_offers:
            yield "host", offers
        for plugin in self._plugins.all:
            if plugin.state == "loaded":
                yield plugin.label, plugin.offers

    # -- from names to providers ----------------------------------------------------------

    def resolve(self, name: str | None, modality: str, needs: Sequence[str] = ()) -> Decision:
        """
        Return who serves *name*.

        Args:
            name: `provider/model`, `instance/model`, `provider` alone, a bare
                model name, an alias; or None for the default.
            modality: The kind of work.
            needs: Capabilities that must not be known to be missing.

        Raises:
            AnymodalError: Nobody does; the error says why and what to do.
        """
        if (decision := self.explain(name, modality=modality, needs=needs)).error is not None:
            raise decision.error
        return decision

    def explain(
        self, name: str | None, *, modality: str = "text", needs: Sequence[str] = ()
    ) -> Decision:
        """Return how *name* is routed: every candidate, why it was refused, who wins."""
        return self._decided(name, modality, needs, ())

    def served(self, name: str) -> tuple[tuple[Modality[Any], Decision], ...]:
        """
        Return the kinds of work in which somebody serves *name*, and how it is routed there.

        A provider alone is served even where it has no default model.

        Raises:
            AnymodalError: Nobody does, in any.
        """
        first = self.explain(name)  # loads the plugin, which may bring a modality
        found = [(one, self.explain(name, modality=one.name)) for one in self._known_modalities()]
        served = tuple(pair for pair in found if pair[1].error is None)
        if not served and first.error is not None:
            if name in self.settings.instances or self._claimed(name):
                return self.served(f"{name}/any")
            errors = (decision.error for _, decision in found)
            hopeful = (one for one in errors if isinstance(one, e.MissingCredentialsError))
            raise next(hopeful, first.error)
        return served

    def _decided(
        self, name: str | None, modality: str, needs: Sequence[str], seen: tuple[str, ...]
    ) -> Decision:
        try:
            self._check_modality(modality)
            if name is None:
                return self._default(modality, needs)
            if name in self.settings.aliases:
                return self._alias(name, modality, needs, seen)
            first, _, rest = name.partition("/")
            if first in self.settings.instances or self._claimed(first):
                return self._exact(name, first, rest, modality, needs)
            decision = by_table(name, modality, self.providers(modality), needs)
        except e.AnymodalError as error:
            return Decision(name=name or "", modality=modality, strategy="none", error=error)
        if isinstance(decision.error, e.UnknownModelError):
            return attrs.evolve(decision, error=self._unknown(name, modality))
        return decision

    def _check_modality(self, name: str) -> None:
        if name in {one.name for one in self._known_modalities()}:
            return
        known = [one.name for one in self.modalities()]
        if name not in known:
            msg = f"No modality is called {name!r}; there are {', '.join(known)}."
            raise e.InvalidRequestError(msg, field="modality")

    def _alias(
        self, name: str, modality: str, needs: Sequence[str], seen: tuple[str, ...]
    ) -> Decision:
        """Return who serves each of the targets, as one; names that nobody serves are left out."""
        if name in seen:
            msg = f"aliases: {' -> '.join((*seen, name))} goes round in a circle."
            raise e.SettingsError([msg])
        parts = [
            self._decided(target, modality, needs, (*seen, name))
            for target in self.settings.aliases[name]
        ]
        rows = {(row.offer.instance, row.model.id): row for part in parts for row in part.winners}
        return Decision(
            name=name,
            modality=modality,
            strategy="alias",
            rows=tuple(row for part in parts for row in part.rows),
            winners=tuple(rows.values()),
            error=None if rows else parts[0].error,
        )

    def _default(self, modality: str, needs: Sequence[str]) -> Decision:
        if name := self.settings.defaults.get(modality):
            decision = self._decided(name, modality, needs, ())
            return attrs.evolve(decision, strategy=f"default, {decision.strategy}")
        rows = [
            Row(offer=offer, model=model, refused=refusal(offer, model, needs))
            for offer in self.providers(modality)
            if (model := self._default_model(offer)) is not None
        ]
        decision = decided("", modality, "default", rows)
        if decision.winners:
            return decision
        msg = (
            f"No {modality} model was named, and there is no default. Pass model=..., or "
            f'set [defaults] {modality} = "provider/model".'
        )
        if any(not row.refused for row in rows):
            return attrs.evolve(decision, error=e.AmbiguousNameError(msg))
        missing = decision.error if isinstance(decision.error, e.MissingCredentialsError) else None
        return attrs.evolve(decision, error=missing or e.UnknownProviderError(msg))

    def _exact(
        self, name: str, first: str, rest: str, modality: str, needs: Sequence[str]
    ) -> Decision:
        spec, label = self._spec(first, modality)
        offer = next(
            one
            for one in under_each_name(spec, label, self.settings, self.scope)
            if one.instance == first
        )
        model = find(spec, rest, self.settings.models) if rest else self._default_model(offer)
        if model is None:
            msg = f"{first} has no default model. Say which: {first}/..."
            raise e.UnknownModelError(msg)
        row = Row(offer=offer, model=model, refused=refusal(offer, model, needs))
        return decided(name, modality, "exact", [row])

    def _default_model(self, offer: Offer) -> ModelSpec | None:
        wanted = self.settings.of(offer.instance).default_models.get(offer.spec.modality)
        name = wanted or offer.spec.default_model
        return find(offer.spec, name, self.settings.models) if name else None

    def _priority(self, offer: Offer) -> int:
        said = self.settings.of(offer.instance).priority
        return offer.spec.priority if said is None else said

    def _claimed(self, name: str) -> bool:
        """Whether some plugin, healthy or not, goes by *name*."""
        return any(name in plugin.candidate.names for plugin in self._plugins.all) or any(
            spec.id == name
            for offers in self._plugins.host_offers
            for specs in offers.providers.values()
            for spec in specs
        )

    def _spec(self, name: str, modality: str) -> tuple[AnySpec, str]:
        """Load the one plugin that serves *name*, and return its spec for *modality*."""
        provider = name
        if name in self.settings.instances:
            provider = self.settings.instances[name].provider or name
        for offers in self._plugins.host_offers:
            for spec in offers.providers.get(modality, ()):
                if spec.id == provider:
                    return spec, "host"
        declared = [one for one in self._plugins.all if provider in one.candidate.names]
        for plugin in declared:
            if provider in plugin.ids:
                self._plugins.load(plugin)
                for spec in plugin.offers.providers.get(modality, ()):
                    if spec.id == provider:
                        return spec, plugin.label
        raise self._unserved(name, provider, modality, declared)

    def _unserved(
        self, name: str, provider: str, modality: str, declared: Sequence[Plugin]
    ) -> e.AnymodalError:
        for plugin in declared:
            if plugin.error is not None and provider not in plugin.ids:
                return plugin.error.again()
        if not declared and name != provider:
            msg = f"[instances.{name}] names the provider {provider!r}, which is not installed."
            return e.UnknownProviderError(msg + suggestion(provider))
        offered = sorted(
            kind
            for _, offers in self._offers()
            for kind, specs in offers.providers.items()
            if any(spec.id == provider for spec in specs)
        )
        what = f"; it offers {', '.join(offered)}" if offered else ""
        return e.UnknownProviderError(f"{provider} offers no {modality}{what}.")

    # -- words for errors -------------------------------------------------------------------

    def _unknown(self, name: str, modality: str) -> e.AnymodalError:
        first, slash, _ = name.partition("/")
        if hint := suggestion(first):
            return e.UnknownProviderError(f"No plugin for {first!r} is installed.{hint}")
        instances = [one.instance for one in self.providers(modality)]
        hint = likeliest(name, self.models(modality), instances)
        if not self.settings.plugins.autoload:
            hint += " Plugins are not looked for: ANYMODAL_NO_AUTOLOAD or [plugins] autoload."
        if broken := [one.label for one in self._plugins.all if not one.ids]:
            hint += f" Plugins that do not serve: {', '.join(broken)}; see anymodal doctor."
        what = f"provider is called {first!r}" if slash else f"model is called {name!r}"
        cls = e.UnknownProviderError if slash else e.UnknownModelError
        return cls(f"No {modality} {what}.{hint}")
