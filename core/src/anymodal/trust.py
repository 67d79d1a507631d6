"""
Who may serve: decided from metadata and settings, before anything is imported.

Two distributions may claim one id. The one that is called `anymodal-<id>` keeps
it; where neither or both are so called, neither serves until settings say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from . import errors as e
from ._version import __version__
from .config import PluginSettings
from .index import GROUP, Distribution, normalise
from .specs import is_id

if TYPE_CHECKING:
    from .lock import Check

__all__ = ["Candidate", "State", "candidates", "ruled_out"]

LOCK_ADVICE = "If that is as it should be: anymodal plugins lock"

State: TypeAlias = Literal["found", "loaded", "broken", "incompatible", "blocked", "shadowed"]


@attrs.frozen
class Candidate:
    """
    A module that a distribution declares, and what is known before importing it.

    Attributes:
        distribution: Where it is from.
        module: What would be imported.
        names: The ids under which the distribution declares it.
        ids: Those of them that it may serve.
        state: `found` where it may be imported.
        error: Why it may not.
        claims: Names that nobody else may serve in its place.
        checks: What is compared with the lock in force right before it is imported.
    """

    distribution: Distribution
    module: str
    names: tuple[str, ...]
    ids: frozenset[str]
    state: State = "found"
    error: e.PluginError | None = None
    claims: frozenset[str] = frozenset()
    checks: tuple[Check, ...] = ()

    @property
    def known_as(self) -> frozenset[str]:
        """Its names and its distribution's, normalised."""
        return frozenset((*map(normalise, self.names), self.distribution.normalised))


def candidates(
    distributions: Iterable[Distribution], settings: PluginSettings
) -> tuple[Candidate, ...]:
    """Return every declared module, each with its verdict."""
    every = tuple(distributions)
    judged = [_judged(one, settings) for one in _declared(every)]
    if settings.lock is not None:
        judged = _under_lock(judged, every, settings.lock)
    claims: dict[str, list[Candidate]] = {}
    for one in judged:
        for name in one.names if one.claims else ():
            claims.setdefault(name, []).append(one)
    return tuple(_unshadowed(one, claims, settings.prefer) for one in judged)


def ruled_out(one: Candidate, settings: PluginSettings) -> str:
    """Return which rule of the user's keeps *one* from being imported, if any does."""
    known = one.known_as
    if known & {normalise(name) for name in settings.disable}:
        return "ANYMODAL_DISABLE_PLUGINS or [plugins] disable names it"
    allow = settings.allow
    if allow is not None and not known & {normalise(name) for name in allow}:
        return "ANYMODAL_PLUGINS or [plugins] allow does not name it"
    return ""


def _declared(distributions: Iterable[Distribution]) -> Iterator[Candidate]:
    for distribution in distributions:
        modules: dict[str, list[str]] = {}
        for name, module in dict.fromkeys(distribution.entry_points):
            modules.setdefault(module, []).append(name)
        if distribution.fault:
            modules = {"": [distribution.normalised.removeprefix(f"{GROUP}-")]}
        for module, names in modules.items():
            ids = frozenset(names)
            yield Candidate(distribution, module, tuple(names), ids, claims=ids)


def _judged(one: Candidate, settings: PluginSettings) -> Candidate:
    distribution = one.distribution
    who = _who(one)
    if reason := ruled_out(one, settings):
        error = e.BlockedPluginError(f"{who} is not imported: {reason}.")
        return attrs.evolve(_refused(one, "blocked", error), claims=frozenset())
    # from here on one that cannot be imported keeps its ids: keys and prompts that are
    # meant for it go to nobody else, unless the user took it out
    if distribution.fault:
        msg = f"{who}: {distribution.fault}. Try: pip install --force-reinstall {distribution.name}"
        return _refused(one, "broken", e.BrokenPluginError(msg))
    if not distribution.fits:
        msg = (
            f"{who} needs anymodal{distribution.requires}, and this is {__version__}. "
            f"Try: pip install -U {distribution.name} anymodal"
        )
        return _refused(one, "incompatible", e.IncompatiblePluginError(msg))
    if wrong := _misdeclared(one):
        return _refused(one, "broken", e.BrokenPluginError(f"{who}: {wrong}."))
    return one


def _misdeclared(one: Candidate) -> str:
    """Return what is wrong with the entry points themselves."""
    for name in one.names:
        if not is_id(name):
            return f"{name!r} is no id; ids are lower-case words joined by hyphens"
        modules = [module for said, module in one.distribution.entry_points if said == name]
        if len(set(modules)) > 1:
            return f"it declares {name!r} twice, as {' and '.join(modules)}"
    if not all(part.isidentifier() for part in one.module.split(".")):
        return f"an entry point in the group {GROUP} names a module, not {one.module!r}"
    return ""


def _refused(one: Candidate, state: State, error: e.PluginError) -> Candidate:
    return attrs.evolve(one, ids=frozenset(), state=state, error=error)


def _who(one: Candidate) -> str:
    version = f" {one.distribution.version}" if one.distribution.version else ""
    return f"{one.distribution.name}{version}"


def _under_lock(
    judged: Iterable[Candidate], every: Iterable[Distribution], path: str
) -> list[Candidate]:
    """Refuse what the lock at *path* does not have, and note what has to be compared later."""
    from .lock import Lock  # noqa: PLC0415  # most installations have none

    lock = Lock.read(path)
    beside = {one.normalised: one for one in every}
    found: list[Candidate] = []
    for one in judged:
        if one.state == "blocked" or one.distribution.fault:
            found.append(one)
        elif why := lock.refuses(one.distribution):
            msg = f"{_who(one)} is not imported: {why}. {LOCK_ADVICE}"
            refused = _refused(one, "blocked", e.BlockedPluginError(msg))
            # a stranger takes no id from those that are locked
            is_known = one.distribution.normalised in lock.plugins
            found.append(refused if is_known else attrs.evolve(refused, claims=frozenset()))
        else:
            checks = lock.checks(one.distribution, beside)
            found.append(attrs.evolve(one, checks=checks))
    return found


def _unshadowed(
    one: Candidate, claims: Mapping[str, list[Candidate]], prefer: Mapping[str, str]
) -> Candidate:
    """Take from *one* the ids that others keep."""
    if one.state != "found":
        return one
    lost: dict[str, list[Candidate]] = {}
    for name in one.names:
        others = [other for other in claims[name] if other is not one]
        if others and _keeper(name, claims[name], prefer) is not one:
            lost[name] = others
    if not lost:
        return one
    ids = one.ids - lost.keys()
    name, others = next(iter(lost.items()))
    rivals = ", ".join(sorted(_who(other) for other in others))
    msg = (
        f"{_who(one)} does not serve {name!r}, which {rivals} claims as well. "
        f'To choose: [plugins] prefer = {{ {name} = "{one.distribution.name}" }}'
    )
    error = e.ShadowedPluginError(msg)
    return attrs.evolve(one, ids=ids, state="found" if ids else "shadowed", error=error)


def _keeper(name: str, claimants: list[Candidate], prefer: Mapping[str, str]) -> Candidate | None:
    if name in prefer:
        wanted = normalise(prefer[name])
        named = [one for one in claimants if one.distribution.normalised == wanted]
    else:
        named = [one for one in claimants if one.distribution.normalised == f"{GROUP}-{name}"]
    return named[0] if len(named) == 1 else None
