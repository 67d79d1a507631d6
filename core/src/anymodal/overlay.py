"""What a host sets while its client is open, over the settings that the client began with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import attrs

from . import errors as e
from .config import Settings
from .scopes import Key, Scope, key_of

__all__ = ["Overlay"]


@attrs.frozen(kw_only=True, eq=False)
class Overlay:
    """
    Settings, and what was set over them.

    Attributes:
        base: What the files and the environment said, or the host at first.
        base_scope: For whom.
        instances: Those that were registered, in the shape of the file.
        defaults: Names by modality.
    """

    base: Settings
    base_scope: Scope
    instances: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict, repr=False)
    defaults: Mapping[str, str] = attrs.field(factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """
        What holds.

        Raises:
            SettingsError: What was set does not go with the base.
        """
        said: dict[str, object] = {}
        if self.instances:
            said["instances"] = self.instances
        if self.defaults:
            said["defaults"] = self.defaults
        if not said:
            return self.base
        return self.base.merged(Settings.layer(said, on=self.base, name="register"))

    @cached_property
    def scope(self) -> Scope:
        """For whom it holds; keys that were registered are a tenant's own."""
        scope = self.base_scope
        if scope.keys is None or not self.instances:
            return scope
        own = {name: self.settings.instances[name].rest for name in self.instances}
        return attrs.evolve(scope, keys={**scope.keys, **own})

    def registered(
        self,
        name: str,
        provider: str,
        api_key: Key | None,
        base_url: str | None,
        further: Mapping[str, object],
    ) -> Overlay:
        """
        Return this with an instance more, see `Client.register`.

        Raises:
            ConfigurationError: There is such an instance already.
            SettingsError: A setting is wrong.
        """
        if name in self.settings.instances:
            msg = f"There is an instance {name!r} already; unregister it first."
            raise e.ConfigurationError(msg)
        said: dict[str, object] = {**further, "provider": provider}
        if api_key is not None:
            said["api_key"] = key_of(api_key, f"register({name!r}): api_key")
        if base_url is not None:
            said["base_url"] = base_url
        return attrs.evolve(self, instances={**self.instances, name: said})

    def unregistered(self, name: str) -> Overlay:
        """
        Return this without the instance *name*.

        Raises:
            ConfigurationError: It was not registered.
        """
        if name not in self.instances:
            where = "stands in the settings" if name in self.settings.instances else "is not there"
            msg = f"The instance {name!r} was not registered: it {where}."
            raise e.ConfigurationError(msg)
        return attrs.evolve(
            self, instances={one: said for one, said in self.instances.items() if one != name}
        )

    def with_default(self, modality: str, name: str | None) -> Overlay:
        """Return this with *name* for calls of *modality* that name none; None is the settings' own."""
        kept = {kind: one for kind, one in self.defaults.items() if kind != modality}
        return attrs.evolve(self, defaults=kept if name is None else {**kept, modality: name})
