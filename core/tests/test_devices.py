"""Microphones and speakers, with cards that a test drives; and files in their place."""

import asyncio
import math
import os
import wave

import anyio
import pytest
from anymodal import errors as e
from anymodal.devices import Microphone, Speaker, WavReader, WavWriter
from anymodal.devices.library import loaded
from anymodal.modalities.live import AudioFormat
from anymodal.modalities.sounds import SoundFormat

from .cards import FakeCards
from .clocks import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def in_thread(do, *args):
    return await anyio.to_thread.run_sync(do, *args)


# -- what has to be there -----------------------------------------------------------------


def test_without_the_extra():
    """It says what to install."""

    def missing(name):
        raise ImportError(name)

    with pytest.raises(e.ConfigurationError, match=r"anymodal\[devices\]"):
        loaded(missing)


def test_without_portaudio():
    """On Linux the library does not bring it along."""

    def missing(name):
        msg = "PortAudio library not found"
        raise OSError(msg)

    with pytest.raises(e.ConfigurationError, match="libportaudio2"):
        loaded(missing)


def test_with_both():
    """Whatever is imported is used."""
    assert loaded(lambda name: name) == "sounddevice"


@pytest.mark.parametrize("kind", [Microphone, Speaker])
@pytest.mark.parametrize(
    "trouble",
    [
        {"fault": FakeCards.PortAudioError("Invalid sample rate")},
        {"fault": ValueError("No input device matching 'here'")},
        {"start_fault": FakeCards.PortAudioError("Device unavailable")},
        {"fault": FakeCards.PortAudioError()},
    ],
    ids=str,
)
async def test_devices_that_cannot_be_used(kind, trouble):
    """The error says why, and how to see which there are; nothing stays open."""
    cards = FakeCards(**trouble)
    with pytest.raises(e.ConfigurationError, match="python -m sounddevice"):
        async with kind(library=cards):
            raise AssertionError
    assert all(card.is_closed for card in cards.cards if "start_fault" not in trouble)


@pytest.mark.parametrize("kind", [Microphone, Speaker])
async def test_what_cards_do_not_pack(kind):
    """They have samples, and nothing compressed."""
    with pytest.raises(e.InvalidRequestError, match="opus"):
        kind("opus_48000")
    async with kind("pcm_f32le_8000", device="here", library=(cards := FakeCards())) as one:
        assert "pcm_f32le at 8000 Hz" == str(one.format)
    asked = cards.card.settings
    assert (8000, 1, "float32", "here") == tuple(
        asked[name] for name in ("samplerate", "channels", "dtype", "device")
    )


# -- microphones --------------------------------------------------------------------------


async def test_what_a_microphone_hears_comes_in_order():
    """From the card's thread, with nothing lost between two reads."""
    cards, found = FakeCards(), []
    async with Microphone(library=cards) as ear:

        def hear():
            for number in range(100):
                cards.card.call(bytes([number, 0]))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_thread, hear)
            async for data in ear:
                found.append(data[0])
                if len(found) == 100:
                    break

    assert list(range(100)) == found
    assert cards.card.is_closed
    assert (0.0, 0) == (ear.lost_seconds, ear.overflows)


async def test_a_slow_reader_misses_the_oldest():
    """By default: who speaks now is to be heard now. How much is counted."""
    cards = FakeCards()
    async with Microphone("pcm_s16le_8000", held_seconds=1, library=cards) as ear:
        for one in b"abc":
            await in_thread(cards.card.call, bytes([one]) * 8_000)

        assert b"b" * 8000 == await anext(ear)
        assert b"c" * 8000 == await anext(ear)
    assert 0.5 == ear.lost_seconds


async def test_the_card_can_be_held_up():
    """Then it forgets sound itself, and says that it did."""
    cards = FakeCards()
    async with Microphone("pcm_s16le_8000", held_seconds=1, when_full="wait", library=cards) as ear:
        for one in b"ab":
            await in_thread(cards.card.call, bytes([one]) * 8_000)
        held_up = cards.card.begin(b"c" * 8_000)
        await in_thread(held_up.join, 0.05)
        assert held_up.is_alive()

        assert b"a" * 8000 == await anext(ear)
        await in_thread(held_up.join, 10)
        assert not held_up.is_alive()
        await anext(ear)
        await in_thread(lambda: cards.card.call(b"d" * 2, overflow=True))
        assert b"c" * 8000 == await anext(ear)
        assert b"d" * 2 == await anext(ear)
    assert (0.0, 1) == (ear.lost_seconds, ear.overflows)


async def test_closing_lets_a_card_go_that_is_held_up():
    """Else its thread would wait for ever."""
    cards = FakeCards()
    async with Microphone("pcm_s16le_8000", held_seconds=1, when_full="wait", library=cards):
        await in_thread(cards.card.call, bytes(16_000))
        held_up = cards.card.begin(bytes(2))
    await in_thread(held_up.join, 10)

    assert not held_up.is_alive()


async def test_closing_ends_reading():
    """Also by another task, and what was heard is still given."""
    cards = FakeCards()
    ear = await Microphone(library=cards).start()
    assert ear is await ear.start()
    assert 1 == len(cards.cards)
    found = []
    async with anyio.create_task_group() as tasks:

        async def read():
            found.extend([data async for data in ear])

        tasks.start_soon(read)
        await in_thread(cards.card.call, b"ab")
        await anyio.wait_all_tasks_blocked()
        await ear.aclose()
        await ear.aclose()

    assert [b"ab"] == found


async def test_a_microphone_that_is_unplugged():
    """What it heard before is given, and then an error."""
    cards = FakeCards()
    async with Microphone(library=cards) as ear:
        await in_thread(cards.card.call, b"ab")
        await in_thread(cards.card.stops)

        assert b"ab" == await anext(ear)
        for _ in range(2):
            with pytest.raises(e.ConfigurationError, match="unplugged"):
                await anext(ear)


async def test_a_microphone_has_to_be_open():
    """And its policy to be one."""
    with pytest.raises(e.ConfigurationError, match="async with"):
        await anext(Microphone())
    with pytest.raises(e.InvalidRequestError, match="when_full"):
        Microphone(when_full="explode")
    await Microphone().aclose()


async def test_reading_may_be_cancelled():
    """No sound is lost by it."""
    cards = FakeCards()
    async with Microphone(library=cards) as ear:
        with anyio.move_on_after(0.01):
            await anext(ear)
        await in_thread(cards.card.call, b"ab")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(ear)

        assert b"ab" == await anext(ear)


def test_a_card_may_hear_after_the_loop_has_ended(anyio_backend):
    """Its thread does not ask; the program has ended."""
    cards = FakeCards()

    async def forget():
        return await Microphone(library=cards).start()

    anyio.run(forget, backend=anyio_backend)
    cards.card.call(b"ab")


# -- speakers -----------------------------------------------------------------------------


async def test_what_is_played_reaches_the_card():
    """Samples whole, silence where there is nothing."""
    cards = FakeCards()
    async with Speaker(library=cards) as mouth:
        for data in (b"abc", b"def", b"g"):
            await mouth.play(data)

        assert b"abcd" == await in_thread(cards.card.wants, 4)
        assert b"ef\0\0" == await in_thread(cards.card.wants, 4)
        assert b"\0\0\0\0" == await in_thread(cards.card.wants, 4)
    assert cards.card.is_closed


async def test_playing_waits_while_enough_is_held():
    """So that a vendor who is faster than sound is held back."""
    cards, has_played = FakeCards(), anyio.Event()
    async with Speaker("pcm_s16le_8000", held_seconds=1, library=cards) as mouth:

        async def play():
            await mouth.play(bytes(40_000))
            has_played.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(play)
            for _ in range(2):
                await anyio.wait_all_tasks_blocked()
                assert not has_played.is_set()
                await in_thread(cards.card.wants, 12_000)
            await has_played.wait()
        assert 3.0 == mouth.flush() * 2


async def test_falling_silent_forgets_what_waits_for_room():
    """Otherwise the rest of an answer would be heard after its interruption."""
    cards = FakeCards()
    async with Speaker("pcm_s16le_8000", held_seconds=1, library=cards) as mouth:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(mouth.play, b"a" * 40_000)
                await anyio.wait_all_tasks_blocked()
                mouth.flush()
        assert bytes(4_000) == await in_thread(cards.card.wants, 4_000)

        await mouth.play(b"b" * 4_000)
        assert b"b" * 4_000 == await in_thread(cards.card.wants, 4_000)


@pytest.mark.parametrize("kind", [Microphone, Speaker])
@pytest.mark.parametrize("seconds", [0, -1, 0.001, math.nan, math.inf])
def test_devices_hold_a_piece_at_least(kind, seconds):
    """A speaker that holds nothing would wait for ever, and a microphone hear nothing."""
    with pytest.raises(e.InvalidRequestError, match=r"held_seconds: 0\.0"):
        kind(held_seconds=seconds)


async def test_a_device_that_was_unplugged_may_be_used_again():
    """Plugged in and entered anew, it begins anew."""
    cards = FakeCards()
    ear, mouth = Microphone(library=cards), Speaker(library=cards)
    for device in (ear, mouth):
        await device.start()
        if device is ear:
            await in_thread(cards.card.call, b"old!")
        else:
            await mouth.play(b"x")
        await in_thread(cards.card.stops)
        await device.aclose()
    async with ear:
        await in_thread(cards.card.call, b"new!")
        assert b"new!" == await anext(ear)
        await ear.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(ear)
    await mouth.start()
    await mouth.play(b"abcd")
    assert b"abcd" == await in_thread(cards.card.wants, 4)
    await mouth.aclose()


async def test_an_interruption_tells_what_was_heard():
    """The rest is silent at once, and the next answer counts from its beginning."""
    cards = FakeCards()
    async with Speaker("pcm_s16le_8000", library=cards) as mouth:
        await mouth.play(b"a" * 16_000)
        await in_thread(cards.card.wants, 4_000)
        assert 0.25 == mouth.played
        assert 0.25 == mouth.flush()
        assert bytes(4_000) == await in_thread(cards.card.wants, 4_000)

        await mouth.play(b"b" * 4_000)
        await in_thread(cards.card.wants, 8_000)
        assert 0.25 == mouth.flush()
        assert 0.0 == mouth.flush()


async def test_what_is_still_under_way_in_the_card_was_not_heard():
    """A card that is late says by how much."""
    cards = FakeCards(latency=0.5)
    async with Speaker("pcm_s16le_8000", library=cards) as mouth:
        await mouth.play(b"a" * 16_000)
        await in_thread(cards.card.wants, 4_000)
        assert 0.0 == mouth.played
        await in_thread(cards.card.wants, 8_000)
        assert 0.25 == mouth.played
        await in_thread(cards.card.wants, 8_000)
        assert 0.75 == mouth.played
        await in_thread(cards.card.wants, 8_000)
        assert 1.0 == mouth.flush()


async def test_answers_are_told_apart_by_their_ids():
    """As a conversation has them: one may follow another without a pause."""
    cards = FakeCards()
    async with Speaker("pcm_s16le_8000", library=cards) as mouth:
        await mouth.play(b"a" * 8_000, "one")
        await mouth.play(b"b" * 8_000, "two")
        await in_thread(cards.card.wants, 8_000)
        assert 0.0 == mouth.played
        await in_thread(cards.card.wants, 4_000)
        assert 0.25 == mouth.flush()


async def test_draining_waits_for_the_last_of_it():
    """Also for what the card has not given out yet."""
    cards, has_drained = FakeCards(latency=0.5), anyio.Event()
    async with Speaker("pcm_s16le_8000", library=cards) as mouth:
        await mouth.drain()  # nothing was played
        await mouth.play(b"a" * 8_000)

        async def drain():
            await mouth.drain()
            has_drained.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drain)
            for is_over in (False, True):
                await in_thread(cards.card.wants, 8_000)
                await anyio.wait_all_tasks_blocked()
                assert is_over is has_drained.is_set()
        assert 0.0 == mouth.played


async def test_silence_before_an_answer_is_none_after_it():
    """A late card still has the end of it."""
    cards, has_drained = FakeCards(latency=0.5), anyio.Event()
    async with Speaker("pcm_s16le_8000", library=cards) as mouth:
        await in_thread(cards.card.wants, 16_000)
        await mouth.play(b"a" * 8_000)
        await in_thread(cards.card.wants, 8_000)

        async def drain():
            await mouth.drain()
            has_drained.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drain)
            await anyio.wait_all_tasks_blocked()
            assert not has_drained.is_set()
            await in_thread(cards.card.wants, 8_000)


async def test_leaving_plays_what_is_left():
    """Unless by an error."""
    cards = FakeCards()
    rest = []
    async with anyio.create_task_group() as tasks:

        async def play_on():
            rest.append(await in_thread(cards.card.wants, 4))
            await in_thread(cards.card.wants, 4)

        async with Speaker(library=cards) as mouth:
            await mouth.play(b"abcd")
            tasks.start_soon(play_on)
    assert [b"abcd"] == rest

    with pytest.raises(KeyError):
        async with Speaker(library=cards) as mouth:
            await mouth.play(b"abcd")
            raise KeyError
    assert cards.card.is_closed


async def test_a_speaker_that_is_unplugged():
    """Who waits for it is told."""
    cards = FakeCards()
    with pytest.raises(e.ConfigurationError, match="unplugged"):
        async with Speaker(library=cards) as mouth:
            await mouth.play(b"abcd")
            await in_thread(cards.card.stops)
            await mouth.drain()


async def test_a_speaker_has_to_be_open():
    """Before, and after; falling silent is always possible."""
    cards = FakeCards()
    mouth = Speaker(library=cards)
    assert 0.0 == mouth.flush()
    for _ in range(2):
        with pytest.raises(e.ConfigurationError, match="async with"):
            await mouth.play(b"ab")
        async with mouth:
            assert mouth is await mouth.start()
    await Speaker().aclose()


# -- files --------------------------------------------------------------------------------


def wav(path, seconds=1.0, rate=8000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(range(250)) * math.ceil(seconds * rate * width / 250))
    return path


async def test_a_file_is_read_out(tmp_path):
    """All of it, in pieces, and as fast as it is read."""
    async with WavReader(wav(tmp_path / "a.wav")) as ear:
        assert ear is await ear.start()
        assert "pcm_s16le at 8000 Hz" == str(ear.format)
        found = [data async for data in ear]

    assert 10 == len(found)
    assert bytes(range(250)) * 64 == b"".join(found)


async def test_a_file_is_read_out_in_its_time(tmp_path):
    """As it was spoken, or faster; who is late catches up."""
    clock = FakeClock()
    async with WavReader(wav(tmp_path / "a.wav"), pace=2, clock=clock) as ear:
        before = clock.now()
        for number in range(10):
            await anext(ear)
            assert number * 0.05 == pytest.approx(clock.now() - before)
            if number == 5:
                await clock.sleep(0.06)
                await anext(ear)
                break
        assert 0.31 == pytest.approx(clock.now() - before)


async def test_files_that_are_none(tmp_path):
    """Nor with other samples; nor one that is not open."""
    (tmp_path / "b.wav").write_bytes(b"no sound")
    for file in (tmp_path / "b.wav", wav(tmp_path / "c.wav", width=1)):
        with pytest.raises(e.InvalidRequestError, match="16 bits"):
            async with WavReader(file):
                raise AssertionError
    with pytest.raises(e.ConfigurationError, match="async with"):
        await anext(WavReader(file))
    with pytest.raises(e.InvalidRequestError, match="pace"):
        WavReader(file, pace=0)
    with pytest.raises(FileNotFoundError):
        await WavReader(tmp_path / "nowhere.wav").start()
    await WavReader(file).aclose()


async def test_what_is_played_into_a_file(tmp_path):
    """It opens, and has all of it."""
    file = tmp_path / "a.wav"
    async with WavWriter(file, "pcm_s16le_8000") as mouth:
        for data in (b"abc", b"defg", b"h"):
            await mouth.play(data)
        assert 4 / 8000 == mouth.flush()
        await mouth.play(b"ij", "one")
        await mouth.play(b"klmn", "two")
        assert 2 / 8000 == mouth.played
        await mouth.drain()
        assert 0.0 == mouth.played
        assert not file.exists()

    with wave.open(str(file)) as found:
        assert (1, 2, 8000, 7) == found.getparams()[:4]
        assert b"abcdefghijklmn" == found.readframes(100)
    assert [file] == list(tmp_path.iterdir())


async def test_a_file_that_is_not_finished_is_none(tmp_path):
    """The one that was there stays."""
    file = tmp_path / "a.wav"
    file.write_bytes(b"before")
    with pytest.raises(KeyError):
        async with WavWriter(file) as mouth:
            await mouth.play(b"abcd")
            raise KeyError
    with anyio.CancelScope() as scope:
        async with WavWriter(file) as mouth:
            scope.cancel()
            await mouth.play(b"abcd")
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with WavWriter(file) as mouth:
            await mouth.play(b"abcd")

    assert b"before" == file.read_bytes()
    assert [file] == list(tmp_path.iterdir())


async def test_cancelling_leaves_no_file_half_written(tmp_path, anyio_backend):
    """Also where the task is cancelled while the file is opened."""
    if anyio_backend == "asyncio":
        task = asyncio.create_task(WavWriter(tmp_path / "a.wav").__aenter__())
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with anyio.CancelScope() as scope:
            async with WavWriter(tmp_path / "a.wav"):
                scope.cancel()
                await anyio.sleep_forever()

    assert [] == list(tmp_path.iterdir())


async def test_cancelling_leaves_no_file_open(tmp_path, anyio_backend):
    """Where the task is cancelled while the file is opened, nobody else would close it."""
    sound, pipe = wav(tmp_path / "a.wav").read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)  # opening it waits for who writes
    ear = WavReader(pipe)
    if anyio_backend == "asyncio":
        task = asyncio.create_task(ear.start())
        await anyio.wait_all_tasks_blocked()
        task.cancel()
        await anyio.wait_all_tasks_blocked()
        assert not task.done()
        await in_thread(pipe.write_bytes, sound)
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_thread, pipe.write_bytes, sound)
            with anyio.CancelScope() as scope:
                scope.cancel()
                async with ear:
                    await anyio.sleep_forever()

    with pytest.raises(e.ConfigurationError, match="not open"):
        await anext(ear)


async def test_files_that_cannot_be_written(tmp_path):
    """Or not yet, or not so."""
    with pytest.raises(FileNotFoundError):
        async with WavWriter(tmp_path / "nowhere" / "a.wav"):
            raise AssertionError
    with pytest.raises(e.ConfigurationError, match="async with"):
        await WavWriter(tmp_path / "a.wav").play(b"ab")
    with pytest.raises(e.InvalidRequestError, match="mulaw"):
        WavWriter(tmp_path / "a.wav", "mulaw_8000")
    await WavWriter(tmp_path / "a.wav").__aexit__(None, None, None)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("packing", "name"),
    [
        (AudioFormat(rate=24_000), "pcm_24000"),
        (AudioFormat("mulaw", rate=8_000), "ulaw_8000"),
        (AudioFormat("alaw", rate=8_000), "alaw_8000"),
    ],
    ids=str,
)
def test_speech_is_asked_for_as_a_speaker_is_packed(packing, name):
    """One says it once."""
    assert SoundFormat.parse(name) == SoundFormat.parse(packing)


@pytest.mark.parametrize(
    "packing", [AudioFormat("pcm_f32le"), AudioFormat("opus"), AudioFormat(channels=2)], ids=str
)
def test_what_speech_is_not_packed_as(packing):
    """Two channels, say: nothing is guessed."""
    with pytest.raises(e.InvalidRequestError, match=r"Hz"):
        SoundFormat.parse(packing)
