"""
Carries requests over the client of the vendor's SDK.

mistralai 3.7 has no public way to bytes: its methods parse every answer into
objects, and below them stands `do_request_async`, which takes private contexts and
runs its hooks by `asyncio.to_thread`, so not on trio. For a chat these hooks do
nothing but read `MISTRAL_SDK_TELEMETRY` and `MISTRAL_SA_TOKEN_PATH`, and break
streams of deprecated models (read 2026-11-20). So requests go over the
`async_client` that the SDK is given, to the server and under the name that the SDK has,
and past its hooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import attrs
import httpx2
from anymodal.connection import Connection
from anymodal.http import Http, HttpReply, HttpRequest, reply_of_httpx, sdk_client
from anymodal_openai_compatible.carrier import Upload
from mistralai.client import Mistral

if TYPE_CHECKING:
    from mistralai.client.httpclient import AsyncHttpClient

__all__ = ["SdkCarrier", "SdkTransport", "sdk_carrier"]


class _Silent:
    """Logs nothing; the SDK's own logger, where `MISTRAL_DEBUG` is set, prints keys."""

    def debug(self, msg: str, *args: object, **kwargs: object) -> None:
        """Do nothing with *msg*."""


@attrs.frozen(eq=False)
class SdkTransport:
    """
    Sends over the SDK's client.

    Args:
        client: The client that the SDK was given.
    """

    client: httpx2.AsyncClient = attrs.field(repr=False)

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send *request* and return the answer as soon as its headers are there."""
        sent = self.client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            timeout=httpx2.Timeout(None, connect=request.connect_seconds),
        )
        response = await self.client.send(sent, stream=True)
        named = response.headers.get("mistral-correlation-id")
        if named:
            response.headers["x-request-id"] = named
        return reply_of_httpx(response)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()


@attrs.frozen(eq=False)
class SdkCarrier:
    """
    A road to Mistral over `mistralai.client.Mistral`.

    Args:
        connection: Gives the key, which is asked for at every request.
        sdk: The SDK's client. Its own key, retries and deadlines are unused.
        http: Requests over it.
    """

    connection: Connection
    sdk: Mistral = attrs.field(repr=False)
    http: Http = attrs.field(repr=False)

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

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """
        accept = "text/event-stream" if stream else "application/json"
        sent = await self._headers({"accept": accept, **headers})
        return await self.http.send(
            method, f"/v1{path}", body=body, headers=sent, connect_seconds=connect_seconds
        )

    async def upload(self, path: str, fields: Mapping[str, str], file: Upload) -> HttpReply:
        """
        Post a form; return the answer with its body unread. Close it.

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """
        files = {"file": (file.name, file.content, file.media_type)}
        form = httpx2.Request("POST", self.http.base_url, data=fields, files=files)
        media_type = form.headers["content-type"]
        sent = await self._headers({"accept": "application/json", "content-type": media_type})
        return await self.http.send("POST", f"/v1{path}", body=form.read(), headers=sent)

    async def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            # as the SDK's hook rewrites its user_agent
            "user-agent": f"mistral-client-python/{self.sdk.sdk_configuration.sdk_version}",
            "authorization": f"Bearer {await self.connection.required()}",
            **more,
        }

    async def aclose(self) -> None:
        """Close the SDK's connections."""
        await self.http.transport.aclose()


def sdk_carrier(connection: Connection) -> SdkCarrier:
    """
    Return the road to `connection.base_url`.

    The SDK reads its environment wherever an argument is missing, so every one is
    given. A client for synchronous calls it would make itself; it gets one that
    reads no environment and opens no connection.
    """
    client = cast("httpx2.AsyncClient", sdk_client(connection.ssl_context, proxy=connection.proxy))
    sdk = Mistral(
        api_key="given with each request",
        server_url=connection.base_url,
        client=httpx2.Client(verify=connection.ssl_context, trust_env=False),
        # httpx2's own class; the SDK's protocol spells its signature otherwise.
        async_client=cast("AsyncHttpClient", client),
        retry_config=None,
        timeout_ms=None,
        debug_logger=_Silent(),
    )
    server, _ = sdk.sdk_configuration.get_server_details()
    http = Http(
        provider=connection.provider,
        base_url=server,
        transport=SdkTransport(client),
        refine=connection.refine,
        scrub=connection.scrub,
        deadlines=connection.deadlines,
    )
    return SdkCarrier(connection, sdk, http)
