"""How the command ends early, by Ctrl-C or by SIGTERM: with its connections closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

import anyio

__all__ = ["run_async", "terminable"]

T = TypeVar("T")


@contextmanager
def terminable() -> Iterator[Callable[[], int]]:
    """
    Let SIGTERM end the command like Ctrl-C.

    Gives a function that returns the exit status of a command that ended so.
    """
    came = signal.SIGINT

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = signal.SIGTERM
        interrupt = signal.getsignal(signal.SIGINT)  # the event loop's own, while one runs
        if callable(interrupt):
            interrupt(number, frame)
        else:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield lambda: 128 + came
    finally:
        signal.signal(signal.SIGTERM, before)


def run_async(function: Callable[[], Awaitable[T]]) -> T:
    """
    Run *function* on an event loop that signals wake.

    asyncio leaves Ctrl-C to a plain handler. One that comes just before the loop
    begins to wait is noticed only when something else happens, unless the loop
    handles some signal itself: then every signal wakes it.
    """

    async def awake() -> T:
        end = signal.getsignal(signal.SIGTERM)
        if callable(end):
            with suppress(NotImplementedError):  # Windows, whose loop is always woken
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGTERM, end, signal.SIGTERM, None)
        return await function()

    return anyio.run(awake)
