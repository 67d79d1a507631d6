"""Acme's vectors, a good provider: what is planted is a change of one thing in it."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.embedding import (
        EmbeddingProviderSpec,
        EmbeddingRequest,
        EmbeddingResult,
    )

PAGE = "https://acme.example/models"
KEY = "sk-acme-0123456789abcdef"


class AcmeVectors:
    """Dense vectors by the shared protocol, and sparse ones of the words beside them."""

    def __init__(self, connection: Connection) -> None:
        from anymodal_openai_compatible import EmbeddingQuirks, compatible_vectors

        self.inner = compatible_vectors(connection, EmbeddingQuirks(end_user_field=""))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        import attrs

        found = await self.inner.embed(self.sent(request))
        thin = tuple(words(text) for text in request.texts)
        return self.answered(attrs.evolve(found, sparse=thin), request)

    def sent(self, request: EmbeddingRequest) -> EmbeddingRequest:
        """Return what goes out."""
        return request

    def answered(self, result: EmbeddingResult, request: EmbeddingRequest) -> EmbeddingResult:
        """Return what comes of an answer."""
        return result


def words(text: str):
    """Return a sparse vector: one number for each word."""
    from anymodal.modalities.embedding import SparseVector

    found = sorted({zlib.crc32(word.encode()) for word in re.findall(r"\w+", text.lower())})
    return SparseVector(found, [1.0] * len(found))


def model(**changes):
    """Return the model that is called, changed."""
    from anymodal import Capabilities
    from anymodal.modalities.embedding import EmbeddingModelSpec

    able = Capabilities(yes={"dense", "sparse", "dimensions"})
    fields = {
        "id": "acme-embed-2",
        "capabilities": able,
        "dimensions": 96,
        "most_dimensions": 96,
        "source": PAGE,
    }
    return EmbeddingModelSpec(**{**fields, **changes})


def spec(
    connect: Callable[[Connection], object] = AcmeVectors, **changes: object
) -> EmbeddingProviderSpec:
    """Return the spec of Acme, changed."""
    from anymodal import Capabilities, Credential, Lifecycle
    from anymodal.modalities.embedding import EmbeddingModelSpec, EmbeddingProviderSpec

    fields = {
        "id": "acme",
        "display_name": "Acme",
        "docs": PAGE,
        "base_url": "https://api.acme.example/v1",
        "credentials": [Credential(env=["ACME_API_KEY"])],
        "capabilities": Capabilities(yes={"dense", "sparse"}),
        "models": [
            model(),
            EmbeddingModelSpec(
                id="acme-embed-1",
                lifecycle=Lifecycle(state="retired", replacement="acme-embed-2"),
            ),
            EmbeddingModelSpec(id="acme-embed-0", capabilities=Capabilities(no={"dimensions"})),
        ],
        "default_model": "acme-embed-2",
        "normalised": True,
        "max_inputs": 128,
        "errors": refined,
        "connect": connect,
    }
    return EmbeddingProviderSpec(**{**fields, **changes})


def refined(status, headers, body):
    """Return what Acme's own codes mean, which are those of the shared protocol."""
    from anymodal_openai_compatible import Quirks

    return Quirks().refine(status, headers, body)


class Plugin:
    """The hooks, as a module would have them."""

    def __init__(self, made: Callable[[], EmbeddingProviderSpec] = spec) -> None:
        self.made = made

    @hookimpl
    def anymodal_embedding_providers(self) -> list[EmbeddingProviderSpec]:
        return [self.made()]

    @hookimpl
    def anymodal_emulators(self) -> list[EmulatorSpec]:
        from anymodal import EmulatorSpec

        app = "acme_vectors_emulator:app"
        return [EmulatorSpec(provider=self.made().id, app=app, key=KEY, base_path="/v1")]
