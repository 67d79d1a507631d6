"""Speech under way: sound as it comes, of text that is there or still comes, and early ends."""

from contextlib import asynccontextmanager, nullcontext

import anyio
import pytest
from anymodal import Budget, Client, Policy, Registry, Retry, Settings, SyncClient, streaming
from anymodal import errors as e
from anymodal.facades.speech_stream import SpeechStream
from anymodal.modalities.sounds import SoundFormat, wav_header
from anymodal.modalities.speech import AudioChunk, SpeechEnd
from anymodal.specs import Capabilities, Deadlines, ModelSpec

from .once import ONCE
from .speaking import Clones, Lives, Streams, Synthesizes, brings, client, pieces, used

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def said(data):
    return data.decode("utf-16-le")


async def test_sound_as_it_comes():
    """Piece by piece; the whole can be had besides, and the record says what it was."""
    provider = Streams()
    async with client(provider) as ai:
        async with ai.speech.stream("Hello.", format="pcm") as stream:
            assert ("pcm_16000", "Vera") == (str(stream.format), stream.voice.name)
            assert stream is await stream.start()
            first = stream.take()
            chunks = [chunk.data async for chunk in stream]
            found = await stream.result()

    assert "Hello." == said(first.data + b"".join(chunks)) == said(found.audio.data)
    assert stream.take() is None
    assert 6 / 16000 == found.seconds
    assert 0 <= stream.record.first_event_seconds <= stream.record.seconds
    assert ("stream", "r-1", 6) == (
        found.record.operation, found.request_id, found.usage.amount("character")
    )  # fmt: skip
    assert 1 == provider.left


async def test_the_whole_of_a_stream():
    """A WAV file whose header says its size, though a stream's first bytes did not."""
    async with client(Streams()) as ai, ai.speech.stream("Hello.") as stream:
        first = await anext(stream)
        found = await stream.result()

    assert first.data.startswith(wav_header(16000))
    assert found.audio.data.startswith(wav_header(16000, 12))


async def test_leaving_early_closes_at_once():
    """The provider's stream is over when the block is."""
    provider = Streams()
    async with client(provider) as ai, ai.speech.stream("Hello.") as stream:
        async for _ in stream:
            break
        await stream.aclose()

        assert 1 == provider.left
        assert "not read" in stream.record.cost.source
        with pytest.raises(e.ConfigurationError, match="not open"):
            await stream.result()
        await stream.aclose()


@pytest.mark.parametrize("is_in_pieces", [False, True])
async def test_closing_while_another_task_reads(is_in_pieces):
    """The reader is told that it is closed, and the provider's stream is over."""
    left = []

    class Stalls:
        @streaming
        async def stream(self, request):
            try:
                yield AudioChunk(b"ab")
                await anyio.sleep_forever()
            finally:
                left.append(request.text)

    async def pieces():
        yield "Hello. "
        await anyio.sleep_forever()

    found = []
    async with client(Stalls()) as ai, anyio.create_task_group() as tasks:
        text = pieces() if is_in_pieces else "Hello."
        stream = await ai.speech.stream(text, format="pcm").start()

        async def read():
            with pytest.raises(e.ConfigurationError, match="not open") as caught:
                await stream.result()
            found.append(caught.value)

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert [] == found
        await stream.aclose()
        await anyio.wait_all_tasks_blocked()

    assert 1 == len(found)
    assert ["Hello."] == left


async def test_reading_before_it_is_open():
    """It says how to open it."""
    async with client(Streams()) as ai:
        stream = ai.speech.stream("Hello.")
        with pytest.raises(e.ConfigurationError, match="async with"):
            await anext(stream)
        assert stream.format is stream.voice is None


async def test_another_provider_speaks_where_the_first_fails():
    """As long as nothing was heard."""

    class Down(Streams):
        @streaming
        async def stream(self, request):
            msg = "away"
            raise e.OverloadedError(msg)
            yield

    zenith = brings(Streams(), "zenith")
    async with (
        client(Down(), zenith) as ai,
        ai.speech.stream("Hi", model=["acme/a", "zenith/z"], policy=ONCE, format="pcm") as stream,
    ):
        found = await stream.result()

    assert "Hi" == said(found.audio.data)
    assert ["acme", "zenith"] == [one.provider for one in stream.record.attempts]


@pytest.mark.parametrize(
    ("events", "error", "match"),
    [
        ([], e.ConnectionFailedError, "before its first sound"),
        ([AudioChunk(b"ab")], e.IncompleteError, "without its end"),
        ([AudioChunk(b"ab"), e.ConnectionFailedError("gone")], e.IncompleteError, "gone"),
        ([AudioChunk(b"ab"), e.ServerError("ill")], e.ServerError, "ill"),
    ],
)
async def test_streams_that_break(events, error, match):
    """Half of what was to be said is no answer, streamed or whole; and it is not retried."""

    class Breaks(Streams):
        @streaming
        async def stream(self, request):
            self.asked.append(request)
            for event in events:
                if isinstance(event, Exception):
                    raise event
                yield event

    provider = Breaks()
    async with client(provider) as ai:
        with pytest.raises(error, match=match):
            await ai.speech.synthesize("Hello.", policy=ONCE)
        with pytest.raises(error, match=match) as caught:
            async with ai.speech.stream("Hello.", policy=ONCE) as stream:
                with pytest.raises(error, match=match):
                    await stream.result()
                await stream.result()

    assert 2 == len(provider.asked)
    assert caught.value.record is not None


async def test_sound_that_stops_coming():
    """Is waited for as long as the deadline says."""

    class Hangs(Streams):
        @streaming
        async def stream(self, request):
            yield AudioChunk(b"ab")
            await anyio.sleep_forever()

    async with client(Hangs()) as ai:
        async with ai.speech.stream("Hi", timeout=Deadlines(between=0.01)) as stream:
            with pytest.raises(e.TimedOutError):
                await stream.result()


class Notes:
    """An observer that remembers what it is told."""

    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(type(event).__name__)


async def test_who_watches_hears_of_the_end():
    """Once, of a whole answer, of one that was left, and of one that broke."""
    notes = Notes()
    registry = Registry(Settings.empty(), plugins=[brings(Streams())], distributions=())
    async with Client(registry=registry, observers=[notes]) as ai:
        async with ai.speech.stream("Hi") as stream:
            await stream.result()
        async with ai.speech.stream("Hi"):
            pass

    assert ["CallStarted", "FirstEvent", "CallEnded"] * 2 == notes.events


async def test_middleware_may_answer_instead():
    """And may fail after the stream was opened, which closes it."""

    class Instead:
        def __init__(self):
            self.fails = False

        async def around(self, call, proceed):
            if self.fails:
                await proceed(call)
                msg = "no"
                raise RuntimeError(msg)
            return "nothing"

    instead, provider = Instead(), Streams()
    registry = Registry(Settings.empty(), plugins=[brings(provider)], distributions=())
    async with Client(registry=registry, middleware=[instead]) as ai:
        assert "nothing" == await ai.speech.stream("Hi").start()
        instead.fails = True
        with pytest.raises(RuntimeError):
            await ai.speech.stream("Hi").start()

    assert 1 == provider.left


# -- text in pieces ---------------------------------------------------------------------------


async def test_text_in_pieces_to_who_takes_it_so():
    """Each goes out as it comes, and its sound comes back meanwhile."""
    provider = Lives()
    async with (
        client(provider) as ai,
        ai.speech.stream(pieces("One ", "", "two."), format="pcm") as stream,
    ):
        chunks = [said(chunk.data) async for chunk in stream]
        whole = await stream.result()

        assert "One two." == "".join(chunks) == said(whole.audio.data)
    assert ["One ", "two.", None] == provider.told
    assert not provider.is_open
    assert ("", 8) == (provider.asked[0].text, whole.usage.amount("character"))


async def test_sound_comes_before_the_text_has_ended():
    """Which is what a listener wants of an assistant that is still thinking."""
    provider, more = Lives(), anyio.Event()

    async def text():
        yield "Now. "
        await more.wait()
        yield "Later."

    async with client(provider) as ai, ai.speech.stream(text(), format="pcm") as stream:
        first = await anext(stream)
        assert ["Now. "] == provider.told
        more.set()
        rest = [said(chunk.data) async for chunk in stream]

    assert "Now. Later." == said(first.data) + "".join(rest)


async def test_text_in_pieces_sentence_by_sentence():
    """Where the provider takes whole texts only; together it is one sound."""
    provider = Streams()
    async with (
        client(provider) as ai,
        ai.speech.stream(pieces("One. T", "wo!", " Thr", "ee \n "), format="wav") as stream,
    ):
        found = await stream.result()

    assert ["One.", "Two!", "Three"] == [asked.text for asked in provider.asked]
    assert wav_header(16000, 26) + "One.Two!Three".encode("utf-16-le") == found.audio.data
    assert (13, 3) == (found.usage.amount("character"), provider.left)


async def test_a_model_that_takes_no_pieces():
    """Its sentences are whole texts, though others of the provider take pieces."""
    provider = Lives()
    models = [ModelSpec(id="m", capabilities=Capabilities(no=["live"]))]
    async with (
        client(provider, models=models, default_model="m") as ai,
        ai.speech.stream(pieces("One. Two."), format="pcm") as stream,
    ):
        await stream.result()

    assert ([], ["One.", "Two."]) == (provider.told, [asked.text for asked in provider.asked])


async def test_pieces_of_files_become_one():
    """Of a provider that has a header before every sentence."""
    provider = Synthesizes(wav_header(8000, 2) + b"\1\0", format=SoundFormat("wav", 8000))
    async with (
        client(provider, formats=["wav_8000"]) as ai,
        ai.speech.stream(pieces("One. Two."), format="wav") as stream,
    ):
        found = await stream.result()

    assert wav_header(8000, 4) + b"\1\0\1\0" == found.audio.data


@pytest.mark.parametrize("kind", [Streams, Lives])
@pytest.mark.parametrize("texts", [(), ("", " ", "\n")])
async def test_pieces_without_words(kind, texts):
    """Nothing can be said of them."""
    async with client(kind()) as ai:
        with pytest.raises(e.InvalidRequestError, match="words are needed"):
            async with ai.speech.stream(pieces(*texts)):
                pass


@pytest.mark.parametrize("kind", [Streams, Lives])
async def test_text_that_breaks(kind):
    """Its error is the caller's own, and passes as it is."""

    async def text(error):
        yield "One. Two. "
        await anyio.lowlevel.checkpoint()
        raise error

    broken = e.ServerError("the writer is ill")
    broken.record = object()
    for error in (ZeroDivisionError(), broken):
        provider = kind()
        async with client(provider) as ai:
            with pytest.raises(type(error)):
                async with ai.speech.stream(text(error), policy=ONCE) as stream:
                    await stream.result()
        assert not getattr(provider, "is_open", False)


@pytest.mark.parametrize("kind", [Streams, Lives])
async def test_pieces_that_are_no_text(kind):
    """Which is said of the argument."""
    async with client(kind()) as ai:
        with pytest.raises(e.InvalidRequestError, match="bytes") as caught:
            async with ai.speech.stream(pieces("One. ", b"x")) as stream:
                await stream.result()

    assert "text" == caught.value.field


async def test_another_provider_is_told_from_the_beginning():
    """Whatever the first one had heard."""
    first, second = Lives(breaks=e.OverloadedError("away")), Lives()
    zenith = brings(second, "zenith")
    async with (
        client(first, zenith) as ai,
        ai.speech.stream(
            pieces("One. ", "Two."), model=["acme/a", "zenith/z"], policy=ONCE, format="pcm"
        ) as stream,
    ):
        found = await stream.result()

    assert "One. Two." == said(found.audio.data)
    assert ["One. ", "Two.", None] == second.told


async def test_a_voice_that_cannot_be_told():
    """What it says, or its silence, tells why."""
    provider = Lives(refuses=e.ConnectionFailedError("closed"))
    async with client(provider) as ai:
        with pytest.raises(e.TimedOutError):
            async with ai.speech.stream(pieces("One."), policy=ONCE, timeout=Deadlines(first=0.05)):
                pass

    assert not provider.is_open


async def test_a_voice_that_falls_silent():
    """Without its end it is broken."""
    async with client(Lives(falls_silent=True)) as ai:
        with pytest.raises(e.IncompleteError, match="end marker"):
            async with ai.speech.stream(pieces("One."), policy=ONCE) as stream:
                await stream.result()


async def test_a_voice_that_does_not_open():
    """Is tried again, and told everything."""

    class Shut(Lives):
        def live(self, request):
            self.asked.append(request)
            if len(self.asked) == 1:
                msg = "no line"
                raise_ = e.OverloadedError(msg)
                return Shutter(raise_)
            return super().live(request)

    class Shutter:
        def __init__(self, error):
            self.error = error

        async def __aenter__(self):
            raise self.error

        async def __aexit__(self, *_):
            pass

    provider = Shut()
    policy = Policy(retry=Retry(attempts=2, first=0.001))
    async with client(provider) as ai, ai.speech.stream(pieces("One."), policy=policy) as stream:
        await stream.result()

    assert ["One.", None] == provider.told


async def test_a_slow_listener_holds_the_voice_up():
    """Some pieces of sound wait; the rest stays with the vendor."""
    said = 0

    class Talks(Lives):
        @asynccontextmanager
        async def live(self, _):
            class Endless:
                async def send(self, text):
                    pass

                async def end(self):
                    pass

                async def __aiter__(self):
                    nonlocal said
                    for said in range(1, 501):  # noqa: B007  # counted for the test
                        yield AudioChunk(b"ab")
                    yield SpeechEnd()

            yield Endless()

    async with client(Talks()) as ai:
        async with ai.speech.stream(pieces("Hello."), format="pcm") as stream:
            await anyio.wait_all_tasks_blocked()
            assert 0 < said < 100
            assert 1000 == len((await stream.result()).audio.data)
    assert 500 == said


@pytest.mark.parametrize("kind", [Streams, Lives])
async def test_leaving_early_reads_no_more_text(kind):
    """Its generator is closed, and so is the voice."""
    provider, closed = kind(), []

    async def text():
        try:
            yield "One. Two. "
            await anyio.sleep_forever()
        finally:
            closed.append(True)

    async with client(provider) as ai, ai.speech.stream(text()) as stream:
        await anext(stream)

    assert [True] == closed
    assert not getattr(provider, "is_open", False)


async def test_cancelling_closes_everything():
    """In the middle of waiting for text."""
    provider = Lives()

    async def text():
        yield "One. "
        await anyio.sleep_forever()

    async with client(provider) as ai:
        with anyio.move_on_after(0.05) as scope:
            async with ai.speech.stream(text()) as stream:
                await stream.result()

    assert scope.cancelled_caught
    assert not provider.is_open


async def test_any_async_iterable_will_do():
    """Not only generators: the words of a stream of text are none."""

    class Words:
        def __init__(self):
            self.left = ["One. ", "Two."]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    async with client(Lives()) as ai, ai.speech.stream(Words(), format="pcm") as stream:
        found = await stream.result()

    assert "One. Two." == said(found.audio.data)
    assert isinstance(stream, SpeechStream)


async def test_an_iterator_of_events_that_is_no_generator():
    """A voice may be its own iterator."""

    class Own:
        def __init__(self):
            self.over = anyio.Event()
            self.events = [AudioChunk(b"ab"), SpeechEnd(usage=used("x"))]

        async def send(self, text):
            pass

        async def end(self):
            self.over.set()

        def __aiter__(self):
            return self

        async def __anext__(self):
            await self.over.wait()
            return self.events.pop(0)

    class Owns(Streams):
        def live(self, request):
            return nullcontext(Own())

    async with client(Owns()) as ai, ai.speech.stream(pieces("x")) as stream:
        found = await stream.result()

    assert found.audio.data.endswith(b"ab")


async def test_a_sentence_that_breaks():
    """What was said before stands; the rest is missing."""

    class Breaks(Streams):
        @streaming
        async def stream(self, request):
            yield AudioChunk(b"ab" if request.text == "One." else b"")
            if request.text == "One.":
                yield SpeechEnd()

    async with client(Breaks()) as ai:
        with pytest.raises(e.IncompleteError, match="end marker"):
            async with ai.speech.stream(pieces("One. Two."), policy=ONCE) as stream:
                await stream.result()


async def test_sound_that_came_meanwhile_is_taken_at_once():
    """Who was busy does not wait for each piece anew."""
    provider = Lives()
    async with (
        client(provider) as ai,
        ai.speech.stream(pieces("1", "2", "3", "4"), format="pcm") as stream,
    ):
        while None not in provider.told:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        found = await stream.result()

    assert "1234" == said(found.audio.data)


async def test_what_speech_is_expected_to_use():
    """Its characters; of a text that still comes, a usual number."""
    budgeted = Policy(budgets=[Budget(usd="0.005")], retry=Retry(attempts=1))
    async with client(Streams()) as ai:
        found = await ai.speech.synthesize("Hello.", policy=budgeted)
        with pytest.raises(e.BudgetExceededError):
            async with ai.speech.stream(pieces("Hi"), policy=budgeted):
                pass

    assert found.record.cost.usd is not None


def test_without_await():
    """The sync face has all of it."""
    registry = Registry(Settings.empty(), plugins=[brings(Clones())], distributions=())
    with SyncClient(registry=registry) as ai:
        found = ai.speech.synthesize("Hello.")
        with ai.speech.stream("Hello.", format="pcm") as stream:
            chunks = [chunk.data for chunk in stream]
            whole = stream.result()
        voices = ai.speech.voices("acme")
        learned = ai.speech.clone("me", found.audio, consent=True)

    assert "Hello." == said(b"".join(chunks)) == said(whole.audio.data)
    assert (3, "v-10") == (len(voices), learned.voice.id)
