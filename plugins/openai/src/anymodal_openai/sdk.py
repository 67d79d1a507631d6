"""
Carries requests over the vendor's SDK, by its low road.

`client.post(…, cast_to=httpx2.Response, stream=True)` keeps the SDK's way with
URLs and headers and skips the objects it would build of the answer.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, cast

import attrs
import httpx2
import openai
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.failures import status_error, transport_errors
from anymodal.http import HttpReply, reply_of_httpx, sdk_client, written_json
from anymodal_openai_compatible.carrier import Upload

__all__ = ["SDK_ERRORS", "SdkCarrier", "sdk_carrier", "translated"]

SDK_ERRORS: Final[tuple[tuple[type[Exception], type[e.AnymodalError], str], ...]] = (
    (openai.APITimeoutError, e.TimedOutError, "no answer in time"),
    (openai.APIConnectionError, e.ConnectionFailedError, "the connection failed"),
    (openai.APIResponseValidationError, e.MalformedReplyError, "the SDK cannot read the answer"),
    (openai.APIError, e.ServerError, "the SDK reports a failure"),
    (openai.OpenAIError, e.ConfigurationError, "the SDK refuses its set-up"),
)
"""What the SDK raises beside errors with a status: the first that fits wins."""


_UNSENT: Final = (
    "Authorization",
    "OpenAI-Organization",
    "OpenAI-Project",
    "X-Stainless-Arch",
    "X-Stainless-Async",
    "X-Stainless-Lang",
    "X-Stainless-OS",
    "X-Stainless-Package-Version",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
)
"""
Headers that the SDK does not add: those that go with each request where they
belong, and a description of the caller's machine, which nobody asked to send and
which is a twentieth of a call's cost.
"""


@attrs.frozen(eq=False)
class SdkCarrier:
    """
    A road to OpenAI over `openai.AsyncOpenAI`.

    Args:
        connection: Gives key, organization and project, asked for at every request.
        client: The SDK's client. Its own key, retries and deadlines are unused.
    """

    connection: Connection
    client: openai.AsyncOpenAI = attrs.field(repr=False)
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
            VendorError: The status is not 2xx, or there was no answer.
        """
        content = None if body is None else written_json(body, self.connection.provider)
        options: openai.RequestOptions = {
            "headers": await self._headers(headers, stream=stream),
            "timeout": self._timeout(connect_seconds),
        }
        return await self._carried(self._send(method, path, content, options))

    async def upload(self, path: str, fields: Mapping[str, str], file: Upload) -> HttpReply:
        """
        Post a form; return the answer with its body unread. Close it.

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """
        return await self.send_files(path, fields, [("file", file)], headers={})

    async def send_files(
        self,
        path: str,
        fields: Mapping[str, str],
        files: Sequence[tuple[str, Upload]],
        *,
        headers: Mapping[str, str],
        connect_seconds: float | None = None,
    ) -> HttpReply:
        """
        Post a form of several files; return the answer with its body unread. Close it.

        Args:
            path: Appended to the base URL.
            fields: The form's fields beside the files.
            files: Each with the name of its field.
            headers: Further headers; lower-case names.
            connect_seconds: How long connecting may take.

        Raises:
            VendorError: The status is not 2xx, or there was no answer.
        """
        form = {**headers, "content-type": "multipart/form-data"}
        options: openai.RequestOptions = {
            "headers": await self._headers(form, stream=False),
            "timeout": self._timeout(connect_seconds),
        }
        sending = self.client.post(
            path,
            body=fields,
            files=[(name, (one.name, one.content, one.media_type)) for name, one in files],
            cast_to=httpx2.Response,
            options=options,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
        return await self._carried(sending)

    async def _carried(self, sending: Awaitable[object]) -> HttpReply:
        try:
            response = await sending
        except openai.OpenAIError as error:
            # a traceback prints the cause, and with it the key that a vendor may have repeated
            told = self.connection.scrub(str(error)) == str(error)
            raise translated(error, self.connection) from (error if told else None)
        except Exception:
            with transport_errors(self.connection.provider):
                raise
        return reply_of_httpx(response)

    async def _send(
        self, method: str, path: str, content: bytes | None, options: openai.RequestOptions
    ) -> object:
        url = self.connection.base_url + path  # of a path, the SDK would make two URLs more
        if method == "GET":
            return await self.client.get(
                url,
                cast_to=httpx2.Response,
                options=options,
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )
        return await self.client.post(
            url,
            content=content,
            cast_to=httpx2.Response,
            options=options,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )

    async def _headers(self, more: Mapping[str, str], *, stream: bool) -> dict[str, str]:
        secret = self.connection.secret
        found = {
            "accept": "text/event-stream" if stream else "application/json",
            "content-type": "application/json",
            "user-agent": self.client.user_agent,
            "authorization": f"Bearer {await self.connection.required()}",
        }
        for credential, header in (
            ("organization", "openai-organization"),
            ("project", "openai-project"),
        ):
            value = await secret(credential)
            if value is not None:
                found[header] = value
        found.update(more)
        return found

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


def sdk_carrier(connection: Connection) -> SdkCarrier:
    """
    Return the road to `connection.base_url`.

    The SDK reads its environment wherever an argument is missing, whatever the
    host. So every argument is given, and the headers of `OPENAI_ORG_ID`,
    `OPENAI_PROJECT_ID` and `OPENAI_CUSTOM_HEADERS` are taken out again; the
    first two are credentials of the spec, which the core gives to us where they
    belong.
    """
    silent = dict.fromkeys(_UNSENT, openai.Omit())
    for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n"):
        name, colon, _ = line.partition(":")
        if colon:
            silent[name.strip()] = openai.Omit()
    client = openai.AsyncOpenAI(
        api_key="given with each request",
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=connection.base_url,
        timeout=httpx2.Timeout(None, connect=connection.deadlines.connect),
        max_retries=0,
        # The SDK takes Omit for any header, but its signature says strings.
        default_headers=cast("Mapping[str, str]", silent),
        http_client=cast(
            "httpx2.AsyncClient", sdk_client(connection.ssl_context, proxy=connection.proxy)
        ),
    )
    return SdkCarrier(connection, client)


def translated(error: openai.OpenAIError, connection: Connection) -> e.AnymodalError:
    """Return what an exception of the SDK means, as an error of our own tree."""
    provider = connection.provider
    if isinstance(error, openai.APIStatusError):
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
