"""
One request and its answer, as applications, faults and tests see them.

What faults can do to an answer they do through an `Exchange`: it sends what the
application says, other things instead, exact bytes, or nothing more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import attrs
import h11

if TYPE_CHECKING:
    from .server import Connection

__all__ = [
    "Application",
    "Exchange",
    "Fault",
    "Message",
    "Over",
    "Receive",
    "Received",
    "Reply",
    "Send",
    "phrase",
]

Message: TypeAlias = MutableMapping[str, object]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


@attrs.frozen
class Received:
    """
    A request that came in.

    Attributes:
        method: Such as `POST`.
        path: Unescaped, without the query.
        query: What follows the question mark.
        headers: Names are lower-case; of repeated ones the last.
        body: The body, whole.
        messages: What the client said over the WebSocket that it asked for.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=lambda body: f"{len(body)} bytes")
    messages: list[str | bytes] = attrs.field(
        factory=list, eq=False, repr=lambda found: f"{len(found)} messages"
    )

    @property
    def json(self) -> object:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def client(self) -> str:
        """Who called: the user agent."""
        return self.headers.get("user-agent", "")


@attrs.frozen
class Reply:
    """An answer in one piece."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def json(
        cls, body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Return *body* as JSON."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, content, {"content-type": "application/json", **(headers or {})})


class Over(Exception):  # noqa: N818  # not an error: the connection ended as the script wanted
    """Ends an exchange whose connection was cut on purpose."""


class Fault(Protocol):
    """Something that goes wrong with one answer; see `anymodal_emulator.faults`."""

    async def play(self, exchange: Exchange, /) -> None:
        """Answer, or fail to. What has not been ended when this returns is cut."""


class Exchange:
    """
    One request and its answer, as faults see it.

    Attributes:
        received: The request.
        status: The status that was sent, 0 before.
    """

    def __init__(self, connection: Connection, received: Received, scope: Message) -> None:
        self.received = received
        self.status = 0
        self.detached = False
        self._connection = connection
        self._scope = scope
        self._asked = False

    async def answer(self, send: Send | None = None) -> None:
        """Let the application answer, through *send* or as it is."""
        await self._connection.server.app(self._scope, self._receive, send or self.send)

    async def _receive(self) -> Message:
        if self._asked:
            await asyncio.Event().wait()  # a client that leaves cancels the exchange
        self._asked = True
        return {"type": "http.request", "body": self.received.body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Send an ASGI message."""
        if message["type"] == "http.response.start":
            headers = cast("Iterable[tuple[bytes, bytes]]", message.get("headers", ()))
            await self.start(cast("int", message["status"]), headers)
        elif message["type"] == "http.response.body":
            await self.body(cast("bytes", message.get("body", b"")))
            if not message.get("more_body"):
                await self.end()

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Send the status line and the headers."""
        self.status = status
        await self._connection.send(h11.Response(status_code=status, headers=list(headers)))

    async def body(self, data: bytes) -> None:
        """Send a piece of the body; each goes out on its own."""
        if data and self.received.method != "HEAD":
            await self._connection.send(h11.Data(data=data))
            await asyncio.sleep(0)

    async def end(self) -> None:
        """End the body."""
        await self._connection.send(h11.EndOfMessage())

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer."""
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in reply.headers.items()]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await self.start(reply.status, headers)
        await self.body(reply.body)
        await self.end()

    def refusal(self, status: int) -> Reply:
        """Return what the vendor says with *status*, if the application knows."""
        known: Callable[[int], Reply] | None = getattr(self._connection.server.app, "refusal", None)
        if known is not None:
            return known(status)
        return Reply.json({"error": {"message": phrase(status)}}, status=status)

    async def raw(self, data: bytes) -> None:
        """Send exactly these bytes. The connection is closed afterwards."""
        self.detached = True
        await self._connection.write(data)

    def pause_reading(self, seconds: float) -> None:
        """Take nothing from the connection for some *seconds*."""
        transport = self._connection.transport
        transport.pause_reading()
        asyncio.get_running_loop().call_later(seconds, transport.resume_reading)

    async def close(self) -> None:
        """Close the connection, after what was sent has gone out."""
        self.detached = True
        self._connection.transport.close()
        raise Over

    async def reset(self) -> None:
        """Break the connection with a TCP reset, after what was sent has gone out."""
        self.detached = True
        await self._connection.reset()
        raise Over


def phrase(status: int) -> str:
    """Return the words for *status*; vendors use some that no standard has."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
