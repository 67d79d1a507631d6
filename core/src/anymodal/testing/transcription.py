"""The contract of providers of text from speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Final

from ..client import Client
from ..modalities.transcription import TranscriptionResult
from ..specs import supports
from .asking import NOTHING, Way
from .clauses import clause, not_applicable
from .settling import check_settings, check_strict
from .sounding import RECORDED, Samples, alike, plain, said, spoken
from .stage import Stage
from .transcription_live import TranscriptionLive

__all__ = ["TranscriptionSuite"]

TALK: Final = "The lamp is lit. A ship passes by. Who sees it?"

DIALOGUE: Final = "Is the lamp lit? / It is on."
"""Where the slash is, emulators hear another speaker go on."""

SETTINGS: Final[Mapping[str, object]] = {
    "language": "de-CH",
    "prompt": "A talk between sailors.",
    "keywords": ("Skerryvore",),
    "end_user": "reader-7077",
}
"""Values that stand nowhere else in a request."""

SHARES: Final = (1.0, 0.4, 0.3, 0.5, 0.2, 0.45)
"""How much of the recording each question is, for those who work for real."""


class TranscriptionSuite(TranscriptionLive):
    """
    The contract of a provider of text from speech.

    Vendors on loopback hear sound that spells its words, as `anymodal_emulator.sounds`
    makes it; who works for real is given a recording.
    """

    modality: ClassVar[str] = "transcription"
    methods: ClassVar[Sequence[Sequence[str]]] = (("transcribe", "live"),)

    def sound(self, words: str) -> Samples:
        """Return somebody who says *words*, or for those who work for real, what there is."""
        if self.found().offer.spec.kind == "remote":
            return said(words)
        at = self.questions.index(words) if words in self.questions else 0
        return spoken(SHARES[at % len(SHARES)])

    def words_in(self, words: str) -> str:
        """Return what is said in `sound(words)`."""
        return words if self.found().offer.spec.kind == "remote" else RECORDED

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> TranscriptionResult:
        """Return what is said in a file."""
        audio = self.sound(question).wav()
        return await ai.transcription.transcribe(audio, model=name, timeout=timeout, **more)

    def content(self, result: TranscriptionResult) -> object:
        """Return the words."""
        return result.text

    def ways(self) -> Mapping[str, Way]:
        """Return the ways to be heard."""
        found: dict[str, Way] = {"transcribe": self.ask}
        spec = self.found().offer.spec
        model = spec.model(self.model or spec.default_model or "")
        if model is not None and supports(spec, model, "live"):
            found["live"] = self.ask_live
        return found

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""

        async def diarize(ai: Client, name: str, question: str) -> TranscriptionResult:
            return await self.ask(ai, name, question, more={"diarize": True})

        async def words(ai: Client, name: str, question: str) -> TranscriptionResult:
            return await self.ask(ai, name, question, more={"words": True})

        return {"diarization": diarize, "word_timestamps": words, "live": self.ask_live}

    # -- words ----------------------------------------------------------------------------

    @clause("transcription.hears-words", "works")
    async def test_it_hears_words(self, stage: Stage, ai: Client) -> None:
        """The sound reaches the vendor, and its words come back."""
        text = (await self.ask(ai, stage.name, TALK)).text
        least = 0.9 if stage.vendor else 0.2  # of a draft's quality
        assert alike(text, self.words_in(TALK)) >= least, (
            f"{stage.id} heard {self.words_in(TALK)!r} and wrote {text!r}. Send all of the sound, "
            "as it is packed."
        )

    @clause("transcription.silence-has-no-words", "honest")
    async def test_silence_has_no_words(self, stage: Stage, ai: Client) -> None:
        """Where nobody speaks there are no words, and no error: pauses are common."""
        silence = Samples(bytes(2 * 16_000), 16_000)
        text = (await ai.transcription.transcribe(silence.wav(), model=stage.name)).text
        assert not text.strip(), f"{stage.id} heard {text!r} in a second of silence."

    @clause("transcription.segments.are-in-order", "honest")
    async def test_segments_are_in_order(self, stage: Stage, ai: Client) -> None:
        """Segments follow one another and do not overlap: they become subtitles."""
        found = (await self.ask(ai, stage.name, TALK)).segments
        if not found:
            not_applicable(f"{stage.name} tells of no segments")
        wrong = [
            (one, other) for one, other in pairwise(found) if other.start < one.end - SLACK
        ] + [(one, one) for one in found if one.end < one.start]
        assert not wrong, f"{stage.id} gave segments that overlap or run backwards: {wrong}."

    @clause("transcription.times.are-seconds", "honest")
    async def test_times_are_seconds(self, stage: Stage, ai: Client) -> None:
        """Times are seconds, within the sound's length."""
        seconds = self.sound(TALK).seconds
        more = {"words": True} if "word_timestamps" in self.known(stage) else {}
        result = await self.ask(ai, stage.name, TALK, more=more)
        times = [(one.start, one.end) for one in result.segments]
        times += [(one.start, one.end) for one in result.words]
        if not times:
            not_applicable(f"{stage.name} tells no times")
        last = max(end for _, end in times)
        assert all(-SLACK <= start <= seconds for start, _ in times), (
            f"{stage.id} tells of times outside {seconds:.1f} s of sound: {times}. Give seconds."
        )
        assert 0.3 * seconds <= last <= seconds + 0.5, (
            f"{stage.id} heard {seconds:.1f} s of sound, and ends at {last}. Give seconds."
        )
        told = result.duration
        assert told is None or abs(told - seconds) < 0.5, (
            f"{stage.id} says that {seconds:.1f} s of sound last {told}. Give seconds."
        )

    def known(self, stage: Stage) -> frozenset[str]:
        """Return what the model can do."""
        return stage.model_spec.capabilities.over(stage.spec.capabilities).yes

    @clause("transcription.can.time-words", "complete")
    async def test_words_have_times(self, stage: Stage, ai: Client) -> None:
        """Words have their times, within those of their segment."""
        name = stage.able("word_timestamps")
        result = await self.ask(ai, name, TALK, more={"words": True})
        texts = [one.text for one in result.words]
        assert plain(" ".join(texts)) == plain(result.text), (
            f"{stage.id} wrote {result.text!r}, and of words with times {texts}."
        )
        starts = [one.start for one in result.words]
        assert starts == sorted(starts), f"{stage.id} gave words out of order: {starts}."
        outside = [
            one
            for one in result.words
            if result.segments
            and not any(
                part.start - SLACK <= one.start and one.end <= part.end + SLACK
                for part in result.segments
            )
        ]
        assert not outside, f"{stage.id} gave words outside every segment: {outside}."

    @clause("transcription.can.tell-speakers", "complete")
    async def test_speakers_are_told_apart(self, stage: Stage, ai: Client) -> None:
        """Segments say who spoke."""
        name = stage.able("diarization")
        result = await self.ask(ai, name, DIALOGUE, more={"diarize": True})
        who = {one.speaker for one in result.segments}
        assert len(who - {None}) > 1, (
            f"{stage.id} heard two speakers, and its segments name {who or 'nobody'}."
        )

    # -- what goes out --------------------------------------------------------------------

    @clause("transcription.setting.is-sent-or-warned-of", "honest", needs_vendor=True)
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        await check_settings(self, ai, stage, SETTINGS)

    @clause("transcription.setting.is-refused-where-strict", "honest", needs_vendor=True)
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        await check_strict(self, ai, stage, SETTINGS)


SLACK: Final = 0.05
"""Seconds by which times may be rounded."""
