"""What `anymodal transcribe` says of a file, at once and live, and how it ends."""

import json
import wave

import pytest

from .distributions import Site

HEARS = """
from contextlib import asynccontextmanager

import anyio
from anymodal import ModelSpec, hookimpl
from anymodal import errors as e
from anymodal.modalities.live import Transcript, Word
from anymodal.modalities.transcription import (
    TranscriptionEnd,
    TranscriptionProviderSpec,
    TranscriptionResult,
    TranscriptSegment,
)


class Session:
    def __init__(self):
        self.put, self.got = anyio.create_memory_object_stream(100)

    async def send(self, data):
        if b"fail" in data:
            raise e.ServerError("no ears today")
        await self.put.send(Transcript(f"{len(data)} bytes"))

    async def finish(self):
        await self.put.send(TranscriptionEnd(duration=1.0))

    async def __aiter__(self):
        async for event in self.got:
            if event.__class__ is Transcript and event.text == "4 bytes":
                raise e.OverloadedError("too much")
            yield event


class Hears:
    async def transcribe(self, request):
        print("acme is called")
        request.warn("keywords", "they are as usual") if request.keywords else None
        said = request.audio.read_bytes()[44:].decode("latin-1")
        segment = TranscriptSegment(
            text=said, start=0.0, end=1.0, speaker="0" if request.diarize else None
        )
        return TranscriptionResult(
            text=said,
            words=(Word(said, 0.0, 1.0),) if request.words else (),
            segments=(segment,),
            language=request.language,
            duration=1.0,
        )

    @asynccontextmanager
    async def live(self, request):
        session = Session()
        with session.put, session.got:
            yield session


@hookimpl
def anymodal_transcription_providers():
    yield TranscriptionProviderSpec(
        id="acme",
        display_name="Acme",
        kind="local",
        models=[ModelSpec(id="acme-1")],
        default_model="acme-1",
        connect=lambda connection: Hears(),
    )
"""


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed, and nothing is tried again."""
    found = Site(tmp_path)
    found.install("acme", HEARS)
    found.settings("[policy.retry]\nattempts = 1\n")
    return found


def keep(site, data=b"Ahoy", width=2):
    with wave.open(str(site.home / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(data)


def test_words_of_a_file(site):
    """They and nothing else go to standard output."""
    keep(site)
    ended = site.run("transcribe", "a.wav", "-m", "acme/acme-1")

    assert (0, "Ahoy\n", "acme is called\n") == (ended.returncode, ended.stdout, ended.stderr)


def test_speakers_have_lines(site):
    """With their numbers before."""
    keep(site)
    ended = site.run("transcribe", "a.wav", "--diarize", "--keyword", "keel")

    assert "0: Ahoy\n" == ended.stdout
    assert "keywords: they are as usual" in ended.stderr


def test_one_document(site):
    """A list of one object."""
    keep(site)
    ended = site.run("transcribe", "a.wav", "--json", "--words", "--language", "en")

    (found,) = json.loads(ended.stdout)
    assert ("Ahoy", "en", "acme", 1.0) == (
        found["text"], found["language"], found["provider"], found["audio_seconds"],
    )  # fmt: skip
    assert [{"text": "Ahoy", "start": 0.0, "end": 1.0, "speaker": None, "confidence": None}] == (
        found["words"]
    )


def test_live(site):
    """A quarter of a second at a time; what is heard is written meanwhile."""
    keep(site, bytes(4002))
    ended = site.run("transcribe", "a.wav", "--live")
    assert (0, "4000 bytes\n2 bytes\n") == (ended.returncode, ended.stdout)

    ended = site.run("transcribe", "a.wav", "--live", "--json")
    assert "4000 bytes 2 bytes" == json.loads(ended.stdout)[0]["text"]


@pytest.mark.parametrize(
    ("data", "said"), [(b"fail", "no ears today"), (bytes(4), "too much")], ids=["send", "hear"]
)
def test_live_that_fails(site, data, said):
    """One sentence, whoever of the two tasks saw it first."""
    keep(site, data)
    ended = site.run("transcribe", "a.wav", "--live")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert f"Error: {said}\n" == ended.stderr.replace("acme: ", "")


def test_usage(site):
    """What cannot be sent live is refused at once, and so is what is not there."""
    keep(site, width=1)
    (site.home / "b.mp3").write_bytes(b"ID3")
    for words in (["a.wav", "--live"], ["b.mp3", "--live"], ["c.wav"]):
        ended = site.run("transcribe", *words)
        assert 2 == ended.returncode
        assert "acme is called" not in ended.stderr


CARD = """
import threading


class PortAudioError(Exception):
    pass


class Status:
    input_overflow = False


class RawInputStream:
    latency = 0.0

    def __init__(self, callback, finished_callback, blocksize, **_):
        self.callback, self.ended, self.size = callback, finished_callback, blocksize

    def start(self):
        threading.Thread(target=self.run).start()

    def run(self):
        for _ in range(2):
            self.callback(bytes(2 * self.size), self.size, None, Status())
        self.ended()

    def close(self):
        pass
"""


def test_a_microphone_is_heard_where_no_file_is_named(site):
    """Until it is gone, here; what was heard before stands."""
    (site.packages / "sounddevice.py").write_text(CARD)
    ended = site.run("transcribe", "--live")

    assert (1, "1280 bytes\n" * 2) == (ended.returncode, ended.stdout)
    assert "Error: The microphone stopped" in ended.stderr


def test_a_microphone_without_its_library(site):
    """One sentence says what to install."""
    (site.packages / "sounddevice.py").write_text("raise ImportError")
    ended = site.run("transcribe", "--live")

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "anymodal[devices]" in ended.stderr


@pytest.mark.parametrize("words", [(), ("--json",), ("--live", "--json")], ids=" ".join)
def test_a_file_or_a_microphone(site, words):
    """A document is of a file: there is no end of what a microphone hears."""
    ended = site.run("transcribe", *words)

    assert 2 == ended.returncode
    assert "FILE" in ended.stderr
