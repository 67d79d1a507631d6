"""
Serves an ASGI application on loopback over HTTP/1.1 and WebSockets, with a hand on every byte.

One connection is one task. A request is read whole, recorded, and answered by the
application, or by a fault that may change the answer, replace it or break the
connection. A client that closes its side is gone: what answers it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import unquote

import h11

from .exchange import Application, Exchange, Fault, Message, Over, Received, Reply
from .sockets import SocketExchange, is_handshake

__all__ = ["Server"]

MAX_BODY_BYTES: Final = 64 * 1024 * 1024
MAX_WAITING_BYTES: Final = 64 * 1024
"""Bytes of further requests that are held while one is answered."""
LINGER_SECONDS: Final = 1.0

log = logging.getLogger("anymodal_emulator")


class Server:
    """
    Serves *app* on the running asyncio loop.

    Args:
        app: An ASGI 3 application.
        host: Address to listen on.
        port: Port; 0 for any free one.
        state: Put into every scope as `state`.
        director: Sees each request; may return a fault to play instead.
        max_body: Longest request body, in bytes; more is refused with 413.
    """

    def __init__(
        self,
        app: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state: dict[str, object] | None = None,
        director: Callable[[Received], Fault | None] | None = None,
        max_body: int = MAX_BODY_BYTES,
    ) -> None:
        self.app = app
        self.host = host
        self.port = port
        self.state = {} if state is None else state
        self.director = director or (lambda _: None)
        self.max_body = max_body
        self.connections: set[Connection] = set()
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; `port` is then the one in use."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self), self.host, self.port, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break every connection; none is left when this returns."""
        if self._listener is None:
            return
        self._listener.close()
        tasks = [connection.abort() for connection in self.connections]
        if tasks:
            await asyncio.wait(tasks)
        while self.connections:  # noqa: ASYNC110  # each tells of its end in the next turn
            await asyncio.sleep(0)
        self._listener = None


class Connection(asyncio.Protocol):
    """A client's connection: what arrives goes to h11, and one task answers."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_WAITING_BYTES)
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._answering = False
        self._deaf = False
        self._upgraded: Callable[[bytes], None] | None = None

    # -- what asyncio tells ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.connections.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        if self._upgraded is not None:
            self._upgraded(data)
            return
        if self._deaf:
            return
        self._http.receive_data(data)
        if self._answering and len(self._http.trailing_data[0]) > MAX_WAITING_BYTES:
            self.transport.pause_reading()
        self._arrived.set()

    def eof_received(self) -> bool:
        if self._answering:
            self._task.cancel()
        elif not self._deaf:
            self._http.receive_data(b"")
        self._arrived.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.server.connections.discard(self)
        self._writable.set()
        self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def upgrade(self, take: Callable[[bytes], None]) -> None:
        """Hand what arrives from now on to *take*: the connection has become a WebSocket."""
        self._upgraded = take

    def abort(self) -> asyncio.Task[None]:
        """Break the connection now; the task returned ends soon."""
        self._task.cancel()
        self.transport.abort()
        return self._task

    # -- what goes out --------------------------------------------------------------

    async def send(self, event: h11.Event) -> None:
        await self.write(self._http.send(event) or b"")

    async def write(self, data: bytes) -> None:
        if self.transport.is_closing():
            raise Over
        self.transport.write(data)
        await self._writable.wait()

    async def reset(self) -> None:
        transport = self.transport
        while transport.get_write_buffer_size():  # noqa: ASYNC110  # asyncio has no event for empty
            await asyncio.sleep(0.001)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    # -- the task ---------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            while await self._answer_one():
                self._http.start_next_cycle()
                self.transport.resume_reading()
        except h11.RemoteProtocolError as error:
            await self._turn_away(error.error_status_hint)
        except (asyncio.CancelledError, Over, h11.LocalProtocolError):
            pass
        finally:
            self.transport.close()

    async def _answer_one(self) -> bool:
        """Read a request and answer it; say whether another may follow."""
        received = await self._read()
        if received is None:
            return False
        kind = SocketExchange if is_handshake(received) else Exchange
        exchange = kind(self, received, self._scope(received))
        self._answering = True
        try:
            fault = self.server.director(received)
            await (fault.play(exchange) if fault else exchange.answer())
        except Over:
            pass
        except Exception:
            log.exception("%s %s: the emulator itself failed", received.method, received.path)
            if exchange.status or exchange.detached:
                return False
            await exchange.reply(Reply(500, b"the emulator failed; its log says why"))
        finally:
            self._answering = False
            log.info(
                "%s %s %s by %s",
                received.method,
                received.path,
                exchange.status or "-",
                received.client or "a client without a name",
            )
        return not exchange.detached and self._http.our_state is h11.DONE

    async def _read(self) -> Received | None:
        """Return the next request, whole; None where there is none any more."""
        request = await self._event()
        if not isinstance(request, h11.Request):
            return None
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > self.server.max_body:
                await self._turn_away(413)
                return None
        path, _, query = request.target.decode("ascii").partition("?")
        headers = {k.decode("ascii"): v.decode("latin-1") for k, v in request.headers}
        method = request.method.decode("ascii")
        return Received(method, unquote(path), query, headers, bytes(body))

    async def _event(self) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._arrived.clear()
            await self._arrived.wait()
        return cast("h11.Event", event)

    async def _turn_away(self, status: int) -> None:
        """Refuse a request that was not read to its end, and let the client read why."""
        self._deaf = True
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            text = HTTPStatus(status).phrase.encode()
            headers = [("connection", "close"), ("content-length", str(len(text)))]
            with contextlib.suppress(Over):
                await self.send(h11.Response(status_code=status, headers=headers))
                await self.send(h11.Data(data=text))
                self.transport.write_eof()
                # Closing now would reset the connection under what was just sent.
                await asyncio.sleep(LINGER_SECONDS)

    def _scope(self, received: Received) -> Message:
        is_socket = is_handshake(received)
        return {
            "type": "websocket" if is_socket else "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": received.method,
            "scheme": "ws" if is_socket else "http",
            "path": received.path,
            "raw_path": received.path.encode(),
            "query_string": received.query.encode("ascii"),
            "root_path": "",
            "headers": [
                (k.encode("ascii"), v.encode("latin-1")) for k, v in received.headers.items()
            ],
            "client": self.transport.get_extra_info("peername")[:2],
            "server": (self.server.host, self.server.port),
            "state": self.server.state,
        }
