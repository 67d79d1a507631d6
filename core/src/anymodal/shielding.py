"""What has to be done to its end though its caller is cancelled, in whichever way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["runs_on_trio", "shielded"]

T = TypeVar("T")


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """
    Return what *work* does; whoever is cancelled meanwhile is so when it has ended.

    A cancel scope with a shield holds off other scopes, but not `Task.cancel`, which
    is how `asyncio.timeout`, `asyncio.TaskGroup` and Ctrl-C cancel. So under asyncio
    *work* is a task of its own, for which its caller waits in any case.

    Args:
        work: Something short, or with a deadline of its own.
    """
    import anyio  # noqa: PLC0415  # the loop of callers without one knows of trio, and not of this

    with anyio.CancelScope(shield=True):
        if runs_on_trio():
            return await work
        task = asyncio.get_running_loop().create_task(work)
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # asyncio complains of errors that nobody asks for
        raise cancelled
    return task.result()


def runs_on_trio() -> bool:
    """Whether the calling thread runs trio's event loop."""
    # Another thread may be importing it just now, as libraries do when they connect.
    lowlevel = getattr(sys.modules.get("trio"), "lowlevel", None)
    found: Callable[[], bool] | None = getattr(lowlevel, "in_trio_run", None)
    return found is not None and found()
