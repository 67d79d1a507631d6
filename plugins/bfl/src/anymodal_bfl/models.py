"""
The FLUX models: what each takes, what it costs, from where, and as of when.

What a picture of FLUX.2 costs depends on its size and on the pictures given: prices are
those of one of a megapixel, and the vendor says with each what it did cost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

import attrs
from anymodal.modalities.sizes import PixelLimits
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, ModelSpec

__all__ = ["DEFAULT_MODEL", "MODELS", "RATIOS", "Family", "family_of"]

DEFAULT_MODEL: Final = "flux-2-pro"

READ_ON: Final = dt.date(2026, 11, 20)
FACTS: Final = "https://api.bfl.ai/openapi.json"
PRICING: Final = (
    "https://bfl.ai/pricing, by litellm 1.109.1 (MIT) and "
    "https://developer.puter.com/tutorials/flux-api-pricing"
)

RATIOS: Final = (
    "21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "9:21",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Family:
    """
    What the models of a family take.

    Args:
        limits: Which sizes; None where only a ratio can be asked for.
        most_images: How many pictures to work from.
        settings: Which of the vendor's own settings.
    """

    limits: PixelLimits | None = None
    most_images: int = 0
    settings: frozenset[str] = frozenset({"safety_tolerance"})


_FREE: Final = PixelLimits(multiple=16, shortest=64, most_area=4_194_304)
_SMALL: Final = PixelLimits(multiple=32, shortest=256, longest=1440)
_EARLIER: Final = frozenset({"safety_tolerance", "prompt_upsampling"})
_OPEN: Final = frozenset({*_EARLIER, "steps", "guidance"})

_FAMILIES: Final[Mapping[str, Family]] = {
    "flux-2-klein": Family(limits=_FREE, most_images=4),
    "flux-2-flex": Family(limits=_FREE, most_images=8, settings=_OPEN),
    "flux-2": Family(limits=_FREE, most_images=8),
    "flux-kontext": Family(most_images=4, settings=_EARLIER),
    "flux-pro-1.1-ultra": Family(settings=_EARLIER | {"raw"}),
    "flux-pro-1.1": Family(limits=_SMALL, settings=_EARLIER),
    "flux-dev": Family(limits=_SMALL, settings=_OPEN),
}
"""By how the ids of models begin; the longest first."""

_USD: Final[Mapping[str, str | None]] = {
    "flux-2-pro": "0.03",
    "flux-2-max": "0.07",
    "flux-2-flex": "0.05",
    "flux-2-klein-9b": "0.015",
    "flux-2-klein-4b": "0.014",
    "flux-2-pro-preview": None,
    "flux-2-klein-9b-preview": None,
    "flux-kontext-max": "0.08",
    "flux-kontext-pro": "0.04",
    "flux-pro-1.1-ultra": "0.06",
    "flux-pro-1.1": "0.04",
    "flux-dev": "0.025",
}


def family_of(model: str) -> Family:
    """Return what *model* takes; one that is not known is taken for a FLUX.2."""
    found = next((one for begins, one in _FAMILIES.items() if model.startswith(begins)), None)
    return found or _FAMILIES["flux-2"]


def _models() -> Iterator[ModelSpec]:
    for name, usd in _USD.items():
        edits = {"image_edit"}
        yield ModelSpec(
            id=name,
            capabilities=Capabilities(edits)
            if family_of(name).most_images
            else Capabilities((), edits),
            prices=None if usd is None else Prices([Price("image", usd)], PRICING, READ_ON),
            source=FACTS,
        )


MODELS: Final = tuple(_models())
