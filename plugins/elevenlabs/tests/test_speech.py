"""Speech from ElevenLabs: what is sent, what comes of it, and what goes wrong."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio
import pytest
from anymodal import Audio, Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal.specs import Deadlines
from anymodal_elevenlabs import ElevenLabsSpeech
from anymodal_elevenlabs.live import LiveVoice
from anymodal_emulator import Close, Cut, Reset, Rewrite, Stall, Status
from anymodal_emulator.sounds import heard, wav
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
TEXT = "The keeper of the lighthouse looks out over the sea, and sees nothing. He sleeps."
ONCE = Policy(retry=Retry(attempts=1))
RACHEL = "elevenlabs/Rachel"


@pytest.fixture
async def ai(vendor, anyio_backend):
    async with Client(Settings.from_mapping(vendor.settings())) as client:
        yield client


async def words(*texts):
    for text in texts:
        await anyio.lowlevel.checkpoint()
        yield text


async def test_sound_from_words(ai, vendor):
    """The request is small, and what it cost is known."""
    found = await ai.speech.synthesize("Hello.", voice="Rachel", format="wav_16000")

    (asked,) = vendor.requests
    assert asked.json == snapshot({"text": "Hello.", "model_id": "eleven_multilingual_v2"})
    assert asked.query == snapshot("output_format=pcm_16000")
    assert "/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM" == asked.path
    assert "elevenlabs/Rachel: Hello." == heard(found.audio.data[44:], 16000)
    assert Decimal("0.0006") == found.record.cost.usd
    assert found.record.request_id


async def test_all_that_can_be_asked(ai, vendor):
    """Our settings in the vendor's words, and what it cannot honour said."""
    option = ElevenLabsSpeech(
        stability=0.3, similarity_boost=0.7, style=0.1, use_speaker_boost=False, seed=7,
        previous_text="Before.", next_text="After.", text_normalization="off",
        enable_logging=False, extra_body={"apply_language_text_normalization": True},
        extra_headers={"x-trace": "1"},
    )  # fmt: skip
    found = await ai.speech.synthesize(
        "Olá.", voice=RACHEL, model="elevenlabs/eleven_flash_v2_5", language="pt-BR", speed=2,
        instructions="softly", end_user="u", options=[option],
    )  # fmt: skip

    (asked,) = vendor.requests
    assert asked.json == snapshot(
        {
            "text": "Olá.",
            "model_id": "eleven_flash_v2_5",
            "language_code": "pt",
            "voice_settings": {
                "stability": 0.3,
                "similarity_boost": 0.7,
                "style": 0.1,
                "use_speaker_boost": False,
                "speed": 1.2,
            },
            "seed": 7,
            "previous_text": "Before.",
            "next_text": "After.",
            "apply_text_normalization": "off",
            "apply_language_text_normalization": True,
        }
    )
    assert asked.query == snapshot("output_format=mp3_44100_128&enable_logging=false")
    assert "1" == asked.headers["x-trace"]
    said = sorted(one.setting for one in found.record.warnings)
    assert ["end_user", "instructions", "language", "speed"] == said


async def test_streams(ai, vendor):
    """The first sound is there before the last."""
    async with ai.speech.stream(TEXT, voice=RACHEL, format="pcm_24000") as stream:
        chunks = [chunk.data async for chunk in stream]

    assert vendor.requests[0].path.endswith("/stream")
    assert len(chunks) > 10
    assert f"elevenlabs/Rachel: {TEXT}" == heard(b"".join(chunks), 24000)
    assert stream.record.request_id
    assert len(TEXT) == stream.record.usage.amount("character")


async def test_text_in_pieces(ai, vendor):
    """Whole words go out, and sound comes by the schedule."""
    option = ElevenLabsSpeech(stability=0.5, previous_text="Before.")
    pieces = [TEXT[at : at + 7] for at in range(0, len(TEXT), 7)]
    async with ai.speech.stream(
        words(*pieces), voice=RACHEL, format="pcm_16000", options=[option], language="en"
    ) as stream:
        found = await stream.result()

    (asked,) = vendor.requests
    first, *told, last = (json.loads(message) for message in asked.messages)
    assert first == snapshot(
        {
            "text": " ",
            "generation_config": {"chunk_length_schedule": [50, 120, 160, 250]},
            "voice_settings": {"stability": 0.5},
        }
    )
    assert asked.query == snapshot(
        "model_id=eleven_multilingual_v2&output_format=pcm_16000&language_code=en&inactivity_timeout=180"
    )
    assert {"text": ""} == last
    assert TEXT.split() == "".join(one["text"] for one in told).split()
    assert all(one["text"].endswith(" ") and one["text"].strip() for one in told)
    assert f"elevenlabs/Rachel: {TEXT}" == heard(found.audio.data, 16000).strip()
    assert ["previous_text"] == [one.setting for one in stream.record.warnings]
    assert len(TEXT) == stream.record.usage.amount("character")


async def test_a_model_that_takes_whole_texts(ai, vendor):
    """Is told sentence by sentence."""
    async with ai.speech.stream(
        words(TEXT), voice=RACHEL, model="elevenlabs/eleven_v3", format="pcm_8000"
    ) as stream:
        await stream.result()

    assert ["The keeper of the lighthouse looks out over the sea, and sees nothing.", "He sleeps."] == [
        asked.json["text"] for asked in vendor.requests
    ]  # fmt: skip


async def test_voices_of_the_account(ai, vendor):
    """All pages, with what the table knows; and one that is not in it is found by its name."""
    found = await ai.speech.voices("elevenlabs")
    roger = await ai.speech.synthesize("Hi", voice="elevenlabs/Roger", format="pcm_8000")
    await ai.speech.synthesize("Hi", voice="elevenlabs/Roger", format="pcm_8000")
    await ai.speech.synthesize("Hi", voice="elevenlabs/emuVoice00000000Roger", format="pcm_8000")
    with pytest.raises(e.NotFoundError, match="no voice 'Nobody'"):
        await ai.speech.synthesize("Hi", voice="elevenlabs/Nobody")

    assert {"Rachel", "Roger - Laid-Back, Casual, Resonant"} <= {one.name for one in found}
    assert ("female", ("en-US",), True) == (found[0].gender, found[0].languages, found[0].listed)
    assert "elevenlabs/Roger: Hi" == heard(roger.audio.data, 8000)
    assert 2 == sum(asked.path == "/v2/voices" for asked in vendor.requests)


async def test_a_voice_is_learned(ai, vendor):
    """And speaks by its name at once."""
    option = ElevenLabsSpeech(remove_background_noise=True)
    sample = Audio(wav("hello", 8000), name="me.wav")
    found = await ai.speech.clone(
        "me", [sample], consent="I am she.", model="elevenlabs", description="calm",
        language="en", options=[option],
    )  # fmt: skip
    said = await ai.speech.synthesize("Hi", voice="elevenlabs/me", format="pcm_8000")
    voices = {one.id: one for one in await ai.speech.voices("elevenlabs")}

    body = vendor.requests[0].body.decode("latin-1")
    assert 'name="remove_background_noise"\r\n\r\ntrue' in body
    assert 'filename="me.wav"' in body
    assert "I am she." not in body
    assert "elevenlabs/me: Hi" == heard(said.audio.data, 8000)
    assert ("calm", ("en",)) == (
        voices[found.voice.id].description,
        voices[found.voice.id].languages,
    )


async def test_models(ai):
    """The vendor's own list, by what each can do."""
    found = await ai.discover("elevenlabs", refresh=True)

    assert {"eleven_flash_v2_5", "eleven_v3"} <= {one.model.id for one in found.models}


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("emulator:quota", e.QuotaExceededError),
        ("emulator:filter", e.ContentFilteredError),
        ("emulator:busy", e.OverloadedError),
    ],
)
async def test_refusals(ai, text, error):
    """Over both protocols they are the same."""
    with pytest.raises(error) as caught:
        await ai.speech.synthesize(text, voice=RACHEL, policy=ONCE)
    with pytest.raises(error) as said:
        async with ai.speech.stream(words(text), voice=RACHEL, policy=ONCE):
            pass

    assert caught.value.vendor_code == said.value.vendor_code


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Status(401), e.AuthenticationError),
        (Status(404), e.NotFoundError),
        (Status(429, retry_after=99), e.RateLimitedError),
        (Status(500), e.ServerError),
        (Status(400, body={"detail": {"code": "text_too_long", "message": "m"}}), e.ContextLengthError),
        (Status(422, body={"detail": [{"loc": ["body"], "msg": "m"}]}), e.BadRequestError),
        (Status(422, body=b"<html>"), e.BadRequestError),
        (Reset(), e.ConnectionFailedError),
    ],
)  # fmt: skip
async def test_errors_of_requests(ai, vendor, fault, error):
    """By status and by the vendor's words, also where a WebSocket is asked for."""
    vendor.script(fault, times=2)
    with pytest.raises(error) as caught:
        await ai.speech.synthesize("Hi", voice=RACHEL, policy=ONCE)
    with pytest.raises(error):
        async with ai.speech.stream(words("Hi"), voice=RACHEL, policy=ONCE):
            pass

    assert vendor.key not in str(caught.value)


@pytest.mark.parametrize("fault", [Cut(after_bytes=6000), Reset(after_bytes=6000)])
async def test_streams_that_break(ai, vendor, fault):
    """What was heard was not all, streamed or whole."""
    vendor.script(fault, times=2)
    with pytest.raises(e.IncompleteError):
        async with ai.speech.stream(TEXT, voice=RACHEL) as stream:
            await stream.result()
    with pytest.raises((e.IncompleteError, e.ConnectionFailedError)):
        await ai.speech.synthesize(TEXT, voice=RACHEL, policy=ONCE)


def changed(**said):
    """Return a message with *said* in it instead."""
    return lambda _, data: json.dumps({**json.loads(data), **said}).encode()


@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        (Close(1011, "we are sorry"), e.ServerError, "sorry"),
        (Close(1008, "no text"), e.BadRequestError, "no text"),
        (Close(1000), (e.ConnectionFailedError, e.IncompleteError), "before its first|closed"),
        (Close(1000, after=1), e.IncompleteError, "end marker"),
        (Rewrite(lambda *_: b"no JSON"), e.MalformedReplyError, "not JSON"),
        (Rewrite(lambda *_: b"[]"), e.MalformedReplyError, "no object"),
        (Rewrite(changed(audio="?")), e.MalformedReplyError, "not base64"),
        (Rewrite(lambda *_: b'{"message": "odd", "error": "new_word"}'), e.BadRequestError, "odd"),
    ],
)
async def test_conversations_that_break(ai, vendor, fault, error, match):
    """By the close's code, the vendor's words, or what cannot be read."""
    vendor.script(fault)
    with pytest.raises(error, match=match):
        async with ai.speech.stream(words(TEXT), voice=RACHEL, policy=ONCE) as stream:
            await stream.result()


async def test_a_conversation_that_falls_silent(ai, vendor):
    """Is waited for as long as the deadline says, and leaves no connection."""
    vendor.script(Stall(after_bytes=0))
    with pytest.raises(e.TimedOutError):
        async with ai.speech.stream(
            words(TEXT), voice=RACHEL, policy=ONCE, timeout=Deadlines(first=0.2)
        ):
            pass


async def test_leaving_early(ai, vendor):
    """In the middle of sound, of both kinds."""
    for text in (TEXT, words(TEXT, TEXT)):
        async with ai.speech.stream(text, voice=RACHEL, format="pcm_16000") as stream:
            async for _ in stream:
                break
    with anyio.fail_after(5):
        while vendor.connections > 1:
            await anyio.sleep(0.01)


async def test_clones_of_unknown_outcome(ai, vendor):
    """A voice may have been made; it is not sent again."""
    vendor.script(Cut())
    sample = Audio(wav("hello", 8000))
    with pytest.raises(e.OutcomeUnknownError):
        await ai.speech.clone("me", sample, consent=True, model="elevenlabs")
    vendor.script(Status(200, body={}))
    with pytest.raises(e.MalformedReplyError, match="names no voice"):
        await ai.speech.clone("me", sample, consent=True, model="elevenlabs")

    assert 2 == len(vendor.requests)


async def test_a_list_of_voices_that_is_none(ai, vendor):
    """It says so."""
    for body in ({}, [], {"voices": [{}]}):
        vendor.script(Status(200, body=body))
        with pytest.raises(e.MalformedReplyError, match="list of voices"):
            await ai.speech.voices("elevenlabs")


async def test_no_key(anyio_backend, monkeypatch):
    """It is said where to put it, and nothing is sent."""
    for name in ("ELEVENLABS_API_KEY", "ELEVEN_API_KEY", "XI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with Client(Settings.empty()) as ai:
        with pytest.raises(e.MissingCredentialsError):
            await ai.speech.synthesize("Hi", voice=RACHEL)


class Line:
    """What is sent over a socket."""

    def __init__(self):
        self.sent = []

    async def send_json(self, found):
        self.sent.append(found["text"])


@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        (["Hel", "lo ", "there"], ["Hello ", "there ", ""]),
        (["Hello there. "], ["Hello there. ", ""]),
        (["Hello\nyou"], ["Hello ", "you ", ""]),
        ([" ", " a", " b"], ["  a ", "b ", ""]),
        (["a  ", "\n"], ["a ", ""]),
    ],
)
async def test_words_are_whole(pieces, sent):
    """However the text was cut; and each message ends in a space."""
    line = Line()
    voice = LiveVoice(line, "elevenlabs")
    for piece in pieces:
        await voice.send(piece)
    await voice.end()

    assert sent == line.sent
