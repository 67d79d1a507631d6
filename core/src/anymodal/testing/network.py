"""Keeps a test off the network, and says who wanted to go where."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from ..errors import AnymodalError

__all__ = ["Barrier", "NetworkForbiddenError", "forbid_network"]

_CONNECTING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKING_UP: Final = frozenset(
    {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
)
"""Python's audit events (docs.python.org/3/library/audit_events.html, read 2026-11-20)."""

_LOCAL_NAMES: Final = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


class NetworkForbiddenError(AnymodalError):
    """
    Something wanted to go where a test may not.

    Attributes:
        host: Name or address.
        port: Its port, where one was named.
    """

    code = "network_forbidden"

    def __init__(self, message: str, *, host: str = "", port: int | None = None) -> None:
        super().__init__(message)
        self.host = host
        self.port = port


@attrs.define(eq=False)
class Barrier:
    """
    What keeps a process off the network.

    Attributes:
        allow_loopback: Whether connections to the machine itself pass.
        refused: Host and port of what was refused, in order.
    """

    allow_loopback: bool = True
    refused: list[tuple[str, int | None]] = attrs.field(factory=list)

    def check(self, event: str, arguments: tuple[object, ...]) -> None:
        """
        Refuse an audit event that leads somewhere else.

        Raises:
            NetworkForbiddenError: It does.
        """
        if event in _CONNECTING:
            self._check_place(arguments[1], "connect")
        elif event in _LOOKING_UP:
            found = arguments[0]
            place = found if isinstance(found, tuple) else (found, *arguments[1:2])
            self._check_place(place, "look up")

    def _check_place(self, place: object, what: str) -> None:
        if not isinstance(place, tuple):  # a socket of the file system, or one that is connected
            return
        host = _text(place[0])
        if not host or (self.allow_loopback and _is_loopback(host)):
            return
        port = place[1] if len(place) > 1 and isinstance(place[1], int) else None
        self.refused.append((host, port))
        where = host if port is None else f"{host} port {port}"
        rule = "only this machine" if self.allow_loopback else "nothing"
        msg = (
            f"forbid_network: a {what} of {where} was refused; {rule} may be reached here. "
            "Use an emulator, a FakeClient or a recording."
        )
        raise NetworkForbiddenError(msg, host=host, port=port)


def _text(host: object) -> str:
    return os.fsdecode(bytes(host)) if isinstance(host, bytes | bytearray) else str(host or "")


def _is_loopback(host: str) -> bool:
    if host.lower().removesuffix(".") in _LOCAL_NAMES:
        return True
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


class _Guard:
    """The one hook of the process; Python keeps it to the end, so it does nothing by itself."""

    __cantrace__ = True  # or debuggers and coverage would not see what it calls

    def __init__(self) -> None:
        self.barriers: list[Barrier] = []
        self.is_posted = False

    def post(self) -> None:
        if not self.is_posted:
            self.is_posted = True
            sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.barriers and event.startswith("socket."):
            for barrier in tuple(self.barriers):
                barrier.check(event, arguments)


_GUARD: Final = _Guard()


@contextmanager
def forbid_network(*, allow_loopback: bool = True) -> Iterator[Barrier]:
    """
    Refuse connections and look-ups of names in all threads, whatever makes them.

    Python tells of every socket before it is used, so nothing is replaced and nothing
    has to be put back; asyncio, trio and every library over Python's sockets are
    covered. Other processes are not, nor libraries that bring sockets of their own
    (gRPC's, uvloop's, c-ares). Blocks may lie within one another: what one refuses is
    refused.

    As a fixture::

        @pytest.fixture(autouse=True)
        def no_network():
            with forbid_network():
                yield

    Args:
        allow_loopback: Whether this machine may be reached, by its addresses or as
            `localhost`. Sockets of the file system always may.

    Yields:
        What was refused so far.
    """
    barrier = Barrier(allow_loopback)
    _GUARD.post()
    _GUARD.barriers.append(barrier)
    try:
        yield barrier
    finally:
        _GUARD.barriers.remove(barrier)
