"""Text from Anthropic, over the Messages API."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import quote

import attrs
from anymodal.connection import Connection
from anymodal.failures import request_id
from anymodal.http import HttpReply, opened, parse_json, read
from anymodal.modalities.text import TextEvent, TextRequest, TextResult, events_of
from anymodal.specs import Capabilities, Lifecycle, ModelSpec
from anymodal.streams import Whole

from .body import COUNTED, encode
from .faults import MALFORMED, Object, fault, malformed
from .options import AnthropicText
from .reply import decode
from .sdk import SdkCarrier
from .stream import Decoder

__all__ = ["MessagesText"]


@attrs.frozen(eq=False)
class MessagesText:
    """
    Text from Anthropic.

    Args:
        connection: The way to the vendor.
        carrier: The road to it.
    """

    connection: Connection
    carrier: SdkCarrier = attrs.field(repr=False)

    async def generate(self, request: TextRequest, /) -> TextResult:
        """
        Answer in one piece.

        Raises:
            ContentFilteredError: The vendor refused to answer.
            InvalidRequestError: The request cannot be put into the vendor's form.
            UnsupportedFeatureError: The vendor has no form for a part.
            VendorError: The vendor refused or failed.
        """
        reply = await self._send(request, stream=False)
        found = await self._json(reply)
        return decode(found, self.connection.provider, request_id(reply.headers), raw=request.raw)

    @asynccontextmanager
    async def stream(
        self, request: TextRequest, /
    ) -> AsyncGenerator[AsyncIterator[TextEvent], None]:
        """
        Answer piece by piece.

        Raises:
            ContentFilteredError: The vendor refused to answer, or to go on.
            InvalidRequestError: The request cannot be put into the vendor's form.
            UnsupportedFeatureError: The vendor has no form for a part.
            VendorError: The vendor refused or failed.
        """
        connection = self.connection
        reply = await self._send(request, stream=True)
        if reply.headers.get("content-type", "").startswith("application/json"):
            # What stands between may not stream, or fail with status 200.
            found = await self._json(reply)
            named = request_id(reply.headers)
            yield Whole(events_of(decode(found, connection.provider, named, raw=request.raw)))
            return
        decoder = Decoder(connection.provider, reply.headers, connection.scrub, raw=request.raw)
        async with opened(reply, connection.provider, decoder.feed) as batches:
            yield batches

    async def count_tokens(self, request: TextRequest, /) -> int:
        """
        Return the vendor's own count of the prompt, tools included.

        Raises:
            VendorError: The vendor refused or failed.
        """
        body = self._body(request, stream=False)
        counted = {name: value for name, value in body.items() if name in COUNTED}
        reply = await self._post("/v1/messages/count_tokens", counted, request)
        found = await self._json(reply)
        try:
            return int(cast("Mapping[str, int]", found)["input_tokens"])
        except MALFORMED as error:
            raise self._malformed(error, reply) from error

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the vendor which models it serves, and what they can do.

        Raises:
            VendorError: The vendor refused or failed.
        """
        models: list[ModelSpec] = []
        path: str | None = "/v1/models?limit=1000"
        while path is not None:
            reply = await self.carrier.send("GET", path, headers={})
            page = await self._json(reply)
            try:
                models += [_model(row) for row in cast("Object", page)["data"]]
                path = _next(cast("Object", page))
            except MALFORMED as error:
                raise self._malformed(error, reply) from error
        return models

    async def aclose(self) -> None:
        """Close the connections."""
        await self.carrier.aclose()

    def _body(self, request: TextRequest, *, stream: bool) -> dict[str, object]:
        return encode(
            request, self.connection.provider, stream=stream, version=self.carrier.version
        )

    async def _send(self, request: TextRequest, *, stream: bool) -> HttpReply:
        body = self._body(request, stream=stream)
        return await self._post("/v1/messages", body, request, stream=stream)

    async def _post(
        self, path: str, body: Mapping[str, object], request: TextRequest, *, stream: bool = False
    ) -> HttpReply:
        option = request.option(AnthropicText) or AnthropicText()
        headers = {"anthropic-beta": ",".join(option.betas)} if option.betas else {}
        headers |= {name.lower(): text for name, text in option.extra_headers.items()}
        return await self.carrier.send(
            "POST",
            path,
            body,
            headers=headers,
            stream=stream,
            connect_seconds=request.deadlines.connect,
        )

    async def _json(self, reply: HttpReply) -> object:
        provider = self.connection.provider
        found = parse_json(await read(reply, provider), provider)
        if isinstance(found, Mapping) and found.get("type") == "error":
            scrub = self.connection.scrub
            raise fault(found.get("error"), provider=provider, headers=reply.headers, scrub=scrub)
        return found

    def _malformed(self, error: Exception, reply: HttpReply) -> Exception:
        return malformed(self.connection.provider, error, request_id(reply.headers))


# -- models -----------------------------------------------------------------------------

_CAPABILITIES: Final = {
    "citations": ("citations",),
    "file_input": ("pdf_input",),
    "image_input": ("image_input",),
    "reasoning": ("thinking",),
    "structured_output": ("structured_outputs",),
    "web_search": ("server_tools", "web_search"),
}
"""Our name to the vendor's. Source: anthropic 2.11, `types/model_capabilities.py`, 2026-11-20."""


def _next(page: Object) -> str | None:
    if not page.get("has_more") or not page["data"]:
        return None
    return f"/v1/models?limit=1000&after_id={quote(str(page['last_id']))}"


def _model(row: Object) -> ModelSpec:
    known: dict[bool, set[str]] = {True: set(), False: set()}
    for name, path in _CAPABILITIES.items():
        found: object = row.get("capabilities") or {}
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping) and isinstance(found.get("supported"), bool):
            known[found["supported"]].add(name)
    retires = row.get("retires_at")
    return ModelSpec(
        id=row["id"],
        capabilities=Capabilities(known[True], known[False]),
        context_tokens=row.get("max_input_tokens"),
        max_output_tokens=row.get("max_tokens"),
        lifecycle=Lifecycle(
            state=row.get("lifecycle") or "active",
            retires_on=dt.datetime.fromisoformat(retires).date() if retires else None,
        ),
        listed=False,
        source="https://platform.claude.com/docs/en/api/models/list",
    )
