"""How the command ends early, by Ctrl-C or by SIGTERM: with its connections closed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..loops import KeptLoop

__all__ = ["Ending", "Insisted", "run_async", "run_kept", "terminable"]

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
        interrupt = signal.getsignal(signal.SIGINT)  # the kept loop's own, while it runs
        if callable(interrupt):
            interrupt(number, frame)
        else:  # it is ignored, as in the background
            _interrupt_running()


def _interrupt_running() -> None:
    """Raise KeyboardInterrupt, where a loop runs not between two lines of it."""
    asyncio = sys.modules.get("asyncio")  # a listing needs no loop, and not the time to import it
    try:
        loop = asyncio.get_running_loop() if asyncio else None
    except RuntimeError:
        loop = None
    if loop is None:
        _interrupt()
    else:
        loop.call_soon_threadsafe(_interrupt)


def _interrupt() -> None:
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


def run_async(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run *function* on an event loop of its own."""
    from ..loops import KeptLoop  # noqa: PLC0415  # imports asyncio

    loop = KeptLoop()
    try:
        return loop.run(function())
    finally:
        loop.close(_nothing)


async def _nothing() -> None:
    pass


class Insisted(KeyboardInterrupt):
    """Ctrl-C came once more, before what it was to stop had ended."""


def run_kept(loop: KeptLoop, work: Coroutine[Any, Any, T]) -> T:
    """
    Run *work* to its end on *loop*, which can go on after an interrupt.

    Raises:
        Insisted: It was not waited for.
        KeyboardInterrupt: It was cancelled by Ctrl-C or SIGTERM.
    """
    has_ended = False

    async def to_its_end() -> T:
        nonlocal has_ended
        try:
            return await work
        finally:
            has_ended = True

    try:
        return loop.run(to_its_end())
    except KeyboardInterrupt:
        if not has_ended:
            raise Insisted from None
        raise
