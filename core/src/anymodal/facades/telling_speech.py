"""Text that comes in pieces, told to a voice while it speaks, or sentence by sentence."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Final, Self

import anyio
import attrs

from .. import errors as e
from ..modalities.speech import LiveSpeech, SpeechEnd, SpeechEvent, SpeechRequest
from ..shielding import shielded
from .answers import Batched, batched
from .asking_speech import nothing_to_say
from .speaking import Packing, Sentences, joined, unfinished

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from .speaking import Events

__all__ = ["BySentence", "Pieces", "Told"]

WAITING_EVENTS: Final = 64
"""Pieces of sound that are held for a slow listener; past it the vendor is not read."""


class Pieces:
    """
    Text that comes in pieces: read by a task of its own, and kept.

    So another provider can be told it from the beginning, and nobody who waits for
    sound has to break off reading text.

    Args:
        source: The text.
        tasks: Where what it takes runs.
    """

    def __init__(self, source: AsyncIterable[str], tasks: TaskGroup) -> None:
        self.tasks = tasks
        self._source = source
        self._told: list[str] = []
        self._fault: Exception | None = None
        self._is_over = False
        self._more = anyio.Event()
        self._scope = anyio.CancelScope()
        tasks.start_soon(self._read)

    async def _read(self) -> None:
        try:
            with self._scope:
                async with AsyncExitStack() as stack:
                    if inspect.isasyncgen(self._source):
                        await stack.enter_async_context(aclosing(self._source))
                    async for piece in self._source:
                        if not isinstance(piece, str):
                            msg = f"text: pieces are strings, not {type(piece).__name__}."
                            raise e.InvalidRequestError(msg, field="text")  # noqa: TRY301  # like what the source raises
                        self._told.append(piece)
                        self._wake()
        except Exception as error:  # noqa: BLE001  # the caller's own text; raised where it is read
            self._fault = error
        finally:
            self._is_over = True
            self._wake()

    def _wake(self) -> None:
        self._more.set()
        self._more = anyio.Event()

    def leave(self) -> None:
        """Read no more."""
        self._scope.cancel()

    async def each(self) -> AsyncGenerator[str, None]:
        """Iterate over it from the beginning. What the text raises is raised here."""
        told = 0
        while True:
            while told < len(self._told):
                told += 1
                yield self._told[told - 1]
            if self._fault is not None:
                raise self._fault
            if self._is_over:
                return
            await self._more.wait()


class Told:
    """
    A voice that is told its text while it speaks.

    One task has it from its opening to its end, as sockets need it, and one
    within tells.

    Args:
        opening: Opens the voice.
        pieces: The text.
    """

    def __init__(self, opening: AbstractAsyncContextManager[LiveSpeech], pieces: Pieces) -> None:
        self._opening = opening
        self._pieces = pieces
        self._scope = anyio.CancelScope()
        self._has_left = anyio.Event()
        self._fault: Exception | None = None
        self._put, self._got = anyio.create_memory_object_stream[SpeechEvent](WAITING_EVENTS)
        pieces.tasks.start_soon(self._run)

    async def batch(self) -> list[SpeechEvent]:
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
        """Hang up, and wait until that is done."""
        self._scope.cancel()
        await shielded(self._has_left.wait())
        self._got.close()

    async def _run(self) -> None:
        try:
            with self._scope:
                async with self._opening as voice, anyio.create_task_group() as tasks:
                    tasks.start_soon(self._tell, voice, tasks.cancel_scope)
                    await self._listen(voice)
                    tasks.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001  # raised where sound is awaited
            self._fault = self._fault or error
        finally:
            self._put.close()
            self._has_left.set()

    async def _listen(self, voice: LiveSpeech) -> None:
        try:
            async with AsyncExitStack() as stack:
                events = aiter(voice)
                if inspect.isasyncgen(events):
                    await stack.enter_async_context(aclosing(events))
                async for event in events:
                    await self._put.send(event)
                    if isinstance(event, SpeechEnd):
                        return
        except Exception as error:  # noqa: BLE001  # as above; a group would hide it
            self._fault = self._fault or error

    async def _tell(self, voice: LiveSpeech, scope: anyio.CancelScope) -> None:
        pieces, has_words = self._pieces.each(), False
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece:
                        has_words |= not piece.isspace()
                        await voice.send(piece)
            if not has_words:
                raise nothing_to_say()  # noqa: TRY301  # handled like what the text raises
            await voice.end()
        except e.VendorError as error:
            if error.record is not None:  # the text is a vendor's too, and broke
                self._fault = error
                scope.cancel()
            # else it cannot be told more; what is heard, or not, says why
        except Exception as error:  # noqa: BLE001  # as above
            self._fault = error
            scope.cancel()


class BySentence:
    """
    Speech of text in pieces, for providers that take only whole texts.

    Args:
        stream: Speaks one text.
        request: With everything but the text.
        pieces: The text.
        packing: Told where a new sound begins.
    """

    def __init__(
        self,
        stream: Callable[[SpeechRequest], Events],
        request: SpeechRequest,
        pieces: Pieces,
        packing: Packing,
    ) -> None:
        self._stream = stream
        self._request = request
        self._pieces = pieces.each()
        self._packing = packing
        self._sentences = Sentences()
        self._waiting: deque[str] = deque()
        self._is_told = self._is_over = False
        self._speaking = AsyncExitStack()
        self._source: Batched[SpeechEvent] | None = None
        self._end: SpeechEnd | None = None

    async def batch(self) -> list[SpeechEvent]:
        """Return the next events; the last of them is the end of all."""
        while not self._is_over:
            source = self._source or await self._begin()
            if source is None:
                self._is_over = True
                return [self._end or SpeechEnd()]
            found = await source.batch()
            if not found:
                raise unfinished(self._request.model.id, is_begun=self._end is not None)
            end = found[-1]
            if isinstance(end, SpeechEnd):
                await self._finish(end)
                found.pop()
            if found:
                return found
        return []

    async def _begin(self) -> Batched[SpeechEvent] | None:
        sentence = await self._next()
        if not sentence:
            if self._end is None:
                raise nothing_to_say()
            return None
        self._packing.begin()
        request = attrs.evolve(self._request, text=sentence)
        events = await self._speaking.enter_async_context(self._stream(request))
        self._source = batched(events)
        return self._source

    async def _next(self) -> str:
        while not self._waiting and not self._is_told:
            try:
                found = self._sentences.feed(await anext(self._pieces))
            except StopAsyncIteration:
                self._is_told = True
                found = self._sentences.end()
            self._waiting.extend(said for one in found if (said := one.strip()))
        return self._waiting.popleft() if self._waiting else ""

    async def _finish(self, end: SpeechEnd) -> None:
        self._source = None
        await self._speaking.aclose()
        before = self._end
        used = end.usage if before is None else joined(before.usage, end.usage)
        self._end = attrs.evolve(end, usage=used)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._speaking.aclose()
        await self._pieces.aclose()
