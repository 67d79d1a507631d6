"""
Chat Completions and Responses for anymodal: a provider for endpoints of one's
own, and the library that plugins of vendors with these protocols are built on.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec

    from .batch import BatchingText, batching_text
    from .carrier import Carrier, HttpCarrier
    from .chat import ChatCodec
    from .options import CompatibleOption, WireOption
    from .provider import Codec, CompatibleText, compatible_text
    from .quirks import Quirks
    from .responses import ResponsesCodec

_HOMES = {
    "BatchingText": "batch",
    "Carrier": "carrier",
    "ChatCodec": "chat",
    "Codec": "provider",
    "CompatibleOption": "options",
    "CompatibleText": "provider",
    "HttpCarrier": "carrier",
    "Quirks": "quirks",
    "ResponsesCodec": "responses",
    "WireOption": "options",
    "batching_text": "batch",
    "compatible_text": "provider",
}

__all__ = [
    "BatchingText",
    "Carrier",
    "ChatCodec",
    "Codec",
    "CompatibleOption",
    "CompatibleText",
    "HttpCarrier",
    "Quirks",
    "ResponsesCodec",
    "WireOption",
    "batching_text",
    "compatible_text",
    "connect",
]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer endpoints of one's own; each is an instance with a `base_url`."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .options import CompatibleOption  # noqa: PLC0415  # as above
    from .quirks import PLAIN  # noqa: PLC0415  # as above
    from .settings import SETTINGS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="openai-compatible",
        display_name="OpenAI-compatible endpoint",
        docs="https://developers.openai.com/api/docs/api-reference/chat",
        connect=connect,
        credentials=[Credential(required=False)],
        capabilities=Capabilities(yes={"streaming"}, no={"batch", "video_input", "audio_output"}),
        settings=SETTINGS,
        errors=PLAIN.refine,
        options=CompatibleOption,
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for such an endpoint."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(
        provider="openai-compatible",
        app="anymodal_openai_compatible.emulator:app",
        key="sk-compatible-emulator",
        base_path="/v1",
    )


def connect(connection: Connection) -> CompatibleText:
    """
    Return the provider for an instance.

    Raises:
        SettingsError: The base URL is missing, or a setting is of the wrong kind.
    """
    from .provider import compatible_text  # noqa: PLC0415  # brings the HTTP kit
    from .settings import endpoint  # noqa: PLC0415  # as above

    found = endpoint(connection)
    return compatible_text(connection, found.quirks, found.api)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
