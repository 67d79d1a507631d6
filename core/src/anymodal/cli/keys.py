"""`anymodal keys`: keys in the operating system's keyring, put there and taken out."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import click
import platformdirs

from ..config import Settings
from ..connection import checked_key
from ..keyrings import Names, check
from ..registry import Registry
from .output import Listing, Stdout, json_option, note

__all__ = ["keys"]

LISTED: Final = Listing("instance", "credential")

credential_option = click.option(
    "--credential", default="api_key", show_default=True, metavar="NAME",
    help="Which of its keys, where it has several.",
)  # fmt: skip


@click.group
def keys() -> None:
    """
    Keep keys in the operating system's keyring.

    A key that is kept is found by itself, where neither settings nor variables
    have one.
    """


@keys.command("set")
@click.argument("instance")
@credential_option
def set_key(*, instance: str, credential: str) -> None:
    """
    Keep a key of INSTANCE: a provider, or an instance of the settings.

    The key is asked for without being shown, or read from standard input.
    """
    settings = Settings.load()
    with _silence():
        registry = Registry(settings)
        known: dict[str, set[str]] = {}
        for offer in registry.providers():
            names = {one.name for one in offer.spec.credentials}
            known.setdefault(offer.instance, set()).update(names)
    if instance not in known:
        raise click.ClickException(_unknown("provider or instance", instance, known))
    if credential not in known[instance]:
        raise click.ClickException(_unknown(f"key of {instance}", credential, known[instance]))
    name = f"{instance}/{credential}"
    check(name)
    _names().keep(name, checked_key(_asked(name), name))
    note(f"{name} is kept.")
    if settings.of(instance).rest.get(credential) is not None:
        note(f"{settings.section(instance)} has {credential} as well, which goes before it.")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """List the names of the keys that are kept. The keys themselves are never shown."""
    out = Stdout.taken()
    pairs = (name.partition("/") for name in _names().read())
    rows = [{"instance": instance, "credential": credential} for instance, _, credential in pairs]
    LISTED.write(rows, out, as_json=as_json)


@keys.command("remove")
@click.argument("instance")
@credential_option
def remove_key(*, instance: str, credential: str) -> None:
    """Take a key of INSTANCE out of the keyring."""
    name, names = f"{instance}/{credential}", _names()
    known = names.read()
    if name not in known:
        raise click.ClickException(_unknown("key", name, known))
    names.remove(name)
    note(f"{name} is kept no more.")


def _names() -> Names:
    return Names(platformdirs.user_config_path("anymodal"))


def _asked(name: str) -> str:
    """Return the key that somebody types or pipes in."""
    if sys.stdin is not None and sys.stdin.isatty():
        found: str = click.prompt(name, hide_input=True, err=True)
        return found.strip()
    return "" if sys.stdin is None else sys.stdin.read().strip()


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    found = sorted(known)
    close = difflib.get_close_matches(name, found, 1)
    if close:
        return f"There is no {kind} {name!r}. Did you mean {close[0]!r}?"
    return f"There is no {kind} {name!r}; there is {', '.join(found) or 'none'}."


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what plugins print while they are imported away from standard output."""
    out = Stdout()
    try:
        yield
    finally:
        out.give_back()
