"""The contract of providers of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ..client import Client
from ..media import Image
from ..modalities.image import ImageResult
from .asking import NOTHING, Way
from .clauses import clause, not_applicable
from .made import Made, Pair
from .opening import is_as_said
from .provider import ProviderSuite
from .samples import picture
from .stage import Stage

__all__ = ["ImageSuite"]

SIZES: Final = ("1024x768", "768x1024", "16:9", "1:1", "1k", "2k")
USUAL: Final = {"pixels": "1024x1024", "ratio": "1:1", "class": "1k"}
"""Of each form of sizes one that everybody makes who takes that form."""


class ImageSuite(Made, ProviderSuite):
    """The contract of a provider of pictures."""

    modality: ClassVar[str] = "image"
    methods: ClassVar[Sequence[Sequence[str]]] = (("generate",),)
    pairs: ClassVar[Mapping[str, Pair]] = {
        "quality": ("low", "high"),
        "format": ("png", "jpeg"),
        "background": ("opaque", "transparent"),
        "negative_prompt": ("gulls in the fog", "ships at anchor"),
        "seed": (70177, 70178),
        "end_user": ("reader-7077", "reader-7078"),
    }

    async def ask(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # the client's, which is what is tried
        more: Mapping[str, Any] = NOTHING,
    ) -> ImageResult:
        """Return pictures of words."""
        return await ai.image.generate(question, model=name, timeout=timeout, **more)

    async def ask_edit(
        self,
        ai: Client,
        name: str,
        question: str,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109  # as above
        more: Mapping[str, Any] = NOTHING,
    ) -> ImageResult:
        """Return a picture, changed."""
        return await ai.image.edit(question, picture(), model=name, timeout=timeout, **more)

    def media(self, result: ImageResult) -> Image:
        """Return the first picture."""
        return result.image

    def ways(self) -> Mapping[str, Way]:
        """Return what the model does: it makes pictures, and may change them."""
        edit: Mapping[str, Way] = {"edit": self.ask_edit} if self.can("image_edit") else {}
        return {"generate": self.ask, **edit}

    def refusable(self) -> Mapping[str, Way]:
        """Return ways to ask that need a capability, by its name."""
        return {"image_edit": self.ask_edit}

    @clause("image.has-its-size", "honest")
    async def test_pictures_have_their_size(self, stage: Stage, ai: Client) -> None:
        """A picture has the size asked for, in pixels, as a ratio or by its class, or is warned of."""
        wrong = []
        for size in SIZES:
            result = await self.made(ai, stage, size=size)
            found = result.image.dimensions
            is_kept = found is not None and is_as_said(size, *found)
            if not is_kept and "size" not in self.warned(result):
                wrong.append(f"{size} became {found}")
        assert not wrong, (
            f"{stage.id}: {'; '.join(wrong)}, without a warning. request.pixels(limits) and "
            "request.ratio(known) find the nearest, and warn."
        )

    @clause("image.sizes.are-as-declared", "complete")
    async def test_declared_sizes_are_made(self, stage: Stage, ai: Client) -> None:
        """Each form of sizes that the spec declares is taken as it is, by the default model."""
        forms: frozenset[str] = getattr(stage.spec, "sizes", frozenset())
        if not forms:
            not_applicable(f"{stage.id} does not say how it takes sizes")
        name, wrong = f"{stage.id}/{stage.spec.default_model or stage.model}", []
        for form in sorted(forms):
            result = await self.ask(ai, name, self.questions[0], more={"size": USUAL[form]})
            if "size" in self.warned(result):
                wrong.append(f"{form} are declared, and {USUAL[form]} is warned of")
        assert not wrong, (
            f"{stage.id}: {'; '.join(wrong)}. Let `sizes` name what is taken as it is."
        )

    @clause("image.has-its-count", "honest")
    async def test_there_are_as_many_as_asked_for(self, stage: Stage, ai: Client) -> None:
        """There are as many pictures as asked for, or there is a warning."""
        result = await self.made(ai, stage, count=2)
        count = len(result.images)
        assert count == 2 or "count" in self.warned(result), (
            f"{stage.id} was asked for 2 pictures and gave {count}, without a warning."
        )

    @clause("image.has-its-format", "honest")
    async def test_pictures_are_packed_as_asked_for(self, stage: Stage, ai: Client) -> None:
        """A picture is packed as asked for, or there is a warning: a file is named by it."""
        wrong = []
        for form in ("png", "jpeg", "webp"):
            result = await self.made(ai, stage, format=form)
            found = Image(result.image.read_bytes()).media_type
            if found != f"image/{form}" and "format" not in self.warned(result):
                wrong.append(f"{form} became {found}")
        assert not wrong, f"{stage.id}: {'; '.join(wrong)}, without a warning."

    @clause("image.edit.sends-its-picture", "complete")
    async def test_what_is_changed_arrives(self, stage: Stage, ai: Client) -> None:
        """What is to be changed reaches the vendor, every byte of it, and what is to be changed."""
        given, words = picture(64, 48), "Paint the boat red."
        result = await ai.image.edit(words, given, model=stage.able("image_edit"))
        assert result.image.dimensions, f"{stage.id} gave no picture."
        if stage.vendor:
            assert stage.sent(given.read_bytes()), f"{stage.id} did not send the picture."
            assert stage.sent(words), f"{stage.id} did not send what is to be changed."
