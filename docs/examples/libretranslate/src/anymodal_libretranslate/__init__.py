"""LibreTranslate for anymodal: translation by a server of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec
    from anymodal_translation import TranslationProviderSpec

    from .provider import LibreTranslate, LibreTranslateOption

__all__ = ["LibreTranslate", "LibreTranslateOption", "connect"]

DOCS = "https://docs.libretranslate.com"


@hookimpl
def anymodal_translation_providers() -> Iterator[TranslationProviderSpec]:
    """Offer a server of translations; which languages it has, only it knows."""
    from anymodal import Capabilities, Credential, ModelSpec  # costs 60 modules
    from anymodal_translation import TranslationProviderSpec  # as above

    from .provider import LibreTranslateOption  # as above

    yield TranslationProviderSpec(
        id="libretranslate",
        display_name="LibreTranslate",
        docs=DOCS,
        connect=connect,
        url_env=["LIBRETRANSLATE_URL"],
        credentials=[Credential(required=False)],  # no variable: it would go to any server
        capabilities=Capabilities(yes={"detection"}, no={"formality"}),
        models=[ModelSpec(id="argos", source=DOCS)],
        default_model="argos",
        options=LibreTranslateOption,
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for a LibreTranslate server."""
    from anymodal import EmulatorSpec  # costs 60 modules

    yield EmulatorSpec(
        provider="libretranslate",
        app="anymodal_libretranslate.emulator:app",
        key="libretranslate-emulator-key",
    )


def connect(connection: Connection) -> LibreTranslate:
    """Return the provider for an instance."""
    from .provider import LibreTranslate  # brings the room of translation

    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return LibreTranslate(connection)


def __getattr__(name: str) -> object:
    if name not in {"LibreTranslate", "LibreTranslateOption"}:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from . import provider  # brings the room of translation

    return getattr(provider, name)
