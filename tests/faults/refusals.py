"""Statuses, waits, and other ways to say no."""

from __future__ import annotations

import json
from typing import Final

from anymodal import Deadlines
from anymodal import errors as e

from .answers import both
from .dialects import Dialect
from .faults import BOTH, WHOLE, Fault, Seen
from .faults import refused as once
from .faults import retried as thrice
from .wire import head, whole

STATUSES: Final = {
    400: e.BadRequestError, 401: e.AuthenticationError, 402: e.QuotaExceededError,
    403: e.PermissionDeniedError, 404: e.NotFoundError, 405: e.BadRequestError,
    408: e.TimedOutError, 409: e.BadRequestError, 410: e.NotFoundError, 413: e.TooLargeError,
    415: e.BadRequestError, 418: e.BadRequestError, 422: e.BadRequestError,
    425: e.BadRequestError, 429: e.RateLimitedError, 431: e.BadRequestError,
    451: e.BadRequestError, 500: e.ServerError, 501: e.ServerError, 502: e.ServerError,
    503: e.OverloadedError, 504: e.TimedOutError, 507: e.ServerError, 520: e.ServerError,
    522: e.ServerError, 524: e.ServerError, 529: e.OverloadedError,
}  # fmt: skip
PASSING: Final = {408, 429, *range(500, 530)}


def status(code: int) -> Fault:
    made = thrice if code in PASSING else once
    return Fault(
        name=f"HTTP {code}",
        steps=both(b'{"error": {"message": "No."}}', code),
        seen=made(STATUSES[code], f"HTTP {code}: No."),
        operations=BOTH if code in {400, 401, 429, 503} else WHOLE,
        once=True,
    )


NOW: Final = "Fri, 20 Nov 2026 12:00:00 GMT"
WAITS: Final = {
    "Retry-After: 7": (("7",), 7.0),
    "Retry-After: 0": (("0",), 0.0),
    "Retry-After: 1.5": (("1.5",), 1.5),
    "Retry-After: a date 5 s on": (("Fri, 20 Nov 2026 12:00:05 GMT", NOW), 5.0),
    "Retry-After: a date gone by": (("Fri, 20 Nov 2026 11:00:00 GMT", NOW), 0.0),
    "Retry-After: -5": (("-5",), None),
    "Retry-After: soon": (("soon",), None),
    "Retry-After: nan": (("nan",), None),
    "Retry-After: (empty)": (("",), None),
}
TOO_LONG: Final = {
    "Retry-After: 61": (("61",), 61.0),
    "Retry-After: 86400": (("86400",), 86_400.0),
    "Retry-After: a date in a year": (("Sat, 20 Nov 2027 12:00:00 GMT", NOW), 7 * 86_400.0),
    "Retry-After: 99999999999": (("99999999999",), 7 * 86_400.0),
    "Retry-After: 1e300": (("1e300",), 7 * 86_400.0),
    "Retry-After: inf": (("inf",), 7 * 86_400.0),
}


def wait_headers(given: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("retry-after", given[0]), *(("date", date) for date in given[1:])]


def waiting(code: int, label: str) -> Fault:
    given, asked = (WAITS | TOO_LONG)[label]
    waits = () if label in TOO_LONG else ((asked or 0) + 0.5, (asked or 0) + 1.0)
    return Fault(
        name=f"HTTP {code}, {label}",
        steps=both(b'{"error": {"message": "No."}}', code, *wait_headers(given)),
        seen=thrice(STATUSES[code], waits=waits, after=asked),
        once=True,
        operations=WHOLE,
    )


REFUSING: Final = [
    *map(status, STATUSES),
    *(waiting(429, label) for label in (*WAITS, *TOO_LONG)),
    *(waiting(code, label) for code in (500, 503, 529) for label in ("Retry-After: 7", "Retry-After: 86400")),
    Fault(
        name="HTTP 429, Retry-After: 7, and 5 s left",
        steps=both(b"{}", 429, ("retry-after", "7")),
        seen=once(e.RateLimitedError, after=7.0),
        timeout=Deadlines(total=5),
        once=True,
    ),
    Fault(
        name="HTTP 503 once, then well",
        steps=both(b"{}", 503),
        seen=Seen(attempts=2, waits=(0.5,)),
        well_from=1,
        once=True,
    ),
    Fault(
        name="a quota that is used up, as HTTP 429",
        steps=lambda dialect, _: [whole(json.dumps(quota(dialect)).encode(), 429)],
        seen=once(e.QuotaExceededError, "HTTP 429: Pay first."),
        once=True,
    ),
    Fault(
        name="a key that the vendor repeats, as HTTP 401",
        steps=lambda *_: [whole(b'{"error": {"message": "Bad key sk-secret-0123456789."}}', 401)],
        seen=once(e.AuthenticationError, "HTTP 401: Bad key …."),
        once=True,
    ),
    *(
        Fault(
            name=f"HTTP {code} to {where}",
            steps=both(b"", code, ("location", location)),
            seen=once(e.MalformedReplyError, "it redirects, which is not followed"),
            operations=BOTH if code == 307 else WHOLE,
            once=True,
            door="redirecting",
        )
        for code in (301, 302, 303, 307, 308)
        for where, location in (("another host", "http://127.0.0.2:{port}/v1"), ("itself", "{path}"))
    ),
    Fault(
        name="HTTP 304",
        steps=lambda *_: [head(304)],
        seen=once(e.MalformedReplyError, "it redirects, which is not followed"),
        once=True,
    ),
]  # fmt: skip


def quota(dialect: Dialect) -> dict[str, object]:
    found = dialect.error("insufficient_quota", "Pay first.")
    found["error"]["details"] = {"error_code": "enforced_spend_limit_reached"}
    return found
