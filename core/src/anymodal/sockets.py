"""WebSockets: messages to a vendor and back, over the library `websockets`."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import attrs

from . import errors as e
from ._version import __version__
from .failures import status_error
from .shielding import runs_on_trio
from .specs import ErrorRefinement
from .taps import present

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

__all__ = ["CloseMeaning", "Socket", "opening"]

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Largest message, unpacked. Sound comes in pieces of kilobytes."""

WAITING_MESSAGES: Final = 64
"""Messages that wait to be read; past it the vendor is told to wait."""

PING_SECONDS: Final = 20.0
CLOSE_SECONDS: Final = 3.0

CloseMeaning: TypeAlias = Callable[[int, str], type[e.VendorError] | None]
"""Takes the code and the words of a close; returns the error that it means, or None."""

_CODES: Final[Mapping[int, type[e.VendorError]]] = {
    1002: e.MalformedReplyError,
    1003: e.BadRequestError,
    1007: e.BadRequestError,
    1008: e.BadRequestError,
    1009: e.TooLargeError,
    1011: e.ServerError,
    1012: e.OverloadedError,
    1013: e.OverloadedError,
}
"""What RFC 6455, section 7.4.1, and its registry mean by a code (read 2026-11-20)."""


@attrs.define(kw_only=True, eq=False)
class opening:  # noqa: N801  # used as a function is
    """
    Open a WebSocket: `async with opening(url, …) as socket`.

    It is left in the task in which it was entered.

    Args:
        url: With `ws` or `wss`; `http` and `https` mean these.
        provider: Id of the provider, for errors.
        context: For `wss`.
        headers: Lower-case names. They may hold keys.
        subprotocols: Those that we speak, the best first.
        connect_seconds: How long connecting and the handshake may take.
        proxy: An address, empty for none; None is what the environment names.
        refine: The plugin's table of errors, for a refused handshake.
        close_means: The plugin's reading of close codes; before the usual one.
        scrub: Takes secrets out of the vendor's words.
        limit: Largest message in bytes, unpacked.
    """

    url: str = attrs.field(repr=False)
    provider: str
    context: Callable[[], ssl.SSLContext] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    subprotocols: Sequence[str] = ()
    connect_seconds: float | None = 10.0
    proxy: str | None = attrs.field(default=None, repr=False)
    refine: ErrorRefinement | None = attrs.field(default=None, repr=False)
    close_means: CloseMeaning | None = attrs.field(default=None, repr=False)
    scrub: Callable[[str], str] = attrs.field(default=str, repr=False)
    limit: int = MAX_MESSAGE_BYTES
    _connect: Any = attrs.field(default=None, init=False, repr=False)
    _open: Any = attrs.field(default=None, init=False, repr=False)

    async def __aenter__(self) -> Socket:
        """
        Connect.

        Raises:
            ConfigurationError: `websockets` is not installed, or the address is none.
            VendorError: The vendor refused, or there was no answer.
        """
        url = _of_sockets(self.url)
        if url is None:
            msg = f"{self.provider}: base_url is no address that can be called; it begins with https://."
            raise e.ConfigurationError(msg)
        connect = partial(
            _connector("trio" if runs_on_trio() else "asyncio"),
            url,
            ssl=self.context() if url.startswith("wss:") else None,
            additional_headers=dict(self.headers),
            user_agent_header=self.headers.get("user-agent", f"anymodal/{__version__}"),
            subprotocols=list(self.subprotocols) or None,
            open_timeout=self.connect_seconds,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=self.limit,
            max_queue=WAITING_MESSAGES,
            proxy=True if self.proxy is None else self.proxy or None,
            process_exception=_as_it_is,
            logger=_Discreet(logging.getLogger("websockets.client"), {}),
        )
        tap = present()
        self._connect = connect() if tap is None else tap.socket(url, connect)
        try:
            found = await self._connect.__aenter__()
        except Exception as error:  # noqa: BLE001  # the library's and the system's; named below
            raise self._refused(error) from _harmless(error)
        self._open = found
        return Socket(found, self)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._connect.__aexit__(None, None, None)
        except BaseException:
            transport = getattr(self._open, "transport", None)
            if transport is not None:  # asyncio's stays open where its closing is cancelled
                transport.abort()
            raise

    def _refused(self, error: Exception) -> Exception:
        response = getattr(error, "response", None)
        if type(error).__name__ == "InvalidStatus" and response is not None:
            headers = {name.lower(): value for name, value in response.headers.raw_items()}
            return status_error(
                self.provider,
                response.status_code,
                headers,
                response.body or b"",
                refine=self.refine,
                scrub=self.scrub,
            )
        what = type(error).__name__
        if isinstance(error, TimeoutError):
            late = e.TimedOutError(
                f"{self.provider}: no connection in time", provider=self.provider
            )
            late.never_sent = True
            return late
        if isinstance(error, OSError | EOFError) or what.startswith("Invalid") or "Proxy" in what:
            msg = f"{self.provider}: the connection failed ({what})"
            failed = e.ConnectionFailedError(msg, provider=self.provider)
            failed.never_sent = True
            return failed
        return error

    def closed(self, code: int | None, words: str) -> e.VendorError:
        """Return the error that a close means, if it is not the end that was agreed upon."""
        said = self.scrub(" ".join(words.split()))[:300]
        cls = self.close_means(code or 1006, words) if self.close_means else None
        cls = cls or _CODES.get(code or 1006, e.IncompleteError)
        msg = f"{self.provider}: the connection was closed ({code or 'without a word'})"
        return cls(
            f"{msg}: {said}" if said else msg,
            provider=self.provider,
            vendor_code=str(code) if code else None,
        )


class Socket:
    """
    An open WebSocket. Iterate over its messages: strings and bytes, as they come.

    It may be written to by several tasks at once, and read by one.
    """

    def __init__(self, connection: Any, way: opening) -> None:
        self._connection = connection
        self._way = way

    async def send(self, message: str | bytes) -> None:
        """
        Send a message. Waits while the vendor is not reading.

        Raises:
            VendorError: The connection is closed.
        """
        try:
            await self._connection.send(message)
        except Exception as error:  # noqa: BLE001  # as above
            raise self._broken(error) from _harmless(error)

    async def send_json(self, found: object) -> None:
        """
        Send *found* as JSON.

        Raises:
            InvalidRequestError: It cannot be written so.
            VendorError: The connection is closed.
        """
        try:
            text = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"{self._way.provider}: the message cannot be written as JSON ({type(error).__name__})."
            raise e.InvalidRequestError(msg, field="body") from None
        await self.send(text)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self

    async def __anext__(self) -> str | bytes:
        found = await self.receive()
        if found is None:
            raise StopAsyncIteration
        return found

    async def receive(self) -> str | bytes | None:
        """
        Return the next message, or None where the connection was closed as agreed.

        Raises:
            VendorError: It was closed otherwise; by its code.
        """
        try:
            found: str | bytes = await self._connection.recv()
        except Exception as error:  # noqa: BLE001  # as above
            if type(error).__name__ == "ConnectionClosedOK":
                return None
            raise self._broken(error) from _harmless(error)
        return found

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that nothing more will be sent, and wait a little for the answer."""
        connection = self._connection
        close = getattr(connection, "aclose", None) or connection.close  # trio's, and asyncio's
        await close(code, reason)

    def _broken(self, error: Exception) -> Exception:
        if type(error).__name__.startswith("ConnectionClosed"):
            frame = getattr(error, "rcvd", None) or getattr(error, "sent", None)
            code, words = (frame.code, frame.reason) if frame else (None, "")
            return self._way.closed(code, words)
        if isinstance(error, OSError | EOFError):
            return self._way.closed(None, "")
        return error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _of_sockets(url: str) -> str | None:
    for scheme, ours in (("https://", "wss://"), ("http://", "ws://")):
        if url.startswith(scheme):
            return ours + url.removeprefix(scheme)
    return url if url.startswith(("ws://", "wss://")) else None


@cache
def _connector(backend: str) -> Any:  # a class of a module that is chosen at run time
    try:
        library = importlib.import_module(f"websockets.{backend}.client")
    except ImportError as error:
        msg = "websockets is not installed. Try: pip install 'anymodal[sockets]'"
        raise e.ConfigurationError(msg) from error

    class Direct(library.connect):  # type: ignore[misc,name-defined]  # the base is known only now
        """One that follows no redirects: neither key nor prompt goes to another host."""

        def process_redirect(self, exc: Exception) -> Exception:
            return exc

    return Direct


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """A logger that leaves out what the library says for debugging: headers, with keys in them."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the standard library's name
        return level > logging.DEBUG and super().isEnabledFor(level)


def _as_it_is(error: Exception) -> Exception:
    """Retry nothing: that is the core's."""
    return error


def _harmless(error: Exception) -> Exception | None:
    """Return *error* as a cause, unless it may quote an address with a key in it."""
    return None if "://" in str(error) else error
