"""The emulator of Deepgram, as the vendor's own SDK sees it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import emulated, gaps
from anymodal_emulator.sounds import mp3, opus, pcm, wav
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import (
    ListenV1Metadata,
    ListenV1Results,
    ListenV1SpeechStarted,
    ListenV1UtteranceEnd,
)

SPEC = EmulatorSpec(provider="deepgram", app="anymodal_deepgram.emulator:app", key="k")
SAID = "The lamp is lit. / Who lit it?"

# the SDK uses parts of websockets that this calls deprecated
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(r"ignore:websockets\.\S+ is deprecated:DeprecationWarning"),
]


@pytest.fixture
def anyio_backend():
    """The SDK's sockets run on asyncio alone."""
    return "asyncio"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@asynccontextmanager
async def opened(vendor, key="k"):
    http = vendor.base_url
    sockets = http.replace("http:", "ws:")
    where = DeepgramClientEnvironment(base=http, production=sockets, agent=sockets, agent_rest=http)
    async with httpx.AsyncClient() as carrier:  # the SDK does not close one of its own
        yield AsyncDeepgramClient(api_key=key, environment=where, httpx_client=carrier)


async def transcribed(vendor, data, key="k", **options):
    async with opened(vendor, key) as client:
        return await client.listen.v1.media.transcribe_file(
            request=data, request_options={"max_retries": 0}, **options
        )


async def test_file(vendor):
    """The SDK's own types have a place for all of it, and nothing is missing."""
    found = await transcribed(
        vendor, wav(SAID, 16_000), model="nova-3", smart_format=True, diarize_model="latest",
        utterances=True, detect_language=True,
    )  # fmt: skip

    # the SDK's types have no place for these, which the vendor's documentation has
    unknown = ("punctuated_word: left over", "speaker: left over", "speaker_confidence: left over")
    assert [] == [gap for gap in gaps(found) if not gap.endswith(unknown)]
    best = found.results.channels[0].alternatives[0]
    assert "The lamp is lit. Who lit it?" == best.transcript
    assert [("the", "The", 0, 0.0, 0.18), ("lamp", "lamp", 0, 0.24, 0.48)] == [
        (word.word, word.punctuated_word, word.speaker, word.start, word.end)
        for word in best.words[:2]
    ]
    assert [("The lamp is lit.", 0), ("Who lit it?", 1)] == [
        (one.transcript, one.speaker) for one in found.results.utterances
    ]
    assert "en" == found.results.channels[0].detected_language
    assert 1.8 == found.metadata.duration


@pytest.mark.parametrize(
    "data", [wav("Ahoy", 8000), mp3("Ahoy", 44100, 64), opus("Ahoy")], ids=["wav", "mp3", "opus"]
)
async def test_other_sound_is_other_text(vendor, data):
    """Whatever it is packed in; without formatting it is written small."""
    found = await transcribed(vendor, data, model="nova-2")

    assert "ahoy" == found.results.channels[0].alternatives[0].transcript
    assert [] == gaps(found)


async def test_url(vendor):
    """It is not fetched here; what comes back says which it was."""
    async with opened(vendor) as client:
        found = await client.listen.v1.media.transcribe_url(
            url="https://a.example/a.wav", model="nova-3"
        )
    assert "a.example" in found.results.channels[0].alternatives[0].transcript


async def test_models(vendor):
    """As far as they are of speech to text."""
    async with opened(vendor) as client:
        found = await client.manage.v1.models.list()
    assert "nova-3-general" in [one.canonical_name for one in found.stt]
    assert [] == gaps(found)


@pytest.mark.parametrize(
    ("key", "data", "options", "status", "words"),
    [
        ("other", b"x", {}, 401, "Invalid credentials"),
        ("k", b"no sound", {"model": "nova-3"}, 400, "corrupt or unsupported data"),
        ("k", b"RIFF....WAVE", {"model": "nova-3"}, 400, "corrupt or unsupported data"),
        ("k", b"x", {"model": "nova-9"}, 400, "No such model"),
        ("k", b"x", {"model": "nova-2", "keyterm": ["a"]}, 400, "keyterm"),
        ("k", b"x", {"model": "nova-3", "diarize_model": "v9"}, 400, "diarize_model"),
    ],
)
async def test_refusals(vendor, *, key, data, options, status, words):
    """In the vendor's form, with its status."""
    with pytest.raises(ApiError) as caught:
        await transcribed(vendor, data, key, **options)
    assert status == caught.value.status_code
    assert words in caught.value.body["err_msg"]


async def test_live(vendor):
    """What is said while it listens fits the SDK's types, to the last message."""
    async with opened(vendor) as client, client.listen.v1.connect(
        model="nova-3", encoding="linear16", sample_rate="16000", interim_results="true",
        vad_events="true", utterance_end_ms="1000", smart_format="true", diarize="true",
    ) as socket:  # fmt: skip
        sound = pcm(SAID, 16_000)
        for at in range(0, len(sound), 5000):
            await socket.send_media(sound[at : at + 5000])
        await socket.send_keep_alive()
        await socket.send_finalize()
        await socket.send_close_stream()
        seen = [message async for message in socket]

    assert [] == [gap for message in seen for gap in gaps(message)]
    assert [ListenV1SpeechStarted, ListenV1Results] == [type(one) for one in seen[:2]]
    assert ListenV1Metadata is type(seen[-1])
    assert 1.8 == seen[-1].duration
    assert 2 == sum(type(one) is ListenV1UtteranceEnd for one in seen)
    final = [one for one in seen if type(one) is ListenV1Results and one.is_final]
    assert ["The lamp is lit.", "Who lit it?", ""] == [
        one.channel.alternatives[0].transcript for one in final
    ]
    assert [True, True, False] == [one.speech_final for one in final]
    assert 1 == final[1].channel.alternatives[0].words[0].speaker


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("other", {}),
        ("k", {"model": "whisper-large"}),
        ("k", {"encoding": "mp3", "sample_rate": "16000"}),
        ("k", {"encoding": "linear16"}),
        ("k", {"utterance_end_ms": "10", "interim_results": "true"}),
        ("k", {"diarize_model": "v2"}),
        ("k", {"interim_results": "maybe"}),
    ],
)
async def test_handshakes_that_are_refused(vendor, key, options):
    """By their status, as any request."""
    with pytest.raises(ApiError) as caught:
        async with opened(vendor, key) as client:
            async with client.listen.v1.connect(**{"model": "nova-3"} | options):
                pass
    assert (401 if key != "k" else 400) == caught.value.status_code
