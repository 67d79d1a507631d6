"""One way to answer from the other, whichever an author wrote."""

from __future__ import annotations

import threading

import anyio
import pytest
from anymodal import TextDelta, TextResult, streaming
from anymodal import errors as e
from anymodal.facades.answers import assembled, bind
from anymodal.modalities.messages import Citation, Message, ProviderState, Reasoning, ToolCall
from anymodal.modalities.text import Finish, ReasoningDelta, ToolCallDelta, events_of
from hypothesis import given
from hypothesis import strategies as st

from .talking import MODEL, client_of, says

pytestmark = pytest.mark.anyio
WHOLE = says("one ", "two", request_id="r-1")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Seen:
    """What a provider's methods did, and where."""

    def __init__(self):
        self.threads = []
        self.closed = []

    def note(self):
        self.threads.append(threading.current_thread())


class Whole(Seen):
    async def generate(self, request):
        self.note()
        return WHOLE


class WholeInThread(Seen):
    def generate(self, request):
        self.note()
        return WHOLE


class WholeLater(Seen):
    def generate(self, request):
        async def later():
            return WHOLE

        self.note()
        return later()


class Streaming(Seen):
    @streaming
    async def stream(self, request):
        self.note()
        try:
            for event in events_of(WHOLE):
                yield event
        finally:
            self.closed.append(threading.current_thread())


class Bare(Seen):
    async def stream(self, request):
        self.note()
        try:
            for event in events_of(WHOLE):
                yield event
        finally:
            self.closed.append(threading.current_thread())


class InThreads(Seen):
    def stream(self, request):
        self.note()
        try:
            yield from events_of(WHOLE)
        finally:
            self.closed.append(threading.current_thread())


KINDS = [Whole, WholeInThread, WholeLater, Streaming, Bare, InThreads]
STREAMS = [Streaming, Bare, InThreads]
SYNC = {WholeInThread, WholeLater, InThreads}


@pytest.mark.parametrize("kind", KINDS)
async def test_both_ways_from_one(kind):
    """Either way gives the same answer, and what was opened is closed."""
    provider = kind()
    async with client_of(provider) as ai:
        reply = await ai.text.generate("Hi", model=MODEL)
        async with ai.text.stream("Hi", model=MODEL) as stream:
            pieces = [piece async for piece in stream.text]
            streamed = await stream.result()

    assert "one two" == reply.text == "".join(pieces) == streamed.text
    assert "r-1" == reply.record.request_id == streamed.record.request_id
    assert 2 == len(provider.threads)
    here = threading.current_thread()
    assert (kind in SYNC) == (here not in provider.threads)
    assert (2 if kind in STREAMS else 0) == len(provider.closed)


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_stream_left_early_is_closed_at_once(kind):
    """Not whenever the garbage collector comes by."""
    provider = kind()
    async with client_of(provider) as ai:
        async with ai.text.stream("Hi", model=MODEL) as stream:
            await anext(stream)
            assert [] == provider.closed
        assert 1 == len(provider.closed)


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_a_plain_method_raises(streamed):
    """From its thread, as it is."""

    class Refuses:
        def generate(self, request):
            msg = "acme: no"
            raise e.BadRequestError(msg)

    async with client_of(Refuses()) as ai:
        with pytest.raises(e.BadRequestError, match="acme: no") as caught:
            if streamed:
                await ai.text.stream("Hi", model=MODEL).start()
            else:
                await ai.text.generate("Hi", model=MODEL)
    assert "acme" == caught.value.record.provider


class Stuck:
    """A provider whose thread waits until it is let go on."""

    def __init__(self):
        self.go_on, self.started, self.closed = (threading.Event() for _ in range(3))

    def wait(self):
        self.started.set()
        assert self.go_on.wait(20)


class StuckWhole(Stuck):
    def generate(self, request):
        self.wait()
        self.closed.set()
        return WHOLE


class StuckStream(Stuck):
    def stream(self, request):
        try:
            yield TextDelta("a")
            self.wait()
            yield TextDelta("b")
            yield Finish()
        finally:
            self.closed.set()


@pytest.mark.parametrize("kind", [StuckWhole, StuckStream])
async def test_a_thread_that_is_stuck_holds_nobody_up(kind):
    """Deadlines hold; it is left to itself, and closes when it comes back."""
    provider = kind()
    async with client_of(provider) as ai:
        with pytest.raises(e.DeadlineExceededError):
            if kind is StuckWhole:
                await ai.text.generate("Hi", model=MODEL, timeout=0.1)
            else:
                async with ai.text.stream("Hi", model=MODEL, timeout=0.1) as stream:
                    await stream.result()
        assert provider.started.is_set()
        assert not provider.closed.is_set()
        provider.go_on.set()
        assert await anyio.to_thread.run_sync(provider.closed.wait, 20)


def test_a_provider_with_neither_way_is_broken():
    """By its class's name."""
    with pytest.raises(e.BrokenPluginError, match="Seen has neither"):
        bind(Seen())


async def test_counting_is_bound_where_it_is_offered():
    """Written with `async` or without."""

    class Counts(Whole):
        async def count_tokens(self, request):
            return len(request.messages[0].text)

    class CountsInThread(Whole):
        def count_tokens(self, request):
            return len(request.messages[0].text)

    for provider in (Counts(), CountsInThread()):
        async with client_of(provider) as ai:
            assert 5 == await ai.text.count_tokens("Hello", model=MODEL)
    async with client_of(Whole()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="estimate"):
            await ai.text.count_tokens("Hello", model=MODEL)


async def test_a_stream_without_its_end_is_no_answer():
    """Half an answer never looks whole, by either way."""

    class Ends(Seen):
        @streaming
        async def stream(self, request):
            yield TextDelta("half")

    class Never(Seen):
        @streaming
        async def stream(self, request):
            if request is None:
                yield Finish()

    async with client_of(Ends()) as ai:
        with pytest.raises(e.IncompleteError) as caught:
            await ai.text.generate("Hi", model=MODEL)
        assert "half" == caught.value.partial
        with pytest.raises(e.IncompleteError) as caught:
            async with ai.text.stream("Hi", model=MODEL) as stream:
                await stream.result()
        assert "half" == caught.value.partial
    async with client_of(Never()) as ai:
        with pytest.raises(e.ConnectionFailedError, match="before its first event"):
            await ai.text.generate("Hi", model=MODEL)


# -- whole answers from pieces --------------------------------------------------------------------


def test_pieces_are_joined_in_the_order_they_began():
    """Calls whose pieces come by turns, too."""
    state = (ProviderState("acme", {"seal": 1}),)
    source = Citation("https://example.com/")
    found = assembled(
        [
            ReasoningDelta("H"),
            ReasoningDelta("m."),
            TextDelta("Wa"),
            TextDelta("it."),
            source,
            ToolCallDelta(0, "c-1", "rate"),
            ToolCallDelta(1, "c-2", "rate", '{"a"'),
            ToolCallDelta(0, arguments="{}"),
            ToolCallDelta(1, arguments=":1}"),
            ToolCallDelta(2, "c-3", "rate"),
            TextDelta("Done."),
            Finish(state=state),
        ]
    )

    assert (
        Message(
            "assistant",
            [
                Reasoning("Hm."),
                "Wait.",
                source,
                ToolCall("c-1", "rate", "{}"),
                ToolCall("c-2", "rate", '{"a":1}'),
                ToolCall("c-3", "rate", "{}"),
                "Done.",
            ],
            state,
        )
        == found
    )


def test_an_answer_without_words_is_a_message():
    """Some vendors say nothing at all."""
    assert Message.assistant("") == assembled([Finish()])


PARTS = st.lists(
    st.text(min_size=1)
    | st.builds(Reasoning, st.text(min_size=1))
    | st.builds(Citation, st.just("https://example.com/"))
    | st.builds(ToolCall, st.text(max_size=3), st.text(max_size=3), st.just("{}")),
    min_size=1,
)


@given(parts=PARTS)
def test_events_and_answers_are_two_forms_of_one(parts):
    """What is streamed of an answer is that answer, neighbours of a kind joined."""
    joined = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        elif isinstance(part, Reasoning) and isinstance(last, Reasoning):
            joined[-1] = Reasoning(last.text + part.text)
        else:
            joined.append(part)
    whole = TextResult(Message("assistant", parts), Finish(request_id="r"))
    events = events_of(whole)

    assert Message("assistant", joined) == assembled(events)
    assert whole.finish == events[-1]
