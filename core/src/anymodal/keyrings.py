"""
Keys in the operating system's keyring, and the names of those that we put there.

A keyring cannot be asked what it holds, so names, and nothing else, stand in a file
beside the user's settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Final

from .errors import ConfigurationError, MissingCredentialsError
from .files import write_whole

__all__ = ["SERVICE", "Names", "check", "look_up"]

SERVICE: Final = "anymodal"
"""Under which our own keys lie in the keyring."""

FILE: Final = "keys.json"


def look_up(service: str, name: str, where: str) -> str:
    """
    Return what the keyring has.

    Args:
        service: Such as `anymodal`.
        name: Of the key, within the service.
        where: The setting that wants it, for errors.

    Raises:
        MissingCredentialsError: It has no such key.
        ConfigurationError: There is no keyring, or it cannot be read.
    """
    keyring = _keyring(where)
    try:
        value: str | None = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise _failed(where, "read", error) from error
    if value is None:
        msg = f"{where}: the keyring has no {name} of {service}."
        raise MissingCredentialsError(msg)
    return value


def check(where: str) -> None:
    """
    Refuse to go on without the library.

    Raises:
        ConfigurationError: It is not installed.
    """
    _keyring(where)


def _keyring(where: str) -> ModuleType:
    try:
        import keyring  # noqa: PLC0415  # an extra
        import keyring.errors  # noqa: PLC0415  # an extra
    except ImportError as error:
        msg = f'{where}: keyring is not installed; run pip install "anymodal[keyring]".'
        raise ConfigurationError(msg) from error
    return keyring


def _failed(where: str, what: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{where}: the keyring cannot be {what} ({type(error).__name__}).")


class Names:
    """
    The keys of our own in the keyring, each called `instance/credential`.

    Args:
        folder: That of the user's settings.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self) -> tuple[str, ...]:
        """
        Return the names, sorted.

        Raises:
            ConfigurationError: The file of names is damaged.
        """
        try:
            found = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError):
            found = None
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            msg = f"{self.path}: it is no list of names. Remove it, and set the keys again."
            raise ConfigurationError(msg)
        return tuple(sorted(set(found)))

    def keep(self, name: str, key: str) -> None:
        """
        Put *key* into the keyring as *name*.

        Raises:
            ConfigurationError: There is no keyring, or it takes nothing.
        """
        before = self.read()
        keyring = _keyring(name)
        try:
            keyring.set_password(SERVICE, name, key)
        except keyring.errors.KeyringError as error:
            raise _failed(name, "written to", error) from error
        self._write({*before, name})

    def remove(self, name: str) -> None:
        """
        Take *name* out of the keyring.

        Raises:
            ConfigurationError: There is no keyring, or it lets nothing go.
        """
        before = self.read()
        keyring = _keyring(name)
        try:
            keyring.delete_password(SERVICE, name)
        except keyring.errors.PasswordDeleteError:  # gone already, by another way
            pass
        except keyring.errors.KeyringError as error:
            raise _failed(name, "written to", error) from error
        self._write(set(before) - {name})

    def _write(self, names: Iterable[str]) -> None:
        """Write the file whole: a reader sees what was there or what is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, f"{json.dumps(sorted(names), indent=2)}\n".encode())
