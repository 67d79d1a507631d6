"""Bodies are unpacked and measured, and whole or an error."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from anymodal import errors as e
from anymodal.http import MAX_STREAM_BYTES

from .calling import KEY, KIB, MIB, calling, is_left_alone, packed, zeros
from .loopback import Loopback, Received, Step, Then, chunked, head, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies", "nothing_dropped")]


@pytest.fixture
def anyio_backend(way):
    return way[0]


GIGABYTE = zeros(1024 * MIB)

gzipped = partial(gzip.compress, mtime=0)  # two runs have the same cases


# -- statuses -------------------------------------------------------------------------------


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
        packed(gzipped(b'{"message":"x"}')[:-9], status=429),
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


# -- bodies ---------------------------------------------------------------------------------


def raw_deflate(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


TEXT = json.dumps({"text": "漢字 " * 50_000}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzipped),
        ("X-GZip ", gzipped),
        ("gzip", lambda text: gzipped(text[:9]) + gzipped(text[9:])),
        ("gzip", lambda text: gzipped(b"") + gzipped(text)),
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
        (gzipped(TEXT)[:-1], "gzip", e.IncompleteError),
        (gzipped(TEXT)[:200], "gzip", e.IncompleteError),
        (gzipped(TEXT)[:5], "gzip", e.IncompleteError),
        (gzipped(TEXT) + gzipped(TEXT)[:50], "gzip", e.IncompleteError),
        (zlib.compress(TEXT)[:-1], "deflate", e.IncompleteError),
        (zlib.compress(TEXT)[:1], "deflate", e.IncompleteError),
        (raw_deflate(TEXT)[:-1], "deflate", e.IncompleteError),
        (gzipped(TEXT)[:-5] + b"1234\0", "gzip", e.MalformedReplyError),
        (gzipped(TEXT) + b"junk", "gzip", e.MalformedReplyError),
        (zlib.compress(TEXT) + b"junk", "deflate", e.MalformedReplyError),
        (zlib.compress(TEXT), "gzip", e.MalformedReplyError),
        (b"plain after all", "gzip", e.MalformedReplyError),
        (b"\xff\xff\xff", "deflate", e.MalformedReplyError),
        (b"x", "br", e.MalformedReplyError),
        (b"x", "zstd", e.MalformedReplyError),
        (gzipped(gzipped(TEXT)), "gzip, gzip", e.MalformedReplyError),
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
            with pytest.raises(
                e.TooLargeError, match=f"acme: the answer is over {MAX_STREAM_BYTES}"
            ):
                async with http.sse("GET", "/") as events:
                    await events.batch()
            assert await is_left_alone(server)


@pytest.mark.parametrize("content", [b"<html>", b"", b"{", b"[" * 100_000, b"\xff"])
async def test_success_that_is_not_json_is_malformed(way, content):
    """Captive portals and proxies answer 200 as well."""
    with Loopback(reply(content)) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(
                e.MalformedReplyError, match=r"acme: the answer is (not JSON|empty|a web page)"
            ):
                await http.json("GET", "/")
