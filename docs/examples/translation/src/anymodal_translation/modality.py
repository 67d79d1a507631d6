"""`TRANSLATION`: the key by which clients are asked, and all that the core knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from anymodal import Modality

if TYPE_CHECKING:
    from .facade import TranslationFacade

__all__ = ["TRANSLATION"]

TRANSLATION: Final[Modality[TranslationFacade]] = Modality(
    name="translation",
    spec="anymodal_translation.room:TranslationProviderSpec",
    facade="anymodal_translation.facade:TranslationFacade",
    hookspecs="anymodal_translation.hookspecs",
    capabilities={"detection", "formality"},
    options="anymodal_translation.room:TranslationOptions",
    typical=({"character": 1000}, {"input_token": 250, "output_token": 250}),
    visits="anymodal_translation.visits:TRANSLATION",
)
