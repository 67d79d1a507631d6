"""Requests and answers as they pass between us and an HTTP library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol, runtime_checkable

import attrs

from .bodies import MAX_BODY_BYTES

__all__ = ["HttpReply", "HttpRequest", "LinkTransport", "Transport"]


@attrs.frozen
class HttpRequest:
    """
    A request; the URL is absolute, header names are lower-case.

    Attributes:
        proxy: Address of the proxy to go through; empty for none; None for that of the
            settings. Where it is given, the connection carries one request.
        server_name: Whose certificate is wanted, where the URL has an address in place
            of the name.
        limit: Longest body of an answer, unpacked.
    """

    method: str
    url: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(default=b"", repr=False)
    connect_seconds: float | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    server_name: str | None = None
    limit: int = MAX_BODY_BYTES


class HttpReply(Protocol):
    """
    An answer whose body has not been read.

    Attributes:
        status: The status code.
        headers: The headers; names are lower-case.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Iterate over the body as it arrives, unpacked and measured."""

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body was not read."""


class Transport(Protocol):
    """What stands between us and an HTTP library."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send *request* and return the answer as soon as its headers are there."""

    async def aclose(self) -> None:
        """Close all connections."""


@runtime_checkable
class LinkTransport(Transport, Protocol):
    """A transport that heeds `proxy`, `server_name` and `limit` of a request."""

    def proxy_for(self, origin: str) -> str:
        """Return the address of the proxy that requests to *origin* go through; empty for none."""
