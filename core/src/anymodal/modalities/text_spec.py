"""How providers of text are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..specs import ProviderSpec

if TYPE_CHECKING:
    from .text import TextProvider  # noqa: F401  # named in a string

__all__ = ["TextProviderSpec"]


class TextProviderSpec(ProviderSpec["TextProvider"]):
    """
    A provider of text.

    Its `connect` returns a `TextProvider`.
    """

    __slots__ = ()  # it has no fields of its own, so attrs would make all of it once more

    modality: ClassVar[str] = "text"
