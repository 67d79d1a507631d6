"""Which plugins are installed, and whether they are as they were: `plugins`, `lock`, `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs
import click

from ..config import Settings
from ..errors import BlockedPluginError
from ..index import Distribution, installed, normalise
from ..lock import Check, Lock, Locked, changes, locked
from ..sections import LOCK_FILE
from ..trust import LOCK_ADVICE, Candidate, candidates, ruled_out
from .output import Listing, Stdout, json_option, note

__all__ = ["plugins"]

PLUGINS: Final = Listing(
    "name", "version", "entry_point", "state", "load_ms", "providers", "error"
)  # fmt: skip
LOCKED: Final = Listing("distribution", "version", "ids", "files", "unlockable")
VERIFIED: Final = Listing("distribution", "version", "state", "message")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(context: click.Context, *, as_json: bool) -> None:
    """
    List the plugins that are installed.

    Each is imported in a process of its own, for at most 10 seconds.
    """
    if context.invoked_subcommand is not None:
        return
    from .probe import probe  # noqa: PLC0415  # what is about locks imports no plugin

    out = Stdout.taken()
    rules = Settings.load().plugins
    found = candidates(installed() if rules.autoload else (), rules)
    rows = [
        {
            "name": one.distribution.name,
            "version": one.distribution.version or None,
            "entry_point": _entry_point(one),
            "state": report.state,
            "load_ms": report.milliseconds,
            "providers": report.providers,
            "error": report.error,
        }
        for one, report in zip(found, probe(found), strict=True)
    ]
    PLUGINS.write(rows, out, as_json=as_json)


def _entry_point(one: Candidate) -> str | None:
    """Return the module and its names, as the distribution's metadata has them."""
    return ", ".join(f"{name} = {one.module}" for name in one.names) or None


# -- the lock -----------------------------------------------------------------------------


@plugins.command
@json_option
def lock(*, as_json: bool) -> None:
    """
    Write down which plugins are installed, with the hashes of their code.

    From then on no other plugin is imported, and none that has changed. The lock is
    anymodal.lock in the working directory, or the one that is in force already. None
    is imported for it, and those that settings rule out are left out of it.
    """
    out = Stdout.taken()
    settings = Settings.load()
    path = settings.plugins.lock or str(Path(LOCK_FILE).absolute())
    found = _distributions(settings)
    names = [one.normalised for one in found]
    rows = []
    for one in found:
        if one.fault:
            note(f"{one.name} is left out: {one.fault}.")
        else:
            rows.append(locked(one, names))
    Lock(path, {normalise(row.distribution): row for row in rows}).write()
    LOCKED.write([_row(one) for one in rows], out, as_json=as_json)
    note(f"{len(rows)} plugins are locked by {path}.")


def _distributions(settings: Settings) -> list[Distribution]:
    """Return those that declare plugins, unless settings rule all of these out."""
    rules = attrs.evolve(settings.plugins, lock=None)
    found = candidates(installed() if rules.autoload else (), rules)
    kept = {
        one.distribution.normalised: one.distribution for one in found if not ruled_out(one, rules)
    }
    return [kept[name] for name in sorted(kept)]


def _row(one: Locked) -> dict[str, str | int | tuple[str, ...] | None]:
    return {
        "distribution": one.distribution,
        "version": one.version,
        "ids": one.ids,
        "files": len(one.files),
        "unlockable": one.unlockable or None,
    }


@plugins.command
@json_option
def verify(*, as_json: bool) -> None:
    """
    Compare the plugins that are installed with the lock; nothing is imported.

    Exit status 1 where one has changed, is not in the lock, or is gone.
    """
    out = Stdout.taken()
    settings = Settings.load()
    path = settings.plugins.lock
    if path is None:
        msg = f"No lock is in force. Write {LOCK_FILE} with: anymodal plugins lock"
        raise click.ClickException(msg)
    found = Lock.read(path)
    if found.fault:
        msg = f"The lock {path} cannot be read: {found.fault}. Write it anew with: anymodal plugins lock"
        raise BlockedPluginError(msg)
    rows = _compared(found, _distributions(settings))
    VERIFIED.write(rows, out, as_json=as_json)
    if any(row["state"] not in _AS_LOCKED for row in rows):
        note(f"The plugins are not as they were locked by {path}. {LOCK_ADVICE}")
        click.get_current_context().exit(1)


_AS_LOCKED: Final = ("unchanged", "unlockable")


def _compared(lock: Lock, found: list[Distribution]) -> list[dict[str, str | None]]:
    there = {one.normalised: one for one in found}
    rows = [_verdict(now, *_state(lock, now)) for now in found]
    for name, one in lock.plugins.items():
        if name not in there:
            gone = Distribution(one.distribution, one.version)
            rows.append(
                _verdict(gone, "gone", "it was locked, and is not installed or is ruled out")
            )
    return rows


def _verdict(one: Distribution, state: str, message: str) -> dict[str, str | None]:
    return {
        "distribution": one.name,
        "version": one.version or None,
        "state": state,
        "message": message or None,
    }


def _state(lock: Lock, now: Distribution) -> tuple[str, str]:
    one = lock.plugins.get(now.normalised)
    if one is None:
        return "unknown", "it is not in the lock"
    if why := now.fault or lock.refuses(now):
        return "changed", why
    gone = set(one.ids) - {name for name, _ in now.entry_points}
    said = [f"it no longer declares {name}" for name in sorted(gone)]
    said += changes(Check(now.name, now.location, one.modules, one.files))
    if said:
        return "changed", "; ".join(said)
    return ("unlockable", one.unlockable) if one.unlockable else ("unchanged", "")
