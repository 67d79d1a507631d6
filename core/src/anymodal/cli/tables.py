"""Tables for people, by rich."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["table"]

PIPED_WIDTH: Final = 1_000_000
"""Wider than any table: what is piped is never folded or cut."""
READABLE: Final = 20
"""Columns narrower than this break no words, if a table is to be read."""
GAP: Final = 2


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None) -> str:
    """
    Return *rows* under their *columns*, or one below the other where that is too wide to read.

    Args:
        columns: Names of the columns.
        rows: The cells of each row.
        width: Of the terminal. None where there is none: the table is then
            plain, and as wide as it needs to be.
    """
    console = Console(
        file=io.StringIO(),
        width=width or PIPED_WIDTH,
        force_terminal=width is not None,
        color_system="auto" if width else None,
        legacy_windows=False,
    )
    found = [_wide(columns, rows)]
    if width is not None and rows and _needed(columns, rows) > width:
        found = [_tall(columns, row) for row in rows]
    with console.capture() as captured:
        for place, one in enumerate(found):
            if place:
                console.print()
            console.print(one)
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())


def _needed(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the width at which no short word is broken."""
    cells = zip(columns, *rows, strict=True)
    longest = (max(len(word) for cell in column for word in cell.split()) for column in cells)
    return sum(min(length, READABLE) + GAP for length in longest)


def _wide(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    found = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for name in columns:
        found.add_column(name, overflow="fold")
    for row in rows:
        found.add_row(*map(Text, row))
    return found


def _tall(columns: Sequence[str], row: Sequence[str]) -> Table:
    found = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
    found.add_column(style="bold", no_wrap=True)
    found.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        found.add_row(name, Text(cell))
    return found
