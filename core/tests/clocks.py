"""Time that tests make: the clock that is shipped."""

from anymodal.testing import FakeClock

__all__ = ["FakeClock"]
