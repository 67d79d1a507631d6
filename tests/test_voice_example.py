"""The example of a voice assistant: sound in, sound out, streaming throughout."""

import asyncio
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import threading
import wave
from pathlib import Path

import anyio
import pytest
from anymodal import Client, Settings
from anymodal.devices import Speaker, WavReader, WavWriter
from anymodal.modalities.live import AudioFormat, AudioOut, ResponseDone
from anymodal_emulator import Rewrite, emulated
from anymodal_emulator.sounds import heard, pcm, wav

DOCS = Path(__file__).parent.parent / "docs"
FILE = DOCS / "examples" / "voice_assistant" / "voice_assistant.py"
TIDE = "At what hour will the tide be highest in the harbour tomorrow?"
FERRY = "And when does the last ferry of the day leave for the island?"
LATE = 10.0
"""Seconds after which what is waited for will not come."""

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def example():
    """The module, as a program would run it."""
    spec = importlib.util.spec_from_file_location("voice_assistant", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def vendors():
    """One that hears, one that thinks, one that speaks."""
    with emulated("deepgram") as ears, emulated("openai") as mind, emulated("elevenlabs") as voice:
        yield {"deepgram": ears, "openai": mind, "elevenlabs": voice}


@pytest.fixture
def settings(vendors):
    """Those of the README, but for the addresses."""
    providers = {
        name: {"base_url": one.base_url, "api_key": one.key} for name, one in vendors.items()
    }
    models = {
        "transcription": "deepgram/nova-3",
        "text": "openai/gpt-6.1-sol",
        "speech": "elevenlabs/eleven_flash_v2_5",
    }
    return Settings.from_mapping({"defaults": models, "providers": providers})


def tasks():
    """Return how many tasks there are."""
    if trio := running_trio():
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


def running_trio():
    trio = sys.modules.get("trio")
    return trio if trio and trio.lowlevel.in_trio_run() else None


@pytest.fixture
async def nothing_is_left(vendors):
    """No task, and no connection, when the client is closed."""
    before = tasks()
    yield
    with anyio.fail_after(LATE):
        while any(one.connections for one in vendors.values()) or tasks() > before:
            await anyio.sleep(0.01)


def words(file):
    """Return what is said in a WAV file."""
    with wave.open(str(file)) as sound:
        return heard(sound.readframes(sound.getnframes()), sound.getframerate())


class Mouth:
    """A speaker that a test watches."""

    format = AudioFormat(rate=24_000)

    def __init__(self):
        self.said, self.flushed, self.is_slow = b"", [], False
        self.has_sound = threading.Event()
        self.speaks = anyio.Event()

    async def play(self, data):
        self.said += data
        self.has_sound.set()
        self.speaks.set()

    async def drain(self):
        if self.is_slow and not self.flushed:
            await anyio.sleep_forever()  # it speaks for longer than anybody listens

    def flush(self):
        self.flushed.append(len(self.said))
        return self.format.seconds(len(self.said))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


class Ear:
    """A microphone that hears what a test says."""

    format = AudioFormat(rate=16_000)

    def __init__(self):
        self.put, self.got = anyio.create_memory_object_stream(1000)

    async def hears(self, words):
        sound = pcm(words, 16_000)
        for at in range(0, len(sound), 6400):
            await self.put.send(sound[at : at + 6400])

    def __aiter__(self):
        return aiter(self.got)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.put.close()
        self.got.close()


async def test_from_a_file_to_a_file(example, settings, vendors, tmp_path, nothing_is_left):
    """Each turn is answered, in order, and the conversation is one."""
    (tmp_path / "said.wav").write_bytes(wav(f"{TIDE} {FERRY} Thank you", 16_000))
    async with Client(settings) as ai:
        mouth = WavWriter(tmp_path / "answered.wav")
        await example.assist(ai, WavReader(tmp_path / "said.wav"), mouth)
        answers = words(tmp_path / "answered.wav")

    first, second, third = answers.split("elevenlabs/")[1:]
    assert TIDE in first
    assert FERRY in second
    assert "turn 2" in second
    assert "Thank you" in third
    assert "turn 3" in third
    assert ["/v1/listen"] == [one.path for one in vendors["deepgram"].requests]
    assert 3 == len(vendors["elevenlabs"].requests)


async def test_it_speaks_before_it_has_thought_to_the_end(example, settings, vendors):
    """The last event of the text is held back until there is sound of its beginning."""
    ear, mouth, in_time = Ear(), Mouth(), []

    def hold(_, piece):
        if b"response.completed" in piece:
            in_time.append(mouth.has_sound.wait(LATE))
        return piece

    vendors["openai"].script(Rewrite(hold))
    async with Client(settings) as ai:
        await ear.hears(TIDE)
        ear.put.close()
        await example.assist(ai, ear, mouth)

    assert [True] == in_time
    assert TIDE in heard(mouth.said, 24_000)
    assert [] == mouth.flushed


async def test_it_thinks_before_all_was_said(example, settings, vendors):
    """A turn is answered when it has ended, though the microphone stays open."""
    ear, mouth = Ear(), Mouth()
    async with Client(settings) as ai, anyio.create_task_group() as tasks:
        tasks.start_soon(example.assist, ai, ear, mouth)
        await ear.hears(TIDE)
        with anyio.fail_after(LATE):
            await mouth.speaks.wait()
        ear.put.close()


async def test_who_speaks_interrupts_it(example, settings, vendors, nothing_is_left):
    """It falls silent, hears the rest, and answers that, knowing what it did not get to say."""
    ear, mouth = Ear(), Mouth()
    mouth.is_slow = True
    async with Client(settings) as ai, anyio.create_task_group() as tasks:
        tasks.start_soon(example.assist, ai, ear, mouth)
        await ear.hears(TIDE)
        with anyio.fail_after(LATE):
            await mouth.speaks.wait()
            assert [] == mouth.flushed
            await ear.hears(FERRY)
            while not mouth.flushed or len(mouth.said) == mouth.flushed[0]:
                await anyio.sleep(0.01)
        ear.put.close()

    assert 1 == len(mouth.flushed)
    assert FERRY in heard(mouth.said[mouth.flushed[0] :], 24_000)
    asked = [str(one.json) for one in vendors["openai"].requests]
    assert 2 == len(asked)
    assert TIDE in asked[1]


async def test_an_interruption_while_it_thinks(example, settings, vendors):
    """Nothing is spoken of it, and its connection is closed."""
    ear, mouth = Ear(), Mouth()
    asked, may_go_on = anyio.Event(), threading.Event()
    token = anyio.lowlevel.current_token()

    def hold(_, piece):
        if not asked.is_set():
            anyio.from_thread.run_sync(asked.set, token=token)
        may_go_on.wait(LATE)
        return piece

    vendors["openai"].script(Rewrite(hold))
    async with Client(settings) as ai, anyio.create_task_group() as tasks:
        tasks.start_soon(example.assist, ai, ear, mouth)
        await ear.hears(TIDE)
        with anyio.fail_after(LATE):
            await asked.wait()
            await ear.hears(FERRY)
            while not mouth.flushed:
                await anyio.sleep(0.01)
            may_go_on.set()
            await mouth.speaks.wait()
        ear.put.close()

    assert TIDE not in heard(mouth.said, 24_000)
    assert FERRY in heard(mouth.said, 24_000)


async def test_cancelling_leaves_nothing(example, settings, vendors, tmp_path, nothing_is_left):
    """Ctrl-C in the middle of an answer: no task, no connection, no half a file."""
    ear, mouth = Ear(), Mouth()
    mouth.is_slow = True
    async with Client(settings) as ai, anyio.create_task_group() as tasks:
        tasks.start_soon(example.assist, ai, ear, mouth)
        await ear.hears(TIDE)
        with anyio.fail_after(LATE):
            await mouth.speaks.wait()
        tasks.cancel_scope.cancel()


def test_the_guide_shows_the_program():
    """Word for word, so that what is read is what was tested."""
    module = FILE.read_text("utf-8")
    body = module[module.index("async def assist") : module.index("async def main")].strip()

    assert body in (DOCS / "using.md").read_text("utf-8")
    code = [line for line in body.splitlines()[2:] if line.strip(" ()[]{},:")]
    assert len(code) <= 20


def test_it_takes_what_devices_give(example):
    """The program is run by its arguments: none for devices, two for files."""
    assert ["said", "answered"] == list(inspect.signature(example.main).parameters)


CARDS = """
pcm.nothing { type null }
pcm.tape { type file slave.pcm "nothing" file "%s" format raw }
"""
WITH_A_CARD = """
import anyio
from anymodal.devices import Microphone, Speaker
from anymodal.errors import ConfigurationError

async def main():
    async with Microphone(device="nothing") as ear:
        size = 0
        async for data in ear:
            size += len(data)
            if size >= 32_000:
                break
    async with Speaker(device="tape") as mouth:
        for _ in range(100):
            await mouth.play(bytes([1, 2]) * 240)
    print("played")

try:
    anyio.run(main, backend="%s")
except ConfigurationError as error:
    print(error)
"""


def test_with_portaudio_itself(tmp_path, anyio_backend):
    """On ALSA's devices without a card; where PortAudio is missing, by name what is."""
    tape = tmp_path / "tape.raw"
    (tmp_path / ".asoundrc").write_text(CARDS % tape)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITH_A_CARD % anyio_backend],
        env={**os.environ, "HOME": str(tmp_path)},
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    if tape.exists():
        assert "played\n" == done.stdout
        assert 24_000 == tape.read_bytes().count(bytes([1, 2]))
    else:
        assert "PortAudio" in done.stdout or "sound device" in done.stdout


class Card:
    """A sound card that plays what it is given when a test says so."""

    latency = 0.0

    def __init__(self, **settings):
        self.fill = settings["callback"]

    def start(self):
        pass

    def close(self):
        pass

    def plays(self, seconds):
        """Let it play so much, and return that."""
        out = bytearray(round(seconds * 24_000) * 2)
        self.fill(out, 0, None, None)
        return bytes(out)


class Cards:
    """A library with one card."""

    PortAudioError = OSError

    def RawOutputStream(self, **settings):  # noqa: N802  # as the library has it
        self.card = Card(**settings)
        return self.card


async def test_a_conversation_is_told_what_the_speaker_played(vendors):
    """Of the answer that was interrupted alone, to the millisecond, whatever was sent ahead."""
    cards, vendor = Cards(), vendors["openai"]
    async with (
        Client(Settings.from_mapping(vendor.settings())) as ai,
        ai.realtime.open(model="openai/gpt-realtime-2.1") as session,
    ):
        mouth = await Speaker(session.output_format, held_seconds=60, library=cards).start()
        for words in ("Hello", "emulator:long"):
            size = 0
            await session.send_text(words)
            async for event in session:
                if isinstance(event, AudioOut):
                    size += len(event.data)
                    await mouth.play(event.data, event.item_id)
                if isinstance(event, ResponseDone) or (words != "Hello" and size > 24_000):
                    break
            if words == "Hello":
                await anyio.to_thread.run_sync(cards.card.plays, size / 48_000)
        played = await anyio.to_thread.run_sync(cards.card.plays, 0.36)
        await session.interrupt(played=mouth.flush())
        assert bytes(240) == await anyio.to_thread.run_sync(cards.card.plays, 0.005)
        await mouth.aclose()

    assert 6 == len(heard(played, 24_000))
    messages = [json.loads(one) for one in vendor.requests[-1].messages]
    assert [360] == [one["audio_end_ms"] for one in messages if "audio_end_ms" in one]
