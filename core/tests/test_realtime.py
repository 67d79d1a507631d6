"""Realtime: what is asked for, what is said and heard, and whose tools run meanwhile."""

import datetime as dt
import struct
from contextlib import asynccontextmanager
from decimal import Decimal

import anyio
import anyio.lowlevel
import attrs
import pytest
from anymodal import (
    Budget,
    Client,
    Deadlines,
    Registry,
    Settings,
    SyncClient,
    Tool,
    ToolSpec,
    Usage,
    hookimpl,
)
from anymodal import errors as e
from anymodal.facades.chat_stream import ToolRan
from anymodal.facades.lines import bind
from anymodal.modalities.live import (
    AudioFormat,
    AudioOut,
    Partial,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
)
from anymodal.modalities.messages import ToolCall, ToolResult
from anymodal.modalities.realtime import (
    AudioIn,
    Commit,
    InputTranscription,
    Interrupt,
    RealtimeOption,
    RealtimeProviderSpec,
    RealtimeRequest,
    Respond,
    TextIn,
    ToolResults,
    TurnDetection,
)
from anymodal.specs import Capabilities, ModelSpec
from anymodal.usage import Price, Prices, Used

from .once import ONCE

pytestmark = pytest.mark.anyio
PRICES = Prices(
    [Price("input_token", "1"), Price("output_token", "2")],
    "acme.example",
    dt.date(2026, 11, 20),
)
FORMATS = ("pcm_s16le_24000", "mulaw_8000")
DONE = ResponseDone(usage=Usage(input_tokens=500_000, output_tokens=250_000), response_id="resp-1")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Session:
    """Remembers what it is told, and says of each `Respond` what the test wrote for it."""

    def __init__(self, provider, request):
        self.provider = provider
        self.request = request
        self.put, self.got = anyio.create_memory_object_stream(10_000)

    async def send(self, event):
        self.provider.heard.append(event)
        if self.provider.fault is not None:
            raise self.provider.fault
        if isinstance(event, Respond) or (isinstance(event, ToolResults) and event.responds):
            self.say(*self.provider.answers.pop(0))

    def say(self, *events):
        for event in events:
            self.put.send_nowait(event)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            event = await self.got.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        if isinstance(event, BaseException):
            raise event
        self.provider.said += 1
        return event


class Talks:
    """A provider whose sessions give *answers* in turn."""

    def __init__(self, *answers, refuses=None, fault=None):
        self.answers = list(answers)
        self.refuses = refuses
        self.fault = fault
        self.asked, self.heard, self.said, self.open_now = [], [], 0, 0

    @asynccontextmanager
    async def open(self, request):
        self.asked.append(request)
        if self.refuses is not None:
            raise self.refuses
        self.session = Session(self, request)
        self.open_now += 1
        try:
            yield self.session
        finally:
            self.open_now -= 1
            self.session.put.close()
            self.session.got.close()


class AsGenerator(Talks):
    """One whose events come from a generator, which has to be closed."""

    is_closed = False

    @asynccontextmanager
    async def open(self, request):
        async with super().open(request) as session:
            outer = self

            class Speaks:
                send = session.send

                async def __aiter__(self):
                    try:
                        async for event in session:
                            yield event
                    finally:
                        outer.is_closed = True

            yield Speaks()


def client(
    provider,
    *,
    policy=ONCE,
    cls=Client,
    middleware=(),
    observers=(),
    prices=PRICES,
    settings=None,
    **spec,
):
    made = RealtimeProviderSpec(
        id="acme",
        display_name="Acme",
        kind="remote",
        base_url="https://acme.example",
        models=[ModelSpec(id="talks-1", prices=prices)],
        default_model="talks-1",
        connect=lambda _: provider,
        **{"input_formats": FORMATS, "output_formats": FORMATS, **spec},
    )

    class Brings:
        @hookimpl
        def anymodal_realtime_providers(self):
            return [made]

    registry = Registry(settings or Settings.empty(), plugins=(Brings(),), distributions=())
    return cls(registry=registry, policy=policy, middleware=middleware, observers=observers)


def audio(data=b"\0\0" * 2400, item="item-1"):
    return AudioOut(data, item)


def call(name="weather", id="call-1", arguments='{"city": "Rome"}'):  # noqa: A002  # the field's name
    return ToolRequested(ToolCall(id, name, arguments))


ASKS = (call(), ResponseDone(reason="tool_calls"))


def weather(city: str) -> str:
    """Look out of the window."""
    return f"sunny in {city}"


async def until_done(session, many=1):
    """Read up to the *many*th `ResponseDone` that needs no tool."""
    found = []
    async for event in session:
        found.append(event)
        if isinstance(event, ResponseDone) and event.reason != "tool_calls":
            many -= 1
            if not many:
                return found
    return found


# -- what is asked for ---------------------------------------------------------------


async def test_settings_reach_the_provider():
    """Each by its own name, with the provider's own formats where none are asked for."""
    provider = Talks()
    async with client(provider) as ai, ai.realtime.open(
        model="acme/talks-1", instructions="Be brief.", voice="ada", tools=[weather],
        tool_choice="weather", turns="caller", transcription=True, max_tokens=100,
        output_format="mulaw_8000", end_user="u-1",
    ) as session:  # fmt: skip
        assert AudioFormat(rate=24_000) == session.input_format
        assert AudioFormat("mulaw", rate=8_000) == session.output_format

    (asked,) = provider.asked
    assert ("Be brief.", "ada", "weather", 100, "u-1") == (
        asked.instructions, asked.voice, asked.tool_choice, asked.max_tokens, asked.end_user,
    )  # fmt: skip
    assert ["weather"] == [tool.name for tool in asked.tools]
    assert TurnDetection("caller") == asked.turns
    assert InputTranscription() == asked.transcription
    assert 0 == provider.open_now


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("instructions", {"instructions": " "}),
        ("voice", {"voice": 3}),
        ("answers", {"answers": "smoke"}),
        ("turns", {"turns": "bell"}),
        ("turns", {"turns": 3}),
        ("transcription", {"transcription": "yes"}),
        ("max_tokens", {"max_tokens": 0}),
        ("tool_choice", {"tool_choice": "weather"}),
        ("options", {"options": [object()]}),
        ("format", {"input_format": "loud"}),
    ],
)
async def test_bad_settings_are_refused_before_anything_is_sent(field, asked):
    """With the name of the argument."""
    provider = Talks()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.realtime.open(**asked).start()

    assert field == caught.value.field
    assert [] == provider.asked


@pytest.mark.parametrize(
    "wrong",
    [{"silence": -1}, {"padding": "long"}, {"threshold": 1.5}, {"silence": True}],
)
def test_turns_have_ranges(wrong):
    """Seconds, and a loudness from 0 to 1."""
    with pytest.raises(e.InvalidRequestError, match=next(iter(wrong))):
        TurnDetection(**wrong)


@pytest.mark.parametrize("wrong", [{"max_rounds": 0}, {"tools": [weather, weather]}])
async def test_tools_are_looked_at_at_once(wrong):
    """A program's own mistake shows where it is made."""
    async with client(Talks()) as ai:
        with pytest.raises(e.InvalidRequestError):
            ai.realtime.open(**wrong)


async def test_a_format_that_the_provider_does_not_take():
    """It says which it takes, so that another candidate may be asked."""
    async with client(Talks()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="pcm_s16le at 24000 Hz; mulaw"):
            await ai.realtime.open(input_format="pcm_s16le_16000").start()


async def test_a_format_that_has_the_same_sound_in_it():
    """It is made of what is sent, and what comes is made of what the provider has."""
    provider = Talks([audio(b"\xff\x7f"), audio(b"\x00\x80"), DONE])
    formats = {"input_format": "mulaw_24000", "output_format": "pcm_f32le_24000"}
    async with client(provider) as ai, ai.realtime.open(**formats) as session:
        assert ("mulaw at 24000 Hz", "pcm_f32le at 24000 Hz") == (
            str(session.input_format),
            str(session.output_format),
        )
        await session.send_audio(b"\xff\x80")
        await session.respond()
        found = await until_done(session)
        await session.interrupt()

    (asked,) = provider.asked
    whole = AudioFormat(rate=24_000)
    assert (whole, whole) == (asked.input_format, asked.output_format)
    assert AudioIn(struct.pack("<hh", 0, 32124)) == provider.heard[0]
    loud, low = (struct.unpack("<f", one.data)[0] for one in found[:2])
    assert (32767 / 32768, -1.0) == (loud, low)
    assert Interrupt("item-1", 2 / 24_000) == provider.heard[-1]


async def test_what_the_model_cannot_is_not_asked_for():
    """Neither tools nor a voice."""
    no = Capabilities(no={"function_calling", "audio_output"})
    provider = Talks()
    async with client(provider, capabilities=no) as ai:
        for asked in ({}, {"tools": [weather], "answers": "text"}):
            with pytest.raises(e.UnsupportedFeatureError):
                await ai.realtime.open(**asked).start()
        async with ai.realtime.open(answers="text"):
            pass

    assert 1 == len(provider.asked)


async def test_options_of_vendors_come_from_settings_and_callers():
    """The caller's over the settings', and those of others beside them."""

    @attrs.frozen(kw_only=True)
    class Mine(RealtimeOption):
        speed: float | None = None
        mood: str | None = None

    class Other(RealtimeOption):
        pass

    provider = Talks()
    vendor = {"vendor_options": {"realtime": {"mood": "merry", "speed": 0.5}}}
    settings = Settings.from_mapping({"providers": {"acme": vendor}})
    async with client(provider, settings=settings, options=Mine) as ai:
        await ai.warm("acme/talks-1")
        other = Other()
        for given in ([], [other, Mine(speed=1.5)]):
            async with ai.realtime.open(options=given):
                pass
    alone, both = provider.asked

    assert (Mine(mood="merry", speed=0.5),) == alone.options
    assert (Mine(mood="merry", speed=1.5), other) == both.options


def test_a_provider_without_sessions_is_broken():
    """It says so, with the class's name."""
    with pytest.raises(e.BrokenPluginError, match=r"object has no open\(\)"):
        bind(object())


def test_a_request_without_formats_is_none():
    """They are facts of the session, not options."""
    with pytest.raises(TypeError):
        RealtimeRequest(model=ModelSpec(id="m"))


# -- what is said and heard ----------------------------------------------------------


async def test_text_is_answered_in_sound():
    """What was used of each answer is added up when the session is closed."""
    events = [audio(), Partial("Good", "assistant"), Transcript("Good day.", "assistant"), DONE]
    provider = Talks(list(events), list(events))
    async with client(provider) as ai:
        async with ai.realtime.open() as session:
            assert await session.start() is session
            await session.send_text("Hello")
            first = await until_done(session)
            await session.send_text("Again", respond=False)
            await session.respond("Shout.")
            assert session.take() is None
            second = await until_done(session)
        record = session.record

    assert events == first == second
    assert [TextIn("Hello"), Respond(), TextIn("Again"), Respond("Shout.")] == provider.heard
    assert Usage(input_tokens=1_000_000, output_tokens=500_000) == record.usage
    assert Decimal(2) == record.cost.usd
    assert "resp-1" == record.request_id
    assert record.first_event_seconds is not None
    assert 0 == provider.open_now


async def test_sound_goes_out_in_whole_samples():
    """A byte that is left waits for the next; at a commit it is dropped."""
    provider = Talks([DONE])
    async with client(provider) as ai, ai.realtime.open(turns="caller") as session:
        await session.send_audio(b"\1\2\3")
        await session.send_audio(memoryview(b"\4\5"))
        await session.commit()
        await until_done(session)
        with pytest.raises(e.InvalidRequestError, match="no sound"):
            await session.commit()
        await session.send_audio(b"\6\7")
        await session.commit(respond=False)

    assert [
        AudioIn(b"\1\2"), AudioIn(b"\3\4"), Commit(), Respond(), AudioIn(b"\6\7"), Commit(),
    ] == provider.heard  # fmt: skip


@pytest.mark.parametrize(
    ("method", "given"),
    [("send_audio", "words"), ("send_text", " "), ("send_text", 3), ("interrupt", -1)],
)
async def test_what_is_no_sound_and_no_words(method, given):
    """It is refused, and the session stays open."""
    provider = Talks()
    async with client(provider) as ai, ai.realtime.open() as session:
        with pytest.raises(e.InvalidRequestError):
            if method == "interrupt":
                await session.interrupt(played=given)
            else:
                await getattr(session, method)(given)
        await session.send_text("Hello", respond=False)

    assert [TextIn("Hello")] == provider.heard


async def test_transcription_is_billed_with_the_rest():
    """It stands beside the answers in the sum."""
    heard = Usage(
        input_tokens=0, output_tokens=0, cached_input_tokens=0, units=(Used("second", 2),)
    )
    provider = Talks([Transcript("Hello", usage=heard), DONE])
    async with client(provider) as ai, ai.realtime.open(transcription=True) as session:
        await session.send_text("Hello")
        await until_done(session)

    assert Decimal(2) == session.record.usage.amount("second")
    assert 500_000 == session.record.usage.input_tokens


# -- interruption --------------------------------------------------------------------


async def test_an_interruption_says_how_much_was_heard():
    """What was given out at most; and what comes of the answer after it is dropped."""
    provider = Talks([audio(), audio(), DONE])
    async with client(provider) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        assert audio() == await anext(session)
        await session.interrupt(played=0.04)
        assert [DONE] == await until_done(session)
        provider.answers.append([audio(item="item-2"), audio(), DONE])
        await session.respond()
        assert [audio(item="item-2"), DONE] == await until_done(session)
        await session.interrupt(played=9)
        await session.interrupt()

    said = [event for event in provider.heard if isinstance(event, Interrupt)]
    assert [Interrupt("item-1", 0.04), Interrupt("item-2", 0.1), Interrupt("item-2", 0.1)] == said


async def test_an_answer_of_which_nothing_was_heard():
    """It is dropped up to its end, and the next one is not."""
    provider = Talks([])
    async with client(provider) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        await session.interrupt()
        provider.session.say(audio(), DONE, audio(item="item-2"), DONE)
        assert [DONE, audio(item="item-2"), DONE] == await until_done(session, 2)

    assert Interrupt(None, 0.0) in provider.heard


async def test_sound_without_an_id_or_a_length():
    """Compressed sound has no length that we know, so the caller's word is taken."""
    provider = Talks([audio(item=None), DONE])
    opus = {"output_formats": (AudioFormat("opus", rate=48_000),)}
    async with client(provider, **opus) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        await until_done(session)
        await session.interrupt(played=2)
        await session.interrupt()

    said = [event for event in provider.heard if isinstance(event, Interrupt)]
    assert [Interrupt(None, 2), Interrupt(None, 0.0)] == said


# -- tools ---------------------------------------------------------------------------


async def test_tools_run_by_themselves():
    """The results go back together, and the model goes on with them."""
    provider = Talks([*ASKS], [audio(), DONE])
    async with client(provider) as ai, ai.realtime.open(tools=[weather]) as session:
        await session.send_text("Rome?")
        found = await until_done(session)

    result = ToolResult("call-1", "sunny in Rome", "weather")
    assert ToolRan(call().call, result) in found
    assert ToolResults((result,)) == provider.heard[-1]
    assert [audio(), DONE] == found[-2:]


async def test_a_round_of_tools_goes_back_in_its_order():
    """However long each of them takes."""
    first_may_end = anyio.Event()

    async def slow(city: str) -> str:
        await first_may_end.wait()
        return city

    async def fast(city: str) -> str:
        first_may_end.set()
        return city

    asks = [call("slow", "c-1"), call("fast", "c-2"), ResponseDone(reason="tool_calls")]
    provider = Talks(asks, [DONE])
    async with client(provider) as ai, ai.realtime.open(tools=[slow, fast]) as session:
        await session.send_text("Both?")
        await until_done(session)

    assert ["c-1", "c-2"] == [result.id for result in provider.heard[-1].results]


async def test_what_a_tool_refuses_the_model_hears():
    """A refusal, an exception and a name that nobody knows are error results."""

    def fails(city: str) -> str:
        raise LookupError(city)

    asks = [
        call("refused", "c-1"), call("fails", "c-2"), call("unknown", "c-3"),
        ResponseDone(reason="tool_calls"),
    ]  # fmt: skip
    provider = Talks(asks, [DONE])
    tools = [Tool(weather, name="refused", approve=lambda _: False), fails]
    async with client(provider) as ai, ai.realtime.open(tools=tools) as session:
        await session.send_text("All?")
        await until_done(session)

    results = provider.heard[-1].results
    assert [True, True, True] == [result.is_error for result in results]
    assert "no tool 'unknown'" in results[2].content


async def test_tools_of_the_callers_own():
    """Their results are awaited, and those that nobody asked for refused."""
    spec = ToolSpec(name="theirs", parameters={"type": "object", "properties": {}})
    asks = [call("theirs", "c-1"), call(id="c-2"), ResponseDone(reason="tool_calls")]
    provider = Talks(asks, [DONE])
    async with client(provider) as ai, ai.realtime.open(tools=[spec, weather]) as session:
        await session.send_text("Both?")
        async for event in session:
            if isinstance(event, ToolRan):
                break
        with pytest.raises(e.InvalidRequestError, match="no call is waiting for 'c-9'"):
            await session.send_results([ToolResult("c-9", "?", "theirs")])
        with pytest.raises(e.InvalidRequestError, match="no call"):
            await session.send_results(["no result"])
        await session.send_results([ToolResult("c-1", "done", "theirs")])
        await until_done(session)

    assert ["c-1", "c-2"] == [result.id for result in provider.heard[-1].results]


async def test_an_interrupted_answer_is_not_gone_on_with():
    """The model is told what its tools gave, and waits for the user."""
    provider = Talks([call(), ResponseDone(reason="interrupted")])
    async with client(provider) as ai, ai.realtime.open(tools=[weather]) as session:
        await session.send_text("Rome?")
        await until_done(session)
        while not isinstance(provider.heard[-1], ToolResults):
            await anyio.lowlevel.checkpoint()

    assert not provider.heard[-1].responds


async def test_tools_without_end():
    """A model that asks for nothing but tools is stopped."""
    provider = Talks(*[[call(id=f"c-{n}"), ASKS[1]] for n in range(5)])
    async with client(provider) as ai, ai.realtime.open(tools=[weather], max_rounds=2) as session:
        await session.send_text("Rome?")
        with pytest.raises(e.RoundsExceededError, match="after 2 rounds") as caught:
            await until_done(session)

    assert session.record is caught.value.record
    assert 3 == len(provider.answers) + 1


async def test_leaving_cancels_tools():
    """Nothing is left of them."""
    seen = []

    async def endless(city: str) -> str:
        seen.append(city)
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("cancelled")

    provider = Talks([call("endless"), ASKS[1]])
    async with client(provider) as ai, ai.realtime.open(tools=[endless]) as session:
        await session.send_text("Rome?")
        while not seen:
            await anyio.lowlevel.checkpoint()

    assert ["Rome", "cancelled"] == seen
    assert 0 == provider.open_now


# -- how it ends ---------------------------------------------------------------------


async def test_a_session_has_to_be_open():
    """Before and after it, using it is the program's mistake."""
    async with client(Talks()) as ai:
        session = ai.realtime.open()
        for use in (session.send_text("Hello"), session.commit(), anext(session)):
            with pytest.raises(e.AnymodalError):
                await use
        await session.aclose()
        async with session:
            pass
        with pytest.raises(e.ConfigurationError, match="not open"):
            await anext(session)
        assert session.record.cost.usd is None


async def test_a_refused_session_goes_to_the_next_candidate():
    """As nothing was seen of it yet."""
    provider = Talks(refuses=e.OverloadedError("busy"))
    async with client(provider) as ai:
        with pytest.raises(e.FallbackExhaustedError):
            await ai.realtime.open(model=["acme/talks-1", "acme/talks-2"]).start()

    assert ["talks-1", "talks-2"] == [asked.model.id for asked in provider.asked]


async def test_an_opening_that_takes_too_long():
    """It is left, and nothing of it stays."""

    class Slow(Talks):
        @asynccontextmanager
        async def open(self, request):
            self.open_now += 1
            try:
                await anyio.sleep_forever()
                yield
            finally:
                self.open_now -= 1

    provider = Slow()
    async with client(provider) as ai:
        with pytest.raises(e.TimedOutError):
            await ai.realtime.open(timeout=Deadlines(first=0.01)).start()

    assert 0 == provider.open_now


async def test_an_opening_that_ends_without_a_word():
    """A plugin's mistake does not hang."""

    class Nothing(Talks):
        @asynccontextmanager
        async def open(self, request):
            raise StopAsyncIteration
            yield

    async with client(Nothing()) as ai:
        with pytest.raises((e.AnymodalError, RuntimeError)):
            await ai.realtime.open().start()


@pytest.mark.parametrize("kind", [Talks, AsGenerator])
async def test_a_session_that_breaks_says_so_everywhere(kind):
    """What came before it is read first; what was used until then counts."""
    provider = kind([audio(), DONE], [audio(), e.ServerError("it broke")])
    async with client(provider) as ai:
        async with ai.realtime.open() as session:
            await session.send_text("Hello")
            await until_done(session)
            await session.send_text("Hello")
            found = []
            with pytest.raises(e.ServerError):
                async for event in session:
                    found.append(event)  # noqa: PERF401  # it ends with an error
            with pytest.raises(e.ServerError):
                await session.send_text("Hello")

    assert [audio()] == found
    assert Decimal(1) == session.record.cost.usd
    assert isinstance(session.record.attempts[-1].error, e.ServerError)
    assert 0 == provider.open_now


async def test_a_generator_of_events_is_closed():
    """Where the caller leaves in the middle."""
    provider = AsGenerator([audio()])
    async with client(provider) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        await anext(session)

    assert provider.is_closed


async def test_what_cannot_be_sent_breaks_the_session():
    """So does a result that cannot be."""
    provider = Talks(fault=e.IncompleteError("gone"))
    async with client(provider) as ai:
        async with ai.realtime.open() as session:
            with pytest.raises(e.IncompleteError):
                await session.send_text("Hello")
        provider.fault = None
        provider.answers = [[*ASKS]]
        async with ai.realtime.open(tools=[weather]) as session:
            await session.send_text("Rome?", respond=False)
            provider.session.say(*ASKS)
            provider.fault = e.IncompleteError("gone")
            with pytest.raises(e.IncompleteError):
                await until_done(session)


async def test_the_vendor_may_hang_up():
    """Between answers that ends it; while one is due it is an error."""
    provider = Talks([DONE], [audio()])
    async with client(provider) as ai:
        async with ai.realtime.open() as session:
            await session.send_text("Hello")
            await until_done(session)
            provider.session.put.close()
            assert [] == [event async for event in session]
            assert [] == [event async for event in session]
            with pytest.raises(e.IncompleteError, match="ended the session"):
                await session.send_text("Hello")
        async with ai.realtime.open() as session:
            await session.send_text("Hello")
            provider.session.put.close()
            with pytest.raises(e.IncompleteError, match="ended the session"):
                await until_done(session)


async def test_leaving_in_the_middle_of_an_answer():
    """What it would have cost nobody knows."""
    provider = Talks([DONE], [audio()])
    async with client(provider) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        await until_done(session)
        await session.send_text("Hello")
        await anext(session)

    assert 500_000 == session.record.usage.input_tokens
    assert session.record.cost.usd is None


async def test_an_answer_that_does_not_come():
    """It is waited for as long as between events; a user is waited for without end."""
    provider = Talks([])
    async with client(provider) as ai, ai.realtime.open(
        timeout=Deadlines(between=0.05)
    ) as session:  # fmt: skip
        async with anyio.create_task_group() as tasks:
            seen = []

            async def read():
                try:
                    await anext(session)
                except e.AnymodalError as error:
                    seen.append(error)

            tasks.start_soon(read)
            await anyio.sleep(0.1)
            assert [] == seen
            await session.send_text("Hello")
        assert "nothing came for 0.05 s" in str(seen[0])


async def test_a_slow_reader_holds_the_vendor_up():
    """Some events wait; the rest stay with the vendor."""
    provider = Talks([SpeechStarted()] * 500)
    async with client(provider) as ai, ai.realtime.open() as session:
        await session.send_text("Hello")
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        assert provider.said < 100
        for _ in range(500):
            await anext(session)
    assert 500 == provider.said


async def test_it_may_be_closed_by_two():
    """What was used is settled once, and a fault is told once."""
    provider = Talks([DONE], fault=None)
    async with client(provider) as ai:
        session = await ai.realtime.open().start()
        await session.send_text("Hello")
        await until_done(session)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.aclose)
            tasks.start_soon(session.aclose)
        async with ai.realtime.open() as again:
            provider.fault = e.IncompleteError("gone")
            for _ in range(2):
                with pytest.raises(e.IncompleteError, match="gone"):
                    await again.send_text("Hello")

    assert Decimal(1) == session.record.cost.usd
    assert 1 == len(again.record.attempts)


async def test_middleware_may_answer_in_its_place():
    """Then nothing is opened."""

    class Instead:
        async def around(self, call, proceed):
            return "instead"

    provider = Talks()
    async with client(provider, middleware=[Instead()]) as ai:
        assert "instead" == await ai.realtime.open().start()
    assert [] == provider.asked


async def test_budgets_are_settled_when_it_is_closed():
    """With what was used, also where it broke; and what is not priced is not kept back."""
    provider = Talks([DONE], [DONE, e.ServerError("it broke")])
    budget = Budget(usd=Decimal("2.5"), name="all")
    policy = attrs.evolve(ONCE, budgets=(budget,))
    async with client(provider, policy=policy) as ai:
        async with ai.realtime.open() as session:
            await session.send_text("Hello")
            await until_done(session)
        async with ai.realtime.open() as session:
            await session.send_text("Hello")
            with pytest.raises(e.ServerError):
                await until_done(session, 2)
        assert Decimal(1) == session.record.cost.usd
        with pytest.raises(e.BudgetExceededError):
            for _ in range(1000):
                provider.answers.append([DONE])
                async with ai.realtime.open() as session:
                    await session.send_text("Hello")
                    await until_done(session)
    assert len(provider.asked) < 10


async def test_what_sound_may_cost_is_kept_back():
    """Where the model has a price for it, or none is known at all."""
    sound = [Price("audio_input_token", "100"), Price("audio_output_token", "1e6")]
    for prices in (attrs.evolve(PRICES, items=(*PRICES.items, *sound)), None):
        policy = attrs.evolve(ONCE, budgets=(Budget(usd=Decimal(1), name="all"),))
        async with client(Talks(), policy=policy, prices=prices) as ai:
            with pytest.raises(e.BudgetExceededError):
                await ai.realtime.open().start()


def test_without_await():
    """The same session, and tools run while it is read."""
    provider = Talks([*ASKS], [audio(), DONE])
    with client(provider, cls=SyncClient) as ai, ai.realtime.open(tools=[weather]) as session:
        session.send_text("Rome?")
        for event in session:
            if isinstance(event, ResponseDone) and event.reason == "stop":
                break

    assert "sunny in Rome" == provider.heard[-1].results[0].content
    assert 0 == provider.open_now
