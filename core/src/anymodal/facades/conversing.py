"""A conversation by voice, under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, TypeAlias, cast

import anyio
import attrs

from .. import errors as e
from ..call import LEFT, Call
from ..modalities.live import AudioFormat, AudioOut, LiveEvent, Partial, ResponseDone, Transcript
from ..modalities.messages import ToolResult
from ..modalities.realtime import (
    AudioIn,
    Commit,
    RealtimeRequest,
    Respond,
    SessionInput,
    TextIn,
    ToolResults,
)
from ..shielding import shielded
from ..usage import Usage, cost_of
from .asking_realtime import AskedRealtime, needs_of, weight_of
from .chat_stream import ToolRan
from .embedding_parts import total
from .lines import Line, bind, hung_up, late
from .playback import Playback
from .tool_rounds import ToolRounds

if TYPE_CHECKING:
    from types import TracebackType

    from ..doors import Door
    from ..modalities.realtime import OpensRealtime
    from ..modalities.repacking import Repacking
    from ..usage import Record

__all__ = ["RealtimeSession", "SessionEvent"]

SessionEvent: TypeAlias = LiveEvent | ToolRan


class RealtimeSession:
    """
    A conversation by voice: send sound and text, and iterate over what happens.

    One task may send while another reads, and a third may close it. Tools run while it
    goes on; a `ToolRan` says what the model will read. Somebody has to read: who does
    not holds the vendor up, after some sixty events.
    """

    def __init__(self, call: Call, rounds: ToolRounds, *, is_bounded: bool = False) -> None:
        self._call = call
        self._asked: AskedRealtime = call.asked
        self._rounds = rounds
        self._is_bounded = is_bounded
        self._waiting: anyio.CancelScope | None = None
        self._line: Line | None = None
        self._ready: deque[SessionEvent] = deque()
        self._fault: e.AnymodalError | None = None
        self._has_ended = False
        self._rest = b""
        self._is_committed = True
        self._is_owed = False
        self._used: list[Usage | None] = []
        self._last_id: str | None = None
        self._playback = Playback()
        self._heard: Repacking
        self._spoken: Repacking

    @property
    def record(self) -> Record:
        """What is known about the call so far; what it used and cost, when it is closed."""
        return self._call.record

    @property
    def input_format(self) -> AudioFormat:
        """How the sound has to be packed that is sent; known when the session is open."""
        return self._asked.formats(self._request)[0]

    @property
    def output_format(self) -> AudioFormat:
        """How the answers are packed; known when the session is open."""
        return self._asked.formats(self._request)[1]

    @property
    def _request(self) -> RealtimeRequest:
        self._opened()
        return cast("RealtimeRequest", self._call.request)

    async def start(self) -> Self:
        """
        Connect, so that something may be said.

        Raises:
            RequestError: Nothing was sent.
            VendorError: The vendor refused or failed.
        """
        if self._line is not None:
            return self
        try:
            outcome = await self._call.through(self._started, opens_stream=True)
        except BaseException:
            await self.aclose()  # middleware may fail after it was opened
            raise
        if self._line is None:
            self._call.ended(outcome)  # middleware answered in its place
        return outcome

    async def _started(self, call: Call) -> Self:
        asked = self._asked = call.asked
        await call.run(
            asked.model,
            partial(asked.request, call),
            self._open,
            bind=bind,
            needs_of=needs_of,
            weigh=weight_of,
            opens_stream=True,
        )
        if not self._is_bounded:
            # the whole lasts as long as people talk; what is waited for is bounded
            call.deadlines = attrs.evolve(call.deadlines, total=None)
        return self

    async def _open(self, door: Door, request: RealtimeRequest) -> None:
        provider: OpensRealtime = door.bound
        self._heard, self._spoken = self._asked.repackings(request)
        line = Line(provider.open(request), self._heed)
        self._line = line
        try:
            await line.opened()
        except BaseException:
            self._line = None
            await line.aclose()
            raise

    # -- what is said ---------------------------------------------------------------------

    async def send_audio(self, data: bytes) -> None:
        """
        Send sound, packed as `input_format` says, in pieces of any size.

        Waits while the provider has enough to do.

        Args:
            data: Sound that follows what was sent before.

        Raises:
            InvalidRequestError: It is no bytes.
            VendorError: The session broke.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):  # a union would be made for each
            msg = f"data: bytes are needed, not {type(data).__name__}."
            raise e.InvalidRequestError(msg, field="data")
        sound = self._rest + bytes(data)
        whole = len(sound) - len(sound) % (self.input_format.frame_bytes or 1)
        sound, self._rest = sound[:whole], sound[whole:]
        if sound:
            self._is_committed = False
            await self._tell(AudioIn(self._heard.feed(sound)))

    async def send_text(self, text: str, *, respond: bool = True) -> None:
        """
        Say something in writing.

        Args:
            text: What the user says.
            respond: Whether the model is to answer.

        Raises:
            InvalidRequestError: There are no words.
            VendorError: The session broke.
        """
        if not isinstance(text, str) or not text.strip():
            msg = f"text: words are needed, not {text!r}."
            raise e.InvalidRequestError(msg, field="text")
        await self._tell(TextIn(text))
        if respond:
            await self.respond()

    async def commit(self, *, respond: bool = True) -> None:
        """
        Say that the user has finished, where `turns` leaves that to the caller.

        Args:
            respond: Whether the model is to answer.

        Raises:
            InvalidRequestError: No sound was sent since the last time.
            VendorError: The session broke.
        """
        if self._is_committed:
            msg = "commit: no sound was sent since the last one."
            raise e.InvalidRequestError(msg, field="data")
        self._is_committed, self._rest = True, b""
        await self._tell(Commit())
        if respond:
            await self.respond()

    async def respond(self, instructions: str | None = None) -> None:
        """
        Have the model answer, when the answer under way has ended.

        Args:
            instructions: For this answer, in place of the session's.

        Raises:
            VendorError: The session broke.
        """
        await self._tell(Respond(instructions))
        self._owe()

    async def interrupt(self, *, played: float | None = None) -> None:
        """
        End the answer under way, and tell the vendor how much of it was heard.

        What of it was not read yet is dropped. Call this when somebody speaks
        (`SpeechStarted`) while sound is played, also where the vendor stops by itself.

        Args:
            played: Seconds of the last answer's sound that were heard; None for all
                that was given out.

        Raises:
            InvalidRequestError: It is no number of seconds.
            VendorError: The session broke.
        """
        is_owed = self._is_owed or any(isinstance(one, ResponseDone) for one in self._ready)
        told = self._playback.interrupt(played, self.output_format, is_owed=is_owed)
        self._ready = deque(one for one in self._ready if not self._playback.drops(one))
        await self._tell(told)

    async def send_results(self, results: Sequence[ToolResult]) -> None:
        """
        Say what tools gave that the caller runs; when all of an answer are there, it goes on.

        Args:
            results: For calls of `ToolRequested` events.

        Raises:
            InvalidRequestError: Nobody asked for one of them.
            VendorError: The session broke.
        """
        self._opened()
        await self._rounds.answer(results, self._give)

    async def _give(self, results: ToolResults) -> None:
        await self._tell(results)
        if results.responds:
            self._owe()

    async def _tell(self, event: SessionInput) -> None:
        line = self._opened()
        if self._has_ended:
            raise self._broken(hung_up(self.record))
        try:
            telling = line.conversation.send(event)
            await self._call.within(telling, self._call.deadlines.between)
        except e.AnymodalError as error:
            raise self._broken(error) from error.__cause__

    def _opened(self) -> Line:
        if self._fault is not None:
            raise self._fault
        if self._line is None:
            msg = "The session is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        return self._line

    # -- what happens ---------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionEvent:
        while not self._ready:
            if not await self._read():
                raise StopAsyncIteration
        return self._next()

    def take(self) -> SessionEvent | None:
        """Return an event that has come already; None where one, or the end, is to be awaited."""
        return self._next() if self._ready else None

    def _next(self) -> SessionEvent:
        event = self._ready.popleft()
        self._playback.give(event)
        return event

    async def _read(self) -> bool:
        """Wait for more events; return whether there may be any."""
        if self._has_ended:
            return False
        line = self._opened()
        try:
            with anyio.CancelScope() as self._waiting:
                self._hurry()
                batch = await self._call.within(line.batch(), None)
            if self._waiting.cancelled_caught:
                raise late(self.record, self._call.deadlines)
            if not batch and self._is_owed:
                raise hung_up(self.record)
        except e.AnymodalError as error:
            raise self._broken(error) from error.__cause__
        self._has_ended = not batch
        for event in batch:
            self._take(event)
        return True

    def _owe(self) -> None:
        self._is_owed = True
        self._hurry()

    def _hurry(self) -> None:
        """Bound the wait for more, while an answer is due."""
        seconds = self._call.deadlines.between
        if self._is_owed and seconds is not None and self._waiting is not None:
            self._call.arm(self._waiting, seconds)

    def _heed(self, event: LiveEvent) -> None:
        """Do what an event calls for when it comes, however late it is read."""
        if isinstance(event, ResponseDone):
            self._used.append(event.usage)
            self._last_id = event.response_id or self._last_id
        elif isinstance(event, Transcript) and event.usage is not None:
            self._used.append(event.usage)
        line = self._opened()
        self._rounds.heed(event, line.do, line.put, self._give)

    def _take(self, event: SessionEvent) -> None:
        if self.record.first_event_seconds is None:
            self._call.saw_first_event()
        if not self._playback.drops(event):
            if isinstance(event, AudioOut):
                event = AudioOut(self._spoken.feed(event.data), event.item_id)
            self._ready.append(event)
        if isinstance(event, ResponseDone):
            self._is_owed = False
        elif isinstance(event, AudioOut) or (isinstance(event, Partial) and event.who != "user"):
            self._is_owed = True

    # -- what goes wrong ------------------------------------------------------------------

    def _broken(self, error: e.AnymodalError) -> e.AnymodalError:
        if self._fault is None:
            self._fault = error
            self._call.failed_late(error)
            used = total(self._used) if self._used else None
            if used is not None:
                self.record.usage = used
                self.record.cost = cost_of(used, self._call.request.model.prices)
            self._call.ended(error=error)
        return self._fault

    # -- its end --------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Hang up. Tools that still run are cancelled."""
        line = self._line
        if line is None:
            return
        await shielded(self._leave(line))

    async def _leave(self, line: Line) -> None:
        await line.aclose()  # tools that end meanwhile may still ask for it
        if self._line is None:  # another task has closed it
            return
        self._line = None
        if self._fault is not None:
            if self.record.usage is not None:
                await self._call.settle()
            return
        if not self._used:
            self._call.left_early()
        else:
            self._call.account(total(self._used), self._last_id)
            if self._is_owed:
                self.record.cost = LEFT
            await self._call.settle()
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
