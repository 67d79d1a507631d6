"""Ollama for anymodal: models on a machine of one's own, over its native API."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection, EmulatorSpec, TextProviderSpec
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec

    from .embedding import OllamaVectors
    from .library import PullProgress
    from .options import OllamaEmbedding, OllamaText
    from .text import OllamaChat

_HOMES = {
    "OllamaChat": "text",
    "OllamaEmbedding": "options",
    "OllamaText": "options",
    "OllamaVectors": "embedding",
    "PullProgress": "library",
}

__all__ = [
    "OllamaChat",
    "OllamaEmbedding",
    "OllamaText",
    "OllamaVectors",
    "PullProgress",
    "connect",
    "connect_embedding",
]


@hookimpl
def anymodal_text_providers() -> Iterator[TextProviderSpec]:
    """Offer what an Ollama server has pulled; which models, only the server knows."""
    from anymodal import Capabilities, Credential, Deadlines, TextProviderSpec  # noqa: PLC0415  # costs 60 modules

    yield TextProviderSpec(
        id="ollama",
        display_name="Ollama",
        kind="local",
        docs="https://docs.ollama.com/api",
        connect=connect,
        base_url="http://127.0.0.1:11434",
        credentials=[Credential(env=["OLLAMA_API_KEY"], required=False)],
        # nothing comes while a model is loaded from disk, nor while a CPU reads the prompt
        deadlines=Deadlines(total=3600.0, connect=5.0, first=900.0, between=300.0),
        capabilities=Capabilities(
            yes={"streaming"},
            no={
                "audio_input",
                "audio_output",
                "batch",
                "citations",
                "file_input",
                "prompt_cache",
                "video_input",
                "web_search",
            },
        ),
        options="anymodal_ollama.options:OllamaText",
    )


@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer the same server for vectors; which models it has, only it knows."""
    from anymodal import Capabilities, Credential, Deadlines  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # noqa: PLC0415  # as above

    yield EmbeddingProviderSpec(
        id="ollama",
        display_name="Ollama",
        kind="local",
        docs="https://docs.ollama.com/capabilities/embeddings",
        connect=connect_embedding,
        base_url="http://127.0.0.1:11434",
        credentials=[Credential(env=["OLLAMA_API_KEY"], required=False)],
        deadlines=Deadlines(total=3600.0, connect=5.0, first=900.0, between=300.0),
        capabilities=Capabilities(yes={"dense", "dimensions"}, no={"sparse", "image_input"}),
        options="anymodal_ollama.options:OllamaEmbedding",
        # the server takes any number; an answer with more of the longest vectors is too long
        max_inputs=256,
        requests_at_once=2,
        normalised=True,  # https://docs.ollama.com/capabilities/embeddings, read 2026-11-20
    )


@hookimpl
def anymodal_emulators() -> Iterator[EmulatorSpec]:
    """Offer a stand-in for an Ollama server."""
    from anymodal import EmulatorSpec  # noqa: PLC0415  # costs 60 modules

    yield EmulatorSpec(provider="ollama", app="anymodal_ollama.emulator:app")


def connect(connection: Connection) -> OllamaChat:
    """Return the provider for an instance."""
    from .text import ollama_chat  # noqa: PLC0415  # brings the HTTP kit

    return ollama_chat(connection)


def connect_embedding(connection: Connection) -> OllamaVectors:
    """Return the provider of vectors for an instance."""
    from .embedding import ollama_vectors  # noqa: PLC0415  # brings the HTTP kit

    return ollama_vectors(connection)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
