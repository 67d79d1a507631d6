"""Spans and metrics of calls, by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from .observer import OpenTelemetry

__all__ = ["OpenTelemetry"]


@hookimpl
def anymodal_observers() -> Iterator[OpenTelemetry]:
    """Offer what makes spans and metrics of calls."""
    yield _named_in_settings()


@hookimpl
def anymodal_middleware() -> Iterator[OpenTelemetry]:
    """Offer what puts the spans of HTTP libraries beneath those of calls."""
    yield _named_in_settings()


@cache
def _named_in_settings() -> OpenTelemetry:
    # One for both hooks: the span that the observer begins is the one that the middleware
    # makes current. It keeps nothing but the spans of calls that run.
    from .observer import OpenTelemetry  # noqa: PLC0415  # wanted by those alone who use it

    return OpenTelemetry()


def __getattr__(name: str) -> object:
    if name != "OpenTelemetry":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .observer import OpenTelemetry  # noqa: PLC0415  # as above

    globals()[name] = OpenTelemetry
    return OpenTelemetry
