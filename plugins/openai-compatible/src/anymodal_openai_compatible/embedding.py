"""
Vectors by the shared protocol, `POST /embeddings`.

Source: openai 3.52, `types/embedding_create_params.py` and `create_embedding_response.py`,
and https://developers.openai.com/api/docs/guides/embeddings; read 2026-11-20.
"""

from __future__ import annotations

import base64
import re
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal, cast

import attrs
from anymodal.connection import Connection
from anymodal.errors import BadRequestError
from anymodal.failures import request_id
from anymodal.modalities.embedding import (
    DenseVector,
    EmbeddingOption,
    EmbeddingRequest,
    EmbeddingResult,
    dense,
)
from anymodal.specs import ModelSpec
from anymodal.usage import Usage

from .body import merge
from .carrier import Carrier, HttpCarrier
from .frames import MALFORMED, Object, malformed
from .listing import models_of

__all__ = [
    "CompatibleEmbedding",
    "CompatibleVectors",
    "EmbeddingQuirks",
    "Encoding",
    "WireEmbedding",
    "compatible_vectors",
]

Encoding = Literal["float", "base64"]

PLACE: Final = re.compile(r"\binput\[(\d+)\]")
"""Where the vendor's words for a bad text say which it is; no field of the error does."""


@attrs.frozen(kw_only=True)
class WireEmbedding(EmbeddingOption):
    """
    Base of the options of vendors that speak the shared protocol.

    Args:
        extra_body: Fields of the body, sent unchecked. Objects are merged with
            what is there, lists are joined, all else is replaced.
        extra_headers: Headers, sent unchecked.
    """

    extra_body: Mapping[str, object] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def fields(self, request: EmbeddingRequest) -> Mapping[str, object]:
        """Return the fields of the body that these options mean."""
        del request
        return {}


@attrs.frozen(kw_only=True)
class CompatibleEmbedding(WireEmbedding):
    """
    Options for endpoints of one's own.

    Args:
        encoding_format: `base64` where the server knows it: answers are a third as
            long, and read ten times as fast. Every server knows `float`.
    """

    provider: ClassVar[str] = "openai-compatible"

    encoding_format: Encoding | None = None

    def fields(self, request: EmbeddingRequest) -> Mapping[str, object]:
        """Return the field, where it was given."""
        del request
        return {"encoding_format": self.encoding_format} if self.encoding_format else {}


@attrs.frozen(kw_only=True)
class EmbeddingQuirks:
    """
    How a vendor deviates from the protocol.

    Args:
        option: The class of options that the vendor's plugin exports.
        encoding: How numbers come; either is understood whatever was asked for.
        dimensions_field: What `dimensions` is called.
        end_user_field: What `end_user` is called; empty where there is no field.
        headers: Headers that every request has; lower-case names.
    """

    option: type[WireEmbedding] = CompatibleEmbedding
    encoding: Encoding = "float"
    dimensions_field: str = "dimensions"
    end_user_field: str = "user"
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(eq=False)
class CompatibleVectors:
    """
    Vectors from a vendor that speaks the shared protocol.

    Args:
        provider: Id of the provider.
        carrier: The road to the vendor.
        quirks: How the vendor deviates.
    """

    provider: str
    carrier: Carrier = attrs.field(repr=False)
    quirks: EmbeddingQuirks = EmbeddingQuirks()

    async def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult:
        """
        Make a vector of each text.

        Raises:
            ContextLengthError: The texts are too long, all together or one of them.
            VendorError: The vendor refused or failed.
        """
        option = request.option(self.quirks.option)
        more = option.extra_headers if option else {}
        try:
            reply = await self.carrier.send(
                "POST",
                "/embeddings",
                encode(request, self.quirks),
                headers={name.lower(): text for name, text in more.items()},
                connect_seconds=request.deadlines.connect,
            )
        except BadRequestError as error:
            place = PLACE.search(str(error))
            if place is not None:
                error.index = int(place[1])
            raise
        from anymodal.http import parse_json, read  # noqa: PLC0415  # tables of models need none

        found = parse_json(await read(reply, self.provider), self.provider)
        named = request_id(reply.headers)
        try:
            return decode(cast("Object", found), request, named)
        except MALFORMED as error:
            raise malformed(self.provider, error, named) from error

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, of all kinds, and what it says of them.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("GET", "/models", headers={})
        from anymodal.http import parse_json, read  # noqa: PLC0415  # tables of models need none

        found = parse_json(await read(reply, self.provider), self.provider)
        try:
            return models_of(found)
        except MALFORMED as error:
            raise malformed(self.provider, error, request_id(reply.headers)) from error

    async def aclose(self) -> None:
        """Close what the carrier opened."""
        await self.carrier.aclose()


def encode(request: EmbeddingRequest, quirks: EmbeddingQuirks) -> dict[str, object]:
    """Return the body of *request*; it takes the warnings of what cannot be honoured."""
    body: dict[str, object] = {
        "model": request.model.id,
        "input": list(request.texts),
        "encoding_format": quirks.encoding,
    }
    if request.dimensions is not None:
        body[quirks.dimensions_field] = request.dimensions
    if request.end_user is not None:
        if quirks.end_user_field:
            body[quirks.end_user_field] = request.end_user
        else:
            request.warn("end_user", "left out, because the vendor has no field for it")
    option = request.option(quirks.option)
    if option is not None:
        merge(body, option.fields(request))
        merge(body, option.extra_body)
    return body


def decode(found: Object, request: EmbeddingRequest, named: str | None) -> EmbeddingResult:
    """
    Return what an answer says.

    Raises:
        Exception: One of `MALFORMED`: it is none.
    """
    rows = found["data"]
    places = [row.get("index") for row in rows]
    if any(place is not None for place in places):
        if sorted(places) != list(range(len(rows))):
            raise ValueError
        rows = sorted(rows, key=lambda row: row["index"])
    used = found.get("usage") or {}
    tokens = used.get("prompt_tokens")
    if tokens is not None and not isinstance(tokens, int):
        raise TypeError
    return EmbeddingResult(
        dense=tuple(_vector(row["embedding"]) for row in rows),
        usage=None if tokens is None else Usage(input_tokens=tokens, output_tokens=0),
        model=found.get("model"),
        request_id=named,
        raw=found if request.raw else None,
    )


def _vector(found: object) -> DenseVector:
    """Return a vector that came as a list, or as base64 of little-endian floats of four bytes."""
    if isinstance(found, str):
        numbers = array("f")
        numbers.frombytes(base64.b64decode(found, validate=True))
        if sys.byteorder == "big":  # pragma: no cover  # few machines are
            numbers.byteswap()
        return numbers
    if not isinstance(found, list):
        raise TypeError
    return dense(found)


def compatible_vectors(
    connection: Connection, quirks: EmbeddingQuirks | None = None
) -> CompatibleVectors:
    """
    Return the provider for a vendor whose protocol is shared: its whole `connect`.

    Args:
        connection: The way to the vendor.
        quirks: How it deviates from the protocol.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    known = quirks or EmbeddingQuirks()
    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return CompatibleVectors(connection.provider, HttpCarrier(connection, known.headers), known)
