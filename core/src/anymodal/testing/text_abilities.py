"""The clauses of what a provider of text says that it can."""

from __future__ import annotations

from typing import Final

from ..client import Client
from ..errors import RequestError
from ..media import Media
from ..modalities.messages import Citation
from .asking import Asking
from .clauses import clause, not_applicable
from .samples import clip, letter, picture, sound
from .stage import Stage

__all__ = ["SHAPE", "TextAbilities", "lamp"]

SHAPE: Final = {
    "type": "object",
    "properties": {"ship": {"type": "string"}, "lamps": {"type": "integer"}},
    "required": ["ship", "lamps"],
    "additionalProperties": False,
}


def lamp(colour: str) -> str:
    """Light the lamp in a colour."""
    return f"It burns: {colour}."


class TextAbilities(Asking):
    """Each ability that is declared of a model, shown; of others nothing is asked."""

    @clause("text.can.call-functions", "complete", needs_vendor=True)
    async def test_functions_are_called(self, stage: Stage, ai: Client) -> None:
        """Calls of functions come with name and arguments, and results go back."""
        heard: list[str] = []

        def lamp(colour: str) -> str:
            """Light the lamp in a colour."""
            heard.append(colour)
            return "It burns with a steady flame."

        chat = ai.text.chat(model=stage.able("function_calling"), tools=[lamp])
        await chat.generate("Use lamp now.")
        assert any(heard), f"{stage.id} lost the call of a function, or its arguments."
        assert stage.sent("It burns with a steady flame."), (
            f"{stage.id} did not send what the function returned."
        )

    @clause("text.can.fit-a-shape", "complete", needs_vendor=True)
    async def test_answers_fit_a_shape(self, stage: Stage, ai: Client) -> None:
        """An answer fits the shape that was asked for, streamed or not."""
        name = stage.able("structured_output")
        found = await ai.text.generate("Which ship?", model=name, output=SHAPE)
        assert set(found.output) == {"ship", "lamps"}, f"{stage.id} gave {found.output!r}."
        async with ai.text.stream("Which ship?", model=name, output=SHAPE) as stream:
            streamed = await stream.result()
        assert set(streamed.output) == {"ship", "lamps"}, (
            f"{stage.id} streamed {streamed.output!r}."
        )

    async def arrives(self, stage: Stage, ai: Client, capability: str, given: Media) -> None:
        """Check that *given* reaches the vendor."""
        name = stage.able(capability)
        await ai.text.generate(["What is this?", given], model=name)
        assert stage.sent(given.read_bytes()), (
            f"{name} is said to have {capability}, and the vendor did not get its bytes."
        )

    @clause("text.can.see-pictures", "complete", needs_vendor=True)
    async def test_pictures_arrive(self, stage: Stage, ai: Client) -> None:
        """Pictures reach the vendor, every byte of them."""
        await self.arrives(stage, ai, "image_input", picture())

    @clause("text.can.read-files", "complete", needs_vendor=True)
    async def test_files_arrive(self, stage: Stage, ai: Client) -> None:
        """Files reach the vendor, every byte of them."""
        await self.arrives(stage, ai, "file_input", letter())

    @clause("text.can.hear-sound", "complete", needs_vendor=True)
    async def test_sound_arrives(self, stage: Stage, ai: Client) -> None:
        """Sound reaches the vendor, every byte of it."""
        await self.arrives(stage, ai, "audio_input", sound())

    @clause("text.can.watch-clips", "complete", needs_vendor=True)
    async def test_clips_arrive(self, stage: Stage, ai: Client) -> None:
        """Clips reach the vendor, every byte of them."""
        await self.arrives(stage, ai, "video_input", clip())

    @clause("text.can.reason", "complete", needs_vendor=True)
    async def test_reasoning_is_asked_for(self, stage: Stage, ai: Client) -> None:
        """How hard to think reaches the vendor: what it thought comes back, or was counted."""
        found = await ai.text.generate(
            self.questions[0], model=stage.able("reasoning"), reasoning="high"
        )
        counted = found.usage.reasoning_tokens if found.usage else None
        assert found.reasoning or counted, (
            f"{stage.id} was asked to reason, and neither its thought nor its tokens came back."
        )

    @clause("text.can.cite", "complete", needs_vendor=True)
    async def test_sources_come_back(self, stage: Stage, ai: Client) -> None:
        """Sources come back, the same whether streamed or not."""
        name, words = stage.able("citations"), "Who says so? emulator:cite"
        whole = await ai.text.generate(words, model=name)
        async with ai.text.stream(words, model=name) as stream:
            came = tuple([event async for event in stream if isinstance(event, Citation)])
        assert whole.citations, f"{stage.id} lost the sources of an answer."
        assert came == whole.citations, f"{stage.id} streamed the sources {came}."

    @clause("text.can.search", "complete", needs_vendor=True)
    async def test_searches_are_asked_for(self, stage: Stage, ai: Client) -> None:
        """A search of the web is asked for, and its sources come back."""
        found = await ai.text.generate(
            self.questions[0], model=stage.able("web_search"), web_search=True
        )
        assert found.citations, f"{stage.id} was asked to search, and no source came back."

    @clause("text.can.batch", "complete", needs_vendor=True)
    async def test_batches_keep_their_order(self, stage: Stage, ai: Client) -> None:
        """Each answer of a batch stands in its prompt's place, whatever order they come in."""
        name = stage.able("batch")
        alone = [self.content(await self.ask(ai, name, words)) for words in self.questions[:3]]
        job = await ai.text.batch(self.questions[:3], model=name)
        while not (await job.poll()).is_ended:
            pass  # an emulator's batch ends after a few looks
        batch = await job.result()
        for error in batch.errors.values():
            raise error
        said = [self.content(answer) for answer in batch.answers]
        assert said == alone, f"{stage.id} gave the answers of a batch as {said}, not {alone}."

    @clause("text.can.list-models", "complete", needs_vendor=True)
    async def test_listed_models_are_served(self, stage: Stage, ai: Client) -> None:
        """The models that it lists are named as the vendor names them: each can be asked."""
        provider = await stage.provider(ai)
        if not hasattr(provider, "list_models"):
            not_applicable(f"{stage.id} lists no models")
        listed = [one for one in await provider.list_models() if _is_text(one)]
        assert listed, f"{stage.id} lists no model of text."
        for model in listed[:3]:
            try:
                await self.ask(ai, f"{stage.id}/{model.id}", self.questions[0])
            except RequestError as error:
                not_applicable(f"{stage.id}/{model.id} is refused: {error}")


def _is_text(model: object) -> bool:
    return getattr(model, "modality", "text") in {"text", None}
