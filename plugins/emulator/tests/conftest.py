from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request, Stream
from anymodal_emulator.running import Emulated

from .wire import address


def a_vendor() -> Emulator:
    """Return a vendor of the tests' own, with one route of each kind."""

    def refuse(error: RefusedError) -> Reply:
        said = {"wrong": error.kind, "where": error.param, "got": error.got, "need": error.need}
        return Reply.json(said, status=error.status)

    def fail(status: int) -> Reply:
        return Reply.json({"acme": status}, status=status)

    acme = Emulator("acme", refuse=refuse, fail=fail)

    @acme.route("GET", "/v1/hello")
    def hello(request: Request) -> Reply:
        return Reply(200, b"hello", {"content-type": "text/plain"})

    @acme.route("POST", "/v1/echo")
    def echo(request: Request) -> Reply:
        return Reply(200, request.received.body, {"content-type": "text/plain"})

    @acme.route("POST", "/v1/json")
    def read(request: Request) -> Reply:
        return Reply.json(request.json())

    @acme.route("GET", "/v1/stream")
    def stream(request: Request) -> Stream:
        return Stream([b"data: one\n\n", b"data: two\n\n", b"data: three\n\n"])

    @acme.route("GET", "/v1/jobs/{job}/{part}")
    def job(request: Request) -> Reply:
        return Reply.json(
            {**request.args, "id": request.memory.id("job_"), "at": request.memory.now()}
        )

    @acme.route("GET", "/v1/broken")
    def broken(request: Request) -> Reply:
        raise ZeroDivisionError

    return acme


app = a_vendor()
SPEC = EmulatorSpec(provider="acme", app="nowhere:app", key="acme-key", base_path="/v1")


@pytest.fixture
def vendor() -> Iterator[Emulated]:
    with Emulated(SPEC, a_vendor()) as running:
        yield running


Wire = Callable[..., bytes]


@pytest.fixture
def wire(vendor: Emulated) -> Iterator[Wire]:
    """Sends bytes on a socket of its own, and returns all that comes until the end."""

    def exchange(data: bytes, *, until: bytes | None = None, seconds: float = 5) -> bytes:
        with socket.create_connection(address(vendor), timeout=seconds) as client:
            client.sendall(data)
            found = b""
            while until is None or until not in found:
                piece = client.recv(65536)
                if not piece:
                    break
                found += piece
            return found

    return exchange
