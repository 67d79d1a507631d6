"""The clauses of conversations in whose midst something happens."""

from __future__ import annotations

from typing import Final

import anyio

from .. import errors as e
from ..client import Client
from ..facades.conversing import RealtimeSession
from ..modalities.live import AudioFormat, AudioOut, ResponseDone, SpeechStarted
from .calls import LATE
from .clauses import clause, not_applicable
from .emulators import faults
from .provider import ProviderSuite
from .sounding import left_behind, said
from .stage import Stage
from .transcription_live import DEAF, FLOOD, flooded

__all__ = ["RealtimeUnderWay", "aloud", "answered"]

ENDLESS: Final = "Tell it all: emulator:long"
"""What vendors on loopback do not end of themselves."""

PAUSE: Final = 1.5
"""Seconds of silence, which end a turn."""

BREATH: Final = 0.15
"""Seconds in which what belongs to an answer has come."""


def aloud(words: str, packing: AudioFormat) -> bytes:
    """Return somebody who says *words*, and then is silent."""
    if packing.encoding == "pcm_s16le":
        return said(words, packing.rate).data + bytes(int(PAUSE * packing.rate) * 2)
    loud = bytes((0x10, 0x90)) * (packing.rate * len(words) // 40)  # G.711: a whine
    quiet = b"\xff" if packing.encoding == "mulaw" else b"\xd5"
    return loud + quiet * int(PAUSE * packing.rate)


async def answered(session: RealtimeSession, *, settles: bool = False) -> list[object]:
    """
    Return what happens up to the end of an answer that asks for no tool.

    Args:
        session: The session.
        settles: Whether to wait a little for what may come after the end.
    """
    found: list[object] = []
    async for event in session:
        found.append(event)
        if isinstance(event, ResponseDone) and event.reason != "tool_calls":
            assert event.reason == "stop", f"the answer ended as {event.reason}: {event.error!r}"
            break
    else:
        msg = f"The session ended before the answer, after {found}."
        raise AssertionError(msg)
    if settles:
        with anyio.move_on_after(BREATH):
            async for event in session:
                found.append(event)  # noqa: PERF401  # what came before it is cancelled
    return found


async def to_sound(session: RealtimeSession) -> None:
    """Read up to the first sound of an answer that goes on."""
    async for event in session:
        if isinstance(event, AudioOut):
            return
        assert not isinstance(event, ResponseDone), f"an answer without sound: {event}"


class RealtimeUnderWay(ProviderSuite):
    """What becomes of a conversation in which somebody breaks in, leaves or hangs up."""

    async def end_of(self, session: RealtimeSession, stage: Stage) -> str:
        """Return how an answer ends that was broken off; empty where it does not."""
        with anyio.move_on_after(LATE):
            async for event in session:
                if isinstance(event, ResponseDone):
                    if event.reason == "stop":
                        not_applicable(f"{stage.id} ends every answer before it is interrupted")
                    return event.reason
        return ""

    @clause("realtime.waits-for-the-caller", "complete")
    async def test_it_waits_for_the_caller(self, stage: Stage, ai: Client) -> None:
        """Where the caller ends turns, it answers when it is told to, and not before."""
        async with ai.realtime.open(model=stage.name, turns="caller") as session:
            await session.send_audio(aloud(self.questions[0], session.input_format))
            early: list[object] = []
            with anyio.move_on_after(0.5):
                async for event in session:
                    early.append(event)  # noqa: PERF401  # what came before it is cancelled
            spoke = [one for one in early if isinstance(one, AudioOut | ResponseDone)]
            assert not spoke, f"{stage.id} was to wait for the caller's word, and answered."
            await session.commit()
            found = await answered(session)
        assert any(isinstance(one, AudioOut) for one in found), f"{stage.id} did not answer."

    @clause("realtime.hears-while-it-speaks", "complete")
    async def test_it_hears_while_it_speaks(self, stage: Stage, ai: Client) -> None:
        """What is said into an answer is heard while it goes on: people do not wait."""
        heard: object = None
        async with ai.realtime.open(model=stage.able("audio_output")) as session:
            await session.send_text(ENDLESS)
            await to_sound(session)
            with anyio.move_on_after(LATE):
                await session.send_audio(aloud(self.questions[0], session.input_format))
                async for event in session:
                    if isinstance(event, SpeechStarted):
                        heard = event
                        break
                    if isinstance(event, ResponseDone):
                        break
        assert heard, (
            f"{stage.id} was spoken to while it spoke, and did not say so. Let send() and the "
            "events go on side by side."
        )

    @clause("realtime.is-interrupted", "complete")
    async def test_it_is_interrupted(self, stage: Stage, ai: Client) -> None:
        """An interrupted answer stops: it would be billed, and talked over."""
        async with ai.realtime.open(model=stage.able("audio_output")) as session:
            await session.send_text(ENDLESS)
            await to_sound(session)
            await session.interrupt()
            reason = await self.end_of(session, stage)
        assert reason == "interrupted", (
            f"{stage.id} was interrupted, and the answer ended as {reason or 'nothing'}. Cancel it "
            "at the vendor's, and say ResponseDone(reason='interrupted')."
        )

    @clause("realtime.tells-how-much-was-heard", "complete", needs_vendor=True)
    async def test_it_tells_how_much_was_heard(self, stage: Stage, ai: Client) -> None:
        """The vendor is told how much of an interrupted answer was heard: it goes on from there."""
        async with ai.realtime.open(model=stage.able("audio_output")) as session:
            await session.send_text(ENDLESS)
            await to_sound(session)
            await session.interrupt(played=0.113)
            await self.end_of(session, stage)
        assert stage.sent(113) or stage.sent(0.113), (
            f"{stage.id} was told that 0.113 s of an answer were heard, and did not say so."
        )

    @clause("realtime.goes-on-after-an-interruption", "honest")
    async def test_it_goes_on_after_an_interruption(self, stage: Stage, ai: Client) -> None:
        """What is said after an interruption is answered: it is why one interrupts."""
        found: list[object] = []
        async with ai.realtime.open(model=stage.able("audio_output")) as session:
            await session.send_text(ENDLESS)
            await to_sound(session)
            await session.interrupt(played=0.05)
            await session.send_text(self.questions[1])
            await self.end_of(session, stage)
            with anyio.move_on_after(LATE):
                found = await answered(session)
        assert any(isinstance(one, AudioOut) for one in found), (
            f"{stage.id} was interrupted, told something else, and gave {found or 'nothing'}."
        )

    # -- what is sent, and its end --------------------------------------------------------

    @clause("realtime.holds-back", "honest", needs_vendor=True)
    async def test_a_slow_vendor_is_waited_for(self, stage: Stage) -> None:
        """Who sends faster than the vendor reads has to wait, or memory grows with the sound."""
        async with stage.client() as ai:
            said_first = await self.messages_before_talk(stage, ai)
            stage.play(faults().Deaf(DEAF, after=said_first))
            sent = await flooded(ai.realtime.open(model=stage.name, turns="caller"))
        assert sent < FLOOD, (
            f"{stage.id} took {sent} MB of sound while its vendor read nothing. Let send() wait "
            "for the socket."
        )

    async def messages_before_talk(self, stage: Stage, ai: Client) -> int:
        """Return how many messages the vendor says until a session is open."""
        count = 0

        def counted(number: int, piece: bytes) -> bytes:
            nonlocal count
            count = number + 1
            return piece

        stage.play(faults().Rewrite(counted))
        async with ai.realtime.open(model=stage.name, turns="caller"):
            return count

    @clause("realtime.closes-when-left", "honest")
    async def test_a_session_that_is_left_is_closed(self, stage: Stage) -> None:
        """A session that is left closes its socket, and leaves no task: the vendor bills it."""

        async def leave() -> None:
            async with ai.realtime.open(model=stage.able("audio_output")) as session:
                await session.send_text(ENDLESS)
                await to_sound(session)

        async with stage.client() as ai:
            left = await left_behind(stage, leave)
        assert not left, f"{stage.id} left {' and '.join(left)} of a session that was left."

    @clause("realtime.tells-a-broken-socket", "honest", needs_vendor=True)
    async def test_a_broken_session_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A socket that breaks is an error, after all that was heard so far: nobody said goodbye."""
        cue, found, fault = faults().OnCue(), list[object](), None
        stage.play(cue)
        try:
            async with ai.realtime.open(model=stage.name) as session:
                await session.send_text(self.questions[0])
                found = await answered(session)
                cue.go()
                async for event in session:
                    found.append(event)
        except e.VendorError as error:
            fault = error
        assert found, f"{stage.id} gave nothing before its session broke with {fault!r}."
        assert fault, f"{stage.id} lost its session and ended it in good order. Raise what broke."
        assert fault.record, f"{stage.id}: the error has no record: {fault!r}"
