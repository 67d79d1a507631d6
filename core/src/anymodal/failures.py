"""What an HTTP status, a body or a broken connection means, as errors of our own tree."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from . import errors as e
from .specs import ErrorRefinement

__all__ = ["STATUS_ERRORS", "name_provider", "request_id", "status_error", "transport_errors"]

STATUS_ERRORS: Final[Mapping[int, type[e.VendorError]]] = {
    400: e.BadRequestError,
    401: e.AuthenticationError,
    402: e.QuotaExceededError,
    403: e.PermissionDeniedError,
    404: e.NotFoundError,
    408: e.TimedOutError,
    410: e.NotFoundError,
    413: e.TooLargeError,
    429: e.RateLimitedError,
    503: e.OverloadedError,
    504: e.TimedOutError,
    529: e.OverloadedError,
}
"""What a status means everywhere; other 4xx are bad requests, other 5xx the server's."""


_NEVER_SENT: Final = frozenset(
    {
        "ClientConnectorError",
        "ConnectError",
        "ConnectTimeout",
        "ConnectionRefusedError",
        "ConnectionTimeoutError",
        "PoolTimeout",
        "gaierror",
    }
)
"""Exceptions of HTTP libraries and of Python that come before a request is written."""

MAX_WAIT_SECONDS: Final = 7 * 86_400.0
"""Longest wait that an error carries; one that is asked for beyond it is cut to that."""


def status_error(
    provider: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    refine: ErrorRefinement | None = None,
    scrub: Callable[[str], str] = str,
) -> e.VendorError:
    """
    Return the error that an answer with a status other than 2xx means.

    Args:
        provider: Id of the provider, for the message.
        status: HTTP status.
        headers: Headers with lower-case names.
        content: The body, or its beginning.
        refine: The plugin's own table; its word goes before `STATUS_ERRORS`.
        scrub: Takes secrets out of the vendor's words.
    """
    try:
        body: object = json.loads(content)
    except (ValueError, RecursionError):
        body = content.decode("utf-8", "replace")
    words, code = _vendors_words(body)
    cls = refine(status, headers, body) if refine else None
    if 300 <= status < 400:
        cls = e.MalformedReplyError
        words = "it redirects, which is not followed; check base_url"
    elif not 400 <= status < 600:
        cls = e.MalformedReplyError
        words = "that is no status of a final answer"
    elif cls is None:
        cls = STATUS_ERRORS.get(status, e.ServerError if status >= 500 else e.BadRequestError)
    sentence = _sentence(scrub(words))
    named = request_id(headers)
    return cls(
        f"{provider}: HTTP {status}" + (f": {sentence}" if sentence else ""),
        provider=provider,
        status=status,
        vendor_code=_sentence(scrub(code)) or None,
        request_id=_sentence(scrub(named)) if named else None,
        retry_after=_retry_after(headers),
    )


_INNER: Final = ("error", "detail", "err")
_WORDS: Final = (
    "message", "detail", "msg", "err_msg", "error_description", "errors", "title", "error"
)  # fmt: skip
_CODES: Final = ("code", "type", "status", "err_code", "error_code", "error_type", "name", "error")
"""Where error bodies keep things, likeliest first."""


def _vendors_words(body: object) -> tuple[str, str]:
    """Return message and code, wherever the usual bodies have them."""
    if isinstance(body, str):
        return ("" if body.lstrip("\ufeff \t\r\n").startswith("<") else body), ""
    found = body
    for key in ("", *_INNER):
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping):
        return _plain(found), ""
    words = next((text for key in _WORDS if (text := _plain(found.get(key)))), "")
    codes = [found[key] for key in _CODES if type(found.get(key)) in {str, int}]
    codes.sort(key=lambda code: type(code) is int)  # a name says more than a number
    return words, next((str(code) for code in codes if code and code != words), "")


def _plain(words: object, depth: int = 0) -> str:
    """Return what JSON says, as one line for people."""
    if words is None or depth > 4:
        return ""
    if isinstance(words, list):
        return "; ".join(filter(None, (_plain(item, depth + 1) for item in words[:5])))
    if isinstance(words, Mapping):
        said = next((text for key in _WORDS if (text := _plain(words.get(key), depth + 1))), "")
        where = words.get("loc")
        if said and isinstance(where, Sequence) and not isinstance(where, str):
            return f"{'.'.join(str(step) for step in where[:9])}: {said}"
        return said
    return str(words)


def _sentence(text: str) -> str:
    """Return *text* on one line, fit for a terminal, and not too long for one."""
    line = " ".join(text.split())
    line = line if len(line) <= 500 else line[:499] + "…"
    return "".join(char if char.isprintable() else "?" for char in line)


_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-ds-trace-id")


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of the request, under the names in use."""
    return next(filter(None, map(headers.get, _REQUEST_IDS)), None)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait that is asked for, in seconds, given as seconds or as a date."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except ValueError:
            continue
        if seconds >= 0:
            return min(seconds, MAX_WAIT_SECONDS)
    then = _moment(headers.get("retry-after", ""))
    if then is None:
        return None
    # by the vendor's own clock where it is told, because ours may be wrong
    now = _moment(headers.get("date", "")) or dt.datetime.now(dt.UTC)
    return min(max((then - now).total_seconds(), 0.0), MAX_WAIT_SECONDS)


def _moment(date: str) -> dt.datetime | None:
    try:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  # 3 ms, and few vendors send dates

        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


MAX_CAUSES: Final = 10
"""How far what an error came from is followed."""

_HTTPX: Final[tuple[tuple[str, type[e.AnymodalError]], ...]] = (
    ("TimeoutException", e.TimedOutError),
    ("UnsupportedProtocol", e.ConfigurationError),
    ("InvalidURL", e.ConfigurationError),
    ("LocalProtocolError", e.InvalidRequestError),
    ("DecodingError", e.MalformedReplyError),
    ("TooManyRedirects", e.MalformedReplyError),
    ("TransportError", e.ConnectionFailedError),
)
_FAMILIES: Final[Mapping[str, tuple[tuple[str, type[e.AnymodalError]], ...]]] = {
    "httpx2": _HTTPX,
    "httpx": _HTTPX,
    "aiohttp": (
        ("ServerTimeoutError", e.TimedOutError),
        ("InvalidURL", e.ConfigurationError),
        ("NonHttpUrlClientError", e.ConfigurationError),
        ("TooManyRedirects", e.MalformedReplyError),
        ("ContentTypeError", e.MalformedReplyError),
        ("ClientError", e.ConnectionFailedError),
    ),
}
"""Library, base class, meaning: the first that fits wins."""

_MEANINGS: Final[Mapping[type[e.AnymodalError], str]] = {
    e.TimedOutError: "no answer in time",
    e.ConnectionFailedError: "the connection failed",
    e.MalformedReplyError: "the answer cannot be read",
    e.ConfigurationError: "base_url is no address that can be called; it begins with https://",
    e.InvalidRequestError: "HTTP has no form for this request",
}


@contextmanager
def transport_errors(provider: str) -> Iterator[None]:
    """
    Translate what HTTP libraries raise, and name *provider* in what this module raises.

    The libraries are looked up among the imported modules, because an SDK may
    bring any of them. Their words may hold URLs with keys, so only the name of
    the exception's type is kept.
    """
    try:
        yield
    except e.VendorError as error:
        name_provider(error, provider)
        raise
    except Exception as error:
        if (ours := _alone(error)) is not None:
            if isinstance(ours, e.VendorError):
                name_provider(ours, provider)
            raise ours from None
        cls = _meaning(error)
        if cls is None:
            raise
        distrust = _distrust(error)
        what = distrust or _cause(error) or _MEANINGS[cls]
        found = cls(f"{provider}: {what} ({type(error).__name__})")
        if isinstance(found, e.VendorError):
            found.provider = provider
            found.never_sent = any(base.__name__ in _NEVER_SENT for base in type(error).__mro__)
            found.is_lasting = bool(distrust)
        # a traceback prints the cause, and with it the URL that some of them quote
        raise found from (None if "://" in str(error) else error)


def _alone(error: Exception) -> e.AnymodalError | None:
    """Return an error of ours that a library's task groups have wrapped."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error if isinstance(error, e.AnymodalError) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over *error* and what it came from."""
    for _ in range(MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _distrust(error: BaseException) -> str:
    """Return what is wrong with the server's certificate, if that is what *error* came from."""
    for one in _chain(error):
        said = getattr(one, "verify_message", "")  # an exception of aiohttp's has none
        if said and type(one).__name__ == "SSLCertVerificationError":
            return (
                f"the certificate of its server is not trusted: {said.rstrip('.')}; "
                "[http] ca_file names authorities to trust as well"
            )
    return ""


_CAUSES: Final = {
    "ConnectionRefusedError": "its server refuses connections; check base_url",
    "SSLError": "TLS failed on the way to its server; check base_url",
    "gaierror": "the address of its server cannot be found; check base_url and the network",
}


def _cause(error: BaseException) -> str:
    """Return what is known of why *error* came about."""
    return next((_CAUSES[n] for one in _chain(error) if (n := type(one).__name__) in _CAUSES), "")


def name_provider(error: e.VendorError, provider: str) -> None:
    """Put *provider* into an error that was raised where it was not known."""
    if not error.provider:
        error.provider = provider
        error.args = (f"{provider}: {error.args[0]}",)


def _meaning(error: Exception) -> type[e.AnymodalError] | None:
    for library, table in _FAMILIES.items():
        module = sys.modules.get(library)
        for name, cls in table if module else ():
            base = getattr(module, name, None)
            if base is not None and isinstance(error, base):
                return cls
    if isinstance(error, TimeoutError):
        return e.TimedOutError
    return e.ConnectionFailedError if isinstance(error, OSError | EOFError) else None
