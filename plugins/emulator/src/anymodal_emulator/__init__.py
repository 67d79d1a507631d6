"""
AI vendors on loopback: a toolkit for emulators, faults on demand, and a tour.

Names are imported when they are first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import CommandSpec

    from .app import Emulator, Memory, RefusedError, Request, Stream, Talk, sse
    from .completeness import gaps
    from .exchange import Exchange, Received, Reply
    from .faults import (
        Close,
        Cut,
        Deaf,
        Drip,
        Fault,
        OnCue,
        Pings,
        Raw,
        Reset,
        Rewrite,
        Slow,
        Stall,
        Status,
    )
    from .running import Emulated, emulated

_HOMES = {
    "app": ("Emulator", "Memory", "RefusedError", "Request", "Stream", "Talk", "sse"),
    "completeness": ("gaps",),
    "exchange": ("Exchange", "Received", "Reply"),
    "faults": (
        "Close",
        "Cut",
        "Deaf",
        "Drip",
        "Fault",
        "OnCue",
        "Pings",
        "Raw",
        "Reset",
        "Rewrite",
        "Slow",
        "Stall",
        "Status",
    ),
    "running": ("Emulated", "emulated"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Close",
    "Cut",
    "Deaf",
    "Drip",
    "Emulated",
    "Emulator",
    "Exchange",
    "Fault",
    "Memory",
    "OnCue",
    "Pings",
    "Raw",
    "Received",
    "RefusedError",
    "Reply",
    "Request",
    "Reset",
    "Rewrite",
    "Slow",
    "Stall",
    "Status",
    "Stream",
    "Talk",
    "emulated",
    "gaps",
    "sse",
]


@hookimpl
def anymodal_commands() -> Iterator[CommandSpec]:
    """Offer `anymodal emulate` and `anymodal tour`."""
    from anymodal import CommandSpec  # noqa: PLC0415  # costs 35 modules

    yield CommandSpec(name="emulate", help="Serve every installed emulator.", run=_emulate)
    yield CommandSpec(name="tour", help="Call everything installed, without keys.", run=_tour)


def _emulate(words: Sequence[str]) -> int:
    from .commands import emulate  # noqa: PLC0415  # listing commands loads none of them

    return emulate(words)


def _tour(words: Sequence[str]) -> int:
    from .commands import tour  # noqa: PLC0415  # listing commands loads none of them

    return tour(words)


def __getattr__(name: str) -> object:
    try:
        module = import_module(f".{_MODULE_OF[name]}", __name__)
    except KeyError:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg) from None
    found = getattr(module, name)
    globals()[name] = found
    return found
