"""How the command ends early, by Ctrl-C or by SIGTERM: with its connections closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self, TypeVar

import anyio

__all__ = ["Ending", "Insisted", "KeptLoop", "run_async", "terminable"]

T = TypeVar("T")


class Ending:
    """What was told to the command: to end, or only, by Ctrl-C, to stop what it does."""

    def __init__(self) -> None:
        self._came = signal.SIGINT

    @property
    def is_ordered(self) -> bool:
        """Whether SIGTERM came, which leaves nothing to go on with."""
        return self._came is signal.SIGTERM

    @property
    def status(self) -> int:
        """The exit status of a command that ended so."""
        return 128 + self._came

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Do for SIGTERM what Ctrl-C would do now."""
        self._came = signal.SIGTERM
        interrupt = signal.getsignal(signal.SIGINT)  # the event loop's own, while one runs
        if callable(interrupt):
            interrupt(number, frame)
        else:
            raise KeyboardInterrupt


@contextmanager
def terminable() -> Iterator[Ending]:
    """Let SIGTERM end the command like Ctrl-C."""
    ending = Ending()
    before = signal.signal(signal.SIGTERM, ending)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGTERM, before)


def run_async(function: Callable[[], Awaitable[T]]) -> T:
    """Run *function* on an event loop that signals wake."""
    return anyio.run(_awake, function)


async def _awake(function: Callable[[], Awaitable[T]]) -> T:
    """
    Await what *function* returns, on a loop that handles a signal itself.

    asyncio leaves Ctrl-C to a plain handler. One that comes just before the loop
    begins to wait is noticed only when something else happens, unless the loop
    handles some signal itself: then every signal wakes it.
    """
    end = signal.getsignal(signal.SIGTERM)
    if not callable(end):
        return await function()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows, whose loop is always woken
        loop.add_signal_handler(signal.SIGTERM, end, signal.SIGTERM, None)
    try:
        return await function()
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, end)


class Insisted(KeyboardInterrupt):
    """Ctrl-C came once more, before what it was to stop had ended."""


class KeptLoop:
    """
    An event loop that stands still between runs, and connections with it.

    Ctrl-C ends a run: it is cancelled, and KeyboardInterrupt raised when it has
    come to its end. The loop can go on after that.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """
        Run *function* to its end.

        Raises:
            Insisted: It was not waited for.
            KeyboardInterrupt: It was cancelled by Ctrl-C or SIGTERM.
        """
        has_ended = False

        async def to_its_end() -> T:
            nonlocal has_ended
            try:
                return await _awake(function)
            finally:
                has_ended = True

        try:
            return self._runner.run(to_its_end())
        except KeyboardInterrupt:
            if not has_ended:
                raise Insisted from None
            raise

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runner.close()
