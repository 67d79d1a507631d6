"""Turns: what somebody says is answered turn by turn, and may be interrupted."""

from contextlib import asynccontextmanager

import anyio
import pytest
from anymodal import errors as e
from anymodal.modalities.live import Partial, SpeechStarted, Transcript, TurnEnded
from anymodal.modalities.transcription import TranscriptionEnd

from .test_transcription import client

pytestmark = pytest.mark.anyio

SAID = {
    b"noise": [SpeechStarted(0.0)],
    b"one..": [SpeechStarted(0.0), Partial("On"), Transcript("One."), TurnEnded(1.0)],
    b"two..": [SpeechStarted(2.0), Transcript("Two "), Transcript(" more."), TurnEnded(3.0)],
    b"open.": [Partial("and"), Transcript("And so")],
    b"both.": [Transcript("One."), TurnEnded(1.0), Transcript("Two."), TurnEnded(2.0)],
    b"quiet": [Partial("  "), TurnEnded(4.0)],
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Session:
    def __init__(self, fault):
        self.fault, self.heard = fault, []
        self.put, self.got = anyio.create_memory_object_stream(1000)

    async def send(self, data):
        self.heard.append(data)
        if data == b"fault":
            raise self.fault
        for event in SAID[data]:
            await self.put.send(event)

    async def finish(self):
        await self.put.send(TranscriptionEnd())

    async def __aiter__(self):
        async for event in self.got:
            if isinstance(event, Exception):
                raise event
            yield event


class Hears:
    """Hears what `SAID` says of each piece."""

    def __init__(self, fault=None):
        self.fault, self.sessions, self.left = fault, [], 0

    @asynccontextmanager
    async def live(self, _):
        session = Session(self.fault)
        self.sessions.append(session)
        try:
            yield session
        finally:
            self.left += 1
            session.put.close()
            session.got.close()


class Tap:
    """Sound that a test lets go piece by piece."""

    def __init__(self, *pieces):
        self.put, self.got = anyio.create_memory_object_stream(100)
        self.taken = []
        for one in pieces:
            self.put.send_nowait(one)

    def end(self):
        self.put.close()

    async def __aiter__(self):
        try:
            async for one in self.got:
                self.taken.append(one)
                yield one
        finally:
            self.put.close()
            self.got.close()


async def pieces(*found):
    for one in found:
        yield one


@asynccontextmanager
async def hearing(sound, hears=None, **how):
    hears = hears or Hears()
    async with client(hears) as ai, ai.transcription.live(format="mulaw_8000") as session:
        async with session.turns(sound, **how) as turns:
            yield turns
    assert 1 == hears.left


async def settled():
    """Let every task go as far as it can."""
    for _ in range(3):
        await anyio.wait_all_tasks_blocked()


async def test_each_turn_has_its_words():
    """Parts are joined; what nobody ended, the end of the sound ends."""
    found = []
    async with hearing(pieces(b"one..", b"two..", b"open."), while_answering="wait") as turns:
        async for turn in turns:
            with turn.answering():
                found.append(turn)

    assert ["One.", "Two more.", "And so"] == [one.text for one in found]
    assert [1, 2, 1] == [len(one.transcripts) for one in found]
    assert not any(one.is_interrupted for one in found)
    assert "Turn('One.')" == repr(found[0])


async def test_silence_is_no_turn():
    """A vendor may say that a turn has ended in which nobody said a word."""
    async with hearing(pieces(b"noise", b"quiet")) as turns:
        assert [] == [one.text async for one in turns]


@pytest.mark.parametrize("spoken", [b"noise", b"open.", b"two.."])
async def test_speaking_interrupts_an_answer(spoken):
    """By any sign of speech, and the block is left while the program goes on."""
    sound, reached = Tap(b"one.."), []
    async with hearing(sound) as turns:
        turn = await anext(turns)
        with turn.answering():
            await sound.put.send(spoken)
            await anyio.sleep_forever()
        reached.append(turn.is_interrupted)
        sound.end()
        rest = [one.text async for one in turns]

    assert [True] == reached
    assert {b"noise": [], b"open.": ["And so"], b"two..": ["Two more."]}[spoken] == rest


async def test_what_nobody_began_to_answer_is_part_of_the_next():
    """Who speaks on has not finished."""
    sound = Tap(b"one..", b"two..")
    async with hearing(sound) as turns:
        await settled()
        sound.end()

        assert ["One. Two more."] == [one.text async for one in turns]


async def test_a_turn_is_not_given_while_somebody_speaks_on():
    """It would have to be interrupted at once."""
    sound = Tap(b"one..", b"open.")
    found = []
    async with hearing(sound) as turns, anyio.create_task_group() as tasks:
        await settled()

        async def take():
            found.append(await anext(turns))

        tasks.start_soon(take)
        await settled()
        assert [] == found
        await sound.put.send(b"two..")

    assert "One. And so Two more." == found[0].text


async def test_words_between_a_turn_and_its_answer():
    """The answer is not begun, and the next turn is there."""
    sound, reached = Tap(b"one.."), []
    async with hearing(sound) as turns:
        turn = await anext(turns)
        await sound.put.send(b"open.")
        await settled()
        with turn.answering():
            await anyio.sleep_forever()
        reached.append(turn.is_interrupted)
        sound.end()
        assert "And so" == (await anext(turns)).text

    assert [True] == reached


async def test_an_interruption_is_no_cancellation_of_others():
    """Somebody else who cancels is not held off, nor taken for a speaker."""
    sound = Tap(b"one..")
    with anyio.CancelScope() as scope:
        async with hearing(sound) as turns:
            turn = await anext(turns)
            with turn.answering():
                scope.cancel()
                await anyio.sleep_forever()

    assert scope.cancelled_caught
    assert not turn.is_interrupted
    turn.interrupt()
    assert not turn.is_interrupted


async def test_sound_waits_where_it_comes_from():
    """A file is read no further while a turn is answered, or is to be."""
    sound = Tap(b"one..", b"two..", b"open.")
    async with hearing(sound, while_answering="wait") as turns:
        turn = await anext(turns)
        with turn.answering():
            before = len(sound.taken)
            await settled()
            await sound.put.send(b"quiet")
            await settled()
            assert len(sound.taken) <= before + 1
        sound.end()
        rest = [one.text async for one in turns]

    assert ["Two more.", "And so"] == rest
    assert [b"one..", b"two..", b"open.", b"quiet"] == sound.taken


async def test_turns_may_be_read_without_being_answered():
    """Whoever only writes down what is said asks for the next turn; sound waits no longer then."""
    sound = Tap(b"one..")
    with anyio.fail_after(5):
        async with hearing(sound, while_answering="wait") as turns:
            await settled()
            await sound.put.send(b"two..")
            sound.end()
            await settled()
            found = [one.text async for one in turns]

    assert ["One.", "Two more."] == found


@pytest.mark.parametrize(("meanwhile", "turns"), [("wait", 2), ("ignore", 2), ("listen", 1)])
async def test_turns_that_come_together_are_one_for_who_listens(meanwhile, turns):
    """Whoever waits or is deaf meanwhile answers each; who listens answers what was said last."""
    async with hearing(pieces(b"both."), while_answering=meanwhile) as found:
        await settled()
        said = [one.text async for one in found]

    assert turns == len(said)
    assert "One. Two." == " ".join(said)


async def test_sound_is_thrown_away():
    """An open microphone hears the speaker."""
    sound, hears = Tap(b"one.."), Hears()
    async with hearing(sound, hears, while_answering="ignore") as turns:
        turn = await anext(turns)
        with turn.answering():
            await sound.put.send(b"two..")
            await settled()
        await sound.put.send(b"open.")
        sound.end()
        rest = [one.text async for one in turns]

    assert ["And so"] == rest
    assert [b"one..", b"open."] == hears.sessions[0].heard


async def test_what_the_sound_raises_is_raised_where_turns_are_awaited():
    """After those that were whole."""

    async def unplugged():
        yield b"one.."
        msg = "unplugged"
        raise e.ConfigurationError(msg)

    async with hearing(unplugged()) as turns:
        assert "One." == (await anext(turns)).text
        for _ in range(2):
            with pytest.raises(e.ConfigurationError, match="unplugged"):
                await anext(turns)


async def test_a_session_that_cannot_be_told():
    """Who reads is told, though the vendor says nothing more."""
    sound, hears = Tap(b"one.."), Hears(fault=e.ServerError("no ears"))
    async with hearing(sound, hears) as turns:
        assert "One." == (await anext(turns)).text
        await sound.put.send(b"fault")
        with pytest.raises(e.ServerError, match="no ears"):
            await anext(turns)


async def test_a_session_that_breaks():
    """Sound is read no more then, and closed."""
    sound, hears = Tap(b"one.."), Hears()
    async with hearing(sound, hears) as turns:
        await anext(turns)
        await hears.sessions[0].put.send(e.OverloadedError("too much"))
        with pytest.raises(e.OverloadedError):
            await anext(turns)
        await settled()
        assert sound.got.statistics().open_receive_streams == 0


async def test_errors_of_the_block_are_its_own():
    """No group of exceptions is made of them, and the sound is closed."""
    sound = Tap(b"one..")
    with pytest.raises(KeyError, match="mine"):
        async with hearing(sound) as turns:
            await anext(turns)
            msg = "mine"
            raise KeyError(msg)

    assert 0 == sound.got.statistics().open_receive_streams


async def test_an_iterator_that_is_no_generator():
    """A microphone is one."""

    class Once:
        def __init__(self):
            self.left = [b"one.."]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    async with hearing(Once()) as turns:
        assert ["One."] == [one.text async for one in turns]


async def test_turns_have_to_be_entered():
    """As everything that has tasks."""
    async with client(Hears()) as ai, ai.transcription.live() as session:
        with pytest.raises(e.ConfigurationError, match="async with"):
            await anext(session.turns(pieces()))
        with pytest.raises(e.InvalidRequestError, match="while_answering"):
            session.turns(pieces(), while_answering="sleep")
