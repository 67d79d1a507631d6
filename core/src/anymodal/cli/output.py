"""What goes to standard output, and nothing else there: text, tables, JSON."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final, TypeAlias

import click

__all__ = [
    "Json",
    "Listing",
    "Stdout",
    "day",
    "json_option",
    "note",
    "number",
    "one_line",
    "tame",
]

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_CONTROLS: Final = dict.fromkeys(
    [code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"]
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


class Stdout:
    """
    Standard output, taken for the command's own words.

    What plugins and SDKs print from then on goes to standard error, by whatever
    way they print it.

    Attributes:
        is_terminal: Whether somebody looks at it.
        width: Of the terminal, if there is one.
        is_broken: Whether something could not be written.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            msg = "Standard output is closed."
            raise click.ClickException(msg)
        sys.stdout.flush()
        self.is_terminal = sys.stdout.isatty()
        self.is_broken = False
        self.width = _width() if self.is_terminal else None
        self._file = os.fdopen(
            os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace", newline=""
        )
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # as befits what goes to standard error
        elsewhere = os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else os.dup(2)
        os.dup2(elsewhere, 1)
        os.close(elsewhere)
        self._fresh_line = True

    @classmethod
    def taken(cls) -> Stdout:
        """Take it until the running command ends."""
        out = cls()
        click.get_current_context().call_on_close(out.close)
        return out

    def say(self, text: str) -> None:
        """Write a stranger's words: a terminal is sent no characters that may drive it."""
        self.write(tame(text) if self.is_terminal else text)

    def write(self, text: str) -> None:
        """Write at once."""
        if text:
            self._fresh_line = text.endswith("\n")
        try:
            self._file.write(text)
            self._file.flush()
        except OSError:
            self.is_broken = True
            # what is still in the buffer would be written, and fail, again when it is closed
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)
            raise

    def raw(self, data: bytes) -> None:
        """Write bytes as they are, after what was written before."""
        self._file.flush()
        self._file.buffer.write(data)
        self._file.flush()

    def end_line(self, *, always: bool = False) -> None:
        """End the line that was begun, on a terminal or *always*."""
        if (always or self.is_terminal) and not self._fresh_line:
            self.write("\n")

    def document(self, found: Json) -> None:
        """Write JSON, in ASCII, so that no encoding can hurt it."""
        self.write(json.dumps(found, indent=2) + "\n")

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let others print to it for a while, where it is a terminal: an editor of lines does."""
        if not self.is_terminal:
            yield
            return
        sys.stdout.flush()
        elsewhere = os.dup(1)
        os.dup2(self._file.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(elsewhere, 1)
            os.close(elsewhere)

    def close(self) -> None:
        """Let go of it. What others still print stays away from it."""
        self._file.close()

    def give_back(self) -> None:
        """Let others print to it again."""
        sys.stdout.flush()
        os.dup2(self._file.fileno(), 1)
        self.close()


def _width() -> int:
    import shutil  # noqa: PLC0415  # 3 ms, with compression that nobody needs here

    return shutil.get_terminal_size().columns


class Listing:
    """
    A table, or the same as JSON.

    Args:
        columns: Names of the columns; each row has them all.
        words: How to say a column's value in a table, where the value is no
            plain one.
    """

    def __init__(
        self, *columns: str, words: Mapping[str, Callable[[Json], str]] | None = None
    ) -> None:
        self.columns = columns
        self._words = words or {}

    def write(self, rows: Sequence[Mapping[str, Json]], out: Stdout, *, as_json: bool) -> None:
        """Write *rows* to *out*, by column."""
        if as_json:
            out.document([{name: row[name] for name in self.columns} for row in rows])
        else:
            from .tables import table  # noqa: PLC0415  # rich is slow to import, and JSON needs none

            cells = [[self._cell(name, row[name]) for name in self.columns] for row in rows]
            out.write(table(self.columns, cells, width=out.width))

    def _cell(self, name: str, value: Json) -> str:
        return one_line(self._words.get(name, _plain)(value))


def _plain(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(item) for item in value)
    return str(value)


def one_line(text: str) -> str:
    """Return *text* on one line, without characters that may drive a terminal."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def tame(text: str) -> str:
    """Return *text* without characters that may drive a terminal, on as many lines as before."""
    return text.translate(_CONTROLS)


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    click.echo(one_line(text), err=True)


def number(found: Decimal | None) -> float | None:
    """
    Return dollars as a JSON number.

    JSON writes the shortest digits that mean the same double, which are the
    decimal's own up to 15 of them. Prices and costs have fewer.
    """
    return None if found is None else float(found)


def day(found: dt.date | None) -> str | None:
    """Return a date as ISO 8601 has it."""
    return None if found is None else found.isoformat()
