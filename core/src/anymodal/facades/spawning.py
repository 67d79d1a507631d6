"""Tasks that belong to an object rather than to a block of code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module

from ..shielding import runs_on_trio

__all__ = ["spawned"]


def spawned(run: Callable[[], Coroutine[object, object, None]]) -> object:
    """
    Start *run* beside the calling task, and return the task; hold on to it.

    Whoever starts it has to end it, and to wait until it has ended. In return it may
    be started in one task and ended in another, which no task group allows, and which
    the sync client needs. *run* raises nothing.
    """
    if runs_on_trio():
        return import_module("trio").lowlevel.spawn_system_task(run)
    return asyncio.get_running_loop().create_task(run())
