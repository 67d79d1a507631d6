"""
WebSockets on the server's side.

A handshake is a request like any other: it is recorded, and faults may answer it.
What the client says afterwards stands in `Received.messages`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from .exchange import Exchange, Message, Over, Receive, Received, Send

if TYPE_CHECKING:
    from .server import Connection

__all__ = ["SocketExchange", "Talk", "is_handshake"]

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
FAREWELL_SECONDS: Final = 1.0
"""How long the client's answer to a close is waited for."""

_SILENT: Final = logging.Logger("anymodal_emulator.sockets", logging.CRITICAL)  # noqa: LOG001  # one that nobody can turn up
"""The library logs headers, with keys in them, and logs of a test are the client's."""


def is_handshake(received: Received) -> bool:
    """Whether a request wants to become a WebSocket."""
    return received.headers.get("upgrade", "").lower() == "websocket"


class SocketExchange(Exchange):
    """A handshake and the messages after it."""

    def __init__(self, connection: Connection, received: Received, scope: Message) -> None:
        super().__init__(connection, received, scope)
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE_BYTES, logger=_SILENT)
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self._opcode = Opcode.TEXT
        self._pieces: list[bytes] = []
        self._is_open = False
        self._is_over = asyncio.Event()

    async def _receive(self) -> Message:
        return await self._incoming.get()

    async def send(self, message: Message) -> None:
        """Send an ASGI message; a refusal of the handshake is an answer over HTTP."""
        kind = cast("str", message["type"])
        if kind == "websocket.accept":
            await self._accept(message)
        elif kind == "websocket.send":
            await self._say(message)
        elif kind == "websocket.close":
            await self._leave(message)
        else:
            await super().send({**message, "type": kind.removeprefix("websocket.")})

    async def _accept(self, message: Message) -> None:
        lines = [f"GET {self.received.path.replace(' ', '%20')} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.received.headers.items()]
        self._protocol.receive_data("\r\n".join((*lines, "", "")).encode("latin-1"))
        (handshake,) = self._protocol.events_received()
        response = self._protocol.accept(cast("Handshake", handshake))
        subprotocol = message.get("subprotocol")
        if subprotocol:
            response.headers["Sec-WebSocket-Protocol"] = cast("str", subprotocol)
        for name, value in cast("Iterable[tuple[bytes, bytes]]", message.get("headers", ())):
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        self.status, self.detached = response.status_code, True
        self._is_open = response.status_code == 101
        self._connection.upgrade(self._take)
        self._protocol.send_response(response)
        await self._flush()

    async def _say(self, message: Message) -> None:
        if not self._is_open or self._protocol.close_sent is not None:
            raise Over
        text = message.get("text")
        if text is not None:
            self._protocol.send_text(cast("str", text).encode())
        else:
            self._protocol.send_binary(cast("bytes", message["bytes"]))
        await self._flush()
        await asyncio.sleep(0)

    async def _leave(self, message: Message) -> None:
        if not self._is_open:
            await self.reply(self.refusal(403))
            return
        if self._protocol.close_sent is None:
            reason = cast("str", message.get("reason") or "")
            self._protocol.send_close(cast("int", message.get("code", 1000)), reason)
            await self._flush()
            try:
                await asyncio.wait_for(self._is_over.wait(), FAREWELL_SECONDS)
            except TimeoutError:
                return

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await self._connection.write(data)

    def _take(self, data: bytes) -> None:
        """Take what the client sent; asyncio calls it, so nothing is awaited."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            self._hear(cast("Frame", event))
        for answer in self._protocol.data_to_send():  # pongs, and the answer to a close
            if answer:
                self._connection.transport.write(answer)

    def _hear(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            heard = self._protocol.close_rcvd
            code = 1005 if heard is None else heard.code
            self._is_over.set()
            self._incoming.put_nowait({"type": "websocket.disconnect", "code": code})
        elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            if frame.opcode is not Opcode.CONT:
                self._opcode, self._pieces = frame.opcode, []
            self._pieces.append(bytes(frame.data))
            if frame.fin:
                self._heard(b"".join(self._pieces))

    def _heard(self, data: bytes) -> None:
        message: Message = {"type": "websocket.receive"}
        if self._opcode is Opcode.TEXT:
            message["text"] = data.decode()
            self.received.messages.append(data.decode())
        else:
            message["bytes"] = data
            self.received.messages.append(data)
        self._incoming.put_nowait(message)


class Talk:
    """
    A conversation over a WebSocket, for handlers.

    It is accepted when something is first sent or received; until then a
    `RefusedError` refuses the handshake.

    Attributes:
        is_accepted: Whether the handshake was answered.
        code: The code with which the client closed; None before.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.is_accepted = False
        self.code: int | None = None

    async def accept(
        self, subprotocol: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the handshake, if that was not done before."""
        if self.is_accepted:
            return
        await self._receive()
        pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in (headers or {}).items()]
        await self._send(
            {"type": "websocket.accept", "subprotocol": subprotocol or None, "headers": pairs}
        )
        self.is_accepted = True

    async def receive(self) -> str | bytes | None:
        """Return the client's next message; None where it has closed."""
        await self.accept()
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.code = cast("int", message.get("code", 1005))
            return None
        text = message.get("text")
        return cast("str", text) if text is not None else cast("bytes", message["bytes"])

    async def send(self, message: str | bytes) -> None:
        """Send a message; what the client will not hear any more ends the conversation."""
        await self.accept()
        name = "text" if isinstance(message, str) else "bytes"
        await self._send({"type": "websocket.send", name: message})

    async def send_json(self, found: object) -> None:
        """Send *found* as JSON."""
        await self.send(json.dumps(found, ensure_ascii=False, separators=(",", ":")))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that it is over, and why."""
        await self.accept()
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
