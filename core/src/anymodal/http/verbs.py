"""What plugins call: a request in, and JSON, bytes, lines or events out."""

from __future__ import annotations

import builtins
import re
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import attrs

from .. import errors as e
from ..failures import status_error, transport_errors
from ..media import Media
from ..specs import Deadlines, ErrorRefinement
from ..streams import Batches, LineSplitter, SseSplitter
from .addresses import Resolver, resolved
from .bodies import MAX_BODY_BYTES, MAX_ERROR_BYTES
from .forms import Form, FormPart
from .replies import opened, parse_json, read, written_json
from .wire import HttpReply, HttpRequest, Transport

__all__ = ["Http", "check_request"]

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, section 5.6.2, token (read 2026-11-20)."""

EventT = TypeVar("EventT")
MediaT = TypeVar("MediaT", bound=Media)


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
        resolver: Finds addresses of hosts that links lead to.
    """

    provider: str
    base_url: str
    transport: Transport = attrs.field(repr=False)
    refine: ErrorRefinement | None = attrs.field(default=None, repr=False)
    scrub: Callable[[str], str] = attrs.field(default=str, repr=False)
    deadlines: Deadlines = Deadlines()
    resolver: Resolver = attrs.field(default=resolved, repr=False)

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
            body: Sent as JSON; a `Form` as one; bytes as they are, with their
                `content-type` among the headers; None for no body.
            headers: Lower-case names. They may hold keys.
            connect_seconds: How long connecting may take; `deadlines.connect`.

        Raises:
            InvalidRequestError: A header, the path or the body cannot be written.
            VendorError: By the status, or because there was no answer.
        """
        sent = dict(headers) if headers else {}
        check_request(self.provider, sent, path)
        content = body if isinstance(body, builtins.bytes) else b""
        if isinstance(body, Form):
            content = body.encoded()
            sent["content-type"] = body.content_type
        elif body is not None and body is not content:
            content = written_json(body, self.provider)
            sent["content-type"] = "application/json"
        request = HttpRequest(
            method, self.base_url + path, sent, content, connect_seconds or self.deadlines.connect
        )
        try:
            reply = await self.transport.send(request)
        except Exception:
            with transport_errors(self.provider):
                raise
        if 200 <= reply.status < 300:
            return reply
        content = await read(reply, self.provider, MAX_ERROR_BYTES, cut=True)
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
        return await read(reply, self.provider, limit)

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

    async def multipart(
        self,
        method: str,
        path: str,
        parts: Iterable[FormPart],
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_BODY_BYTES,
    ) -> object:
        """
        Send fields and files as a form; return the answer, read as JSON.

        The other methods take a `Form` as their body.

        Raises:
            InvalidRequestError: The form is too large, or cannot be written.
            MalformedReplyError: The answer is not JSON.
        """
        return await self.json(method, path, body=Form(parts), headers=headers, limit=limit)

    async def download(
        self,
        url: str,
        kind: type[MediaT],
        *,
        into: Path | None = None,
        limit: int = MAX_BODY_BYTES,
        hosts: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        media_type: str = "",
    ) -> MediaT:
        """
        Fetch what a link in an answer leads to.

        The provider's own places are called like every other path of it. Elsewhere
        only public addresses are: each hop is looked up, all its addresses are
        checked, and one of those is connected to. Where settings or environment
        name a proxy, that one looks names up, and what it lets through is its
        rule; addresses in links are checked all the same.

        Args:
            url: Of http or https.
            kind: What is expected: `Image`, `Audio`, `Video`, or `File` for anything.
            into: Where it is put, complete or not at all; None to keep it in memory.
            limit: Most bytes that it may have.
            hosts: What is the provider's own beside `base_url`: hosts by https, `*.acme.example`
                for those below one, or origins such as `http://127.0.0.1:9000`.
            headers: Sent to the provider's own places only. They may hold keys.
            media_type: What it is, where that is known from what was asked for; else
                it is read from the bytes, or from the answer's `content-type`.

        Raises:
            InvalidRequestError: The folder of *into* is not there.
            MalformedReplyError: The link, or one that it redirects to, is not followed;
                or what it leads to is not of *kind*.
            NotFoundError: There is nothing, or no longer.
            TooLargeError: It is over *limit*.
            IncompleteError: It ended early.
            VendorError: By the status, or because there was no answer.
            OSError: *into* cannot be written.
        """
        from .downloads import Wanted, download  # noqa: PLC0415  # most calls follow no link

        check_request(self.provider, headers or {})
        wanted = Wanted(url, hosts=hosts, headers=headers or {}, limit=limit)
        return await download(self, wanted, kind, into=into, media_type=media_type)

    def sse(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Batches[tuple[builtins.bytes, builtins.bytes]]]:
        """Iterate over server-sent events, as pairs of name and data."""
        return self._stream(SseSplitter().feed, None, method, path, body=body, headers=headers)

    def lines(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[Batches[builtins.bytes]]:
        """Iterate over the lines of the body, without their ends."""
        splitter = LineSplitter()
        return self._stream(splitter.feed, splitter.end, method, path, body=body, headers=headers)

    @asynccontextmanager
    async def _stream(
        self,
        feed: Callable[[builtins.bytes, list[EventT]], None],
        end: Callable[[list[EventT]], None] | None,
        method: str,
        path: str,
        *,
        body: object,
        headers: Mapping[str, str] | None,
    ) -> AsyncGenerator[Batches[EventT], None]:
        reply = await self.send(method, path, body=body, headers=headers)
        async with opened(reply, self.provider, feed, end) as batches:
            yield batches


def check_request(provider: str, headers: Mapping[str, str], path: str = "") -> None:
    """
    Check that HTTP has a form for *headers* and *path*.

    Raises:
        InvalidRequestError: It has not; values are not repeated.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            msg = f"{provider}: {name!r} cannot be a header's name."
            raise e.InvalidRequestError(msg, field="headers")
        if not (value.isascii() and value.isprintable()):
            msg = f"{provider}: the header {name} has a character that no header may have."
            raise e.InvalidRequestError(msg, field="headers")
    if not path.isprintable() or " " in path:
        msg = f"{provider}: the path has a character that no URL may have; quote it."
        raise e.InvalidRequestError(msg, field="path")
