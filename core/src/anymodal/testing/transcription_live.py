"""The clauses of sound that is transcribed while it is spoken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import anyio

from .. import errors as e
from ..client import Client
from ..facades.listening import bind
from ..modalities.live import AudioFormat, Partial, SpeechStarted, Transcript, TurnEnded
from ..modalities.repacking import Repacking
from ..modalities.transcription import (
    Heard,
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
    TranscriptionRequest,
    TranscriptionResult,
)
from .asking import NOTHING
from .calls import LATE
from .clauses import clause
from .emulators import faults
from .provider import ProviderSuite
from .sounding import Samples, alike, left_behind, plain, said
from .stage import Stage

__all__ = ["TranscriptionLive"]

TALK: Final = "The lamp is lit. A ship passes by, and another one."
REST: Final = " Who sees it? The keeper does, from his tower on the rock."

MANY: Final = 16
"""Times that the talk is held, so that more events wait than the client holds."""

FLOOD: Final = 32
"""Megabytes of sound: more than any buffer between here and a vendor holds."""

DEAF: Final = 1.5
"""Seconds for which a vendor does not read."""

STUCK: Final = 0.5
"""Seconds after which a sender is taken to be held back."""


class OnlyLive:
    """A provider that cannot do more than listen live."""

    def __init__(self, provider: Any) -> None:
        self.live = provider.live


class TranscriptionLive(ProviderSuite):
    """What becomes of sound while it is spoken."""

    def sound(self, words: str) -> Samples:
        """Return somebody who says *words*."""
        raise NotImplementedError

    async def ask_live(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> TranscriptionResult:
        """Return what is heard of somebody, live."""
        return (await self.hear(ai, name, self.sound(question), timeout=timeout, **more))[1]

    async def hear(
        self,
        ai: Client,
        name: str,
        sound: Samples,
        *,
        pieces: Sequence[bytes] = (),
        **settings: Any,
    ) -> tuple[list[Heard], TranscriptionResult]:
        """Send all of *sound* while another task reads; return what came, and the whole."""
        found: list[Heard] = []
        settings = {"format": AudioFormat(rate=sound.rate), **settings}
        fault: list[Exception] = []
        async with (
            ai.transcription.live(model=name, **settings) as session,
            anyio.create_task_group() as tasks,
        ):

            async def read() -> None:
                try:
                    async for event in session:
                        found.append(event)  # noqa: PERF401  # some came where it then breaks
                except e.AnymodalError as error:
                    fault.append(error)

            tasks.start_soon(read)
            try:
                for piece in pieces or sound.pieces():
                    await session.send(piece)
                await session.finish()
            except e.AnymodalError as error:
                fault.append(error)
        if fault:
            raise fault[0]
        return found, await session.result()

    async def events(self, ai: Client, stage: Stage, sound: Samples) -> list[TranscriptionEvent]:
        """Return the events of a session, as the provider itself gives them."""
        request = LiveTranscriptionRequest(
            model=stage.model_spec, format=AudioFormat(rate=sound.rate)
        )
        found: list[TranscriptionEvent] = []
        async with (
            (await stage.provider(ai)).live(request) as listener,
            anyio.create_task_group() as tasks,
        ):

            async def read() -> None:
                found.extend([event async for event in listener])

            tasks.start_soon(read)
            for piece in sound.pieces():
                await listener.send(piece)
            await listener.finish()
        return found

    # -- what is heard --------------------------------------------------------------------

    @clause("transcription.live.ends-with-finals", "complete")
    async def test_the_last_words_are_there(self, stage: Stage, ai: Client) -> None:
        """The last words are there before the end: people stop when they have said them."""
        name, sound = stage.able("live"), self.sound(TALK)
        whole = await self.ask(ai, stage.name, TALK)
        live = (await self.hear(ai, name, sound))[1]
        if stage.vendor is None and live.segments and whole.segments:  # words of a draft's quality
            assert live.segments[-1].end > whole.segments[-1].end - 0.5, (
                f"{stage.id} heard words up to {whole.segments[-1].end} s, and live up to "
                f"{live.segments[-1].end}. Hear what is left when finish() was called."
            )
            return
        assert plain(live.text)[-1:] == plain(whole.text)[-1:], (
            f"{stage.id} heard {whole.text[-30:]!r} last, and live {live.text[-30:]!r}. Wait for "
            "the vendor's last words when finish() was called."
        )

    @clause("transcription.live.ends-in-one-end", "works")
    async def test_a_session_ends_in_one_end(self, stage: Stage, ai: Client) -> None:
        """The last event is a TranscriptionEnd, and the only one: else nobody knows that all came."""
        stage.able("live")
        events = await self.events(ai, stage, self.sound(TALK))
        ends = [at for at, event in enumerate(events, 1) if type(event) is TranscriptionEnd]
        assert ends == [len(events)], (
            f"{stage.id} gave {len(events)} events, of which a TranscriptionEnd are number {ends}."
        )

    @clause("transcription.live.finals-stay", "honest")
    async def test_finals_stay(self, stage: Stage, ai: Client) -> None:
        """What was final does not change, and does not come again: it was acted upon."""
        events, result = await self.hear(ai, stage.able("live"), self.sound(TALK))
        finals = [one for one in events if isinstance(one, Transcript)]
        back = [
            (one.text, other.text)
            for one, other in pairwise(finals)
            if other.start is not None and other.start < (one.end or 0.0) - 0.05
        ]
        assert not back, f"{stage.id} changed what was final: {back}. A Partial may change."
        whole = (await self.ask(ai, stage.name, TALK)).text
        many, once = len(plain(result.text)), len(plain(whole))
        assert many < 1.5 * once + 1, (
            f"{stage.id} heard {once} words, and live {many}: {result.text!r}. Give the words "
            "since the last Transcript."
        )

    @clause("transcription.live.agrees-with-transcribe", "works")
    async def test_live_and_whole_words_agree(self, stage: Stage, ai: Client) -> None:
        """A file that is read out live has its words: the core reads out where it must."""
        stage.able("live")
        whole = (await self.ask(ai, stage.name, TALK)).text
        request = TranscriptionRequest(model=stage.model_spec, audio=self.sound(TALK).wav())
        bound = bind(OnlyLive(await stage.provider(ai)))
        live = (await bound.transcribe(request)).text
        least = 0.9 if stage.vendor else 0.5  # of a draft's quality
        assert alike(whole, live) >= least, f"{stage.id} heard {whole!r}, and live {live!r}."

    @clause("transcription.live.comes-as-it-is-said", "complete")
    async def test_words_come_as_they_are_said(self, stage: Stage, ai: Client) -> None:
        """Something is heard before the speaker has finished, or nothing is gained."""
        name, sound, came = stage.able("live"), self.sound(TALK), []
        async with ai.transcription.live(
            model=name, format=AudioFormat(rate=sound.rate)
        ) as session:
            for piece in sound.pieces():
                await session.send(piece)
            with anyio.move_on_after(LATE):
                async for event in session:
                    came.append(event)
                    if isinstance(event, Partial | Transcript):
                        break
        assert any(isinstance(one, Partial | Transcript) for one in came), (
            f"{stage.id} was sent {sound.seconds:.1f} s of speech, and said nothing until it was "
            f"told of the end, but {came}. Ask the vendor for interim results."
        )

    @clause("transcription.live.tells-of-turns", "complete")
    async def test_turns_are_told_of(self, stage: Stage, ai: Client) -> None:
        """Who begins to speak, and who has finished, is told of: that is when one answers."""
        events, _ = await self.hear(ai, stage.able("live"), self.sound(TALK))
        kinds = [type(one).__name__ for one in events]
        told = [one for one in events if isinstance(one, SpeechStarted | TurnEnded)]
        turns = [type(one) for one in told]
        assert turns, f"{stage.id} tells of no turns: {kinds}."
        assert turns == [SpeechStarted, TurnEnded] * (len(turns) // 2), (
            f"{stage.id} says that turns begin and end as {[one.__name__ for one in turns]}. They "
            "begin, and then they end."
        )
        assert kinds.index("SpeechStarted") < _first(kinds, {"Partial", "Transcript"}), (
            f"{stage.id} gave words before it said that somebody speaks: {kinds}."
        )
        assert kinds[-1] == "TurnEnded", f"{stage.id} gave words after the last turn: {kinds}."
        times = [one.at for one in told if one.at is not None]
        assert times == sorted(times), f"{stage.id} tells of turns at {times}."

    @clause("transcription.live.has-no-empty-piece", "honest")
    async def test_no_words_are_empty(self, stage: Stage, ai: Client) -> None:
        """Every Partial and Transcript has words: an empty one is taken for an interruption."""
        sound = self.sound(TALK)
        pause = bytes(2 * int(0.06 * sound.rate) * 10)  # whole tones, which emulators read
        sound = Samples(pause + sound.data + pause, sound.rate)
        events, _ = await self.hear(ai, stage.able("live"), sound)
        told = [one for one in events if isinstance(one, Partial | Transcript)]
        assert told, f"{stage.id} heard nothing between two pauses."
        empty = [one for one in told if not one.text.strip()]
        assert not empty, f"{stage.id} gave {empty}. Leave out what has no words."

    # -- what is sent ---------------------------------------------------------------------

    @clause("transcription.live.takes-any-cut", "honest")
    async def test_any_cut_is_taken(self, stage: Stage, ai: Client) -> None:
        """However the sound is cut into pieces, the words are the same: devices differ."""
        name, sound = stage.able("live"), self.sound(TALK)
        texts = {}
        for size in (len(sound.data), 3200, 641):
            pieces = sound.pieces(size)
            texts[size] = (await self.hear(ai, name, sound, pieces=pieces))[1].text
        usual = texts[3200]
        wrong = {size: text for size, text in texts.items() if alike(text, usual) < 0.9}
        assert not wrong, f"{stage.id} heard {usual!r}, but in pieces of other sizes {wrong}."

    @clause("transcription.live.format.is-kept", "honest")
    async def test_each_format_is_heard(self, stage: Stage, ai: Client) -> None:
        """Sound is heard in each format that it takes; another is refused, nothing is sent."""
        name, sound, wrong = stage.able("live"), self.sound(TALK), []
        usual = (await self.hear(ai, name, sound))[1].text
        formats = [AudioFormat("pcm_f32le", rate=sound.rate)]
        if stage.vendor:
            formats += [AudioFormat(rate=rate) for rate in (8_000, 24_000, 48_000)]
        for packing in formats:
            given = self.sound(TALK) if packing.rate == sound.rate else said(TALK, packing.rate)
            turned = Repacking(AudioFormat(rate=given.rate), packing).feed(given.data)
            before = len(stage.requests)
            try:
                text = (await self.hear(ai, name, given, pieces=[turned], format=packing))[1].text
            except e.UnsupportedFeatureError:
                if len(stage.requests) != before:
                    wrong.append(f"{packing} was refused after it was sent")
                continue
            if alike(text, usual) < 0.9:
                wrong.append(f"{packing} was heard as {text!r}")
        assert not wrong, (
            f"{stage.id}: {'; '.join(wrong)}. Tell the vendor what request.format says, and put "
            "the `encodings` that it takes into the spec."
        )

    @clause("transcription.live.hears-both-ways", "honest")
    async def test_nothing_is_lost_that_waits(self, stage: Stage, ai: Client) -> None:
        """Sound may be sent while nobody reads, and read while nobody sends; nothing is lost."""
        name, sound = stage.able("live"), self.sound(TALK * MANY if stage.vendor else TALK)
        usual, _ = await self.hear(ai, name, sound)
        async with ai.transcription.live(
            model=name, format=AudioFormat(rate=sound.rate)
        ) as session:
            for piece in sound.pieces():
                await session.send(piece)
            await session.finish()
            await anyio.sleep(0.2)
            events = [event async for event in session]
        found = [one.text for one in events if isinstance(one, Transcript)]
        wanted = [one.text for one in usual if isinstance(one, Transcript)]
        assert found == wanted, (
            f"{stage.id} heard {len(wanted)} pieces while somebody read, and {len(found)} of what "
            "waited, or others. Keep what was not read yet, or let send() wait."
        )

    @clause("transcription.live.holds-back", "honest", needs_vendor=True)
    async def test_a_slow_vendor_is_waited_for(self, stage: Stage) -> None:
        """Who sends faster than the vendor reads has to wait, or memory grows with the sound."""
        name = stage.able("live")
        stage.play(faults().Deaf(DEAF))
        async with stage.client() as ai:
            sent = await flooded(ai.transcription.live(model=name))
        assert sent < FLOOD, (
            f"{stage.id} took {sent} MB of sound while its vendor read nothing. Let send() wait "
            "for the socket."
        )

    # -- its end --------------------------------------------------------------------------

    @clause("transcription.live.closes-when-left", "honest")
    async def test_a_session_that_is_left_is_closed(self, stage: Stage) -> None:
        """A live transcription that is left closes its socket, and leaves no task."""
        name, sound = stage.able("live"), self.sound(TALK)

        async def leave() -> None:
            packing = AudioFormat(rate=sound.rate)
            async with ai.transcription.live(model=name, format=packing) as session:
                for piece in sound.pieces()[:9]:
                    await session.send(piece)

        async with stage.client() as ai:
            left = await left_behind(stage, leave)
        assert not left, f"{stage.id} left {' and '.join(left)} of a session that was left."

    @clause("transcription.live.tells-a-broken-socket", "honest", needs_vendor=True)
    async def test_a_broken_session_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A session that breaks is an error with what was heard so far: the rest is lost."""
        name, cue, heard = stage.able("live"), faults().OnCue(), ""
        stage.play(cue)
        found: object = None
        try:
            async with ai.transcription.live(model=name) as session:
                for piece in self.sound(TALK).pieces():
                    await session.send(piece)
                with anyio.move_on_after(LATE):
                    async for event in session:
                        heard += event.text if isinstance(event, Transcript) else ""
                        if heard:
                            break
                cue.go()
                await anyio.sleep(0.1)
                for piece in self.sound(REST).pieces():
                    await session.send(piece)
                found = await session.result()
        except e.VendorError as error:
            partial = error.partial or ""
            assert heard, f"{stage.id} gave no Transcript of a sentence until the session's end."
            assert plain(heard)[0] in plain(partial), (
                f"{stage.id} had heard {heard!r} when its session broke, and its error has "
                f"{partial!r}. Give a Transcript for what is final."
            )
            return
        msg = f"{stage.id} lost its session and ended with {found!r}. Only the vendor ends one."
        raise AssertionError(msg)


async def flooded(session: Any) -> int:
    """Return how many megabytes *session* takes while its vendor reads nothing."""
    sent, silence = 0, bytes(1024 * 1024)
    try:
        async with session:
            send = getattr(session, "send_audio", None) or session.send
            while sent < FLOOD:
                with anyio.move_on_after(STUCK) as stuck:
                    await send(silence)
                if stuck.cancel_called:
                    break
                sent += 1
    except e.VendorError:
        return sent  # it broke where a message was cut off
    return sent


def _first(kinds: Sequence[str], wanted: Iterable[str]) -> int:
    return next((at for at, one in enumerate(kinds) if one in set(wanted)), len(kinds))
