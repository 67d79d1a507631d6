"""Mistral for anymodal, over the vendor's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal_openai_compatible import CompatibleText

    from .quirks import MistralText

__all__ = ["MistralText", "connect"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer Mistral's text models."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above
    from .quirks import QUIRKS, MistralText  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="mistral",
        display_name="Mistral",
        docs="https://docs.mistral.ai",
        connect=connect,
        base_url="https://api.mistral.ai",
        credentials=[Credential(env=["MISTRAL_API_KEY"])],
        capabilities=Capabilities(
            yes={"streaming", "batch"},
            no={"video_input", "audio_output", "web_search", "citations"},
        ),
        models=MODELS,
        patterns=("mistral-*", "ministral-*", "codestral-*", "voxtral-*", "devstral-*", "ft:*"),
        default_model=DEFAULT_MODEL,
        errors=QUIRKS.refine,
        options=MistralText,
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Mistral."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="mistral", app="anymodal_mistral.emulator:app", key="mistral-emulator-key"
    )


def connect(connection: Connection) -> CompatibleText:
    """Return the provider for an instance. Imports the SDK, which takes half a second."""
    from .text import mistral_text  # noqa: PLC0415  # brings the SDK

    return mistral_text(connection)


def __getattr__(name: str) -> object:
    if name != "MistralText":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .quirks import MistralText  # noqa: PLC0415  # brings attrs and the text room

    globals()[name] = MistralText
    return MistralText
