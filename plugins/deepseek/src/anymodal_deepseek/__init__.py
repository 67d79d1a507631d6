"""DeepSeek for anymodal: a table of facts over the Chat Completions protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.errors import VendorError
    from anymodal_openai_compatible import CompatibleText

    from .quirks import DeepSeekText

__all__ = ["DeepSeekText", "connect"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer DeepSeek's text models."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="deepseek",
        display_name="DeepSeek",
        docs="https://api-docs.deepseek.com",
        connect=connect,
        base_url="https://api.deepseek.com",
        credentials=[Credential(env=["DEEPSEEK_API_KEY"])],
        capabilities=Capabilities(
            yes={"streaming"},
            no={
                "audio_input",
                "video_input",
                "file_input",
                "audio_output",
                "batch",
                "web_search",
                "citations",
            },
        ),
        models=MODELS,
        default_model=DEFAULT_MODEL,
        errors=refine,
        options="anymodal_deepseek.quirks:DeepSeekText",
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for DeepSeek."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="deepseek",
        app="anymodal_deepseek.emulator:app",
        key="sk-deepseek-emulator",
    )


def connect(connection: Connection) -> CompatibleText:
    """Return the provider for an instance."""
    from anymodal_openai_compatible import compatible_text  # noqa: PLC0415  # brings the HTTP kit

    from .quirks import QUIRKS  # noqa: PLC0415  # as above

    return compatible_text(connection, QUIRKS)


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what an answer of this status and body means, where it is not the usual."""
    from .quirks import QUIRKS  # noqa: PLC0415  # brings the protocol

    return QUIRKS.refine(status, headers, body)


def __getattr__(name: str) -> object:
    if name != "DeepSeekText":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .quirks import DeepSeekText  # noqa: PLC0415  # brings attrs and the text room

    globals()[name] = DeepSeekText
    return DeepSeekText
