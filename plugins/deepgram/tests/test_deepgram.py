"""Deepgram's speech to text: what is sent, what comes back, and what goes wrong."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import anyio
import pytest
from anymodal import Audio, Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal.modalities.live import AudioFormat, Partial, SpeechStarted, Transcript, TurnEnded
from anymodal.specs import EmulatorSpec
from anymodal_deepgram import DeepgramTranscription
from anymodal_emulator import Close, Cut, Status, emulated
from anymodal_emulator.sounds import pcm, wav
from inline_snapshot import snapshot

SPEC = EmulatorSpec(
    provider="deepgram", app="anymodal_deepgram.emulator:app", key="emulated-deepgram-key"
)
SAID = "The lamp is lit. / Who lit it?"
DEFAULTS = {"transcription": "deepgram/nova-3"}
SOUND = Audio(wav(SAID, 16_000))

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


def client(vendor):
    found = Settings.from_mapping({**vendor.settings(), "defaults": DEFAULTS})
    return Client(found, policy=Policy(retry=Retry(attempts=1)))


def asked(vendor, number=-1):
    return parse_qsl(vendor.requests[number].query)


async def test_file(vendor):
    """Words have their times and speakers, and turns are segments."""
    async with client(vendor) as ai:
        found = await ai.transcription.transcribe(
            SOUND, model="deepgram/nova-3", diarize=True, language="en", keywords=["lamp", "lit"]
        )

    assert "The lamp is lit. Who lit it?" == found.text
    assert ("The", 0.0, 0.18, "0") == tuple(
        getattr(found.words[0], name) for name in ("text", "start", "end", "speaker")
    )
    assert [("The lamp is lit.", "0"), ("Who lit it?", "1")] == [
        (one.text, one.speaker) for one in found.segments
    ]
    assert (1.8, "en", 0.98) == (found.duration, found.language, found.confidence)
    assert found.request_id
    assert found.record.cost.usd is None  # what files cost is not known
    assert "audio/wav" == vendor.requests[0].headers["content-type"]
    assert asked(vendor) == snapshot(
        [
            ("model", "nova-3"),
            ("language", "en"),
            ("diarize_model", "latest"),
            ("keyterm", "lamp"),
            ("keyterm", "lit"),
            ("smart_format", "true"),
            ("utterances", "true"),
        ]
    )


async def test_url_is_sent_as_it_is(vendor):
    """Deepgram fetches it."""
    async with client(vendor) as ai:
        found = await ai.transcription.transcribe(Audio(url="https://a.example/a.wav"), raw=True)

    assert {"url": "https://a.example/a.wav"} == json.loads(vendor.requests[0].body)
    assert "a.example" in found.text
    assert found.record.raw["metadata"]["request_id"] == found.request_id
    assert () == found.words


async def test_options(vendor):
    """They go into the address; what is for the other way is warned of."""
    option = DeepgramTranscription(
        smart_format=False, redact=("pci", "numbers"), endpointing=10, extra_query={"version": "1"},
        extra_headers={"X-Mine": "1"}, detect_language=True,
    )  # fmt: skip
    async with client(vendor) as ai:
        found = await ai.transcription.transcribe(
            SOUND, model="deepgram/nova-2", prompt="ships", keywords="keel", options=[option]
        )

    assert asked(vendor) == snapshot(
        [
            ("model", "nova-2"),
            ("keywords", "keel"),
            ("smart_format", "false"),
            ("detect_language", "true"),
            ("redact", "pci"),
            ("redact", "numbers"),
            ("utterances", "true"),
            ("version", "1"),
        ]
    )
    assert "1" == vendor.requests[0].headers["x-mine"]
    assert "the lamp is lit who lit it" == found.text
    assert "en" == found.language
    assert ["prompt", "options.endpointing"] == [one.setting for one in found.record.warnings]


async def test_channels_are_speakers(vendor):
    """Each has a line, and its words say whose they are."""
    left, right = pcm("Ahoy.", 8000), pcm("Hello", 8000)
    both = b"".join(left[at : at + 2] + right[at : at + 2] for at in range(0, len(left), 2))
    option = DeepgramTranscription(
        multichannel=True,
        extra_query={"encoding": "linear16", "sample_rate": "8000", "channels": "2"},
    )
    async with client(vendor) as ai:
        found = await ai.transcription.transcribe(
            Audio(both, media_type="audio/raw"), words=True, options=[option]
        )

    assert "Ahoy.\nHello" == found.text
    assert [("Ahoy.", "0"), ("Hello", "1")] == [(one.text, one.speaker) for one in found.words]
    assert ["0", "1"] == [one.speaker for one in found.segments]
    assert found.confidence is None


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Status(401), e.AuthenticationError),
        (Status(402), e.QuotaExceededError),
        (Status(403), e.PermissionDeniedError),
        (Status(413), e.TooLargeError),
        (Status(429, retry_after=2), e.RateLimitedError),
        (Status(500), e.ServerError),
        (Status(503), e.OverloadedError),
        (Status(504), e.TimedOutError),
    ],
)
async def test_refusals_of_files(vendor, fault, expected):
    """By status, with the vendor's code."""
    vendor.script(fault)
    async with client(vendor) as ai:
        with pytest.raises(expected) as caught:
            await ai.transcription.transcribe(SOUND)

    assert caught.value.vendor_code
    assert "emulated-deepgram-key" not in str(caught.value)


async def test_sound_that_is_none(vendor):
    """The vendor says so."""
    async with client(vendor) as ai:
        with pytest.raises(e.BadRequestError, match="corrupt or unsupported"):
            await ai.transcription.transcribe(Audio(b"nothing", media_type="audio/wav"))


@pytest.mark.parametrize("body", [{}, {"metadata": {}, "results": {"channels": [{}]}}, []])
async def test_malformed_answers(vendor, body):
    """They are named so, whatever is missing."""
    vendor.script(Status(200, body=json.dumps(body)))
    async with client(vendor) as ai:
        with pytest.raises(e.MalformedReplyError):
            await ai.transcription.transcribe(SOUND)


# -- live -------------------------------------------------------------------------------------


async def test_live(vendor):
    """Partials grow, finals stay, turns end once, and the seconds are billed."""
    seen = []
    async with client(vendor) as ai:
        async with ai.transcription.live(
            format=AudioFormat("pcm_s16le", rate=16_000),
            model="deepgram/nova-3",
            words=True,
            options=[DeepgramTranscription(utterance_end_ms=1000)],
        ) as session:
            sound = pcm(SAID, 16_000)
            for at in range(0, len(sound), 9001):
                await session.send(sound[at : at + 9001])
            await session.finish()
            seen = [event async for event in session]
            found = await session.result()

    kinds = [type(one) for one in seen if type(one) is not Partial]
    assert [SpeechStarted, Transcript, TurnEnded, SpeechStarted, Transcript, TurnEnded] == kinds
    assert "The lamp is lit. Who lit it?" == found.text
    assert ("The", 0.0, 0.18) == (found.words[0].text, found.words[0].start, found.words[0].end)
    assert any(type(one) is Partial for one in seen)
    assert 1.8 == found.duration
    assert 1.8 * 0.0048 / 60 == pytest.approx(float(found.record.cost.usd))
    assert '{"type":"CloseStream"}' == vendor.requests[0].messages[-1]
    assert asked(vendor) == snapshot(
        [
            ("model", "nova-3"),
            ("smart_format", "true"),
            ("utterance_end_ms", "1000"),
            ("encoding", "linear16"),
            ("sample_rate", "16000"),
            ("channels", "1"),
            ("interim_results", "true"),
            ("vad_events", "true"),
        ]
    )


async def test_speakers_live(vendor):
    """Told apart by words; what that costs more is not known."""
    async with client(vendor) as ai:
        async with ai.transcription.live(diarize=True, partials=False, raw=True) as session:
            await session.send(pcm(SAID, 16_000))
            found = await session.result()

    assert ["0", "1"] == [one.speaker for one in found.segments]
    assert found.record.cost.usd is None
    assert "Metadata" == found.raw["type"]


async def test_quiet_session_is_kept_alive(vendor):
    """Deepgram hangs up on those who neither speak nor say that they are there."""

    class Hasty:
        """A clock by which seconds pass at once, ten thousand times as fast."""

        def now(self):
            return anyio.current_time() * 10_000

        async def sleep(self, seconds):
            await anyio.sleep(seconds / 10_000)

    settings = Settings.from_mapping({**vendor.settings(), "defaults": DEFAULTS})
    async with Client(settings, clock=Hasty(), policy=Policy(retry=Retry(attempts=1))) as ai:
        async with ai.transcription.live(timeout=1e9) as session:
            while vendor.requests[-1].messages.count('{"type":"KeepAlive"}') < 3:
                await anyio.sleep(0.001)
            await session.finish()
            assert [] == [event async for event in session]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Close(1008, "DATA-0000: cannot be decoded"), e.BadRequestError),
        (Close(1011, "NET-0000"), e.ServerError),
        (Close(1011, "NET-0001: nothing came"), e.IncompleteError),
        (Close(1012, "restart"), e.OverloadedError),
    ],
)
async def test_closes(vendor, fault, expected):
    """By the code with which their words begin, else by number; nothing is resumed."""
    vendor.script(fault)
    async with client(vendor) as ai:
        async with ai.transcription.live() as session:
            with pytest.raises(expected):
                await session.send(pcm(SAID, 16_000))
                await session.result()


async def test_connection_that_breaks(vendor):
    """It is an error that has the text so far."""
    vendor.script(Cut(after_bytes=900))
    async with client(vendor) as ai:
        async with ai.transcription.live(partials=False) as session:
            await session.send(pcm("One. Two. Three. Four.", 16_000))
            with pytest.raises(e.IncompleteError) as caught:
                await session.result()

    assert caught.value.partial.startswith("One.")


@pytest.mark.parametrize(
    ("status", "expected"), [(401, e.AuthenticationError), (402, e.QuotaExceededError)]
)
async def test_handshakes_that_are_refused(vendor, status, expected):
    """By the same table as files."""
    vendor.script(Status(status))
    async with client(vendor) as ai:
        with pytest.raises(expected):
            await ai.transcription.live().start()


async def test_model_that_only_reads_files(vendor):
    """It is refused before anything is sent."""
    async with client(vendor) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="live"):
            await ai.transcription.live(model="deepgram/whisper-large").start()
    assert not vendor.requests


# -- lists ------------------------------------------------------------------------------------


async def test_live_list(vendor):
    """With what each can."""
    async with client(vendor) as ai:
        found = await ai.discover("deepgram")
    live = {one.model.id: one.model.capabilities.get("live") for one in found.models}
    assert live["nova-3"] is True
    assert live["whisper-large"] is False


@pytest.mark.parametrize("body", [{}, {"stt": [{}]}])
async def test_malformed_list(vendor, body):
    """It is named so."""
    vendor.script(Status(200, body=json.dumps(body)))
    async with client(vendor) as ai:
        found = await ai.discover("deepgram")
    assert [e.MalformedReplyError] == [type(error) for error in found.failures]
