"""Calls of tools in pieces, HTTP that is none, and servers that cannot be reached."""

from __future__ import annotations

from typing import Final

from anymodal import Deadlines
from anymodal import errors as e

from .answers import MALFORMED, as_events, body_of, good
from .dialects import CALLS, Dialect
from .faults import STREAM, WHOLE, Fault, Operation, Seen
from .faults import refused as once
from .faults import retried as thrice
from .wire import LAST, Pause, Step, Then, chunk, head, streamed, whole

# -- tool calls -------------------------------------------------------------------------------


def called(*pieces: bytes, dialect: Dialect) -> list[Step]:
    frames = [dialect.opening, *pieces, dialect.finish(called=True), dialect.marker]
    return as_events(*frames)


def two_calls(d: Dialect) -> list[bytes]:
    return [
        *(d.call(0), d.arguments(0, '{"x"'), d.arguments(0, ":1}"), d.called(0)),
        *(d.call(1), d.arguments(1, '{"x":2}'), d.called(1)),
    ]


TWO: Final = Seen(text="", calls=CALLS)

TOOLS: Final = [
    Fault(
        name="calls of tools, as they should be",
        steps=lambda d, _: called(*two_calls(d), dialect=d),
        seen=TWO,
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="calls of tools, interleaved",
        steps=lambda d, _: called(
            d.call(0),
            d.call(1),
            d.arguments(0, '{"x"'),
            d.arguments(1, '{"x":'),
            d.arguments(0, ":1}"),
            d.arguments(1, "2}"),
            d.called(1),
            d.called(0),
            dialect=d,
        ),
        seen=TWO,
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="a call's beginning, twice",
        steps=lambda d, _: called(d.call(0), *two_calls(d), dialect=d),
        seen=TWO,
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="a piece of a call's arguments, twice",
        steps=lambda d, _: called(
            d.call(0), *[d.arguments(0, CALLS[0][2])] * 2, d.called(0), dialect=d
        ),
        seen=Seen(text="", calls=(("call_a", "rate", '{"x":1}{"x":1}'),)),
        but={"openai": once(e.MalformedReplyError, partial="")},
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="calls of tools without their index",
        steps=lambda d, _: called(
            d.call(0, indexed=False),
            d.arguments(0, '{"x":1}', indexed=False),
            d.call(1, indexed=False),
            d.arguments(1, '{"x":2}', indexed=False),
            dialect=d,
        ),
        seen=MALFORMED,
        but={"openai-compatible": TWO},
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="arguments of a call that never began",
        steps=lambda d, _: called(d.arguments(0, '{"x":1}'), dialect=d),
        seen=MALFORMED,
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="a call of a tool, cut by the end of the stream",
        steps=lambda d, _: as_events(d.opening, d.call(0), d.arguments(0, '{"x"')),
        seen=once(e.IncompleteError, "without its end marker", partial=""),
        operations=STREAM,
        once=True,
    ),
    Fault(
        name="a call of a tool, cut, in a stream that says that it is whole",
        steps=lambda d, _: called(d.call(0), d.arguments(0, '{"x"'), d.called(0), dialect=d),
        seen=Seen(text="", calls=(("call_a", "rate", '{"x"'),)),
        but={"openai": once(e.MalformedReplyError, partial="")},
        operations=STREAM,
        once=True,
    ),
]


# -- HTTP that is none ---------------------------------------------------------------------------


def lengths(*headers: tuple[str, str], body: bytes = b"", more: bytes = b""):
    def steps(dialect: Dialect, _: Operation) -> list[Step]:
        found = body or body_of(dialect)
        filled = [(name, text.format(n=len(found))) for name, text in headers]
        return [
            head(200, ("content-type", "application/json"), *filled) + found + more,
            Pause(0.02),
            Then.CLOSE,
        ]

    return steps


FRAMING: Final = [
    Fault(
        name="two lengths that differ",
        steps=lengths(("content-length", "{n}"), ("content-length", "5")),
        seen=thrice(e.ConnectionFailedError),
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a length and chunks",
        steps=lambda d, _: [
            head(200, ("content-length", "5"), ("transfer-encoding", "chunked"))
            + chunk(body_of(d)) + LAST
        ],
        seen=Seen(),
        but={"aiohttp": thrice(e.ConnectionFailedError)},
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a length that is too short",
        steps=lambda d, _: [
            head(200, ("content-length", str(len(body_of(d)) - 9))) + body_of(d)
        ],
        seen=MALFORMED,
        but={"aiohttp": thrice(e.ConnectionFailedError)},
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a length that is too long",
        steps=lengths(("content-length", "99999")),
        seen=once(e.IncompleteError, "ended early"),
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a length that is no number",
        steps=lengths(("content-length", "many")),
        seen=thrice(e.ConnectionFailedError),
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a second answer that nobody asked for",
        steps=lambda d, _: [whole(body_of(d)) + whole(b'{"poison": true}')],
        seen=Seen(),
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="a chunk whose length is no number",
        steps=lambda *_: [streamed(kind="application/json") + b"zz\r\nno\r\n"],
        seen=once(e.IncompleteError, "ended early"),
        but={"aiohttp": thrice(e.ConnectionFailedError)},
        operations=WHOLE,
        once=True,
    ),
    Fault(
        name="another protocol",
        steps=lambda *_: [b"SSH-2.0-OpenSSH_9.6\r\n", Pause(0.02), Then.CLOSE],
        seen=thrice(e.ConnectionFailedError),
        once=True,
    ),
]  # fmt: skip


# -- the way there ---------------------------------------------------------------------------

CONNECT: Final = Deadlines(total=60, connect=0.08)
NOT_TRUSTED: Final = once(e.ConnectionFailedError, "the certificate of its server is not trusted")

CONNECTING: Final = [
    Fault(
        name="a port where nobody listens", door="refusing", seen=thrice(e.ConnectionFailedError)
    ),
    Fault(
        name="a server that accepts no connection",
        door="crowded",
        timeout=CONNECT,
        seen=thrice(e.TimedOutError, "no answer in time"),
        operations=WHOLE,
    ),
    Fault(
        name="a name that the resolver does not know",
        door="unknown",
        seen=thrice(e.ConnectionFailedError),
    ),
    Fault(
        name="a resolver that fails",
        door="unresolved",
        seen=thrice(e.ConnectionFailedError),
        operations=WHOLE,
    ),
    Fault(
        name="a resolver that never answers",
        door="resolving",
        timeout=CONNECT,
        seen=thrice(e.TimedOutError),
        operations=WHOLE,
    ),
    Fault(name="a certificate of an unknown authority", door="untrusted", seen=NOT_TRUSTED),
    Fault(name="a certificate for another host", door="misnamed", seen=NOT_TRUSTED),
    Fault(name="a certificate that has expired", door="expired", seen=NOT_TRUSTED),
    Fault(name="a good certificate", door="secured", steps=good, seen=Seen(), once=True),
    Fault(
        name="a server without TLS where TLS is spoken",
        door="unsecured",
        seen=thrice(e.ConnectionFailedError),
        once=True,
    ),
    Fault(
        name="a TLS handshake that stalls",
        door="mute",
        timeout=CONNECT,
        seen=thrice(e.TimedOutError),
        operations=WHOLE,
    ),
]
