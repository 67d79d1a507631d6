"""Speech: what is asked for and refused, who speaks, and what a provider need not write."""

import io
import wave
from decimal import Decimal

import attrs
import pytest
from anymodal import Audio, ModelSpec
from anymodal import errors as e
from anymodal.modalities.sounds import SoundFormat, wav_header
from anymodal.modalities.speech import (
    ClonedVoice,
    SpeechOption,
    SpeechProviderSpec,
    SpeechRequest,
    VoiceSpec,
)
from anymodal.resolution.best import best
from anymodal.specs import Capabilities
from anymodal.usage import Usage

from .speaking import LUC, VERA, Clones, Streams, Synthesizes, brings, client

pytestmark = pytest.mark.anyio
MP3 = Audio(b"ID3 sound", media_type="audio/mpeg")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@attrs.frozen(kw_only=True)
class Said(SpeechOption):
    """An option of a vendor."""

    mood: str = ""
    pace: int = 0


async def test_sound_from_words():
    """Bare samples come as a WAV file that opens, and the record says what they cost."""
    provider = Streams()
    async with client(provider) as ai:
        found = await ai.speech.synthesize(
            "Hello.", voice="acme/Vera", options=[Said(mood="calm")], speed=1.2, raw=True
        )

    (asked,) = provider.asked
    with wave.open(io.BytesIO(found.audio.data)) as file:
        assert (1, 2, 16000, 6) == file.getparams()[:4]
        assert b"H\0e\0l\0l\0o\0.\0" == file.readframes(6)
    assert ("audio/wav", "wav_16000") == (found.audio.media_type, str(found.format))
    assert 6 / 16000 == found.seconds
    assert VERA == found.voice == asked.voice
    assert (1.2, Said(mood="calm")) == (asked.speed, asked.option(Said))
    assert Decimal("0.00006") == found.record.cost.usd
    assert ("speech", "synthesize", "acme-1", "r-1") == (
        found.record.modality, found.record.operation, found.record.model, found.record.request_id,
    )  # fmt: skip
    assert {"it": "says"} == found.record.raw


async def test_sound_that_is_made_whole():
    """In a thread; what is compressed goes through as it is."""
    provider = Synthesizes(format=SoundFormat("mp3", 44100))
    async with client(provider) as ai:
        found = await ai.speech.synthesize("Hello.", format="mp3")
        async with ai.speech.stream("Hello.", format="mp3") as stream:
            chunks = [chunk.data async for chunk in stream]
            whole = await stream.result()

    assert [b"ID3 sound"] == chunks
    assert found.audio == whole.audio == MP3
    assert (None, "mp3_44100") == (found.seconds, str(found.format))
    assert "mp3_44100_128" == str(provider.asked[0].format)


@pytest.mark.parametrize(
    ("offered", "wanted", "asked", "media_type"),
    [
        (["mp3_44100_128", "pcm_8000"], None, "mp3_44100_128", "audio/mpeg"),
        (["mp3_44100_128", "pcm_8000"], "wav", "pcm_8000", "audio/wav"),
        (["mp3_44100_128", "pcm_8000"], "pcm", "pcm_8000", "audio/pcm;rate=8000"),
        (["pcm_8000", "pcm_16000"], SoundFormat("wav", 16000), "pcm_16000", "audio/wav"),
        ([], "mp3", "mp3", "audio/mpeg"),
    ],
)
async def test_formats(offered, wanted, asked, media_type):
    """The caller's word is made one of those that the vendor has."""
    provider = Streams()
    async with client(provider, formats=offered) as ai:
        found = await ai.speech.synthesize("Hello.", format=wanted)

    assert media_type == found.audio.media_type
    assert asked == str(provider.asked[0].format)


def test_a_spec_is_changed_by_its_own_values():
    """Formats are given as names and kept as what they mean; both are taken."""
    spec = SpeechProviderSpec(id="acme", display_name="A", connect=print, formats=["mp3", "pcm"])

    assert spec.formats == attrs.evolve(spec, id="other").formats
    with pytest.raises(TypeError, match="a list of strings"):
        attrs.evolve(spec, formats="mp3")


async def test_formats_that_nobody_speaks_of():
    """The sound itself tells what it is."""
    provider = Synthesizes()
    async with client(provider, formats=()) as ai:
        found = await ai.speech.synthesize("Hello.")

    assert "audio/mpeg" == found.audio.media_type
    assert provider.asked[0].format is None


async def test_a_format_that_the_vendor_has_not():
    """Nothing is sent, and the message says which there are."""
    provider = Streams()
    async with client(provider) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="pcm_16000, mp3_44100_128"):
            await ai.speech.synthesize("Hello.", format="opus")

    assert [] == provider.asked


async def test_bare_samples_of_a_wav_file():
    """The header is taken away where nobody wants it."""
    samples = b"\1\0\2\0"
    provider = Synthesizes(wav_header(8000, 4) + samples + b"LIST\0\0\0\0")
    async with client(provider, formats=["wav_8000"]) as ai:
        found = await ai.speech.synthesize("Hello.", format="pcm_8000")
        whole = await ai.speech.synthesize("Hello.", format="wav")

    assert samples == found.audio.data
    assert (2 / 8000, "pcm_8000") == (found.seconds, str(found.format))
    assert provider.data == whole.audio.data


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": b"x"}, "text"),
        ({"text": 5}, "text"),
        ({"voice": ""}, "voice"),
        ({"voice": []}, "voice"),
        ({"voice": [5]}, "voice"),
        ({"voice": ["a", "b"], "model": ["c", "d", "f"]}, "voice"),
        ({"format": "bmp"}, "format"),
        ({"format": 5}, "format"),
        ({"format": "mp3_x"}, "format"),
        ({"speed": 9}, "speed"),
        ({"speed": True}, "speed"),
        ({"language": ""}, "language"),
        ({"instructions": 5}, "instructions"),
        ({"options": [object()]}, "options"),
    ],
)
async def test_what_no_provider_could_say(arguments, field):
    """It is refused by name, before anything is sent."""
    provider = Streams()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.speech.synthesize(**{"text": "Hello.", **arguments})

    assert field == caught.value.field
    assert [] == provider.asked


async def test_text_in_pieces_is_for_streams():
    """Which the message says."""

    async def some():
        yield "Hello."

    async with client(Streams()) as ai:
        with pytest.raises(e.InvalidRequestError, match="stream"):
            await ai.speech.synthesize(some())


def test_a_request_by_hand():
    """Its text is checked too, and a voice may be needed."""
    model = ModelSpec(id="m")
    with pytest.raises(e.InvalidRequestError, match="bytes"):
        SpeechRequest(model=model, text=b"x")
    with pytest.raises(e.InvalidRequestError, match="none was named"):
        SpeechRequest(model=model).required_voice()

    assert VERA == SpeechRequest(model=model, voice=VERA).required_voice()


# -- who speaks -----------------------------------------------------------------------------


async def test_a_voice_by_its_name():
    """It goes to who has it, whatever else speaks."""
    other = Streams()
    async with client(
        Streams(), brings(other, "zenith", voices=[VoiceSpec(id="z", name="Zoe")])
    ) as ai:
        found = await ai.speech.synthesize("Hello.", voice="Zoe")
        exact = await ai.speech.synthesize("Hello.", voice="acme/Nobody", model="acme-1")

    assert ("zenith", "Zoe") == (found.record.provider, found.voice.name)
    assert VoiceSpec(id="Nobody", listed=False) == exact.voice


async def test_voices_in_order_of_preference():
    """The next one speaks where the first cannot; each with its own model."""

    class Down(Streams):
        async def synthesize(self, request):
            self.asked.append(request)
            msg = "away"
            raise e.OverloadedError(msg)

    other, down = Streams(), Down()
    zenith = brings(other, "zenith", voices=[VoiceSpec(id="z", name="Zoe")])
    async with client(down, zenith, settings={"policy": {"retry": {"attempts": 1}}}) as ai:
        found = await ai.speech.synthesize("Hello.", voice=["acme/Luc", "zenith/Zoe"])
        paired = await ai.speech.synthesize(
            "Hello.", voice=["acme/Luc", "zenith/Zoe"], model=["acme/a", "zenith/b"]
        )
        several = await ai.speech.synthesize("Hello.", voice="Zoe", model=["zenith/b", "zenith/c"])

    assert LUC == down.asked[0].voice
    assert ("zenith", "Zoe") == (found.record.provider, found.voice.name)
    assert ["a", "b"] == [one.model for one in paired.record.attempts]
    assert "b" == several.record.model


async def test_a_model_without_a_voice():
    """Speaks with the provider's usual one, or with one that is meant for the language."""
    provider = Streams()
    async with client(provider) as ai:
        await ai.speech.synthesize("Hello.", model="acme/acme-1")
        for language in ("fr-CA", "fr", "en", "en-US", "xx"):
            await ai.speech.synthesize("Hello.", model=best(), language=language)

    said = [asked.voice.name for asked in provider.asked]
    assert ["Vera", "Vera", "Luc", "Vera", "Vera", "Vera"] == said


async def test_a_provider_without_voices():
    """Is asked without one."""
    provider = Streams()
    async with client(provider, voices=(), default_voice=None) as ai:
        await ai.speech.synthesize("Hello.")
    other = Streams()
    async with client(other, voices=[VoiceSpec(id="x")], default_voice="x") as ai:
        await ai.speech.synthesize("Hello.", language="fr")

    assert provider.asked[0].voice is None
    assert "x" == other.asked[0].voice.id


async def test_options_of_settings():
    """Lie under those of the call; other vendors' stay what they are."""

    @attrs.frozen
    class Other(SpeechOption):
        """Somebody else's."""

    provider = Streams()
    said = {"providers": {"acme": {"vendor_options": {"speech": {"mood": "calm", "pace": 3}}}}}
    async with client(provider, settings=said, options=Said) as ai:
        await ai.speech.synthesize("Hello.")
        await ai.speech.synthesize("Hello.", options=[Said(mood="gay"), Other()])

    assert (Said(mood="calm", pace=3),) == provider.asked[0].options
    assert (Said(mood="gay", pace=3), Other()) == provider.asked[1].options


# -- voices -----------------------------------------------------------------------------------


async def test_voices_of_a_provider():
    """What the vendor lists now, with what the table knows besides."""
    async with client(Clones()) as ai:
        await ai.warm("acme")
        found = await ai.speech.voices("acme")
        usual = await ai.speech.voices()
    async with client(Streams()) as ai:
        table = await ai.speech.voices("acme")

    assert ["v-1", "v-2", "v-9"] == [one.id for one in found]
    assert VoiceSpec(id="v-1", name="Vera the live", languages=["en-GB"]) == found[0]
    assert [True, True, False] == [one.listed for one in found]
    assert found == usual
    assert (VERA, LUC) == table


async def test_voices_of_nobody():
    """Nobody of that name speaks."""
    async with client(Streams()) as ai:
        with pytest.raises(e.AnymodalError, match="nobody"):
            await ai.speech.voices("nobody")


SAMPLE = Audio(wav_header(8000, 2) + b"\1\0")


async def test_a_voice_is_learned():
    """With consent, which stands in the record."""
    provider = Clones()
    async with client(provider) as ai:
        found = await ai.speech.clone(
            "me", SAMPLE, consent="I am she.", model="acme", tags={"a": "b"}, description="calm"
        )
        again = await ai.speech.clone("me", [SAMPLE, SAMPLE], consent=True, language="en")

    assert isinstance(found, ClonedVoice)
    assert ("v-10", "me", "I am she.") == (found.voice.id, found.voice.name, found.consent)
    assert {"a": "b", "consent": "I am she."} == found.record.tags
    assert ("clone", "r-2") == (found.record.operation, found.record.request_id)
    assert "stated" == again.consent
    assert [1, 2] == [len(asked.samples) for asked in provider.asked]
    assert "calm" == provider.asked[0].description


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"consent": False}, "consent"),
        ({"consent": " "}, "consent"),
        ({"consent": 1}, "consent"),
        ({"name": " "}, "name"),
        ({"samples": []}, "samples"),
        ({"samples": ["a.wav"]}, "samples"),
        ({"samples": Audio(url="https://acme.example/a.wav")}, "samples"),
    ],
)
async def test_what_is_not_learned(arguments, field):
    """Above all nobody's voice without consent."""
    provider = Clones()
    async with client(provider) as ai:
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.speech.clone(**{"name": "me", "samples": SAMPLE, "consent": True, **arguments})

    assert field == caught.value.field
    assert [] == provider.asked


async def test_provider_that_learns_no_voices():
    """Known or not, nothing is sent."""
    async with client(Streams()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="learns no voices"):
            await ai.speech.clone("me", SAMPLE, consent=True)
    async with client(Clones(), capabilities=Capabilities(no=["voice_cloning"])) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="voice_cloning"):
            await ai.speech.clone("me", SAMPLE, consent=True)


# -- providers and specs ------------------------------------------------------------------------


async def test_provider_that_says_nothing_is_broken():
    """It says so when it is connected."""
    async with client(object()) as ai:
        with pytest.raises(e.BrokenPluginError, match="neither"):
            await ai.speech.synthesize("Hello.")


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"voices": [VERA, VERA]}, ValueError),
        ({"voices": ["Vera"]}, TypeError),
        ({"formats": ["bmp"]}, e.InvalidRequestError),
        ({"formats": "mp3"}, TypeError),
    ],
)
def test_strange_specs_are_refused(spec, fault):
    """When the plugin is loaded, not when somebody wants to hear."""
    with pytest.raises(fault):
        SpeechProviderSpec(id="acme", display_name="A", connect=print, **spec)


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (Audio(url="https://acme.example/a.mp3"), "no sound came"),
        (Audio(b"RIFF\0\0\0\0AVI ", media_type="audio/wav"), "bare samples"),
    ],
)
async def test_sound_that_is_none(audio, match):
    """An address is no sound, nor is another kind of file."""

    class Odd(Synthesizes):
        def synthesize(self, request):
            return attrs.evolve(super().synthesize(request), audio=audio)

    async with client(Odd(), formats=["wav_8000"]) as ai:
        with pytest.raises(e.MalformedReplyError, match=match):
            await ai.speech.synthesize("Hello.", format="pcm")


async def test_usage_is_none_where_the_vendor_says_none():
    """Unknown is not zero."""

    class Silent(Synthesizes):
        def synthesize(self, request):
            return attrs.evolve(super().synthesize(request), usage=None)

    async with client(Silent()) as ai:
        found = await ai.speech.synthesize("Hello.", format="mp3")

    assert (None, None) == (found.usage, found.record.cost.usd)
    assert Usage() != found.usage
