"""Anthropic's Claude for anymodal, over the vendor's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec

    from .options import AnthropicText
    from .text import MessagesText

__all__ = ["AnthropicText", "connect"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer Anthropic's text models."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .faults import refine  # noqa: PLC0415  # as above
    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="anthropic",
        display_name="Anthropic",
        docs="https://platform.claude.com/docs",
        connect=connect,
        base_url="https://api.anthropic.com",
        credentials=[Credential(env=["ANTHROPIC_API_KEY"])],
        priority=95,
        capabilities=Capabilities(
            yes={"streaming", "batch", "function_calling"},
            no={"audio_input", "audio_output", "video_input"},
        ),
        models=MODELS,
        patterns=("claude-*",),
        default_model=DEFAULT_MODEL,
        settings={"api_version"},
        errors=refine,
        options="anymodal_anthropic.options:AnthropicText",
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for Anthropic."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="anthropic", app="anymodal_anthropic.emulator:app", key="sk-ant-api03-emulator"
    )


def connect(connection: Connection) -> MessagesText:
    """Return the provider for an instance. Imports the SDK, which takes a second or two."""
    from .batch import batching_messages  # noqa: PLC0415  # brings the SDK

    return batching_messages(connection)


def __getattr__(name: str) -> object:
    if name != "AnthropicText":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .options import AnthropicText  # noqa: PLC0415  # brings attrs and the text room

    globals()[name] = AnthropicText
    return AnthropicText
