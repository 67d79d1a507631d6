"""
Vectors from an Ollama server, `POST /api/embed`.

Source: https://docs.ollama.com/api/embed and Ollama's OpenAPI description, read
2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, cast

import attrs
from anymodal.connection import Connection
from anymodal.http import parse_json, read
from anymodal.modalities.embedding import EmbeddingRequest, EmbeddingResult, dense
from anymodal.specs import ModelSpec
from anymodal.usage import Usage

from .body import merge
from .options import OllamaEmbedding
from .reply import MALFORMED, Object, malformed
from .text import OllamaChat, ollama_chat

__all__ = ["PREFIXES", "OllamaVectors", "ollama_vectors"]

PREFIXES: Final[Mapping[str, tuple[str, str]]] = {
    "embeddinggemma": ("task: search result | query: ", "title: none | text: "),
    "nomic-embed-text": ("search_query: ", "search_document: "),
    "snowflake-arctic-embed": ("Represent this sentence for searching relevant passages: ", ""),
}
"""
What goes before queries and before documents, by the model's name in Ollama's library.

The models were taught with it and the server does not add it. Sources, read 2026-11-20:
https://huggingface.co/nomic-ai/nomic-embed-text-v1.5; for Gemma the interface
`MJAIModelVendorEntity_EmbeddingConfigurationSettings` at
https://docs.memberjunction.org/v6.2; for Arctic
https://huggingface.co/Snowflake/snowflake-arctic-embed-m-long/discussions/13 and the
`prompts` of models made from it.
"""
USUAL: Final = OllamaEmbedding()
_NONE: Final = ("", "")


@attrs.frozen(eq=False)
class OllamaVectors:
    """
    Vectors from an Ollama server.

    Args:
        server: The way to it, and what it has.
    """

    server: OllamaChat

    async def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult:
        """
        Make a vector of each text.

        Raises:
            NotFoundError: The model was not pulled.
            BadRequestError: A text is too long for the model.
            VendorError: The server refused or failed.
        """
        option = request.option(OllamaEmbedding) or USUAL
        provider = self.server.connection.provider
        reply = await self.server.ask(
            "/api/embed",
            request.model.id,
            encode(request, option),
            headers=option.extra_headers,
            connect_seconds=request.deadlines.connect,
        )
        found = parse_json(await read(reply, provider), provider)
        try:
            return decode(cast("Object", found), request, free=self.server.is_free(request.model))
        except MALFORMED as error:
            raise malformed(provider, error) from error

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the server which models it has, of all kinds, and each for what it can do.

        Raises:
            VendorError: The server refused or failed.
        """
        return await self.server.list_models()

    async def check_health(self) -> None:
        """
        Ask the server for its version, which costs nothing.

        Raises:
            VendorError: It does not answer.
        """
        await self.server.check_health()


def encode(request: EmbeddingRequest, option: OllamaEmbedding) -> dict[str, object]:
    """Return the body of *request*; it takes the warnings of what cannot be honoured."""
    texts: Sequence[str] = request.texts
    if request.purpose is not None and option.prefixes:
        name = request.model.id.rpartition("/")[2].partition(":")[0]
        before = PREFIXES.get(name, _NONE)[request.purpose == "document"]
        texts = [before + text for text in texts]
    body: dict[str, object] = {
        "model": request.model.id,
        "input": list(texts),
        "truncate": option.truncate,
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if request.end_user is not None:
        request.warn("end_user", "left out, because Ollama has no field for it")
    if options := option.model_options():
        body["options"] = options
    if option.keep_alive is not None:
        body["keep_alive"] = option.keep_alive
    merge(body, option.extra_body)
    return body


def decode(found: Object, request: EmbeddingRequest, *, free: bool) -> EmbeddingResult:
    """
    Return what an answer says.

    Raises:
        Exception: One of `MALFORMED`: it is none.
    """
    tokens = found.get("prompt_eval_count")
    if tokens is not None and not isinstance(tokens, int):
        raise TypeError
    here = free and not found.get("remote_host")
    return EmbeddingResult(
        dense=tuple(dense(row) for row in found["embeddings"]),
        usage=None if tokens is None else Usage(tokens, 0, usd=Decimal(0) if here else None),
        model=found["model"],
        raw=found if request.raw else None,
    )


def ollama_vectors(connection: Connection) -> OllamaVectors:
    """
    Return the provider of vectors for an instance.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    return OllamaVectors(ollama_chat(connection))
