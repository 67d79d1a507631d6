"""What a plugin with providers of translation implements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from anymodal import hookspec

if TYPE_CHECKING:
    from .room import TranslationProviderSpec

# mypy: disable-error-code="empty-body"


@hookspec
def anymodal_translation_providers() -> Iterable[TranslationProviderSpec]:
    """
    Offer providers of translation.

    Returns:
        One spec per provider; the rules of `anymodal_text_providers` hold.
    """
