"""
An event loop that is kept between calls, for callers without one.

It runs in the thread that calls, as long as that is the only one and runs no loop
itself: nothing is faster than not changing threads. The first call from elsewhere
moves it into a thread of its own, for good.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from . import errors as e
from .interrupts import Interrupt, longest_wait
from .shielding import runs_on_trio

__all__ = ["KeptLoop"]

T = TypeVar("T")


class KeptLoop:
    """
    An asyncio loop that callers in any thread run their coroutines on.

    It is made at the first call. Ctrl-C cancels the call that its thread waits
    for, lets it end, and then raises KeyboardInterrupt.

    Attributes:
        is_closed: Whether calls are refused.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._driving = threading.Lock()  # held by whoever runs the loop
        self._home = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: _Driver | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self.is_closed = False
        self._ending: Coroutine[Any, Any, None] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Run *work* to its end and return what it returns.

        Raises:
            ConfigurationError: The loop was closed, before or meanwhile; or it is
                the one that the caller runs in.
        """
        loop = self._loop
        if loop is None or self.is_closed:
            loop = self._opened(work)
        try:
            return self._run(loop, work)
        except asyncio.CancelledError:
            if self.is_closed:
                raise _closed() from None
            raise

    def check_open(self) -> None:
        """
        Refuse what comes after the end.

        Raises:
            ConfigurationError: The loop was closed.
        """
        if self.is_closed:
            raise _closed()

    def next(self, source: AsyncIterator[T]) -> T:
        """
        Return the next of *source*.

        Raises:
            StopIteration: There is none.
        """
        try:
            return self.run(_anext(source))
        except StopAsyncIteration:
            raise StopIteration from None

    def each(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Iterate over *source*; what has come already costs no turn of the loop."""
        take: Callable[[], T | None] = getattr(source, "take", _nothing)
        while True:
            found = take()
            if found is None:
                try:
                    found = self.next(source)
                except StopIteration:
                    return
            yield found

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """
        Cancel what runs, await *last*, and leave no thread, task or socket.

        Calls after this are refused. Where nothing ever ran, nothing does.
        """
        loop = self._loop
        _check_outside(loop)
        with self._guard:
            was_closed, self.is_closed = self.is_closed, True
        if was_closed or loop is None:
            return
        self._ending = self._end(last)
        try:
            self._run(loop, self._ending)
        finally:
            thread = self._thread
            if thread is None:
                # Whoever waits for the end of the last task, as threads do, is told of it.
                loop.call_soon(loop.stop)
                loop.run_forever()
                loop.close()
            else:
                thread.stop()
                thread.join()

    # -- where it runs ---------------------------------------------------------------------

    def _opened(self, work: Coroutine[Any, Any, T]) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self.is_closed:
                work.close()
                raise _closed()
            if self._loop is None:
                self._home = threading.get_ident()
                self._loop = asyncio.new_event_loop()
                _look_up(self._loop)
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
        is_home = self._home == threading.get_ident()
        if not is_home or self._thread is not None or _runs_a_loop():
            return self._run_there(loop, work)
        with Interrupt(loop) as interrupt:
            task = self._drive(loop, work, interrupt)
        if task is None:
            return self._run_there(loop, work)
        if interrupt.came:
            _mark_seen(task)
            raise KeyboardInterrupt
        return task.result()

    def _drive(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], interrupt: Interrupt
    ) -> asyncio.Task[T] | None:
        """Run the loop in this thread until *work* has ended, unless it has moved meanwhile."""
        if not self._driving.acquire(blocking=False):
            return None
        stopping, task = _then_stop(work, loop), None
        try:
            task = loop.create_task(stopping)
            self._calls.add(task)
            interrupt.cancels(task.cancel)
            self._run_until(task, loop)
        except BaseException:
            if task is None:
                stopping.close()
                work.close()
            else:
                task.add_done_callback(_mark_seen)
                loop.call_soon(task.cancel)  # once it has begun: what never begins never stops
                while not task.done() and not interrupt.came:  # a second Ctrl-C does not wait
                    loop.run_forever()
            raise
        finally:
            self._calls.discard(task)
            self._driving.release()
        return task

    def _run_until(self, task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop) -> None:
        while not task.done():  # others may have stopped the loop
            try:
                loop.run_forever()
            except (KeyboardInterrupt, SystemExit) as error:
                others = [one for one in self._calls if one.done() and one is not task]
                if not any(not one.cancelled() and one.exception() is error for one in others):
                    raise

    def _run_there(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* in the loop's own thread, and wait for it."""
        errand = _Errand(loop, work, self._calls)
        with Interrupt(loop) as interrupt:
            try:
                self._submit(loop, errand)
                interrupt.cancels(errand.cancel)
                errand.wait()
            except BaseException:
                if not errand.is_handed_over:
                    work.close()
                elif not interrupt.came:
                    loop.call_soon_threadsafe(errand.cancel)
                    errand.wait()
                raise
        if interrupt.came:
            raise KeyboardInterrupt
        return errand.result()

    def _submit(self, loop: asyncio.AbstractEventLoop, errand: _Errand[T]) -> None:
        _check_outside(loop)
        with self._guard:
            if self.is_closed and errand.work is not self._ending:
                raise _closed()
            if self._thread is None:
                self._thread = _Driver(loop, self._driving)
            if self._thread.ident is None:
                self._thread.start()
            errand.is_handed_over = True
            loop.call_soon_threadsafe(errand.begin)

    async def _end(self, last: Callable[[], Awaitable[None]]) -> None:
        """Cancel what runs, await *last*, and then do as `asyncio.run` does in the end."""
        loop, this = asyncio.get_running_loop(), asyncio.current_task()
        await asyncio.sleep(0)  # let those begin that were already asked for
        await _cancelled({one for one in self._calls if one is not this})
        try:
            await last()
        finally:
            await _cancelled({one for one in asyncio.all_tasks() if one is not this})
            await loop.shutdown_asyncgens()
            await loop.shutdown_default_executor()

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        msg = "A SyncClient was not closed: use `with`, or call close()."
        warn(msg, ResourceWarning, source=self)
        if self._thread is not None:
            self._thread.stop()
        else:
            loop.close()


class _Errand(Generic[T]):
    """
    A call in the loop's own thread, for which another waits.

    Attributes:
        is_handed_over: Whether the loop has it, or is just being given it.
        result: Returns or raises what came of it; there once it was waited for.
    """

    result: Callable[[], T]

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, T],
        calls: set[asyncio.Task[Any]],
    ) -> None:
        self.work = work
        self.is_handed_over = False
        self._loop = loop
        self._calls = calls
        self._task: asyncio.Task[T] | None = None
        self._has_ended = False
        self._gate = threading.Lock()  # not an Event, which a signal's handler may leave locked
        self._gate.acquire()

    def begin(self) -> None:
        """Start it; in the loop."""
        self._task = self._loop.create_task(self.work)
        self._calls.add(self._task)
        self._task.add_done_callback(self._end)

    def cancel(self) -> None:
        """Cancel it; in the loop, which may never have been told to begin."""
        if self._task is not None:
            self._task.cancel()
        else:
            self.work.close()
            self._let_go()

    def _end(self, task: asyncio.Task[T]) -> None:
        self._calls.discard(task)
        _mark_seen(task)
        self.result = task.result
        self._let_go()

    def _let_go(self) -> None:
        self._has_ended = True
        self._gate.release()

    def wait(self) -> None:
        """Wait for its end, however that is."""
        seconds = longest_wait()
        while not self._has_ended:
            self._gate.acquire(timeout=-1 if seconds is None else seconds)


class _Driver(threading.Thread):
    """
    Runs a loop once nobody else does, until it is told to stop.

    It knows nothing of the `KeptLoop`, so that a forgotten one is collected.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, driving: threading.Lock) -> None:
        super().__init__(name="anymodal sync", daemon=True)
        self._its_loop = loop
        self._driving = driving
        self._shall_stop = False

    def run(self) -> None:
        with self._driving:
            while not self._shall_stop:
                try:
                    self._its_loop.run_forever()
                except (KeyboardInterrupt, SystemExit):
                    continue  # a task raised it; its caller gets it, and the others go on
            self._its_loop.close()

    def stop(self) -> None:
        """Have it stop and close the loop."""
        self._shall_stop = True
        self._its_loop.call_soon_threadsafe(self._its_loop.stop)


def _look_up(loop: asyncio.AbstractEventLoop) -> None:
    """Have *loop* wait no longer than its thread may."""
    seconds = longest_wait()
    if seconds is not None:
        loop.call_later(seconds, _look_up, loop)


def _mark_seen(task: asyncio.Task[Any]) -> None:
    """Ask for the error: asyncio complains of those that nobody asks for."""
    if not task.cancelled():
        task.exception()


async def _then_stop(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    """Await *work* and stop, a turn earlier than `run_until_complete` would."""
    try:
        return await work
    finally:
        loop.stop()


async def _anext(source: AsyncIterator[T]) -> T:
    return await source.__anext__()


def _nothing() -> None:
    return None


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _runs_a_loop() -> bool:
    """Whether the calling thread runs an event loop, of whichever library."""
    if asyncio._get_running_loop() is not None:  # noqa: SLF001  # the documented one raises: 0.5 us
        return True
    return runs_on_trio()


def _check_outside(loop: asyncio.AbstractEventLoop | None) -> None:
    if loop is not None and asyncio._get_running_loop() is loop:  # noqa: SLF001  # as above
        msg = (
            "The sync client is called from a coroutine that it runs itself. "
            "Use the async client there, or a plain function, which gets a thread."
        )
        raise e.ConfigurationError(msg)


def _closed() -> e.ConfigurationError:
    return e.ConfigurationError("The client is closed. Make a new one, or close it later.")
