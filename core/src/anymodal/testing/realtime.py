"""The contract of providers of spoken conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import attrs

from .. import errors as e
from ..client import Client
from ..facades.chat_stream import ToolRan
from ..modalities.live import (
    AudioFormat,
    AudioOut,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
)
from ..usage import Record
from .asking import NOTHING, Way
from .clauses import clause
from .realtime_under_way import RealtimeUnderWay, aloud, answered
from .settling import check_settings, check_strict
from .sounding import alike, plain, said
from .stage import Stage

__all__ = ["RealtimeSuite"]

LEFT: Final = "four barrels and a cup"

STRANGE: Final = AudioFormat("opus", rate=48_000)
"""What nobody has in bare pieces."""


def lamp_oil(place: str) -> str:
    """Say how much oil is left at a place."""
    del place
    return LEFT


@attrs.frozen
class Answered:
    """
    What came of something that was said.

    Attributes:
        events: All that happened.
        record: What is known about the session.
        output: How the sound is packed.
    """

    events: Sequence[object]
    record: Record
    output: AudioFormat

    @property
    def text(self) -> str:
        """What the model said."""
        return self.said_by("assistant")

    @property
    def sound(self) -> bytes:
        """The same, as sound."""
        return b"".join(one.data for one in self.events if isinstance(one, AudioOut))

    def said_by(self, who: str) -> str:
        """Return the words of one side."""
        found = (one for one in self.events if isinstance(one, Transcript) and one.who == who)
        return " ".join(one.text for one in found)


class RealtimeSuite(RealtimeUnderWay):
    """
    The contract of a provider of spoken conversation.

    Vendors on loopback hear sound that spells its words, as `anymodal_emulator.sounds`
    makes it, answer with what they heard, and know the magic words of
    `anymodal_emulator.text`; they go on about `emulator:long` until they are interrupted.
    """

    modality: ClassVar[str] = "realtime"
    methods: ClassVar[Sequence[Sequence[str]]] = (("open",),)

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> Answered:
        """Return what is answered to words."""
        async with ai.realtime.open(model=name, timeout=timeout, **more) as session:
            await session.send_text(question)
            events, output = await answered(session), session.output_format
        return Answered(events, session.record, output)

    async def ask_aloud(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # as above
        more: Mapping[str, Any] = NOTHING,
    ) -> Answered:
        """Return what is answered to a voice."""
        async with ai.realtime.open(model=name, timeout=timeout, **more) as session:
            await session.send_audio(aloud(question, session.input_format))
            events, output = await answered(session), session.output_format
        return Answered(events, session.record, output)

    def content(self, result: Answered) -> object:
        """Return the words."""
        return result.text

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""

        async def with_tools(ai: Client, name: str, question: str) -> Answered:
            return await self.ask(ai, name, question, more={"tools": [lamp_oil]})

        return {"function_calling": with_tools, "audio_output": self.ask}

    def wishes(self, stage: Stage) -> Mapping[str, object]:
        """Return values that stand nowhere else in a request."""
        spec: Any = stage.spec
        voice = {"voice": spec.voices[-1]} if spec.voices else {}
        return {
            "instructions": "Speak as a sailor.",
            "max_tokens": 1777,
            "end_user": "reader-7077",
            **voice,
        }

    # -- answers --------------------------------------------------------------------------

    @clause("realtime.answers", "works")
    async def test_it_answers_aloud(self, stage: Stage, ai: Client) -> None:
        """What is said is answered in sound, be it said in writing or aloud."""
        for name, way in {"text": self.ask, "voice": self.ask_aloud}.items():
            found = await way(ai, stage.able("audio_output"), self.questions[0])
            seconds = found.output.seconds(len(found.sound)) or 0.0
            assert seconds > 0.1, (
                f"{stage.id} answered a {name} with {seconds:.1f} s of sound: {found.events}."
            )

    @clause("realtime.says-what-it-heard", "works")
    async def test_it_says_what_it_heard(self, stage: Stage, ai: Client) -> None:
        """The words of both sides come as events: they are shown, kept and searched."""
        more = {"transcription": True}
        found = await self.ask_aloud(ai, stage.name, self.questions[0], more=more)
        heard = found.said_by("user")
        assert alike(heard, self.questions[0]) > 0.8, (
            f"{stage.id} was told {self.questions[0]!r} and says that it heard {heard!r}."
        )
        assert plain(found.text), f"{stage.id} answered aloud and gave no words: {found.events}."

    @clause("realtime.tells-of-turns", "complete")
    async def test_turns_are_told_of(self, stage: Stage, ai: Client) -> None:
        """Who begins to speak, and who has finished, is told of: playing has to stop then."""
        found = await self.ask_aloud(ai, stage.name, self.questions[0])
        turns = [one for one in found.events if isinstance(one, SpeechStarted | TurnEnded)]
        assert [type(one) for one in turns] == [SpeechStarted, TurnEnded], (
            f"{stage.id} was spoken to once, and tells of {turns}."
        )
        begun, ended = (one.at for one in turns)
        lasts = said(self.questions[0]).seconds
        assert begun is None or ended is None or 0 <= begun < ended < lasts + 5, (
            f"{stage.id} says of {lasts:.1f} s of speech that they went from {begun} to {ended}."
        )

    @clause("realtime.ends-each-answer-once", "works")
    async def test_each_answer_ends_once(self, stage: Stage, ai: Client) -> None:
        """Each answer ends in one ResponseDone, after its sound: then it is the user's turn."""
        events: list[object] = []
        async with ai.realtime.open(model=stage.name) as session:
            for question in self.questions[:2]:
                await session.send_text(question)
                events += await answered(session, settles=True)
        kinds = [type(one) for one in events if isinstance(one, AudioOut | ResponseDone)]
        ends = [at for at, kind in enumerate(kinds) if kind is ResponseDone]
        assert len(ends) == 2, f"{stage.id} gave two answers, and ended {len(ends)}."
        assert ends[1] == len(kinds) - 1, f"{stage.id} gave sound after the end of an answer."
        assert 0 < ends[0] < ends[1] - 1, f"{stage.id} ended an answer before its sound."

    @clause("realtime.sound.is-whole", "honest")
    async def test_sound_comes_whole(self, stage: Stage, ai: Client) -> None:
        """Every piece of sound has sound, in whole samples: loudspeakers crackle of halves."""
        found = await self.ask(ai, stage.able("audio_output"), self.questions[0])
        size = found.output.frame_bytes or 1
        sizes = [len(one.data) for one in found.events if isinstance(one, AudioOut)]
        wrong = [one for one in sizes if not one or one % size]
        assert not wrong, (
            f"{stage.id} gave pieces of {wrong} bytes, of {found.output} whose samples have {size}. "
            "Keep what is not whole for the next piece."
        )

    @clause("realtime.format.is-kept", "honest")
    async def test_each_format_is_kept(self, stage: Stage, ai: Client) -> None:
        """Sound goes and comes in each format that it declares; another is refused."""
        spec: Any = stage.spec
        lengths = {}
        for packing in spec.output_formats:
            found = await self.ask(
                ai, stage.name, self.questions[0], more={"output_format": packing}
            )
            lengths[str(packing)] = packing.seconds(len(found.sound)) or 1.0
        assert max(lengths.values()) < 1.25 * min(lengths.values()), (
            f"{stage.id} says that an answer lasts, by format: {lengths}. Ask the vendor for "
            "request.output_format."
        )
        for packing in spec.input_formats:
            more = {"input_format": packing, "transcription": True}
            found = await self.ask_aloud(ai, stage.name, self.questions[0], more=more)
            is_heard = alike(found.said_by("user"), self.questions[0]) > 0.8
            assert found.sound, f"{stage.id} does not hear {packing}, which its spec declares."
            assert is_heard or packing.encoding != "pcm_s16le", (
                f"{stage.id} heard {packing} as {found.said_by('user')!r}. Tell the vendor how "
                "sound is packed, or do not declare it."
            )
        if STRANGE in {*spec.input_formats, *spec.output_formats}:
            return
        before = len(stage.requests)
        for side in ("input_format", "output_format"):
            error = await self.failure(self.ask, ai, stage, more={side: STRANGE})
            assert isinstance(error, e.RequestError), (
                f"{stage.id} has no {side} {STRANGE} and ended with {error!r}. Declare only what "
                "the vendor has."
            )
        assert len(stage.requests) == before, f"{stage.id} asked its vendor for {STRANGE}."

    @clause("realtime.writes-where-asked", "complete")
    async def test_it_writes_where_asked(self, stage: Stage, ai: Client) -> None:
        """Where text is asked for, it answers in words without sound: sound costs more."""
        found = await self.ask(ai, stage.name, self.questions[0], more={"answers": "text"})
        assert plain(found.text), f"{stage.id} was asked for text and wrote nothing."
        assert not found.sound, f"{stage.id} was asked for text and spoke."

    # -- what is asked for ----------------------------------------------------------------

    @clause("realtime.setting.is-sent-or-warned-of", "honest", needs_vendor=True)
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        await check_settings(self, ai, stage, self.wishes(stage))

    @clause("realtime.setting.is-refused-where-strict", "honest", needs_vendor=True)
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        await check_strict(self, ai, stage, self.wishes(stage))

    @clause("realtime.calls-functions", "complete")
    async def test_functions_are_called(self, stage: Stage, ai: Client) -> None:
        """Calls of functions come with arguments, and results go back."""
        name, more = stage.able("function_calling"), {"tools": [lamp_oil]}
        found = await self.ask(ai, name, "Ask the lamp_oil gauge.", more=more)
        calls = [one.call for one in found.events if isinstance(one, ToolRequested)]
        assert [one.name for one in calls] == ["lamp_oil"], (
            f"{stage.id} was to call lamp_oil once, and gave {calls}."
        )
        ran = [one for one in found.events if isinstance(one, ToolRan)]
        assert [one.result.is_error for one in ran] == [False], (
            f"{stage.id} gave arguments that do not fit: {calls[0].arguments!r}."
        )
        assert stage.sent(LEFT) or not stage.vendor, f"{stage.id} did not send what it returned."
        assert LEFT in found.text, f"{stage.id} was told {LEFT!r}, and said {found.text!r}."
