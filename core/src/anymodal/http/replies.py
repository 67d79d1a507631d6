"""Answers, read: as a whole, as JSON, or as what they are made of."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeVar

from .. import errors as e
from ..failures import name_provider, transport_errors
from ..streams import Batches
from .bodies import MAX_ANSWER_BYTES, MAX_STREAM_BYTES
from .wire import HttpReply

__all__ = ["opened", "parse_json", "read", "too_large", "translated", "written_json"]

EventT = TypeVar("EventT")


@asynccontextmanager
async def opened(
    reply: HttpReply,
    provider: str,
    feed: Callable[[bytes, list[EventT]], None],
    end: Callable[[list[EventT]], None] | None = None,
    *,
    limit: int = MAX_STREAM_BYTES,
) -> AsyncGenerator[Batches[EventT], None]:
    """
    Iterate over what *feed* makes of the body of *reply*, and close it in the end.

    What the caller's block raises is the caller's and passes untranslated.

    Args:
        reply: An answer whose body was not read.
        provider: For errors.
        feed: Adds the events that a chunk completes to a list.
        end: Adds what is left when the body has ended.
        limit: Longest body in bytes, unpacked.

    Raises:
        MalformedReplyError: It is a web page.
    """

    def named(chunk: bytes, found: list[EventT]) -> None:
        try:
            feed(chunk, found)
        except e.VendorError as error:
            name_provider(error, provider)
            raise

    try:
        if reply.headers.get("content-type", "").lower().startswith("text/html"):
            msg = f"{provider}: the answer is a web page; check base_url"
            raise e.MalformedReplyError(msg, provider=provider)
        async with aclosing(translated(reply, provider, limit)) as chunks:
            yield Batches(chunks, named, end)
    finally:
        await reply.aclose()  # a generator that was never begun closes nothing


async def translated(reply: HttpReply, provider: str, limit: int) -> AsyncGenerator[bytes, None]:
    """Iterate over the body of *reply*, measured and with errors of our own tree."""
    chunks = reply.chunks()
    left = limit
    try:
        async for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise too_large(provider, limit)  # noqa: TRY301  # closed like what the library raises
            yield chunk
    except Exception:
        with transport_errors(provider):
            raise
    finally:
        await chunks.aclose()


async def read(
    reply: HttpReply, provider: str, limit: int = MAX_ANSWER_BYTES, *, cut: bool = False
) -> bytes:
    """
    Return the body of *reply*, and close it.

    Args:
        reply: An answer whose body was not read.
        provider: For errors.
        limit: Longest body in bytes, unpacked.
        cut: Whether one that is too long or broken is cut off; else it is an error.

    Raises:
        TooLargeError: The body is longer than *limit*.
        IncompleteError: It ended early.
    """
    found: list[bytes] = []
    size = 0
    announced = reply.headers.get("content-length", "")
    try:
        if not cut and announced.isdecimal() and int(announced) > limit:
            raise too_large(provider, limit)
        chunks = reply.chunks()
        try:
            async for chunk in chunks:
                found.append(chunk)
                size += len(chunk)
                if size > limit:
                    if cut:
                        break
                    raise too_large(provider, limit)  # noqa: TRY301  # closed and named like what the library raises
        except Exception:
            with transport_errors(provider):
                raise
        finally:
            await chunks.aclose()
    except e.VendorError as error:
        if not cut:
            if isinstance(error, e.ConnectionFailedError):
                msg = f"{provider}: the answer ended early"
                raise e.IncompleteError(msg, provider=provider) from error
            raise
    finally:
        await reply.aclose()
    return b"".join(found)[:limit]


def too_large(provider: str, limit: int) -> e.TooLargeError:
    """Return the error that a body over *limit* is."""
    return e.TooLargeError(f"{provider}: the answer is over {limit} bytes", provider=provider)


_written: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":")
).encode


def written_json(body: object, provider: str) -> bytes:
    """
    Return *body* as JSON.

    Raises:
        InvalidRequestError: It cannot be written.
    """
    try:
        return _written(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        # what these errors say may quote the prompt
        msg = f"{provider}: the request cannot be written as JSON ({type(error).__name__})."
        raise e.InvalidRequestError(msg, field="body") from None


def parse_json(content: bytes, provider: str) -> object:
    """
    Return what *content* says.

    Raises:
        MalformedReplyError: It is not JSON, or nested past all reason.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        found = "a web page; check base_url" if content.lstrip()[:1] == b"<" else "not JSON"
        msg = f"{provider}: the answer is {found if content else 'empty'}"
        raise e.MalformedReplyError(msg, provider=provider) from error
