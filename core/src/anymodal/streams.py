"""Splits what arrives into events, and hands them on a read at a time."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, Generic, ParamSpec, TypeVar

from .errors import MalformedReplyError

__all__ = ["Batches", "LineSplitter", "SseSplitter", "Whole", "streaming"]

MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
"""Longest line or event that is held in memory."""

P = ParamSpec("P")
EventT = TypeVar("EventT")


def streaming(
    function: Callable[P, AsyncGenerator[EventT, None]],
) -> Callable[P, AbstractAsyncContextManager[AsyncIterator[EventT]]]:
    """
    Turn an async generator into a context manager that closes it.

    Leaving the block runs the generator's `finally` clauses at once, in the
    task that leaves, rather than whenever the garbage collector comes by. No
    cancel scope and no task group may be open across its `yield`.

    Example::

        @streaming
        async def stream(self, request):
            yield TextDelta("Hello")
            yield Finish()
    """

    @functools.wraps(function)
    def opened(
        *args: P.args, **kwargs: P.kwargs
    ) -> AbstractAsyncContextManager[AsyncIterator[EventT]]:
        return aclosing(function(*args, **kwargs))

    return opened


class LineSplitter:
    """
    Cuts bytes into lines at LF, CR or CRLF, wherever the packets were cut.

    Args:
        limit: Longest line in bytes.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, chunk: bytes, found: list[bytes]) -> None:
        """
        Add the lines that *chunk* completes to *found*, without their ends.

        Raises:
            MalformedReplyError: A line is over the limit. Those before it were added.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        if not chunk:
            return
        rest = self._rest
        could_be_long = len(rest) + len(chunk) > self._limit
        lines = chunk.splitlines()
        last = chunk[-1]
        self._after_cr = last == 0x0D
        tail = b"" if last in b"\n\r" else lines.pop()
        if lines and rest:
            rest += lines[0]
            lines[0] = bytes(rest)
            rest.clear()
        rest += tail
        if could_be_long:
            for line in (*lines, rest):
                if len(line) > self._limit:
                    msg = f"a line of the answer is over {self._limit} bytes"
                    raise MalformedReplyError(msg)
                if line is not rest:
                    found.append(bytes(line))
        else:
            found += lines

    def end(self, found: list[bytes]) -> None:
        """Add what is left to *found* when no more bytes come: a last line without its end."""
        if self._rest:
            found.append(bytes(self._rest))
            self._rest.clear()


class SseSplitter:
    """
    Cuts bytes into server-sent events, as pairs of name and data.

    Follows https://html.spec.whatwg.org/multipage/server-sent-events.html
    (read 2026-11-20): a byte order mark, comments, ids and retry fields are
    passed over, and so is an event without data or without its blank line.

    Args:
        limit: Longest line, and longest data of an event, in bytes.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._lines = LineSplitter(limit)
        self._limit = limit
        self._name = b""
        self._data: bytes | bytearray | None = None
        self._begun = False

    def feed(self, chunk: bytes, found: list[tuple[bytes, bytes]]) -> None:
        """
        Add the events that *chunk* completes to *found*.

        Raises:
            MalformedReplyError: An event is over the limit. Those before it were added.
        """
        lines: list[bytes] = []
        try:
            self._lines.feed(chunk, lines)
        finally:
            if lines:
                self._take(lines, found)

    def _take(self, lines: list[bytes], found: list[tuple[bytes, bytes]]) -> None:
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        name, data = self._name, self._data
        for line in lines:
            if not line:
                if data is not None:
                    found.append((name, bytes(data)))
                    data = None
                name = b""
            # the two spellings that vendors use come first: a third of the time
            elif line[:6] == b"data: ":
                data = line[6:] if data is None else self._joined(data, line[6:])
            elif line[:7] == b"event: ":
                name = line[7:]
            else:
                field, _, value = line.partition(b":")
                if field == b"data":
                    data = value if data is None else self._joined(data, value)
                elif field == b"event":
                    name = value
        self._name, self._data = name, data

    def _joined(self, data: bytes | bytearray, more: bytes) -> bytearray:
        joined = data if isinstance(data, bytearray) else bytearray(data)
        joined += b"\n"
        joined += more
        if len(joined) > self._limit:
            msg = f"an event of the answer is over {self._limit} bytes"
            raise MalformedReplyError(msg)
        return joined


class Batches(Generic[EventT]):
    """
    Decoded events of a stream of bytes, one by one or a read at a time.

    The client takes a read at a time, so that a deadline costs once a read and
    not once an event; `async for` works as well.

    Args:
        chunks: The bytes, as they arrive.
        feed: Adds the events that a chunk completes to a list. When it raises,
            the events before the fault are handed on first.
        end: Adds what is left when the bytes have ended.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        feed: Callable[[bytes, list[EventT]], None],
        end: Callable[[list[EventT]], None] | None = None,
    ) -> None:
        self._chunks = chunks
        self._feed = feed
        self._end = end
        self._waiting: deque[EventT] = deque()
        self._fault: Exception | None = None

    async def batch(self) -> list[EventT]:
        """
        Return the next events, as many as one read brought; none at the end.

        A fault is raised again when asked again: what broke off never looks complete.
        """
        found: list[EventT] = []
        if self._waiting:
            found.extend(self._waiting)
            self._waiting.clear()
            return found
        if self._fault is not None:
            raise self._fault
        try:
            async for chunk in self._chunks:
                self._feed(chunk, found)
                if found:
                    return found
            if self._end is not None:
                end, self._end = self._end, None
                end(found)
        except Exception as fault:
            self._fault = fault
            if not found:
                raise
        return found

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        if not self._waiting:
            self._waiting.extend(await self.batch())
            if not self._waiting:
                raise StopAsyncIteration
        return self._waiting.popleft()


class Whole(Generic[EventT]):
    """Events that are all there, with the face of `Batches`."""

    def __init__(self, events: Iterable[EventT]) -> None:
        self._waiting = deque(events)

    async def batch(self) -> list[EventT]:
        """Return all that is left."""
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        if not self._waiting:
            raise StopAsyncIteration
        return self._waiting.popleft()
