"""Carries bodies to a vendor and brings answers back, by whatever road."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import attrs
from anymodal.connection import Connection
from anymodal.http import Form, FormPart

if TYPE_CHECKING:
    from anymodal.http import HttpReply

__all__ = ["Carrier", "HttpCarrier", "Upload", "UploadingCarrier"]


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
class Upload:
    """A file for a form."""

    name: str
    content: bytes = attrs.field(repr=lambda content: f"{len(content)} bytes")
    media_type: str


class UploadingCarrier(Carrier, Protocol):
    """A road that a file can take."""

    async def upload(self, path: str, fields: Mapping[str, str], file: Upload) -> HttpReply:
        """
        Post a form; return the answer with its body unread. Close it.

        Args:
            path: Appended to the base URL.
            fields: The form's fields beside `file`.
            file: What stands in the field `file`.

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """


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
        accept = "text/event-stream" if stream else "application/json"
        sent = await self._headers({"accept": accept}, headers)
        return await self.connection.http.send(
            method, path, body=body, headers=sent, connect_seconds=connect_seconds
        )

    async def upload(self, path: str, fields: Mapping[str, str], file: Upload) -> HttpReply:
        """Post a form; see `UploadingCarrier.upload`."""
        parts = [FormPart(name, value) for name, value in fields.items()]
        parts.append(FormPart("file", file.content, file.name, file.media_type))
        sent = await self._headers({"accept": "application/json"}, {})
        return await self.connection.http.send("POST", path, body=Form(parts), headers=sent)

    async def _headers(self, usual: dict[str, str], more: Mapping[str, str]) -> dict[str, str]:
        key = await self.connection.secret()
        if key is not None:
            usual["authorization"] = f"Bearer {key}"
        return {**usual, **self.headers, **more}

    async def aclose(self) -> None:
        """Do nothing: the connection is closed by the one that opened it."""
