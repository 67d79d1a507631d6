"""eSpeak NG for real: its program or its library, whichever is there."""

from __future__ import annotations

import io
import os
import stat
import sys
import wave

import anyio
import pytest
from anymodal import Client, ModelSpec, Settings
from anymodal import errors as e
from anymodal.modalities.speech import SpeechRequest, VoiceSpec
from anymodal_espeak import EspeakSpeech, speech
from anymodal_espeak.speech import arguments_of, voices_of

pytestmark = pytest.mark.anyio
TEXT = "The lamp is lit."


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(params=["found", "library"])
def ai(request, monkeypatch):
    """A client that speaks by what is on the path, if anything is, or by the library."""
    if request.param == "library":
        monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    return Client(Settings.empty())


def seconds(audio):
    with wave.open(io.BytesIO(audio.data)) as file:
        assert (1, 2, 22050) == file.getparams()[:3]
        return file.getnframes() / file.getframerate()


async def test_it_speaks(ai):
    """A file that opens, longer for longer texts, other for other words; and it is free."""
    async with ai:
        short = await ai.speech.synthesize(TEXT, voice="espeak/en-gb")
        long = await ai.speech.synthesize(TEXT * 3, voice="espeak/en-gb")
        other = await ai.speech.synthesize("The lamb is lit.", voice="espeak/fr")
        bare = await ai.speech.synthesize(TEXT, voice="espeak/en-gb", format="pcm_22050")

    assert 0.5 < seconds(short.audio) < seconds(long.audio) / 2
    assert seconds(short.audio) == pytest.approx(short.seconds)
    assert short.audio.data != other.audio.data
    assert short.audio.data.endswith(bare.audio.data)
    assert 0 == short.record.cost.usd


async def test_it_is_heard_while_it_speaks(ai):
    """Also sentence by sentence, of text in pieces."""

    async def pieces():
        yield "The lamp is"
        yield " lit. The sea is wide."

    async with ai:
        async with ai.speech.stream(TEXT * 20, voice="espeak/en-us") as stream:
            chunks = [len(chunk.data) async for chunk in stream]
        async with ai.speech.stream(pieces(), voice="espeak/en-us") as spoken:
            found = await spoken.result()

    assert len(chunks) > 5
    assert seconds(found.audio) > 1
    assert len("The lamp is lit.The sea is wide.") == found.usage.amount("character")


async def test_speed_and_pitch(ai):
    """Change what is heard."""
    async with ai:
        said = [
            await ai.speech.synthesize(TEXT, model="espeak/espeak-ng", **more)
            for more in ({}, {"speed": 2}, {"options": [EspeakSpeech(pitch=90, volume=50)]})
        ]

    assert said[1].seconds < said[0].seconds * 0.7
    assert said[0].audio.data != said[2].audio.data


async def test_voices(ai):
    """Many languages; one that is not there is refused."""
    async with ai:
        found = await ai.speech.voices("espeak")
        with pytest.raises(e.NotFoundError, match="does not exist"):
            await ai.speech.synthesize(TEXT, voice="espeak/xx-none")

    assert len(found) > 80
    assert {"fr", "de", "en-us"} <= {one.id for one in found}


async def test_a_language_chooses_a_voice():
    """Where the caller names none."""
    async with Client(Settings.empty()) as ai:
        found = await ai.speech.synthesize("Guten Tag.", model="espeak/espeak-ng", language="de-AT")
        german = await ai.speech.synthesize("Guten Tag.", model="espeak/espeak-ng", language="de")

    assert ("en-us", "de") == (found.voice.id, german.voice.id)


@pytest.fixture
def program(tmp_path):
    """A program that tells its process, and does what a test wants."""

    def made(code):
        file = tmp_path / "speaks"
        head = f"#!{sys.executable}\nimport os, pathlib, sys, time\n"
        note = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"
        file.write_text(head + note + code)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return Settings.from_mapping({"providers": {"espeak": {"program": str(file)}}})

    made.pid = tmp_path / "pid"
    return made


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


HEAD = (
    "sys.stdin.buffer.read()\n"
    "sys.stdout.buffer.write(b'RIFF\\x24\\xf0\\xff\\x7fWAVEfmt \\x10\\0\\0\\0\\x01\\0\\x01\\0"
    "\\x22\\x56\\0\\0\\x44\\xac\\0\\0\\x02\\0\\x10\\0data\\0\\xf0\\xff\\x7f' + bytes(2000))\n"
    "sys.stdout.flush()\n"
)


async def test_leaving_early_ends_the_program(program):
    """Also one that would speak for ever."""
    async with Client(program(HEAD + "time.sleep(60)\n")) as ai:
        async with ai.speech.stream(TEXT, voice="espeak/en-us") as stream:
            await anext(stream)
            pid = int(program.pid.read_text())
            assert not is_gone(pid)

        assert is_gone(pid)


async def test_cancelling_ends_the_program(program):
    """One that hears nothing, and says nothing."""
    async with Client(program("time.sleep(60)\n")) as ai:
        with anyio.move_on_after(1) as scope:
            await ai.speech.synthesize("x" * 1_000_000, voice="espeak/en-us")

    assert scope.cancelled_caught
    assert is_gone(int(program.pid.read_text()))


@pytest.mark.parametrize(
    ("code", "error", "match"),
    [
        ("sys.exit('out of order')\n", e.ServerError, "status 1: out of order"),
        (HEAD + "sys.exit(3)\n", e.ServerError, "status 3"),
        ("print('no sound at all')\n", e.MalformedReplyError, "bare samples"),
        ("", e.MalformedReplyError, "no sound"),
    ],
)
async def test_programs_that_fail(program, code, error, match):
    """By their status and words, or because what they say is no sound."""
    async with Client(program(code)) as ai:
        with pytest.raises(error, match=match):
            await ai.speech.synthesize(TEXT, voice="espeak/en-us")


async def test_lists_of_voices_that_fail(program):
    """With a status, or without a list."""
    async with Client(program("sys.exit(2)\n")) as ai:
        with pytest.raises(e.ServerError, match="status 2"):
            await ai.speech.voices("espeak")
    with pytest.raises(e.MalformedReplyError):
        voices_of("")


async def test_nothing_that_can_be_started(program, monkeypatch, anyio_backend):
    """It says what to install."""
    wrong = Settings.from_mapping({"providers": {"espeak": {"program": "/nowhere/espeak"}}})
    async with Client(wrong) as ai:
        with pytest.raises(e.ConfigurationError, match="/nowhere/espeak"):
            await ai.speech.voices("espeak")
    broken = program("")
    program.pid.with_name("speaks").write_text("#!/nowhere/python\n")
    async with Client(broken) as ai:
        with pytest.raises(e.ConfigurationError, match="cannot be started"):
            await ai.speech.voices("espeak")
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda _: None)
    async with Client(Settings.empty()) as ai:
        with pytest.raises(e.ConfigurationError, match="apt install espeak-ng"):
            await ai.speech.voices("espeak")


def asked(**said):
    return SpeechRequest(
        model=ModelSpec(id="espeak-ng"), text=TEXT, voice=VoiceSpec(id="en-gb+f3"), **said
    )


def test_what_it_is_started_with():
    """The text is none of it; numbers stay within what the program knows."""
    option = EspeakSpeech(pitch=9, volume=8, word_gap=7, words_per_minute=200)
    slow = asked(speed=0.25, instructions="softly", end_user="u")

    assert ["-v", "en-gb+f3", "-b", "1"] == arguments_of(asked())
    assert "-s 200 -p 9 -a 8 -g 7" in " ".join(arguments_of(asked(speed=2, options=(option,))))
    assert "-s 80" in " ".join(arguments_of(slow))
    assert ["instructions", "end_user", "speed"] == [one.setting for one in slow.warnings]


@pytest.mark.parametrize("voice", ["../../etc/passwd", "-x", "a b", "/etc", "a/b/c", ""])
def test_names_that_are_no_voices(voice):
    """They are no paths and no options."""
    request = SpeechRequest(model=ModelSpec(id="m"), voice=VoiceSpec(id=voice or "a;b"))
    with pytest.raises(e.InvalidRequestError):
        arguments_of(request)
