"""Translation for anymodal: a modality of its own, for any provider to serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import CommandSpec, Modality

    from .facade import TranslationFacade
    from .modality import TRANSLATION
    from .room import (
        Formality,
        Translation,
        TranslationOption,
        TranslationProviderSpec,
        TranslationRequest,
        TranslationResult,
    )
    from .sync import SyncTranslationFacade

_HOMES = {
    "TRANSLATION": "modality",
    "Formality": "room",
    "SyncTranslationFacade": "sync",
    "Translation": "room",
    "TranslationFacade": "facade",
    "TranslationOption": "room",
    "TranslationProviderSpec": "room",
    "TranslationRequest": "room",
    "TranslationResult": "room",
}

__all__ = [
    "TRANSLATION",
    "Formality",
    "SyncTranslationFacade",
    "Translation",
    "TranslationFacade",
    "TranslationOption",
    "TranslationProviderSpec",
    "TranslationRequest",
    "TranslationResult",
]


@hookimpl
def anymodal_modalities() -> Iterator[Modality[Any]]:
    """Offer translation."""
    from .modality import TRANSLATION  # importing this module stays cheap

    yield TRANSLATION


@hookimpl
def anymodal_commands() -> Iterator[CommandSpec]:
    """Offer `anymodal translate`."""
    from anymodal import CommandSpec  # as above

    yield CommandSpec(name="translate", help="Put TEXT into another language.", run=_translate)


def _translate(words: Sequence[str]) -> int:
    from .command import run  # listing commands loads none of them

    return run(words)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
