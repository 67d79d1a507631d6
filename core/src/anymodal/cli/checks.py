"""
What `doctor` looks at: each check is a function from plain facts to findings.

Plugins that do not load in a process of their own are left out of the registry
that the later checks ask, so that none of these can hang.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from .. import errors as e
from ..config import InstanceSettings, Settings, places
from ..index import Distribution, cache_folder, installed, normalise
from ..layers import Layer
from ..registry import Registry
from ..resolution import Offer
from ..sections import REFERENCES
from ..specs import ProviderSpec
from ..trust import Candidate, candidates, ruled_out
from .probe import Report, probe
from .spelling import misspelt
from .spending import budgets, slow_plugins

__all__ = ["VARIABLES", "Finding", "examine"]

VARIABLES: Final = (
    "ANYMODAL_CACHE_DIR",
    "ANYMODAL_CONFIG",
    "ANYMODAL_CONTRACT_REPORT",
    "ANYMODAL_DISABLE_PLUGINS",
    "ANYMODAL_LOCK",
    "ANYMODAL_NO_AUTOLOAD",
    "ANYMODAL_PLUGINS",
    "ANYMODAL_STATE_DIR",
)
"""All variables of our own."""

_EXTRAS: Final = {"httpx2": "http"}

Level = Literal["fault", "warning", "information"]


@attrs.frozen
class Finding:
    """
    Something to know about this installation.

    Attributes:
        level: `fault` does not work, `warning` works and should be otherwise,
            `information` may be as it should be.
        about: What was looked at, such as `plugin`.
        message: What it is, and what to do.
    """

    level: Level
    about: str
    message: str


@attrs.frozen
class Facts:
    """What the checks look at."""

    settings: Settings
    candidates: tuple[Candidate, ...]
    reports: tuple[Report, ...]
    registry: Registry
    offers: tuple[Offer, ...]

    @property
    def unserved(self) -> set[str]:
        """The names whose plugins do not load; what is wrong with these is said once."""
        return {
            name
            for one, report in zip(self.candidates, self.reports, strict=True)
            if report.state != "loaded"
            for name in one.names
        }

    def specs(self, provider: str) -> list[ProviderSpec[Any]]:
        """Return the specs of *provider*, one per modality."""
        return [one.spec for one in self.offers if one.instance == one.spec.id == provider]


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """Return everything that there is to say, the worst first."""
    settings, findings = _settings(environ)
    found = candidates(installed() if settings.plugins.autoload else (), settings.plugins)
    reports = probe(found)
    registry = Registry(settings, distributions=_healthy(found, reports))
    offers: tuple[Offer, ...] = ()
    try:
        offers = registry.providers()
    except e.SettingsError as error:  # facts of models are read when a plugin's table is known
        findings += [Finding("fault", "settings", fault) for fault in error.faults]
    facts = Facts(settings, found, tuple(reports), registry, offers)
    for check in CHECKS:
        findings += check(facts)
    order = ("fault", "warning", "information")
    return sorted(findings, key=lambda one: order.index(one.level))


def _settings(environ: Mapping[str, str]) -> tuple[Settings, list[Finding]]:
    """Return the settings, or as much of them as can be used."""
    try:
        return Settings.load(environ=environ), []
    except e.SettingsError as error:
        faults = [Finding("fault", "settings", fault) for fault in error.faults]
    try:
        found = Settings.from_mapping({}, environ=environ)
    except e.SettingsError:
        found = Settings(environ=dict(environ))
    plugins = found.plugins.beside(places(environ.get("ANYMODAL_CONFIG")))
    return attrs.evolve(found, plugins=plugins), faults


def _healthy(found: Sequence[Candidate], reports: Sequence[Report]) -> tuple[Distribution, ...]:
    """Return the distributions with those of their plugins that load."""
    kept: dict[str, Distribution] = {}
    for one, report in zip(found, reports, strict=True):
        if report.state == "loaded":
            before = kept.get(one.distribution.normalised)
            points = (
                *(before.entry_points if before else ()),
                *((n, one.module) for n in one.names),
            )
            kept[one.distribution.normalised] = attrs.evolve(one.distribution, entry_points=points)
    return tuple(kept.values())


# -- plugins ------------------------------------------------------------------------------


def _plugins(facts: Facts) -> Iterator[Finding]:
    said: dict[str, Finding] = {}  # two modules of a distribution may have one fault
    for one, report in zip(facts.candidates, facts.reports, strict=True):
        if report.error is not None:
            is_meant = bool(ruled_out(one, facts.settings.plugins))
            level: Level = "information" if is_meant else "fault"
            said.setdefault(report.error, Finding(level, "plugin", report.error))
    yield from said.values()


def _commands(facts: Facts) -> Iterator[Finding]:
    from .app import BUILT_IN  # noqa: PLC0415  # it imports the commands, and one of them this

    owners: dict[str, list[str]] = {}
    for one, report in zip(facts.candidates, facts.reports, strict=True):
        for name, _ in report.commands:
            owners.setdefault(name, []).append(one.distribution.name)
    for name, names in owners.items():
        names.sort()
        if name in BUILT_IN:
            message = (
                f"The command {name!r} of {' and '.join(names)} is never run: anymodal has one of "
                "that name. Its authors have to rename it."
            )
            yield Finding("fault", "command", message)
        elif len(names) > 1:
            message = (
                f"The command {name!r} is offered by {' and '.join(names)}, so none is run. "
                "Uninstall or disable all but one."
            )
            yield Finding("fault", "command", message)


def _named_plugins(facts: Facts) -> Iterator[Finding]:
    """Look for names in the rules about plugins that are no plugin's."""
    rules = facts.settings.plugins
    every = facts.candidates or candidates(installed(), rules)
    ids = {name for one in every for name in one.names}
    known = {one.distribution.normalised for one in every} | {normalise(name) for name in ids}
    for where, names in (
        ("ANYMODAL_PLUGINS or [plugins] allow", rules.allow or ()),
        ("ANYMODAL_DISABLE_PLUGINS or [plugins] disable", rules.disable),
        ("[plugins] use", rules.use),
        ("[plugins] prefer", (*rules.prefer, *rules.prefer.values())),
    ):
        for name in sorted(names):
            if normalise(name) not in known:
                message = f"{where}: no plugin {name!r} is installed.{_close(name, known)}"
                yield Finding("fault", "settings", message)


def _close(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), 1)
    return f" Did you mean {close[0]}?" if close else ""


# -- keys and settings ---------------------------------------------------------------------


def _keys(facts: Facts) -> Iterator[Finding]:
    for message in dict.fromkeys(one.missing for one in facts.offers if one.enabled):
        if message:
            yield Finding("information", "credentials", message)


def _files(facts: Facts) -> Iterator[Finding]:
    """Look at what the files say of each provider and instance, where a line can be named."""
    for source in facts.settings.sources:
        if not Path(source).is_file():
            continue
        layer = Layer.read(Path(source))
        for kind in ("providers", "instances"):
            for name in layer.table().table(kind).found:
                yield from _entry(facts, layer, kind, name)


def _entry(facts: Facts, layer: Layer, kind: str, name: str) -> Iterator[Finding]:
    said: InstanceSettings = getattr(facts.settings, kind)[name]
    provider = said.provider or name
    specs = facts.specs(provider)
    secret = {one.name for spec in specs for one in spec.credentials} or {"api_key"}
    own = {key for spec in specs for key in spec.settings}
    if not specs:
        if provider not in facts.unserved:
            level: Level = "fault" if kind == "instances" else "warning"
            message = f"no provider {provider!r} is installed.{_close(provider, _ids(facts))}"
            yield Finding(level, "settings", _located(layer, (kind, name), message))
        own = set(said.rest)
    written = layer.table().table(kind).table(name).found
    for key in said.rest.keys() & written.keys():
        place = (kind, name, key)
        if key in secret:
            value = written[key]
            if isinstance(value, str) and not value.startswith(_references(facts)):
                message = "a key lies in this file. Better refer to one: env:, file:, keyring: or command:."
                yield Finding("warning", "credentials", _located(layer, place, message))
        elif key not in own:
            known = sorted(secret | own)
            message = f"{provider} has no such setting; its own are {', '.join(known)}.{_close(key, known)}"
            yield Finding("fault", "settings", _located(layer, place, message))


def _references(facts: Facts) -> tuple[str, ...]:
    """Return what a key begins with that lies elsewhere."""
    try:
        sources = facts.registry.acting("anymodal_secrets")
    except e.AnymodalError:  # which is said of the plugin
        sources = ()
    return (*REFERENCES, *(f"{one.scheme}:" for one in sources))


def _options(facts: Facts) -> Iterator[Finding]:
    """Look for options of kinds of work that there are not; nobody would ever ask for them."""
    known = [one.name for one in facts.registry.modalities()]
    said = [("options", facts.settings.options)]
    for kind in ("providers", "instances"):
        for name, one in getattr(facts.settings, kind).items():
            said.append((f"{kind}.{name}.options", one.options))
            said.append((f"{kind}.{name}.vendor_options", one.vendor_options))
    for where, options in said:
        for name in options:
            if name not in known:
                message = f"{where}: no modality is called {name!r}.{_close(name, known)}"
                yield Finding("fault", "settings", message)


def _ids(facts: Facts) -> set[str]:
    return {one.spec.id for one in facts.offers}


def _located(layer: Layer, key: tuple[str, ...], message: str) -> str:
    """Return *message* with the file, line and name of *key*."""
    before = set(layer.faults)
    layer.fault(key, message)
    return next((fault for fault in layer.faults if fault not in before), message)


# -- names --------------------------------------------------------------------------------


def _names(facts: Facts) -> Iterator[Finding]:
    """Look for aliases, fallbacks and defaults that lead nowhere."""
    settings = facts.settings
    modalities = [one.name for one in facts.registry.modalities()]
    for key, name in settings.defaults.items():
        kinds = [key] if key in modalities else modalities
        if lack := _lack(facts, name, kinds):
            yield Finding("fault", "name", f"defaults.{key}: {lack}")
    for alias, targets in settings.aliases.items():
        lacks = [_lack(facts, target, modalities) for target in targets]
        level: Level = "fault" if all(lacks) else "warning"
        for lack in filter(None, lacks):
            yield Finding(level, "name", f"aliases.{alias}: {lack}")
    for start, targets in settings.fallbacks.items():
        for name in (start, *targets):
            if lack := _lack(facts, name, modalities):
                yield Finding("fault", "name", f'fallbacks."{start}": {lack}')


def _spelling(facts: Facts) -> Iterator[Finding]:
    modalities = [one.name for one in facts.registry.modalities()]
    for message in misspelt(facts.settings, modalities, facts.offers):
        yield Finding("warning", "settings", message)


def _lack(facts: Facts, name: str, modalities: Collection[str]) -> str:
    """
    Return why *name* leads to nobody in any of *modalities*, or an empty string.

    A provider whose key is missing is somebody, and one whose plugin is broken
    has been spoken of.
    """
    if name.partition("/")[0] in facts.unserved:
        return ""
    errors = []
    for modality in modalities:
        decision = facts.registry.explain(name, modality=modality)
        if decision.error is None or isinstance(decision.error, e.MissingCredentialsError):
            return ""
        errors.append((not decision.rows, str(decision.error)))
    return min(errors, key=lambda one: one[0])[1]


# -- the machine -----------------------------------------------------------------------------


def _time_and_money(facts: Facts) -> Iterator[Finding]:
    for message in slow_plugins(facts.candidates, facts.reports):
        yield Finding("warning", "time", message)
    try:
        for message in budgets(facts.registry):
            yield Finding("information", "money", message)
    except e.AnymodalError as error:
        yield Finding("fault", "store", str(error))


def _variables(facts: Facts) -> Iterator[Finding]:
    plugins = tuple(
        f"ANYMODAL_{name.replace('-', '_').upper()}"
        for one in facts.candidates
        for name in one.names
    )
    declared = {
        name
        for one in facts.offers
        for credential in one.spec.credentials
        for name in credential.env
    }
    for name in sorted(facts.settings.environ):
        if name.startswith(plugins):  # a plugin's own
            continue
        if name.startswith("ANYMODAL_") and name not in declared.union(VARIABLES):
            message = f"There is no variable {name}.{_close(name, VARIABLES)} Known: {', '.join(VARIABLES)}."
            yield Finding("fault", "variable", message)


def _http(facts: Facts) -> Iterator[Finding]:
    library = facts.settings.http_backend
    is_needed = any(one.spec.kind == "remote" for one in facts.offers)
    if is_needed and find_spec(library) is None:
        extra = _EXTRAS.get(library, library)
        message = f"{library} is not installed. Try: pip install 'anymodal[{extra}]'"
        yield Finding("fault", "http", message)


def _cache(facts: Facts) -> Iterator[Finding]:
    folder = cache_folder(facts.settings.environ)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        message = (
            f"Nothing can be kept in {folder} ({error.strerror}), which makes every start slower. "
            "Set ANYMODAL_CACHE_DIR to a folder that you may write to, or to off."
        )
        yield Finding("fault", "cache", message)


CHECKS: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    _plugins,
    _commands,
    _named_plugins,
    _keys,
    _files,
    _options,
    _names,
    _spelling,
    _variables,
    _http,
    _cache,
    _time_and_money,
)
