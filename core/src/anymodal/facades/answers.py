"""One way to answer from the other, and whole answers from pieces."""

from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast

import anyio
import anyio.to_thread
import attrs

from .. import errors as e
from ..modalities.messages import Citation, Message, Part, ProviderState, Reasoning, ToolCall
from ..modalities.text import (
    Finish,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    TextProvider,
    TextRequest,
    TextResult,
    ToolCallDelta,
    events_of,
)
from ..streams import Whole, streaming
from .awaiting import awaited

__all__ = [
    "Batched",
    "BoundText",
    "Events",
    "assembled",
    "batched",
    "bind",
    "broken",
    "drain",
    "streamed",
    "unfinished",
    "words",
]

DRAIN_SECONDS: Final = 1.0
"""How long the bytes after the last event are waited for, to keep the connection."""

EventT = TypeVar("EventT")
Events: TypeAlias = AbstractAsyncContextManager[AsyncIterator[TextEvent]]
Generate: TypeAlias = Callable[[TextRequest], Awaitable[TextResult]]
Stream: TypeAlias = Callable[[TextRequest], Events]


@attrs.frozen
class BoundText:
    """
    A provider with both ways to answer, whichever its author wrote.

    Attributes:
        generate: Answers in one piece.
        stream: Answers piece by piece.
        count_tokens: Counts a prompt, where the vendor offers that.
    """

    generate: Generate
    stream: Stream
    count_tokens: Callable[[TextRequest], Awaitable[int]] | None = None


def bind(provider: TextProvider) -> BoundText:
    """
    Return *provider* with the way to answer that it lacks derived from the other.

    Methods written without `async` run in threads.

    Raises:
        BrokenPluginError: It has neither.
    """
    generate, stream = getattr(provider, "generate", None), getattr(provider, "stream", None)
    if generate is None and stream is None:
        msg = f"{type(provider).__name__} has neither stream() nor generate()."
        raise e.BrokenPluginError(msg)
    streams: Stream = _at_once(awaited(generate)) if stream is None else streamed(stream)
    generates: Generate = _collecting(streams) if generate is None else awaited(generate)
    count = getattr(provider, "count_tokens", None)
    return BoundText(generates, streams, None if count is None else awaited(count))


def streamed(function: Any) -> Stream:
    """Return *function* as what opens a stream, whichever kind of generator it is."""
    if inspect.isasyncgenfunction(function):
        return streaming(function)
    if inspect.isgeneratorfunction(function):
        return partial(_in_threads, function)
    return cast("Stream", function)


_END: Final = object()


class _InThreads:
    """
    Events of a plain generator, each awaited in a thread.

    A thread cannot be stopped. One that is left behind closes the generator when
    it comes back, so that leaving need not wait for it.
    """

    def __init__(self, events: Iterator[TextEvent]) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._is_left = False

    def __aiter__(self) -> AsyncIterator[TextEvent]:
        return self

    async def __anext__(self) -> TextEvent:
        event = await anyio.to_thread.run_sync(self._next, abandon_on_cancel=True)
        if event is _END:
            raise StopAsyncIteration
        return cast("TextEvent", event)

    def _next(self) -> object:
        try:
            with self._lock:
                return _END if self._is_left else next(self._events, _END)
        finally:
            if self._is_left:
                self._close()

    async def aclose(self) -> None:
        self._is_left = True
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close)

    def _close(self) -> None:
        """Close the generator, unless it is at work."""
        close = getattr(self._events, "close", None)
        if close is not None and self._lock.acquire(blocking=False):
            try:
                close()
            finally:
                self._lock.release()


@asynccontextmanager
async def _in_threads(
    function: Callable[[TextRequest], Iterator[TextEvent]], request: TextRequest
) -> AsyncGenerator[AsyncIterator[TextEvent], None]:
    async with aclosing(_InThreads(function(request))) as events:
        yield events


def _collecting(stream: Stream) -> Generate:
    async def generate(request: TextRequest) -> TextResult:
        seen: list[TextEvent] = []
        try:
            async with stream(request) as events:
                source = batched(events)
                while not (seen and type(seen[-1]) is Finish):
                    batch = await source.batch()
                    if not batch:
                        raise unfinished(request.model.id, seen)
                    seen.extend(batch)
                await drain(source)
        except e.VendorError as error:
            raise broken(error, seen) from error.__cause__
        return TextResult(assembled(seen), seen[-1])

    return generate


def _at_once(generate: Generate) -> Stream:
    @asynccontextmanager
    async def stream(request: TextRequest) -> AsyncGenerator[AsyncIterator[TextEvent], None]:
        yield Whole(events_of(await generate(request)))

    return stream


# -- batches -------------------------------------------------------------------------------


class Batched(Protocol[EventT]):
    """Events a read at a time; none at the end."""

    async def batch(self) -> list[EventT]:
        """Return the next events."""


class _OneByOne(Generic[EventT]):
    """Events of a plain iterator, as batches of one."""

    def __init__(self, events: AsyncIterator[EventT]) -> None:
        self._events = events

    async def batch(self) -> list[EventT]:
        async for event in self._events:
            return [event]
        return []


def batched(events: AsyncIterator[EventT]) -> Batched[EventT]:
    """Return *events* a read at a time, as far as they come so."""
    return cast("Batched[EventT]", events) if hasattr(events, "batch") else _OneByOne(events)


async def drain(source: Batched[Any]) -> None:
    """
    Read what follows the last event, so that the connection can be used again.

    The answer is whole: what goes wrong now is nobody's concern.
    """
    with anyio.move_on_after(DRAIN_SECONDS), suppress(Exception):
        while await source.batch():
            pass


# -- whole answers -----------------------------------------------------------------------------


def assembled(events: Sequence[TextEvent]) -> Message:
    """Return the turn that *events* make: pieces joined, in the order they began."""
    parts: list[Part] = []
    pieces: list[str] = []
    joined: type[str | Reasoning] = str
    calls: dict[int, list[ToolCallDelta]] = {}
    places: dict[int, int] = {}
    state: tuple[ProviderState, ...] = ()

    def flush() -> None:
        if pieces:
            text = "".join(pieces)
            parts.append(text if joined is str else Reasoning(text))
            pieces.clear()

    for event in events:
        if isinstance(event, (TextDelta, ReasoningDelta)):  # a union would be made for each
            kind = str if isinstance(event, TextDelta) else Reasoning
            if kind is not joined:
                flush()
                joined = kind
            pieces.append(event.text)
        elif isinstance(event, ToolCallDelta):
            flush()
            if event.index not in calls:
                places[event.index] = len(parts)
                parts.append("")
            calls.setdefault(event.index, []).append(event)
        elif isinstance(event, Citation):
            flush()
            parts.append(event)
        else:
            state = event.state
    flush()
    for index, deltas in calls.items():
        parts[places[index]] = ToolCall(
            "".join(delta.id for delta in deltas),
            "".join(delta.name for delta in deltas),
            "".join(delta.arguments for delta in deltas) or "{}",
        )
    return Message("assistant", tuple(parts) or ("",), state)


def words(events: Sequence[TextEvent]) -> str:
    """Return the answer's words so far."""
    return "".join(event.text for event in events if type(event) is TextDelta)


def unfinished(who: str, seen: Sequence[TextEvent]) -> e.VendorError:
    """Return the error for a stream that ended before its `Finish`."""
    if not seen:
        msg = f"{who}: the stream ended before its first event."
        return e.ConnectionFailedError(msg)
    msg = f"{who}: the stream ended without its end marker."
    return e.IncompleteError(msg)


def broken(error: e.VendorError, seen: Sequence[TextEvent]) -> e.VendorError:
    """Return *error* with the text so far; a connection that broke late left half an answer."""
    if seen and isinstance(error, e.ConnectionFailedError):
        late = e.IncompleteError(str(error), provider=error.provider, request_id=error.request_id)
        late.__cause__ = error.__cause__
        error = late
    if hasattr(error, "partial"):
        error.partial = words(seen)
    return error
