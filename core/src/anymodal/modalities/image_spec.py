"""How providers of pictures are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec, names

if TYPE_CHECKING:
    from .image import ImageProvider  # noqa: F401  # named in a string

__all__ = ["ImageProviderSpec"]


def _forms(found: Iterable[str]) -> frozenset[str]:
    given = names(found)
    if strange := sorted(given - {"pixels", "ratio", "class"}):
        msg = f"sizes: {strange[0]!r} is none of pixels, ratio and class"
        raise ValueError(msg)
    return given


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ImageProviderSpec(ProviderSpec["ImageProvider"]):
    """
    A provider of pictures, before anything is connected.

    Args:
        sizes: How it takes sizes: `pixels`, `ratio`, `class`. What it does not take
            it makes of the others, with a warning where that is not exact.
    """

    modality: ClassVar[str] = "image"

    sizes: frozenset[str] = attrs.field(default=frozenset(), converter=_forms)
