"""What an HTTP status, a body or a broken connection means, as errors of our own tree."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from . import errors as e
from .specs import ErrorRefinement

__all__ = ["STATUS_ERRORS", "request_id", "status_error", "transport_errors"]

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


def status_error(  # one line of a table
    provider: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    refine: ErrorRefinement | None = None,
    scrub: Callable[[str], str] = str,
) -> e.VendorError:
    """
    Return the error that an answer with a status of 300 or more means.

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
    except ValueError:
        body = content.decode("utf-8", "replace")
    cls = refine(status, headers, body) if refine else None
    if cls is None:
        fallback = e.ServerError if status >= 500 else e.BadRequestError
        cls = STATUS_ERRORS.get(status, fallback)
    words, code = _vendors_words(body)
    if 300 <= status < 400:
        cls = e.MalformedReplyError
        words = "it redirects, which is not followed; check base_url"
    return cls(
        f"{provider}: HTTP {status}" + (f": {scrub(words)}" if words else ""),
        provider=provider,
        status=status,
        vendor_code=code,
        request_id=request_id(headers),
        retry_after=_retry_after(headers),
    )


def _vendors_words(body: object) -> tuple[str, str | None]:
    """Return message and code, wherever the usual bodies have them."""
    if isinstance(body, Mapping):
        inner = body.get("error")
        found = inner if isinstance(inner, Mapping) else body
        words = found.get("message") or found.get("detail") or (inner or "")
        code = found.get("code") or found.get("type")
        if isinstance(code, str | int):
            return _sentence(words), str(code)
        return _sentence(words), None
    if isinstance(body, str) and not body.lstrip().startswith("<"):
        return _sentence(body), None
    return "", None


def _sentence(words: object) -> str:
    text = words if isinstance(words, str) else json.dumps(words)
    line = " ".join(text.split())
    return line if len(line) <= 500 else line[:499] + "…"


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of the request, under the names in use."""
    return headers.get("x-request-id") or headers.get("request-id")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait that is asked for, in seconds, given as seconds or as a date."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            seconds = float(value) / scale
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        then = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max((then - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)


_FAMILIES: Final[tuple[tuple[str, str, type[e.VendorError]], ...]] = (
    ("httpx2", "TimeoutException", e.TimedOutError),
    ("httpx2", "TransportError", e.ConnectionFailedError),
    ("httpx", "TimeoutException", e.TimedOutError),
    ("httpx", "TransportError", e.ConnectionFailedError),
    ("aiohttp", "ServerTimeoutError", e.TimedOutError),
    ("aiohttp", "ClientError", e.ConnectionFailedError),
)
"""Library, base class, meaning: the first that fits wins."""


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
        if not error.provider:
            error.provider = provider
            error.args = (f"{provider}: {error.args[0]}",)
        raise
    except (OSError, EOFError) as error:
        raise _failed(provider, e.ConnectionFailedError, error) from error
    except Exception as error:
        for library, name, cls in _FAMILIES:
            base = getattr(sys.modules.get(library), name, None)
            if base is not None and isinstance(error, base):
                raise _failed(provider, cls, error) from error
        raise


def _failed(provider: str, cls: type[e.VendorError], error: Exception) -> e.VendorError:
    what = "no answer in time" if cls is e.TimedOutError else "the connection failed"
    return cls(f"{provider}: {what} ({type(error).__name__})", provider=provider)
