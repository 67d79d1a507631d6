"""Pictures from OpenAI, over the vendor's own SDK."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final

import anyio.to_thread
import attrs
from anymodal.connection import Connection
from anymodal.errors import InvalidRequestError
from anymodal.failures import request_id
from anymodal.formats import extension
from anymodal.http import HttpReply, parse_json, read
from anymodal.media import Image
from anymodal.modalities.image import ImageRequest, ImageResult
from anymodal.specs import ModelSpec
from anymodal.usage import Usage, Used
from anymodal_openai_compatible.carrier import Upload
from anymodal_openai_compatible.frames import MALFORMED, malformed
from anymodal_openai_compatible.listing import models_of

from .image import LIMITS, MOST_IMAGES, SIZES, TYPES, OpenAIImage, quality_of
from .image_models import FIXED
from .sdk import SdkCarrier, sdk_carrier

__all__ = ["OpenAIPictures", "encode", "openai_pictures"]

MAX_PICTURE_BYTES: Final = 48 * 1024 * 1024
"""Of one in an answer, in base64: more than the largest one that is made has, unpacked."""

MOST_GIVEN: Final = 16


@attrs.frozen(eq=False)
class OpenAIPictures:
    """
    Pictures from OpenAI.

    Args:
        provider: Id of the provider.
        carrier: The road to the vendor.
    """

    provider: str
    carrier: SdkCarrier = attrs.field(repr=False)

    async def generate(self, request: ImageRequest, /) -> ImageResult:
        """
        Make pictures from words.

        Raises:
            InvalidRequestError: Too many pictures, or a transparent JPEG.
            ContentFilteredError: The filter refused the prompt, or what was made.
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send(
            "POST",
            "/images/generations",
            encode(request),
            headers=_headers(request),
            connect_seconds=request.deadlines.connect,
        )
        return await self._result(request, reply)

    async def edit(self, request: ImageRequest, /) -> ImageResult:
        """
        Make pictures from pictures.

        Raises:
            InvalidRequestError: As of `generate`, or a picture that the vendor does not take.
            ContentFilteredError: The filter refused the prompt or a picture.
            VendorError: The vendor refused or failed.
        """
        fields = {name: _text(value) for name, value in encode(request).items()}
        files = await anyio.to_thread.run_sync(_files, request)  # they may lie on disk
        reply = await self.carrier.send_files(
            "/images/edits",
            fields,
            files,
            headers=_headers(request),
            connect_seconds=request.deadlines.connect,
        )
        return await self._result(request, reply)

    async def _result(self, request: ImageRequest, reply: HttpReply) -> ImageResult:
        named = request_id(reply.headers)
        content = await read(reply, self.provider, MAX_PICTURE_BYTES * request.count)
        found = parse_json(content, self.provider)
        try:
            return decode(found, request, named)
        except MALFORMED as error:
            raise malformed(self.provider, error, named) from error

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, of all kinds.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("GET", "/models", headers={})
        found = parse_json(await read(reply, self.provider), self.provider)
        try:
            return models_of(found)
        except MALFORMED as error:
            raise malformed(self.provider, error, request_id(reply.headers)) from error

    async def aclose(self) -> None:
        """Close what the carrier opened."""
        await self.carrier.aclose()


def openai_pictures(connection: Connection) -> OpenAIPictures:
    """Return the provider for an instance."""
    return OpenAIPictures(connection.provider, sdk_carrier(connection))


# -- what is sent -------------------------------------------------------------------------


def encode(request: ImageRequest) -> dict[str, object]:
    """
    Return the body of *request*; it takes the warnings of what cannot be honoured.

    Raises:
        InvalidRequestError: Something that the vendor never makes.
    """
    if request.count > MOST_IMAGES:
        msg = f"count: OpenAI makes at most {MOST_IMAGES} pictures at once."
        raise InvalidRequestError(msg, field="count")
    if request.background == "transparent" and request.format == "jpeg":
        msg = "background: a JPEG cannot be transparent; ask for png or webp."
        raise InvalidRequestError(msg, field="background")
    for name in ("negative_prompt", "seed"):
        if getattr(request, name) is not None:
            request.warn(name, "left out, because OpenAI has no field for it")
    found: dict[str, object] = {
        "model": request.model.id,
        "prompt": request.prompt,
        "n": None if request.count == 1 else request.count,
        "size": _size(request),
        "quality": quality_of(request),
        "output_format": request.format,
        "background": request.background,
        "safety_identifier": request.end_user,
    }
    option = request.option(OpenAIImage)
    if option is not None:
        found |= {**option.fields(request), **option.extra_body}
    return {name: value for name, value in found.items() if value is not None}


def _size(request: ImageRequest) -> str | None:
    if request.model.id.startswith(FIXED):
        if str(request.size) in SIZES.values():
            return str(request.size)
        ratio = request.ratio(SIZES)
        return None if ratio is None else SIZES[ratio]
    pixels = request.pixels(LIMITS)
    return None if pixels is None else f"{pixels[0]}x{pixels[1]}"


def _files(request: ImageRequest) -> list[tuple[str, Upload]]:
    if len(request.images) > MOST_GIVEN:
        msg = f"images: OpenAI takes at most {MOST_GIVEN}, not {len(request.images)}."
        raise InvalidRequestError(msg, field="images")
    found = [
        ("image[]", _upload(image, "images", f"image-{number}"))
        for number, image in enumerate(request.images, 1)
    ]
    if request.mask is not None:
        found.append(("mask", _upload(request.mask, "mask", "mask")))
    return found


def _upload(image: Image, field: str, name: str) -> Upload:
    if image.url is not None:
        msg = f"{field}: OpenAI takes the pictures themselves here, not a URL."
        raise InvalidRequestError(msg, field=field)
    if image.media_type not in TYPES:
        msg = f"{field}: OpenAI takes PNG, JPEG and WebP, not {image.media_type}."
        raise InvalidRequestError(msg, field=field)
    return Upload(name + extension(image.media_type), image.read_bytes(), image.media_type)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _headers(request: ImageRequest) -> dict[str, str]:
    option = request.option(OpenAIImage)
    more = option.extra_headers if option else {}
    return {name.lower(): text for name, text in more.items()}


# -- what comes ---------------------------------------------------------------------------


def decode(found: Any, request: ImageRequest, named: str | None) -> ImageResult:
    """
    Return what an answer says.

    Raises:
        Exception: One of `MALFORMED`: it is none.
    """
    rows = found["data"]
    images = tuple(Image(b64decode(row["b64_json"], validate=True)) for row in rows)
    if not images:
        raise LookupError
    return ImageResult(
        images=images,
        usage=_usage(found.get("usage")),
        model=request.model.id,
        request_id=named,
        revised_prompt=rows[0].get("revised_prompt"),
        raw=found if request.raw else None,
    )


def _usage(found: Mapping[str, Any] | None) -> Usage | None:
    """Return what was used; where the answer's tokens are not told apart, all are pictures'."""
    if found is None:
        return None
    seen = (found.get("input_tokens_details") or {}).get("image_tokens") or 0
    told = found.get("output_tokens_details") or {}
    drawn = told.get("image_tokens", found["output_tokens"])
    units = [Used("image_input_token", seen)] if seen else []
    return Usage(
        input_tokens=found["input_tokens"],
        output_tokens=found["output_tokens"],
        units=(*units, Used("image_output_token", drawn)),
    )
