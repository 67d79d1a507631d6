"""Finds the store of a client: the host's, a plugin's, or a file of the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from . import errors as e
from .layers import STORE_FILE
from .registry import Registry
from .stores import MemoryStore, Store

__all__ = ["Storage", "state_folder"]

OFF: Final = "off"


class Storage:
    """
    The store of a client and of its tenants, found when it is first needed.

    Args:
        registry: Whose plugins and settings say which it is.
        given: The host's own, before all others.
    """

    def __init__(self, registry: Registry, given: Store | None = None) -> None:
        self._registry = registry
        self._given = given

    @cached_property
    def store(self) -> Store:
        """
        The store.

        Raises:
            ConfigurationError: Several plugins bring one.
            PluginError: The one that brings it does not serve.
        """
        if self._given is not None:
            return self._given
        found: tuple[Store, ...] = self._registry.acting("anymodal_stores")
        if len(found) > 1:
            msg = "plugins.use: several of them keep jobs and budgets; name one."
            raise e.ConfigurationError(msg)
        return found[0] if found else self._own()

    def _own(self) -> Store:
        settings = self._registry.settings
        folder = state_folder(settings.environ)
        path = settings.store or (str(folder / STORE_FILE) if folder else OFF)
        if path == OFF:
            return MemoryStore()
        from .stores.sqlite import SqliteStore  # noqa: PLC0415  # only where something is kept

        return SqliteStore(Path(path).expanduser())

    async def aclose(self) -> None:
        """Close it, if it was found at all."""
        if "store" in vars(self):
            await self.store.aclose()


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """Return what platformdirs would, of these variables; None where they name no home."""
    if sys.platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return Path(local, "anymodal", "anymodal") if local else None
    home = environ.get("HOME", "")
    if sys.platform == "darwin":
        return Path(home, "Library", "Application Support", "anymodal") if home else None
    base = environ.get("XDG_STATE_HOME") or (os.path.join(home, ".local", "state") if home else "")  # noqa: PTH118  # an empty one stays empty
    return Path(base, "anymodal") if base else None
