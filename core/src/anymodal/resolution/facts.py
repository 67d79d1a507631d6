"""What plugins and settings say, for names to be routed by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs

from .. import errors as e
from ..catalogue import OfferedModel, likeliest, suggestion
from ..config import Settings
from ..instances import under_each_name
from ..isolation import Plugin, Plugins
from ..modalities import BUILT_IN, Modality
from ..quarantine import Offers
from ..scopes import Scope
from ..specs import ProviderSpec
from ..vendor_options import call_options
from . import HOST, Offer

__all__ = ["Facts"]

AnySpec: TypeAlias = ProviderSpec[Any]

_CHECKED: Final = frozenset(one.name for one in BUILT_IN)


@attrs.frozen
class Facts:
    """
    The plugins, under one set of settings and for one scope.

    Plugins are loaded as they are asked for: one for the name of a provider, all
    for a listing.
    """

    plugins: Plugins
    settings: Settings
    scope: Scope

    def offers(self) -> Iterator[tuple[str, Offers]]:
        """Give what the plugins that were loaded so far offer, the host's own first."""
        for offers in self.plugins.host_offers:
            yield HOST, offers
        for plugin in self.plugins.all:
            if plugin.state == "loaded":
                yield plugin.label, plugin.offers

    def acting(self, hook: str) -> tuple[Any, ...]:
        """Return what acts by *hook*."""
        return self.plugins.acting(hook, self.settings.plugins.use)

    # -- kinds of work -----------------------------------------------------------------------

    def modalities(self) -> tuple[Modality[Any], ...]:
        """Return the nine, and those of plugins that were loaded so far."""
        return (*BUILT_IN, *(one for _, offers in self.offers() for one in offers.modalities))

    def modality(self, name: str) -> Modality[Any]:
        """
        Return the modality called *name*.

        Raises:
            InvalidRequestError: There is none.
        """
        found = {one.name: one for one in self.modalities()}
        if name not in found:
            self.plugins.load_all()
            found = {one.name: one for one in self.modalities()}
        if name not in found:
            msg = f"No modality is called {name!r}; there are {', '.join(found)}."
            raise e.InvalidRequestError(msg, field="modality")
        return found[name]

    # -- providers ---------------------------------------------------------------------------

    def providers(self, modality: str | None = None) -> tuple[Offer, ...]:
        """Return every provider under each of its names, highest priority first."""
        self.plugins.load_all()
        specs: dict[tuple[str, str], tuple[AnySpec, str]] = {}
        for label, offers in self.offers():
            for kind, some in offers.providers.items():
                for spec in some if modality in {None, kind} else ():
                    specs.setdefault((kind, spec.id), (spec, label))  # the host's come first
        found = [offer for spec, label in specs.values() for offer in self._doors(spec, label)]
        found.sort(key=lambda one: (-one.priority, one.instance, one.spec.modality))
        return tuple(found)

    def models(self, modality: str | None = None) -> Iterator[tuple[Offer, OfferedModel]]:
        """Give the models of all tables, under their providers' own ids."""
        for offer in self.providers(modality):
            if offer.instance == offer.spec.id:
                for model in offer.models:
                    if offer.allows(model):
                        kind = offer.spec.modality
                        yield (
                            offer,
                            OfferedModel(provider=offer.spec.id, modality=kind, model=model),
                        )

    def claimed(self, name: str) -> bool:
        """Whether some plugin, healthy or not, goes by *name*."""
        return any(name in plugin.candidate.names for plugin in self.plugins.all) or any(
            spec.goes_by(name)
            for offers in self.plugins.host_offers
            for specs in offers.providers.values()
            for spec in specs
        )

    def door(self, name: str, modality: str) -> Offer:
        """
        Return the provider or instance called *name*, loading that one plugin.

        Raises:
            AnymodalError: There is none that does this kind of work.
        """
        spec, label = self._spec(name, modality)
        doors = {one.instance: one for one in self._doors(spec, label)}
        return doors.get(name) or doors[spec.id]  # by an id that it used to have

    def _doors(self, spec: AnySpec, label: str) -> Iterator[Offer]:
        for offer in under_each_name(spec, label, self.settings, self.scope):
            if offer.options and spec.modality not in _CHECKED:  # they could not be read before
                kind = self.modality(spec.modality)
                checked = call_options(kind, offer.options, offer.instance)
                yield attrs.evolve(offer, options=checked)
            else:
                yield offer

    def _spec(self, name: str, modality: str) -> tuple[AnySpec, str]:
        """Load the one plugin that serves *name*, and return its spec for *modality*."""
        provider = name
        if name in self.settings.instances:
            provider = self.settings.instances[name].provider or name
        for offers in self.plugins.host_offers:
            for spec in offers.providers.get(modality, ()):
                if spec.goes_by(provider):
                    return spec, HOST
        declared = [one for one in self.plugins.all if provider in one.candidate.names]
        for plugin in declared:
            if provider in plugin.ids:
                self.plugins.load(plugin)
                for spec in plugin.offers.providers.get(modality, ()):
                    if spec.goes_by(provider):
                        return spec, plugin.label
        raise self._unserved(name, provider, modality, declared)

    # -- words for errors ----------------------------------------------------------------------

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
            for _, offers in self.offers()
            for kind, specs in offers.providers.items()
            if any(spec.goes_by(provider) for spec in specs)
        )
        what = f"; it offers {', '.join(offered)}" if offered else ""
        return e.UnknownProviderError(f"{provider} offers no {modality}{what}.")

    def unknown(self, name: str, modality: str) -> e.AnymodalError:
        """Return the error of a name that nobody has, with what may have been meant."""
        first, slash, _ = name.partition("/")
        if hint := suggestion(first):
            return e.UnknownProviderError(f"No plugin for {first!r} is installed.{hint}")
        instances = [one.instance for one in self.providers(modality)]
        hint = likeliest(name, [model for _, model in self.models(modality)], instances)
        if not self.settings.plugins.autoload:
            hint += " Plugins are not looked for: ANYMODAL_NO_AUTOLOAD or [plugins] autoload."
        if broken := [one.label for one in self.plugins.all if not one.ids]:
            hint += f" Plugins that do not serve: {', '.join(broken)}; see anymodal doctor."
        what = f"provider is called {first!r}" if slash else f"model is called {name!r}"
        cls = e.UnknownProviderError if slash else e.UnknownModelError
        return cls(f"No {modality} {what}.{hint}")
