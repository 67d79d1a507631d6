"""The provider that a carrier and a codec make."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import attrs
from anymodal.connection import Connection
from anymodal.failures import request_id
from anymodal.http import HttpReply, opened, parse_json, read
from anymodal.modalities.text import TextEvent, TextRequest, TextResult, events_of
from anymodal.specs import ModelSpec
from anymodal.streams import Whole

from .carrier import Carrier, HttpCarrier
from .chat import ChatCodec
from .frames import MALFORMED, FrameDecoder, malformed
from .listing import models_of
from .options import Api
from .quirks import Quirks
from .responses import ResponsesCodec

__all__ = ["Codec", "CompatibleText", "compatible_text"]


class Codec(Protocol):
    """One protocol as one vendor speaks it, without I/O."""

    @property
    def api(self) -> Api: ...
    @property
    def path(self) -> str: ...
    @property
    def quirks(self) -> Quirks: ...
    @property
    def scrub(self) -> Callable[[str], str]: ...
    def encode(self, request: TextRequest, *, stream: bool) -> dict[str, object]: ...
    def decoder(self, request: TextRequest, request_id: str | None) -> FrameDecoder: ...
    def decode(self, reply: object, request: TextRequest, request_id: str | None) -> TextResult: ...


@attrs.frozen(eq=False)
class CompatibleText:
    """
    Text from a vendor that speaks a shared protocol.

    Args:
        provider: Id of the provider.
        carrier: The road to the vendor.
        choose: Gives the codec for a request.
    """

    provider: str
    carrier: Carrier = attrs.field(repr=False)
    choose: Callable[[TextRequest], Codec] = attrs.field(repr=False)

    async def generate(self, request: TextRequest, /) -> TextResult:
        """
        Answer in one piece.

        Raises:
            UnsupportedFeatureError: The protocol has no form for a part.
            VendorError: The vendor refused or failed.
        """
        codec = self.choose(request)
        reply = await self._send(codec, request, stream=False)
        content = await read(reply, self.provider)
        return codec.decode(parse_json(content, self.provider), request, request_id(reply.headers))

    @asynccontextmanager
    async def stream(
        self, request: TextRequest, /
    ) -> AsyncGenerator[AsyncIterator[TextEvent], None]:
        """
        Answer piece by piece.

        Raises:
            UnsupportedFeatureError: The protocol has no form for a part.
            VendorError: The vendor refused or failed.
        """
        codec = self.choose(request)
        whole = request.schema is not None and not codec.quirks.schemas_streamed
        reply = await self._send(codec, request, stream=not whole)
        if reply.headers.get("content-type", "").startswith("application/json"):
            # Servers that cannot stream, and errors that come with status 200.
            found = parse_json(await read(reply, self.provider), self.provider)
            result = codec.decode(found, request, request_id(reply.headers))
            yield Whole(events_of(result))
            return
        decoder = codec.decoder(request, request_id(reply.headers))
        async with opened(reply, self.provider, decoder.feed, decoder.end) as batches:
            yield batches

    async def _send(self, codec: Codec, request: TextRequest, *, stream: bool) -> HttpReply:
        option = request.option(codec.quirks.option)
        headers = (
            {name.lower(): text for name, text in option.extra_headers.items()} if option else {}
        )
        return await self.carrier.send(
            "POST",
            codec.path,
            codec.encode(request, stream=stream),
            headers=headers,
            stream=stream,
            connect_seconds=request.deadlines.connect,
        )

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, of all kinds, and what it says of them.

        Raises:
            VendorError: The vendor refused or failed.
        """
        reply = await self.carrier.send("GET", "/models", headers={})
        found = parse_json(await read(reply, self.provider), self.provider)
        try:
            return models_of(found)
        except MALFORMED as error:
            raise malformed(self.provider, error, request_id(reply.headers)) from error

    async def aclose(self) -> None:
        """Close what the carrier opened."""
        await self.carrier.aclose()


def compatible_text(
    connection: Connection, quirks: Quirks | None = None, api: Api = "chat"
) -> CompatibleText:
    """
    Return the provider for a vendor whose protocol is shared: its whole `connect`.

    Args:
        connection: The way to the vendor.
        quirks: How it deviates from the protocol.
        api: The protocol.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    known = quirks or Quirks()
    kind = ChatCodec if api == "chat" else ResponsesCodec
    codec: Codec = kind(connection.provider, known, connection.scrub)
    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return CompatibleText(
        connection.provider, HttpCarrier(connection, known.headers), lambda _: codec
    )
