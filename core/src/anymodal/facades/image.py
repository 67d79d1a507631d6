"""Image: `client.image`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..facade import Facade
from ..media import Image
from ..modalities import IMAGE, Modality
from ..modalities.image import ImageFormat, ImageOption, ImageProvider, ImageRequest, ImageResult
from ..modalities.sizes import Size, SizeLike
from ..policies import Policy
from ..specs import Deadlines
from ..usage import Usage, Used
from .awaiting import awaited

if TYPE_CHECKING:
    from ..doors import Door
    from ..loops import KeptLoop
    from ..resolution import Row
    from ..sync.image import SyncImageFacade

__all__ = ["AskedImage", "BoundImage", "ImageFacade"]


@attrs.frozen
class BoundImage:
    """
    A provider of pictures, its methods to be awaited.

    Attributes:
        generate: Makes pictures from words.
        edit: Makes pictures from pictures; None where it does not.
    """

    generate: Callable[[ImageRequest], Awaitable[ImageResult]]
    edit: Callable[[ImageRequest], Awaitable[ImageResult]] | None = None


@attrs.frozen(kw_only=True)
class AskedImage:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `ImageFacade.generate` and `edit`.
    """

    prompt: str
    images: Sequence[Image] = ()
    mask: Image | None = None
    model: ModelChoice = None
    size: SizeLike | None = None
    count: int = 1
    quality: str | None = None
    format: ImageFormat | None = None
    background: Literal["transparent", "opaque"] | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    options: Sequence[ImageOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> ImageRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        return ImageRequest(
            model=row.model,
            prompt=self.prompt,
            images=tuple(self.images),
            mask=self.mask,
            size=None if self.size is None else Size.parse(self.size),
            count=self.count,
            quality=self.quality,
            format=self.format,
            background=self.background,
            negative_prompt=self.negative_prompt,
            seed=self.seed,
            options=tuple(self.options),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )


class ImageFacade(Facade[BoundImage]):
    """Pictures from words, and from other pictures."""

    modality: ClassVar[Modality[Any]] = IMAGE

    async def generate(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        size: SizeLike | None = None,
        count: int = 1,
        quality: str | None = None,
        format: ImageFormat | None = None,  # noqa: A002  # the word for it
        background: Literal["transparent", "opaque"] | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[ImageOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> ImageResult:
        """
        Make pictures from words.

        Args:
            prompt: What is to be seen.
            model: A name, several in order of preference, or None for the
                default of the settings.
            size: `1024x768`, `16:9` or `2k`. Providers that take another form make
                one of it, with a warning where that is not exact.
            count: How many pictures.
            quality: In the vendor's words, such as `high`.
            format: How they are packed.
            background: `transparent` or `opaque`.
            negative_prompt: What is not to be seen.
            seed: For pictures that repeat, as far as the vendor can.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The pictures, their bytes at hand, with `image`, `images` and `record`.

        Raises:
            RequestError: Nothing was sent.
            ContentFilteredError: The vendor's filter refused the prompt.
            VendorError: The vendor refused or failed.
            DeadlineExceededError: *timeout* went by.
        """
        call = self.call("generate", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedImage(
            prompt=prompt, model=model, size=size, count=count, quality=quality, format=format,
            background=background, negative_prompt=negative_prompt, seed=seed, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_ask)

    async def edit(
        self,
        prompt: str,
        images: Image | Sequence[Image],
        *,
        mask: Image | None = None,
        model: ModelChoice = None,
        size: SizeLike | None = None,
        count: int = 1,
        quality: str | None = None,
        format: ImageFormat | None = None,  # noqa: A002  # the word for it
        background: Literal["transparent", "opaque"] | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[ImageOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> ImageResult:
        """
        Make pictures from pictures; the other arguments are those of `generate`.

        *prompt* says what is to be changed, *images* is a picture or several to work
        from, and *mask* says by its transparent part where to change the first.

        Raises:
            UnsupportedFeatureError: The provider does not edit; nothing was sent.
        """
        call = self.call("edit", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedImage(
            prompt=prompt, images=(images,) if isinstance(images, Image) else tuple(images),
            mask=mask, model=model, size=size, count=count, quality=quality, format=format,
            background=background, negative_prompt=negative_prompt, seed=seed, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        if not call.asked.images:
            msg = "images: at least one is needed."
            raise e.InvalidRequestError(msg, field="images")
        return await call.through(_ask)

    def sync_face(self, loop: KeptLoop) -> SyncImageFacade:
        """Return the same without `await`."""
        from ..sync.image import SyncImageFacade  # noqa: PLC0415  # few programs need both

        return SyncImageFacade(self, loop)

    def bind(self, provider: ImageProvider) -> BoundImage:
        """Return *provider* with its methods to be awaited."""
        return bind(provider)


def bind(provider: ImageProvider) -> BoundImage:
    """
    Return *provider* with its methods to be awaited.

    Raises:
        BrokenPluginError: It does not generate.
    """
    generate, edit = getattr(provider, "generate", None), getattr(provider, "edit", None)
    if generate is None:
        msg = f"{type(provider).__name__} has no generate()."
        raise e.BrokenPluginError(msg)
    return BoundImage(awaited(generate), None if edit is None else awaited(edit))


async def _ask(call: Call) -> ImageResult:
    asked: AskedImage = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        _make,
        bind=bind,
        needs_of=_needs_of,
        weigh=_weight_of,
        is_repeatable=False,
    )
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
    await call.settle()
    return attrs.evolve(found, record=call.record)


async def _make(door: Door, request: ImageRequest) -> ImageResult:
    bound: BoundImage = door.bound
    if not request.images:
        return await bound.generate(request)
    if bound.edit is None:
        msg = f"{door.offer.instance} makes no pictures from pictures; nothing was sent."
        raise e.UnsupportedFeatureError(msg)
    return await bound.edit(request)


def _needs_of(request: ImageRequest) -> list[str]:
    return ["image_edit"] if request.images else []


def _weight_of(request: ImageRequest) -> Usage:
    size = "" if request.size is None else str(request.size)
    return Usage(units=(Used("image", request.count, size=size, quality=request.quality or ""),))
