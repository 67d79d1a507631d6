"""Sound that is transcribed while it is spoken."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, cast

import anyio
import attrs

from .. import errors as e
from ..call import Call
from ..modalities.live import Transcript
from ..modalities.repacking import Repacking
from ..modalities.transcription import (
    Heard,
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
    TranscriptionResult,
)
from ..shielding import shielded
from ..usage import Usage, Used
from .asking_transcription import AskedTranscription, live_needs_of, weight_of
from .listening import BoundTranscription, Ear, bind, heard, unfinished
from .turns import Turns, WhileAnswering

if TYPE_CHECKING:
    from types import TracebackType

    from ..doors import Door
    from ..modalities.live import AudioFormat
    from ..usage import Record

__all__ = ["LiveTranscription"]


class LiveTranscription:
    """
    Sound that is transcribed while it is spoken: send it, and iterate over what is heard.

    One task may send while another reads, and a third may close it. What was heard is
    kept until it is gone, for `result`.
    """

    def __init__(self, call: Call, *, is_bounded: bool = False) -> None:
        self._call = call
        self._asked: AskedTranscription = call.asked
        self._is_bounded = is_bounded
        self._waiting: anyio.CancelScope | None = None
        self._ear: Ear | None = None
        self._said: list[Transcript] = []
        self._ready: deque[Heard] = deque()
        self._end: TranscriptionEnd | None = None
        self._fault: e.AnymodalError | None = None
        self._rest = b""
        self._sent = 0
        self._has_finished = False
        self._turned: Repacking

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._call.record

    @property
    def format(self) -> AudioFormat:
        """How the sound has to be packed that is sent."""
        return self._asked.packing

    async def start(self) -> Self:
        """
        Connect, so that sound may be sent.

        Raises:
            AnymodalError: As `TranscriptionFacade.transcribe` does.
        """
        if self._ear is not None:
            return self
        try:
            outcome = await self._call.through(self._started, opens_stream=True)
        except BaseException:
            with anyio.CancelScope(shield=True):  # middleware may fail after it was opened
                await self.aclose()
            raise
        if self._ear is None:
            self._call.ended(outcome)  # middleware answered in its place
        return outcome

    async def _started(self, call: Call) -> Self:
        asked = self._asked = call.asked
        await call.run(
            asked.sought,
            partial(asked.live_request, call),
            self._open,
            bind=bind,
            needs_of=live_needs_of,
            weigh=weight_of,
            opens_stream=True,
        )
        if not self._is_bounded:
            # the whole lasts as long as people speak; what is waited for is bounded
            call.deadlines = attrs.evolve(call.deadlines, total=None)
        return self

    async def _open(self, door: Door, request: LiveTranscriptionRequest) -> None:
        bound: BoundTranscription = door.bound
        if bound.live is None:
            msg = f"{door.offer.instance} transcribes files and does not listen live; nothing was sent."
            raise e.UnsupportedFeatureError(msg)
        self._turned = Repacking(self.format, request.format)
        ear = Ear(bound.live(request))
        try:
            await ear.opened()
        except BaseException:
            await ear.aclose()
            raise
        self._ear = ear

    # -- what is sent ---------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """
        Send sound, packed as `format` says, in pieces of any size.

        Waits while the provider has enough to do. Somebody has to read what is heard
        meanwhile: who does not is told to wait as well, after some hundred events.

        Args:
            data: Sound that follows what was sent before.

        Raises:
            InvalidRequestError: It is no bytes, or comes after `finish`.
            VendorError: The session broke, or the vendor has ended it.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):  # a union would be made for each
            msg = f"data: bytes are needed, not {type(data).__name__}."
            raise e.InvalidRequestError(msg, field="data")
        if self._has_finished:
            msg = "data: no sound may come after finish()."
            raise e.InvalidRequestError(msg, field="data")
        ear = self._opened()
        if self._end is not None:
            error = unfinished(self.record.instance, is_begun=True)
            error.record = self.record
            raise self._with_text(error)
        sound = self._rest + bytes(data)
        whole = len(sound) - len(sound) % (self.format.frame_bytes or 1)
        sound, self._rest = sound[:whole], sound[whole:]
        if sound:
            await self._told(ear, ear.listener.send(self._turned.feed(sound)))
            self._sent += len(sound)

    async def finish(self) -> None:
        """
        Say that no more sound will come; iterating then ends when all was heard.

        Raises:
            VendorError: The session broke.
        """
        if self._has_finished or self._end is not None:
            return
        ear = self._opened()
        self._has_finished = True
        await self._told(ear, ear.listener.finish())
        self._hurry()

    async def _told(self, ear: Ear, telling: Awaitable[None]) -> None:
        try:
            await self._call.within(telling, self._call.deadlines.between)
        except e.AnymodalError as error:
            raise self._broken(ear.first_fault(error)) from error.__cause__
        except Exception as error:
            fault = ear.first_fault(error)
            if isinstance(fault, e.AnymodalError):
                raise self._broken(fault) from fault.__cause__
            raise

    def _opened(self) -> Ear:
        if self._fault is not None:
            raise self._fault
        if self._ear is None:
            msg = "The session is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        return self._ear

    # -- what is heard --------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Heard:
        while not self._ready:
            if not await self._read():
                raise StopAsyncIteration
        return self._ready.popleft()

    def take(self) -> Heard | None:
        """Return an event that has come already; None where one, or the end, is to be awaited."""
        return self._ready.popleft() if self._ready else None

    def turns(
        self, sound: AsyncIterable[bytes], *, while_answering: WhileAnswering | None = None
    ) -> Turns:
        """
        Send *sound*, and give what is said in turns: `async with session.turns(…) as turns`.

        Iterate over it and answer each `Turn`; nobody else sends or reads meanwhile. When
        the sound has ended, and all of it was heard, there are no more turns.

        Args:
            sound: Such as a microphone, packed as `format` says.
            while_answering: What is done with sound that comes while a turn is answered.
                `listen` hears it, and who speaks interrupts the answer; a turn that nobody
                has begun to answer becomes part of the next one. `wait` leaves it where it
                comes from, which suits files. `ignore` throws it away, so that a microphone
                beside a loudspeaker does not hear the answer. None is what suits the
                sound: `wait` for a `WavReader`, `listen` for all else.

        Raises:
            InvalidRequestError: *while_answering* is none of these.
        """
        return Turns(self, sound, while_answering)

    @property
    def text(self) -> str:
        """What was said so far, as far as it does not change any more."""
        return " ".join(one.text.strip() for one in self._said)

    async def result(self) -> TranscriptionResult:
        """
        Finish, read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The session broke; `partial` of an `IncompleteError` has the text so far.
        """
        await self.finish()
        while await self._read():
            pass
        return self._result(cast("TranscriptionEnd", self._end))

    def _result(self, end: TranscriptionEnd) -> TranscriptionResult:
        sent = self.format.seconds(self._sent)
        found = heard(self._said, end, language=self._asked.language, seconds=sent)
        return attrs.evolve(found, record=self.record)

    async def _read(self) -> bool:
        """Wait for more events; return whether there may be any."""
        if self._end is not None:
            return False
        ear = self._opened()
        try:
            with anyio.CancelScope() as self._waiting:
                self._hurry()
                self._take(await self._call.within(ear.batch(), None))
            if self._waiting.cancelled_caught:
                raise self._late()
        except e.AnymodalError as error:
            raise self._broken(error) from error.__cause__
        if self._end is not None:
            await self._end_whole(self._end)
        return True

    def _hurry(self) -> None:
        """Bound the wait for more, once it is the vendor's turn alone."""
        seconds = self._call.deadlines.between
        if self._has_finished and seconds is not None and self._waiting is not None:
            self._call.arm(self._waiting, seconds)

    def _late(self) -> e.TimedOutError:
        msg = f"{self.record.instance}: after all was sent, nothing came for {self._call.deadlines.between:g} s."
        return e.TimedOutError(msg, provider=self.record.provider)

    def _take(self, batch: Sequence[TranscriptionEvent]) -> None:
        if not batch:
            raise unfinished(self.record.instance, is_begun=bool(self._sent))
        if self.record.first_event_seconds is None:
            self._call.saw_first_event()
        for event in batch:
            if isinstance(event, TranscriptionEnd):
                self._end = event
                return
            if isinstance(event, Transcript):
                self._said.append(event)
            self._ready.append(event)

    async def _end_whole(self, end: TranscriptionEnd) -> None:
        found = self._result(end)
        self._call.account(found.usage, found.request_id)
        self.record.raw = end.raw
        try:
            await self._call.settle()
        finally:
            self._call.ended(found)

    def _broken(self, error: e.AnymodalError) -> e.AnymodalError:
        if self._fault is not None:
            return self._fault
        if isinstance(error, e.ConnectionFailedError) and self._sent:
            late = e.IncompleteError(str(error), provider=error.provider)
            late.__cause__ = error.__cause__
            error = late
        self._call.failed_late(self._with_text(error))
        self._call.ended(error=error)
        self._fault = error
        return error

    def _with_text(self, error: e.AnymodalError) -> e.AnymodalError:
        if hasattr(error, "partial"):
            error.partial = self.text
        return error

    # -- its end --------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Hang up. What was sent is billed; what was not yet heard is lost."""
        ear, self._ear = self._ear, None
        if ear is None:
            return
        await ear.aclose()
        if self._end is None and self._fault is None:
            await shielded(self._leave())

    async def _leave(self) -> None:
        sent = self.format.seconds(self._sent)
        if sent:
            self._call.account(Usage(units=(Used("second", sent, quality="live"),)), None)
            await self._call.settle()
        else:
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
