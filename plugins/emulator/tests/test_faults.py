"""Each fault, byte for byte."""

from __future__ import annotations

import gzip
import json
import socket
import time

import pytest
from anymodal_emulator import (
    Cut,
    Drip,
    Exchange,
    Pings,
    Raw,
    Reset,
    Rewrite,
    Slow,
    Stall,
    Status,
)

from .wire import address, get, last

HELLO = b"HTTP/1.1 200 \r\ncontent-type: text/plain\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello"


def read(vendor, request: bytes) -> tuple[bytes, type[Exception] | None]:
    """Return what came, and how it ended: None for in good order."""
    found = b""
    with socket.create_connection(address(vendor), timeout=5) as client:
        client.sendall(request)
        try:
            while piece := client.recv(65536):
                found += piece
        except OSError as error:
            return found, type(error)
    return found, None


def test_status_says_what_the_vendor_says_and_then_all_is_well(vendor, wire):
    """The body is the application's own; the request is recorded all the same."""
    vendor.script(Status(429, retry_after=1))

    found = wire(last("/v1/hello"))
    assert found.startswith(b"HTTP/1.1 429 ")
    assert b"\r\nretry-after: 1\r\n" in found
    assert found.endswith(b'{"acme":429}')
    assert wire(last("/v1/hello")) == HELLO
    assert len(vendor.requests) == 2


@pytest.mark.parametrize(
    ("body", "sent"), [({"a": 1}, b'{"a": 1}'), (b"<html>", b"<html>"), ("words", b'"words"')]
)
def test_status_with_a_body_of_ones_own(vendor, wire, body, sent):
    """JSON, or bytes as they are."""
    vendor.script(Status(500, body))

    assert wire(last("/v1/hello")).endswith(b"\r\n\r\n" + sent)


def test_gzip_bomb_is_a_status(vendor, wire):
    """It needs no class of its own, nor do redirects and wrong media types."""
    bomb = gzip.compress(bytes(1_000_000))
    vendor.script(Status(200, bomb, headers={"content-encoding": "gzip", "content-type": "a/b"}))

    found = wire(last("/v1/hello"))
    assert len(gzip.decompress(found.partition(b"\r\n\r\n")[2])) == 1_000_000
    assert found.count(b"content-type: ") == 1


def test_raw_is_exact(vendor):
    """Not even a status line is added."""
    vendor.script(Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort"))

    assert read(vendor, get("/v1/hello")) == (
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort",
        None,
    )


def test_reset_before_the_headers(vendor):
    """Nothing comes but the reset."""
    vendor.script(Reset())

    assert (b"", ConnectionResetError) == read(vendor, get("/v1/hello"))


@pytest.mark.parametrize(("after", "body"), [(0, b""), (3, b"hel"), (5, b"hello")])
def test_reset_after_bytes_of_the_body(vendor, after, body):
    """Headers and so many bytes arrive, and then the reset."""
    vendor.script(Reset(after_bytes=after))

    found, ended = read(vendor, last("/v1/hello"))
    assert HELLO.removesuffix(b"hello") + body == found
    assert ConnectionResetError is ended


@pytest.mark.parametrize(("after", "body"), [(0, b""), (3, b"hel"), (5, b"hello")])
def test_cut_after_bytes_of_the_body(vendor, after, body):
    """The connection ends in good order, the body does not."""
    vendor.script(Cut(after_bytes=after))

    assert (HELLO.removesuffix(b"hello") + body, None) == read(vendor, last("/v1/hello"))


def test_cut_before_the_headers(vendor):
    """The connection is closed without a byte."""
    vendor.script(Cut())

    assert read(vendor, get("/v1/hello")) == (b"", None)


def test_cut_in_a_stream_leaves_the_last_chunk_out(vendor):
    """Eleven bytes are the first frame; four more are part of the second."""
    vendor.script(Cut(after_bytes=15))

    found, ended = read(vendor, last("/v1/stream"))
    assert found.partition(b"\r\n\r\n")[2] == b"b\r\ndata: one\n\n\r\n4\r\ndata\r\n"
    assert ended is None


def test_stall_sends_the_rest_when_it_is_over(vendor, wire):
    """The same bytes as without it, later."""
    vendor.script(Stall(0.05, after_bytes=2), Stall(0.05), Slow(0.05))

    for _ in range(3):
        began = time.monotonic()
        assert wire(last("/v1/hello")) == HELLO
        assert time.monotonic() - began >= 0.05


def test_stall_for_ever_sends_what_comes_before_it(vendor):
    """The client has to have a deadline of its own."""
    vendor.script(Stall(after_bytes=2))
    with socket.create_connection(address(vendor), timeout=0.1) as client:
        client.sendall(get("/v1/hello"))
        found = b""
        with pytest.raises(TimeoutError):
            while True:
                found += client.recv(65536)

    assert found.endswith(b"\r\n\r\nhe")


def test_drip_sends_drops(vendor, wire):
    """Each drop is a chunk; together they are the whole."""
    vendor.script(Drip(4))

    body = wire(last("/v1/stream")).partition(b"\r\n\r\n")[2]
    assert body.startswith(b"4\r\ndata\r\n4\r\n: on\r\n3\r\ne\n\n\r\n4\r\n")
    assert body.endswith(b"0\r\n\r\n")


def test_pings_say_nothing(vendor, wire):
    """Comments only, and here an end, so that the test has one."""
    vendor.script(Pings(0.0, count=3))

    body = wire(last("/v1/stream")).partition(b"\r\n\r\n")[2]
    assert body == b"8\r\n: ping\n\n\r\n" * 3 + b"0\r\n\r\n"


def test_rewrite_doubles_and_replaces_frames(vendor, wire):
    """Duplicated frames, an error in mid-stream, and an end where none should be."""

    def change(number: int, frame: bytes) -> bytes | None:
        return [frame * 2, b"data: oh no\n\n", None][number]

    vendor.script(Rewrite(change, headers={"content-type": "text/html"}, status=206))

    head, _, body = wire(last("/v1/stream")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 206 ")
    assert b"content-type: text/html" in head
    assert body == b"16\r\ndata: one\n\ndata: one\n\n\r\nd\r\ndata: oh no\n\n\r\n0\r\n\r\n"


def test_rewrite_of_a_whole_body_drops_its_length(vendor, wire):
    """A changed body of the old length would be another fault."""
    vendor.script(Rewrite(lambda _, data: data + b"!"))

    found = wire(last("/v1/hello"))
    assert b"content-length" not in found
    assert found.endswith(b"6\r\nhello!\r\n0\r\n\r\n")


def test_faults_wait_for_their_path_and_last_their_times(vendor, wire):
    """Other requests pass, and do not use a fault up."""
    vendor.script(Status(500), times=2, path="*/stream")
    vendor.script(Status(503), path="*/hello")

    paths = ["hello", "hello", "stream", "stream", "stream"]
    statuses = [int(wire(last(f"/v1/{path}")).split()[1]) for path in paths]

    assert statuses == [503, 200, 500, 500, 200]
    assert vendor.pending == 0


def test_clear_forgets(vendor, wire):
    """One server may serve many tests."""
    vendor.script(Status(500))
    wire(last("/v1/hello"))
    vendor.script(Status(500))
    vendor.clear()

    assert wire(last("/v1/hello")).startswith(b"HTTP/1.1 200 ")
    assert len(vendor.requests) == 1


def test_anything_with_a_play_method_is_a_fault(vendor, wire):
    """A campaign of one's own needs no leave from here."""

    class Backwards:
        async def play(self, exchange: Exchange) -> None:
            await exchange.raw(exchange.received.path.encode()[::-1])
            await exchange.close()

    vendor.script(Backwards())

    assert wire(get("/v1/hello")) == b"olleh/1v/"


def test_log_of_requests_has_no_key_in_its_repr(vendor, wire):
    """Failing tests print their values."""
    wire(get("/v1/hello", authorization="Bearer acme-key", connection="close"))

    (request,) = vendor.requests
    assert request.headers["authorization"] == "Bearer acme-key"
    assert "acme-key" not in repr(request)
    assert "acme-key" not in json.dumps(str(vendor))
