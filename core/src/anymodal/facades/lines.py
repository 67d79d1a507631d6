"""A line into a conversation, held by a task of its own, and what is done beside it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskGroup

from .. import errors as e
from ..modalities.live import LiveEvent
from ..modalities.realtime import Conversation, OpensRealtime
from ..shielding import shielded
from .chat_stream import ToolRan
from .spawning import spawned

if TYPE_CHECKING:
    from ..specs import Deadlines
    from ..usage import Record

__all__ = ["Line", "bind", "hung_up", "late"]

WAITING_EVENTS: Final = 64
"""Events that are held for a slow reader; past it the vendor is not read."""

GOODBYE_SECONDS: Final = 5.0
"""How long it may take to say goodbye."""


def bind(provider: OpensRealtime) -> OpensRealtime:
    """
    Return *provider*.

    Raises:
        BrokenPluginError: It opens no sessions.
    """
    if not callable(getattr(provider, "open", None)):
        msg = f"{type(provider).__name__} has no open()."
        raise e.BrokenPluginError(msg)
    return provider


def late(record: Record, deadlines: Deadlines) -> e.TimedOutError:
    """Return what to say where an answer is due, and nothing comes."""
    msg = f"{record.instance}: an answer is due, and nothing came for {deadlines.between:g} s."
    return e.TimedOutError(msg, provider=record.provider)


def hung_up(record: Record) -> e.IncompleteError:
    """Return what to say where the other end has ended it."""
    msg = f"{record.instance}: the vendor has ended the session."
    return e.IncompleteError(msg, provider=record.provider)


class Line:
    """
    A line, and the task that has it from its opening to its end, as sockets need it.

    Args:
        opening: Opens it.
        heed: Called with each event before it is handed on.

    Attributes:
        conversation: What one speaks into; there once `opened` has returned.
    """

    conversation: Conversation

    def __init__(
        self,
        opening: AbstractAsyncContextManager[Conversation],
        heed: Callable[[LiveEvent], None],
    ) -> None:
        self._opening = opening
        self._heed = heed
        self._scope = anyio.CancelScope()
        self._is_open = anyio.Event()
        self._has_left = anyio.Event()
        self._fault: Exception | None = None
        self._beside: TaskGroup
        self._put, self._got = anyio.create_memory_object_stream[LiveEvent | ToolRan](
            WAITING_EVENTS
        )
        self._task = spawned(self._run)

    async def opened(self) -> None:
        """
        Wait until it is open.

        Raises:
            AnymodalError: It is not going to be.
        """
        await self._is_open.wait()
        if not hasattr(self, "conversation"):
            raise self._fault or e.ConnectionFailedError("The session was not opened.")

    def do(self, run: Callable[[], Awaitable[None]]) -> None:
        """Do something beside it, which ends with it; what that raises breaks the line."""
        self._beside.start_soon(self._done, run)

    async def _done(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except Exception as error:  # noqa: BLE001  # raised where events are awaited
            self._fault = self._fault or error
            self._beside.cancel_scope.cancel()

    async def put(self, event: ToolRan) -> None:
        """Hand on what the other end did not say; waits for a slow reader."""
        await self._put.send(event)

    async def batch(self) -> list[LiveEvent | ToolRan]:
        """Return the next events; none at the end."""
        try:
            found = [await self._got.receive()]
        except anyio.EndOfStream:
            if self._fault is not None:
                raise self._fault from None
            return []
        for _ in range(self._got.statistics().current_buffer_used):
            found.append(self._got.receive_nowait())  # noqa: PERF401  # each may change how many there are
        return found

    async def aclose(self) -> None:
        """Hang up, and wait until that is done and nothing is done beside it any more."""
        if hasattr(self, "conversation"):
            self._beside.cancel_scope.cancel()  # so that it may say goodbye
        else:
            self._scope.cancel()
        await shielded(self._hang_up())

    async def _hang_up(self) -> None:
        with anyio.move_on_after(GOODBYE_SECONDS):
            await self._has_left.wait()
        self._scope.cancel()
        await self._has_left.wait()
        self._got.close()

    async def _run(self) -> None:
        try:
            with self._scope:
                async with self._opening as found, anyio.create_task_group() as self._beside:
                    self.conversation = found
                    self._is_open.set()
                    await self._listen(found)
                    self._beside.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001  # raised where events are awaited
            self._fault = self._fault or error
        finally:
            self._put.close()
            self._is_open.set()
            self._has_left.set()

    async def _listen(self, conversation: Conversation) -> None:
        try:
            async with AsyncExitStack() as stack:
                events = aiter(conversation)
                if inspect.isasyncgen(events):
                    await stack.enter_async_context(aclosing(events))
                async for event in events:
                    self._heed(event)
                    await self._put.send(event)
        except Exception as error:  # noqa: BLE001  # as above; leaving may raise another
            self._fault = self._fault or error
