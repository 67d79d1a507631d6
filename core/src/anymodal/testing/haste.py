"""A clock on which nobody waits long between two questions to a vendor."""

from __future__ import annotations

from typing import Final

import anyio

from ..doors import SystemClock

__all__ = ["HastyClock"]

LONGEST: Final = 0.01


class HastyClock(SystemClock):
    """
    The time as the machine has it, but for waits, which are hardly any.

    So that jobs on loopback are asked for as soon as may be. Deadlines are as ever.
    """

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Wait, for a hundredth of a second at most."""
        await anyio.sleep(min(seconds, LONGEST))
