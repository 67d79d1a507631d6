"""
Proves a plugin, alone, before it meets the others.

It is registered in a manager of its own with the same hookspecs, its registration
hooks are called once, and every item that they give is checked. Whatever is wrong
is raised from here; `isolation` makes a verdict of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from inspect import iscoroutinefunction, isgeneratorfunction
from itertools import chain, islice
from types import FunctionType, ModuleType
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

import attrs
import pluggy

from . import hookspecs, modalities
from .markers import PROJECT, hookimpl
from .modalities import Modality
from .specs import CommandSpec, EmulatorSpec, ProviderSpec
from .trust import Candidate

__all__ = ["ACTING", "RESOLVE", "Offers", "Quarantine", "hook_manager", "specify"]

MAX_ITEMS: Final = 1000
"""More specs from one hook are a generator without an end."""

ACTING: Final[Mapping[str, tuple[str, ...]]] = {
    "anymodal_middleware": ("around",),
    "anymodal_observers": ("on_event",),
    "anymodal_secrets": ("get",),
    "anymodal_stores": ("get", "items", "put", "claim", "replace", "delete", "add", "aclose"),
}
"""Hooks that give objects which act unasked, and the methods that each object has."""

RESOLVE: Final = "anymodal_resolve"

ItemT = TypeVar("ItemT")
AnySpec: TypeAlias = ProviderSpec[Any]


@attrs.frozen
class Offers:
    """What a plugin's registration hooks gave."""

    modalities: tuple[Modality[Any], ...] = ()
    providers: Mapping[str, tuple[AnySpec, ...]] = attrs.field(factory=dict)
    emulators: tuple[EmulatorSpec, ...] = ()
    commands: tuple[CommandSpec, ...] = ()
    acting: Mapping[str, tuple[object, ...]] = attrs.field(factory=dict)


def hook_manager(modules: Iterable[str] = ()) -> pluggy.PluginManager:
    """Return a manager without plugins, with our hookspecs and those in *modules*."""
    manager = _Manager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in modules:
        specify(manager, name)
    return manager


class _Manager(pluggy.PluginManager):
    """A manager that looks at the functions of a module alone, which is a third of the time."""

    _own: ClassVar[dict[str, pluggy.HookspecOpts | None]] = {}

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if _may_be_hook(plugin, name) else None

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> pluggy.HookspecOpts | None:
        if module_or_class is not hookspecs:
            is_hook = _may_be_hook(module_or_class, name)
            return super().parse_hookspec_opts(module_or_class, name) if is_hook else None
        if name not in self._own:  # each plugin has a manager of its own, and ours never change
            is_hook = _may_be_hook(hookspecs, name)
            self._own[name] = super().parse_hookspec_opts(hookspecs, name) if is_hook else None
        return self._own[name]


def _may_be_hook(plugin: object, name: str) -> bool:
    if not isinstance(plugin, ModuleType) or name.startswith(f"{PROJECT}_"):
        return True
    return isinstance(vars(plugin).get(name), FunctionType)


def specify(manager: pluggy.PluginManager, name: str) -> None:
    """Put the hookspecs of the module *name* into force; several modalities may share one."""
    module = import_module(name)
    callers = vars(manager.hook).values()
    if not any(one.spec is not None and one.spec.namespace is module for one in callers):
        manager.add_hookspecs(module)


class Quarantine:
    """Where plugins are proven, each alone under the hookspecs in force."""

    def __init__(self) -> None:
        self._known: dict[str, Modality[Any]] = {one.hook: one for one in modalities.BUILT_IN}
        self._further: list[str] = []
        self._wrappers: list[object] = []

    def let_wrap(self, host: object) -> None:
        """Have each plugin's offers go through those hooks of *host* that are wrappers."""
        manager = hook_manager(self._further)
        manager.register(host, "it")
        wrappers = _Hooks()
        for caller in manager.get_hookcallers(host) or ():
            if any(one.hookwrapper or one.wrapper for one in caller.get_hookimpls()):
                setattr(wrappers, caller.name, getattr(host, caller.name))
        if vars(wrappers):
            self._wrappers.append(wrappers)

    def know(self, modality: Modality[Any]) -> None:
        """Put the hookspecs of a plugin's modality into force."""
        self._known[modality.hook] = modality
        self._further.append(modality.hookspecs)

    def lacks_modality(self, hooks: Iterable[str]) -> bool:
        """Whether *hooks* offer providers of a modality that is not known yet."""
        return any(name.endswith("_providers") and name not in self._known for name in hooks)

    def prove(self, plugin: object, candidate: Candidate | None = None) -> Offers:
        """
        Return what *plugin* offers.

        Args:
            plugin: A module, or an object with hooks.
            candidate: The ids that are its own; None for a host's, which may have any.

        Raises:
            BaseException: Whatever is wrong with it.
        """
        manager = hook_manager(self._further)
        manager.register(plugin, "it")
        if candidate is not None:
            _check_wraps_nothing(manager, plugin)
        known = dict(self._known)
        for modality in (new := self._items(manager, "anymodal_modalities", Modality)):
            _put_into_force(modality, known, manager)
        _check_hooks(manager, plugin)
        providers: dict[str, tuple[AnySpec, ...]] = {}
        for hook, modality in known.items():
            if _implementations(manager, hook):
                specs = self._items(manager, hook, modality.spec_class())
                _check_providers(hook, specs, modality)
                own = _own(hook, specs, lambda spec: spec.id, candidate)
                providers[modality.name] = _with_former_ids(hook, own, candidate)
        emulators = self._items(manager, "anymodal_emulators", EmulatorSpec)
        return Offers(
            new,
            providers,
            _own("anymodal_emulators", emulators, lambda spec: spec.provider, candidate),
            self._items(manager, "anymodal_commands", CommandSpec),
            {hook: found for hook in (*ACTING, RESOLVE) if (found := self._acting(manager, hook))},
        )

    def _acting(self, manager: pluggy.PluginManager, hook: str) -> tuple[object, ...]:
        if hook == RESOLVE:
            return _resolvers(manager)
        found = self._items(manager, hook, object)
        for item in found:
            for name in ACTING[hook]:
                if not callable(getattr(item, name, None)):
                    msg = f"{hook}: {type(item).__name__} has no method {name}"
                    raise TypeError(msg)
        return found

    def _items(
        self, manager: pluggy.PluginManager, hook: str, cls: type[ItemT]
    ) -> tuple[ItemT, ...]:
        """Return what *hook* of the plugin in quarantine gives, as the host's wrappers leave it."""
        found = _items(manager, hook, cls)
        wrappers = self._wrappers if _implementations(manager, hook) else ()
        for wrapper in (one for one in wrappers if hasattr(one, hook)):
            alone = hook_manager(self._further)
            alone.register(_giving(hook, found))
            alone.register(wrapper)
            try:
                found = _checked(hook, chain.from_iterable(getattr(alone.hook, hook)()), cls)
            except Exception as error:
                msg = f"{hook}: the host's wrapper failed: {type(error).__name__}: {error}"
                raise RuntimeError(msg) from error
        return found


class _Hooks:
    """Hooks, and nothing else."""


def _giving(hook: str, items: Iterable[object]) -> object:
    """Return a plugin whose *hook* gives *items*."""
    plugin = _Hooks()
    setattr(plugin, hook, hookimpl(lambda: items))
    return plugin


def _check_wraps_nothing(manager: pluggy.PluginManager, plugin: object) -> None:
    for caller in manager.get_hookcallers(plugin) or ():
        if any(one.hookwrapper or one.wrapper for one in caller.get_hookimpls()):
            msg = f"{caller.name}: only a host may wrap it"
            raise TypeError(msg)


def _implementations(manager: pluggy.PluginManager, hook: str) -> list[pluggy.HookImpl]:
    """Return what implements *hook* in quarantine; a host's wrappers are let in by `let_wrap`."""
    found = getattr(manager.hook, hook).get_hookimpls()
    return [one for one in found if not (one.hookwrapper or one.wrapper)]


def _items(manager: pluggy.PluginManager, hook: str, cls: type[ItemT]) -> tuple[ItemT, ...]:
    """Call *hook* of the plugin in quarantine, if it has it, and check what comes."""
    found: list[ItemT] = []
    for implementation in _implementations(manager, hook):
        given = implementation.function()
        if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
            if close := getattr(given, "close", None):
                close()  # a coroutine that nobody awaits would warn
            msg = f"{hook}: an iterable of {cls.__name__} is needed, not {type(given).__name__}"
            raise TypeError(msg)
        found += _checked(hook, given, cls)
    return tuple(found)


def _checked(hook: str, given: Iterable[object], cls: type[ItemT]) -> tuple[ItemT, ...]:
    """Return the items that are *given*, if all are of their class and not too many."""
    items = list(islice(given, MAX_ITEMS + 1))
    if len(items) > MAX_ITEMS:
        msg = f"{hook}: it gives more than {MAX_ITEMS} items"
        raise ValueError(msg)
    found: list[ItemT] = []
    for item in items:
        if not isinstance(item, cls):
            msg = f"{hook}: {cls.__name__} is needed, not {type(item).__name__}"
            raise TypeError(msg)
        found.append(item)
    return tuple(found)


def _resolvers(manager: pluggy.PluginManager) -> tuple[Callable[..., object], ...]:
    """Return the functions that route names. None is called: there is no name to route yet."""
    found: list[Callable[..., object]] = []
    for implementation in getattr(manager.hook, RESOLVE).get_hookimpls():
        function: Callable[..., object] = implementation.function
        if implementation.hookwrapper or implementation.wrapper:
            msg = f"{RESOLVE}: it cannot be wrapped; return None to leave a name alone"
            raise TypeError(msg)
        if iscoroutinefunction(function) or isgeneratorfunction(function):
            msg = f"{RESOLVE}: a plain function is needed"
            raise TypeError(msg)
        if tuple(implementation.argnames) != ("query",):
            msg = f"{RESOLVE}: it takes one argument, called query"
            raise TypeError(msg)
        found.append(function)
    return tuple(found)


def _put_into_force(
    modality: Modality[Any], known: dict[str, Modality[Any]], manager: pluggy.PluginManager
) -> None:
    """Check a new modality as far as others will rely on it."""
    where = f"anymodal_modalities: {modality.name}"
    if modality.hook in known:
        msg = f"{where}: there is such a modality already"
        raise ValueError(msg)
    specify(manager, modality.hookspecs)
    caller = getattr(manager.hook, modality.hook, None)
    if caller is None or not caller.has_spec():
        msg = f"{where}: {modality.hookspecs} does not specify {modality.hook}"
        raise ValueError(msg)
    cls: object = modality.spec_class()
    if not (isinstance(cls, type) and issubclass(cls, ProviderSpec)) or (
        cls.modality != modality.name
    ):
        msg = f"{where}: {modality.spec} is not a ProviderSpec of that modality"
        raise TypeError(msg)
    if not callable(modality.routing()):
        msg = f"{where}: its strategy {modality.strategy} is no function"
        raise TypeError(msg)
    known[modality.hook] = modality


def _check_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """Refuse hooks that nobody would call: misspelt ones, and those that are not marked."""
    implemented = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    known = {name for name, caller in vars(manager.hook).items() if caller.has_spec()}
    manager.check_pending()
    for name in sorted(known.intersection(dir(plugin)) - implemented):
        if callable(getattr(plugin, name)):
            msg = f"{name} is not marked with @anymodal.hookimpl"
            raise TypeError(msg)


def _check_providers(hook: str, specs: Sequence[AnySpec], modality: Modality[Any]) -> None:
    ids = [name for spec in specs for name in (spec.id, *spec.former_ids)]
    if len(set(ids)) != len(ids):
        msg = f"{hook}: two specs share an id"
        raise ValueError(msg)
    for spec in specs:
        said = [(spec.id, spec.capabilities)]
        said += [(f"{spec.id}/{model.id}", model.capabilities) for model in spec.models]
        for owner, known in said:
            if strange := (known.yes | known.no) - modality.capabilities:
                msg = f"{owner}: {modality.name} has no capability {min(strange)!r}"
                raise ValueError(msg)


def _own(
    hook: str,
    items: Sequence[ItemT],
    id_of: Callable[[ItemT], str],
    candidate: Candidate | None,
) -> tuple[ItemT, ...]:
    """Return those that the plugin may serve; refuse those that it does not even declare."""
    if candidate is None:
        return tuple(items)
    for item in items:
        if id_of(item) not in candidate.names:
            declared = ", ".join(candidate.names)
            msg = f"{hook}: the id {id_of(item)!r} is not its own; it declares {declared}"
            raise ValueError(msg)
    return tuple(item for item in items if id_of(item) in candidate.ids)


def _with_former_ids(
    hook: str, specs: Sequence[AnySpec], candidate: Candidate | None
) -> tuple[AnySpec, ...]:
    """Return *specs* with those former ids that no other distribution serves."""
    if candidate is None:
        return tuple(specs)
    found: list[AnySpec] = []
    for spec in specs:
        for name in spec.former_ids:
            if name not in candidate.names:
                msg = f"{hook}: the former id {name!r} is not the name of an entry point of its own"
                raise ValueError(msg)
        own = tuple(name for name in spec.former_ids if name in candidate.ids)
        found.append(spec if own == spec.former_ids else attrs.evolve(spec, former_ids=own))
    return tuple(found)
