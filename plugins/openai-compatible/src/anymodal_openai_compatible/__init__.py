"""
Chat Completions, Responses and Embeddings for anymodal: a provider for endpoints of
one's own, and the library that plugins of vendors with these protocols are built on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.errors import VendorError
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec

    from .batch import BatchingText, batching_text
    from .carrier import Carrier, HttpCarrier
    from .chat import ChatCodec
    from .embedding import (
        CompatibleEmbedding,
        CompatibleVectors,
        EmbeddingQuirks,
        WireEmbedding,
        compatible_vectors,
    )
    from .options import CompatibleOption, WireOption
    from .provider import Codec, CompatibleText, compatible_text
    from .quirks import Quirks
    from .responses import ResponsesCodec

_HOMES = {
    "BatchingText": "batch",
    "Carrier": "carrier",
    "ChatCodec": "chat",
    "Codec": "provider",
    "CompatibleEmbedding": "embedding",
    "CompatibleOption": "options",
    "CompatibleText": "provider",
    "CompatibleVectors": "embedding",
    "EmbeddingQuirks": "embedding",
    "HttpCarrier": "carrier",
    "Quirks": "quirks",
    "ResponsesCodec": "responses",
    "WireEmbedding": "embedding",
    "WireOption": "options",
    "batching_text": "batch",
    "compatible_text": "provider",
    "compatible_vectors": "embedding",
}

__all__ = [
    "BatchingText",
    "Carrier",
    "ChatCodec",
    "Codec",
    "CompatibleEmbedding",
    "CompatibleOption",
    "CompatibleText",
    "CompatibleVectors",
    "EmbeddingQuirks",
    "HttpCarrier",
    "Quirks",
    "ResponsesCodec",
    "WireEmbedding",
    "WireOption",
    "batching_text",
    "compatible_text",
    "compatible_vectors",
    "connect",
    "connect_embedding",
]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer endpoints of one's own; each is an instance with a `base_url`."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .keys import SETTINGS  # noqa: PLC0415  # as above

    yield TextProviderSpec(
        id="openai-compatible",
        display_name="OpenAI-compatible endpoint",
        docs="https://developers.openai.com/api/docs/api-reference/chat",
        connect=connect,
        credentials=[Credential(required=False)],
        capabilities=Capabilities(yes={"streaming"}, no={"batch", "video_input", "audio_output"}),
        settings=SETTINGS,
        errors=refine,
        options="anymodal_openai_compatible.options:CompatibleOption",
    )


@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer the same endpoints for vectors."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # noqa: PLC0415  # as above

    from .keys import SETTINGS  # noqa: PLC0415  # as above

    yield EmbeddingProviderSpec(
        id="openai-compatible",
        display_name="OpenAI-compatible endpoint",
        docs="https://developers.openai.com/api/docs/api-reference/embeddings",
        connect=connect_embedding,
        credentials=[Credential(required=False)],
        capabilities=Capabilities(yes={"dense"}, no={"sparse", "image_input"}),
        settings=SETTINGS,
        errors=refine,
        options="anymodal_openai_compatible.embedding:CompatibleEmbedding",
        # few servers say how many they take; one that takes fewer is asked for halves
        max_inputs=256,
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


def connect_embedding(connection: Connection) -> CompatibleVectors:
    """
    Return the provider of vectors for an instance.

    Raises:
        SettingsError: The base URL is missing, or a setting is of the wrong kind.
    """
    from .embedding import EmbeddingQuirks, compatible_vectors  # noqa: PLC0415  # brings the HTTP kit
    from .settings import endpoint  # noqa: PLC0415  # as above

    headers = endpoint(connection).quirks.headers
    return compatible_vectors(connection, EmbeddingQuirks(headers=headers))


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what an answer of this status and body means, where it is not the usual."""
    from .quirks import PLAIN  # noqa: PLC0415  # brings the protocol

    return PLAIN.refine(status, headers, body)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
