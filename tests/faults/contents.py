"""Answers that are no answers, and answers without an end."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache
from typing import Final

from anymodal import errors as e

from .answers import GIB, KINDS, MALFORMED, as_events, body_of, both, for_ever, packed
from .dialects import Dialect, sse
from .faults import MIB, STREAM, WHOLE, Fault, Operation, Seen
from .faults import refused as once
from .faults import retried as thrice
from .wire import Then, chunk, head, streamed, whole

# -- what is in an answer -------------------------------------------------------------------

PAGE: Final = b"<!doctype html><title>Sign in</title><p>Welcome to the hotel."
DEEP: Final = b"[" * 200_000


def zipped(dialect: Dialect, operation: Operation, cut: int | None = None) -> bytes:
    """Return an answer, packed; of its second half only *cut* bytes, where given."""
    if operation == "generate":
        return gzip.compress(body_of(dialect))[:cut]
    packer = zlib.compressobj(wbits=31)
    halves = b"".join(dialect.frames()[:2]), b"".join(dialect.frames()[2:])
    first = packer.compress(halves[0]) + packer.flush(zlib.Z_SYNC_FLUSH)
    return first + (packer.compress(halves[1]) + packer.flush())[:cut]


CONTENTS: Final = [
    Fault(
        name="a web page, as HTTP 200",
        steps=both(PAGE, kind="text/html; charset=utf-8"),
        seen=MALFORMED,
    ),
    Fault(
        name="a web page, as HTTP 502",
        steps=both(PAGE, 502, kind="text/html"),
        seen=thrice(e.ServerError, "HTTP 502"),
        once=True,
    ),
    Fault(name="a web page that says it is JSON", steps=both(PAGE), seen=MALFORMED, once=True),
    Fault(
        name="an empty body",
        steps=both(b""),
        seen=MALFORMED,
        once=True,
    ),
    Fault(
        name="an empty stream",
        steps=lambda *_: as_events(),
        seen=thrice(e.ConnectionFailedError, "ended before its first event"),
        operations=STREAM,
    ),
    Fault(
        name="HTTP 204",
        steps=lambda *_: [head(204)],
        seen=MALFORMED,
        but={"stream": thrice(e.ConnectionFailedError, "ended before its first event")},
        once=True,
    ),
    Fault(name="null", steps=both(b"null"), seen=MALFORMED, once=True),
    Fault(
        name="null, as an event",
        steps=lambda *_: as_events(sse("null")),
        seen=MALFORMED,
        operations=STREAM,
        once=True,
    ),
    Fault(name="a list", steps=both(b"[]"), seen=MALFORMED, once=True),
    Fault(name="an object without its fields", steps=both(b"{}"), seen=MALFORMED, once=True),
    Fault(
        name="usage of the wrong type",
        steps=lambda d, _: [whole(json.dumps({**d.whole(), "usage": "many"}).encode())],
        seen=Seen(),
        but={"anthropic": MALFORMED},
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="text of the wrong type",
        steps=lambda dialect, operation: (
            [whole(json.dumps(dialect.whole(5)).encode())]
            if operation == "generate"
            else as_events(dialect.opening, dialect.piece(5))
        ),
        seen=MALFORMED,
    ),
    Fault(
        name="text of the wrong type, after a piece",
        steps=lambda dialect, _: as_events(dialect.opening, dialect.piece("Hel"), dialect.piece(5)),
        seen=once(e.MalformedReplyError, partial="Hel"),
        operations=STREAM,
        once=True,
    ),
    Fault(name="nested 200 000 deep", steps=both(DEEP), seen=MALFORMED, once=True),
    Fault(
        name="nested 200 000 deep, as an event",
        steps=lambda *_: as_events(b"data: " + DEEP + b"\n\n"),
        seen=MALFORMED,
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="nested 200 000 deep, as HTTP 400",
        steps=both(DEEP, 400),
        seen=once(e.BadRequestError, "HTTP 400"),
        once=True,
    ),
    Fault(
        name="a number of 100 000 digits",
        steps=both(b'{"usage": ' + b"9" * 100_000 + b"}"),
        seen=MALFORMED,
        once=True,
    ),
    Fault(
        name="bytes that are no text",
        steps=both(b'{"a": "\xff\xfe\xff"}'),
        seen=MALFORMED,
        once=True,
    ),
    Fault(
        name="half a JSON value",
        steps=lambda d, _: [whole(body_of(d)[:-9])],
        seen=MALFORMED,
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="gzip, whole",
        steps=lambda d, o: packed(zipped(d, o), kind=KINDS[o]),
        seen=Seen(),
        once=True,
    ),
    Fault(
        name="gzip, cut",
        steps=lambda d, o: packed(zipped(d, o, cut=2), kind=KINDS[o]),
        seen=once(e.IncompleteError, "ended early"),
        but={"stream": once(e.IncompleteError, partial="Hel")},
    ),
    Fault(
        name="gzip, damaged",
        steps=lambda d, o: packed(b"\x1f\x8b" + bytes(60), kind=KINDS[o]),
        seen=once(e.MalformedReplyError, "compression is damaged"),
    ),
    Fault(
        name="a compression that was not asked for",
        steps=lambda d, o: packed(b"whatever", kind=KINDS[o], encoding="br"),
        seen=once(e.MalformedReplyError, "unknown content-encoding 'br'"),
        once=True,
    ),
    Fault(
        name="an error, as HTTP 200",
        steps=lambda dialect, _: [whole(json.dumps(dialect.error()).encode())],
        seen=thrice(e.ServerError, "It broke."),
    ),
    Fault(
        name="an overload, as HTTP 200",
        steps=lambda d, _: [whole(json.dumps(d.error("server_is_overloaded")).encode())],
        seen=thrice(e.OverloadedError, "It broke."),
        once=True,
    ),
    Fault(
        name="an error for the first event",
        steps=lambda dialect, _: as_events(dialect.error_event()),
        seen=thrice(e.ServerError, "It broke."),
        operations=STREAM,
    ),
    Fault(
        name="an error in the middle of a stream",
        steps=lambda d, _: as_events(d.opening, d.piece("Hel"), d.error_event(), d.piece("lo")),
        seen=once(e.ServerError, "It broke.", partial="Hel"),
        operations=STREAM,
    ),
]


# -- sizes ------------------------------------------------------------------------------------


@cache
def bomb() -> bytes:
    """Return a gigabyte of spaces, packed."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(64):
        check = zlib.crc32(b" " * 16 * MIB, check)
    sizes = check.to_bytes(4, "little") + GIB.to_bytes(4, "little")
    return b"\x1f\x8b\x08" + bytes(7) + block * 1024 + b"\x03\x00" + sizes


SPACES: Final = chunk(b" " * 256 * 1024)

SIZES: Final = [
    Fault(
        name="a gigabyte, packed into one megabyte",
        steps=lambda _, o: packed(bomb(), kind=KINDS[o]),
        seen=once(e.TooLargeError, "over 33554432 bytes"),
        but={"stream": once(e.MalformedReplyError, "over 33554432 bytes")},
        peak=80 * MIB,
        once=True,
    ),
    Fault(
        name="a gigabyte, packed into one megabyte, as HTTP 500",
        steps=lambda *_: [whole(bomb(), 500, ("content-encoding", "gzip"))],
        seen=thrice(e.ServerError, "HTTP 500"),
        peak=20 * MIB,
        once=True,
    ),
    Fault(
        name="an endless body",
        steps=lambda *_: for_ever(streamed(kind="application/json"), SPACES),
        seen=once(e.TooLargeError, "over 33554432 bytes"),
        peak=80 * MIB,
        once=True,
    ),
    Fault(
        name="an endless body, as HTTP 500",
        steps=lambda *_: for_ever(head(500, ("transfer-encoding", "chunked")), SPACES),
        seen=thrice(e.ServerError, "HTTP 500"),
        peak=20 * MIB,
        once=True,
    ),
    Fault(
        name="a body that is announced as a terabyte",
        steps=lambda *_: [head(200, ("content-length", str(10**12))), Then.HOLD],
        seen=once(e.TooLargeError, "over 33554432 bytes"),
        peak=20 * MIB,
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a line without an end",
        steps=lambda *_: for_ever(streamed() + chunk(b"data: "), SPACES),
        seen=once(e.MalformedReplyError, "a line of the answer is over 33554432 bytes"),
        operations=STREAM,
        peak=120 * MIB,
        once=True,
    ),
    Fault(
        name="an event without an end",
        steps=lambda *_: for_ever(streamed(), chunk(b"data: " + b" " * 256 * 1024 + b"\n")),
        seen=once(e.MalformedReplyError, "an event of the answer is over 33554432 bytes"),
        operations=STREAM,
        peak=120 * MIB,
        once=True,
    ),
    Fault(
        name="text without an end",
        steps=lambda d, _: for_ever(streamed() + chunk(d.opening), chunk(d.piece("x" * MIB))),
        seen=once(e.TooLargeError, "over 134217728 bytes"),
        operations=STREAM,
        peak=450 * MIB,
        once=True,
    ),
    Fault(
        name="headers without an end",
        steps=lambda *_: for_ever(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"y" * 1000 + b"\r\n"),
        seen=thrice(e.ConnectionFailedError),
        peak=20 * MIB,
        once=True,
    ),
]
