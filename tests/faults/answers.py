"""Answers as they should be, and what the faults have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from typing import Final

from anymodal import Deadlines
from anymodal import errors as e

from .dialects import Dialect
from .faults import MIB, Operation, refused
from .wire import LAST, Step, chunk, streamed, whole

SOON: Final = Deadlines(total=0.3)
FIRST: Final = Deadlines(total=60, first=0.15)
BETWEEN: Final = Deadlines(total=60, between=0.05)
GIB: Final = 1024 * MIB


def good(dialect: Dialect, operation: Operation) -> Iterator[Step]:
    """Iterate over an answer as it should be."""
    if operation == "generate":
        yield whole(body_of(dialect))
    else:
        yield streamed() + b"".join(chunk(one) for one in dialect.frames() if one) + LAST


def body_of(dialect: Dialect) -> bytes:
    return json.dumps(dialect.whole()).encode()


def both(body: bytes, status: int = 200, *headers: tuple[str, str], **more: str):
    """Return steps that answer every call with *body*."""
    return lambda *_: [whole(body, status, *headers, **more)]


def framed(*parts: bytes) -> bytes:
    """Return a stream of *parts*, whole as far as HTTP goes."""
    return streamed() + b"".join(chunk(part) for part in parts if part) + LAST


def as_events(*found: bytes) -> list[Step]:
    return [framed(*found)]


KINDS: Final = {"generate": "application/json", "stream": "text/event-stream"}


def packed(content: bytes, *, kind: str = "application/json", encoding: str = "gzip") -> list[Step]:
    return [whole(content, 200, ("content-encoding", encoding), kind=kind)]


MALFORMED: Final = refused(e.MalformedReplyError)


def for_ever(first: bytes, again: bytes) -> Iterator[Step]:
    yield first
    yield from repeat(again)
