"""
Loads plugins so that none can harm the host.

Each module is imported alone, proven alone in a quarantine manager with the same
hookspecs (registered, its hooks called once, every item checked), and only then
registered with the others. Whatever a plugin raises becomes a value: its state
and an error that says what to do. A Ctrl-C of the user's stays the user's.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import pluggy

from . import errors as e
from . import hookspecs, modalities
from .markers import PROJECT
from .modalities import Modality
from .specs import CommandSpec, EmulatorSpec, ProviderSpec
from .trust import Candidate, State, candidates

if TYPE_CHECKING:
    from .config import Settings

__all__ = ["Offers", "Plugin", "Plugins", "plugin_manager"]

MAX_ITEMS: Final = 1000
"""More specs from one hook are a generator without an end."""

AnySpec: TypeAlias = ProviderSpec[Any]


@attrs.frozen
class Offers:
    """What a plugin's registration hooks gave."""

    modalities: tuple[Modality[Any], ...] = ()
    providers: Mapping[str, tuple[AnySpec, ...]] = attrs.field(factory=dict)
    emulators: tuple[EmulatorSpec, ...] = ()
    commands: tuple[CommandSpec, ...] = ()


@attrs.define(eq=False)
class Plugin:
    """
    A declared plugin and what became of it.

    Attributes:
        candidate: What its distribution declares.
        state: `found` until it is asked for; then `loaded`, `broken`,
            `incompatible`, `blocked` or `shadowed`.
        error: Why it does not serve, or not under all of its ids.
        offers: What it offers, once loaded.
        seconds: How long it took to import and prove.
    """

    candidate: Candidate
    state: State
    error: e.PluginError | None = None
    offers: Offers = Offers()
    seconds: float = 0.0
    _module: object = attrs.field(default=None, repr=False)

    @property
    def label(self) -> str:
        """Distribution and version."""
        distribution = self.candidate.distribution
        return f"{distribution.name} {distribution.version}".strip()


class Plugins:
    """
    The declared plugins, loaded one by one as they are asked for.

    Args:
        found: The candidates, refused ones included.
        hosts: Objects with hooks that the host itself brings. They are proven
            like all others, may claim any id, and may wrap hooks.
    """

    def __init__(self, found: Iterable[Candidate], hosts: Sequence[object] = ()) -> None:
        self.all = [Plugin(one, one.state, one.error) for one in found]
        self.manager = _manager()
        self.manager.register(modalities, "anymodal")
        self.host_offers: list[Offers] = []
        self._lock = threading.RLock()
        self._specs = _Specs()
        for host in hosts:
            self._specs.add(offers := self._specs.prove(host, ids=None, wrappers=True))
            self._admit(host, offers, None)
            self.host_offers.append(offers)

    def load(self, plugin: Plugin) -> Plugin:
        """Import and prove *plugin* unless that was done before."""
        with self._lock:
            if plugin.state == "found":
                self._attempt(plugin, self._import, self._prove)
            return plugin

    def load_all(self, *, but: Plugin | None = None) -> list[Plugin]:
        """Load every plugin: all imports first, then new modalities, then the rest."""
        with self._lock:
            fresh = [one for one in self.all if one.state == "found" and one is not but]
            for one in fresh:
                self._attempt(one, self._import)
            fresh.sort(key=lambda one: not _implements(one._module, "anymodal_modalities"))  # noqa: SLF001  # our own class
            for one in fresh:
                self._attempt(one, self._prove)
            return self.all

    def _attempt(self, plugin: Plugin, *steps: Callable[[Plugin], None]) -> None:
        started = time.perf_counter()
        try:
            with _users_interrupts() as interrupted:
                try:
                    for step in steps:
                        if plugin.state == "found":
                            step(plugin)
                except BaseException as error:
                    if interrupted():
                        raise
                    plugin.state = "broken"
                    plugin.error = _broken(plugin, error)
        finally:
            plugin.seconds += time.perf_counter() - started

    def _import(self, plugin: Plugin) -> None:
        plugin._module = import_module(plugin.candidate.module)  # noqa: SLF001  # our own class

    def _prove(self, plugin: Plugin) -> None:
        module = plugin._module  # noqa: SLF001  # our own class
        if self._specs.strange(module):
            self.load_all(but=plugin)
        offers = self._specs.prove(module, ids=plugin.candidate.ids, names=plugin.candidate.names)
        self._specs.add(offers)
        self._admit(module, offers, plugin.candidate.module)
        plugin.offers = offers
        plugin.state = "loaded"

    def _admit(self, module: object, offers: Offers, name: str | None) -> None:
        for modality in offers.modalities:
            self.manager.add_hookspecs(import_module(modality.hookspecs))
        self.manager.register(module, name)


class _Specs:
    """The hookspecs in force, and the quarantine in which one plugin is proven."""

    def __init__(self) -> None:
        self.modalities: dict[str, Modality[Any]] = {one.hook: one for one in modalities.BUILT_IN}
        self._extra: list[str] = []
        self._quarantine: pluggy.PluginManager | None = None

    def add(self, offers: Offers) -> None:
        """Take in the modalities that a plugin brought."""
        for modality in offers.modalities:
            self.modalities[modality.hook] = modality
            self._extra.append(modality.hookspecs)
            self._quarantine = None

    def strange(self, module: object) -> bool:
        """Whether *module* has a provider hook of a modality that is not known yet."""
        names = getattr(module, "__dict__", {})
        return any(
            name.startswith("anymodal_") and name.endswith("_providers")
            for name in names
            if name not in self.modalities
        )

    def prove(
        self,
        module: object,
        *,
        ids: frozenset[str] | None,
        names: Sequence[str] = (),
        wrappers: bool = False,
    ) -> Offers:
        """
        Return what *module* offers.

        Args:
            module: The plugin.
            ids: The ids it may serve; None for any.
            names: All ids that its distribution declares for it.
            wrappers: Whether it may wrap registration hooks.

        Raises:
            BaseException: Whatever is wrong with it.
        """
        quarantine = self._quarantine or _manager(self._extra)
        self._quarantine = None  # only a plugin that left it clean gives it back
        quarantine.register(module, "plugin")
        quarantine.check_pending()
        offered: dict[str, list[Any]] = {}
        for caller in quarantine.get_hookcallers(module) or []:
            for implementation in caller.get_hookimpls():
                if implementation.hookwrapper or implementation.wrapper:
                    if not wrappers:
                        msg = f"{caller.name}: a distribution may not wrap a registration hook"
                        raise TypeError(msg)
                else:
                    offered[caller.name] = _items(caller.name, implementation.function)
        quarantine.unregister(module)
        self._quarantine = quarantine
        return self._checked(offered, ids, names)

    def _checked(
        self, offered: Mapping[str, list[Any]], ids: frozenset[str] | None, names: Sequence[str]
    ) -> Offers:
        providers: dict[str, tuple[AnySpec, ...]] = {}
        for hook, modality in self.modalities.items():
            specs = offered.get(hook, [])
            _check(hook, specs, modality.spec_class() if specs else ProviderSpec)
            for spec in specs:
                _check_id(hook, spec.id, ids, names)
                _check_capabilities(spec, modality)
            _check_unique(hook, [spec.id for spec in specs])
            if specs:
                providers[modality.name] = tuple(
                    spec for spec in specs if ids is None or spec.id in ids
                )
        new = offered.get("anymodal_modalities", [])
        _check("anymodal_modalities", new, Modality)
        for modality in new:
            if modality.hook in self.modalities:
                msg = f"anymodal_modalities: there is a modality {modality.name!r} already"
                raise ValueError(msg)
        emulators = offered.get("anymodal_emulators", [])
        _check("anymodal_emulators", emulators, EmulatorSpec)
        for emulator in emulators:
            _check_id("anymodal_emulators", emulator.provider, ids, names)
        commands = offered.get("anymodal_commands", [])
        _check("anymodal_commands", commands, CommandSpec)
        served = (one for one in emulators if ids is None or one.provider in ids)
        return Offers(tuple(new), providers, tuple(served), tuple(commands))


def _manager(extra: Iterable[str] = ()) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in extra:
        manager.add_hookspecs(import_module(name))
    return manager


def _implements(module: object, hook: str) -> bool:
    return hook in getattr(module, "__dict__", {})


def _items(hook: str, function: Callable[[], object]) -> list[object]:
    """Return what *function* gives, as far as that is something to iterate over."""
    given = function()
    if given is None or not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        if close := getattr(given, "close", None):
            close()
        msg = f"{hook}: an iterable of specs is needed, not {type(given).__name__}"
        raise TypeError(msg)
    items = list(islice(given, MAX_ITEMS + 1))
    if len(items) > MAX_ITEMS:
        msg = f"{hook}: more than {MAX_ITEMS} items"
        raise ValueError(msg)
    return items


def _check(hook: str, items: Sequence[object], cls: type) -> None:
    for item in items:
        if not isinstance(item, cls):
            msg = f"{hook}: {cls.__name__} is needed, not {type(item).__name__}"
            raise TypeError(msg)


def _check_id(hook: str, found: str, ids: frozenset[str] | None, names: Sequence[str]) -> None:
    if ids is not None and found not in names:
        msg = (
            f"{hook}: the id {found!r} is not its own; its entry points declare {', '.join(names)}"
        )
        raise ValueError(msg)


def _check_unique(hook: str, found: Sequence[str]) -> None:
    if len(set(found)) != len(found):
        msg = f"{hook}: two specs share an id"
        raise ValueError(msg)


def _check_capabilities(spec: AnySpec, modality: Modality[Any]) -> None:
    for owner, known in (
        (spec.id, spec.capabilities),
        *((m.id, m.capabilities) for m in spec.models),
    ):
        if strange := (known.yes | known.no) - modality.capabilities:
            msg = f"{owner}: {modality.name} has no capability {min(strange)!r}"
            raise ValueError(msg)


def _broken(plugin: Plugin, error: BaseException) -> e.BrokenPluginError:
    """Return what to tell the user about *error*, in one sentence and a remedy."""
    name = plugin.candidate.distribution.name
    if isinstance(error, ModuleNotFoundError) and error.name != plugin.candidate.module:
        what = f"it needs the module {error.name!r}, which is not installed"
    elif isinstance(error, SystemExit):
        what = f"it tried to end the program (SystemExit({error.code!r}))"
    else:
        words = " ".join(str(error).split())
        what = type(error).__name__ + (f": {words[:300]}" if words else "")
    msg = (
        f"{plugin.label} cannot be loaded: {what}. "
        f"Try: pip install -U {name}; or set ANYMODAL_DISABLE_PLUGINS={name}"
    )
    found = e.BrokenPluginError(msg)
    found.__cause__ = error
    return found


@contextmanager
def _users_interrupts() -> Iterator[Callable[[], bool]]:
    """
    Tell a real Ctrl-C from a KeyboardInterrupt that a plugin raises itself.

    Gives a function that says whether the signal came. Off the main thread, or
    where the host handles the signal in its own way, no signal raises here.
    """
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    usual = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if usual:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def plugin_manager(
    autoload: bool = True,  # noqa: FBT001, FBT002  # the documented call is plugin_manager(False)
    *,
    settings: Settings | None = None,
) -> pluggy.PluginManager:
    """
    Return a new manager with the modalities and every healthy plugin registered.

    Args:
        autoload: Whether installed plugins are loaded. Without, the manager has
            the nine modalities alone; hosts register what they like.
        settings: Which plugins may be loaded; by default what the files and the
            environment say.

    Example::

        manager = anymodal.plugin_manager()
        for specs in manager.hook.anymodal_text_providers():
            for spec in specs:
                print(spec.id)
    """
    from .config import Settings  # noqa: PLC0415  # a manager without autoload needs none

    if not autoload:
        return Plugins(()).manager
    from .index import installed  # noqa: PLC0415  # as above

    rules = (settings or Settings.load()).plugins
    plugins = Plugins(candidates(installed() if rules.autoload else (), rules))
    plugins.load_all()
    return plugins.manager
