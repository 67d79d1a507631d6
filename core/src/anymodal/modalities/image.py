"""Image: pictures from words, and from other pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final, Literal, Protocol, TypeAlias

import attrs

from ..errors import InvalidRequestError
from ..media import Image
from ..usage import Record, Usage
from .image_spec import ImageProviderSpec
from .requests import Request, VendorOption
from .sizes import CLASSES, PixelLimits, Size

__all__ = [
    "GeneratesImages",
    "ImageFormat",
    "ImageOption",
    "ImageProvider",
    "ImageProviderSpec",
    "ImageRequest",
    "ImageResult",
]

ImageFormat = Literal["png", "jpeg", "webp"]
FORMATS: Final = ("png", "jpeg", "webp")


class ImageOption(VendorOption):
    """Base of a plugin's own frozen options for pictures; other providers ignore them."""


@attrs.frozen(kw_only=True)
class ImageRequest(Request):
    """
    What a provider of pictures is asked for; see `Request` for the rest.

    Attributes:
        prompt: What is to be seen.
        images: Pictures to work from; none where it is made from words alone.
        mask: Where to change the first of them: its transparent part.
        size: How large.
        count: How many pictures.
        quality: In the vendor's words, such as `high`.
        format: How it is packed.
        background: `transparent` or `opaque`.
        negative_prompt: What is not to be seen.
        seed: For pictures that repeat, as far as the vendor can.
    """

    option_class: ClassVar[type[VendorOption]] = ImageOption

    prompt: str
    images: tuple[Image, ...] = ()
    mask: Image | None = None
    size: Size | None = None
    count: int = 1
    quality: str | None = None
    format: ImageFormat | None = None
    background: Literal["transparent", "opaque"] | None = None
    negative_prompt: str | None = None
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            msg = "prompt: words are needed."
            raise InvalidRequestError(msg, field="prompt")
        if not _is_whole(self.count) or not 1 <= self.count <= MOST:
            msg = f"count: a whole number from 1 to {MOST} is needed, not {self.count!r}."
            raise InvalidRequestError(msg, field="count")
        if self.seed is not None and not _is_whole(self.seed):
            msg = f"seed: a whole number is needed, not {self.seed!r}."
            raise InvalidRequestError(msg, field="seed")
        if self.format is not None and self.format not in FORMATS:
            msg = f"format: {self.format!r} is none of {', '.join(FORMATS)}."
            raise InvalidRequestError(msg, field="format")
        if self.background not in {None, "transparent", "opaque"}:
            msg = f"background: {self.background!r} is neither transparent nor opaque."
            raise InvalidRequestError(msg, field="background")
        if not all(isinstance(one, Image) for one in self.images):
            msg = "images: each is an Image."
            raise InvalidRequestError(msg, field="images")
        if self.mask is not None and not (isinstance(self.mask, Image) and self.images):
            msg = "mask: an Image is needed, and a picture that it is laid over."
            raise InvalidRequestError(msg, field="mask")

    def pixels(self, limits: PixelLimits) -> tuple[int, int] | None:
        """
        Return the width and height to ask for, or None for the vendor's choice.

        The size is warned of where it is not made as it was said: other pixels, a
        ratio that is off by more than a hundredth, or a class that is not near.
        """
        if self.size is None:
            return None
        width, height = limits.fit(self.size)
        if not _is_as_said(self.size, width, height):
            self.warn("size", f"{self.size} becomes {width}x{height}, the nearest that there is")
        return width, height

    def ratio(self, known: Iterable[str]) -> str | None:
        """
        Return the one of the *known* ratios to ask for, or None for the vendor's choice.

        The size is warned of where it is not that ratio, or says more than a ratio.
        """
        if self.size is None:
            return None
        found, is_exact = self.size.nearest(known)
        if not is_exact or self.size.form != "ratio":
            self.warn("size", f"{self.size} becomes {found}: only a few ratios can be asked for")
        return found


MOST: Final = 100
"""More pictures than any vendor makes at once."""


def _is_as_said(size: Size, width: int, height: int) -> bool:
    if size.form == "pixels":
        return (width, height) == (size.width, size.height)
    if size.form == "ratio":
        return abs(width * size.height / (height * size.width) - 1) <= 0.01
    return abs(width * height / CLASSES[size.name] - 1) <= 0.25


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@attrs.frozen(kw_only=True)
class ImageResult:
    """
    Pictures.

    Attributes:
        images: The pictures, their bytes at hand.
        usage: What the vendor counted.
        model: The model that made them, in the vendor's words.
        request_id: The vendor's id of the request.
        revised_prompt: What the vendor made of the prompt.
        seed: What would make them again.
        raw: The vendor's answer, where the request asked for it.
        record: What is known about the call. Set by the client.
    """

    images: tuple[Image, ...]
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None
    revised_prompt: str | None = None
    seed: int | None = None
    raw: object = attrs.field(default=None, repr=False)
    record: Record = attrs.field(default=None, eq=False, repr=False)

    @property
    def image(self) -> Image:
        """The first picture."""
        return self.images[0]


class GeneratesImages(Protocol):
    """
    What a provider of pictures is. It may have `edit(request)` too, with the same arguments.

    Vendors' links die within minutes, so the pictures are fetched before it returns.
    """

    async def generate(self, request: ImageRequest, /) -> ImageResult:
        """
        Make pictures.

        Raises:
            InvalidRequestError: Something in *request* this vendor never takes.
            ContentFilteredError: Its filter refused the prompt or the pictures.
            VendorError: It refused or failed.
        """


ImageProvider: TypeAlias = GeneratesImages
