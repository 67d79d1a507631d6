"""Ctrl-C during a call: it cancels the call, and leaves the loop as it was."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Self

try:
    # The public ones look for an enum's member that no function is, in 10 us a call.
    from _signal import (  # type: ignore[import-not-found]  # no stub; the public ones are made of it
        getsignal as get_handler,
    )
    from _signal import signal as set_handler
except ImportError:
    from signal import getsignal as get_handler
    from signal import signal as set_handler

__all__ = ["Interrupt", "longest_wait"]

SIGINT: Final = int(signal.SIGINT)
MAIN_THREAD: Final = threading.main_thread().ident


class Interrupt:
    """
    What Ctrl-C does while the main thread makes a call.

    The first cancels the call, the second does not wait for that. Raising at once,
    as Python's own handler does, could lose what the loop had in hand, or leave a
    call behind. A handler of the host's is left alone.

    Args:
        loop: Where the call runs.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._cancel: Callable[[], object] | None = None
        is_main = threading.get_ident() == MAIN_THREAD
        self._handles = is_main and get_handler(SIGINT) is signal.default_int_handler
        self.came = False

    def cancels(self, cancel: Callable[[], object]) -> None:
        """Say what cancels the call: something for the loop to do, once the call has begun."""
        self._cancel = cancel
        if self.came:
            self._loop.call_soon_threadsafe(cancel)

    def __enter__(self) -> Self:
        if self._handles:
            set_handler(SIGINT, self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handles:
            set_handler(SIGINT, signal.default_int_handler)

    def __call__(self, _: int, frame: FrameType | None, /) -> None:
        del frame  # signal handlers are given one
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        if self._cancel is not None:
            self._loop.call_soon_threadsafe(self._cancel)


def longest_wait() -> float | None:
    """
    Return how many seconds the calling thread may wait at a stretch; None is for ever.

    A signal that comes right before the main thread begins to wait does not end the
    wait; its handler runs when the thread looks up.
    """
    return 0.25 if threading.get_ident() == MAIN_THREAD else None
