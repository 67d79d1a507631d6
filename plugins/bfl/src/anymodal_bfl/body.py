"""Requests in the words of Black Forest Labs."""

from __future__ import annotations

from fractions import Fraction

import anyio.to_thread
from anymodal.errors import InvalidRequestError, UnsupportedFeatureError
from anymodal.media import Image
from anymodal.modalities.image import ImageRequest

from .models import RATIOS, Family, family_of
from .options import SETTINGS, BflImage

__all__ = ["encode"]


async def encode(request: ImageRequest) -> dict[str, object]:
    """
    Return the body of *request*; it takes the warnings of what cannot be honoured.

    Raises:
        InvalidRequestError: There are more pictures than the model takes.
        UnsupportedFeatureError: There is a mask.
    """
    family = family_of(request.model.id)
    _refuse(request, family)
    for name in ("quality", "background", "negative_prompt", "end_user"):
        if getattr(request, name) is not None:
            request.warn(name, "left out, because Black Forest Labs has no field for it")
    found: dict[str, object] = {"prompt": request.prompt}
    for number, image in enumerate(request.images, 1):
        name = "input_image" if number == 1 else f"input_image_{number}"
        found[name] = await anyio.to_thread.run_sync(_given, image)  # it may lie on disk
    found |= _size(request, family)
    found |= {"seed": request.seed, "output_format": request.format}
    option = request.option(BflImage)
    if option is not None:
        found |= {**_settings(request, option, family), **option.extra_body}
    return {name: value for name, value in found.items() if value is not None}


def _refuse(request: ImageRequest, family: Family) -> None:
    if request.mask is not None:
        msg = f"{request.model.id}: no mask can be given; say in words where to change the picture."
        raise UnsupportedFeatureError(msg)
    if len(request.images) > family.most_images:
        msg = f"images: {request.model.id} takes at most {family.most_images}."
        raise InvalidRequestError(msg, field="images")


def _given(image: Image) -> str:
    return image.url or image.to_base64()


def _size(request: ImageRequest, family: Family) -> dict[str, object]:
    if family.limits is not None:
        pixels = request.pixels(family.limits)
        return {} if pixels is None else {"width": pixels[0], "height": pixels[1]}
    size = request.size
    if size is not None and size.form == "ratio":
        exact = Fraction(str(size.width)) / Fraction(str(size.height))
        if Fraction(9, 21) <= exact <= Fraction(21, 9) and max(exact.as_integer_ratio()) < 100:
            return {"aspect_ratio": str(size)}
    return {"aspect_ratio": request.ratio(RATIOS)}


def _settings(request: ImageRequest, option: BflImage, family: Family) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in SETTINGS:
        value = getattr(option, name)
        if value is not None and name not in family.settings:
            request.warn(name, f"left out, because {request.model.id} has no field for it")
        else:
            found[name] = value
    return found
