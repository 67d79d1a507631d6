"""
Where whoever records what goes out, or answers in its stead, stands between us and the libraries.

Nobody does in a program that runs; `anymodal.testing` has those who do. They are
asked when a connection is made, so that a call costs nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .http import LinkTransport

__all__ = ["Tap", "present", "tapping"]


class Tap(Protocol):
    """Somebody between us and the libraries. What each method is given makes the real thing."""

    def transport(self, connect: Callable[[], LinkTransport], /) -> LinkTransport:
        """Return what carries requests of `Http`."""

    def client(self, connect: Callable[[], Any], /) -> object:
        """Return an `httpx2.AsyncClient` for a vendor's SDK."""

    def socket(self, url: str, connect: Callable[[], Any], /) -> object:
        """Return a context manager around an open WebSocket to *url*."""

    def resolved(self, host: str, /) -> Sequence[str] | None:
        """Return the addresses of *host*; None for those that it really has."""

    def revealed(self, secret: str, /) -> None:
        """Hear of a key that a provider is going to use."""


_PRESENT: Final[list[Tap]] = []


def present() -> Tap | None:
    """Return who stands there, if anybody does."""
    return _PRESENT[0] if _PRESENT else None


@contextmanager
def tapping(tap: Tap) -> Iterator[None]:
    """
    Let *tap* stand there, for all connections that are made meanwhile in this process.

    Raises:
        ConfigurationError: Somebody does already.
    """
    if _PRESENT:
        msg = "record and replay do not lie within one another; end the first one before."
        raise ConfigurationError(msg)
    _PRESENT.append(tap)
    try:
        yield
    finally:
        _PRESENT.remove(tap)
