"""Groq for anymodal: a table of facts over the Chat Completions protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.errors import VendorError
    from anymodal_openai_compatible import CompatibleText

    from .quirks import GroqText

__all__ = ["GroqText", "connect"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer the text models that Groq serves."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="groq",
        display_name="Groq",
        docs="https://console.groq.com/docs",
        connect=connect,
        base_url="https://api.groq.com/openai/v1",
        credentials=[Credential(env=["GROQ_API_KEY"])],
        capabilities=Capabilities(
            yes={"streaming", "batch"},
            no={"audio_input", "video_input", "file_input", "audio_output"},
        ),
        models=MODELS,
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_groq.quirks:GroqText",
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Groq."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="groq",
        app="anymodal_groq.emulator:app",
        key="gsk_emulator",
        base_path="/openai/v1",
    )


def connect(connection: Connection) -> CompatibleText:
    """Return the provider for an instance."""
    from anymodal_openai_compatible import batching_text  # noqa: PLC0415  # brings the HTTP kit

    from .quirks import QUIRKS  # noqa: PLC0415  # as above

    return batching_text(connection, QUIRKS, max_bytes=100_000_000)


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what an answer of this status and body means, where it is not the usual."""
    from .quirks import QUIRKS  # noqa: PLC0415  # brings the protocol

    return QUIRKS.refine(status, headers, body)


def __getattr__(name: str) -> object:
    if name != "GroqText":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .quirks import GroqText  # noqa: PLC0415  # brings attrs and the text room

    globals()[name] = GroqText
    return GroqText
