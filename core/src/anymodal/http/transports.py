"""The HTTP libraries, behind one small interface."""

from __future__ import annotations

import importlib
import io
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

import attrs

from .. import errors as e
from .._version import __version__
from ..specs import Deadlines
from ..taps import present
from .bodies import ACCEPTED, MAX_BODY_BYTES, MAX_ERROR_BYTES, unpacked
from .proxies import UNUSABLE_PROXY, proxy_of, usable
from .wire import HttpReply, HttpRequest, LinkTransport

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx2
    import yarl

__all__ = [
    "connect_transport",
    "reply_of_httpx",
    "sdk_client",
]

KEPT_ALIVE: Final = 32
"""Idle connections kept. httpx2 pays 13 us a request for each of them."""

USER_AGENT: Final = f"anymodal/{__version__}"
"""Who calls, where the plugin does not say. SDKs say it themselves."""

LARGE_BODY_BYTES: Final = 1024 * 1024
"""Above this, aiohttp warns of bytes and wants a file."""


def connect_transport(
    library: str, context: ssl.SSLContext, *, proxy: str | None = None
) -> LinkTransport:
    """
    Return a transport over *library*: `httpx2`, `httpx` or `aiohttp`.

    Args:
        library: Its name.
        context: For TLS.
        proxy: Address of a proxy; empty for none; None for what the environment names.

    Raises:
        ConfigurationError: The library is not one of these, or not installed,
            or cannot use the proxy.
    """
    if library == "aiohttp":
        connect: Callable[[], LinkTransport] = partial(_AiohttpTransport, context, proxy)
    elif library in {"httpx2", "httpx"}:
        connect = partial(_HttpxTransport, library, context, proxy)
    else:
        msg = f"http.backend: {library!r} is none of httpx2, httpx and aiohttp."
        raise e.ConfigurationError(msg)
    tap = present()
    return connect() if tap is None else tap.transport(connect)


def sdk_client(context: ssl.SSLContext, *, proxy: str | None = None) -> object:
    """
    Return an `httpx2.AsyncClient` to give to a vendor's SDK.

    It follows no redirects, keeps no cookies, has no deadline but that for
    connecting, and measures and unpacks bodies as this module does: one of an
    error is cut off, a longer other one is a `TooLargeError`.

    Args:
        context: That of the connection.
        proxy: That of the connection.

    Raises:
        ConfigurationError: httpx2 is not installed, or cannot use the proxy.
    """
    connect = partial(_httpx_client, "httpx2", context, proxy)
    tap = present()
    return connect() if tap is None else tap.client(connect)


def reply_of_httpx(response: object) -> HttpReply:
    """Return an unread response of the client that `sdk_client` made as an `HttpReply`."""
    return _httpx_reply(cast("httpx2.Response", response))


def _imported(library: str) -> Any:  # a module, chosen at run time
    try:
        return importlib.import_module(library)
    except ImportError as error:
        extra = "http" if library == "httpx2" else library
        msg = f"{library} is not installed. Try: pip install 'anymodal[{extra}]'"
        raise e.ConfigurationError(msg) from error


# -- httpx2, and httpx: the same interface under two names ----------------------------


@attrs.frozen
class _HttpxReply:
    response: httpx2.Response
    headers: Mapping[str, str]

    @property
    def status(self) -> int:
        return self.response.status_code

    def chunks(self) -> AsyncGenerator[bytes, None]:
        stream = cast("AsyncIterable[bytes]", self.response.stream)
        return cast("AsyncGenerator[bytes, None]", aiter(stream))

    async def aclose(self) -> None:
        await self.response.aclose()


def _httpx_reply(response: httpx2.Response) -> _HttpxReply:
    """Return *response* with its headers in a dict: a look-up in theirs costs 4 us, a miss 6."""
    headers: dict[str, str] = {}
    for raw, content in response.headers.raw:
        name, value = raw.decode("ascii").lower(), content.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return _HttpxReply(response, headers)


class _HttpxTransport:
    def __init__(self, library: str, context: ssl.SSLContext, proxy: str | None) -> None:
        self._timeout = _imported(library).Timeout
        self._library = library
        self._context = context
        self._proxy = proxy
        self._client = self._opened(proxy)
        self._others: dict[str, httpx2.AsyncClient] = {}

    async def send(self, request: HttpRequest) -> HttpReply:
        client = self._client if request.proxy is None else self._through(request.proxy)
        extensions: dict[str, object] = {}
        if request.limit != MAX_BODY_BYTES:
            extensions["limit"] = request.limit
        if request.server_name is not None:
            extensions["sni_hostname"] = request.server_name
        sent = client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            timeout=self._timeout(None, connect=request.connect_seconds),
            extensions=extensions,
        )
        return _httpx_reply(await client.send(sent, stream=True))

    def proxy_for(self, origin: str) -> str:
        found = proxy_of(origin) if self._proxy is None else self._proxy
        return found or ""

    def _opened(self, proxy: str | None) -> httpx2.AsyncClient:
        client = _httpx_client(self._library, self._context, proxy)
        client.headers["user-agent"] = USER_AGENT
        return client

    def _through(self, proxy: str) -> httpx2.AsyncClient:
        if proxy not in self._others:
            self._others[proxy] = self._opened(proxy)
        return self._others[proxy]

    async def aclose(self) -> None:
        for client in (self._client, *self._others.values()):
            await client.aclose()


def _httpx_client(library: str, context: ssl.SSLContext, proxy: str | None) -> httpx2.AsyncClient:
    httpx = _imported(library)

    class Measured(httpx.AsyncByteStream):  # type: ignore[misc,name-defined]  # the base is known only now
        """A body that is unpacked and measured as it is read."""

        def __init__(
            self, stream: httpx2.AsyncByteStream, encoding: str, limit: int, *, cut: bool
        ) -> None:
            self.stream = stream
            self.encoding = encoding
            self.limit = limit
            self.cut = cut
            self.is_closed = False

        def __aiter__(self) -> AsyncIterator[bytes]:
            chunks = aiter(self.stream)

            async def close() -> None:
                self.is_closed = True
                await _abandon(self.stream, chunks)

            return unpacked(chunks, self.encoding, close, limit=self.limit, cut=self.cut)

        async def aclose(self) -> None:
            if not self.is_closed:
                await self.stream.aclose()

    async def measure(response: httpx2.Response) -> None:
        cut = not 200 <= response.status_code < 300
        encoding = ""
        if cut or any(name.lower() == b"content-encoding" for name, _ in response.headers.raw):
            encoding = response.headers.pop("content-encoding", "")
            response.headers.pop("content-length", None)
        stream = cast("httpx2.AsyncByteStream", response.stream)
        limit = response.request.extensions.get("limit", MAX_BODY_BYTES)
        response.stream = Measured(stream, encoding, MAX_ERROR_BYTES if cut else limit, cut=cut)

    from http.cookiejar import CookieJar, DefaultCookiePolicy  # noqa: PLC0415  # 7 ms, which plugins' tables never pay

    try:
        client: httpx2.AsyncClient = httpx.AsyncClient(
            verify=context,
            proxy=httpx.Proxy(proxy, ssl_context=_for(proxy, context)) if proxy else None,
            trust_env=proxy is None,
            follow_redirects=False,
            headers={"accept-encoding": ACCEPTED},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(None, connect=Deadlines().connect),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_ALIVE),
            event_hooks={"response": [measure]},
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        msg = UNUSABLE_PROXY.format(library)
        raise e.ConfigurationError(msg) from error
    return client


def _for(proxy: str, context: ssl.SSLContext) -> ssl.SSLContext | None:
    """Return the context for the way to *proxy* itself; httpx refuses one where it needs none."""
    return context if proxy.startswith("https:") else None


async def _abandon(stream: httpx2.AsyncByteStream, chunks: AsyncIterator[bytes]) -> None:
    """
    Close *stream*, and end the generators that *chunks* is made of.

    The libraries' own drop one another when they are closed half-way, which
    trio reports (httpx 0.28.1 and httpx2 2.16.2, read 2026-11-20). With the
    connection closed they run into its end instead, and finish.
    """
    _spoil(stream)
    await stream.aclose()
    with suppress(Exception):
        async for _ in chunks:
            pass


def _spoil(stream: object) -> None:
    """Keep a connection from further use on which more came than the answer."""
    # The libraries would take that for the answer to the next request, and have no public
    # word for it (httpcore 1.0.9 and httpcore2 2.16.2, read 2026-11-20).
    found: Any = stream
    for step in ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state"):
        found = getattr(found, step, None)
    if getattr(found, "trailing_data", (b"", False))[0]:
        found.send_failed()


# -- aiohttp: several times cheaper a call, on asyncio only ---------------------------


@attrs.frozen
class _AiohttpReply:
    response: aiohttp.ClientResponse
    headers: Mapping[str, str]
    limit: int

    @property
    def status(self) -> int:
        return self.response.status

    def chunks(self) -> AsyncGenerator[bytes, None]:
        encoding = self.headers.get("content-encoding", "")
        chunks = self.response.content.iter_any()
        return unpacked(chunks, encoding, self.aclose, limit=self.limit)

    async def aclose(self) -> None:
        if self.response.content.at_eof():
            self.response.release()
        else:
            self.response.close()


class _AiohttpTransport:
    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        self._aiohttp = _imported("aiohttp")
        self._yarl = _imported("yarl")
        self._context = context
        self._proxy = usable(proxy) if proxy else proxy
        self._session: aiohttp.ClientSession | None = None
        self._single: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str] = {}
        self._replies: WeakSet[aiohttp.ClientResponse] = WeakSet()

    async def send(self, request: HttpRequest) -> HttpReply:
        session = self._session or self._open()
        content = request.content
        url: str | yarl.URL = request.url
        proxy = request.proxy
        if proxy is None:
            origin = request.url[: request.url.find("/", 8)]
            if origin not in self._proxies:
                self._proxies[origin] = self.proxy_for(origin)
            proxy = self._proxies[origin]
        else:
            session = self._single = self._single or self._opened(is_kept=False)
            url = self._yarl.URL(url, encoded=True)  # a link may be signed as it is written
        response = await session.request(
            request.method,
            url,
            headers=request.headers,
            data=io.BytesIO(content) if len(content) > LARGE_BODY_BYTES else content or None,
            allow_redirects=False,
            proxy=proxy or None,
            server_hostname=request.server_name,
            timeout=self._aiohttp.ClientTimeout(connect=request.connect_seconds),
        )
        headers: dict[str, str] = {}
        for name, value in response.headers.items():
            lower = name.lower()
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
        self._replies.add(response)
        return _AiohttpReply(response, headers, request.limit)

    def proxy_for(self, origin: str) -> str:
        found = proxy_of(origin) if self._proxy is None else self._proxy
        return usable(found) if found else ""

    def _open(self) -> aiohttp.ClientSession:
        self._session = self._opened(is_kept=True)
        return self._session

    def _opened(self, *, is_kept: bool) -> aiohttp.ClientSession:
        library = self._aiohttp
        session: aiohttp.ClientSession = library.ClientSession(
            connector=library.TCPConnector(ssl=self._context, limit=0, force_close=not is_kept),
            cookie_jar=library.DummyCookieJar(),
            headers={"accept-encoding": ACCEPTED, "user-agent": USER_AGENT},
            auto_decompress=False,
        )
        return session

    async def aclose(self) -> None:
        for session in (self._session, self._single):
            if session is not None:
                await session.close()
        for reply in self._replies:  # aiohttp 3.14.5 does not tell who reads one
            if not reply.content.at_eof():
                reply.content.set_exception(self._aiohttp.ClientConnectionError("closed"))
