"""
What can go wrong with an answer, as values.

A script is a queue of them. Each is played for the next request that it is for,
and then all is well again. Where bytes are counted they are the body's, and
`None` means before the headers. Whatever has a `play` method is a fault, so a
test may bring its own.

What has no class of its own: a gzip bomb is `Status(200, bomb, headers={"content-encoding":
"gzip", …})`, a redirect `Status(302, b"", headers={"location": …})`, a wrong
media type, a doubled frame or an error in mid-stream a `Rewrite`.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import cast

import attrs

from .exchange import Exchange, Fault, Reply

__all__ = [
    "Close",
    "Cut",
    "Deaf",
    "Drip",
    "Fault",
    "OnCue",
    "Pings",
    "Raw",
    "Reset",
    "Rewrite",
    "Slow",
    "Stall",
    "Status",
]


@attrs.frozen
class Status:
    """
    Answer with a status, without asking the application.

    Args:
        status: Such as 429.
        body: A JSON value, or bytes as they are; what the vendor says where None.
        retry_after: Seconds, or a date, for the header of that name.
        headers: Further headers; they win over the usual ones.
    """

    status: int
    body: object = None
    retry_after: float | str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)

    async def play(self, exchange: Exchange) -> None:
        """Send it."""
        reply = exchange.refusal(self.status)
        content = reply.body
        if self.body is not None:
            content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = dict(reply.headers)
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        await exchange.reply(Reply(self.status, content, {**headers, **self.headers}))


@attrs.frozen
class Raw:
    """Send exactly these bytes, whatever they are, and close."""

    data: bytes = attrs.field(repr=lambda data: f"{len(data)} bytes")

    async def play(self, exchange: Exchange) -> None:
        """Send them."""
        await exchange.raw(self.data)
        await exchange.close()


@attrs.frozen
class Reset:
    """Break the connection with a TCP reset after so many bytes of the body."""

    after_bytes: int | None = None

    async def play(self, exchange: Exchange) -> None:
        """Answer up to there."""
        await _answer_up_to(exchange, self.after_bytes)
        await exchange.reset()


@attrs.frozen
class Cut:
    """Close the connection in good order after so many bytes, though more were to come."""

    after_bytes: int | None = None

    async def play(self, exchange: Exchange) -> None:
        """Answer up to there."""
        await _answer_up_to(exchange, self.after_bytes)
        await exchange.close()


@attrs.frozen
class Stall:
    """Fall silent for *seconds*, or for ever, after so many bytes of the body."""

    seconds: float | None = None
    after_bytes: int | None = None

    async def play(self, exchange: Exchange) -> None:
        """Answer, with a pause."""
        if self.after_bytes is None:
            await _pause(self.seconds)
            await exchange.answer()
            return
        left, paused = self.after_bytes, False

        async def send(message: MutableMapping[str, object]) -> None:
            nonlocal left, paused
            if message["type"] == "websocket.send" and not paused:
                if left <= 0:
                    paused = True
                    await _pause(self.seconds)
                left -= len(_said(message))
            if message["type"] == "http.response.body" and not paused:
                data = cast("bytes", message.get("body", b""))
                if len(data) >= left:
                    paused = True
                    await exchange.body(data[:left])
                    await _pause(self.seconds)
                    message = {**message, "body": data[left:]}
                left -= len(data)
            await exchange.send(message)

        await exchange.answer(send)


@attrs.frozen
class Slow:
    """Let *seconds* pass before the first byte."""

    seconds: float

    async def play(self, exchange: Exchange) -> None:
        """Wait and answer."""
        await _pause(self.seconds)
        await exchange.answer()


@attrs.frozen
class Drip:
    """Send the body *size* bytes at a time, *seconds* apart."""

    size: int = attrs.field(default=1, validator=attrs.validators.gt(0))
    seconds: float = 0.0

    async def play(self, exchange: Exchange) -> None:
        """Answer in drops."""

        async def send(message: MutableMapping[str, object]) -> None:
            if message["type"] == "http.response.body":
                data = cast("bytes", message.get("body", b""))
                for start in range(0, len(data), self.size):
                    await exchange.body(data[start : start + self.size])
                    await asyncio.sleep(self.seconds)
                message = {**message, "body": b""}
            await exchange.send(message)

        await exchange.answer(send)


@attrs.frozen
class Pings:
    """Send comments of an event stream and nothing else; for ever, or *count* and the end."""

    seconds: float = 0.05
    count: int | None = None
    comment: bytes = b": ping\n\n"

    async def play(self, exchange: Exchange) -> None:
        """Send them."""
        await exchange.start(200, [(b"content-type", b"text/event-stream")])
        sent = 0
        while self.count is None or sent < self.count:
            await exchange.body(self.comment)
            await asyncio.sleep(self.seconds)
            sent += 1
        await exchange.end()


@attrs.frozen
class Rewrite:
    """
    Change the application's answer.

    Args:
        piece: Takes the number of a piece of the body, from 0, and the piece (of
            a stream: a frame); returns what goes out instead, or None to end the
            body there.
        headers: Headers to set; a length is left out, the body being chunked.
        status: The status to send.
    """

    piece: Callable[[int, bytes], bytes | None] = lambda _, data: data
    headers: Mapping[str, str] = attrs.field(factory=dict)
    status: int | None = None

    async def play(self, exchange: Exchange) -> None:
        """Answer, changed."""
        number, ended = 0, False

        async def send(message: MutableMapping[str, object]) -> None:
            nonlocal number, ended
            if (kind := cast("str", message["type"])).startswith("websocket."):
                if kind == "websocket.send":
                    message = _saying(message, self.piece(number, _said(message)))
                    number += 1
                await exchange.send(message)
            elif kind == "http.response.start":
                asked = cast("Iterable[tuple[bytes, bytes]]", message.get("headers", ()))
                ours = {k.encode("latin-1"): v.encode("latin-1") for k, v in self.headers.items()}
                kept = [(k, v) for k, v in asked if k not in {*ours, b"content-length"}]
                await exchange.start(
                    self.status or cast("int", message["status"]), [*kept, *ours.items()]
                )
            elif not ended:
                data = cast("bytes", message.get("body", b""))
                changed = self.piece(number, data) if data else b""
                number += bool(data)
                ended = changed is None or not message.get("more_body")
                await exchange.body(changed or b"")
                if ended:
                    await exchange.end()

        await exchange.answer(send)


@attrs.frozen
class Close:
    """
    Close a WebSocket.

    Args:
        code: The code to close it with.
        reason: The words.
        after: Messages of the application's that go out before.
    """

    code: int = 1011
    reason: str = ""
    after: int = 0

    async def play(self, exchange: Exchange) -> None:
        """Answer up to there."""
        left = self.after

        async def send(message: MutableMapping[str, object]) -> None:
            nonlocal left
            if message["type"] == "websocket.send":
                left -= 1
            if left >= 0:
                await exchange.send(message)
            if left <= 0 and message["type"] in {"websocket.accept", "websocket.send"}:
                raise _EnoughError

        try:
            await exchange.answer(send)
        except _EnoughError:
            await exchange.send(
                {"type": "websocket.close", "code": self.code, "reason": self.reason}
            )


@attrs.frozen
class Deaf:
    """
    Read nothing of a WebSocket for a while: whoever sends has to wait.

    Args:
        seconds: How long.
        after: Messages of the application's that go out before.
    """

    seconds: float
    after: int = 0

    async def play(self, exchange: Exchange) -> None:
        """Answer, with fingers in the ears."""
        left = self.after

        async def send(message: MutableMapping[str, object]) -> None:
            nonlocal left
            await exchange.send(message)
            left -= message["type"] == "websocket.send"
            if left == 0:
                left = -1
                exchange.pause_reading(self.seconds)

        await exchange.answer(send)


class OnCue:
    """Answer as usual, and break the connection with a TCP reset when `go` is called."""

    def __init__(self) -> None:
        self._cue = threading.Event()

    def go(self) -> None:
        """Break it now. Any thread may say so."""
        self._cue.set()

    async def play(self, exchange: Exchange) -> None:
        """Answer up to there."""
        answering = asyncio.create_task(exchange.answer())
        try:
            while not self._cue.is_set() and not answering.done():  # noqa: ASYNC110  # a thread says so
                await asyncio.sleep(0.002)
            if self._cue.is_set():
                await exchange.reset()
            await answering
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


class _EnoughError(Exception):
    """As much of the answer went out as the fault wants."""


async def _answer_up_to(exchange: Exchange, limit: int | None) -> None:
    """Send the application's answer up to *limit* bytes of its body, and do not end it."""
    if limit is None:
        return
    left = limit

    async def send(message: MutableMapping[str, object]) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            await exchange.send(message)
            if not left:
                raise _EnoughError
            return
        if message["type"] == "http.response.body":
            data = cast("bytes", message.get("body", b""))
            await exchange.body(data[:left])
        else:
            data = _said(message)  # messages go out whole
            await exchange.send(message)
        left -= len(data)
        if left <= 0:
            raise _EnoughError

    try:
        await exchange.answer(send)
    except _EnoughError:
        return


def _said(message: MutableMapping[str, object]) -> bytes:
    """Return what a message of a WebSocket says."""
    text = message.get("text")
    return (
        cast("str", text).encode() if text is not None else cast("bytes", message.get("bytes", b""))
    )


def _saying(
    message: MutableMapping[str, object], data: bytes | None
) -> MutableMapping[str, object]:
    """Return a message of the same kind that says *data*; one that says nothing closes."""
    if data is None:
        return {"type": "websocket.close", "code": 1000}
    if message.get("text") is not None:
        return {**message, "text": data.decode()}
    return {**message, "bytes": data}


async def _pause(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)
