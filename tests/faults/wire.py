"""A server of bare sockets that plays exactly the bytes of a script, breaks included."""

from __future__ import annotations

import enum
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Self, TypeAlias

import attrs

PATIENCE = 10.0
"""Seconds until a wait is given up. No test that passes comes near it."""


class Then(enum.Enum):
    """What to do instead of sending bytes."""

    CLOSE = "end the connection"
    RESET = "break the connection"
    HOLD = "send nothing until the client hangs up"


@attrs.frozen
class Pause:
    """Send nothing for so many seconds, or until the client hangs up."""

    seconds: float


TLS = b"\x16"
"""How a handshake begins, which a server without TLS takes for a bad request."""

Step: TypeAlias = bytes | Then | Pause
Script: TypeAlias = Callable[[int], Iterable[Step]]
"""What is sent for the first request, for the second, and so on."""


@attrs.frozen
class Received:
    """A request as it arrived; header names are lower-case."""

    target: str
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """
    Listens on loopback, and plays a script for each request.

    Args:
        host: Where to listen.
        context: For TLS; None for none.

    Attributes:
        accepted: Connections since the script was put in.
        received: Requests since then.
        sent: Bytes handed to the kernel since then.
        busy: Connections whose answer is not over.
        open: Connections that neither side has closed.
    """

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server((host, 0), backlog=64)
        self._context = context
        self._changed = threading.Condition()
        self._script: Script = lambda _: ()
        self._is_over = False
        self.origin = f"{'https' if context else 'http'}://{host}:{self._listener.getsockname()[1]}"
        self.play(self._script)
        self.busy = self.open = 0

    def play(self, script: Script) -> None:
        """Put in another script, and count from nothing."""
        self._script = script
        self.received: list[Received] = []
        self.accepted = 0
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="wire", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def has_no_busy(self) -> bool:
        """Wait until no answer is half-way, and return whether that came about."""
        return self._wait_for(lambda: self.busy == 0)

    def has_none_open(self) -> bool:
        """Wait until every connection is closed, and return whether that came about."""
        return self._wait_for(lambda: self.open == 0)

    def _wait_for(self, fact: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(fact, PATIENCE)

    def _count(self, *, busy: int = 0, open: int = 0) -> None:  # noqa: A002  # as the attribute
        with self._changed:
            self.busy += busy
            self.open += open
            self._changed.notify_all()

    def _serve(self) -> None:
        while not self._is_over:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._count(open=1)
            threading.Thread(
                target=self._talk, args=(connection,), name="wire", daemon=True
            ).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is None:
                    self._answer(connection)
                else:
                    with self._context.wrap_socket(connection, server_side=True) as secured:
                        self._answer(secured)
        except OSError:
            pass  # the client hung up
        finally:
            self._count(open=-1)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as requests:
            if requests.peek(1)[:1] == TLS:
                connection.sendall(head(400, ("connection", "close")))
                return
            while (request := _read(requests)) is not None:
                self._count(busy=1)
                number = len(self.received)
                self.received.append(request)
                try:
                    if not all(self._do(step, connection) for step in self._script(number)):
                        return
                finally:
                    self._count(busy=-1)

    def _do(self, step: Step, connection: socket.socket) -> bool:
        """Do *step*, and return whether the connection goes on."""
        if isinstance(step, bytes):
            connection.sendall(step)
            self.sent += len(step)
            return True
        if isinstance(step, Pause):
            return not select.select([connection], [], [], step.seconds)[0]
        if step is Then.HOLD:
            connection.settimeout(PATIENCE)
            assert b"" == connection.recv(1), "the client sent more, or never hung up"
        if step is Then.RESET:
            at_once = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        connection.close()
        return False


def _read(stream: object) -> Received | None:
    """Read one request; None where the client closed the connection instead."""
    first = stream.readline()
    if not first:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Received(first.decode("latin-1").split(" ")[1], headers, body)


# -- answers ----------------------------------------------------------------------------


def head(status: int = 200, *headers: tuple[str, str]) -> bytes:
    """Return a status line and headers."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def whole(
    body: bytes, status: int = 200, *headers: tuple[str, str], kind: str = "application/json"
) -> bytes:
    """Return an answer with a `content-length` that is true."""
    length = ("content-length", str(len(body)))
    return head(status, ("content-type", kind), length, *headers) + body


def chunk(part: bytes) -> bytes:
    """Return *part* as a chunk of an answer of unknown length."""
    return b"%x\r\n%b\r\n" % (len(part), part)


LAST = b"0\r\n\r\n"
"""The end of such an answer."""


def streamed(*headers: tuple[str, str], kind: str = "text/event-stream") -> bytes:
    """Return the head of such an answer."""
    return head(200, ("content-type", kind), ("transfer-encoding", "chunked"), *headers)
