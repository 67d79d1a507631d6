"""The emulator of ElevenLabs, as the vendor's own SDK and a decoder see it."""

from __future__ import annotations

import base64
import io
import json
import wave

import av
import httpx
import pytest
from anymodal_emulator import Close, Status, gaps
from anymodal_emulator.sounds import CHARACTER_SECONDS, heard, wav
from elevenlabs import ElevenLabs, VoiceSettings
from elevenlabs.core.api_error import ApiError
from websockets.sync.client import connect

RACHEL = "21m00Tcm4TlvDq8ikWAM"
ONCE = {"max_retries": 0}
TEXT = "The lamp is lit."


@pytest.fixture
def sdk(vendor):
    found = ElevenLabs(base_url=vendor.base_url, api_key=vendor.key, timeout=10)
    # the SDK takes no other scheme than wss for this one
    found.text_to_speech._ws_base_url = vendor.base_url.replace("http", "ws", 1)
    yield found
    found._client_wrapper.httpx_client.httpx_client.close()


def seconds(data):
    """Return how long sound lasts, by a decoder that is not ours, and what it is called."""
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        samples = sum(frame.samples for frame in file.decode(audio=0))
        return samples / stream.rate, {**file.metadata, **stream.metadata}


@pytest.mark.parametrize("packing", ["mp3_44100_128", "mp3_22050_32", "opus_48000_64", "wav_16000"])
def test_sound_opens_and_says_the_text(sdk, packing):
    """It lasts as long as the text is, and names who speaks and what is said."""
    whole = b"".join(
        sdk.text_to_speech.convert(RACHEL, text=TEXT, output_format=packing, request_options=ONCE)
    )
    longer = b"".join(
        sdk.text_to_speech.stream(
            RACHEL, text=TEXT * 3, output_format=packing, request_options=ONCE
        )
    )
    words = f"elevenlabs/Rachel: {TEXT}"
    lasts, said = seconds(whole)

    assert len(words) * CHARACTER_SECONDS == pytest.approx(lasts, abs=0.05)
    assert seconds(longer)[0] - lasts == pytest.approx(2 * len(TEXT) * CHARACTER_SECONDS, abs=0.06)
    if packing.startswith("wav"):
        with wave.open(io.BytesIO(whole)) as file:
            assert words == heard(file.readframes(file.getnframes()), file.getframerate())
    else:
        assert words in said.values()


@pytest.mark.parametrize("packing", ["pcm_16000", "pcm_24000", "ulaw_8000", "alaw_8000"])
def test_bare_samples(sdk, packing):
    """As many as the text is long; and other words are other bytes."""
    found = [
        b"".join(sdk.text_to_speech.stream(RACHEL, text=text, output_format=packing))
        for text in (TEXT, TEXT.swapcase())
    ]
    rate, width = int(packing.partition("_")[2]), 2 if packing.startswith("pcm") else 1
    words = f"elevenlabs/Rachel: {TEXT}"

    assert len(words) * CHARACTER_SECONDS == pytest.approx(len(found[0]) / rate / width, abs=0.01)
    if width == 2:
        assert found[0] != found[1]
        assert words == heard(found[0], rate)


@pytest.mark.filterwarnings("ignore:ConnectionClosed.code:DeprecationWarning")  # the SDK's own
def test_text_in_pieces(sdk, vendor):
    """By the SDK's own WebSocket; sound comes when there is enough text."""
    text = iter(["The keeper of the lighthouse looks out ", "over the sea, ", "and sleeps."])
    chunks = list(
        sdk.text_to_speech.convert_realtime(
            RACHEL, text=text, model_id="eleven_flash_v2_5", output_format="pcm_16000",
        )
    )  # fmt: skip
    words = "elevenlabs/Rachel: The keeper of the lighthouse looks out over the sea, and sleeps."

    assert words == heard(b"".join(chunks), 16000).strip()
    assert len(chunks) > 1
    assert {"text": ""} == json.loads(vendor.requests[-1].messages[-1])


def test_voices_and_models(sdk):
    """They are the SDK's own types, with nothing missing and nothing left over."""
    page = sdk.voices.search(page_size=2)
    rest = sdk.voices.search(page_size=100, next_page_token=page.next_page_token)
    everyone = sdk.voices.get_all()
    models = sdk.models.list()

    assert (2, 2, True, False) == (len(page.voices), len(rest.voices), page.has_more, rest.has_more)
    assert 4 == len(everyone.voices)
    assert "Rachel" == sdk.voices.get(RACHEL).name
    assert [] == [fault for one in (page, rest, everyone, *models) for fault in gaps(one)]


def test_a_voice_is_learned(sdk):
    """It is in the list then, and speaks."""
    made = sdk.voices.ivc.create(
        name="me", files=[("me.wav", wav("hello", 8000), "audio/wav")], description="calm"
    )
    voice = sdk.voices.get(made.voice_id)
    said = b"".join(sdk.text_to_speech.convert(made.voice_id, text="Hi", output_format="pcm_8000"))

    assert [] == gaps(made) + gaps(voice)
    assert ("me", "cloned", "calm", 1) == (
        voice.name, voice.category, voice.description, len(voice.samples)
    )  # fmt: skip
    assert "elevenlabs/me: Hi" == heard(said, 8000)


@pytest.mark.parametrize(
    ("arguments", "status", "where"),
    [
        ({"text": None}, 422, ["body", "text"]),
        ({"output_format": "mp3_1"}, 422, ["query", "output_format"]),
        ({"voice_settings": VoiceSettings(speed=3)}, 422, ["body", "voice_settings.speed"]),
        ({"seed": -1}, 422, ["body", "seed"]),
        ({"model_id": "gpt"}, 400, "model_not_found"),
        ({"text": ""}, 400, "invalid_text"),
        ({"text": "emulator:quota"}, 401, "quota_exceeded"),
        ({"text": "emulator:filter"}, 400, "content_against_policy"),
        ({"text": "emulator:busy"}, 429, "system_busy"),
        ({"voice_id": "nobody"}, 404, "voice_not_found"),
    ],
)
def test_what_the_vendor_refuses(sdk, arguments, status, where):
    """In its own two forms."""
    with pytest.raises(ApiError) as caught:
        list(
            sdk.text_to_speech.convert(
                **{"voice_id": RACHEL, "text": TEXT, "request_options": ONCE, **arguments}
            )
        )

    assert status == caught.value.status_code
    body = caught.value.body
    detail = body["detail"] if isinstance(body, dict) else body.detail
    found = detail["status"] if isinstance(detail, dict) else detail[0]
    assert where in (
        found,
        getattr(found, "loc", None),
        found["loc"] if isinstance(found, dict) else 0,
    )


def test_keys(vendor):
    """One that is wrong, and none, are told apart."""
    for key, code in ((" wrong".strip(), "invalid_api_key"), ("", "needs_authorization")):
        client = ElevenLabs(base_url=vendor.base_url, api_key=key)
        with pytest.raises(ApiError) as caught:
            client.models.list(request_options=ONCE)
        client._client_wrapper.httpx_client.httpx_client.close()
        assert (401, code) == (caught.value.status_code, caught.value.body["detail"]["status"])


def test_a_bare_status_is_in_the_vendors_words(sdk, vendor):
    """As a test scripts it."""
    vendor.script(Status(429, retry_after=3))
    with pytest.raises(ApiError) as caught:
        sdk.models.list(request_options=ONCE)

    assert "too_many_concurrent_requests" == caught.value.body["detail"]["status"]
    assert "3" == caught.value.headers["retry-after"]


def opened(vendor, query="", key=None):
    url = f"{vendor.base_url}/v1/text-to-speech/{RACHEL}/stream-input?{query}"
    return connect(
        url.replace("http", "ws", 1),
        additional_headers={"xi-api-key": key or vendor.key},
        proxy=None,
    )


@pytest.mark.parametrize(
    ("key", "messages", "code"),
    [
        ("wrong", ['{"text": " "}'], "invalid_api_key"),
        (None, ["no JSON"], "invalid_input_message"),
        (None, ["[]"], "invalid_input_message"),
        (None, ['{"text": "Hello"}'], "invalid_input"),
        (None, ['{"text": " ", "generation_config": {"chunk_length_schedule": [5]}}'], "invalid_input"),
        (None, ['{"text": " "}', '{"text": 5}'], "invalid_input"),
        (None, ['{"text": " "}', '{"text": "emulator:quota "}'], "quota_exceeded"),
    ],
)  # fmt: skip
def test_what_is_refused_within_a_conversation(vendor, key, messages, code):
    """It is said there, and ends it."""
    with opened(vendor, key=key) as socket:
        for message in messages:
            socket.send(message)
        assert code == json.loads(socket.recv(5))["error"]
        with pytest.raises(Exception, match="1008"):
            socket.recv(5)


def test_a_conversation_that_ends_at_once(vendor):
    """Whoever hangs up before the first word, or says nothing at all, hears nothing."""
    with opened(vendor):
        pass
    with opened(vendor, "output_format=pcm_8000") as socket:
        socket.send('{"text": " "}')
        socket.send('{"text": "Hi ", "flush": true}')
        first = json.loads(socket.recv(5))
        socket.send('{"text": ""}')

        assert "elevenlabs/Rachel: Hi " == heard(base64.b64decode(first["audio"]), 8000)
        assert "".join(first["alignment"]["chars"]) == "elevenlabs/Rachel: Hi "
        assert {"isFinal": True} == json.loads(socket.recv(5))


def test_faults_of_a_conversation(vendor):
    """As scripted."""
    vendor.script(Close(1011, "we are sorry"))
    with opened(vendor) as socket, pytest.raises(Exception, match="1011"):
        socket.recv(5)


@pytest.mark.parametrize(
    ("fields", "files", "field"),
    [
        ({}, [("a.wav", b"RIFF....WAVE")], "name"),
        ({"name": "x"}, [], "files"),
        ({"name": "x"}, [("a.txt", b"words")], "invalid_content"),
        ({"name": "x", "labels": "no"}, [("a.wav", b"RIFF....WAVE")], "labels"),
    ],
)
def test_forms_that_are_refused(vendor, fields, files, field):
    """What is missing, and what is no sound."""
    status, body = posted(vendor, fields, files)

    assert status in {400, 422}
    assert field in str(body)


def posted(vendor, fields, files):
    found = httpx.post(
        f"{vendor.base_url}/v1/voices/add",
        data=fields,
        files=[("files", file) for file in files] or [("none", ("a", b"b"))],
        headers={"xi-api-key": vendor.key},
    )
    return found.status_code, found.json()
