"""
Every call in one SQLite file: `SqliteLog` for hosts, `anymodal logs` for people.

Names are imported when they are first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from anymodal import hookimpl

if TYPE_CHECKING:
    from anymodal import CommandSpec

    from .observer import SqliteLog

__all__ = ["SqliteLog"]


@hookimpl
def anymodal_observers() -> Iterator[SqliteLog]:
    """Offer an observer that keeps every call; the environment says where."""
    from .observer import SqliteLog  # noqa: PLC0415  # listing plugins needs none of it

    yield SqliteLog()


@hookimpl
def anymodal_commands() -> Iterator[CommandSpec]:
    """Offer `anymodal logs`."""
    from anymodal import CommandSpec  # noqa: PLC0415  # costs 35 modules

    yield CommandSpec(name="logs", help="List, show and search what was called.", run=_logs)


def _logs(words: Sequence[str]) -> int:
    from .commands import logs  # noqa: PLC0415  # listing commands loads none of them

    return logs(words)


def __getattr__(name: str) -> object:
    if name != "SqliteLog":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from .observer import SqliteLog  # noqa: PLC0415  # as above

    globals()[name] = SqliteLog
    return SqliteLog
