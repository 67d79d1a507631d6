"""
HTTP for plugins: requests out; status, headers and bytes back.

Three libraries can stand behind it, and only this module names them. Bodies are
measured before memory is taken, decompressed size included; redirects are not
followed; statuses and broken connections become errors of our own tree.
"""

from __future__ import annotations

import builtins
import importlib
import json
import zlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterator,
    Mapping,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

import attrs

from . import errors as e
from .failures import status_error, transport_errors
from .specs import Deadlines, ErrorRefinement
from .streams import Batches, LineSplitter, SseSplitter

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx2

__all__ = [
    "Http",
    "HttpReply",
    "HttpRequest",
    "Transport",
    "connect_transport",
    "reply_of_httpx",
    "sdk_client",
]

MAX_BODY_BYTES: Final = 256 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024
KEPT_ALIVE: Final = 32
"""Idle connections kept. httpx2 pays 13 us a request for each of them."""

EventT = TypeVar("EventT")


@attrs.frozen
class HttpRequest:
    """A request; the URL is absolute, header names are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(default=b"", repr=False)
    connect_seconds: float | None = None


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


# -- the libraries ------------------------------------------------------------------


@attrs.frozen
class _HttpxReply:
    response: httpx2.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    def chunks(self) -> AsyncGenerator[bytes, None]:
        return cast(
            "AsyncGenerator[bytes, None]", aiter(cast("AsyncIterable[bytes]", self.response.stream))
        )

    async def aclose(self) -> None:
        await self.response.aclose()


def reply_of_httpx(response: object) -> HttpReply:
    """Return an unread response of the client that `sdk_client` made as an `HttpReply`."""
    return _HttpxReply(cast("httpx2.Response", response))


class _HttpxTransport:
    """httpx2, or httpx: the same interface under two names."""

    def __init__(self, library: str, context: ssl.SSLContext) -> None:
        self._timeout = _imported(library).Timeout
        self._client = _httpx_client(library, context)

    async def send(self, request: HttpRequest) -> HttpReply:
        client = self._client
        sent = client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            timeout=self._timeout(None, connect=request.connect_seconds),
        )
        return _HttpxReply(await client.send(sent, stream=True))

    async def aclose(self) -> None:
        await self._client.aclose()


def _httpx_client(library: str, context: ssl.SSLContext) -> httpx2.AsyncClient:
    httpx = _imported(library)

    class Measured(httpx.AsyncByteStream):  # type: ignore[misc,name-defined]  # the base is known only now
        """A body that is unpacked and measured as it is read."""

        def __init__(self, stream: httpx2.AsyncByteStream, encoding: str) -> None:
            self.stream = stream
            self.encoding = encoding

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _unpacked(aiter(self.stream), self.encoding)

        async def aclose(self) -> None:
            await self.stream.aclose()

    async def measure(response: httpx2.Response) -> None:
        encoding = response.headers.pop("content-encoding", "")
        if encoding:
            response.headers.pop("content-length", None)
        response.stream = Measured(cast("httpx2.AsyncByteStream", response.stream), encoding)

    client: httpx2.AsyncClient = httpx.AsyncClient(
        verify=context,
        follow_redirects=False,
        headers={"accept-encoding": "gzip, deflate"},
        timeout=httpx.Timeout(None, connect=Deadlines().connect),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_ALIVE),
        event_hooks={"response": [measure]},
    )
    return client


def sdk_client(context: ssl.SSLContext) -> object:
    """
    Return an `httpx2.AsyncClient` to give to a vendor's SDK.

    It follows no redirects, has no deadline but that for connecting, and
    measures and unpacks bodies as this module does.
    """
    return _httpx_client("httpx2", context)


@attrs.frozen
class _AiohttpReply:
    response: aiohttp.ClientResponse
    headers: Mapping[str, str]

    @property
    def status(self) -> int:
        return self.response.status

    def chunks(self) -> AsyncGenerator[bytes, None]:
        encoding = self.headers.get("content-encoding", "")
        return _unpacked(self.response.content.iter_any(), encoding)

    async def aclose(self) -> None:
        if self.response.content.at_eof():
            self.response.release()
        else:
            self.response.close()


class _AiohttpTransport:
    """aiohttp, several times cheaper a call, on asyncio only."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._aiohttp = _imported("aiohttp")
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpReply:
        session = self._session or self._open()
        response = await session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.content or None,
            allow_redirects=False,
            timeout=self._aiohttp.ClientTimeout(sock_connect=request.connect_seconds),
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _AiohttpReply(response, headers)

    def _open(self) -> aiohttp.ClientSession:
        library = self._aiohttp
        self._session = library.ClientSession(
            connector=library.TCPConnector(ssl=self._context, limit=0),
            cookie_jar=library.DummyCookieJar(),
            headers={"accept-encoding": "gzip, deflate"},
            auto_decompress=False,
            trust_env=True,
        )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


def connect_transport(library: str, context: ssl.SSLContext) -> Transport:
    """
    Return a transport over *library*: `httpx2`, `httpx` or `aiohttp`.

    Raises:
        ConfigurationError: The library is not one of these, or not installed.
    """
    if library == "aiohttp":
        return _AiohttpTransport(context)
    if library in {"httpx2", "httpx"}:
        return _HttpxTransport(library, context)
    msg = f"http.backend: {library!r} is none of httpx2, httpx and aiohttp."
    raise e.ConfigurationError(msg)


def _imported(library: str) -> Any:  # a module, chosen at run time
    try:
        return importlib.import_module(library)
    except ImportError as error:
        extra = "http" if library == "httpx2" else library
        msg = f"{library} is not installed. Try: pip install 'anymodal[{extra}]'"
        raise e.ConfigurationError(msg) from error


async def _unpacked(chunks: AsyncIterable[bytes], encoding: str) -> AsyncGenerator[bytes, None]:
    """Iterate over the body without its compression, up to `MAX_BODY_BYTES`."""
    unpack = _unpacker(encoding)
    left = MAX_BODY_BYTES
    iterator = aiter(chunks)
    try:
        async for chunk in iterator:
            for piece in (chunk,) if unpack is None else unpack(chunk):
                left -= len(piece)
                if left < 0:
                    msg = f"the answer is over {MAX_BODY_BYTES} bytes"
                    raise e.TooLargeError(msg)
                if piece:
                    yield piece
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


def _unpacker(encoding: str) -> Callable[[bytes], Iterator[bytes]] | None:
    """Return what unpacks *encoding* a bounded piece at a time; None where it is plain."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name not in {"gzip", "x-gzip", "deflate"}:
        msg = f"the answer has the unknown content-encoding {encoding[:40]!r}"
        raise e.MalformedReplyError(msg)
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header

    def unpack(chunk: bytes) -> Iterator[bytes]:
        while chunk:
            try:
                piece = inflater.decompress(chunk, 1 << 20)
            except zlib.error as error:
                msg = "the answer's compression is damaged"
                raise e.MalformedReplyError(msg) from error
            chunk = inflater.unconsumed_tail
            yield piece

    return unpack


# -- what plugins call --------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Http:
    """
    Requests to one vendor.

    Args:
        provider: Id of the provider, for errors.
        base_url: Put before every path.
        transport: Carries the requests.
        refine: The plugin's table of errors.
        scrub: Takes secrets out of the vendor's words.
        deadlines: Only `connect` is kept here; the core keeps the others.
    """

    provider: str
    base_url: str
    transport: Transport = attrs.field(repr=False)
    refine: ErrorRefinement | None = attrs.field(default=None, repr=False)
    scrub: Callable[[str], str] = attrs.field(default=str, repr=False)
    deadlines: Deadlines = Deadlines()

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float | None = None,
    ) -> HttpReply:
        """
        Send a request; return the answer with its body unread. Close it.

        Args:
            method: Such as `POST`.
            path: Appended to the base URL.
            body: Sent as JSON; None for no body.
            headers: Lower-case names. They may hold keys.
            connect_seconds: How long connecting may take; `deadlines.connect`.

        Raises:
            VendorError: By the status, or because there was no answer.
        """
        sent = dict(headers) if headers else {}
        content = b""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            sent["content-type"] = "application/json"
        request = HttpRequest(
            method, self.base_url + path, sent, content, connect_seconds or self.deadlines.connect
        )
        with transport_errors(self.provider):
            reply = await self.transport.send(request)
        if 200 <= reply.status < 300:
            return reply
        try:
            content = await read(reply, self.provider, MAX_ERROR_BYTES, cut=True)
        finally:
            await reply.aclose()
        raise status_error(
            self.provider,
            reply.status,
            reply.headers,
            content,
            refine=self.refine,
            scrub=self.scrub,
        )

    async def bytes(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_BODY_BYTES,
    ) -> builtins.bytes:
        """Return the whole body, of at most *limit* bytes."""
        reply = await self.send(method, path, body=body, headers=headers)
        try:
            return await read(reply, self.provider, limit)
        finally:
            await reply.aclose()

    async def json(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_BODY_BYTES,
    ) -> object:
        """
        Return the body, read as JSON.

        Raises:
            MalformedReplyError: It is not JSON.
        """
        found = await self.bytes(method, path, body=body, headers=headers, limit=limit)
        return parse_json(found, self.provider)

    def sse(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Batches[tuple[builtins.bytes, builtins.bytes]]]:
        """Iterate over server-sent events, as pairs of name and data."""
        return self._stream(method, path, body, headers, SseSplitter().feed)

    def lines(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Batches[builtins.bytes]]:
        """Iterate over the lines of the body, without their ends. The last needs one."""
        splitter = LineSplitter()

        def feed(chunk: builtins.bytes, found: list[builtins.bytes]) -> None:
            found.extend(splitter.feed(chunk))

        return self._stream(method, path, body, headers, feed)

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        body: object,
        headers: Mapping[str, str] | None,
        feed: Callable[[builtins.bytes, list[EventT]], None],
    ) -> AsyncGenerator[Batches[EventT], None]:
        reply = await self.send(method, path, body=body, headers=headers)
        async with opened(reply, self.provider, feed) as batches:
            yield batches


@asynccontextmanager
async def opened(
    reply: HttpReply, provider: str, feed: Callable[[bytes, list[EventT]], None]
) -> AsyncGenerator[Batches[EventT], None]:
    """
    Iterate over what *feed* makes of the body of *reply*, and close it in the end.

    What the caller's block raises is the caller's and passes untranslated.
    """
    async with aclosing(_translated(reply, provider)) as chunks:
        yield Batches(chunks, feed)


async def _translated(reply: HttpReply, provider: str) -> AsyncGenerator[bytes, None]:
    chunks = reply.chunks()
    try:
        while True:
            try:
                chunk = await anext(chunks, None)
            except Exception:
                with transport_errors(provider):
                    raise
            if chunk is None:
                return
            yield chunk
    finally:
        await chunks.aclose()
        await reply.aclose()


async def read(
    reply: HttpReply, provider: str, limit: int = MAX_BODY_BYTES, *, cut: bool = False
) -> bytes:
    """
    Return the body of *reply*.

    Args:
        reply: An answer whose body was not read.
        provider: For errors.
        limit: Longest body in bytes, unpacked.
        cut: Whether a longer one is cut off; else it is an error.

    Raises:
        TooLargeError: The body is longer than *limit*.
        IncompleteError: It ended early.
    """
    found: list[bytes] = []
    size = 0
    announced = reply.headers.get("content-length", "")
    if not cut and announced.isdecimal() and int(announced) > limit:
        raise _too_large(provider, limit)
    try:
        async with aclosing(_translated(reply, provider)) as chunks:
            async for chunk in chunks:
                found.append(chunk)
                size += len(chunk)
                if size > limit:
                    if cut:
                        break
                    raise _too_large(provider, limit)
    except e.ConnectionFailedError as error:
        if cut:
            return b"".join(found)
        msg = f"{provider}: the answer ended early"
        raise e.IncompleteError(msg, provider=provider) from error
    return b"".join(found)[:limit]


def _too_large(provider: str, limit: int) -> e.TooLargeError:
    return e.TooLargeError(f"{provider}: the answer is over {limit} bytes", provider=provider)


def parse_json(content: bytes, provider: str) -> object:
    """
    Return what *content* says.

    Raises:
        MalformedReplyError: It is not JSON, or nested past all reason.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"{provider}: the answer is not JSON"
        raise e.MalformedReplyError(msg, provider=provider) from error
