"""What a call may leave behind: tasks, threads and connections."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

if TYPE_CHECKING:
    from anymodal_emulator import Emulated

__all__ = ["connections", "eventually", "tasks", "threads"]

LOOPS: Final = ("asyncio_", "AnyIO worker thread")
"""How the names of threads begin that an event loop keeps, and ends."""


def tasks() -> int:
    """Return how many tasks live in this event loop."""
    trio: Any = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        living: int = trio.lowlevel.current_statistics().tasks_living
        return living
    return len(asyncio.all_tasks())


def threads() -> set[str]:
    """Return the names of threads that would keep the process from ending."""
    return {
        one.name
        for one in threading.enumerate()
        if not one.daemon and not one.name.startswith(LOOPS)
    }


def connections(vendor: Emulated | None) -> int:
    """Return how many connections *vendor* has open."""
    return vendor.connections if vendor else 0


async def eventually(is_so: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until *is_so*, for some seconds at most; return whether it came to be."""
    with anyio.move_on_after(seconds):
        while not is_so():  # noqa: ASYNC110  # nobody tells when it is
            await anyio.sleep(0.005)
    return is_so()
