"""
The models of clips, what they cost, and how each wants to be asked.

Ids, inputs and prices: the pages of each model, such as
https://fal.ai/models/bytedance/seedance-2.0/text-to-video (read 2026-11-20).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import attrs
from anymodal.pricing import Price, Prices
from anymodal.specs import Capabilities, ModelSpec

__all__ = ["DEFAULT_MODEL", "FORMS", "MODELS", "Form"]

READ: Final = dt.date(2026, 11, 20)
DEFAULT_MODEL: Final = "bytedance/seedance-2.0/text-to-video"
RATIOS: Final = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")


@attrs.frozen(kw_only=True)
class Form:
    """
    How a model wants to be asked.

    Attributes:
        least: Fewest seconds that it makes; all are whole.
        most: Most of them.
        in_words: Whether it takes them as a string.
        usual: Seconds that it makes where nobody says; None is its own choice.
        resolutions: Its names for sizes, the default first.
        ratios: Shapes that it makes.
        seeded: Whether it takes a seed.
        ends: Whether it takes a picture to end with.
    """

    least: int
    most: int
    in_words: bool = True
    usual: int | None = None
    resolutions: tuple[str, ...] = ("720p", "480p")
    ratios: tuple[str, ...] = RATIOS
    seeded: bool = True
    ends: bool = False


_SEEDANCE_2: Final = Form(least=4, most=15)
_SEEDANCE_25: Final = Form(least=4, most=30)
_FLUX: Final = Form(
    least=5, most=20, in_words=False, usual=5, resolutions=("720p", "1080p"),
    ratios=(*RATIOS, "2:1"), seeded=False,
)  # fmt: skip

_FAMILIES: Final[Mapping[str, tuple[Form, str, str]]] = {
    "bytedance/seedance-2.0": (_SEEDANCE_2, "0.3024", "0.1442"),
    "bytedance/seedance-2.0/fast": (_SEEDANCE_2, "0.2419", "0.1154"),
    "bytedance/seedance-2.0/mini": (_SEEDANCE_2, "0.1547", "0.0721"),
    "bytedance/seedance-2.5/flash": (_SEEDANCE_25, "0.3094", "0.1442"),
}
"""Dollars for a second at 720p and 480p; of 2.0 and its fast tier the latter by the price of tokens."""

_TEXT: Final = Capabilities(yes={"text_to_video", "audio_output"}, no={"image_to_video"})
_IMAGE: Final = Capabilities(yes={"image_to_video", "audio_output"}, no={"text_to_video"})


def _page(model: str) -> str:
    return f"https://fal.ai/models/{model}"


def _family(name: str, form: Form, usd: str, small: str) -> list[tuple[ModelSpec, Form]]:
    found = []
    for kind, capabilities in (("text-to-video", _TEXT), ("image-to-video", _IMAGE)):
        model = f"{name}/{kind}"
        prices = Prices(
            [Price("second", usd, size="720p"), Price("second", small, size="480p")],
            _page(model),
            READ,
        )
        spec = ModelSpec(id=model, capabilities=capabilities, prices=prices, source=_page(model))
        found.append((spec, attrs.evolve(form, ends=kind == "image-to-video")))
    return found


_FLUX_ID: Final = "blackforestlabs/flux-3-max/text-to-video"
_ALL: Final = (
    *(one for name, (form, *usd) in _FAMILIES.items() for one in _family(name, form, *usd)),
    (ModelSpec(id=_FLUX_ID, capabilities=_TEXT, source=_page(_FLUX_ID)), _FLUX),
)

MODELS: Final = tuple(spec for spec, _ in _ALL)
FORMS: Final[Mapping[str, Form]] = {spec.id: form for spec, form in _ALL}
