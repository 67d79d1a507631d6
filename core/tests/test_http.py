"""Requests and answers, byte for byte, over each library on each event loop."""

from __future__ import annotations

import gc
import gzip
import json
import socket
import ssl
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager

import anyio
import anyio.to_thread
import pytest
from anymodal import errors as e
from anymodal.http import (
    MAX_BODY_BYTES,
    Http,
    HttpRequest,
    connect_transport,
    opened,
    parse_json,
    read,
)
from anymodal.specs import Deadlines

from .loopback import Loopback, Received, Step, Then, chunked, head, reply

KEY = "sk-very-secret-0123456789"
KIB, MIB = 1024, 1024 * 1024
CONTEXT = ssl.create_default_context()
WAYS = [
    ("asyncio", "httpx2"),
    ("trio", "httpx2"),
    ("asyncio", "httpx"),
    ("trio", "httpx"),
    ("asyncio", "aiohttp"),
]

pytestmark = pytest.mark.anyio


@pytest.fixture(params=WAYS, ids="-".join)
def way(request):
    return request.param


@pytest.fixture
def anyio_backend(way):
    return way[0]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Whoever runs this may live behind a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module", autouse=True)
def little_garbage():
    """Collecting after every test is dear unless what stays is set aside."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_dropped():
    """What was left for the garbage collector is found in the test that left it."""
    yield
    gc.collect()


@asynccontextmanager
async def calling(url: str, way: tuple[str, str], **settings) -> AsyncIterator[Http]:
    http = Http(
        provider="acme", base_url=url, transport=connect_transport(way[1], CONTEXT), **settings
    )
    try:
        yield http
    finally:
        with anyio.CancelScope(shield=True):
            await http.transport.aclose()


async def is_left_alone(server: Loopback) -> bool:
    """Wait without holding up the event loop, which has connections to close."""
    return await anyio.to_thread.run_sync(server.is_left_alone)


def zeros(count: int) -> bytes:
    """Return *count* bytes of zeros, packed; a thousandth of that."""
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(MIB)
    packed = [packer.compress(block) for _ in range(count // MIB)]
    return b"".join((*packed, packer.flush()))


GIGABYTE = zeros(1024 * MIB)


def packed(content: bytes, encoding: str = "gzip", status: int = 200) -> list[Step]:
    return reply(content, status, [("content-encoding", encoding)])


# -- what is sent -------------------------------------------------------------------------


async def test_request_arrives_as_it_was_given(way):
    """Method, path, headers, and JSON without a byte too many."""
    with Loopback(reply(b'{"b":[1,null]}')) as server:
        async with calling(server.url + "/v1", way) as http:
            found = await http.json(
                "POST", "/a?b=c%20d", body={"é": "漢", "n": 1}, headers={"x-key": KEY}
            )

    (request,) = server.received
    assert found == {"b": [1, None]}
    assert (request.method, request.target) == ("POST", "/v1/a?b=c%20d")
    assert request.body == '{"é":"漢","n":1}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-key"] == KEY
    assert request.headers["accept-encoding"] == "gzip, deflate"


async def test_requests_without_body_have_none(way):
    """Neither bytes nor a type."""
    with Loopback(reply(b"x")) as server:
        async with calling(server.url, way) as http:
            assert await http.bytes("GET", "/") == b"x"

    (request,) = server.received
    assert request.body == b""
    assert "content-type" not in request.headers


async def test_large_requests_arrive_whole(way):
    """Pictures travel within JSON; one library warns of bytes over a megabyte."""
    body = {"image": "x" * 3 * MIB}
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            assert await http.json("POST", "/", body=body) == 1

    assert json.loads(server.received[0].body) == body


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"x-key": KEY + "\r\nx-evil: 1"}, "/"),
        ({"x-key": KEY + "\n"}, "/"),
        ({"x-key": KEY + "\0"}, "/"),
        ({"x-key": KEY + "é"}, "/"),
        ({"x-key\r\nx-evil": KEY}, "/"),
        ({"x key": KEY}, "/"),
        ({"": KEY}, "/"),
        ({}, "/a b"),
        ({}, "/a\r\nx-evil: 1"),
        ({}, "/a\0"),
    ],
)
async def test_nothing_is_sent_that_http_has_no_form_for(way, headers, path):
    """Neither smuggled headers nor odd paths; and the error does not repeat the value."""
    with Loopback(reply()) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.InvalidRequestError) as caught:
                await http.bytes("GET", path, headers=headers)

    assert KEY not in str(caught.value)
    assert server.accepted == 0


@pytest.mark.parametrize("body", [object(), float("nan"), "\ud800", {1: {2, 3}}])
async def test_nothing_is_sent_that_json_has_no_form_for(way, body):
    """The error names the kind of fault and quotes nothing of the prompt."""
    with Loopback(reply()) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.InvalidRequestError, match="cannot be written as JSON"):
                await http.json("POST", "/", body=[body])

    assert server.accepted == 0


async def test_endless_nesting_is_not_sent(way):
    """A list that holds itself."""
    body: list[object] = []
    body.append(body)
    async with calling("http://127.0.0.1:1", way) as http:
        with pytest.raises(e.InvalidRequestError):
            await http.json("POST", "/", body=body)


@pytest.mark.parametrize("url", ["127.0.0.1:1", "ftp://127.0.0.1", "http://", "http://[::1", ""])
async def test_odd_base_urls_are_a_matter_of_settings(way, url):
    """Another candidate may be asked; retrying will not help."""
    async with calling(url, way) as http:
        with pytest.raises(e.ConfigurationError, match="acme: base_url"):
            await http.bytes("GET", "/")


# -- connections --------------------------------------------------------------------------


async def test_connections_are_kept_alive(way):
    """One connection for calls in a row, whatever became of them."""

    def answer(request: Received) -> Iterable[Step]:
        if request.target == "/sse":
            return chunked([b"data: 1\n\n", b"data: 2\n\n"])
        return reply(b"{}", 400 if request.target == "/bad" else 200)

    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            for _ in range(5):
                await http.json("POST", "/", body={})
                with pytest.raises(e.BadRequestError):
                    await http.json("POST", "/bad", body={})
                async with http.sse("POST", "/sse", body={}) as events:
                    assert len([event async for event in events]) == 2

            assert (server.accepted, len(server.received)) == (1, 15)
        assert await is_left_alone(server)


async def test_sixty_four_at_once(way):
    """No pool stands in the way; each gets its own answer."""
    with Loopback(lambda request: reply(request.body)) as server:
        found = {}

        async def ask(number: int) -> None:
            found[number] = await http.json("POST", "/", body=number)

        async with calling(server.url, way) as http:
            async with anyio.create_task_group() as group:
                for number in range(64):
                    group.start_soon(ask, number)

            assert found == {number: number for number in range(64)}
        assert await is_left_alone(server)


async def test_no_cookies_are_kept(way):
    """Two tenants may share a client."""
    with Loopback(reply(b"1", headers=[("set-cookie", "who=me; Path=/")])) as server:
        async with calling(server.url, way) as http:
            for _ in range(2):
                await http.json("GET", "/")

    assert not any("cookie" in request.headers for request in server.received)


async def test_refused_port(way):
    """Nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with calling(f"http://127.0.0.1:{port}", way) as http:
            with pytest.raises(e.ConnectionFailedError) as caught:
                await http.json("POST", f"/?key={KEY}", body={})

    assert caught.value.provider == "acme"
    assert KEY not in repr(caught.value)


@pytest.fixture
def deaf() -> Iterator[str]:
    """A port where connecting never ends: nobody accepts, and the queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("own", [None, 0.05])
async def test_connecting_has_a_deadline(way, deaf, own):
    """The instance's, or one of the request's own."""
    deadlines = Deadlines(connect=60 if own else 0.05)
    async with calling(deaf, way, deadlines=deadlines) as http:
        with pytest.raises(e.TimedOutError, match="acme: no answer in time"):
            await http.send("GET", "/", connect_seconds=own)


@pytest.mark.parametrize(
    "answer",
    [
        [Then.CLOSE],
        [Then.RESET],
        [b"HTTP/1.1 200 OK\r\nconte", Then.CLOSE],
        [b"SSH-2.0-OpenSSH_9.6\r\n", Then.CLOSE],
        [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200 * KIB + b"\r\n\r\n"],
        [head(200, [("content-length", "1"), ("content-length", "2")]) + b"xx"],
        [head(200, [("content-length", "-1")]) + b"xx"],
        [head(200, [("content-length", "9" * 5000)]) + b"xx"],
    ],
    ids=["nothing", "reset", "half", "ssh", "endless-header", "two-lengths", "minus", "huge"],
)
async def test_what_is_not_http_is_a_broken_connection(way, answer):
    """And the connection is not used again."""
    with Loopback([*answer, Then.CLOSE]) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.ConnectionFailedError, match="acme: the connection failed"):
                await http.bytes("GET", f"/?key={KEY}")
            assert await is_left_alone(server)


async def test_closing_closes(way):
    """An idle connection is gone from the server's side too, and closing twice is no error."""
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            await http.json("GET", "/")
            assert server.open == 1
            await http.transport.aclose()
            assert await is_left_alone(server)


# -- statuses -----------------------------------------------------------------------------


async def test_errors_carry_what_the_vendor_said(way):
    """Words without secrets, the wait, the request's id."""
    content = json.dumps({"error": {"message": f"slow down, {KEY}", "code": "rate"}}).encode()
    headers = [("Retry-After", "7"), ("X-Request-Id", "req_1")]
    with Loopback(reply(content, 429, headers)) as server:
        async with calling(server.url, way, scrub=lambda text: text.replace(KEY, "…")) as http:
            with pytest.raises(e.RateLimitedError) as caught:
                await http.json("POST", "/", body={})

    error = caught.value
    assert str(error) == "acme: HTTP 429: slow down, …"
    assert (error.retry_after, error.request_id, error.vendor_code) == (7.0, "req_1", "rate")


async def test_plugins_table_sees_the_whole_answer(way):
    """Status, headers with lower-case names, and the body read as JSON."""
    seen = []

    def refine(status, headers, body):
        seen.append((status, headers["x-acme"], body))
        return e.ContextLengthError

    with Loopback(reply(b'{"code":7}', 400, [("X-Acme", "a"), ("X-Acme", "b")])) as server:
        async with calling(server.url, way, refine=refine) as http:
            with pytest.raises(e.ContextLengthError):
                await http.json("POST", "/", body={})

    assert seen == [(400, "a, b", {"code": 7})]


@pytest.mark.parametrize("path", ["/", "/elsewhere"])
async def test_redirects_are_refused(way, path):
    """Neither key nor prompt follows, to another host or in a circle."""
    with Loopback(reply(b"stolen")) as other:

        def answer(request: Received) -> Iterable[Step]:
            target = request.target if path == "/" else other.url
            return reply(b"", 307, [("location", target)])

        with Loopback(answer) as server:
            async with calling(server.url, way) as http:
                with pytest.raises(e.MalformedReplyError, match="it redirects") as caught:
                    await http.json("POST", path, body={}, headers={"x-key": KEY})

            assert caught.value.status == 307
            assert len(server.received) == 1
        assert other.accepted == 0


async def test_switching_protocols_unasked_is_malformed(way):
    """An answer that is none; httpx says so itself."""
    kind = e.MalformedReplyError if way[1] == "aiohttp" else e.ConnectionFailedError
    answer = [b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"]
    with Loopback([*answer, Then.CLOSE]) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(kind, match="acme"):
                await http.json("GET", "/")
            assert await is_left_alone(server)


@pytest.mark.parametrize(
    "answer",
    [
        packed(GIGABYTE, status=429),
        packed(gzip.compress(b'{"message":"x"}')[:-9], status=429),
        packed(b"not gzip", status=429),
        packed(b"x", "br", status=429),
        [head(429, [("content-length", "1000000")]) + b"x", Then.CLOSE],
        [head(429, [("content-length", "1000000")]) + b"x", Then.RESET],
    ],
    ids=["bomb", "truncated", "damaged", "unknown", "short", "reset"],
)
async def test_no_error_body_hides_its_status(way, answer):
    """What it says is cut off where it goes wrong; that it is 429 stands."""
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.RateLimitedError, match="acme: HTTP 429"):
                await http.json("POST", "/", body={})
        assert await is_left_alone(server)


async def test_endless_error_bodies_are_cut(way):
    """Enough is read for the vendor's words, and the connection is closed."""

    def answer(_: Received) -> Iterable[Step]:
        yield head(500, [("transfer-encoding", "chunked")])
        while True:
            yield b"1000\r\n" + b"x" * 4096 + b"\r\n"

    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.ServerError):
                await http.json("POST", "/", body={})
            assert await is_left_alone(server)


# -- bodies -------------------------------------------------------------------------------


def raw_deflate(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


TEXT = json.dumps({"text": "漢字 " * 50_000}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-GZip ", gzip.compress),
        ("gzip", lambda text: gzip.compress(text[:9]) + gzip.compress(text[9:])),
        ("gzip", lambda text: gzip.compress(b"") + gzip.compress(text)),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "members", "empty-member", "zlib", "raw"],
)
@pytest.mark.parametrize("step", [1, 7, 4096])
async def test_bodies_are_unpacked(way, encoding, pack, step):
    """However small the pieces in which they arrive."""
    text = TEXT if step > 100 else TEXT[:90]
    content = pack(text)
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    with Loopback(lambda _: chunked(pieces, 200, [("content-encoding", encoding)])) as server:
        async with calling(server.url, way) as http:
            assert await http.bytes("GET", "/") == text


@pytest.mark.parametrize("window", [31, 15, -15])
@pytest.mark.parametrize("size", [0, 256 * KIB, 256 * KIB + 100, 512 * KIB, MIB + 1])
async def test_bodies_that_fill_their_pieces_are_whole(way, window, size):
    """A full piece may leave some behind although all of the input was taken."""
    packer = zlib.compressobj(9, wbits=window)
    content = packer.compress(bytes(size)) + packer.flush()
    with Loopback(packed(content, "gzip" if window == 31 else "deflate")) as server:
        async with calling(server.url, way) as http:
            assert await http.bytes("GET", "/") == bytes(size)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_packed_nothing_is_nothing(way, encoding):
    """Some servers name an encoding for bodies that they do not send."""
    with Loopback(packed(b"", encoding)) as server:
        async with calling(server.url, way) as http:
            assert await http.bytes("GET", "/") == b""


@pytest.mark.parametrize(
    ("content", "encoding", "kind"),
    [
        (gzip.compress(TEXT)[:-1], "gzip", e.IncompleteError),
        (gzip.compress(TEXT)[:200], "gzip", e.IncompleteError),
        (gzip.compress(TEXT)[:5], "gzip", e.IncompleteError),
        (gzip.compress(TEXT) + gzip.compress(TEXT)[:50], "gzip", e.IncompleteError),
        (zlib.compress(TEXT)[:-1], "deflate", e.IncompleteError),
        (zlib.compress(TEXT)[:1], "deflate", e.IncompleteError),
        (raw_deflate(TEXT)[:-1], "deflate", e.IncompleteError),
        (gzip.compress(TEXT)[:-5] + b"1234\0", "gzip", e.MalformedReplyError),
        (gzip.compress(TEXT) + b"junk", "gzip", e.MalformedReplyError),
        (zlib.compress(TEXT) + b"junk", "deflate", e.MalformedReplyError),
        (zlib.compress(TEXT), "gzip", e.MalformedReplyError),
        (b"plain after all", "gzip", e.MalformedReplyError),
        (b"\xff\xff\xff", "deflate", e.MalformedReplyError),
        (b"x", "br", e.MalformedReplyError),
        (b"x", "zstd", e.MalformedReplyError),
        (gzip.compress(gzip.compress(TEXT)), "gzip, gzip", e.MalformedReplyError),
    ],
)
async def test_damaged_bodies_are_errors(way, content, encoding, kind):
    """Half an answer is not an answer."""
    with Loopback(packed(content, encoding)) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(kind, match="acme: the") as caught:
                await http.bytes("GET", "/")
        assert await is_left_alone(server)

    assert type(caught.value) is kind
    assert caught.value.provider == "acme"


@pytest.mark.parametrize(
    "answer",
    [
        [head(200, [("content-length", "10")]) + b"12345", Then.CLOSE],
        [head(200, [("content-length", "10")]) + b"12345", Then.RESET],
        [head(200, [("transfer-encoding", "chunked")]) + b"5\r\n12345\r\n", Then.CLOSE],
        [head(200, [("transfer-encoding", "chunked")]) + b"5\r\n123", Then.CLOSE],
    ],
    ids=["length", "reset", "chunks", "chunk"],
)
async def test_bodies_that_end_early_are_incomplete(way, answer):
    """The rest may have mattered."""
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.IncompleteError, match="acme: the answer ended early"):
                await http.bytes("GET", "/")
            assert await is_left_alone(server)


async def test_damaged_chunks_are_errors(way):
    """One library notices before it hands on the headers, so the connection has failed."""
    answer = [head(200, [("transfer-encoding", "chunked")]) + b"5\r\n12345\r\nzz\r\n", Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises((e.IncompleteError, e.ConnectionFailedError), match="acme"):
                await http.bytes("GET", "/")
            assert await is_left_alone(server)


async def test_announced_size_is_refused_unread(way):
    """The body need not come for us to know."""
    with Loopback([head(200, [("content-length", "1001")]), Then.HOLD]) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.TooLargeError, match="acme: the answer is over 1000 bytes"):
                await http.bytes("GET", "/", limit=1000)
            assert await is_left_alone(server)


@pytest.mark.parametrize("size", [999, 1000, 1001])
async def test_limit_itself_is_allowed(way, size):
    """One byte more is too much; the length is not announced."""
    with Loopback(lambda _: chunked([b"x" * size])) as server:
        async with calling(server.url, way) as http:
            if size > 1000:
                with pytest.raises(e.TooLargeError):
                    await http.bytes("GET", "/", limit=1000)
            else:
                assert len(await http.bytes("GET", "/", limit=1000)) == size


async def test_endless_bodies_are_refused(way):
    """After the limit, not after the memory."""

    def answer(_: Received) -> Iterable[Step]:
        yield head(200, [("transfer-encoding", "chunked")])
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.TooLargeError):
                await http.bytes("GET", "/", limit=MIB)
            assert await is_left_alone(server)

    assert server.sent < 20 * MIB


def peak_of(begun: Callable[[], None]) -> int:
    """Return the most memory since *begun*."""
    peak = tracemalloc.get_traced_memory()[1]
    begun()
    return peak


async def test_bombs_of_a_gigabyte_take_no_memory(way):
    """A megabyte on the wire; what is unpacked is measured before it is kept."""
    with Loopback(packed(GIGABYTE)) as server:
        async with calling(server.url, way) as http:
            tracemalloc.start()
            try:
                with pytest.raises(e.TooLargeError):
                    await http.bytes("GET", "/", limit=4 * MIB)
                peak = peak_of(tracemalloc.stop)
            finally:
                tracemalloc.stop()

    assert peak < 12 * MIB


async def test_bombs_in_streams_are_measured_as_a_whole(way):
    """Events may each be small and still never end."""
    packer = zlib.compressobj(1, wbits=31)
    event = b": " + b"x" * (MIB - 3) + b"\n"
    body = b"".join(packer.compress(event) for _ in range(300))
    with Loopback(packed(body + packer.flush())) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.TooLargeError, match=f"acme: the answer is over {MAX_BODY_BYTES}"):
                async with http.sse("GET", "/") as events:
                    await events.batch()
            assert await is_left_alone(server)


@pytest.mark.parametrize("content", [b"<html>", b"", b"{", b"[" * 100_000, b"\xff"])
async def test_success_that_is_not_json_is_malformed(way, content):
    """Captive portals and proxies answer 200 as well."""
    with Loopback(reply(content)) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.MalformedReplyError, match="acme: the answer is not JSON"):
                await http.json("GET", "/")


# -- streams ------------------------------------------------------------------------------


async def test_events_arrive_before_the_answer_ends(way):
    """The server holds the rest back until the client hangs up."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            async with http.sse("POST", "/", body={}) as events:
                assert await anext(events) == (b"", b"1")
            assert await is_left_alone(server)


async def test_packed_events_arrive_before_the_answer_ends(way):
    """Flushed by the server, a packed event is as good as another."""
    packer = zlib.compressobj(wbits=31)
    event = packer.compress(b"data: 1\n\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    answer = [head(200, [("content-encoding", "gzip")]) + event, Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            async with http.sse("POST", "/", body={}) as events:
                assert await anext(events) == (b"", b"1")
            assert await is_left_alone(server)


async def test_lines_are_whole_and_so_is_the_last(way):
    """Newline-delimited JSON often ends without the newline."""
    with Loopback(lambda _: chunked([b'{"a":', b"1}\n{}\r", b'\n{"b":2}'])) as server:
        async with calling(server.url, way) as http, http.lines("GET", "/") as lines:
            assert [line async for line in lines] == [b'{"a":1}', b"{}", b'{"b":2}']


async def test_broken_streams_give_their_events_first(way):
    """The fault is named, and raised after what arrived."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.CLOSE]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            found = []
            with pytest.raises(e.ConnectionFailedError, match="acme"):
                async with http.sse("GET", "/") as events:
                    async for event in events:
                        found.append(event)  # noqa: PERF401  # what came before the error counts
            assert await is_left_alone(server)

    assert found == [(b"", b"1")]


async def test_faults_of_decoding_name_the_provider(way):
    """The splitter does not know whose bytes it splits."""

    def feed(chunk: bytes, found: list[bytes]) -> None:
        raise e.MalformedReplyError("too odd")  # noqa: EM101

    with Loopback(reply(b"x")) as server:
        async with calling(server.url, way) as http:
            reply_ = await http.send("GET", "/")
            with pytest.raises(e.MalformedReplyError, match="^acme: too odd$"):  # noqa: RUF043
                async with opened(reply_, "acme", feed) as events:
                    await anext(events)


@pytest.mark.parametrize("read_first", [False, True])
async def test_callers_errors_pass_through(way, read_first):
    """An error of the caller's block is no error of the vendor, whatever its type."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(OSError, match="disk full") as caught:
                async with http.sse("GET", "/") as events:
                    if read_first:
                        await anext(events)
                    raise OSError("disk full")  # noqa: EM101
            assert await is_left_alone(server)

    assert type(caught.value) is OSError


@pytest.mark.parametrize("size", [1, 9, 100_000])
async def test_streams_left_unread_are_closed(way, size):
    """Not begun, or with much of it waiting in buffers: no socket and no generator stays."""
    event = b"data: " + b"x" * size + b"\n\n"
    with Loopback(lambda _: [*list(chunked([event] * 5))[:-1], Then.HOLD]) as server:
        async with calling(server.url, way) as http:
            async with http.sse("GET", "/"):
                pass
            assert await is_left_alone(server)
            async with http.sse("GET", "/") as events:
                await anext(events)
            assert await is_left_alone(server)


async def test_unread_answers_are_closed_by_hand(way):
    """`send` leaves the body to the caller."""
    with Loopback([head(200, [("content-length", "9")]), Then.HOLD]) as server:
        async with calling(server.url, way) as http:
            answer = await http.send("GET", "/")
            assert (answer.status, answer.headers["content-length"]) == (200, "9")
            await answer.aclose()
            await answer.aclose()
            assert await is_left_alone(server)


@pytest.mark.parametrize(
    "answer",
    [
        [Then.HOLD],
        [b"HTTP/1.1 200 OK\r\n", Then.HOLD],
        [head(200, [("content-length", "9")]), Then.HOLD],
        [head(200, [("content-length", "9")]) + b"1234", Then.HOLD],
        [head(500, [("content-length", "9")]) + b"1234", Then.HOLD],
    ],
    ids=["unanswered", "half-headers", "no-body", "half-body", "half-error"],
)
@pytest.mark.parametrize("verb", ["json", "sse", "lines"])
async def test_cancelling_closes(way, answer, verb):
    """Wherever it strikes, no connection and no task is left."""
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:

            async def ask() -> None:
                if verb == "json":
                    await http.json("POST", "/", body={})
                else:
                    async with getattr(http, verb)("POST", "/", body={}) as events:
                        await anext(events)

            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await anyio.to_thread.run_sync(server.wait_for, lambda: server.received)
                await anyio.sleep(0.02)
                group.cancel_scope.cancel()
            assert await is_left_alone(server)


async def test_cancelled_block_closes(way):
    """Cancelled in the caller's own code, between two events."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            with anyio.CancelScope() as scope:
                async with http.sse("GET", "/") as events:
                    await anext(events)
                    scope.cancel()
                    await anyio.sleep_forever()
            assert scope.cancelled_caught
            assert await is_left_alone(server)


async def test_stream_may_be_closed_in_another_task(way):
    """Opened here, read and closed there; no cancel scope ties it to a task."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            manager = http.sse("GET", "/")
            events = await manager.__aenter__()

            async def finish() -> None:
                await anext(events)
                await manager.__aexit__(None, None, None)

            async with anyio.create_task_group() as group:
                group.start_soon(finish)
            assert await is_left_alone(server)


# -- proxies ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_proxy_of_the_environment_is_used(way, monkeypatch, name, scheme):
    """With the credentials in its address."""
    if name == "HTTP_PROXY":
        monkeypatch.delenv("REQUEST_METHOD", raising=False)  # CGI forbids it
    with Loopback(reply(b"1")) as proxy:
        monkeypatch.setenv(name, proxy.url.replace("http://", f"{scheme}me:pw@"))
        async with calling("http://api.test/v1", way) as http:
            assert await http.json("GET", "/x", headers={"authorization": KEY}) == 1

    (request,) = proxy.received
    assert request.target == "http://api.test/v1/x"
    assert request.headers["authorization"] == KEY
    assert request.headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*"])
async def test_no_proxy_exempts(way, monkeypatch, exempt):
    """Local servers are not asked for through a proxy."""
    with Loopback(reply(b"1")) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", exempt)
        async with calling(server.url, way) as http:
            assert await http.json("GET", "/") == 1


async def test_netrc_is_not_read(way, monkeypatch, tmp_path):
    """Credentials come from settings, not from a file that nobody named."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            await http.json("GET", "/")

    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://127.0.0.1:1"])
async def test_unusable_proxies_are_a_matter_of_settings(way, monkeypatch, proxy):
    """Nothing is sent past a proxy that somebody wanted."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with (
        Loopback(reply(b"1")) as server,
        pytest.raises(e.ConfigurationError, match=f"{way[1]} cannot use the proxy"),
    ):
        async with calling(server.url, way) as http:
            await http.json("GET", "/")

    assert server.accepted == 0


# -- libraries ----------------------------------------------------------------------------


async def test_transport_may_be_used_alone(way):
    """What a plugin brings of its own may stand in its place."""
    transport = connect_transport(way[1], CONTEXT)
    with Loopback(reply(b"x" * 9)) as server:
        answer = await transport.send(HttpRequest("GET", server.url + f"/?key={KEY}", {}))
        assert await read(answer, "acme", 4, cut=True) == b"xxxx"
        await transport.aclose()

    assert KEY not in repr(HttpRequest("GET", f"/?key={KEY}", {"x": KEY}, KEY.encode()))


@pytest.mark.parametrize("library", ["httpx2", "httpx", "aiohttp"])
def test_library_that_is_not_installed(monkeypatch, library):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, library, None)
    extra = {"httpx2": "http"}.get(library, library)
    with pytest.raises(e.ConfigurationError, match=rf"pip install 'anymodal\[{extra}\]'"):
        connect_transport(library, CONTEXT)


def test_library_that_is_not_known():
    """Settings are typed by people."""
    with pytest.raises(e.ConfigurationError, match="'requests' is none of httpx2, httpx and aioh"):
        connect_transport("requests", CONTEXT)


def test_parse_json():
    """For bodies that came another way."""
    assert parse_json(b"[1]", "acme") == [1]
    with pytest.raises(e.MalformedReplyError):
        parse_json(b"[1", "acme")
