"""Mistral for anymodal, over the vendor's own SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.errors import VendorError
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec
    from anymodal_openai_compatible import CompatibleText, CompatibleVectors

    from .embedding import MistralEmbedding
    from .quirks import MistralText

_HOMES = {"MistralEmbedding": "embedding", "MistralText": "quirks"}

__all__ = ["MistralEmbedding", "MistralText", "connect", "connect_embedding"]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer Mistral's text models."""
    from anymodal import Capabilities, Credential, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    from .models import DEFAULT_MODEL, MODELS  # noqa: PLC0415  # as above

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
        errors=refine,
        options="anymodal_mistral.quirks:MistralText",
    )


@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer Mistral's models that make vectors."""
    from anymodal import Capabilities, Credential  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # noqa: PLC0415  # as above

    from .embedding_models import DEFAULT_MODEL, MODELS, MOST_INPUTS, MOST_TOKENS  # noqa: PLC0415  # as above

    yield EmbeddingProviderSpec(
        id="mistral",
        display_name="Mistral",
        docs="https://docs.mistral.ai/capabilities/embeddings",
        connect=connect_embedding,
        base_url="https://api.mistral.ai",
        credentials=[Credential(env=["MISTRAL_API_KEY"])],
        capabilities=Capabilities(yes={"dense"}, no={"sparse", "image_input"}),
        models=MODELS,
        patterns=("mistral-embed*", "codestral-embed*"),
        default_model=DEFAULT_MODEL,
        errors=refine_embedding,
        options="anymodal_mistral.embedding:MistralEmbedding",
        max_inputs=MOST_INPUTS,
        max_request_tokens=MOST_TOKENS,
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


def connect_embedding(connection: Connection) -> CompatibleVectors:
    """Return the provider of vectors for an instance. Imports the SDK, as `connect` does."""
    from .vectors import mistral_vectors  # noqa: PLC0415  # brings the SDK

    return mistral_vectors(connection)


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return what an answer of this status and body means, where it is not the usual."""
    from .quirks import QUIRKS  # noqa: PLC0415  # brings the protocol

    return QUIRKS.refine(status, headers, body)


def refine_embedding(
    status: int, headers: Mapping[str, str], body: object
) -> type[VendorError] | None:
    """Return the same of an answer to texts that were to become vectors."""
    from .embedding import refine  # noqa: PLC0415  # brings the protocol

    return refine(status, headers, body)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
