"""Sound that says what it was asked to say, and what the tour makes of sound that does not."""

import io
import wave

import anyio
import attrs
import pytest
from anymodal import Audio, Client, ModelSpec, Registry, Settings, hookimpl
from anymodal.formats import sniff
from anymodal.modalities.sounds import SoundFormat
from anymodal.modalities.speech import (
    ClonedVoice,
    SpeechProviderSpec,
    SpeechResult,
    VoiceSpec,
)
from anymodal_emulator import sounds
from anymodal_emulator.speech_visits import SPEECH
from anymodal_emulator.visits import Row, Visit
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(min_size=1, max_size=12).filter(
    lambda text: "\0" not in text and text.isprintable()
)


@given(WORDS, WORDS, st.sampled_from([8000, 16000, 24000]), st.integers(0, 99))
def test_words_are_heard_again(first, second, rate, pitch):
    """Also where sounds were joined, and whoever speaks."""
    both = sounds.pcm(first, rate, pitch=pitch) + sounds.pcm(second, rate, pitch=pitch + 1)

    assert first + second == sounds.heard(both, rate)
    assert len(both) == (len(first) + len(second)) * int(rate * sounds.CHARACTER_SECONDS) * 2


def test_files_are_what_they_seem():
    """By their first bytes, and by the standard library."""
    with wave.open(io.BytesIO(sounds.wav("Hi", 8000))) as file:
        assert (1, 2, 8000, 960) == file.getparams()[:4]
    assert "audio/mpeg" == sniff(sounds.mp3("Hi", 44100, 128)) == sniff(
        sounds.mp3_frames("Hi", 24000, 48)
    )  # fmt: skip
    assert "audio/ogg" == sniff(sounds.opus("Hi"))
    assert len(sounds.opus("Hi" * 100)) > len(sounds.opus("Hi"))


@attrs.frozen
class Speaks:
    """A provider of speech, as good as it is told to be."""

    said: str = ""
    adds: str = ""
    claims: float = 0.0

    async def synthesize(self, request):
        words = self.said or request.text + self.adds
        data = sounds.wav(words, 8000)
        return SpeechResult(
            audio=Audio(data), format=SoundFormat("wav", 8000), seconds=self.claims or None
        )

    async def voices(self):
        return [VoiceSpec(id="n", name="New", languages=["en"])]

    async def clone(self, request):
        return ClonedVoice(voice=VoiceSpec(id="n", name=request.name))


def went(operation, provider):
    class Brings:
        @hookimpl
        def anymodal_speech_providers(self):
            yield SpeechProviderSpec(
                id="acme", display_name="A", kind="local", models=[ModelSpec(id="m")],
                default_model="m", connect=lambda _: provider,
            )  # fmt: skip

    visit = Visit(row=Row("speech", "acme", operation), prompt=SPEECH[operation].prompt)

    async def go():
        registry = Registry(Settings.empty(), plugins=[Brings()], distributions=())
        async with Client(registry=registry) as client:
            await SPEECH[operation].do(client, visit, "acme/m")

    anyio.run(go)
    return visit


def wanted(operation, visit):
    return [words for words in SPEECH[operation].shows(visit) if words not in visit.said]


@pytest.mark.parametrize("operation", SPEECH)
def test_a_good_provider_shows_everything(operation):
    """Whatever it is asked for."""

    class Good(Speaks):
        async def synthesize(self, request):
            voice = "" if request.voice is None else "The tour"
            found = await Speaks(adds=voice).synthesize(request)
            return attrs.evolve(found, seconds=(len(found.audio.data) - 44) / 16000)

    visit = went(operation, Good())

    assert [] == wanted(operation, visit)


@pytest.mark.parametrize(
    ("provider", "match"),
    [
        (Speaks(claims=99.0), "said to last 99"),
        (Speaks(said="Always the same."), "not longer"),
    ],
)
def test_sound_that_is_wrong(provider, match):
    """It is said what."""
    with pytest.raises(ValueError, match=match):
        went("synthesize", provider)
