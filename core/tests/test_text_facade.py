"""`client.text`: whole answers, streams, and the one from the other."""

import itertools
from contextlib import asynccontextmanager

import anyio
import pytest
from anymodal import (
    Capabilities,
    Citation,
    Finish,
    Message,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from anymodal import errors as e
from anymodal.facades.answers import assembled
from anymodal.modalities.messages import ProviderState, Reasoning
from anymodal.streams import Batches
from hypothesis import given
from hypothesis import strategies as st

from .loopback import Loopback, Then, chunked, head
from .talking import MODEL, Scripted, client_of, says

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_dropped")]
FINISH = Finish(usage=Usage(input_tokens=3, output_tokens=2), request_id="r-1", model="m-1-0")
MINE = ConnectionResetError("the caller's")
EVENTS = [
    ReasoningDelta("let "),
    ReasoningDelta("me see"),
    TextDelta("Hel"),
    TextDelta("lo"),
    ToolCallDelta(0, "c-1", "look", '{"at":'),
    ToolCallDelta(1, "c-2", "wait"),
    ToolCallDelta(0, arguments=" 1}"),
    Citation("https://acme.example"),
    TextDelta(" there"),
    Finish(state=(ProviderState("acme", "secret"),)),
]
WHOLE = Message(
    "assistant",
    (
        Reasoning("let me see"),
        "Hello",
        ToolCall("c-1", "look", '{"at": 1}'),
        ToolCall("c-2", "wait", "{}"),
        Citation("https://acme.example"),
        " there",
    ),
    [ProviderState("acme", "secret")],
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Streams(Scripted):
    """A provider that streams and does nothing else."""

    generate = None


class Generates(Scripted):
    """A provider that answers in one piece and does nothing else."""

    stream = None


class InBatches(Streams):
    """A provider whose reads bring lists of events; each read is counted."""

    def __init__(self, *reads):
        super().__init__(None)
        self.reads = reads
        self.read = 0
        self.open = 0

    @asynccontextmanager
    async def stream(self, request):
        async def chunks():
            for number in range(len(self.reads)):
                self.read += 1
                yield str(number).encode()

        def feed(chunk, found):
            for event in self.reads[int(chunk)]:
                if isinstance(event, BaseException):
                    raise event
                found.append(event)

        self.open += 1
        source = chunks()
        try:
            yield Batches(source, feed)
        finally:
            await source.aclose()
            self.open -= 1


# -- the one way to answer from the other -----------------------------------------------------------------


async def test_whole_answer_of_a_provider_that_streams():
    """Pieces are joined in the order in which they began."""
    async with client_of(Streams(EVENTS)) as ai:
        reply = await ai.text.generate("Hi", model=MODEL)

    assert WHOLE == reply.message
    assert "Hello there" == reply.text
    assert reply.record.seconds is not None


async def test_stream_of_a_provider_that_does_not():
    """All comes at once; joined again, it is the same answer."""
    whole = says(*WHOLE.parts, state=WHOLE.state, usage=FINISH.usage)
    async with client_of(Generates(whole)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            kinds = [type(event) async for event in stream]
            reply = await stream.result()

    assert [
        ReasoningDelta,
        TextDelta,
        ToolCallDelta,
        ToolCallDelta,
        Citation,
        TextDelta,
        Finish,
    ] == kinds
    assert WHOLE == reply.message
    assert FINISH.usage is reply.usage


async def test_derived_stream_left_early():
    """Nothing is left for the garbage collector."""
    async with client_of(Generates(says("a", "b"))) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            await anext(stream)


async def test_both_ways_are_used_where_both_are_written():
    """The author knows best."""
    async with client_of(provider := Scripted(says("yes"))) as ai:
        await ai.text.generate("Hi", model=MODEL)
        assert 0 == provider.closed
        async with ai.text.stream("Hi", model=MODEL) as stream:
            await stream.result()
        assert 1 == provider.closed


async def test_provider_with_neither_is_broken():
    """Said when it is connected, with its class."""
    async with client_of(object()) as ai:
        with pytest.raises(
            e.BrokenPluginError, match=r"object has neither stream\(\) nor generate\(\)"
        ):
            await ai.text.generate("Hi", model=MODEL)


PIECES = st.lists(
    st.builds(TextDelta, st.text(min_size=1, max_size=3))
    | st.builds(ReasoningDelta, st.text(min_size=1, max_size=3)),
    max_size=12,
)


@given(PIECES)
def test_joined_pieces_are_the_whole(pieces):
    """Nothing is lost, nothing comes twice, and neighbours of a kind are one part."""
    message = assembled([*pieces, Finish()])

    texts = [event.text for event in pieces if isinstance(event, TextDelta)]
    thoughts = [event.text for event in pieces if isinstance(event, ReasoningDelta)]
    assert "".join(texts) == message.text
    assert "".join(thoughts) == "".join(p.text for p in message.parts if isinstance(p, Reasoning))
    kinds = [type(part) for part in message.parts]
    assert all(one is not two for one, two in itertools.pairwise(kinds))


# -- streams ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 3, len(EVENTS)])
async def test_batches_make_no_difference(cut):
    """A read at a time or one by one, the caller sees the same."""
    reads = [EVENTS[at : at + cut] for at in range(0, len(EVENTS), cut)]
    for provider in (InBatches(*reads), Streams(EVENTS)):
        async with client_of(provider) as ai:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                assert EVENTS == [event async for event in stream]
                assert WHOLE == (await stream.result()).message


async def test_words_alone():
    """What most callers print."""
    async with client_of(Streams(EVENTS)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert ["Hel", "lo", " there"] == [words async for words in stream.text]


async def test_result_after_some_and_after_the_block():
    """It is the whole, not the rest."""
    async with client_of(Streams(EVENTS)) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            await anext(stream)
            assert WHOLE == (await stream.result()).message
        assert WHOLE == (await stream.result()).message
        assert EVENTS[1:] == [event async for event in stream]


async def test_entering_waits_for_the_first_event():
    """So that what may fail over fails there; and it is noted when that was."""
    provider = Streams([e.ServerError("no")], EVENTS)
    async with client_of(provider) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.stream("Hi", model=MODEL).__aenter__()
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert stream.record.first_event_seconds is not None
            assert stream.record.seconds is None
            await stream.result()
            assert stream.record.seconds >= stream.record.first_event_seconds


async def test_started_and_closed_by_hand():
    """For those who cannot use a block; starting twice and closing twice change nothing."""
    provider = Streams(EVENTS)
    async with client_of(provider) as ai:
        stream = ai.text.stream("Hi", model=MODEL)
        assert stream is await stream.start() is await stream.start()
        assert 1 == len(provider.requests)
        await stream.aclose()
        await stream.aclose()
        assert 1 == provider.closed
        await stream.start()
        with pytest.raises(e.ConfigurationError, match="not open"):
            async for _ in stream:
                pass
        assert 1 == len(provider.requests)


async def test_reading_before_starting():
    """It says what to do."""
    async with client_of(Streams(EVENTS)) as ai:
        stream = ai.text.stream("Hi", model=MODEL)
        with pytest.raises(e.ConfigurationError, match=r"inside `async with`, or await start\(\)"):
            await stream.result()
        await stream.aclose()


async def test_opened_in_one_task_and_closed_in_another():
    """A web server reads where it did not ask."""
    provider = Streams(EVENTS)
    async with client_of(provider) as ai:
        stream = ai.text.stream("Hi", model=MODEL)
        async with anyio.create_task_group() as group:
            group.start_soon(stream.start)
        async with anyio.create_task_group() as group:
            group.start_soon(stream.result)
        async with anyio.create_task_group() as group:
            group.start_soon(stream.aclose)

    assert 1 == provider.closed
    assert "Hello there" == (await stream.result()).text


async def test_leaving_early():
    """The provider is closed at once, and the record says what is known."""
    provider = InBatches([TextDelta("a")], [TextDelta("b")], [FINISH])
    async with client_of(provider) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            await anext(stream)
        assert (0, 1) == (provider.open, provider.read)

    record = stream.record
    assert record.seconds >= record.first_event_seconds
    assert (None, "the answer was not read to its end") == (record.cost.usd, record.cost.source)
    assert [None] == [one.error for one in record.attempts]


async def test_callers_own_error_passes():
    """It is not the vendor's, and is not translated."""
    provider = Streams(EVENTS)
    async with client_of(provider) as ai:
        with pytest.raises(ConnectionResetError):
            async with ai.text.stream("Hi", model=MODEL):
                raise MINE

    assert 1 == provider.closed


async def test_cancelled_while_reading():
    """The provider's `finally` runs."""

    class Waits(Streams):
        def __init__(self):
            super().__init__(None)

        from anymodal import streaming

        @streaming
        async def stream(self, request):
            try:
                yield TextDelta("a")
                await anyio.sleep_forever()
            finally:
                self.closed += 1

    provider = Waits()
    async with client_of(provider) as ai:
        with anyio.move_on_after(0.02) as scope:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                await stream.result()

    assert scope.cancelled_caught
    assert 1 == provider.closed
    assert "a" == stream.said


# -- streams that break -------------------------------------------------------------------------------------


BREAKS = [
    ([], None, "", e.ConnectionFailedError, "the stream ended before its first event"),
    ([TextDelta("a")], None, "a", e.IncompleteError, "the stream ended without its end marker"),
    ([TextDelta("a")], e.MalformedReplyError("acme: odd"), "a", e.MalformedReplyError, "acme: odd"),
    ([TextDelta("a")], e.TimedOutError("acme: late"), "a", e.TimedOutError, "acme: late"),
    ([TextDelta("a")], e.ContentFilteredError("acme: no"), "a", e.ContentFilteredError, "acme: no"),
    ([TextDelta("a")], e.ServerError("acme: no"), None, e.ServerError, "acme: no"),
    ([TextDelta("a")], e.ConnectionFailedError("acme: gone", request_id="r"), "a", e.IncompleteError, "acme: gone"),
    ([], e.ConnectionFailedError("acme: gone"), None, e.ConnectionFailedError, "acme: gone"),
]  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
@pytest.mark.parametrize("whole", [True, False])
async def test_stream_that_breaks(case, whole):
    """It is never a short success; what had arrived is on the error."""
    events, fault, partial, cls, words = case
    async with client_of(Streams([*events, *([fault] if fault else [])])) as ai:
        with pytest.raises(cls, match=words) as caught:
            if whole:
                await ai.text.generate("Hi", model=MODEL)
            else:
                async with ai.text.stream("Hi", model=MODEL) as stream:
                    async for _ in stream:
                        pass

    error = caught.value
    assert type(error) is cls
    assert "acme" == error.provider
    assert [error] == [one.error for one in error.record.attempts]
    assert error.record.seconds is not None
    if partial is not None:
        assert partial == getattr(error, "partial", "")


async def test_events_before_a_fault_are_handed_on():
    """Also where one read brought both; and it is raised again when asked again."""
    fault = e.MalformedReplyError("acme: odd")
    async with client_of(InBatches([TextDelta("a"), TextDelta("b"), fault])) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            seen = []
            with pytest.raises(e.MalformedReplyError):
                async for event in stream:
                    seen += [event.text]
            assert ["a", "b"] == seen
            for _ in range(2):
                with pytest.raises(e.MalformedReplyError) as caught:
                    await stream.result()
                assert (fault, "ab") == (caught.value, caught.value.partial)

    assert [fault] == [one.error for one in stream.record.attempts]
    assert "the call failed" == stream.record.cost.source


async def test_transport_that_breaks_late():
    """Half an answer, whatever library it came over."""
    async with client_of(Streams([TextDelta("a"), ConnectionResetError()])) as ai:
        with pytest.raises(e.IncompleteError, match="acme: the connection failed") as caught:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                await stream.result()

    assert "a" == caught.value.partial
    assert isinstance(caught.value.__cause__, ConnectionResetError)


async def test_fault_after_the_end_is_no_fault():
    """The answer is whole; only the connection is not worth keeping."""
    provider = InBatches([TextDelta("a"), FINISH], [e.ServerError("late")])
    async with client_of(provider) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            assert "a" == (await stream.result()).text
        assert "a" == (await ai.text.generate("Hi", model=MODEL)).text

    assert (4, 0) == (provider.read, provider.open)


# -- connections ------------------------------------------------------------------------------------------------


class OverHttp:
    """A provider whose vendor sends lines, `.` being the last."""

    def __init__(self, connection):
        self.http = connection.http

    @asynccontextmanager
    async def stream(self, request):
        async with self.http.lines("POST", "/say", body={}) as lines:

            async def events():
                async for line in lines:
                    yield FINISH if line == b"." else TextDelta(line.decode())

            source = events()
            try:
                yield source
            finally:
                await source.aclose()


def over_http(server):
    return client_of(
        OverHttp, kind="remote", base_url=server.url, capabilities=Capabilities(["streaming"])
    )


async def test_connection_is_kept_after_the_end(no_proxies):
    """The bytes after the last event are read, so the next call need not connect."""
    with Loopback(lambda _: chunked([b"a\n", b"b\n.\n", b"\n\n"])) as server:
        async with over_http(server) as ai:
            for _ in range(3):
                async with ai.text.stream("Hi", model=MODEL) as stream:
                    assert "ab" == (await stream.result()).text
                assert "ab" == (await ai.text.generate("Hi", model=MODEL)).text
        assert 6 == len(server.received)
        assert 1 == server.accepted


async def test_connection_of_an_answer_that_was_left_is_closed(no_proxies):
    """What is still to come belongs to nobody."""
    endless = [head(200, []), b"a\n", Then.HOLD]
    with Loopback(endless) as server:
        async with over_http(server) as ai:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                await anext(stream)
            assert await anyio.to_thread.run_sync(server.is_left_alone)


async def test_vendor_that_goes_on_after_the_end_is_not_waited_for(no_proxies, monkeypatch):
    """The answer is whole; a moment is all that its connection is worth."""
    monkeypatch.setattr("anymodal.facades.answers.DRAIN_SECONDS", 0.02)
    with Loopback([head(200, []), b"a\n.\n", Then.HOLD]) as server:
        async with over_http(server) as ai:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                assert "a" == (await stream.result()).text
            assert "a" == (await ai.text.generate("Hi", model=MODEL)).text
            assert await anyio.to_thread.run_sync(server.is_left_alone)


# -- the request ---------------------------------------------------------------------------------------------------


async def test_request_has_what_was_asked_for():
    """Names as in the room; `None` where nothing was said."""
    provider = Scripted(says("yes"))
    async with client_of(provider) as ai:
        await ai.text.generate(
            ["one", "two"], model=MODEL, system="Be brief.", temperature=0, stop="END", raw=True
        )
        async with ai.text.stream(Message.user("x"), model=MODEL, max_tokens=5) as stream:
            await stream.result()

    first, second = provider.requests
    assert (Message("user", ("one", "two")),) == first.messages
    assert ("Be brief.", 0, ("END",), True) == (
        first.system, first.temperature, first.stop, first.raw,
    )  # fmt: skip
    assert (5, None, ()) == (second.max_tokens, second.temperature, second.stop)
    assert "m-1" == first.model.id


async def test_request_that_nobody_could_serve():
    """It never gets to a provider, and the error says which argument."""
    provider = Scripted(says("yes"))
    async with client_of(provider) as ai:
        for wrong, field in (
            ({"temperature": -1}, "temperature"),
            ({"tool_choice": "x"}, "tool_choice"),
        ):
            with pytest.raises(e.InvalidRequestError) as caught:
                await ai.text.generate("Hi", model=MODEL, **wrong)
            assert field == caught.value.field
        with pytest.raises(e.InvalidRequestError, match="prompt: it is empty"):
            await ai.text.generate("", model=MODEL)

    assert [] == provider.requests


async def test_warnings_of_the_provider_are_on_the_record():
    """What is not honoured is said; a strict caller is refused."""

    class Warns(Scripted):
        async def generate(self, request):
            request.warn("seed", "acme has no seeds")
            return says("yes")

    async with client_of(Warns()) as ai:
        reply = await ai.text.generate("Hi", model=MODEL)
        assert [("seed", "acme has no seeds")] == [
            (one.setting, one.message) for one in reply.record.warnings
        ]
        with pytest.raises(e.UnsupportedFeatureError, match="seed: acme has no seeds"):
            await ai.text.generate("Hi", model=MODEL, strict=True)


async def test_vendors_own_answer_is_on_the_record():
    """Where the call asked for it."""
    async with client_of(Scripted(says("yes", raw={"id": 1}))) as ai:
        reply = await ai.text.generate("Hi", model=MODEL, raw=True)

    assert {"id": 1} == reply.record.raw
