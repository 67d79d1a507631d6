"""Settings: from files, the environment and code, of which the later wins."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from . import layers, sections
from .catalogue import overridden
from .errors import ConfigurationError, SettingsError
from .keyrings import Names
from .layers import Layer, Table
from .policies import Policy
from .policy_settings import NOTHING, policies_of, policy_of
from .sections import (
    HTTP_BACKENDS,
    NO_HTTP,
    UNSET,
    HttpSettings,
    InstanceSettings,
    PluginSettings,
    later,
)
from .specs import ModelSpec

__all__ = ["HttpSettings", "InstanceSettings", "PluginSettings", "Settings", "places"]

FILE: Final = "anymodal.toml"


@attrs.frozen
class _Loading:
    """What `Settings.load` was told, to do it again."""

    path: str | os.PathLike[str] | None
    environ: Mapping[str, str] | None
    overrides: Mapping[str, object] | None


@attrs.frozen(kw_only=True)
class Settings:
    """
    What is set, wherever it was set.

    Attributes:
        defaults: Name to use by modality, or by a workflow of the host's.
        providers: Settings of the providers themselves, by id.
        instances: Further doors to providers, by name.
        aliases: Names that stand for others, the first that can serve winning.
        fallbacks: Where to go on from a name, in order.
        routes: Where a bare name goes, by modality.
        auto_detect: Who goes first where several could serve, by modality.
        plugins: Which plugins are imported, and which of them act.
        models: Overrides of model facts, by `provider/model`, as written.
        http: How vendors are reached.
        options: What calls ask for where they do not say, by modality.
        policy: What is done about failures, limits and money.
        policies: The same, by modality.
        store: File in which jobs and budgets are kept; `off` keeps them in memory.
        flags: Providers switched on or off by variables; unset is on.
        stored: Keys that `anymodal keys` put into the keyring, as `instance/credential`.
        environ: Where ambient keys and `env:` references are looked up, whenever a
            provider is connected.
        sources: Files, variables and code that these settings are from.
    """

    defaults: Mapping[str, str] = attrs.field(factory=dict)
    providers: Mapping[str, InstanceSettings] = attrs.field(factory=dict)
    instances: Mapping[str, InstanceSettings] = attrs.field(factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    fallbacks: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    routes: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    auto_detect: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    plugins: PluginSettings = attrs.field(factory=PluginSettings)
    models: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    http: HttpSettings = NO_HTTP
    options: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    policy: Policy = Policy()
    policies: Mapping[str, Policy] = attrs.field(factory=dict)
    store: str | None = None
    flags: Mapping[str, bool] = attrs.field(factory=dict)
    stored: frozenset[str] = frozenset()
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    sources: tuple[str, ...] = ()
    _how: _Loading | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def http_backend(self) -> str:
        """The HTTP library under plugins that have no SDK."""
        return self.http.backend or HTTP_BACKENDS[0]

    def of(self, name: str) -> InstanceSettings:
        """Return what is set for the instance or the provider called *name*."""
        found = self.instances.get(name)
        return self.providers.get(name, UNSET) if found is None else found

    def section(self, name: str) -> str:
        """Return the table of *name*, for errors."""
        return f"[{'instances' if name in self.instances else 'providers'}.{name}]"

    @classmethod
    def empty(cls) -> Settings:
        """Return settings without reading anything."""
        return cls()

    @classmethod
    def load(
        cls,
        *,
        path: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, object] | None = None,
    ) -> Settings:
        """
        Read settings from files, the environment and code; later wins.

        Args:
            path: The only file to read. Without it that is the one which
                `ANYMODAL_CONFIG` names; without that, `anymodal.toml` in the
                user's configuration folder and then in the working directory.
            environ: Variables; the process's own where not given. Kept, and looked into
                again whenever a key is.
            overrides: Settings in the shape of the file.

        Raises:
            SettingsError: Something is wrong; every fault is listed.
        """
        variables = os.environ if environ is None else environ
        named = path or variables.get("ANYMODAL_CONFIG")
        files = places(named)
        read = [Layer.read(file) for file in files if named or file.exists()]
        stored: tuple[str, ...] = ()
        try:
            stored = () if path else Names(_users_folder()).read()
        except ConfigurationError as error:
            read.append(Layer("keys", faults=[str(error)]))
        found = cls._read(read, variables, overrides)
        how = _Loading(path, environ, overrides)
        plugins = found.plugins.beside(files)
        return attrs.evolve(found, plugins=plugins, stored=frozenset(stored), how=how)

    def reloaded(self) -> Settings:
        """
        Read again what `load` read; settings that are not from there stay as they are.

        Raises:
            SettingsError: Something is wrong; every fault is listed.
        """
        how = self._how
        if how is None:
            return self
        return self.load(path=how.path, environ=how.environ, overrides=how.overrides)

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, object], *, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """
        Return *mapping*, which has the shape of the file, over *environ*; reads nothing else.

        Raises:
            SettingsError: Something is wrong; every fault is listed.
        """
        return cls._read([], environ or {}, mapping)

    @classmethod
    def layer(cls, mapping: Mapping[str, object], *, on: Settings, name: str = "code") -> Settings:
        """
        Return what *mapping* says, which has the shape of the file, for *on* to be merged with.

        Raises:
            SettingsError: Something is wrong; every fault is listed, as of *name*.
        """
        layer = Layer(name, mapping)
        said = _from_layer(layer)
        _check_instances(on.merged(said), [layer])
        if layer.faults:
            raise SettingsError(layer.faults)
        return said

    @classmethod
    def _read(
        cls,
        files: list[Layer],
        environ: Mapping[str, str],
        overrides: Mapping[str, object] | None,
    ) -> Settings:
        code = [] if overrides is None else [Layer("code", overrides)]
        flags, switches = layers.from_flags(environ)
        every = [*files, *layers.from_variables(environ), *code]
        found = cls(environ=environ)
        for layer in every:
            found = found.merged(_from_layer(layer))
        _check_instances(found, every)
        if faults := [fault for layer in (*every, *flags) for fault in layer.faults]:
            raise SettingsError(faults)
        return found.merged(cls(flags=switches, sources=tuple(flag.name for flag in flags)))

    def merged(self, other: Settings) -> Settings:
        """Return both, *other* winning key by key."""
        return Settings(
            defaults={**self.defaults, **other.defaults},
            providers=_merged(self.providers, other.providers),
            instances=_merged(self.instances, other.instances),
            aliases={**self.aliases, **other.aliases},
            fallbacks={**self.fallbacks, **other.fallbacks},
            routes=layers.merged(self.routes, other.routes),
            auto_detect={**self.auto_detect, **other.auto_detect},
            plugins=self.plugins.merged(other.plugins),
            models=layers.merged(self.models, other.models),
            http=self.http.merged(other.http),
            options=layers.merged(self.options, other.options),
            policy=other.policy.over(self.policy),
            policies={
                name: other.policies.get(name, NOTHING).over(self.policies.get(name, NOTHING))
                for name in {**self.policies, **other.policies}
            },
            store=later(self.store, other.store),
            flags={**self.flags, **other.flags},
            stored=self.stored | other.stored,
            environ=_both(self.environ, other.environ),
            sources=self.sources + other.sources,
            how=self._how or other._how,
        )


def _merged(
    first: Mapping[str, InstanceSettings], then: Mapping[str, InstanceSettings]
) -> dict[str, InstanceSettings]:
    unset = InstanceSettings()
    return {
        name: first.get(name, unset).merged(then.get(name, unset)) for name in {**first, **then}
    }


def _both(first: Mapping[str, str], then: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of both; those of one alone stay what they are, the process's own say."""
    return {**first, **then} if first and then else first or then


def places(named: str | os.PathLike[str] | None) -> list[Path]:
    """Return where settings may stand, the nearest last: in the file that is *named*, if one is."""
    return [Path(named)] if named else [_users_folder() / FILE, Path(FILE)]


def _users_folder() -> Path:
    if sys.platform == "linux":  # as platformdirs says, which takes 8 ms to say it
        base = os.environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")  # noqa: PTH111  # a Path may refuse
        return Path(base, "anymodal")
    import platformdirs  # noqa: PLC0415  # 3 ms that settings from code never pay

    return platformdirs.user_config_path("anymodal")


# -- the shape of the file ----------------------------------------------------------

_FACTS: Final = frozenset(field.name for field in attrs.fields(ModelSpec)) - {"id", "listed"}
_TABLES: Final = (
    "aliases", "auto_detect", "defaults", "fallbacks", "http", "instances", "models", "options",
    "plugins", "policies", "policy", "providers", "routes", "store",
)  # fmt: skip


def _from_layer(layer: Layer) -> Settings:
    root = layer.table()
    root.allow(_TABLES, "table")
    providers, instances, models = (
        root.table(name) for name in ("providers", "instances", "models")
    )
    providers.ids()
    instances.ids()
    for name, table in providers.tables().items():
        if table.found.get("provider", name) != name:
            message = "only an instance names another provider; use [instances.…]."
            layer.fault((*table.key, "provider"), message)
    for name, table in models.tables().items():
        table.allow(_FACTS, "fact of a model")
        if not all(name.partition("/")):
            layer.fault(table.key, "a name such as provider/model is needed.")
        for fact, value in table.found.items():
            if fact in _FACTS:
                _check_fact(table, fact, value)
    store = root.table("store")
    store.allow(("path",))
    return Settings(
        defaults=root.table("defaults").take_all(layers.string),
        providers={name: sections.instance(table) for name, table in providers.tables().items()},
        instances={name: sections.instance(table) for name, table in instances.tables().items()},
        aliases=root.table("aliases").take_all(layers.some_strings),
        fallbacks=root.table("fallbacks").take_all(layers.strings),
        routes={n: one.take_all(layers.string) for n, one in root.table("routes").tables().items()},
        auto_detect=root.table("auto_detect").take_all(layers.identifiers),
        plugins=sections.plugins(root.table("plugins")),
        models={name: table.found for name, table in models.tables().items()},
        http=sections.http(root.table("http")),
        options=sections.options(root.table("options")),
        policy=policy_of(root.table("policy")),
        policies=policies_of(root.table("policies")),
        store=store.take("path", layers.string),
        sources=(layer.name,),
    )


def _check_fact(table: Table, fact: str, value: object) -> None:
    """Note what is wrong with what is said of a model, whichever it is."""
    try:
        overridden(ModelSpec(id="any"), {fact: value}, "any")
    except SettingsError as error:
        for fault in error.faults:
            table.layer.fault((*table.key, fact), fault.partition(": ")[2].rstrip(".") + ".")


def _check_instances(found: Settings, every: Iterable[Layer]) -> None:
    """Note every instance that has no provider or a provider's name, where it is first spoken of."""
    for name, instance in found.instances.items():
        tables = [(layer, layer.table().table("instances").found) for layer in every]
        first = next((layer for layer, table in tables if name in table), None)
        if first is None:
            continue
        said = [table[name] for _, table in tables if name in table]
        if instance.provider == name or name in found.providers:
            message = "this is a provider's own name; give the instance another."
            first.fault(("instances", name), message)
        elif instance.provider is None and not any(map(_names_provider, said)):
            first.fault(("instances", name), 'provider = "…" is needed.')


def _names_provider(said: object) -> bool:
    return isinstance(said, Mapping) and said.get("provider") is not None
