"""What only Black Forest Labs can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import attrs
from anymodal.modalities.image import ImageOption

__all__ = ["SETTINGS", "BflImage"]

SETTINGS: Final = ("safety_tolerance", "prompt_upsampling", "steps", "guidance", "raw")


@attrs.frozen(kw_only=True)
class BflImage(ImageOption):
    """
    Options for pictures by FLUX. `None` means the vendor's default.

    What a model has no field for is left out, with a warning. Source: the vendor's
    description, https://api.bfl.ai/openapi.json, read 2026-11-20.

    Args:
        safety_tolerance: From 0, the most strict, to 5, or 6 of the models before FLUX.2.
        prompt_upsampling: Whether the vendor embellishes the prompt.
        steps: How many; of `flux-2-flex` and `flux-dev`.
        guidance: How near to the prompt; of `flux-2-flex` and `flux-dev`.
        raw: Whether it looks less processed; of `flux-pro-1.1-ultra`.
        extra_body: Fields of the body, sent unchecked.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "bfl"

    safety_tolerance: int | None = None
    prompt_upsampling: bool | None = None
    steps: int | None = None
    guidance: float | None = None
    raw: bool | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
