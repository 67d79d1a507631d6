"""A server on loopback that sends exactly the bytes it is told to, whatever they mean."""

from __future__ import annotations

import asyncio
import enum
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

import attrs

PATIENCE = 10.0
"""Seconds until a wait is given up. No test that passes comes near it."""


class Then(enum.Enum):
    """What to do instead of sending bytes."""

    CLOSE = "end the connection"
    RESET = "break the connection"
    HOLD = "send nothing until the client hangs up"


Step = bytes | Then


@attrs.frozen
class Received:
    """A request as it arrived; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


def reply(
    body: bytes = b"", status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> list[Step]:
    """Return an answer with a `content-length` that is true."""
    return [head(status, [("content-length", str(len(body))), *headers]) + body]


def chunked(
    parts: Iterable[bytes], status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> Iterable[Step]:
    """Iterate over an answer of unknown length, a write for each part."""
    yield head(status, [("transfer-encoding", "chunked"), *headers])
    for part in parts:
        yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a status line and headers."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


class Loopback:
    """
    Answers each request with the steps that *answer* gives for it.

    It lives in a thread of its own, so the client may run on any event loop.

    Attributes:
        url: Where it listens.
        received: The requests so far.
        accepted: Connections so far.
        open: Connections now.
        sent: Bytes handed to the kernel so far.
    """

    def __init__(
        self,
        answer: Callable[[Received], Iterable[Step]] | Iterable[Step],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._answer = answer if callable(answer) else (lambda _: answer)
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.url = ""
        self.received: list[Received] = []
        self.accepted = 0
        self.open = 0
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.wait_for(lambda: bool(self.url))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    def wait_for(self, fact: Callable[[], bool]) -> bool:
        """Wait until *fact* holds, and return whether it does."""
        with self._changed:
            return self._changed.wait_for(fact, PATIENCE)

    def is_left_alone(self) -> bool:
        """Wait until no connection is open, and return whether that came about."""
        return self.wait_for(lambda: self.open == 0)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        port = server.sockets[0].getsockname()[1]
        with self._changed:
            self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{port}"
            self._changed.notify_all()
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._changed:
            self.accepted += 1
            self.open += 1
            self._changed.notify_all()
        task = asyncio.ensure_future(self._talk(reader, writer, self.accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        try:
            while request := await _read(reader, connection):
                with self._changed:
                    self.received.append(request)
                    self._changed.notify_all()
                for step in self._answer(request):
                    if not await self._do(step, reader, writer):
                        return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up
        finally:
            writer.close()
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    async def _do(
        self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Do *step*, and return whether the connection goes on."""
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
            self.sent += len(step)
            return True
        if step is Then.HOLD:
            await reader.read(1)
        if step is Then.RESET:
            at_once = struct.pack("ii", 1, 0)
            found = writer.get_extra_info("socket")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            writer.transport.abort()
        return False


async def _read(reader: asyncio.StreamReader, connection: int) -> Received | None:
    """Read one request; None where the client closed the connection instead."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)
