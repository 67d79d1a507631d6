"""Lines and events are the same, however the network cut the bytes."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import pytest
from anymodal.errors import MalformedReplyError
from anymodal.streams import Batches, LineSplitter, SseSplitter, streaming
from hypothesis import example, given
from hypothesis import strategies as st

ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
WORDS = st.one_of(
    st.text("aé漢 :\ufeff", max_size=8).map(str.encode),
    st.binary(max_size=4).map(lambda raw: raw.translate(None, b"\r\n")),
)
FIELDS = st.sampled_from(
    [b"data: ", b"data:", b"event: ", b"event:", b"id: ", b"retry: ", b":", b""]
)
BARE = st.sampled_from([b"data", b"event", b"", b"data: ", b"datum: x", b"DATA: x", b" data: x"])
LINES = st.one_of(BARE, st.builds(bytes.__add__, FIELDS, WORDS))
BODIES = st.lists(st.builds(bytes.__add__, LINES, ENDS), max_size=30).map(b"".join)
MARKED = st.builds(bytes.__add__, st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb"]), BODIES)
CUTS = st.lists(st.integers(0, 200), max_size=20)


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut *body* at *places*; some pieces may be empty."""
    edges = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


def events(packets: Iterable[bytes], **limit: int) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    splitter = SseSplitter(**limit)
    for packet in packets:
        splitter.feed(packet, found)
    return found


def lines(packets: Iterable[bytes]) -> list[bytes]:
    found: list[bytes] = []
    splitter = LineSplitter()
    for packet in packets:
        splitter.feed(packet, found)
    splitter.end(found)
    return found


def by_the_standard(body: bytes) -> list[tuple[bytes, bytes]]:
    """The algorithm of the WHATWG, word by word and over the whole body."""
    found = []
    body = body.removeprefix(b"\xef\xbb\xbf")
    complete = re.split(rb"\r\n|\r|\n", body)[:-1]
    kind = data = b""
    for line in complete:
        if line == b"":
            if data:
                found.append((kind, data[:-1]))
            kind = data = b""
        elif not line.startswith(b":"):
            field, colon, value = line.partition(b":")
            value = value[1:] if colon and value.startswith(b" ") else value
            if field == b"event":
                kind = value
            elif field == b"data":
                data += value + b"\n"
    return found


@given(body=MARKED)
@example(body=b"event: a\ndata: 1\ndata\ndata:2\n\nid: 7\n\n: ping\n\ndata:\n\ndata: lost")
@example(body=b"\xef\xbb\xbfdata: \xef\xbb\xbf\r\n\r\n\xef\xbb\xbfdata: x\n\n")
def test_events_are_those_of_the_standard(body):
    """Marks, comments, ids, data of several lines: nothing is our own invention."""
    assert by_the_standard(body) == events([body])


@given(body=MARKED, places=CUTS)
@example(body="data: 漢\r\n\r\n".encode(), places=range(12))
def test_packets_do_not_matter_to_events(body, places):
    """Not within a CRLF, a UTF-8 sequence, a byte order mark or a field's name."""
    assert events([body]) == events(cut(body, places))
    assert events([body]) == events(bytes([byte]) for byte in body)


@given(body=BODIES, tail=WORDS, places=CUTS)
def test_packets_do_not_matter_to_lines(body, tail, places):
    """And the last line counts although its end is missing."""
    whole = re.split(rb"\r\n|\r|\n", body + tail)

    assert (whole if whole[-1] else whole[:-1]) == lines(cut(body + tail, places))


@pytest.mark.parametrize("size", [1_000_000, 3_000_000])
def test_very_long_lines_arrive_whole(size):
    """Pictures come as one line of base64."""
    body = b"data: " + b"x" * size + b"\n\n"
    packets = [body[at : at + 4096] for at in range(0, len(body), 4096)]

    assert [(b"", b"x" * size)] == events(packets)


@given(places=CUTS)
@pytest.mark.parametrize(
    "over",
    [
        b"data: " + b"x" * 95 + b"\n\n",  # a line
        b"data: " + b"x" * 200,  # a line that never ends
        b"data: aaa\n" * 26 + b"\n",  # data of 103 bytes in short lines
        b"data:\n" * 102 + b"\n",  # nothing but line ends
        b": " + b"x" * 99 + b"\n",  # a comment
    ],
)
def test_oversize_is_refused_after_what_came_before(over, places):
    """Wherever the packets are cut, the same events come first."""
    found: list[tuple[bytes, bytes]] = []
    splitter = SseSplitter(limit=100)
    with pytest.raises(MalformedReplyError, match="over 100 bytes"):
        for packet in cut(b"data: 1\n\ndata: 2\n\n" + over, places):
            splitter.feed(packet, found)

    assert found == [(b"", b"1"), (b"", b"2")]


@given(places=CUTS)
def test_what_fits_exactly_passes(places):
    """The limit itself is allowed: a line of 100 bytes, and data of 100 in two lines."""
    line = b"data: " + b"x" * 94 + b"\n\n"
    data = b"data: " + b"x" * 49 + b"\ndata: " + b"y" * 50 + b"\n\n"

    assert len(events(cut(line + data, places), limit=100)) == 2


@given(places=CUTS)
def test_overlong_lines_do_not_take_the_short_ones_with_them(places):
    """Lines before the fault are good."""
    found: list[bytes] = []
    splitter = LineSplitter(limit=10)
    with pytest.raises(MalformedReplyError, match="over 10 bytes"):
        for packet in cut(b"one\r\ntwo\n" + b"x" * 11 + b"\n", places):
            splitter.feed(packet, found)

    assert found == [b"one", b"two"]


# -- batches ------------------------------------------------------------------------------


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def arriving(*packets: bytes | Exception) -> AsyncGenerator[bytes, None]:
    for packet in packets:
        if isinstance(packet, Exception):
            raise packet
        yield packet


def words(chunk: bytes, found: list[str]) -> None:
    for word in chunk.decode().split():
        if word == "bad":
            msg = "bad"
            raise MalformedReplyError(msg)
        found.append(word)


@pytest.mark.anyio
async def test_batch_is_what_one_read_brought():
    """Reads that complete no event are passed over; the end is an empty batch."""
    async with aclosing(arriving(b"a b", b" ", b"c")) as packets:
        batches = Batches(packets, words)

        assert [await batches.batch() for _ in range(4)] == [["a", "b"], ["c"], [], []]


@pytest.mark.anyio
async def test_batches_and_single_events_may_be_mixed():
    """A batch gives what single reads left over."""
    async with aclosing(arriving(b"a b c", b"d e")) as packets:
        batches = Batches(packets, words)

        assert await anext(batches) == "a"
        assert await batches.batch() == ["b", "c"]
        assert [word async for word in batches] == ["d", "e"]


@pytest.mark.anyio
async def test_events_before_a_fault_come_first():
    """The fault waits for the next batch, and for every one after it."""
    async with aclosing(arriving(b"a bad b", b"c")) as packets:
        batches = Batches(packets, words)

        assert await batches.batch() == ["a"]
        for _ in range(2):
            with pytest.raises(MalformedReplyError):
                await batches.batch()


@pytest.mark.anyio
async def test_single_events_before_a_fault_come_first():
    """The same through `async for`."""
    found = []
    async with aclosing(arriving(b"a bad b")) as packets:
        with pytest.raises(MalformedReplyError):
            async for word in Batches(packets, words):
                found.append(word)  # noqa: PERF401  # what came before the error counts

    assert found == ["a"]


@pytest.mark.anyio
async def test_broken_stream_never_looks_complete():
    """A generator that raised is at its end, which must not be taken for the body's."""
    async with aclosing(arriving(b"a", OSError("gone"))) as packets:
        batches = Batches(packets, words)

        assert await batches.batch() == ["a"]
        for _ in range(2):
            with pytest.raises(OSError, match="gone"):
                await batches.batch()


@pytest.mark.anyio
async def test_end_is_asked_once_for_what_is_left():
    """The last line of a body may have no end."""
    splitter = LineSplitter()
    async with aclosing(arriving(b"a\nb", b"c")) as packets:
        batches = Batches(packets, splitter.feed, splitter.end)

        assert [await batches.batch() for _ in range(3)] == [[b"a"], [b"bc"], []]


@pytest.mark.anyio
async def test_streaming_closes_the_generator_on_leaving():
    """At once and in the same task, not when the garbage collector comes by."""
    steps = []

    class Provider:
        @streaming
        async def stream(self, count: int) -> AsyncGenerator[int, None]:
            """Count."""
            try:
                for number in range(count):
                    yield number
            finally:
                steps.append("closed")

    async with Provider().stream(3) as numbers:
        assert await anext(numbers) == 0
    steps.append("left")

    assert steps == ["closed", "left"]
    assert Provider.stream.__doc__ == "Count."
