"""Imports a module in a process of its own and says what that did; see `plugin.imports-little`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from importlib import import_module

import anymodal  # noqa: F401  # what it brings along is not the module's doing

__all__ = ["imported_alone"]


def imported_alone(module: str) -> dict[str, list[str]]:
    """Return which packages importing *module* brought, which threads, and what of the network."""
    words = [sys.executable, "-m", __name__, module]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(words, capture_output=True, check=False, env=environ)  # noqa: S603  # this module
    assert not ran.returncode, f"{module} cannot be imported: {ran.stderr.decode()[-300:]}"
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found


def _look(module: str) -> None:
    before = set(sys.modules)
    network: list[str] = []
    sys.addaudithook(
        lambda event, _: network.append(event) if event.startswith("socket.") else None
    )
    import_module(module)
    found = {
        "packages": sorted({name.partition(".")[0] for name in set(sys.modules) - before}),
        "threads": [one.name for one in threading.enumerate()[1:]],
        "network": network,
    }
    print(json.dumps(found))  # noqa: T201  # it is read by whoever started this


if __name__ == "__main__":
    _look(sys.argv[1])
