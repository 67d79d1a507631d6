"""Carries bodies to a vendor and brings answers back, by whatever road."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs
from anymodal.connection import Connection
from anymodal.http import HttpReply

__all__ = ["Carrier", "HttpCarrier"]


class Carrier(Protocol):
    """A road to one vendor, shared by many tasks."""

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str],
        stream: bool = False,
        connect_seconds: float | None = None,
    ) -> HttpReply:
        """
        Send a request; return the answer with its body unread. Close it.

        Args:
            method: `GET` or `POST`.
            path: Appended to the base URL.
            body: Sent as JSON; None for no body.
            headers: Further headers; lower-case names.
            stream: Whether server-sent events are asked for.
            connect_seconds: How long connecting may take.

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """

    async def aclose(self) -> None:
        """Close what the carrier opened."""


@attrs.frozen
class HttpCarrier:
    """
    Carries over `connection.http`, with the key as a bearer token if there is one.

    Args:
        connection: Gives the key, which is asked for at every request.
        headers: Headers that every request has; lower-case names.
    """

    connection: Connection
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str],
        stream: bool = False,
        connect_seconds: float | None = None,
    ) -> HttpReply:
        """Send a request; see `Carrier.send`."""
        sent = {"accept": "text/event-stream" if stream else "application/json"}
        key = await self.connection.secret()
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        sent.update(self.headers)
        sent.update(headers)
        return await self.connection.http.send(
            method, path, body=body, headers=sent, connect_seconds=connect_seconds
        )

    async def aclose(self) -> None:
        """Do nothing: the connection is closed by the one that opened it."""
