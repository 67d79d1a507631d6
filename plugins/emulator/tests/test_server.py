"""The server: HTTP/1.1 as clients meet it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import urllib.request

import pytest
from anymodal_emulator import server
from anymodal_emulator.running import Emulated
from anymodal_emulator.server import Server

from .conftest import SPEC, a_vendor
from .wire import address, body_of, get, last, post


def wait_until(condition) -> None:
    """Poll *condition*; the test fails where it never comes true."""
    ends = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_ordinary_client_is_served(vendor):
    """Nothing of ours is on the client's side here."""
    with urllib.request.urlopen(f"{vendor.base_url}/hello") as answer:
        assert (answer.status, answer.read()) == (200, b"hello")


def test_connection_is_kept(vendor):
    """Two requests on one socket are two answers, and one connection."""
    with socket.create_connection(address(vendor)) as client:
        for _ in range(2):
            client.sendall(get("/v1/hello"))
            found = b""
            while not found.endswith(b"hello"):
                found += client.recv(65536)
        assert vendor.connections == 1

    assert [request.path for request in vendor.requests] == ["/v1/hello"] * 2


def test_pipelined_requests_are_answered_in_order(wire):
    """The second is held until the first has been answered whole."""
    found = wire(get("/v1/stream") + last("/v1/hello"))

    first, _, second = found.partition(b"0\r\n\r\n")
    assert b"data: three" in first
    assert second.endswith(b"hello")


def test_body_in_chunks_is_read_whole(wire):
    """Its length is known only at the end."""
    head = b"POST /v1/echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"

    assert wire(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").endswith(b"\r\n\r\nabcde")


def test_body_that_waits_to_be_asked_for_is_asked_for(vendor):
    """Clients hold large bodies back behind `expect: 100-continue`."""
    head, _, body = post("/v1/echo", b"large", headers={"expect": "100-continue"}).partition(
        b"\r\n\r\n"
    )
    with socket.create_connection(address(vendor), timeout=5) as client:
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)
        found = b""
        while piece := client.recv(65536):
            found += piece

    assert found.endswith(b"large")


def test_stream_is_chunked_frame_by_frame(wire):
    """Each frame of the application is a chunk of its own."""
    body = wire(last("/v1/stream")).partition(b"\r\n\r\n")[2]

    assert body == b"b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\nd\r\ndata: three\n\n\r\n0\r\n\r\n"


def test_head_has_no_body(wire):
    """A client would take the body for the next answer."""
    found = wire(last("/v1/hello").replace(b"GET", b"HEAD", 1))

    assert found.startswith(b"HTTP/1.1 405 ")
    assert found.endswith(b"\r\n\r\n")


def test_body_over_the_limit_is_refused_and_the_refusal_arrives():
    """The client is still sending; the refusal must not be lost to a reset."""
    with Emulated(SPEC, a_vendor()) as vendor:
        vendor._server.max_body = 1000
        with socket.create_connection(address(vendor), timeout=5) as client:
            client.sendall(post("/v1/echo", b"x" * 300_000))
            found = b""
            while piece := client.recv(65536):
                found += piece

    assert found.startswith(b"HTTP/1.1 413 ")
    assert vendor.requests == ()


def test_what_is_no_http_is_turned_away(wire):
    """The answer says 400 and the connection ends."""
    assert wire(b"\x16\x03\x01 not http\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_failure_of_the_emulator_itself_is_a_500_and_logged(wire, caplog):
    """A broken emulator is not to be mistaken for a broken client."""
    assert wire(last("/v1/broken")).startswith(b"HTTP/1.1 500 ")
    assert "the emulator itself failed" in caplog.text


def test_log_says_who_called(wire, vendor, caplog):
    """The proof that a call came through the vendor's SDK."""
    caplog.set_level("INFO", "anymodal_emulator")
    wire(get("/v1/hello", user_agent="acme-sdk/3", connection="close"))

    wait_until(lambda: "GET /v1/hello 200 by acme-sdk/3" in caplog.text)
    assert [request.client for request in vendor.requests] == ["acme-sdk/3"]


@pytest.mark.parametrize("many", [64, 256])
def test_many_connections_at_once(vendor, many):
    """All are open before the first is answered."""

    async def call() -> list[bytes]:
        opened = [await asyncio.open_connection(*address(vendor)) for _ in range(many)]
        for _, writer in opened:
            writer.write(last("/v1/stream"))
        found = [await reader.read() for reader, _ in opened]
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()
        return found

    found = asyncio.run(call())

    assert many == sum(answer.endswith(b"0\r\n\r\n") for answer in found)
    assert many == len(vendor.requests)


def test_client_that_leaves_frees_its_connection(vendor):
    """What was being said to it is given up; a test can count on `connections`."""
    from anymodal_emulator.faults import Stall

    vendor.script(Stall())
    with socket.create_connection(address(vendor)) as client:
        client.sendall(get("/v1/hello"))
        wait_until(lambda: len(vendor.requests) == 1)
        assert vendor.connections == 1

    wait_until(lambda: vendor.connections == 0)


def test_stopping_leaves_no_thread_and_no_socket(vendor):
    """Not even with a client in the middle of an answer that never ends."""
    from anymodal_emulator.faults import Pings

    vendor.script(Pings(0.001))
    place = address(vendor)
    with socket.create_connection(place, timeout=5) as client:
        client.sendall(get("/v1/stream"))
        assert client.recv(65536)
        vendor.stop()
        with pytest.raises(OSError):
            while client.recv(65536):
                pass
            raise ConnectionResetError

    assert [t.name for t in threading.enumerate() if "emulator" in t.name] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=5)


def test_taken_port_is_an_error_of_the_one_who_starts(vendor):
    """It is raised where `start` was called, and no thread is left behind."""
    with pytest.raises(OSError):
        Emulated(SPEC, a_vendor(), port=address(vendor)[1]).start()

    assert len([t for t in threading.enumerate() if "emulator" in t.name]) == 1


def test_connection_with_too_much_waiting_is_not_read(vendor):
    """A client that pipelines without end does not fill the memory."""
    from anymodal_emulator.faults import Stall

    vendor.script(Stall())
    with socket.create_connection(address(vendor), timeout=0.2) as client:
        client.sendall(get("/v1/hello"))
        wait_until(lambda: len(vendor.requests) == 1)
        with pytest.raises(TimeoutError):
            while True:
                client.sendall(b"x" * 65536)
        (connection,) = vendor._server.connections
        held = len(connection._http.trailing_data[0])

    assert held < server.MAX_WAITING_BYTES + 512 * 1024


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
def test_vendor_serves_on_either_loop(anyio_backend):
    """The server has a loop of its own, so the test's own may be any."""
    import anyio

    async def call() -> bytes:
        async with (
            Emulated(SPEC, a_vendor()) as vendor,
            await anyio.connect_tcp(*address(vendor)) as stream,
        ):
            await stream.send(last("/v1/hello"))
            found = b""
            with pytest.raises(anyio.EndOfStream):
                while True:
                    found += await stream.receive()
            return found

    assert anyio.run(call, backend=anyio_backend).endswith(b"hello")


def test_server_runs_on_a_loop_that_is_there():
    """Without a thread, in a program that serves emulators and nothing else."""

    async def call() -> bytes:
        running = Server(a_vendor())
        await running.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(last("/v1/hello"))
        found = await reader.read()
        writer.close()
        await running.stop()
        return found

    assert asyncio.run(call()).endswith(b"hello")


def test_memory_is_the_servers(wire, vendor):
    """The same requests in the same order get the same answers on every server."""
    first = body_of(wire(last("/v1/jobs/a/b")))
    with Emulated(SPEC, vendor._app) as other, socket.create_connection(address(other)) as client:
        client.sendall(last("/v1/jobs/a/b"))
        again = b""
        while piece := client.recv(65536):
            again += piece

    assert first == body_of(again)
    assert (first["job"], first["part"]) == ("a", "b")
    assert first != body_of(wire(last("/v1/jobs/a/b")))
