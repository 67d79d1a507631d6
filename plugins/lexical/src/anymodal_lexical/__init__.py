"""Sparse vectors of the words of texts (BM25) for anymodal, made on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import Connection
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec

    from .options import LexicalEmbedding
    from .vectors import LexicalVectors

_HOMES = {"LexicalEmbedding": "options", "LexicalVectors": "vectors"}

__all__ = ["LexicalEmbedding", "LexicalVectors", "connect"]


@hookimpl
def anymodal_embedding_providers() -> Iterator[EmbeddingProviderSpec]:
    """Offer BM25 in some thirty languages."""
    from anymodal import Capabilities  # noqa: PLC0415  # costs 60 modules
    from anymodal.modalities.embedding_spec import EmbeddingProviderSpec  # noqa: PLC0415  # as above

    from .models import DEFAULT_MODEL, DOCS, MODELS  # noqa: PLC0415  # as above

    yield EmbeddingProviderSpec(
        id="lexical",
        display_name="Lexical (BM25)",
        kind="local",
        docs=DOCS,
        connect=connect,
        capabilities=Capabilities(yes={"sparse"}, no={"dense", "dimensions", "image_input"}),
        models=MODELS,
        default_model=DEFAULT_MODEL,
        options="anymodal_lexical.options:LexicalEmbedding",
        # between parts others have their turn, and a call can be cancelled
        max_inputs=1000,
        requests_at_once=1,
    )


def connect(connection: Connection) -> LexicalVectors:
    """Return the provider. It imports the stemmers, which takes a fifth of a second."""
    from .vectors import LexicalVectors  # noqa: PLC0415  # only those who embed need it

    del connection
    # now, in the thread that connects, and not at the first text, in the event loop
    import_module("snowballstemmer")
    return LexicalVectors()


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
