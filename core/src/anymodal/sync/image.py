"""
Image: `client.image`, without `await`.

Written by tools/make_sync.py, from facades/image.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ..call import ModelChoice
from ..facades.image import ImageFacade
from ..media import Image
from ..modalities.image import ImageFormat, ImageOption, ImageResult
from ..modalities.sizes import SizeLike
from ..policies import Policy
from ..specs import Deadlines
from .face import Face

__all__ = ["SyncImageFacade"]


class SyncImageFacade(Face[ImageFacade]):
    """Pictures from words, and from other pictures."""

    __slots__ = ()

    def generate(
        self,
        prompt: str,
        *,
        model: ModelChoice = None,
        size: SizeLike | None = None,
        count: int = 1,
        quality: str | None = None,
        format: ImageFormat | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.generate(
            prompt, model=model, size=size, count=count, quality=quality, format=format,
            background=background, negative_prompt=negative_prompt, seed=seed, timeout=timeout,
            policy=policy, options=options, tags=tags, end_user=end_user, strict=strict,
            raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)

    def edit(
        self,
        prompt: str,
        images: Image | Sequence[Image],
        *,
        mask: Image | None = None,
        model: ModelChoice = None,
        size: SizeLike | None = None,
        count: int = 1,
        quality: str | None = None,
        format: ImageFormat | None = None,
        background: Literal["transparent", "opaque"] | None = None,
        negative_prompt: str | None = None,
        seed: int | None = None,
        timeout: float | Deadlines | None = None,
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
        inner = self._inner.edit(
            prompt, images, mask=mask, model=model, size=size, count=count, quality=quality,
            format=format, background=background, negative_prompt=negative_prompt, seed=seed,
            timeout=timeout, policy=policy, options=options, tags=tags, end_user=end_user,
            strict=strict, raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)
