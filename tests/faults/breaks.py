"""Connections and streams that break, stall or never end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anymodal import errors as e

from .answers import BETWEEN, FIRST, SOON, body_of, framed, good
from .dialects import Dialect
from .faults import IN_TIME, STREAM, WHOLE, Fault, Seen
from .faults import refused as once
from .faults import retried as thrice
from .wire import Pause, Step, Then, chunk, head, streamed, whole

BREAKS: Final = {
    "is reset": (Pause(0.02), Then.RESET),
    "is closed": (Then.CLOSE,),
    "stalls": (Then.HOLD,),
}


def whole_phases(dialect: Dialect) -> dict[str, bytes]:
    """Return how far an answer in one piece gets, by phase."""
    full = whole(body_of(dialect))
    start = full.index(b"\r\n\r\n") + 4
    return {
        "before the headers": b"",
        "within the headers": full[: start - 9],
        "after the headers": full[:start],
        "within the body": full[:-9],
    }


def stream_phases(dialect: Dialect) -> dict[str, bytes]:
    """Return how far a stream gets, by phase."""
    opening, hel, lo, finish, marker = dialect.frames()
    begun = streamed() + chunk(opening)
    return {
        "before the headers": b"",
        "within the headers": streamed()[:-9],
        "after the headers": streamed(),
        "within the first frame": streamed() + chunk(opening[:11]),
        "after the opening": begun,
        "after a piece": begun + chunk(hel),
        "within a frame": begun + chunk(hel) + chunk(lo[:11]),
        "within a chunk": begun + chunk(hel) + chunk(lo)[:-9],
        "before the end marker": begun + chunk(hel + lo + finish),
        "after the end marker": begun + chunk(hel + lo + finish + marker),
    }


EARLY: Final = ("before the headers", "within the headers", "after the headers",
                "within the first frame", "after the opening")  # fmt: skip


def break_in_whole(phase: str, end: str) -> Fault:
    seen = once(e.IncompleteError, "ended early")
    if end == "stalls":
        seen = once(e.DeadlineExceededError, "no whole answer in 0.3 s")
    elif phase in EARLY[:2]:
        seen = thrice(e.ConnectionFailedError, "the connection failed")
    return Fault(
        name=f"{end} {phase}",
        steps=lambda dialect, _: [whole_phases(dialect)[phase], *BREAKS[end]],
        seen=seen,
        operations=WHOLE,
        once=phase == "within the headers" or (end == "stalls" and phase != "before the headers"),
        timeout=SOON if end == "stalls" else IN_TIME,
    )


def break_in_stream(phase: str, end: str) -> Fault:
    but: dict[str, Seen] = {}
    if phase in EARLY:
        seen = thrice(e.ConnectionFailedError)
        if end == "stalls":
            seen = once(e.TimedOutError, "nothing came for 0.15 s", partial="")
    elif phase == "after the end marker":
        seen = Seen()
    else:
        text = "Hello" if phase == "before the end marker" else "Hel"
        seen = once(e.IncompleteError, partial=text)
        if end == "stalls":
            seen = once(e.TimedOutError, "nothing came for 0.05 s", partial=text)
        if text == "Hello":
            but["openai"] = Seen()  # its last event is its marker
    return Fault(
        name=f"{end} {phase}",
        steps=lambda dialect, _: [stream_phases(dialect)[phase], *BREAKS[end]],
        seen=seen,
        but=but,
        operations=STREAM,
        timeout=(FIRST if phase in EARLY else BETWEEN) if end == "stalls" else IN_TIME,
        once=(end == "stalls" and phase != "after a piece")
        or phase
        in {
            "within the headers",
            "within the first frame",
            "within a chunk",
            "after the end marker",
        },
    )


def ends_without_marker(dialect: Dialect, how_far: int) -> bytes:
    return framed(*dialect.frames()[:how_far])


def dripping(content: bytes, seconds: float = 0.01) -> Iterator[Step]:
    for byte in content:
        yield bytes([byte])
        yield Pause(seconds)


BREAKING: Final = [
    *(break_in_whole(phase, end) for phase in (*EARLY[:3], "within the body") for end in BREAKS),
    *(
        break_in_stream(phase, end)
        for phase in (
            *EARLY, "after a piece", "within a frame", "within a chunk",
            "before the end marker", "after the end marker",
        )
        for end in BREAKS
    ),
]  # fmt: skip

STREAMS: Final = [
    Fault(
        name="ends before its first piece",
        steps=lambda dialect, _: [ends_without_marker(dialect, 1)],
        seen=thrice(e.ConnectionFailedError, "ended before its first event"),
        operations=STREAM,
    ),
    Fault(
        name="ends without its end marker",
        steps=lambda dialect, _: [ends_without_marker(dialect, 2)],
        seen=once(e.IncompleteError, "without its end marker", partial="Hel"),
        operations=STREAM,
    ),
    Fault(
        name="ends without its end marker, after saying why it ends",
        steps=lambda dialect, _: [ends_without_marker(dialect, 4)],
        seen=Seen(),
        but={"anthropic": once(e.IncompleteError, "without its end marker", partial="Hello")},
        operations=STREAM,
    ),
    Fault(
        name="ends without its end marker, in an answer as long as its connection",
        steps=lambda dialect, _: [
            head(200, ("content-type", "text/event-stream"), ("connection", "close"))
            + b"".join(dialect.frames()[:2]),
            Then.CLOSE,
        ],
        seen=once(e.IncompleteError, "without its end marker", partial="Hel"),
        operations=STREAM,
    ),
    Fault(
        name="pings without content for ever",
        steps=lambda dialect, _: slowly(streamed() + chunk(dialect.opening), chunk(dialect.ping)),
        seen=once(e.TimedOutError, "nothing came for 0.15 s", partial=""),
        operations=STREAM,
        timeout=FIRST,
    ),
    Fault(
        name="pings after a piece for ever",
        steps=lambda dialect, _: slowly(
            streamed() + chunk(dialect.opening + dialect.piece("Hel")), chunk(dialect.ping)
        ),
        seen=once(e.TimedOutError, "nothing came for 0.05 s", partial="Hel"),
        operations=STREAM,
        timeout=BETWEEN,
    ),
    Fault(
        name="drips its body, a byte at a time",
        steps=lambda dialect, operation: dripping(b"".join(good(dialect, operation))),
        seen=once(e.DeadlineExceededError, "no whole answer in 0.3 s"),
        timeout=SOON,
        once=True,
    ),
    Fault(
        name="drips an event after a piece",
        steps=lambda dialect, _: [
            streamed() + chunk(dialect.opening + dialect.piece("Hel")),
            *dripping(chunk(dialect.piece("lo" * 100))),
        ],
        seen=once(e.TimedOutError, "nothing came for 0.05 s", partial="Hel"),
        operations=STREAM,
        timeout=BETWEEN,
    ),
    Fault(
        name="sends interim answers for ever",
        steps=lambda *_: slowly(b"", head(103, ("link", "</a>"))),
        seen=once(e.DeadlineExceededError, "no whole answer in 0.3 s"),
        timeout=SOON,
        once=True,
    ),
]


def slowly(first: bytes, again: bytes) -> Iterator[Step]:
    yield first
    while True:
        yield again
        yield Pause(0.005)
