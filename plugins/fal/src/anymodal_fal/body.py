"""A request for a clip in the words of fal's models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import anyio.to_thread
from anymodal.media import Image
from anymodal.modalities.sizes import CLASSES, Size
from anymodal.modalities.video import VideoRequest

from .models import FORMS, Form
from .options import FalVideo

__all__ = ["encode", "told"]

_UNKNOWN: Final = (
    "how this model takes it is not known; FalVideo(extra_body=…) says it in its words"
)


async def encode(request: VideoRequest) -> dict[str, Any]:
    """
    Return the input of the model.

    Raises:
        UnsupportedFeatureError: Something cannot be said, and the caller is strict.
    """
    form = FORMS.get(request.model.id)
    body: dict[str, Any] = {"prompt": request.prompt}
    if request.image is not None:
        body["image_url"] = await _uri(request.image)
    if form is None:
        _leave_out(request, body)
    else:
        _say(request, form, body)
        if request.last_image is not None and form.ends:
            body["end_image_url"] = await _uri(request.last_image)
    for name in ("negative_prompt", "end_user"):
        if getattr(request, name) is not None:
            request.warn(name, f"{request.model.id} has no such thing; left out")
    option = request.option(FalVideo)
    return body if option is None else {**body, **option.extra_body}


async def _uri(image: Image) -> str:
    if image.path is None:
        return image.to_data_uri()
    return await anyio.to_thread.run_sync(image.to_data_uri)


def _leave_out(request: VideoRequest, body: dict[str, Any]) -> None:
    """Say what is the same for all models, and warn of the rest."""
    if request.seed is not None:
        body["seed"] = request.seed
    for name in ("seconds", "size", "sound", "last_image"):
        if getattr(request, name) is not None:
            request.warn(name, _UNKNOWN)


def _say(request: VideoRequest, form: Form, body: dict[str, Any]) -> None:
    model = request.model.id
    if request.seconds is not None:
        seconds = min(max(round(request.seconds), form.least), form.most)
        if seconds != request.seconds:
            request.warn(
                "seconds", f"{model} makes {form.least} to {form.most} whole ones: {seconds} here"
            )
        body["duration"] = str(seconds) if form.in_words else seconds
    if request.size is not None:
        body.update(_sized(request, request.size, form))
    if request.sound is not None:
        body["generate_audio"] = request.sound
    if request.seed is not None:
        if form.seeded:
            body["seed"] = request.seed
        else:
            request.warn("seed", f"{model} takes none; left out")
    if request.last_image is not None and not form.ends:
        request.warn("last_image", f"{model} takes none; left out")


def _sized(request: VideoRequest, size: Size, form: Form) -> dict[str, str]:
    """Return shape and resolution that are the nearest to *size*."""
    found: dict[str, str] = {}
    exact = True
    if size.form != "class":
        found["aspect_ratio"], exact = size.nearest(form.ratios)
    if size.form != "ratio":
        area = math.prod(size.pixels(1))
        found["resolution"] = min(
            form.resolutions, key=lambda name: abs(math.log(CLASSES[name] / area))
        )
        is_named = size.name == found["resolution"] if size.form == "class" else False
        fits = abs(math.log(CLASSES[found["resolution"]] / area)) < 0.02
        exact = exact and (is_named or fits)
    if not exact:
        request.warn("size", f"{request.model.id} makes {' at '.join(found.values())} of {size}")
    return found


def told(request: VideoRequest, body: Mapping[str, Any]) -> dict[str, object]:
    """Return what is billed: seconds and their size, as far as they are known."""
    form = FORMS.get(request.model.id)
    if form is None:
        return {}
    said = body.get("duration", form.usual)
    seconds = int(said) if isinstance(said, int) or str(said).isdecimal() else None
    return {"seconds": seconds, "size": body.get("resolution", form.resolutions[0])}
