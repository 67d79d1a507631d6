"""A streamed answer: read by event, by word and whole, and left whenever one likes."""

from __future__ import annotations

import anyio
import pytest
from anymodal import TextDelta, streaming
from anymodal import errors as e
from anymodal.modalities.messages import Citation
from anymodal.modalities.text import Finish, ReasoningDelta, ToolCallDelta
from anymodal.streams import Batches

from .talking import MODEL, Scripted, client_of, says

pytestmark = pytest.mark.anyio
EVENTS = [
    ReasoningDelta("Hm."),
    TextDelta("one "),
    Citation("https://example.com/"),
    TextDelta("two"),
    ToolCallDelta(0, "c-1", "rate", "{}"),
    Finish("tool_calls", request_id="r-1"),
]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def test_events_come_as_the_provider_gave_them():
    """All kinds, in order, once."""
    async with client_of(Scripted(EVENTS)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert EVENTS == [event async for event in stream]
            assert [] == [event async for event in stream]


async def test_words_alone():
    """For whoever wants to print them."""
    async with client_of(Scripted(EVENTS)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert ["one ", "two"] == [piece async for piece in stream.text]
            assert "one two" == stream.said


@pytest.mark.parametrize("read", [0, 1, 3, 99])
async def test_the_whole_can_be_had_at_any_time(read):
    """However much was read of it before; asked twice it is the same."""
    async with client_of(Scripted(EVENTS)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            for _ in range(min(read, len(EVENTS))):
                await anext(stream)
            reply = await stream.result()
            assert reply == await stream.result()
            assert max(len(EVENTS) - read, 0) == len([event async for event in stream])

    assert ("one two", "Hm.", "tool_calls") == (reply.text, reply.reasoning, reply.finish_reason)
    assert ["rate"] == [call.name for call in reply.tool_calls]
    assert "r-1" == stream.record.request_id == reply.record.request_id


async def test_entering_waits_for_the_first_event():
    """So what can fail over is raised there."""
    provider = Scripted(e.OverloadedError("acme: busy"))
    async with client_of(provider) as ai:
        with pytest.raises(e.OverloadedError):
            async with ai.text.stream("Hi", model=MODEL):
                pytest.fail("it was entered")

    assert 1 == len(provider.requests)


async def test_starting_twice_asks_once():
    """Entered after `start` it goes on."""
    provider = Scripted(EVENTS)
    async with client_of(provider) as ai:
        stream = await ai.text.stream("Hi", model=MODEL).start()
        async with stream:
            assert EVENTS == [event async for event in stream]

    assert 1 == len(provider.requests)


async def test_a_stream_that_is_not_open_says_so():
    """Before it was entered, and after it was left early."""
    async with client_of(Scripted(EVENTS)) as ai:
        stream = ai.text.stream("Hi", model=MODEL)
        for ask in (lambda: anext(stream), stream.result):
            with pytest.raises(e.ConfigurationError, match="not open"):
                await ask()
        async with stream:
            await anext(stream)
        with pytest.raises(e.ConfigurationError, match="not open"):
            await stream.result()
        await stream.aclose()


async def test_opened_in_one_task_read_and_closed_in_another():
    """Nothing in it belongs to a task."""
    provider = Scripted(EVENTS)
    seen = []
    async with client_of(provider) as ai, anyio.create_task_group() as group:
        opened = []

        async def open_it():
            opened.append(await ai.text.stream("Hi", model=MODEL).start())

        async def read_it():
            seen.append(await anext(opened[0]))

        async def close_it():
            await opened[0].aclose()

        for step in (open_it, read_it, read_it, close_it):
            async with anyio.create_task_group() as one:
                one.start_soon(step)
        group.cancel_scope.cancel()

    assert EVENTS[:2] == seen
    assert 1 == provider.closed


async def test_what_a_caller_raises_is_the_callers():
    """It passes through as it is, and the stream is closed."""
    provider = Scripted(EVENTS)
    async with client_of(provider) as ai:
        with pytest.raises(LookupError, match="mine"):
            async with ai.text.stream("Hi", model=MODEL) as stream:
                await anext(stream)
                msg = "mine"
                raise LookupError(msg)

    assert 1 == provider.closed


async def test_reads_bring_many_events():
    """A provider that hands on a read at a time is asked once a read."""
    reads = []

    class InReads:
        @streaming
        async def bytes(self):
            for chunk in (b"ab", b"c", b"."):
                reads.append(chunk)
                yield chunk

        def stream(self, request):
            outer = self

            class Opened:
                async def __aenter__(self):
                    self.source = outer.bytes()
                    return Batches(await self.source.__aenter__(), feed)

                async def __aexit__(self, *exc):
                    await self.source.__aexit__(*exc)

            def feed(chunk, found):
                for letter in chunk.decode():
                    found.append(Finish() if letter == "." else TextDelta(letter))

            return Opened()

    async with client_of(InReads()) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert [b"ab"] == reads
            assert [TextDelta("a"), TextDelta("b")] == [await anext(stream), await anext(stream)]
            assert [b"ab"] == reads
            assert "abc" == (await stream.result()).text

    assert 3 == len(reads)


async def test_two_streams_do_not_mix():
    """One provider, many tasks."""
    async with client_of(Scripted(says("a"), says("b"), says("c"))) as ai:
        async with ai.text.stream("1", model=MODEL) as one, ai.text.stream("2", model=MODEL) as two:
            assert ("a", "b") == ((await one.result()).text, (await two.result()).text)
            assert one.record.id != two.record.id
