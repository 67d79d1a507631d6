"""Changing what is set while a client is open."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from .config import Settings
from .errors import InvalidRequestError
from .modalities import Modality
from .overlay import Overlay
from .registry import Registry
from .scopes import Key, Scope
from .secrets import SecretSource, checked_sources
from .way import Way

__all__ = ["Changeable"]


class Changeable(ABC):
    """
    Base of `Client`: settings, instances and defaults that change under it.

    A change is worked out for the client and all of its tenants first, and then
    goes into force; what is wrong with it is raised before.

    Attributes:
        registry: What is installed and set.
    """

    def __init__(self, registry: Registry, way: Way, secrets: Iterable[SecretSource]) -> None:
        self.registry = registry
        self._way = way
        self._secrets: Sequence[SecretSource] = checked_sources(secrets)
        self._overlay = Overlay(base=registry.settings, base_scope=registry.scope)
        self._narrowed: Callable[[Settings, Scope], tuple[Settings, Scope]]  # of a tenant
        self._is_entered = False
        self._parent: Changeable | None = None
        self._children: set[Changeable] = set()

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections."""

    def register(
        self,
        name: str,
        *,
        provider: str,
        api_key: Key | None = None,
        base_url: str | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """
        Add an instance: a further door to a provider, as `[instances.X]` is.

        Tenants have it too. It stays until `unregister`, also over `reload`.

        Args:
            name: The instance's, in lower-case words joined by hyphens.
            provider: Id of an installed provider.
            api_key: The key itself, a `Secret`, or an async function; no reference to
                one, because strangers may have typed it.
            base_url: Where it is reached; the vendor's own address where None.
            settings: Every other key of `[instances.X]`; references count here.

        Raises:
            UnknownProviderError: No installed plugin offers *provider*.
            ConfigurationError: There is such an instance; a key is missing; or a setting
                is wrong.
        """
        overlay = self._overlay.registered(name, provider, api_key, base_url, settings or {})
        changes = self._changes(overlay)
        self.registry.under(overlay.settings, overlay.scope).served(name)
        self._adopt(changes)

    def unregister(self, name: str) -> None:
        """
        Take an instance that was registered away; calls under way end as they would.

        Raises:
            ConfigurationError: It was not registered.
        """
        self._adopt(self._changes(self._overlay.unregistered(name)))

    def set_default(self, modality: Modality[Any] | str, name: str | None) -> None:
        """
        Set what calls use that name no model; it stays over `reload`.

        Args:
            modality: The kind of work.
            name: A model, a provider, an instance or an alias; None for what the
                settings say.

        Raises:
            AnymodalError: Nobody serves *name*; the error says why and what to do.
        """
        kind = modality if isinstance(modality, str) else modality.name
        error = self.registry.explain(name, modality=kind).error
        if error is not None and (name is not None or isinstance(error, InvalidRequestError)):
            raise error
        self._adopt(self._changes(self._overlay.with_default(kind, name)))

    def reload(self) -> None:
        """
        Read settings again where they were read from, and look again at what is installed.

        Connections of instances whose settings have changed are made anew by the next
        call; calls under way end on the old ones. What was registered stays. Of a
        tenant, this reloads the client that it belongs to.

        Raises:
            SettingsError: Something in the files is wrong; every fault is listed.
                Nothing has changed then.
            PluginError: A plugin that the settings name cannot act; likewise.
        """
        if self._parent is not None:
            self._parent.reload()
            return
        overlay = attrs.evolve(self._overlay, base=self._overlay.base.reloaded())
        changes = self._changes(overlay)
        registry = self.registry.under(overlay.settings, overlay.scope)
        registry.reload()
        if self._is_entered:
            registry.acting("anymodal_secrets")  # says now what cannot act
        self._adopt(changes)
        for client, _ in changes:
            if client._way.doors.is_open:  # noqa: SLF001  # its own class
                client._engage(client._parent)  # noqa: SLF001  # as above

    async def rotate(self, *names: str) -> frozenset[str]:
        """
        Look keys up again, and use the new ones from now on.

        This happens by itself where a vendor refuses a key. Calls under way end with
        the key that they began with.

        Args:
            names: Instances, or providers by their ids; all where there are none.

        Returns:
            Those whose keys are others than before.
        """
        found = await self._way.doors.rotate(names)
        for child in tuple(self._children):
            found |= await child.rotate(*names)
        return found

    def _changes(self, overlay: Overlay) -> list[Change]:
        """Return what this client and its tenants would go by; what is wrong is raised."""
        settings, scope = overlay.settings, overlay.scope
        found: list[Change] = [(self, overlay)]
        for child in self._children:
            narrow, own = child._narrowed(settings, scope)  # noqa: SLF001  # its own class
            below = attrs.evolve(child._overlay, base=narrow, base_scope=own)  # noqa: SLF001  # as above
            found += child._changes(below)  # noqa: SLF001  # as above
        return found

    def _adopt(self, changes: Iterable[Change]) -> None:
        for client, overlay in changes:
            client._go_by(overlay)  # noqa: SLF001  # its own class

    def _go_by(self, overlay: Overlay) -> None:
        self._overlay = overlay
        held = self.registry
        if overlay.settings is not held.settings or overlay.scope is not held.scope:
            self.registry = self._way.registry = held.under(overlay.settings, overlay.scope)
        self._way.doors.adopt(overlay.settings, overlay.scope)
        self._way.forget()

    def _engage(self, parent: Changeable | None) -> None:
        """Have those act whom the settings name, and the host's."""
        self._way.engage()
        if parent is not None:
            self._way.doors.sources = parent._way.doors.sources  # noqa: SLF001  # its own class
        else:
            named = checked_sources(self.registry.acting("anymodal_secrets"))
            self._way.doors.sources = (*self._secrets, *named)


Change: TypeAlias = tuple[Changeable, Overlay]
