"""
What only OpenAI's models that make pictures can be asked for.

Sources, read 2026-11-20: openai 3.52, `types/image_model.py`, `image_generate_params.py` and
`image_edit_params.py`; the vendor's bounds of sizes by
https://github.com/MicrosoftDocs/azure-ai-docs/pull/779.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import attrs
from anymodal.modalities.image import ImageOption, ImageRequest
from anymodal.modalities.sizes import PixelLimits

__all__ = [
    "LIMITS",
    "MOST_IMAGES",
    "SIZES",
    "TYPES",
    "OpenAIImage",
    "quality_of",
]

MOST_IMAGES: Final = 10
TYPES: Final = ("image/png", "image/jpeg", "image/webp")
"""Of pictures to work from."""

LIMITS: Final = PixelLimits(
    multiple=16, longest=3840, least_area=655_360, most_area=8_294_400, most_ratio=3
)
SIZES: Final = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
"""By ratio, all that older models make."""

FINEST: Final = ("gpt-image-2.5", "gpt-image-2.6")
"""Families that know `xhigh` and `max`; of 2.6 the vendor does not say."""


def quality_of(request: ImageRequest) -> str | None:
    """Return the quality to ask for: `high` for the finer ones that a model does not know."""
    wanted = request.quality
    if wanted in {"xhigh", "max"} and not request.model.id.startswith(FINEST):
        request.warn("quality", f"{wanted} becomes high, the most that {request.model.id} knows")
        return "high"
    return wanted


@attrs.frozen(kw_only=True)
class OpenAIImage(ImageOption):
    """
    Options for pictures from OpenAI. `None` means the vendor's default.

    Source: openai 3.52, `types/image_generate_params.py` and `image_edit_params.py`,
    read 2026-11-20.

    Args:
        moderation: `low` filters less.
        output_compression: From 0 to 100, of JPEG and WebP.
        complexity: How much is planned before the picture is made.
        input_fidelity: How near to the given pictures, of `gpt-image-1.5` alone.
        safety_identifier: Stable id of the person behind the call; goes before
            `end_user`.
        extra_body: Fields of the body, sent unchecked; fields of the form where pictures
            are sent.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "openai"

    moderation: Literal["low", "auto"] | None = None
    output_compression: int | None = None
    complexity: Literal["low", "medium", "high"] | None = None
    input_fidelity: Literal["high", "low"] | None = None
    safety_identifier: str | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def fields(self, request: ImageRequest) -> Mapping[str, object]:
        """Return the fields of the body that these options mean."""
        found: dict[str, object] = {
            "output_compression": self.output_compression,
            "complexity": self.complexity,
            "safety_identifier": self.safety_identifier,
        }
        if request.images:
            found["input_fidelity"] = self.input_fidelity
            if self.moderation is not None:
                request.warn("moderation", "left out, because edits have no field for it")
        else:
            found["moderation"] = self.moderation
            if self.input_fidelity is not None:
                request.warn("input_fidelity", "left out, because no picture is given")
        return {name: value for name, value in found.items() if value is not None}
