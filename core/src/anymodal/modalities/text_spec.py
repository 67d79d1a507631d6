"""How providers of text are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .text import TextProvider  # noqa: F401  # named in a string

__all__ = ["TextProviderSpec"]


@attrs.frozen(kw_only=True)
class TextProviderSpec(ProviderSpec["TextProvider"]):
    """
    A provider of text.

    Its `connect` returns a `TextProvider`.
    """

    modality: ClassVar[str] = "text"
