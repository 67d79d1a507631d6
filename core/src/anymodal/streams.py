"""Splits what arrives into events, and hands them on a read at a time."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, Generic, ParamSpec, TypeVar

from .errors import MalformedReplyError

__all__ = ["Batches", "LineSplitter", "SseSplitter", "streaming"]

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

    Raises:
        MalformedReplyError: A line is longer than *limit* bytes.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest: list[bytes] = []
        self._held = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that *chunk* completes, without their ends."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        if not chunk:
            return []
        lines = chunk.splitlines()
        last = chunk[-1]
        self._after_cr = last == 0x0D
        tail = b"" if last in {0x0A, 0x0D} else lines.pop()
        if lines and self._rest:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest.clear()
            self._held = 0
        if tail:
            self._rest.append(tail)
            self._held += len(tail)
        if self._held > self._limit:
            msg = f"a line of the answer is over {self._limit} bytes"
            raise MalformedReplyError(msg)
        return lines

    def end(self) -> list[bytes]:
        """Return what is left when no more bytes come."""
        rest = b"".join(self._rest)
        self._rest.clear()
        self._held = 0
        return [rest] if rest else []


class SseSplitter:
    """
    Cuts bytes into server-sent events, as pairs of name and data.

    Follows https://html.spec.whatwg.org/multipage/server-sent-events.html
    (read 2026-11-20): a byte order mark, comments, ids and retry fields are
    passed over, and so is an event without data or without its blank line.

    Raises:
        MalformedReplyError: An event is longer than *limit* bytes.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._lines = LineSplitter(limit)
        self._limit = limit
        self._name = b""
        self._data: list[bytes] = []
        self._held = 0
        self._begun = False

    def feed(self, chunk: bytes, found: list[tuple[bytes, bytes]]) -> None:
        """Add the events that *chunk* completes to *found*."""
        data = self._data
        for line in self._lines.feed(chunk):
            if not self._begun:
                self._begun = True
                line = line.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901  # only ever the first
            if not line:
                if data:
                    found.append((self._name, data[0] if len(data) == 1 else b"\n".join(data)))
                    data.clear()
                    self._held = 0
                self._name = b""
                continue
            field, _, value = line.partition(b":")
            if value[:1] == b" ":
                value = value[1:]
            if field == b"data":
                data.append(value)
                self._held += len(value)
                if self._held > self._limit:
                    msg = f"an event of the answer is over {self._limit} bytes"
                    raise MalformedReplyError(msg)
            elif field == b"event":
                self._name = value


class Batches(Generic[EventT]):
    """
    Decoded events of a stream of bytes, one by one or a read at a time.

    The client takes a read at a time, so that a deadline costs once a read and
    not once an event; `async for` works as well.

    Args:
        chunks: The bytes, as they arrive.
        feed: Adds the events that a chunk completes to a list. When it raises,
            the events before the fault are handed on first.
    """

    def __init__(
        self, chunks: AsyncIterator[bytes], feed: Callable[[bytes, list[EventT]], None]
    ) -> None:
        self._chunks = chunks
        self._feed = feed
        self._waiting: deque[EventT] = deque()
        self._fault: Exception | None = None

    async def batch(self) -> list[EventT]:
        """Return the next events, as many as one read brought; none at the end."""
        found: list[EventT] = []
        if self._waiting:
            found.extend(self._waiting)
            self._waiting.clear()
            return found
        if self._fault is not None:
            raise self._fault
        async for chunk in self._chunks:
            try:
                self._feed(chunk, found)
            except Exception as fault:
                if not found:
                    raise
                self._fault = fault
            if found:
                break
        return found

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        if not self._waiting:
            self._waiting.extend(await self.batch())
            if not self._waiting:
                raise StopAsyncIteration
        return self._waiting.popleft()
