"""What a fault is: bytes, a call, and what the caller is to see of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

import attrs
from anymodal import Deadlines
from anymodal import errors as e

from .dialects import Dialect
from .wire import Step

__all__ = [
    "BOTH",
    "ROADS",
    "STREAM",
    "WHOLE",
    "Fault",
    "Operation",
    "Road",
    "Seen",
    "refused",
    "retried",
]

Operation: TypeAlias = Literal["generate", "stream"]
BOTH: Final[tuple[Operation, ...]] = ("generate", "stream")
WHOLE: Final[tuple[Operation, ...]] = ("generate",)
STREAM: Final[tuple[Operation, ...]] = ("stream",)

MIB: Final = 1024 * 1024
IN_TIME: Final = Deadlines(total=60)
"""Of calls that end by themselves."""


@attrs.frozen
class Road:
    """A way to a vendor: over its SDK, or over one of our HTTP libraries."""

    provider: str
    loop: str
    library: str = "httpx2"

    def __str__(self) -> str:
        return f"{self.provider}-{self.library}-{self.loop}"


ROADS: Final = (
    Road("openai-compatible", "asyncio"),
    Road("openai-compatible", "trio"),
    Road("openai-compatible", "asyncio", "aiohttp"),
    Road("openai", "asyncio"),
    Road("openai", "trio"),
    Road("anthropic", "asyncio"),
    Road("anthropic", "trio"),
)


@attrs.frozen(kw_only=True)
class Seen:
    """
    What a call comes to.

    Args:
        error: Its class; None where the answer is whole.
        attempts: How many there were.
        waits: Seconds between them, with chance at its longest.
        says: What the error says, somewhere.
        partial: Text that the error has.
        after: Seconds that the error says to wait.
        text: Of a whole answer.
        calls: Tools that a whole answer asks for.
    """

    error: type[e.AnymodalError] | None = None
    attempts: int = 1
    waits: tuple[float, ...] = ()
    says: str = ""
    partial: str | None = None
    after: float | None = None
    text: str = "Hello"
    calls: tuple[tuple[str, str, str], ...] = ()


def refused(error: type[e.AnymodalError], says: str = "", **more: object) -> Seen:
    """Return an error after one attempt."""
    return Seen(error=error, says=says, **more)


def retried(
    error: type[e.AnymodalError], says: str = "", waits: tuple[float, ...] = (0.5, 1.0), **more
) -> Seen:
    """Return an error after the three attempts that the policy allows."""
    return Seen(error=error, says=says, attempts=len(waits) + 1, waits=waits, **more)


@attrs.frozen(kw_only=True)
class Fault:
    """
    One way in which a vendor, or the way to it, fails.

    Args:
        name: For the table.
        steps: What is sent, for every request.
        seen: What the caller sees.
        but: The same where it differs, by provider, operation, library or
            `provider/operation`; the first that fits.
        operations: Which calls meet it.
        timeout: The call's deadlines.
        door: Which server is called.
        well_from: The request from which on all is well; None for none.
        once: Whether one event loop will do.
        peak: Most memory that it may take, in bytes; None where nobody measures.
    """

    name: str
    seen: Seen
    steps: Callable[[Dialect, Operation], Iterable[Step]] = lambda *_: ()
    but: Mapping[str, Seen] = attrs.field(factory=dict)
    operations: tuple[Operation, ...] = BOTH
    timeout: Deadlines = IN_TIME
    door: str = "plain"
    well_from: int | None = None
    once: bool = False
    peak: int | None = None

    def expected(self, road: Road, operation: Operation) -> Seen:
        """Return what is to be seen on *road*."""
        keys = (
            f"{road.provider}/{operation}", f"{road.library}/{operation}",
            road.provider, road.library, operation,
        )  # fmt: skip
        return next((self.but[key] for key in keys if key in self.but), self.seen)
