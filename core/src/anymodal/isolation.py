"""
Loads plugins so that none can harm the host.

Each module is imported alone, proven alone in quarantine, and only then registered
with the others. Whatever a plugin raises becomes a value: its state and an error
that says what to do. A Ctrl-C of the user's stays the user's.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Final

import attrs
import pluggy

from . import errors as e
from . import modalities
from .index import normalise
from .markers import PROJECT
from .quarantine import ACTING, RESOLVE, Offers, Quarantine, hook_manager, specify
from .trust import LOCK_ADVICE, Candidate, State, candidates

if TYPE_CHECKING:
    from .config import Settings

__all__ = ["Offers", "Plugin", "Plugins", "plugin_manager"]

_ACTING_HOOKS: Final = frozenset({*ACTING, RESOLVE})
_NO_LIBRARY: Final = ": cannot open shared object file"
"""The C library's words for a library that a module in C needs; there is no other sign of it."""


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
        module: What was imported.
        hooks: Names of hooks that the module has.
    """

    candidate: Candidate
    state: State
    error: e.PluginError | None = None
    offers: Offers = attrs.field(factory=Offers)
    seconds: float = 0.0
    module: object = attrs.field(default=None, repr=False)
    hooks: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Distribution and version."""
        distribution = self.candidate.distribution
        return f"{distribution.name} {distribution.version}".strip()

    @property
    def ids(self) -> frozenset[str]:
        """The ids that it serves, as far as that is known yet."""
        return self.candidate.ids if self.state in {"found", "loaded"} else frozenset()


class Plugins:
    """
    The declared plugins, loaded one by one as they are asked for.

    Args:
        found: The candidates, refused ones included.
        hosts: Objects with hooks that the host itself brings. They are proven
            like all others, and may claim any id. A hook of theirs that is a
            wrapper is called around that hook of each plugin by itself.

    Raises:
        BrokenPluginError: One of the host's own is broken.
    """

    def __init__(self, found: Iterable[Candidate], hosts: Sequence[object] = ()) -> None:
        self.all = [Plugin(one, one.state, one.error) for one in found]
        self.manager = hook_manager()
        self.manager.register(modalities, "anymodal")
        self.host_offers: list[Offers] = []
        self._lock = threading.RLock()
        self._quarantine = Quarantine()
        for host in hosts:
            with _hosts_own(host):
                self._quarantine.let_wrap(_tame(host))
        for host in hosts:
            with _hosts_own(host):
                tame = _tame(host)
                if self._quarantine.lacks_modality(_hooks_of(tame)):
                    self._load_modalities()
                self.host_offers.append(self._quarantine.prove(tame))
                self._admit(tame, self.host_offers[-1], f"host {len(self.host_offers)}")

    def load(self, plugin: Plugin) -> Plugin:
        """Import and prove *plugin* unless that was done before."""
        with self._lock:
            self._attempt(plugin, self._import)
            if self.lacks_modality(plugin):
                self.load_all()
            self._attempt(plugin, self._prove)
            return plugin

    def lacks_modality(self, plugin: Plugin) -> bool:
        """Whether *plugin*, once imported, serves a modality that nobody brought yet."""
        return self._quarantine.lacks_modality(plugin.hooks)

    def load_all(self) -> list[Plugin]:
        """Load every plugin: all imports first, then new modalities, then the rest."""
        with self._lock:
            self._load_modalities()
            for one in self.all:
                self._attempt(one, self._prove)
            return self.all

    def _load_modalities(self) -> None:
        for one in self.all:
            self._attempt(one, self._import)
        for one in self.all:
            if "anymodal_modalities" in one.hooks:
                self._attempt(one, self._prove)

    def acting(self, hook: str, use: Sequence[str]) -> tuple[object, ...]:
        """
        Return the objects that *hook* gives, of those plugins alone that *use* names.

        Args:
            hook: One of those in `ACTING`, or `anymodal_resolve`.
            use: Names of plugins or distributions; the objects are in this order,
                and the host's own come after them.

        Raises:
            SettingsError: A name is no plugin's, or of one that never acts.
            PluginError: A plugin that is named does not serve.
        """
        found: list[object] = []
        for name in use:
            for plugin in self._used(name):
                found += plugin.offers.acting.get(hook, ())
        return (*found, *(one for host in self.host_offers for one in host.acting.get(hook, ())))

    def _used(self, name: str) -> list[Plugin]:
        """Return the plugins that are called *name*, loaded."""
        named = [one for one in self.all if normalise(name) in one.candidate.known_as]
        for plugin in named:
            self.load(plugin)
            if plugin.state != "loaded" and plugin.error is not None:
                raise plugin.error.again()
        if not named:
            raise e.SettingsError([f"plugins.use: no plugin is called {name!r}; is it installed?"])
        if not any(one.hooks & _ACTING_HOOKS for one in named):
            raise e.SettingsError([f"plugins.use: {name} has nothing that acts; take it out."])
        return named

    def _attempt(self, plugin: Plugin, step: Callable[[Plugin], None]) -> None:
        """Take *step* unless there is a verdict; what it raises becomes the verdict."""
        if plugin.state != "found":
            return
        started = time.perf_counter()
        with _users_interrupts() as was_interrupted:
            try:
                step(plugin)
            except BaseException as error:  # noqa: BLE001  # a plugin may raise anything
                if isinstance(error, _LockedOutError):
                    plugin.state, plugin.error = "blocked", error.said
                elif not was_interrupted():
                    plugin.state, plugin.error = "broken", _broken(plugin, error)
        plugin.seconds += time.perf_counter() - started
        if was_interrupted():
            raise KeyboardInterrupt

    def _import(self, plugin: Plugin) -> None:
        if plugin.module is None:
            if plugin.candidate.checks:
                _compare(plugin)
            module = _tame(import_module(plugin.candidate.module))
            plugin.hooks = _hooks_of(module)
            if not plugin.hooks:
                raise _OffersNothingError
            plugin.module = module

    def _prove(self, plugin: Plugin) -> None:
        name = plugin.candidate.module
        if self.manager.has_plugin(name):
            msg = f"its module {name!r} is another distribution's plugin"
            raise ValueError(msg)
        offers = self._quarantine.prove(plugin.module, plugin.candidate)
        self._admit(plugin.module, offers, name)
        plugin.offers = offers
        plugin.state = "loaded"

    def _admit(self, plugin: object, offers: Offers, name: str) -> None:
        for modality in offers.modalities:
            specify(self.manager, modality.hookspecs)
            self._quarantine.know(modality)
        self.manager.register(plugin, name)


def _hooks_of(plugin: object) -> frozenset[str]:
    return frozenset(name for name in dir(plugin) if name.startswith(f"{PROJECT}_"))


class _OffersNothingError(Exception):
    """A module without a hook, such as the folder that an uninstalled plugin has left."""


class _LockedOutError(Exception):
    """A plugin is not what was locked; nobody but we can say so."""

    def __init__(self, said: e.BlockedPluginError) -> None:
        self.said = said


def _compare(plugin: Plugin) -> None:
    """Refuse a plugin whose files, or those of one that it needs, are not as they were locked."""
    from .lock import changes  # noqa: PLC0415  # most installations have none

    for check in plugin.candidate.checks:
        if found := changes(check):
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            of = "" if check.name == plugin.candidate.distribution.name else f" ({check.name})"
            msg = (
                f"{plugin.label} is not imported: since it was locked, {found[0]}{of}{more}. "
                f"{LOCK_ADVICE}"
            )
            raise _LockedOutError(e.BlockedPluginError(msg))


class _Hooks:
    """The hooks of a plugin that has an `==` of its own."""


def _tame(plugin: object) -> object:
    """Return *plugin*, or its hooks alone if its `==` could harm others: pluggy compares them."""
    if type(plugin).__eq__ is object.__eq__:
        return plugin
    hooks = _Hooks()
    for name in _hooks_of(plugin):
        setattr(hooks, name, getattr(plugin, name))
    return hooks


@contextmanager
def _hosts_own(host: object) -> Iterator[None]:
    """Make what is wrong with *host* an error of the host's."""
    try:
        yield
    except Exception as error:
        msg = f"The host's plugin {type(host).__name__} cannot be used: {_words(error)}."
        raise e.BrokenPluginError(msg) from error


# -- what went wrong --------------------------------------------------------------------


def _broken(plugin: Plugin, error: BaseException) -> e.BrokenPluginError:
    """Return what to tell the user about *error*, in one sentence and a remedy."""
    name, module = plugin.candidate.distribution.name, plugin.candidate.module
    what, remedy = _words(error), f"Try: pip install -U {name}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        if f"{module}.".startswith(f"{error.name}."):
            what = f"there is no module {error.name!r}, which its entry point names"
        else:
            what = f"it needs the module {error.name!r}, which is not installed"
    elif isinstance(error, OSError | ImportError) and _NO_LIBRARY in what:
        library = what.partition(_NO_LIBRARY)[0].split()[-1]
        what = f"it needs the library {library}, which this system does not have"
        remedy = "Install that"
    elif isinstance(error, _OffersNothingError):
        what = "it has no hooks, so it offers nothing; its code may be gone"
    elif isinstance(error, SystemExit):
        what = f"it tried to end the program ({what})"
    msg = (
        f"{plugin.label} cannot be loaded: {what}. {remedy}; or set ANYMODAL_DISABLE_PLUGINS={name}"
    )
    found = e.BrokenPluginError(msg)
    found.__cause__ = error
    return found


def _words(error: BaseException) -> str:
    """Return what *error* says, on one line; it may be a stranger's that cannot even say it."""
    try:
        words = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001  # then its type has to do
        words = ""
    return type(error).__name__ + (f": {words[:300]}" if words else "")


@contextmanager
def _users_interrupts() -> Iterator[Callable[[], bool]]:
    """
    Tell a real Ctrl-C from a KeyboardInterrupt that a plugin raises itself.

    Gives a function that says whether the handler of the signal raised, Python's
    own or an event loop's. Other threads than the main one get no signals.
    """
    came = False
    usual = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        try:
            usual(number, frame)  # type: ignore[operator,misc]  # only installed where it is callable
        except BaseException:
            came = True
            raise

    handles = callable(usual) and threading.current_thread() is threading.main_thread()
    if handles:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        if handles:
            signal.signal(signal.SIGINT, usual)


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
