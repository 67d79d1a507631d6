"""Pictures: what is asked for in Night Heron's words, and what it drew."""

from __future__ import annotations

from anymodal import Image, ImageRequest, ImageResult, Usage, Used
from anymodal.jobs import submitting
from anymodal.modalities.sizes import PixelLimits

from .answers import decoded
from .vendor import NightHeronVendor, given

LIMITS = PixelLimits(multiple=16, shortest=256, longest=2048)
LACKS = ("mask", "quality", "background", "negative_prompt", "end_user")


class NightHeronPictures(NightHeronVendor):
    """Models that draw."""

    async def generate(self, request: ImageRequest) -> ImageResult:
        """Draw, from words and from pictures."""
        width, height = request.pixels(LIMITS) or (1024, 1024)
        body = {
            "model": request.model.id,
            "prompt": request.prompt,
            "pictures": [one.to_base64() for one in request.images],
            "width": width,
            "height": height,
            **given(request, "count", "format", "seed", lacks=LACKS),
        }
        with submitting(self.provider):
            said = await self.ask("/pictures", body)
        images = tuple(Image(decoded(one)) for one in said["pictures"])
        usage = Usage(units=(Used("image", len(images)),))
        return ImageResult(images=images, usage=usage, request_id=said["id"])

    async def edit(self, request: ImageRequest) -> ImageResult:
        """Draw from pictures."""
        return await self.generate(request)
