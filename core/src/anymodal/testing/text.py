"""The contract of providers of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

import anyio

from .. import errors as e
from ..client import Client
from ..facades.answers import bind
from ..media import Media
from ..modalities.messages import Message
from ..modalities.text import Finish, ReasoningDelta, TextDelta, TextEvent, TextRequest, TextResult
from .asking import NOTHING, Way
from .calls import LATE, SILENCE
from .clauses import clause, not_applicable
from .emulators import faults
from .leftovers import connections, eventually
from .provider import ProviderSuite
from .samples import clip, letter, picture, sound
from .stage import Stage
from .text_abilities import SHAPE, TextAbilities, lamp

__all__ = ["TextSuite"]

LONG: Final = " ".join(f"wave{number}" for number in range(1, 65))
"""A prompt whose answer is long, be it by an echo or by a model."""

FOREIGN: Final = 'Zoë, naïve, 灯台守, 🜂, \u05e9\u05dc\u05d5\u05dd \\ "quoted"\tand\nnew'
"""What is not ASCII, what is written in pairs, and what JSON escapes."""

SETTINGS: Final[Mapping[str, object]] = {
    "temperature": 0.375,
    "top_p": 0.625,
    "max_tokens": 1777,
    "stop": ("HALT7",),
    "seed": 70177,
    "end_user": "reader-7077",
}
"""Values that stand nowhere else in a request."""


class TextSuite(TextAbilities, ProviderSuite):
    """
    The contract of a provider of text.

    The emulator is expected to answer with what it was asked, as
    `anymodal_emulator.text` does, and to know the magic words that stand there.
    """

    modality: ClassVar[str] = "text"
    methods: ClassVar[Sequence[Sequence[str]]] = (("stream", "generate"),)

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> TextResult:
        """Return the answer in one piece."""
        return await ai.text.generate(question, model=name, timeout=timeout, **more)

    async def ask_streaming(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # as above
        more: Mapping[str, Any] = NOTHING,
    ) -> TextResult:
        """Return the answer, put together of its pieces."""
        async with ai.text.stream(question, model=name, timeout=timeout, **more) as stream:
            return await stream.result()

    def content(self, result: TextResult) -> object:
        """Return the words."""
        return result.text

    def ways(self) -> Mapping[str, Way]:
        """Return both ways to ask."""
        return {"generate": self.ask, "stream": self.ask_streaming}

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        needs: Mapping[str, Mapping[str, Any]] = {
            "function_calling": {"tools": [lamp]},
            "structured_output": {"output": SHAPE},
            "web_search": {"web_search": True},
        }
        given = {
            "image_input": picture(),
            "file_input": letter(),
            "audio_input": sound(),
            "video_input": clip(),
        }
        asks: dict[str, Way] = {name: partial(self.ask, more=more) for name, more in needs.items()}
        return asks | {name: partial(self.ask_about, media) for name, media in given.items()}

    async def ask_about(self, given: Media, ai: Client, name: str, question: str) -> TextResult:
        """Return the answer to a question about *given*."""
        return await ai.text.generate([question, given], model=name)

    async def events(self, ai: Client, stage: Stage, words: str) -> list[TextEvent]:
        """Return the events of a stream, as the provider itself gives them."""
        request = TextRequest(model=stage.model_spec, messages=(Message.user(words),))
        async with bind(await stage.provider(ai)).stream(request) as events:
            return [event async for event in events]

    async def bytes_of(self, share: float, ai: Client, stage: Stage) -> int:
        """Return how many bytes are a *share* of what the vendor streams in answer to `LONG`."""
        sizes: list[int] = []

        def weigh(_: int, piece: bytes) -> bytes:
            sizes.append(len(piece))
            return piece

        stage.play(faults().Rewrite(weigh))
        await self.ask_streaming(ai, stage.able("streaming"), LONG)
        return int(sum(sizes) * share)

    # -- streams ------------------------------------------------------------------------------

    @clause("text.stream.ends-in-one-finish", "works")
    async def test_a_stream_ends_in_one_finish(self, stage: Stage, ai: Client) -> None:
        """The last event is a Finish, and the only one: what follows is lost, without it one waits."""
        events = await self.events(ai, stage, self.questions[0])
        ends = [at for at, event in enumerate(events, 1) if type(event) is Finish]
        assert ends == [len(events)], (
            f"{stage.id} gave {len(events)} events, of which a Finish are number {ends}. Yield one "
            "when the vendor has ended, and nothing more."
        )

    @clause("text.stream.has-no-empty-piece", "honest")
    async def test_no_piece_is_empty(self, stage: Stage, ai: Client) -> None:
        """Every piece of text has text: an empty one is taken for the first word."""
        events = await self.events(ai, stage, self.questions[0])
        empty = [at for at, event in enumerate(events) if event == TextDelta("")]
        assert not empty, f"{stage.id} gave empty pieces, number {empty}. Leave them out."

    @clause("text.stream.comes-in-pieces", "complete")
    async def test_a_long_answer_has_many_pieces(self, stage: Stage, ai: Client) -> None:
        """Where it says that it streams, a long answer has many pieces: somebody watches it come."""
        stage.able("streaming")
        events = await self.events(ai, stage, LONG)
        count = sum(isinstance(event, TextDelta) for event in events)
        assert count > 2, (
            f"{stage.id} says that it streams, and gave a long answer in {count} piece(s). "
            "Yield what comes, or say no to streaming."
        )

    @clause("text.stream.comes-as-it-is-said", "complete", needs_vendor=True)
    async def test_pieces_come_as_they_are_said(self, stage: Stage, ai: Client) -> None:
        """The first pieces are given before the last are there, or nothing is gained by streaming."""
        size = await self.bytes_of(0.5, ai, stage)
        stage.play(faults().Stall(SILENCE, after_bytes=size))
        seen: object = None
        with anyio.move_on_after(LATE):
            async with ai.text.stream(LONG, model=stage.able("streaming")) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta | ReasoningDelta):
                        seen = event
                        break
        assert seen, f"{stage.id} had half of an answer and gave none of it. Yield what comes."

    @clause("text.stream.agrees-with-generate", "works")
    async def test_streamed_and_whole_answers_agree(self, stage: Stage, ai: Client) -> None:
        """What it streams is what it writes in one piece: the core derives one from the other."""
        whole = await self.ask(ai, stage.name, self.questions[0])
        streamed = await self.ask_streaming(ai, stage.name, self.questions[0])
        assert streamed.text == whole.text, (
            f"{stage.id} streamed {streamed.text!r} and wrote {whole.text!r}."
        )

    @clause("text.stream.closes-when-left", "honest", needs_vendor=True)
    async def test_a_stream_that_is_left_is_closed(self, stage: Stage, ai: Client) -> None:
        """A stream that is left closes its connection: the vendor goes on, and bills, until then."""
        size = await self.bytes_of(0.5, ai, stage)
        stage.play(faults().Stall(SILENCE, after_bytes=size))
        async with ai.text.stream(LONG, model=stage.able("streaming")):
            during = connections(stage.vendor)
        assert await eventually(lambda: connections(stage.vendor) < during, 2.0), (
            f"{stage.id} kept the connection of a stream that was left. Close the answer in a "
            "finally, or let connection.http do it."
        )

    @clause("text.stream.tells-what-was-cut", "honest", needs_vendor=True)
    async def test_a_cut_stream_is_an_error(self, stage: Stage, ai: Client) -> None:
        """A stream that breaks off is an error with the text so far: half an answer is none."""
        size, wrong = await self.bytes_of(0.75, ai, stage), []
        for fault in (faults().Cut(after_bytes=size), faults().Reset(after_bytes=size)):
            stage.play(fault)
            try:
                result = await self.ask_streaming(ai, stage.able("streaming"), LONG)
            except e.VendorError as error:
                if not error.partial and isinstance(
                    fault, faults().Cut
                ):  # a reset loses what is under way
                    wrong.append(f"{fault} became {error!r}, without the text so far")
            else:
                wrong.append(f"{fault} became an answer of {len(result.text)} characters")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}. Only the vendor's own end is one."

    # -- what goes out and comes back ---------------------------------------------------------

    @clause("text.prompt.arrives-whole", "works", needs_vendor=True)
    async def test_prompts_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of a prompt reaches the vendor, whatever the language."""
        await self.ask(ai, stage.name, FOREIGN)
        assert stage.sent(FOREIGN), f"{stage.id} did not send {FOREIGN!r} as it is."

    @clause("text.answer.arrives-whole", "works", needs_vendor=True)
    async def test_answers_arrive_whole(self, stage: Stage, ai: Client) -> None:
        """Every character of an answer reaches the caller, however it is cut into packets."""
        for name, way in self.ways().items():
            stage.play(faults().Drip(1))
            text = (await way(ai, stage.name, FOREIGN)).text
            assert FOREIGN in text, (
                f"{stage.id} ({name}) was told {FOREIGN!r}, a byte at a time, and gave {text!r}. "
                "Decode lines, not packets."
            )

    @clause("text.prompt.keeps-its-turns", "works", needs_vendor=True)
    async def test_turns_are_kept(self, stage: Stage, ai: Client) -> None:
        """The vendor gets all turns, in order: it remembers nothing by itself."""
        turns = ["The first lamp.", "It was lit.", "The second lamp?"]
        make = (Message.user, Message.assistant, Message.user)
        talk = [new(words) for new, words in zip(make, turns, strict=True)]
        await ai.text.generate(talk, model=stage.name)
        body = stage.requests[-1].body
        places = [body.find(words.encode()) for words in turns]
        assert [-1, *places] == sorted({-1, *places}), (
            f"{stage.id} was given three turns, and its request has them at {places}."
        )

    @clause("text.prompt.has-its-system", "works", needs_vendor=True)
    async def test_the_system_prompt_is_sent(self, stage: Stage, ai: Client) -> None:
        """The vendor gets the system prompt, or an application's rules are not kept."""
        await self.ask(ai, stage.name, self.questions[0], more={"system": "Speak as a sailor."})
        assert stage.sent("Speak as a sailor."), f"{stage.id} did not send the system prompt."

    @clause("text.setting.is-sent-or-warned-of", "honest", needs_vendor=True)
    async def test_no_setting_is_dropped(self, stage: Stage, ai: Client) -> None:
        """A setting reaches the vendor, or there is a warning: silence is taken for a yes."""
        lost = [
            setting
            for setting, value in SETTINGS.items()
            if setting not in await self.warned(ai, stage, setting)
            and not stage.sent(value[0] if isinstance(value, tuple) else value)
        ]
        assert not lost, (
            f"{stage.id} drops {', '.join(lost)} in silence. Send it, or say request.warn(…)."
        )

    async def warned(self, ai: Client, stage: Stage, setting: str) -> set[str]:
        """Ask with one of `SETTINGS` and return the settings that were warned of."""
        more = {setting: SETTINGS[setting]}
        record = (await self.ask(ai, stage.name, self.questions[0], more=more)).record
        return {one.setting for one in record.warnings}

    @clause("text.setting.is-refused-where-strict", "honest", needs_vendor=True)
    async def test_strict_callers_are_refused(self, stage: Stage, ai: Client) -> None:
        """Where the caller is strict, what would be warned of is refused and nothing is sent."""
        dropped = [one for one in SETTINGS if one in await self.warned(ai, stage, one)]
        if not dropped:
            not_applicable(f"{stage.name} honours every setting")
        count, wrong = len(stage.requests), []
        for setting in dropped:
            more = {setting: SETTINGS[setting], "strict": True}
            error = await self.failure(self.ask, ai, stage, more=more)
            if not isinstance(error, e.RequestError):
                wrong.append(f"{setting} ended with {error!r}")
        assert not wrong, f"{stage.id} drops what a strict caller wants: {'; '.join(wrong)}."
        assert len(stage.requests) == count, f"{stage.id} asked its vendor before it refused."

    @clause("text.finish.says-why", "honest")
    async def test_an_answer_that_was_cut_says_so(self, stage: Stage, ai: Client) -> None:
        """An answer that was cut at max_tokens says so, and is not taken for a whole one."""
        result = await self.ask(ai, stage.name, LONG, more={"max_tokens": 40})
        if any(one.setting == "max_tokens" for one in result.record.warnings):
            not_applicable(f"{stage.name} cannot be told how long an answer may be")
        assert result.finish_reason == "length", (
            f"{stage.id} was cut at 40 tokens and says {result.finish_reason!r}, not 'length'."
        )

    # -- what the vendor says beside answers --------------------------------------------------

    async def ended(self, way: Way, ai: Client, stage: Stage, word: str) -> Any:
        """Return what a prompt with a magic word ends in: a result, or an error."""
        words = f"Say it: emulator:{word}"
        try:
            found = await way(ai, stage.name, words)
        except e.AnymodalError as error:
            return error
        if words in found.text and found.finish_reason == "stop":
            not_applicable(f"the emulator of {stage.id} does not know emulator:{word}")
        return found

    async def becomes(
        self, ai: Client, stage: Stage, word: str, wanted: type[e.AnymodalError]
    ) -> None:
        """Check what a prompt with a magic word ends in, either way it is asked."""
        found = {name: await self.ended(way, ai, stage, word) for name, way in self.ways().items()}
        wrong = [
            f"{name} ended in {one!r}" for name, one in found.items() if type(one) is not wanted
        ]
        assert not wrong, (
            f"{stage.id}: {'; '.join(wrong)}; it is a {wanted.__name__}. Map the vendor's code in "
            "the spec's `errors`."
        )

    @clause("text.finish.says-filtered", "honest", needs_vendor=True)
    async def test_a_filtered_answer_says_so(self, stage: Stage, ai: Client) -> None:
        """An answer that the filter stopped says so; it is not the model's own end."""
        for name, way in self.ways().items():
            found = await self.ended(way, ai, stage, "filter")
            is_told = isinstance(found, e.ContentFilteredError) or (
                isinstance(found, TextResult) and found.finish_reason == "content_filter"
            )
            assert is_told, f"{stage.id} ({name}) took a filtered answer for whole: {found!r}."

    @clause("text.error.of-a-long-prompt", "honest", needs_vendor=True)
    async def test_a_long_prompt_is_told(self, stage: Stage, ai: Client) -> None:
        """A prompt that is too long is a ContextLengthError: another model may take it."""
        await self.becomes(ai, stage, "context", e.ContextLengthError)

    @clause("text.error.of-a-quota", "honest", needs_vendor=True)
    async def test_a_quota_is_told(self, stage: Stage, ai: Client) -> None:
        """An account that is used up is a QuotaExceededError: waiting does not help."""
        await self.becomes(ai, stage, "quota", e.QuotaExceededError)

    @clause("text.error.of-a-filter", "honest", needs_vendor=True)
    async def test_a_filtered_prompt_is_told(self, stage: Stage, ai: Client) -> None:
        """A prompt that the filter refuses is a ContentFilteredError: nobody else is asked then."""
        await self.becomes(ai, stage, "block", e.ContentFilteredError)

    @clause("text.error.while-it-streams", "honest", needs_vendor=True)
    async def test_a_late_failure_is_told(self, stage: Stage, ai: Client) -> None:
        """A failure in a stream is an error, though the status was 200."""
        found = await self.ended(self.ask_streaming, ai, stage, "fail")
        assert isinstance(found, e.VendorError), (
            f"{stage.id} streamed a failure as if it were an answer: {found!r}."
        )
