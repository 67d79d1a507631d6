"""The contract of providers of speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import pytest

from .. import errors as e
from ..client import Client
from ..facades.speaking import bind
from ..formats import sniff
from ..modalities.sounds import SoundFormat
from ..modalities.speech import (
    AudioChunk,
    ClonedVoice,
    SpeechEnd,
    SpeechEvent,
    SpeechRequest,
    SpeechResult,
)
from ..specs import supports
from .asking import NOTHING, Way
from .clauses import clause
from .emulators import faults
from .settling import check_settings, check_strict
from .sounding import Samples, said
from .speech_told import TOLD, SpeechTold, drip
from .stage import Stage
from .text import FOREIGN

__all__ = ["SpeechSuite"]

LONG: Final = " ".join(f"Wave {number} breaks." for number in range(1, 21))

SETTINGS: Final[Mapping[str, object]] = {
    "language": "de-CH",
    "speed": 1.125,
    "instructions": "Speak as a sailor.",
    "end_user": "reader-7077",
}
"""Values that stand nowhere else in a request."""

KINDS: Final = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
}
"""What the first bytes of a codec tell; bare samples have no head."""


class SpeechSuite(SpeechTold):
    """
    The contract of a provider of speech.

    Attributes:
        voices: Ids of two voices, where the spec has no table of them.
    """

    modality: ClassVar[str] = "speech"
    methods: ClassVar[Sequence[Sequence[str]]] = (("stream", "synthesize"),)
    voices: ClassVar[Sequence[str]] = ()

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> SpeechResult:
        """Return the sound in one piece."""
        return await ai.speech.synthesize(question, model=name, timeout=timeout, **more)

    async def ask_streaming(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # as above
        more: Mapping[str, Any] = NOTHING,
    ) -> SpeechResult:
        """Return the sound, put together of its pieces."""
        async with ai.speech.stream(question, model=name, timeout=timeout, **more) as stream:
            return await stream.result()

    async def ask_telling(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # as above
        more: Mapping[str, Any] = NOTHING,
    ) -> SpeechResult:
        """Return the sound of a text that comes in pieces."""
        text = drip(question)
        async with ai.speech.stream(text, model=name, timeout=timeout, **more) as stream:
            return await stream.result()

    def content(self, result: SpeechResult) -> object:
        """Return the bytes."""
        return result.audio.data

    def ways(self) -> Mapping[str, Way]:
        """Return the ways to speak; of text in pieces only where the vendor takes it so."""
        found: dict[str, Way] = {"synthesize": self.ask, "stream": self.ask_streaming}
        spec = self.found().offer.spec
        model = spec.model(self.model or spec.default_model or "")
        if model is not None and supports(spec, model, "live"):
            found["live"] = self.ask_telling
        return found

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        silence = Samples(bytes(32_000), 16_000)
        return {"voice_cloning": lambda ai, name, _: self.learn(ai, name, silence)}

    async def learn(self, ai: Client, name: str, sample: Samples) -> ClonedVoice:
        """Have the voice of *sample* learned."""
        return await ai.speech.clone("Keeper", sample.wav(), consent="It is nobody's.", model=name)

    async def events(self, ai: Client, stage: Stage, words: str) -> list[SpeechEvent]:
        """Return the events of a stream, as the provider itself gives them."""
        request = self.request(stage, words)
        async with bind(await stage.provider(ai)).stream(request) as events:
            return [event async for event in events]

    def request(self, stage: Stage, words: str) -> SpeechRequest:
        """Return what a provider is asked for that is to say *words*."""
        spec: Any = stage.spec
        voice = next((one for one in spec.voices if one.id == spec.default_voice), None)
        return SpeechRequest(
            model=stage.model_spec,
            text=words,
            voice=voice,
            format=spec.formats[0] if spec.formats else None,
        )

    # -- the sound ------------------------------------------------------------------------

    @clause("speech.plays", "works")
    async def test_it_plays(self, stage: Stage, ai: Client) -> None:
        """The bytes are a sound: a player opens them."""
        result = await self.ask(ai, stage.name, self.questions[0])
        data = result.audio.read_bytes()
        kind = sniff(data) or "nothing that is known"
        has_head = result.format is None or result.format.codec in KINDS
        assert kind.startswith("audio/") or not has_head, (
            f"{stage.id} gave {len(data)} bytes that are {kind}, beginning with {data[:12]!r}."
        )
        seconds = result.seconds or result.audio.seconds
        assert seconds is None or seconds > 0.1, f"{stage.id} said it all in {seconds} s."

    @clause("speech.says-its-rate", "honest")
    async def test_it_says_its_rate(self, stage: Stage, ai: Client) -> None:
        """Rate and length are those of the bytes: else it plays too fast, or too low."""
        lengths: dict[str, float] = {}
        for name in _some(self.formats(stage)):
            result = await self.ask(ai, stage.name, self.questions[0], more={"format": name})
            rate, told = result.audio.sample_rate_hz, result.format and result.format.rate
            assert not (rate and told) or rate == told, (
                f"{stage.id} says {told} Hz of {name}, whose head says {rate}."
            )
            if seconds := result.seconds or result.audio.seconds:
                lengths[name] = seconds
        longest, shortest = max(lengths.values(), default=1), min(lengths.values(), default=1)
        assert longest <= 1.25 * shortest, (
            f"{stage.id} says that one text lasts, by format: {lengths}. Ask the vendor for the "
            "rate that request.format has, or say in the result which one came."
        )

    @clause("speech.format.is-kept", "honest")
    async def test_the_format_is_kept(self, stage: Stage, ai: Client) -> None:
        """The sound has the format asked for; one that it has not is refused, nothing is sent."""
        offered = self.formats(stage)
        for name in _some(offered):
            result = await self.ask(ai, stage.name, self.questions[0], more={"format": name})
            data, wanted = result.audio.read_bytes(), KINDS.get(SoundFormat.parse(name).codec)
            found = sniff(data) if wanted or data[:4] in {b"RIFF", b"OggS", b"fLaC"} else None
            assert found == wanted, f"{stage.id} was asked for {name} and gave {found}."
        others = [one for one in ("flac", "aac", "opus_48000_64") if not _is_in(one, offered)]
        if not stage.spec.formats or not others:  # type: ignore[attr-defined]  # every spec of this modality has it
            return
        before = len(stage.requests)
        error = await self.failure(self.ask, ai, stage, more={"format": others[0]})
        assert isinstance(error, e.RequestError), (
            f"{stage.id} has no {others[0]}, was asked for it and ended with {error!r}."
        )
        assert len(stage.requests) == before, f"{stage.id} asked its vendor for {others[0]}."

    def formats(self, stage: Stage) -> Sequence[str]:
        """Return the names of formats that there are."""
        spec: Any = stage.spec
        return [str(one) for one in spec.formats] or ["mp3", "wav"]

    @clause("speech.voice.is-kept", "works")
    async def test_another_voice_is_another_sound(self, stage: Stage, ai: Client) -> None:
        """Another voice sounds otherwise; else nothing shows that the voice arrives."""
        spec: Any = stage.spec
        names = list(self.voices) or [one.id for one in spec.voices]
        assert len(names) > 1, f"{stage.id}: two voices are needed. Set `voices` in the suite."
        one, other = [
            self.content(
                await self.ask(
                    ai, stage.name, self.questions[0], more={"voice": f"{stage.id}/{name}"}
                )
            )
            for name in (names[0], names[-1])
        ]
        assert one != other, f"{stage.id} says a text with {names[0]} as with {names[-1]}."

    # -- what goes out --------------------------------------------------------------------

    @clause("speech.text.arrives-whole", "works", needs_vendor=True)
    async def test_texts_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of a text reaches the vendor, whatever the language."""
        words = FOREIGN.translate({ord(one): " " for one in "\t\n"})
        for name, way in self.ways().items():
            before = len(stage.requests)
            await way(ai, stage.name, words)
            lost = [one for one in words.split() if not stage.sent(one, since=before)]
            assert not lost, f"{stage.id} ({name}) was to say {words!r} and did not send {lost}."

    @clause("speech.setting.is-sent-or-warned-of", "honest", needs_vendor=True)
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        await check_settings(self, ai, stage, SETTINGS)

    @clause("speech.setting.is-refused-where-strict", "honest", needs_vendor=True)
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        await check_strict(self, ai, stage, SETTINGS)

    # -- streams --------------------------------------------------------------------------

    @clause("speech.stream.ends-in-one-end", "works")
    async def test_a_stream_ends_in_one_end(self, stage: Stage, ai: Client) -> None:
        """The last event is a SpeechEnd, and the only one: without it a stream counts as cut."""
        events = await self.events(ai, stage, self.questions[0])
        ends = [at for at, event in enumerate(events, 1) if type(event) is SpeechEnd]
        assert ends == [len(events)], (
            f"{stage.id} gave {len(events)} events, of which a SpeechEnd are number {ends}. Yield "
            "one when the vendor has ended, and nothing more."
        )

    @clause("speech.stream.has-no-empty-piece", "honest")
    async def test_no_piece_is_empty(self, stage: Stage, ai: Client) -> None:
        """Every piece of sound has sound: an empty one is taken for the beginning."""
        events = await self.events(ai, stage, self.questions[0])
        empty = [at for at, event in enumerate(events) if event == AudioChunk(b"")]
        assert not empty, f"{stage.id} gave empty pieces, number {empty}. Leave them out."

    @clause("speech.stream.comes-in-pieces", "complete")
    async def test_a_long_sound_has_many_pieces(self, stage: Stage, ai: Client) -> None:
        """Where it says that it streams, a long sound has many pieces: somebody is listening."""
        stage.able("streaming")
        events = await self.events(ai, stage, LONG)
        count = sum(isinstance(event, AudioChunk) for event in events)
        assert count > 2, (
            f"{stage.id} says that it streams, and gave a long sound in {count} piece(s). "
            "Yield what comes, or say no to streaming."
        )

    @clause("speech.stream.comes-as-it-is-said", "complete", needs_vendor=True)
    async def test_pieces_come_as_they_are_said(self, stage: Stage, ai: Client) -> None:
        """The first pieces are given before the last are there, or nothing is gained."""
        assert await self.first_of_half(stage, ai), (
            f"{stage.id} had half of a sound and gave none of it. Yield what comes."
        )

    @clause("speech.stream.agrees-with-synthesize", "works")
    async def test_streamed_and_whole_sounds_agree(self, stage: Stage, ai: Client) -> None:
        """What it streams is what it gives in one piece: the core derives one from the other."""
        whole = await self.ask(ai, stage.name, self.questions[0])
        streamed = await self.ask_streaming(ai, stage.name, self.questions[0])
        assert streamed.audio.data == whole.audio.data, (
            f"{stage.id} streamed {streamed.audio.size} bytes that are not the "
            f"{whole.audio.size} of the whole."
        )
        assert streamed.format == whole.format, (
            f"{stage.id} streams {streamed.format} and gives {whole.format} in one piece."
        )

    @clause("speech.stream.closes-when-left", "honest", needs_vendor=True)
    async def test_a_stream_that_is_left_is_closed(self, stage: Stage) -> None:
        """A stream that is left closes its connection: the vendor goes on, and bills, until then."""
        left = await self.left_in_half(stage)
        assert not left, (
            f"{stage.id} left {' and '.join(left)} of a stream that was left. Close the answer in "
            "a finally, or let connection.http do it."
        )

    @clause("speech.stream.tells-what-was-cut", "honest", needs_vendor=True)
    async def test_a_cut_stream_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A stream that breaks off is an error: half a sentence is none."""
        size, wrong = await self.bytes_of(0.75, ai, stage), []
        for fault in (faults().Cut(after_bytes=size), faults().Reset(after_bytes=size)):
            stage.play(fault)
            try:
                result = await self.ask_streaming(ai, stage.able("streaming"), TOLD)
            except e.VendorError:
                continue
            wrong.append(f"{fault} became a sound of {result.audio.size} bytes")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}. Only the vendor's own end is one."

    # -- voices ---------------------------------------------------------------------------

    @clause("speech.voices.are-listed", "complete")
    async def test_listed_voices_speak(self, stage: Stage, ai: Client) -> None:
        """The voices that it lists can be spoken with: people choose among them."""
        listed = await ai.speech.voices(stage.id)
        assert listed, f"{stage.id} lists no voice. Put some into the spec, or write voices()."
        for voice in {listed[0].id, listed[-1].id}:
            more = {"voice": f"{stage.id}/{voice}"}
            error = await self.failure(self.ask, ai, stage, more=more)
            assert error is None, f"{stage.id} lists {voice!r}, which ended with {error!r}."

    @clause("speech.clone.speaks", "complete")
    async def test_a_learned_voice_speaks(self, stage: Stage, ai: Client) -> None:
        """A voice that it learned can be spoken with, and without consent nothing is sent."""
        name = stage.able("voice_cloning")
        with pytest.raises(e.InvalidRequestError):
            await ai.speech.clone("Keeper", said("One, two.").wav(), consent="", model=name)
        assert not stage.requests, f"{stage.id} was sent a voice that nobody agreed to."
        learned = await self.learn(ai, name, said(self.questions[0]))
        more = {"voice": f"{stage.id}/{learned.voice.id}"}
        error = await self.failure(self.ask, ai, stage, more=more)
        assert error is None, (
            f"{stage.id} learned {learned.voice.id!r}, which ended with {error!r}. Return the "
            "vendor's id of it."
        )
        paths = [one.path for one in stage.requests]
        assert learned.voice.id in str(paths) or stage.sent(learned.voice.id), (
            f"{stage.id} did not speak with {learned.voice.id!r}."
        )


def _some(names: Sequence[str]) -> list[str]:
    """Return the first of each codec, and of bare samples two rates."""
    found: dict[str, list[str]] = {}
    for name in names:
        codec = SoundFormat.parse(name).codec
        if len(found.setdefault(codec, [])) < (2 if codec == "pcm" else 1):
            found[codec].append(name)
    return [name for some in found.values() for name in some]


def _is_in(name: str, offered: Sequence[str]) -> bool:
    wanted = SoundFormat.parse(name)
    return wanted.within(map(SoundFormat.parse, offered)) is not None
