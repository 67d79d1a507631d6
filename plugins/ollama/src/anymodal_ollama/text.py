"""Text from an Ollama server, and what the server has to offer."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import attrs
from anymodal.connection import Connection
from anymodal.errors import IncompleteError, NotFoundError
from anymodal.http import HttpReply, opened, parse_json, read
from anymodal.modalities.text import TextEvent, TextRequest, TextResult
from anymodal.specs import ModelSpec

from .body import encode
from .library import PullProgress, PullReader, described, is_offloaded, names_of
from .options import OllamaText
from .reply import MALFORMED, Lines, ReplyReader, decode, malformed

__all__ = ["OllamaChat", "ollama_chat"]

_ACCEPT: Final = "application/x-ndjson, application/json"


@attrs.frozen(eq=False)
class OllamaChat:
    """
    An Ollama server.

    Args:
        connection: The way to it.
        free: Whether it is on this machine, so that what it runs costs nothing.
    """

    connection: Connection
    free: bool = False

    async def generate(self, request: TextRequest, /) -> TextResult:
        """
        Answer in one piece.

        Raises:
            UnsupportedFeatureError: Ollama has no form for a part.
            NotFoundError: The model was not pulled.
            VendorError: The server refused or failed.
        """
        reply = await self._chat(request, stream=False)
        found = parse_json(await read(reply, self._provider), self._provider)
        return decode(found, self._reader(request))

    @asynccontextmanager
    async def stream(
        self, request: TextRequest, /
    ) -> AsyncGenerator[AsyncIterator[TextEvent], None]:
        """
        Answer piece by piece.

        Raises:
            UnsupportedFeatureError: Ollama has no form for a part.
            NotFoundError: The model was not pulled.
            VendorError: The server refused or failed.
        """
        reply = await self._chat(request, stream=True)
        lines = Lines(self._provider, self._reader(request).take)
        async with opened(reply, self._provider, lines.feed, lines.end) as events:
            yield events

    async def list_models(self) -> Sequence[ModelSpec]:
        """
        Ask the server which models it has, of all kinds, and each for what it can do.

        Raises:
            VendorError: The server refused or failed.
        """
        found: list[ModelSpec] = []
        try:
            for name, elsewhere in names_of(await self._object("GET", "/api/tags")):
                try:
                    shown = await self._object("POST", "/api/show", {"model": name})
                except NotFoundError:
                    continue  # it was deleted meanwhile
                found.append(described(name, shown, free=self.free and not elsewhere))
        except MALFORMED as error:
            raise malformed(self._provider, error) from error
        return found

    @asynccontextmanager
    async def pull(
        self, model: str, /, *, insecure: bool = False
    ) -> AsyncGenerator[AsyncIterator[PullProgress], None]:
        """
        Let the server fetch a model, and iterate over how far it is.

        Leaving the block early stops the pull; the next one goes on from there.

        Args:
            model: Its name in Ollama's library, such as `qwen3:8b`.
            insecure: Whether it may come over connections that prove nothing.

        Raises:
            JobFailedError: The server could not fetch it; perhaps nothing is called so.
            IncompleteError: The server said nothing of success.
        """
        reader = PullReader(self._provider, model, self.connection.scrub)
        lines = Lines(self._provider, reader.take)
        body = {"model": model, "stream": True} | ({"insecure": True} if insecure else {})
        reply = await self._send("POST", "/api/pull", body)

        def end(found: list[PullProgress]) -> None:
            lines.end(found)
            if not reader.done:
                msg = f"{self._provider}: the pull of {model} ended early; pull again to go on"
                raise IncompleteError(msg, provider=self._provider)

        async with opened(reply, self._provider, lines.feed, end) as progress:
            yield progress

    async def check_health(self) -> None:
        """
        Ask the server for its version, which costs nothing.

        Raises:
            VendorError: It does not answer.
        """
        await self._object("GET", "/api/version")

    # -- the road -----------------------------------------------------------------------

    @property
    def _provider(self) -> str:
        return self.connection.provider

    def _reader(self, request: TextRequest) -> ReplyReader:
        return ReplyReader(
            self._provider, self.is_free(request.model), self.connection.scrub, request.raw
        )

    def is_free(self, model: ModelSpec) -> bool:
        """Whether *model* costs nothing; prices that the user set go before ours."""
        return self.free and model.prices is None and not is_offloaded(model.id)

    async def _chat(self, request: TextRequest, *, stream: bool) -> HttpReply:
        option = request.option(OllamaText)
        return await self.ask(
            "/api/chat",
            request.model.id,
            encode(request, self._provider, stream=stream),
            headers=option.extra_headers if option else {},
            connect_seconds=request.deadlines.connect,
        )

    async def ask(
        self,
        path: str,
        name: str,
        body: Mapping[str, object],
        *,
        headers: Mapping[str, str],
        connect_seconds: float | None,
    ) -> HttpReply:
        """
        Ask the model called *name*; return the answer with its body unread. Close it.

        Raises:
            NotFoundError: The model was not pulled; the error says how to.
            VendorError: The server refused or failed.
        """
        try:
            return await self._send(
                "POST", path, body, headers=headers, connect_seconds=connect_seconds
            )
        except NotFoundError as error:
            msg = (
                f"{error}. `ollama pull {name}` fetches it, as does the provider's pull({name!r})."
            )
            found = NotFoundError(msg, provider=error.provider, status=error.status)
            found.request_id, found.vendor_code = error.request_id, error.vendor_code
            raise found from error

    async def _object(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """Return the object that an answer is."""
        reply = await self._send(method, path, body)
        found = parse_json(await read(reply, self._provider), self._provider)
        if not isinstance(found, dict):
            raise malformed(self._provider, TypeError())
        return found

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float | None = None,
    ) -> HttpReply:
        sent = {"accept": _ACCEPT}
        key = await self.connection.secret()
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        sent.update((name.lower(), value) for name, value in (headers or {}).items())
        return await self.connection.http.send(
            method, path, body=body, headers=sent, connect_seconds=connect_seconds
        )


def ollama_chat(connection: Connection) -> OllamaChat:
    """
    Return the provider for an instance.

    Raises:
        ConfigurationError: The HTTP library of the settings is not installed.
    """
    _ = connection.http  # imports the HTTP library now, in the thread that connects
    return OllamaChat(connection, free=_is_here(connection.base_url))


def _is_here(base_url: str) -> bool:
    """Whether *base_url* is on this machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
