"""
Carries requests over the vendor's SDK, by its low road.

`client.post(…, cast_to=httpx2.Response, stream=True)` keeps the SDK's way with
URLs and headers and skips the objects it would build of the answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, cast

import anthropic
import attrs
import httpx2
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.failures import status_error, transport_errors
from anymodal.http import HttpReply, reply_of_httpx, sdk_client, written_json

from .body import API_VERSION

__all__ = ["SDK_ERRORS", "SdkCarrier", "sdk_carrier", "translated"]

SDK_ERRORS: Final[tuple[tuple[type[Exception], type[e.AnymodalError], str], ...]] = (
    (anthropic.APITimeoutError, e.TimedOutError, "no answer in time"),
    (anthropic.APIConnectionError, e.ConnectionFailedError, "the connection failed"),
    (anthropic.APIResponseValidationError, e.MalformedReplyError, "the SDK cannot read the answer"),
    (anthropic.APIError, e.ServerError, "the SDK reports a failure"),
    (anthropic.AnthropicError, e.ConfigurationError, "the SDK refuses its set-up"),
)
"""What the SDK raises beside errors with a status: the first that fits wins."""


_UNSENT: Final = (
    "Authorization",
    "X-Api-Key",
    "X-Stainless-Arch",
    "X-Stainless-Async",
    "X-Stainless-Lang",
    "X-Stainless-OS",
    "X-Stainless-Package-Version",
    "X-Stainless-Retry-Count",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Timeout",
)
"""
Headers that the SDK does not add: the key, which goes with each request, and a
description of the caller's machine and set-up, which nobody asked to send.
"""


@attrs.frozen(eq=False)
class SdkCarrier:
    """
    A road to Anthropic over `anthropic.AsyncAnthropic`.

    Args:
        connection: Gives the key, asked for at every request.
        client: The SDK's client. Its own key, retries and deadlines are unused.
        version: Of the API.
    """

    connection: Connection
    client: anthropic.AsyncAnthropic = attrs.field(repr=False)
    version: str = API_VERSION
    _timeouts: dict[float | None, httpx2.Timeout] = attrs.field(factory=dict, init=False)

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
            InvalidRequestError: The body cannot be written as JSON.
            VendorError: The status is not 2xx, or there was no answer.
        """
        options: anthropic.RequestOptions = {
            "headers": await self._headers(headers, stream=stream),
            "timeout": self._timeout(connect_seconds),
        }
        content = None if body is None else written_json(body, self.connection.provider)
        try:
            response = await self._send(method, path, content, options)
        except anthropic.AnthropicError as error:
            # a traceback prints the cause, and with it the key that a vendor may have repeated
            told = self.connection.scrub(str(error)) == str(error)
            raise translated(error, self.connection) from (error if told else None)
        except Exception:
            with transport_errors(self.connection.provider):
                raise
        return reply_of_httpx(response)

    async def _send(
        self, method: str, path: str, content: bytes | None, options: anthropic.RequestOptions
    ) -> object:
        url = self.connection.base_url + path  # of a path, the SDK would make two URLs more
        if method == "GET":
            return await self.client.get(
                url,
                cast_to=httpx2.Response,
                options=options,
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            )
        return await self.client.post(
            url,
            content=content,
            cast_to=httpx2.Response,
            options=options,
            stream=True,
            stream_cls=anthropic.AsyncStream[object],
        )

    async def _headers(self, more: Mapping[str, str], *, stream: bool) -> dict[str, str]:
        return {
            "accept": "text/event-stream" if stream else "application/json",
            "content-type": "application/json",
            "user-agent": self.client.user_agent,
            "anthropic-version": self.version,
            "authorization": _Unprinted(f"Bearer {await self.connection.required()}"),
            **more,
        }

    def _timeout(self, connect: float | None) -> httpx2.Timeout:
        """Return the one deadline that is kept here; the core keeps the others."""
        found = self._timeouts.get(connect)
        if found is None:
            if len(self._timeouts) > 8:
                self._timeouts.clear()
            found = self._timeouts[connect] = httpx2.Timeout(
                None, connect=connect or self.connection.deadlines.connect
            )
        return found

    async def aclose(self) -> None:
        """Close the SDK's client and its connections."""
        await self.client.close()


class _Unprinted(str):
    """A header's value that does not print: the SDK logs headers as they are."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


def sdk_carrier(connection: Connection) -> SdkCarrier:
    """
    Return the road to `connection.base_url`.

    The SDK reads its environment wherever an argument is missing, whatever the
    host: keys, tokens, profiles, tracing. So every argument is given, and the
    headers of `ANTHROPIC_CUSTOM_HEADERS` are taken out again.
    """
    silent = dict.fromkeys(_UNSENT, anthropic.Omit())
    for line in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n"):
        name, colon, _ = line.partition(":")
        if colon:
            silent[name.strip()] = anthropic.Omit()
    client = anthropic.AsyncAnthropic(
        api_key="given with each request",
        webhook_key="",
        base_url=connection.base_url,
        timeout=httpx2.Timeout(None, connect=connection.deadlines.connect),
        max_retries=0,
        open_telemetry=False,
        # The SDK takes Omit for any header, but its signature says strings.
        default_headers=cast("Mapping[str, str]", silent),
        http_client=cast(
            "httpx2.AsyncClient", sdk_client(connection.ssl_context, proxy=connection.proxy)
        ),
    )
    version = str(connection.settings.get("api_version") or API_VERSION)
    return SdkCarrier(connection, client, version)


def translated(error: anthropic.AnthropicError, connection: Connection) -> e.AnymodalError:
    """Return what an exception of the SDK means, as an error of our own tree."""
    provider = connection.provider
    if isinstance(error, anthropic.APIStatusError):
        return status_error(
            provider,
            error.status_code,
            error.response.headers,
            error.response.content,
            refine=connection.refine,
            scrub=connection.scrub,
        )
    of_transport = _of_transport(error.__cause__, provider)
    if of_transport is not None:
        return of_transport
    meaning, what = next((row[1], row[2]) for row in SDK_ERRORS if isinstance(error, row[0]))
    # Its own words may hold a URL with a key, so only the name of the cause is kept.
    found = meaning(f"{provider}: {what} ({type(error.__cause__ or error).__name__})")
    if isinstance(found, e.VendorError):
        found.provider = provider
    return found


def _of_transport(cause: BaseException | None, provider: str) -> e.AnymodalError | None:
    """Return what *cause* means if it is of an HTTP library."""
    if cause is None:
        return None
    try:
        with transport_errors(provider):
            raise cause  # noqa: TRY301  # the table of transports works on what passes through
    except e.AnymodalError as found:
        return found
    except BaseException:  # noqa: BLE001  # the same exception again: it is of no HTTP library
        return None
