"""Quillon for anymodal: the text models of a vendor that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec

    from .text import QuillonText

__all__ = ["connect"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer Quillon's models."""
    from anymodal import Capabilities, Credential, TextProviderSpec

    from .models import DOCS, MODELS
    from .refusals import refined

    yield TextProviderSpec(
        id="quillon",
        display_name="Quillon",
        docs=DOCS,
        base_url="https://api.quillon.example/v1",
        credentials=[Credential(env=["QUILLON_API_KEY"])],
        capabilities=Capabilities(
            yes={"streaming"},
            no={
                "audio_input", "audio_output", "batch", "citations", "file_input",
                "function_calling", "image_input", "prompt_cache", "reasoning",
                "structured_output", "video_input", "web_search",
            },
        ),
        models=MODELS,
        default_model="nib-2",
        connect=connect,
        errors=refined,
    )  # fmt: skip


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Quillon."""
    from anymodal import EmulatorSpec

    yield EmulatorSpec(
        provider="quillon",
        app="anymodal_quillon.emulator:app",
        key="quill-emulated",
        base_path="/v1",
    )


def connect(connection: Connection) -> QuillonText:
    """Return the provider for an instance."""
    from .text import QuillonText

    return QuillonText(connection)
