"""
What observers are told.

The events carry the call's own record, request and answer, so nothing is copied:
an observer that keeps one keeps what was said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import attrs

if TYPE_CHECKING:
    from .jobs import JobStatus
    from .usage import Attempt, Record

__all__ = [
    "AttemptFailed",
    "BreakerChanged",
    "CallEnded",
    "CallStarted",
    "Event",
    "FirstEvent",
    "JobChanged",
    "Observer",
    "telling",
]


@attrs.define
class CallStarted:
    """
    A call has begun; nothing is resolved yet.

    Attributes:
        record: What is known of it so far; it fills up as the call goes on.
        asked: What the caller asked for, as the facade has it. Middleware may put
            another in its place.
    """

    record: Record
    asked: Any = attrs.field(default=None, repr=False)


@attrs.define
class AttemptFailed:
    """
    An attempt has failed.

    Attributes:
        record: The call's.
        attempt: The attempt, with its error.
        wait: Seconds until it is made again; None where it is not.
    """

    record: Record
    attempt: Attempt
    wait: float | None = None


@attrs.define
class FirstEvent:
    """
    The first event of a stream has come.

    Attributes:
        record: The call's, with the seconds it took.
    """

    record: Record


@attrs.define
class CallEnded:
    """
    A call has ended: with an answer, with an error, or because its caller left.

    Attributes:
        record: The call's, complete.
        request: The last request that was made of it; None where none was.
        answer: What it came to, as the caller has it; of a stream that was left or
            broke, what had come.
        error: What it ended with.
    """

    record: Record
    request: Any = attrs.field(default=None, repr=False)
    answer: Any = attrs.field(default=None, repr=False)
    error: BaseException | None = None


@attrs.define
class JobChanged:
    """
    A job stands otherwise than it did.

    Attributes:
        record: Of the call that submitted it.
        status: How it stands.
    """

    record: Record
    status: JobStatus


@attrs.define
class BreakerChanged:
    """
    A circuit was opened, is being probed, or was closed again.

    Attributes:
        instance: Whose.
        modality: For which kind of work.
        state: What it is now.
    """

    instance: str
    modality: str
    state: Literal["closed", "open", "half-open"]


Event: TypeAlias = (
    CallStarted | AttemptFailed | FirstEvent | CallEnded | JobChanged | BreakerChanged
)


class Observer(Protocol):
    """What hears of calls, and changes nothing."""

    def on_event(self, event: Event, /) -> None:
        """
        Take note of *event*. Called in the event loop, so it must not wait.

        What it raises is logged under `anymodal` and harms no call.
        """


def telling(observers: Sequence[Observer]) -> Callable[[Event], None] | None:
    """Return what tells all *observers*, or None where there is nobody to tell."""
    hear = [observer.on_event for observer in observers]
    if not hear:
        return None

    def tell(event: Event) -> None:
        for on_event in hear:
            try:
                on_event(event)
            except Exception:
                logging.getLogger("anymodal").exception("an observer failed")

    return tell
