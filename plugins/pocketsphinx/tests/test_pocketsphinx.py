"""PocketSphinx for real: a sentence of eSpeak NG, heard by a grammar, freely, and live."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

import anyio
import pytest
from anymodal import Audio, Client, Settings
from anymodal import errors as e
from anymodal.modalities.live import AudioFormat, Partial, SpeechStarted, Transcript, TurnEnded
from anymodal_pocketsphinx import PocketsphinxTranscription
from anymodal_pocketsphinx.sound import Resampler

pytestmark = pytest.mark.anyio
LIGHT = Path(__file__).with_name("light.wav")
SAID = "please turn on the light"
MODEL = "pocketsphinx/en-us"
GRAMMAR = "#JSGF V1.0; grammar orders; public <order> = [please] turn (on | off) the (light | fan);"
ORDERS = [PocketsphinxTranscription(grammar=GRAMMAR)]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
async def ai():
    async with Client(Settings.empty()) as client:
        yield client


def samples():
    with wave.open(str(LIGHT)) as file:
        return file.readframes(file.getnframes())


def wav(data, rate=16_000, channels=1, width=2):
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return Audio(kept.getvalue())


async def test_grammar_is_heard_to_the_word(ai):
    """What may be said is known, so that a small model is enough; words have their times."""
    found = await ai.transcription.transcribe(LIGHT, model=MODEL, words=True, options=ORDERS)

    assert SAID == found.text
    assert SAID.split() == [word.text for word in found.words]
    starts = [word.start for word in found.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start < word.end <= 2.5 for word in found.words)
    assert all(0 <= word.confidence <= 1 for word in found.words)
    assert ("en-US", 0) == (found.language, found.record.cost.usd)
    assert 2.3 < found.duration < 2.4
    assert 1 == len(found.segments)


async def test_dictation_is_a_draft(ai):
    """It hears words of English; which, is not promised."""
    found = await ai.transcription.transcribe(LIGHT, model=MODEL, language="en-US")
    assert found.text
    assert () == found.words


async def test_keyphrases(ai):
    """Nothing else is listened for."""
    for phrase, expected in (("the light", "the light"), ("good morning everybody", "")):
        found = await ai.transcription.transcribe(
            LIGHT, model=MODEL, options=[PocketsphinxTranscription(keyphrases=(phrase,))]
        )
        assert expected == found.text.strip()


async def test_silence_says_nothing(ai):
    """There is no text, and no error."""
    found = await ai.transcription.transcribe(wav(bytes(64_000)), model=MODEL)
    assert ("", (), 2.0) == (found.text, found.segments, found.duration)


async def test_other_rates_and_channels(ai):
    """They are made into what it hears; the sentence stays the same."""
    stereo = b"".join(samples()[at : at + 2] * 2 for at in range(0, len(samples()), 2))
    sound = Resampler(8000, 1).feed(stereo)  # twice as long, which 32 kHz undoes
    for audio in (wav(stereo, channels=2), wav(sound, rate=64_000)):
        found = await ai.transcription.transcribe(audio, model=MODEL, options=ORDERS)
        assert SAID == found.text


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"language": "fr"}, "language"),
        ({"options": [PocketsphinxTranscription(grammar="none")]}, "options"),
        ({"options": [PocketsphinxTranscription(keyphrases=("qwertz",))]}, "options"),
        ({"options": [PocketsphinxTranscription(grammar=GRAMMAR, keyphrases=("a",))]}, "options"),
    ],
)
async def test_what_it_cannot_be_asked_for(ai, live, arguments, field):
    """It is refused by name."""
    with pytest.raises(e.InvalidRequestError) as caught:
        if live:
            await ai.transcription.live(model=MODEL, **arguments).start()
        else:
            await ai.transcription.transcribe(LIGHT, model=MODEL, **arguments)
    assert field == caught.value.field


async def test_what_is_only_warned_of(ai):
    """It listens all the same; who is strict is told no."""
    found = await ai.transcription.transcribe(
        wav(bytes(640)), model=MODEL, keywords=["keel"], prompt="ships"
    )
    assert ["keywords", "prompt"] == [one.setting for one in found.record.warnings]
    with pytest.raises(e.UnsupportedFeatureError, match="diarization"):
        await ai.transcription.transcribe(LIGHT, model=MODEL, diarize=True)


@pytest.mark.parametrize("audio", [Audio(b"ID3" + bytes(9)), wav(bytes(99), width=1)])
async def test_other_files(ai, audio):
    """It has no decoder for them."""
    with pytest.raises(e.UnsupportedFeatureError, match="WAV files with samples of 16 bits"):
        await ai.transcription.transcribe(audio, model=MODEL)


async def test_live(ai):
    """It hears where speech begins and ends, and words before that."""
    seen = []
    async with ai.transcription.live(
        format="pcm_s16le_16000", model=MODEL, words=True, options=ORDERS
    ) as session:
        async with anyio.create_task_group() as tasks:

            async def read():
                seen.extend([event async for event in session])

            tasks.start_soon(read)
            sound = bytes(9600) + samples()
            for at in range(0, len(sound), 4000):
                await session.send(sound[at : at + 4000])
            await session.finish()
        found = await session.result()

    kinds = [type(one) for one in seen if type(one) is not Partial]
    assert [SpeechStarted, Transcript, TurnEnded] == kinds
    assert any(type(one) is Partial for one in seen)
    assert SAID == found.text
    assert SAID.split() == [word.text for word in found.words]
    assert 0 == found.record.cost.usd
    assert 2.6 < found.duration < 2.7


async def test_speech_that_goes_on_to_the_end(ai):
    """The last sentence is not lost, and partials are left out where nobody wants them."""
    async with ai.transcription.live(model=MODEL, partials=False, options=ORDERS) as session:
        await session.send(samples()[: 2 * 29_000])
        found = await session.result()
        kinds = [type(session.take()) for _ in range(3)]

    assert [SpeechStarted, Transcript, TurnEnded] == kinds
    assert SAID == found.text


async def test_other_live_sound(ai):
    """It has no decoder for it."""
    with pytest.raises(e.UnsupportedFeatureError, match="takes pcm_s16le"):
        await ai.transcription.live(format=AudioFormat("opus"), model=MODEL).start()


def test_pieces_are_resampled_as_the_whole():
    """However it was cut; so live sound is the file's."""
    tone = [int(9000 * math.sin(at / 9)) for at in range(3000)]
    data = struct.pack(f"<{len(tone)}h", *tone)
    for rate, channels in ((22_050, 1), (44_100, 2), (8000, 1), (16_000, 2)):
        whole = Resampler(rate, channels).feed(data)
        pieces = Resampler(rate, channels)
        cut = b"".join(pieces.feed(data[at : at + 52]) for at in range(0, len(data), 52))
        assert whole == cut
        expected = len(tone) / channels * 16_000 / rate
        assert abs(len(whole) / 2 - expected) <= 2
