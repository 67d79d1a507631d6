"""Events arrive as they are sent, and nothing outlives them."""

from __future__ import annotations

import zlib

import anyio
import anyio.to_thread
import pytest
from anymodal import errors as e
from anymodal.http import opened
from anymodal.streams import LineSplitter

from .calling import calling, is_left_alone
from .loopback import Loopback, Then, chunked, head, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies", "nothing_dropped")]


@pytest.fixture
def anyio_backend(way):
    return way[0]


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


async def test_stream_that_is_a_web_page_is_none(way):
    """Somebody between sent a page for signing in, or `base_url` leads to a site."""
    page = reply(b"<!doctype html>", 200, [("content-type", "text/HTML; charset=utf-8")])
    with Loopback(page) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.MalformedReplyError, match="acme: the answer is a web page"):
                async with http.sse("POST", "/", body={}):
                    pass
        assert await is_left_alone(server)


async def test_longest_stream_has_a_limit(way):
    """Its pieces may all be kept by the caller."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"4\r\nab\nc\r\n" * 9, Then.HOLD]
    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            sent = await http.send("GET", "/")
            splitter = LineSplitter()
            with pytest.raises(e.TooLargeError, match="acme: the answer is over 35 bytes"):
                async with opened(sent, "acme", splitter.feed, splitter.end, limit=35) as lines:
                    _ = [line async for line in lines]
            assert await is_left_alone(server)


async def test_more_than_the_answer_is_not_taken_for_the_next(way):
    """Whoever asked next would be told what was never an answer to them."""
    twice = [*reply(b'"mine"'), *reply(b'"none"')]
    answers = iter([[b"".join(twice)], reply(b'"yours"')])
    with Loopback(lambda _: next(answers)) as server:
        async with calling(server.url, way) as http:
            assert "mine" == await http.json("GET", "/")
            assert "yours" == await http.json("GET", "/")
        assert await is_left_alone(server)
