"""The contract of providers of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from ..client import Client
from ..media import Video
from ..modalities.video import Clip, VideoResult
from .asking import NOTHING, Way
from .clauses import clause
from .jobs import Jobs
from .made import Pair
from .opening import is_as_said
from .provider import ProviderSuite
from .samples import picture, sound
from .stage import Stage

__all__ = ["VideoSuite"]

SIZES: Final = ("1280x720", "640x360", "9:16", "1:1", "720p")
NEAR: Final = 0.25
"""Seconds by which a clip may be longer or shorter: a picture or a few."""


class VideoSuite(Jobs, ProviderSuite):
    """The contract of a provider of clips, be they made as jobs or at once."""

    modality: ClassVar[str] = "video"
    methods: ClassVar[Sequence[Sequence[str]]] = (("submit", "generate", "compose"),)
    pairs: ClassVar[Mapping[str, Pair]] = {
        "sound": (True, False),
        "negative_prompt": ("gulls in the fog", "ships at anchor"),
        "seed": (70177, 70178),
        "end_user": ("reader-7077", "reader-7078"),
    }
    seconds: ClassVar[float | None] = 5.0
    """How long a clip of the plain call is; the vendor's choice where None."""

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> VideoResult:
        """Return a clip of words, or of a picture where words alone are not taken."""
        asked = self.plain(name, question)
        return await ai.video.generate(**{**asked, "timeout": timeout, **more})

    def plain(self, name: str, question: str) -> dict[str, Any]:
        """Return the arguments of the plain call."""
        found: dict[str, Any] = {"prompt": question, "model": name, "seconds": self.seconds}
        if self.can("text_to_video") is False:  # a picture of another height for each question
            found["image"] = picture(48, 32 + 2 * (sum(question.encode()) % 64))
        return found

    def media(self, result: VideoResult) -> Video:
        """Return the clip."""
        return result.video

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        return {
            "text_to_video": partial(self.ask_plainly, {}),
            "image_to_video": partial(self.ask_plainly, {"image": picture()}),
            "composition": self.ask_composing,
        }

    async def ask_plainly(
        self, more: Mapping[str, Any], ai: Client, name: str, question: str
    ) -> VideoResult:
        """Return a clip of words, with *more*."""
        return await ai.video.generate(question, model=name, **more)

    async def ask_composing(self, ai: Client, name: str, question: str) -> VideoResult:
        """Return a clip of two pictures and a sound."""
        del question
        clips = [Clip(picture(64, 48), seconds=1), Clip(picture(48, 64), seconds=1)]
        return await ai.video.compose(clips, tracks=[sound(1.0)], size="320x240", model=name)

    @clause("video.has-its-size", "honest")
    async def test_clips_have_their_size(self, stage: Stage, ai: Client) -> None:
        """A clip has the size asked for, in pixels, as a ratio or by its class, or is warned of."""
        wrong = []
        for size in SIZES:
            result = await self.made(ai, stage, size=size)
            found = self.measured(result).dimensions
            is_kept = found is not None and is_as_said(size, *found)
            if not is_kept and "size" not in self.warned(result):
                wrong.append(f"{size} became {found}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}, without a warning."

    def measured(self, result: VideoResult) -> Video:
        """Return the clip as its bytes have it, whatever is said of it."""
        return Video(result.video.read_bytes())

    @clause("video.has-its-length", "honest")
    async def test_clips_have_their_length(self, stage: Stage, ai: Client) -> None:
        """A clip is as long as asked for, or there is a warning; its length is what is paid for."""
        wrong = []
        for seconds in (4.0, 6.0):
            result = await self.made(ai, stage, seconds=seconds)
            found = self.measured(result).seconds or 0.0
            if abs(found - seconds) > NEAR and "seconds" not in self.warned(result):
                wrong.append(f"{seconds:g} s became {found:g}")
            if result.seconds is not None and abs(found - result.seconds) > NEAR:
                wrong.append(f"it says {result.seconds:g} s of {found:g}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}, without a warning."

    @clause("video.picture.arrives", "complete")
    async def test_a_picture_arrives(self, stage: Stage, ai: Client) -> None:
        """A picture to begin with reaches the vendor, every byte of it."""
        given = picture(64, 48)
        result = await ai.video.generate(
            "It gets dark.", image=given, model=stage.able("image_to_video"), seconds=self.seconds
        )
        assert self.measured(result).dimensions, f"{stage.id} gave no clip."
        if stage.vendor:
            assert stage.sent(given.read_bytes()), f"{stage.id} did not send the picture."

    @clause("video.composition.has-all-its-parts", "complete")
    async def test_a_composition_has_all_its_parts(self, stage: Stage, ai: Client) -> None:
        """A composition is as long as its clips, as large as asked for, and has its sound."""
        result = await self.ask_composing(ai, stage.able("composition"), "")
        facts = self.measured(result).facts
        length = facts.seconds or 0.0
        assert abs(length - 2) <= NEAR, f"{stage.id} made {length:g} s of two clips of one each."
        assert facts.dimensions == (320, 240), f"{stage.id} made {facts.dimensions}, not 320x240."
        assert facts.sound.codec or facts.sound.channels, f"{stage.id} left out the sound."
