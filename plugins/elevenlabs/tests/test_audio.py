"""Effects and music of ElevenLabs: the emulator by the SDK's own calls, the provider by the emulator."""

from __future__ import annotations

import io
import wave

import anymodal
import anymodal_elevenlabs as plugin
import av
import pytest
from anymodal import Policy, Retry
from anymodal import errors as e
from anymodal_elevenlabs import ElevenLabsAudio
from anymodal_emulator import Reset, Status
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
EFFECTS, MUSIC = "elevenlabs/eleven_text_to_sound_v2", "elevenlabs/music_v2"
ONCE = {"max_retries": 0}


@pytest.fixture
async def ai(vendor, anyio_backend):
    settings = {**vendor.settings(), "store": {"path": "off"}}
    policy = Policy(retry=Retry(attempts=1))
    asked = anymodal.Settings.from_mapping(settings, environ={})
    async with anymodal.Client(asked, policy=policy) as made:
        yield made


@pytest.fixture
def sdk(vendor):
    found = ElevenLabs(base_url=vendor.base_url, api_key=vendor.key, timeout=10)
    yield found
    found._client_wrapper.httpx_client.httpx_client.close()


def length(data):
    """Return how long sound lasts, by a decoder that is not ours, and what it is called."""
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        samples = sum(frame.samples for frame in file.decode(audio=0))
        return samples / stream.rate, {**file.metadata, **stream.metadata}.get("title", "")


def test_emulator_by_the_sdk(sdk):
    """As long as asked, with the words; others give other sound."""
    effect = b"".join(
        sdk.text_to_sound_effects.convert(text="waves", duration_seconds=8, request_options=ONCE)
    )
    music = b"".join(
        sdk.music.compose(prompt="a waltz", music_length_ms=12_000, request_options=ONCE)
    )

    assert (True, True) == (abs(length(effect)[0] - 8) < 0.2, abs(length(music)[0] - 12) < 0.2)
    assert "waves, 8 s" in length(effect)[1]
    assert "a waltz, 12 s" in length(music)[1]


@pytest.mark.parametrize(
    "ask",
    [
        lambda sdk: sdk.text_to_sound_effects.convert(text="x", duration_seconds=31, request_options=ONCE),
        lambda sdk: sdk.music.compose(prompt="x", music_length_ms=10, request_options=ONCE),
        lambda sdk: sdk.music.compose(request_options=ONCE),
        lambda sdk: sdk.text_to_sound_effects.convert(text="x", output_format="mp3_1_1", request_options=ONCE),
    ],
)  # fmt: skip
def test_emulator_refuses(sdk, ask):
    """What the description does not have."""
    with pytest.raises(ApiError) as caught:
        b"".join(ask(sdk))

    assert 422 == caught.value.status_code


async def test_effect(ai, vendor, tmp_path):
    """With all that is asked."""
    found = await ai.audio.generate(
        "waves", model=EFFECTS, seconds=8, loop=True, format="mp3_44100_96", into=tmp_path / "w.mp3",
        options=[ElevenLabsAudio(prompt_influence=0.5, extra_headers={"x-mine": "1"})],
    )  # fmt: skip

    (sent,) = vendor.requests
    assert ("/v1/sound-generation", "output_format=mp3_44100_96", "1") == (
        sent.path, sent.query, sent.headers["x-mine"],
    )  # fmt: skip
    assert sent.json == snapshot(
        {
            "text": "waves",
            "model_id": "eleven_text_to_sound_v2",
            "duration_seconds": 8,
            "loop": True,
            "prompt_influence": 0.5,
        }
    )
    assert abs(length((tmp_path / "w.mp3").read_bytes())[0] - 8) < 0.2
    assert 8 == found.record.usage.amount("second")
    assert found.record.request_id


async def test_music(ai, vendor):
    """With all that is asked."""
    option = ElevenLabsAudio(lyrics="la", extra_body={"sign_with_c2pa": True})
    found = await ai.audio.generate(
        "a waltz", model=MUSIC, seconds=12.5, seed=7, instrumental=True, options=[option]
    )

    (sent,) = vendor.requests
    assert ("/v1/music", "") == (sent.path, sent.query)
    assert sent.json == snapshot(
        {
            "prompt": "a waltz",
            "model_id": "music_v2",
            "music_length_ms": 12500,
            "seed": 7,
            "force_instrumental": True,
            "lyrics_text": "la",
            "sign_with_c2pa": True,
        }
    )
    assert "audio/mpeg" == found.audio.media_type


async def test_wav_is_made_of_bare_samples(ai):
    """The vendor has none for effects."""
    found = await ai.audio.generate("waves", model=EFFECTS, seconds=2, format="wav_16000")

    with wave.open(io.BytesIO(found.audio.data)) as file:
        assert (16000, 2.0) == (file.getframerate(), round(file.getnframes() / 16000, 1))


@pytest.mark.parametrize(
    ("model", "given", "warned"),
    [
        (EFFECTS, {"seconds": 60, "seed": 1, "instrumental": True}, ["seconds", "seed", "instrumental"]),
        (MUSIC, {"seconds": 1, "loop": True, "end_user": "u"}, ["seconds", "loop", "end_user"]),
        (MUSIC, {"format": "flac"}, ["format"]),
        ("elevenlabs/music_v1", {}, ["model"]),
    ],
)  # fmt: skip
async def test_what_is_left_out(ai, model, given, warned):
    """Each is a warning."""
    found = await ai.audio.generate("waves", model=model, **given)

    assert warned == [one.setting for one in found.record.warnings]


@pytest.mark.parametrize(
    ("prompt", "error"),
    [("emulator:quota", e.QuotaExceededError), ("emulator:filter", e.ContentFilteredError)],
)
async def test_refusals(ai, prompt, error):
    """By the vendor's own codes."""
    with pytest.raises(error):
        await ai.audio.generate(prompt, model=EFFECTS)


async def test_failures(ai, vendor):
    """An answer that is lost may be paid for; one that refuses is not."""
    vendor.script(Reset(), Status(429))
    with pytest.raises(e.OutcomeUnknownError):
        await ai.audio.generate("waves", model=EFFECTS)
    with pytest.raises(e.RateLimitedError):
        await ai.audio.generate("waves", model=EFFECTS)


def test_names():
    """Options come without the HTTP kit."""
    assert plugin.ElevenLabsAudio is ElevenLabsAudio
