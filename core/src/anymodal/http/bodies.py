"""Bodies as they arrive: unpacked a bounded piece at a time, and measured."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from typing import Final

from .. import errors as e

__all__ = [
    "ACCEPTED",
    "MAX_ANSWER_BYTES",
    "MAX_BODY_BYTES",
    "MAX_ERROR_BYTES",
    "MAX_STREAM_BYTES",
    "unpacked",
]

MAX_BODY_BYTES: Final = 256 * 1024 * 1024
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""Longest answer that is held in memory as a whole, where the caller says no other limit."""
MAX_STREAM_BYTES: Final = 128 * 1024 * 1024
"""Longest stream of events, whose pieces a caller may collect; 400 000 tokens at a frame each."""
MAX_ERROR_BYTES: Final = 64 * 1024
ACCEPTED: Final = "gzip, deflate"
"""What is said to be understood, as `accept-encoding`."""

_PIECE: Final = 256 * 1024
"""Most that is unpacked before it is measured. A gigabyte of zeros packs into one."""

_GZIP: Final = zlib.MAX_WBITS | 16
_RAW: Final = -zlib.MAX_WBITS


async def unpacked(
    chunks: AsyncIterable[bytes],
    encoding: str,
    close: Callable[[], Awaitable[None]],
    *,
    limit: int = MAX_BODY_BYTES,
    cut: bool = False,
) -> AsyncGenerator[bytes, None]:
    """
    Iterate over a body without its compression.

    Args:
        chunks: The body as it arrives.
        encoding: Its content-encoding.
        close: Called at the end, however it comes about.
        limit: Longest body in bytes, unpacked.
        cut: Whether what is too long or damaged is cut off; else it is an error.

    Raises:
        TooLargeError: The body is longer than *limit*.
        MalformedReplyError: Its compression is unknown or damaged.
        IncompleteError: Its compression ended early.
    """
    left = limit
    try:
        unpacker = _unpacker(encoding)
        async for chunk in chunks:
            for piece in (chunk,) if unpacker is None else unpacker.feed(chunk):
                if len(piece) > left:
                    if cut:
                        yield piece[:left]
                        return
                    msg = f"the answer is over {limit} bytes"
                    raise e.TooLargeError(msg)
                left -= len(piece)
                if piece:
                    yield piece
        if unpacker is not None:
            unpacker.end()
    except e.VendorError:
        if not cut:
            raise
    finally:
        await close()


def _unpacker(encoding: str) -> _Unpacker | None:
    """Return what unpacks *encoding*; None where it is plain."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return None
    if name in {"gzip", "x-gzip"}:
        return _Unpacker(zlib.decompressobj(_GZIP), members=True)
    if name == "deflate":
        return _Unpacker()
    msg = f"the answer has the unknown content-encoding {encoding[:40]!r}"
    raise e.MalformedReplyError(msg)


class _Unpacker:
    """
    Unpacks gzip of one or more members, or deflate.

    RFC 9110, section 8.4.1.2 (read 2026-11-20): deflate means the zlib format,
    and some servers send raw deflate under that name. The first two bytes tell.
    """

    def __init__(self, inflater: zlib._Decompress | None = None, *, members: bool = False) -> None:
        self._inflater = inflater
        self._members = members
        self._head = b""
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Iterate over what *chunk* unpacks to, in pieces of bounded size."""
        self._begun = True
        if self._inflater is None:
            chunk = self._head + chunk
            if len(chunk) < 2:
                self._head = chunk
                return
            is_zlib = chunk[0] & 0x0F == 8 and int.from_bytes(chunk[:2], "big") % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else _RAW)
        inflater = self._inflater
        piece = b""
        # a full piece may have left some inside, with all of the chunk taken
        while chunk or (len(piece) == _PIECE and not inflater.eof):
            if inflater.eof:
                if not self._members:
                    msg = "the answer goes on after its compressed part"
                    raise e.MalformedReplyError(msg)
                self._inflater = inflater = zlib.decompressobj(_GZIP)
            try:
                piece = inflater.decompress(chunk, _PIECE)
            except zlib.error as error:
                msg = "the answer's compression is damaged"
                raise e.MalformedReplyError(msg) from error
            chunk = inflater.unconsumed_tail or inflater.unused_data
            yield piece

    def end(self) -> None:
        """
        Note that no more bytes come.

        Raises:
            IncompleteError: More were due.
        """
        if self._begun and (self._inflater is None or not self._inflater.eof):
            msg = "the compressed answer ended early"
            raise e.IncompleteError(msg)
