"""Conversations with OpenAI, and with its emulator by the vendor's own client."""

import base64
import contextlib
import json
import threading
from decimal import Decimal

import openai
import pytest
from anymodal import Client, Deadlines, Policy, Retry, Settings, ToolSpec
from anymodal import errors as e
from anymodal.facades.chat_stream import ToolRan
from anymodal.modalities.live import (
    AudioOut,
    Partial,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
)
from anymodal.modalities.messages import ToolResult
from anymodal.modalities.realtime import InputTranscription, ToolResults, TurnDetection
from anymodal_emulator import Close, Status, emulated
from anymodal_emulator.completeness import gaps
from anymodal_emulator.sounds import heard, pcm
from anymodal_openai import OpenAIRealtime
from inline_snapshot import snapshot
from websockets.sync.server import serve

pytestmark = pytest.mark.anyio
MODEL = "openai/gpt-realtime-2.1"
ONCE = Policy(retry=Retry(attempts=1))
SILENCE = bytes(2 * 24_000)
"""A second of it."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("openai") as found:
        yield found


def client(vendor):
    return Client(Settings.from_mapping(vendor.settings()), policy=ONCE)


def weather(city: str) -> str:
    """Look out of the window."""
    return f"sunny, they say of {city}"


async def until_done(session, many=1):
    found = []
    async for event in session:
        found.append(event)
        if isinstance(event, ResponseDone) and event.reason != "tool_calls":
            many -= 1
            if not many:
                return found
    return found


def sound_of(events):
    return b"".join(event.data for event in events if isinstance(event, AudioOut))


def said(events, who="assistant"):
    return [one.text for one in events if isinstance(one, Transcript) and one.who == who]


def sent(vendor):
    return [json.loads(message) for message in vendor.requests[-1].messages]


# -- what is said and heard ----------------------------------------------------------


async def test_text_in_sound_and_its_transcript_out(vendor):
    """The sound says what the transcript does, and costs what the vendor's prices say."""
    async with client(vendor) as ai:
        async with ai.realtime.open(model=MODEL, voice="marin") as session:
            await session.send_text("What does the keeper see?")
            found = await until_done(session)
        record = session.record

    words = "openai (gpt-realtime-2.1) heard: What does the keeper see?"
    assert [words] == said(found)
    assert words == heard(sound_of(found), 24_000)
    assert words == [one.text for one in found if isinstance(one, Partial)][-1]
    assert "stop" == found[-1].reason
    usage = record.usage
    text_in, text_out = (
        usage.input_tokens,
        usage.output_tokens - int(usage.amount("audio_output_token")),
    )
    price = text_in * 4 + text_out * 24 + usage.amount("audio_output_token") * 64
    assert price / Decimal(1_000_000) == record.cost.usd
    assert record.request_id.startswith("resp_")


async def test_the_session_is_set_before_anything_is_said(vendor):
    """By the fields that the vendor names."""
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, instructions="Be brief.", voice="cedar", tools=[weather],
        tool_choice="weather", max_tokens=200, output_format="mulaw_8000",
        turns=TurnDetection(silence=0.4, padding=0.2, threshold=0.6, responds=False),
        transcription=InputTranscription(language="en", prompt="ships"),
        options=[OpenAIRealtime(
            reasoning="low", noise_reduction="far_field", speed=1.1, truncation="disabled",
            idle_timeout_ms=6000, parallel_tool_calls=False, tracing="auto",
            extra_body={"include": []}, extra_headers={"x-mine": "1"}, safety_identifier="u-1",
        )],
    ):  # fmt: skip
        pass

    (update,) = sent(vendor)
    assert update == snapshot(
        {
            "type": "session.update",
            "session": {
                "type": "realtime",
                "output_modalities": ["audio"],
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "turn_detection": {
                            "type": "server_vad",
                            "create_response": False,
                            "interrupt_response": True,
                            "silence_duration_ms": 400,
                            "prefix_padding_ms": 200,
                            "threshold": 0.6,
                            "idle_timeout_ms": 6000,
                        },
                        "transcription": {
                            "model": "gpt-live-transcribe",
                            "language": "en",
                            "prompt": "ships",
                        },
                        "noise_reduction": {"type": "far_field"},
                    },
                    "output": {"format": {"type": "audio/pcmu"}, "voice": "cedar", "speed": 1.1},
                },
                "instructions": "Be brief.",
                "tools": [
                    {
                        "type": "function",
                        "name": "weather",
                        "description": "Look out of the window.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                            "additionalProperties": False,
                        },
                    }
                ],
                "tool_choice": {"type": "function", "name": "weather"},
                "max_output_tokens": 200,
                "reasoning": {"effort": "low"},
                "parallel_tool_calls": False,
                "truncation": "disabled",
                "tracing": "auto",
                "include": [],
            },
        }
    )
    headers = vendor.requests[-1].headers
    assert ("1", "u-1") == (headers["x-mine"], headers["openai-safety-identifier"])


@pytest.mark.parametrize(
    ("turns", "option", "expected"),
    [
        ("caller", {}, None),
        ("meaning", {}, {"type": "semantic_vad"}),
        (None, {"eagerness": "high"}, {"type": "semantic_vad", "eagerness": "high"}),
    ],
)
async def test_turns_end_as_was_asked(vendor, turns, option, expected):
    """By silence, by meaning, or by the caller; None is the vendor's way."""
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, turns=turns, options=[OpenAIRealtime(**option)]
    ):  # fmt: skip
        pass

    found = sent(vendor)[0]["session"]["audio"]["input"]["turn_detection"]
    if expected is not None:
        expected |= {"create_response": True, "interrupt_response": True}
    assert expected == found


async def test_what_cannot_be_honoured_is_said(vendor):
    """In the record; where the caller is strict, as an error."""
    strict = ToolSpec(name="t", parameters={"type": "object"}, strict=True)
    asked = {
        "model": MODEL, "answers": "text", "voice": "marin", "tools": [strict],
        "turns": TurnDetection("meaning", silence=1),
    }  # fmt: skip
    async with client(vendor) as ai:
        async with ai.realtime.open(**asked) as session:
            await session.send_text("Hello")
            found = await until_done(session)
        with pytest.raises(e.UnsupportedFeatureError):
            await ai.realtime.open(**asked, strict=True).start()

    assert ["turns", "voice", "tools"] == [one.setting for one in session.record.warnings]
    assert b"" == sound_of(found)
    assert ["openai (gpt-realtime-2.1) heard: Hello"] == said(found)


async def test_speech_is_heard_and_answered(vendor):
    """The vendor tells when it began and ended, writes it down, and answers by itself."""
    async with client(vendor) as ai:
        async with ai.realtime.open(model=MODEL, transcription=True) as session:
            await session.send_audio(SILENCE[:28_800] + pcm("ahoy", 24_000) + SILENCE)
            found = await until_done(session)
        record = session.record

    assert [SpeechStarted(0.3), TurnEnded(1.38)] == [
        one for one in found if isinstance(one, SpeechStarted | TurnEnded)
    ]
    assert ["ahoy"] == said(found, "user")
    assert ["openai (gpt-realtime-2.1) heard: ahoy"] == said(found)
    assert record.usage.amount("second") > 0
    assert record.cost.usd > 0


async def test_the_caller_ends_turns(vendor):
    """By a commit; another one without sound is passed over by the vendor's side."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL, turns="caller") as session:
        await session.send_audio(pcm("land in sight", 24_000))
        await session.commit()
        found = await until_done(session)
        await session.send_audio(b"\0\0")
        await session.commit()
        again = await until_done(session)

    assert ["openai (gpt-realtime-2.1) heard: land in sight"] == said(found) == said(again)


@pytest.mark.parametrize("packing", ["mulaw_8000", "alaw_8000"])
async def test_the_sound_of_telephones(vendor, packing):
    """Both ways; a byte is a sample."""
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, turns="caller", input_format=packing, output_format=packing
    ) as session:  # fmt: skip
        await session.send_audio(bytes(range(256)) * 10)
        await session.commit()
        found = await until_done(session)

    words = "openai (gpt-realtime-2.1) heard: 320 ms of sound"
    assert [words] == said(found)
    assert len(words) * 480 == len(sound_of(found))


# -- tools and interruption ----------------------------------------------------------


async def test_a_tool_is_called_and_its_result_told(vendor):
    """The model goes on with it."""
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, tools=[weather], answers="text", raw=True
    ) as session:  # fmt: skip
        await session.send_text("How is the weather?")
        found = await until_done(session)

    (asked,) = [one.call for one in found if isinstance(one, ToolRequested)]
    (ran,) = [one for one in found if isinstance(one, ToolRan)]
    assert "weather" == asked.name
    assert "weather returned: sunny, they say of" in said(found)[-1]
    assert asked.id == ran.result.id
    assert ["tool_calls", "stop"] == [one.reason for one in found if isinstance(one, ResponseDone)]
    assert "completed" == found[-1].raw["status"]


async def test_results_for_calls_that_nobody_made(vendor):
    """The vendor's refusal is an error of ours, and the session ends with it."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL) as session:
        await session._tell(ToolResults((ToolResult("call_0", "?", "weather"),), responds=False))
        with pytest.raises(e.BadRequestError, match="not found in conversation"):
            await anext(session)


async def test_an_answer_is_interrupted(vendor):
    """The vendor hears how much was played, and the next answer comes as usual."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL) as session:
        await session.send_text("emulator:long")
        async for event in session:
            if isinstance(event, AudioOut):
                break
        await session.interrupt(played=0.5)
        found = await until_done(session)
        await session.send_text("Hello")
        again = await until_done(session)
        await session.interrupt(played=0.1)
        await session.send_text("Hello")
        await until_done(session)

    assert "interrupted" == found[-1].reason
    assert b"" == sound_of(found)
    assert said(again)[0].startswith("openai (gpt-realtime-2.1) heard: Hello")
    cuts = [one["audio_end_ms"] for one in sent(vendor) if "audio_end_ms" in one]
    assert [500, 100] == cuts


async def test_speech_breaks_an_answer_off(vendor):
    """As the vendor does it; the answer to what was said then follows."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL) as session:
        await session.send_text("emulator:long")
        async for event in session:
            if isinstance(event, AudioOut):
                break
        await session.send_audio(pcm("stop", 24_000) + SILENCE)
        found = await until_done(session, 2)

    assert ["interrupted", "stop"] == [one.reason for one in found if isinstance(one, ResponseDone)]
    assert "heard: stop" in said(found)[-1]


async def test_answers_come_one_after_the_other(vendor):
    """One that is asked for while another is under way waits for its end."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL, answers="text") as session:
        await session.send_text("One")
        await session.send_text("Two")
        await session.respond("Only say three.")
        found = await until_done(session, 3)

    assert 3 == len(said(found))
    assert "system: Only say three." in said(found)[-1]


# -- what goes wrong -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "reason", "error"),
    [
        ("emulator:filter", "filtered", None),
        ("emulator:fail", "failed", e.ServerError),
        ("emulator:quota", "failed", e.QuotaExceededError),
    ],
)
async def test_an_answer_that_fails(vendor, prompt, reason, error):
    """It ends with its error, and the session goes on."""
    async with client(vendor) as ai, ai.realtime.open(model=MODEL, answers="text") as session:
        await session.send_text(prompt)
        found = await until_done(session)
        await session.send_text("Hello")
        again = await until_done(session)

    assert reason == found[-1].reason
    assert error is (None if error is None else type(found[-1].error))
    assert "stop" == again[-1].reason


async def test_an_answer_that_is_too_long(vendor):
    """It says so."""
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, answers="text", max_tokens=3
    ) as session:  # fmt: skip
        await session.send_text("Hello")
        found = await until_done(session)

    assert "length" == found[-1].reason


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"api_key": "sk-proj-wrong"}, e.AuthenticationError),
        ({"base_url": "http://127.0.0.1:9/v1"}, e.ConnectionFailedError),
    ],
)
async def test_a_refused_handshake(vendor, settings, error):
    """It is the usual error, and names no key."""
    given = vendor.settings()["providers"]["openai"] | settings
    async with Client(Settings.from_mapping({"providers": {"openai": given}}), policy=ONCE) as ai:
        with pytest.raises(error) as caught:
            await ai.realtime.open(model=MODEL).start()

    assert "sk-proj-wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Status(503), e.OverloadedError), (Status(429, retry_after=1), e.RateLimitedError)],
)
async def test_a_busy_vendor(vendor, fault, error):
    """The status of the handshake tells."""
    vendor.script(fault)
    async with client(vendor) as ai:
        with pytest.raises(error):
            await ai.realtime.open(model=MODEL).start()


@pytest.mark.parametrize(
    ("model", "options", "error"),
    [
        ("gpt-realtime-0", {}, e.NotFoundError),
        ("gpt-realtime-2.1", {"extra_body": {"warp": 9}}, e.BadRequestError),
    ],
)
async def test_settings_that_the_vendor_refuses(vendor, model, options, error):
    """While it is opened, so that another candidate may be asked."""
    async with client(vendor) as ai:
        with pytest.raises(error):
            await ai.realtime.open(
                model=f"openai/{model}", options=[OpenAIRealtime(**options)]
            ).start()


async def test_a_connection_that_breaks(vendor):
    """It is an error where something is due."""
    vendor.script(Close(1011, after=12))
    async with client(vendor) as ai, ai.realtime.open(
        model=MODEL, timeout=Deadlines(between=5)
    ) as session:  # fmt: skip
        await session.send_text("Hello")
        with pytest.raises(e.ServerError):
            await until_done(session)


async def test_a_name_goes_where_the_settings_map_it(vendor):
    """Old names of models keep working."""
    settings = {**vendor.settings(), "routes": {"realtime": {"gpt-4o-realtime": MODEL}}}
    async with (
        Client(Settings.from_mapping(settings), policy=ONCE) as ai,
        ai.realtime.open(model="gpt-4o-realtime") as session,
    ):
        assert "gpt-realtime-2.1" == session.record.model


# -- the vendor's own client ---------------------------------------------------------


@pytest.fixture
def sdk(vendor):
    return openai.AsyncOpenAI(base_url=vendor.base_url, api_key=vendor.key, max_retries=0)


OF_THE_SERVER = ("session.object", "session.id", "session.expires_at")
"""What sessions have that the SDK has no field for in these events; its own docs show them."""


def text(words):
    content = [{"type": "input_text", "text": words}]
    return {"type": "message", "role": "user", "content": content}


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_the_sdk_understands_every_event(sdk, anyio_backend):
    """No field is missing, and none is left over; its client runs on asyncio alone."""
    seen = []

    async def until(kind):
        while not seen or seen[-1].type != kind:
            seen.append(await session.recv())
        found = seen[-1]
        if kind == "response.done":
            seen.append(await session.recv())
        return found

    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    heard = {"input": {"transcription": {"model": "gpt-live-transcribe"}}}
    async with sdk, sdk.realtime.connect(model="gpt-realtime-2.1") as session:
        item, answer = session.conversation.item, session.response
        await session.session.update(session={"type": "realtime", "audio": heard, "tools": [tool]})
        sound = base64.b64encode(pcm("ahoy", 24_000) + SILENCE).decode()
        await session.input_audio_buffer.append(audio=sound)
        spoken = (await until("response.done")).response.output[0].id
        await item.create(item=text("weather"))
        await answer.create()
        call = (await until("response.done")).response.output[0].call_id
        result = {"type": "function_call_output", "call_id": call, "output": "sunny"}
        await item.create(item=result)
        await answer.create(response={"output_modalities": ["text"]})
        await until("response.done")
        await item.truncate(item_id=spoken, content_index=0, audio_end_ms=10)
        await item.retrieve(item_id=spoken)
        await item.delete(item_id=spoken)
        await session.input_audio_buffer.clear()
        await session.output_audio_buffer.clear()
        await until("error")

    wrong = [found for event in seen for found in gaps(event)]
    assert [] == [one for one in wrong if not any(name in one for name in OF_THE_SERVER)]
    assert {
        "session.created", "session.updated", "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.added", "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed", "response.created",
        "response.output_item.added", "response.content_part.added",
        "response.output_audio_transcript.delta", "response.output_audio.delta",
        "response.output_audio.done", "response.output_audio_transcript.done",
        "response.output_text.delta", "response.output_text.done",
        "response.content_part.done", "response.output_item.done",
        "response.function_call_arguments.delta", "response.function_call_arguments.done",
        "response.done", "rate_limits.updated", "conversation.item.truncated",
        "conversation.item.retrieved", "conversation.item.deleted",
        "input_audio_buffer.cleared", "error",
    } == {event.type for event in seen}  # fmt: skip


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_the_emulator_refuses_what_the_vendor_would(sdk, anyio_backend):
    """In an event that names the field and the client's own event; the session goes on."""
    wrong = [
        ({"type": "warp"}, "invalid_value", "type"),
        ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        ({"type": "response.cancel"}, "response_cancel_not_active", None),
        ({"type": "response.create", "extra": 1}, "unknown_parameter", "extra"),
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        (
            {"type": "session.update", "session": {"type": "realtime", "model": "gpt-realtime"}},
            "invalid_value", "session.model",
        ),
        (
            {"type": "session.update",
             "session": {"type": "realtime", "output_modalities": ["audio", "text"]}},
            "invalid_value", "session.output_modalities",
        ),
        ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_not_found", "item_id"),
        (
            {"type": "conversation.item.create",
             "item": {"type": "function_call_output", "call_id": "x", "output": ""}},
            "invalid_tool_call_id", "item.call_id",
        ),
    ]  # fmt: skip
    async with sdk, sdk.realtime.connect(model="gpt-realtime-2.1") as session:
        assert "session.created" == (await session.recv()).type
        for event, code, param in wrong:
            await session.send({**event, "event_id": "mine"})
            found = await session.recv()
            assert ("error", code, param, "mine") == (
                found.type, found.error.code, found.error.param, found.error.event_id,
            )  # fmt: skip


# -- what only a server of our own says ------------------------------------------------


@contextlib.contextmanager
def server(*said):
    """A server that agrees to the session and then says *said*, each after a message of ours."""
    heard = []

    def handler(connection):
        connection.send(json.dumps({"type": "session.created"}))
        connection.recv()
        for event in said:
            if event is None:
                heard.append(json.loads(connection.recv()))
            else:
                connection.send(event if isinstance(event, str) else json.dumps(event))

    with serve(handler, "127.0.0.1", 0) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{found.socket.getsockname()[1]}/v1"
            keys = {"base_url": url, "api_key": "sk-proj-test"}
            yield Settings.from_mapping({"providers": {"openai": keys}}), heard
        finally:
            found.shutdown()
            thread.join()


AGREED = {"type": "session.updated"}
BUSY = {"type": "error", "error": {
    "type": "invalid_request_error", "code": "conversation_already_has_active_response",
    "message": "busy",
}}  # fmt: skip


def done(name="resp_1", **fields):
    return {"type": "response.done", "response": {"id": name, "status": "completed", **fields}}


async def test_an_answer_that_the_vendor_began_by_itself():
    """Ours is asked for again when that one has ended."""
    mine = {"type": "response.created", "response": {}}
    events = [AGREED, None, mine, BUSY, done("theirs"), None, mine, done("ours")]
    with server(*events) as (settings, heard):
        async with (
            Client(settings, policy=ONCE) as ai,
            ai.realtime.open(model=MODEL) as session,
        ):
            await session.respond("Say it.")
            found = await until_done(session, 2)

    assert ["theirs", "ours"] == [one.response_id for one in found]
    assert [{"instructions": "Say it."}] * 2 == [one["response"] for one in heard]


async def test_sound_that_was_cached_costs_less():
    """By the price of that quality; what is not counted is not known."""
    usage = {
        "input_tokens": 300, "output_tokens": 30, "total_tokens": 330,
        "input_token_details": {
            "text_tokens": 100, "audio_tokens": 200, "cached_tokens": 150,
            "cached_tokens_details": {"text_tokens": 50, "audio_tokens": 100},
        },
        "output_token_details": {"text_tokens": 10, "audio_tokens": 20},
    }  # fmt: skip
    with server(AGREED, None, done(usage=usage)) as (settings, _):
        async with Client(settings, policy=ONCE) as ai:
            async with ai.realtime.open(model="openai/gpt-realtime-2.1-mini") as session:
                await session.respond()
                await until_done(session)

    parts = [50 * Decimal("0.6"), 50 * Decimal("0.06"), 100 * 10, 100 * Decimal("0.3")]
    parts += [10 * Decimal("2.4"), 20 * 20]
    assert sum(parts) / 1_000_000 == session.record.cost.usd


async def test_transcription_by_the_token_makes_the_cost_unknown():
    """It is billed by another model's prices; and one that fails is a warning."""
    kind = "conversation.item.input_audio_transcription"
    told = {
        "type": f"{kind}.completed", "item_id": "i", "transcript": "ahoy",
        "usage": {"type": "tokens", "input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
    }  # fmt: skip
    failed = {"type": f"{kind}.failed", "item_id": "i", "error": {"message": "too quiet"}}
    with server(AGREED, None, told, failed, done(usage={"input_tokens": 1, "output_tokens": 1})) as (
        settings, _,
    ):  # fmt: skip
        async with Client(settings, policy=ONCE) as ai:
            async with ai.realtime.open(
                model=MODEL, transcription=InputTranscription(model="gpt-4o-transcribe")
            ) as session:
                await session.respond()
                found = await until_done(session)

    assert ["ahoy"] == said(found, "user")
    assert session.record.cost.usd is None
    assert "too quiet" in session.record.warnings[0].message


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[]",
        {"kind": "none"},
        {"type": "response.done"},
        {"type": "response.output_audio.delta", "item_id": "i", "delta": "?"},
        {"type": "response.output_audio.delta", "delta": ""},
    ],
)
async def test_what_cannot_be_read(wrong):
    """It ends the session with an error that quotes nothing."""
    with server(AGREED, None, wrong) as (settings, _):
        async with (
            Client(settings, policy=ONCE) as ai,
            ai.realtime.open(model=MODEL) as session,
        ):
            await session.respond()
            with pytest.raises(e.MalformedReplyError, match="cannot be read"):
                await until_done(session)


async def test_a_session_that_is_closed_at_its_beginning():
    """Nothing was said, so another candidate may be asked."""
    with server() as (settings, _):
        async with Client(settings, policy=ONCE) as ai:
            with pytest.raises(e.ConnectionFailedError, match="at its beginning"):
                await ai.realtime.open(model=MODEL).start()


async def test_a_session_that_has_lasted_too_long():
    """The vendor says so, and ends it."""
    expired = {"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes"}
    with server(AGREED, None, {"type": "error", "error": expired}) as (settings, _):
        async with (
            Client(settings, policy=ONCE) as ai,
            ai.realtime.open(model=MODEL) as session,
        ):
            await session.respond()
            with pytest.raises(e.IncompleteError, match="60 minutes"):
                await until_done(session)
