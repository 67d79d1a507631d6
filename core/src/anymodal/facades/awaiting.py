"""Methods of providers, whichever way their authors wrote them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread

__all__ = ["awaited"]


def awaited(function: Any) -> Callable[..., Awaitable[Any]]:
    """
    Return *function* as one to be awaited; one that is written without `async` runs in a thread.

    A thread cannot be stopped: where the caller is cancelled, it ends in its own time.
    """
    if inspect.iscoroutinefunction(function):
        return function  # type: ignore[no-any-return]  # a method of a stranger's class

    async def threaded(*given: object) -> Any:
        # In a tuple, since trio takes no coroutine out of a thread.
        (found,) = await anyio.to_thread.run_sync(
            lambda: (function(*given),), abandon_on_cancel=True
        )
        return await found if inspect.isawaitable(found) else found

    return threaded
