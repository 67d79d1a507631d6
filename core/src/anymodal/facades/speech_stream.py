"""Speech under way."""

from __future__ import annotations

from collections import deque
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Self, cast

import anyio

from .. import errors as e
from ..call import Call
from ..modalities.speech import AudioChunk, SpeechEnd, SpeechEvent, SpeechRequest, SpeechResult
from ..shielding import shielded
from ..specs import supports
from .answers import Batched, batched, drain
from .asking_speech import AskedSpeech, account, needs_of, weight_of
from .speaking import BoundSpeech, Packing, audio_of, bind, broken, unfinished
from .telling_speech import BySentence, Pieces, Told

if TYPE_CHECKING:
    from types import TracebackType

    from ..doors import Door
    from ..modalities.sounds import SoundFormat
    from ..modalities.speech import VoiceSpec
    from ..usage import Record

__all__ = ["SpeechStream"]


class SpeechStream:
    """
    Speech under way: iterate over its pieces of sound.

    It may be opened in one task and read and closed in another, unless its text
    comes in pieces: then it is left in the task in which it was entered. What was
    read is kept until the stream is gone, for `result`.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._asked: AskedSpeech = call.asked
        self._stack: AsyncExitStack | None = None
        self._tasks = AsyncExitStack()
        self._pieces: Pieces | None = None
        self._source: Batched[SpeechEvent] | None = None
        self._packing = Packing(None, None)
        self._kept: list[bytes] = []
        self._ready: deque[AudioChunk] = deque()
        self._end: SpeechEnd | None = None
        self._fault: e.AnymodalError | None = None
        self._reading: anyio.CancelScope | None = None
        self._has_left: anyio.Event | None = None

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._call.record

    @property
    def format(self) -> SoundFormat | None:
        """How the sound is packed; known when the stream is open."""
        return self._packing.format

    @property
    def voice(self) -> VoiceSpec | None:
        """Who speaks; known when the stream is open."""
        request: SpeechRequest | None = self._call.request
        return None if request is None else request.voice

    async def start(self) -> Self:
        """
        Send the request and wait for the first piece of sound.

        Raises:
            AnymodalError: As `SpeechFacade.synthesize` does.
        """
        if self._is_open:
            return self
        try:
            text = self._asked.text
            if not isinstance(text, str):
                tasks = await self._tasks.enter_async_context(anyio.create_task_group())
                self._pieces = Pieces(text, tasks)
            outcome = await self._call.through(self._started, opens_stream=True)
        except BaseException:
            try:
                with anyio.CancelScope(shield=True):  # middleware may fail after it was opened
                    await self._hang_up()
            finally:
                await self._read_no_more()  # its tasks were begun outside that scope
            raise
        if not self._is_open:
            self._call.ended(outcome)  # middleware answered in its place
        return outcome

    @property
    def _is_open(self) -> bool:
        return self._source is not None or self._end is not None

    async def _started(self, call: Call) -> Self:
        asked = self._asked = call.asked
        await call.run(
            asked.sought,
            partial(asked.request, call),
            self._open,
            bind=bind,
            needs_of=needs_of,
            weigh=weight_of,
            opens_stream=True,
        )
        call.saw_first_event()
        await self._end_if_whole()
        return self

    async def _open(self, door: Door, request: SpeechRequest) -> None:
        bound: BoundSpeech = door.bound
        wanted, pieces = self._asked.packing(request.format), self._pieces
        takes_pieces = supports(door.offer.spec, request.model, "live") is not False
        live = bound.live if takes_pieces else None
        by_sentence = pieces is not None and live is None
        self._packing = Packing(request.format, wanted, is_joined=by_sentence)
        async with AsyncExitStack() as stack:
            source: Batched[SpeechEvent]
            if pieces is None:
                source = batched(await stack.enter_async_context(bound.stream(request)))
            elif live is not None:
                told = Told(live(request), pieces)
                stack.push_async_callback(told.aclose)
                source = told
            else:
                by = BySentence(bound.stream, request, pieces, self._packing)
                source = await stack.enter_async_context(by)
            while not self._kept and self._end is None:
                self._note(await source.batch())
            self._source = source
            self._stack = stack.pop_all()

    def _note(self, batch: list[SpeechEvent]) -> None:
        if not batch:
            raise unfinished(self.record.instance, is_begun=bool(self._kept))
        for event in batch:
            if isinstance(event, SpeechEnd):
                self._end = event
                account(self._call, event)
                break
            data = self._packing.feed(event.data)
            if data:
                self._kept.append(data)
                self._ready.append(event if data is event.data else AudioChunk(data))

    async def _read(self) -> bool:
        """Wait for more sound; return whether there may be any."""
        if self._end is not None:
            return False
        if self._fault is not None:
            raise self._fault
        if self._source is None:
            raise _not_open()
        scope = self._reading = anyio.CancelScope()
        try:
            batch = await self._call.within(
                self._source.batch(), self._call.deadlines.between, scope
            )
            self._note(batch)
        except e.AnymodalError as error:
            if self._stack is None:  # somebody closed it
                raise _not_open() from None
            raise self._broken(error) from error.__cause__
        finally:
            self._reading = None
            if self._has_left is not None:
                self._has_left.set()
        if self._end is not None:
            await self._end_if_whole()
        return True

    async def _end_if_whole(self) -> None:
        if self._end is None:
            return
        try:
            await self._call.settle()
        finally:
            if self._call.is_watched:
                self._call.ended(self._result())

    def _broken(self, error: e.AnymodalError) -> e.AnymodalError:
        if isinstance(error, e.VendorError):
            error = broken(error, is_begun=bool(self._kept))
        self._call.failed_late(error)
        self._call.ended(error=error)
        self._fault = error
        return error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AudioChunk:
        while not self._ready:
            if not await self._read():
                raise StopAsyncIteration
        return self._ready.popleft()

    def take(self) -> AudioChunk | None:
        """Return a piece that has come already; None where one, or the end, is to be awaited."""
        return self._ready.popleft() if self._ready else None

    async def result(self) -> SpeechResult:
        """
        Read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The stream broke.
        """
        while await self._read():
            pass
        return self._result()

    def _result(self) -> SpeechResult:
        end = cast("SpeechEnd", self._end)
        data = self._packing.whole(b"".join(self._kept))
        packing = self._packing.format or end.format
        return SpeechResult(
            audio=audio_of(data, packing),
            format=packing,
            seconds=self._packing.seconds(data),
            voice=self.voice,
            usage=end.usage,
            request_id=end.request_id,
            raw=end.raw,
            record=self.record,
        )

    async def aclose(self) -> None:
        """
        Close the connection, or give it back where all was said.

        Who reads in another task gets the error of a stream that is not open.
        """
        try:
            await self._hang_up()
        finally:
            await self._read_no_more()

    async def _hang_up(self) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            async with stack:
                if self._reading is not None:
                    self._has_left = anyio.Event()
                    self._reading.cancel()
                    await shielded(self._has_left.wait())
                await self._leave()

    async def _read_no_more(self) -> None:
        if self._pieces is not None:
            self._pieces.leave()
        await self._tasks.aclose()

    async def _leave(self) -> None:
        source, self._source = self._source, None
        if self._end is not None and source is not None:
            await drain(source)
        elif self._fault is None:
            self._call.left_early()
            self._call.ended()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _not_open() -> e.ConfigurationError:
    msg = "The stream is not open: use it inside `async with`, or await start() first."
    return e.ConfigurationError(msg)
