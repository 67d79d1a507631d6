"""An answer under way."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, cast

import anyio
import attrs

from .. import errors as e
from ..call import Call
from ..modalities.text import Finish, OutputT, TextDelta, TextEvent, TextRequest, TextResult
from ..shapes import Growing
from ..shielding import shielded
from .answers import Batched, BoundText, assembled, batched, bind, broken, drain, unfinished, words
from .asking import Asked, account, finished, stream_needs_of, weight_of

if TYPE_CHECKING:
    from types import TracebackType

    from ..doors import Door
    from ..usage import Record

__all__ = ["PartialOutput", "StreamEvent", "TextStream", "Words"]


@attrs.define(eq=True)
class PartialOutput:
    """
    What a structured answer says so far.

    Attributes:
        value: JSON values; strings may be cut, what is not there yet is left out.
    """

    value: Any


StreamEvent: TypeAlias = TextEvent | PartialOutput


class TextStream(Generic[OutputT]):
    """
    An answer under way: iterate over its events, or over its `text`.

    It may be opened in one task and read and closed in another, but not be read
    by two at once. What was read is kept until the stream is gone, for `result`.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._asked: Asked = call.asked
        self._stack: AsyncExitStack | None = None
        self._source: Batched[TextEvent] | None = None
        self._seen: list[TextEvent] = []
        self._ready: deque[StreamEvent] = deque()
        self._growing = Growing()
        self._fault: e.AnymodalError | None = None
        self._reading: anyio.CancelScope | None = None
        self._has_left: anyio.Event | None = None

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._call.record

    async def start(self) -> Self:
        """
        Send the request and wait for the first event.

        Raises:
            AnymodalError: As `TextFacade.generate` does.
        """
        if self._seen:
            return self
        try:
            outcome = await self._call.through(self._started, opens_stream=True)
        except BaseException:
            with anyio.CancelScope(shield=True):  # middleware may fail after it was opened
                await self.aclose()
            raise
        if not self._seen:
            self._call.ended(outcome)  # middleware answered in its place
        return outcome

    async def _started(self, call: Call) -> Self:
        asked = self._asked = call.asked
        await call.run(
            asked.model,
            partial(asked.request, call),
            self._open,
            bind=bind,
            needs_of=stream_needs_of,
            weigh=weight_of,
            opens_stream=True,
        )
        call.saw_first_event()
        await self._end_if_whole()
        return self

    async def _open(self, door: Door, request: TextRequest) -> None:
        bound: BoundText = door.bound
        async with AsyncExitStack() as stack:
            source = batched(await stack.enter_async_context(bound.stream(request)))
            batch = await source.batch()
            if not batch:
                raise unfinished(self.record.instance, ())
            self._source = source
            self._take(batch)
            self._stack = stack.pop_all()

    def _take(self, batch: list[TextEvent]) -> None:
        self._seen += batch
        if (finish := self._finish) is not None:
            account(self._call, finish)
        if self._asked.shape is None:
            self._ready.extend(batch)
            return
        self._ready.extend(event for event in batch if type(event) is not Finish)
        if self._growing.feed(words(batch)):
            self._ready.append(PartialOutput(self._growing.value))
        if finish is not None:
            self._ready.append(finish)

    @property
    def _finish(self) -> Finish | None:
        last = self._seen[-1] if self._seen else None
        return last if type(last) is Finish else None

    async def _read(self) -> bool:
        """Wait for more events; return whether there are any."""
        if self._finish is not None:
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
            if not batch:
                raise unfinished(self.record.instance, self._seen)
        except e.AnymodalError as error:
            if self._stack is None:  # somebody closed it
                raise _not_open() from None
            raise self._broken(error) from error.__cause__
        finally:
            self._reading = None
            if self._has_left is not None:
                self._has_left.set()
        self._take(batch)
        await self._end_if_whole()
        return True

    async def _end_if_whole(self) -> None:
        if (finish := self._finish) is None:
            return
        try:
            await self._call.settle()
        finally:
            if self._call.is_watched:
                whole = TextResult(assembled(self._seen), finish, record=self.record)
                self._call.ended(whole)

    def _broken(self, error: e.AnymodalError) -> e.AnymodalError:
        if isinstance(error, e.VendorError):
            error = broken(error, self._seen)
        elif isinstance(error, e.DeadlineExceededError):
            error.partial = words(self._seen)
        self._call.failed_late(error)
        self._call.ended(assembled(self._seen), error=error)
        self._fault = error
        return error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        if not self._ready and not await self._read():
            raise StopAsyncIteration
        return self._ready.popleft()

    def take(self) -> StreamEvent | None:
        """Return an event that has come already; None where one, or the last, is to be awaited."""
        if not self._ready or type(self._ready[0]) is Finish:
            return None
        return self._ready.popleft()

    @property
    def text(self) -> AsyncIterator[str]:
        """The answer's words, piece by piece."""
        return Words(self)

    @property
    def said(self) -> str:
        """The words so far."""
        return words(self._seen)

    async def result(self) -> TextResult[OutputT]:
        """
        Read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The stream broke; `partial` has the text so far.
        """
        while await self._read():
            pass
        finish = cast("Finish", self._finish)
        return finished(self._call, assembled(self._seen), finish, self._asked.shape)

    async def aclose(self) -> None:
        """
        Close the connection, or give it back where the answer is whole.

        Who reads in another task gets the error of a stream that is not open.
        """
        stack, self._stack = self._stack, None
        if stack is None:
            return
        async with stack:
            if self._reading is not None:
                self._has_left = anyio.Event()
                self._reading.cancel()
                await shielded(self._has_left.wait())
            source, self._source = self._source, None
            if self._finish is not None and source is not None:
                await drain(source)
            elif self._fault is None:
                self._call.left_early()
                self._call.ended(assembled(self._seen))

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


class _Events(Protocol):
    """Events, of which some may have come already."""

    async def __anext__(self) -> object: ...

    def take(self) -> object | None: ...


class Words:
    """The words of a stream. A class, since a generator would have to be closed."""

    def __init__(self, events: _Events) -> None:
        self._events = events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await self._events.__anext__()
            if type(event) is TextDelta:
                return event.text

    def take(self) -> str | None:
        """Return words that have come already; None where some are to be awaited."""
        while (event := self._events.take()) is not None:
            if type(event) is TextDelta:
                return event.text
        return None
