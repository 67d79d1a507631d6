"""
OpenAI's models that make pictures, and what only they can be asked for.

Sources, read 2026-11-20: openai 3.52, `types/image_model.py`, `image_generate_params.py` and
`image_edit_params.py`; the vendor's bounds of sizes by
https://github.com/MicrosoftDocs/azure-ai-docs/pull/779.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Literal

import attrs
from anymodal.modalities.image import ImageOption, ImageRequest
from anymodal.modalities.sizes import PixelLimits
from anymodal.specs import Capabilities, Lifecycle, ModelSpec
from anymodal.usage import Price, Prices

__all__ = [
    "DEFAULT_MODEL",
    "FIXED",
    "LIMITS",
    "MODELS",
    "MOST_IMAGES",
    "SIZES",
    "TYPES",
    "OpenAIImage",
    "quality_of",
]

DEFAULT_MODEL: Final = "gpt-image-2.5-flare"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://developers.openai.com/api/docs/models, by openai 3.52.0"
PRICING: Final = "https://developers.openai.com/api/docs/pricing, by litellm 1.109.1 (MIT)"
DEPRECATIONS: Final = (
    "https://developers.openai.com/api/docs/deprecations, by openai 3.52.0 and "
    "https://aiweekly.co/alerts/openai-deprecates-three-image-apis-by-december-2026"
)

MOST_IMAGES: Final = 10
TYPES: Final = ("image/png", "image/jpeg", "image/webp")
"""Of pictures to work from."""

LIMITS: Final = PixelLimits(
    multiple=16, longest=3840, least_area=655_360, most_area=8_294_400, most_ratio=3
)
SIZES: Final = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"}
"""By ratio, all that older models make."""

FIXED: Final = ("gpt-image-1", "chatgpt-image-latest")
"""Families of models that make `SIZES` alone."""

FINEST: Final = ("gpt-image-2.5", "gpt-image-2.6")
"""Families that know `xhigh` and `max`; of 2.6 the vendor does not say."""

_TABLE: Final = """
# ids                                                     text in  picture in  picture out  text out
gpt-image-2.5-flare,gpt-image-2.5-flare-2026-09-08        5        8           30           -
gpt-image-2.5-sunburst,gpt-image-2.5-sunburst-2026-09-08  5        8           30           -
gpt-image-2.6-flare                                       -        -           -            -
gpt-image-2.6-sunburst                                    -        -           -            -
gpt-image-2,gpt-image-2-2026-04-21                        5        8           30           -
gpt-image-1.5,gpt-image-1.5-2025-12-16                    5        8           32           10
chatgpt-image-latest                                      5        8           32           10
gpt-image-1-mini                                          2        2.5         8            -
"""
_UNITS: Final = ("input_token", "image_input_token", "image_output_token", "output_token")

_LEAVING: Final = Lifecycle(
    state="deprecated", retires_on=dt.date(2026, 12, 1), replacement="gpt-image-2"
)
_RETIRED: Final = (
    ("gpt-image-1", dt.date(2026, 10, 23), "gpt-image-2.5-flare"),
    ("dall-e-3", dt.date(2026, 5, 12), "gpt-image-2"),
    ("dall-e-2", dt.date(2026, 5, 12), "gpt-image-2"),
)
"""For the last two the vendor names any GPT image model."""


def _models() -> Iterator[ModelSpec]:
    for line in _TABLE.strip().splitlines()[1:]:
        ids, *prices = line.split()
        items = [Price(unit, usd) for unit, usd in zip(_UNITS, prices, strict=True) if usd != "-"]
        for name in ids.split(","):
            yield ModelSpec(
                id=name,
                prices=Prices(items, PRICING, READ_ON) if items else None,
                lifecycle=_LEAVING if name.startswith(FIXED) else Lifecycle(),
                source=DEPRECATIONS if name.startswith(FIXED) else FACTS,
            )
    for name, day, replacement in _RETIRED:
        lifecycle = Lifecycle(state="retired", retires_on=day, replacement=replacement)
        no = Capabilities(no={"image_edit"})
        yield ModelSpec(id=name, capabilities=no, lifecycle=lifecycle, source=DEPRECATIONS)


MODELS: Final = tuple(_models())
"""Current models first, retired ones last. Snapshots are models of their own."""


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
