"""Links in answers, followed: each hop checked, and what comes measured and typed."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

import anyio
import anyio.to_thread
import attrs

from .. import errors as e
from ..failures import status_error, transport_errors
from ..files import replacing
from ..formats import HEAD_BYTES, of_kind, sniff
from ..media import Media
from .addresses import Link, is_public, may_be_public
from .bodies import MAX_ERROR_BYTES
from .replies import read, too_large, translated
from .wire import HttpReply, HttpRequest, LinkTransport

if TYPE_CHECKING:
    from .verbs import Http

__all__ = ["MAX_HOPS", "Wanted", "download"]

MAX_HOPS: Final = 5
MAX_ADDRESSES: Final = 4
"""How many addresses of a host are tried."""

PIECE_BYTES: Final = 1024 * 1024
"""How much is gathered before it is written, because each write goes to a thread."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

MediaT = TypeVar("MediaT", bound=Media)


@attrs.frozen
class Wanted:
    """What `Http.download` was asked for; its arguments say what they mean."""

    url: str = attrs.field(repr=False)
    hosts: Collection[str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    limit: int


async def download(
    http: Http, wanted: Wanted, kind: type[MediaT], *, into: Path | None, media_type: str
) -> MediaT:
    """Do what `Http.download` promises."""
    if into is not None and not into.parent.is_dir():
        msg = f"into: there is no folder {into.parent}."
        raise e.InvalidRequestError(msg, field="into")
    reply = await _reached(http, wanted)
    try:
        async with aclosing(_pieces(http.provider, reply, wanted.limit)) as pieces:
            first = await anext(pieces, b"")
            if not first:
                raise _refused(http, "leads to nothing: the file is empty")
            found = media_type or _typed(http, kind, first, reply)
            if into is None:
                rest = [piece async for piece in pieces]
                return kind(b"".join((first, *rest)), media_type=found)
            with replacing(into, private=False) as file:
                await anyio.to_thread.run_sync(file.write, first)
                async for piece in pieces:
                    await anyio.to_thread.run_sync(file.write, piece)
                await anyio.to_thread.run_sync(_settle, file)
            return kind(path=into, media_type=found)
    finally:
        await reply.aclose()


# -- on the way -----------------------------------------------------------------------


async def _reached(http: Http, wanted: Wanted) -> HttpReply:
    """Return the answer at the end of all redirects."""
    transport = http.transport
    if not isinstance(transport, LinkTransport):
        msg = f"{http.provider}: {type(transport).__name__} follows no links."
        raise e.ConfigurationError(msg)
    link = _read(http, wanted.url)
    is_own = True
    for _ in range(MAX_HOPS + 1):
        # who was sent elsewhere once is nobody's own again: neither keys nor private addresses
        is_own = is_own and link.is_among((http.base_url, *wanted.hosts))
        if is_own:
            request = _request(http, link.url, wanted, wanted.headers)
            with transport_errors(http.provider):
                reply = await transport.send(request)
        else:
            reply = await _called(http, transport, link, wanted)
        target = reply.headers.get("location")
        if reply.status not in _REDIRECTS or target is None:
            return await _accepted(http, reply, link, is_own=is_own)
        await reply.aclose()
        following = _read(http, target, base=link.url)
        if link.scheme == "https" and following.scheme == "http":
            raise _refused(http, "is redirected from https to http")
        link = following
    raise _refused(http, f"is redirected more than {MAX_HOPS} times")


def _read(http: Http, url: str, *, base: str = "") -> Link:
    try:
        return Link.read(url, base)
    except ValueError as error:
        raise _refused(http, f"is not followed: {error}") from None


def _request(http: Http, url: str, wanted: Wanted, headers: Mapping[str, str]) -> HttpRequest:
    sent = {"accept-encoding": "identity", **headers}
    return HttpRequest("GET", url, sent, connect_seconds=http.deadlines.connect, limit=wanted.limit)


async def _called(http: Http, transport: LinkTransport, link: Link, wanted: Wanted) -> HttpReply:
    """Send the request for *link* to a public address of it, or through the proxy."""
    if not may_be_public(link.host):
        raise _not_public(http, link)
    proxy = transport.proxy_for(link.origin)
    if proxy:
        request = attrs.evolve(_request(http, link.url, wanted, {}), proxy=proxy)
        with transport_errors(http.provider):
            return await transport.send(request)
    *others, last = await _addresses(http, link)
    for address in others:
        try:
            return await _pinned(http, transport, link, wanted, address)
        except e.VendorError as error:
            if not error.never_sent or error.is_lasting:
                raise
    return await _pinned(http, transport, link, wanted, last)


async def _pinned(
    http: Http, transport: LinkTransport, link: Link, wanted: Wanted, address: str
) -> HttpReply:
    """Send the request for *link* to *address*, whatever its name leads to by now."""
    headers = {"host": link.authority, "connection": "close"}
    request = attrs.evolve(
        _request(http, link.at(address), wanted, headers),
        proxy="",
        server_name=link.host if link.scheme == "https" else None,
    )
    with transport_errors(http.provider):
        return await transport.send(request)


async def _addresses(http: Http, link: Link) -> Sequence[str]:
    """Return where *link* leads, which is public all of it."""
    try:
        with anyio.fail_after(http.deadlines.connect):
            found = await http.resolver(link.host, link.port)
    except TimeoutError:
        found = ()
    except (OSError, UnicodeError):
        found = ()
    if not found:
        msg = f"{http.provider}: {link.host}, where a link in its answer leads, cannot be found"
        error = e.ConnectionFailedError(msg, provider=http.provider)
        error.never_sent = True
        raise error
    if not all(map(is_public, found)):
        raise _not_public(http, link)
    return found[:MAX_ADDRESSES]


async def _accepted(http: Http, reply: HttpReply, link: Link, *, is_own: bool) -> HttpReply:
    if 200 <= reply.status < 300:
        return reply
    content = await read(reply, http.provider, MAX_ERROR_BYTES, cut=True)
    error = status_error(
        http.provider,
        reply.status,
        reply.headers,
        content,
        refine=http.refine if is_own else _stranger,
        scrub=http.scrub,
    )
    error.args = (f"{error.args[0]} (from {link.host}, where a link in its answer leads)",)
    raise error


def _stranger(
    status: int, _headers: Mapping[str, str], _body: object
) -> type[e.VendorError] | None:
    """Return what a status means where no key was sent: a link that is refused has expired."""
    return e.NotFoundError if status in {400, 401, 403, 404, 410} else None


# -- what comes -----------------------------------------------------------------------


async def _pieces(provider: str, reply: HttpReply, limit: int) -> AsyncGenerator[bytes, None]:
    """Iterate over the body in large pieces."""
    announced = reply.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(provider, limit)
    held: list[bytes] = []
    size = 0
    try:
        async with aclosing(translated(reply, provider, limit)) as chunks:
            async for chunk in chunks:
                held.append(chunk)
                size += len(chunk)
                if size >= PIECE_BYTES:
                    yield b"".join(held)
                    held, size = [], 0
    except e.ConnectionFailedError as error:
        msg = f"{provider}: the answer ended early"
        raise e.IncompleteError(msg, provider=provider) from error
    if held:
        yield b"".join(held)


def _typed(http: Http, kind: type[Media], first: bytes, reply: HttpReply) -> str:
    """Return the type of what comes, by its bytes and then by what is said of them."""
    said = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    seen = sniff(first[:HEAD_BYTES]) or ""
    if kind.kind not in {"image", "audio", "video"}:
        is_vague = seen in {"", "text/plain"}
        return (said or seen or "application/octet-stream") if is_vague else seen
    found = of_kind(seen or said, kind.kind)
    if not found.startswith(f"{kind.kind}/"):
        raise _refused(http, f"leads to {found or 'bytes of no known type'}, not to {kind.kind}")
    return found


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _refused(http: Http, what: str) -> e.MalformedReplyError:
    error = e.MalformedReplyError(
        f"{http.provider}: a link in its answer {what}", provider=http.provider
    )
    error.is_lasting = True
    return error


def _not_public(http: Http, link: Link) -> e.MalformedReplyError:
    return _refused(http, f"leads to {link.host}, which is no public address; it is not followed")
