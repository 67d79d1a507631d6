"""The command `anymodal logs`."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import click
from anymodal.errors import ConfigurationError

from .book import prune as pruned
from .reading import LISTED, Narrowed, find, listed, searched, shown
from .schema import open_file, open_to_read, told
from .secrecy import Json
from .variables import FILE, file_of

__all__ = ["logs"]

SHORT: Final = 12
"""Characters of an id in a table; `show` takes as few as tell it from others."""
WIDEST: Final = 60
"""Of a column in a table."""

COLUMNS: Final = ("id", "started", "operation", "model", "outcome", "seconds", "tokens", "usd")

_SPAN: Final = re.compile(r"(\d+)([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def logs(words: Sequence[str]) -> int:
    """Run `anymodal logs` with *words*; return the exit status."""
    try:
        found = _logs.main(list(words), "anymodal logs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None  # the command knows by which signal
    return found if isinstance(found, int) else 0


def _since(_: click.Context, param: click.Parameter, value: str | None) -> dt.datetime | None:
    """Return the time that is meant; without a zone it is this machine's."""
    if value is None:
        return None
    try:
        if span := _SPAN.fullmatch(value):
            ago = dt.timedelta(**{_UNITS[span[2]]: int(span[1])})
            return dt.datetime.now(dt.UTC) - ago
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        msg = f"{value!r} is no time; use 2026-11-20, 2026-11-20T16:30, 90m, 12h or 7d."
        raise click.BadParameter(msg, param=param) from None


_narrowing: Final = (
    click.option("--since", callback=_since, metavar="WHEN",
                 help="Only from then on: 2026-11-20, 90m, 12h, 7d."),
    click.option("--provider", metavar="P", help="Only of this provider or instance."),
    click.option("--errors", is_flag=True, help="Only calls that ended with an error."),
    click.option("-n", "--count", type=click.IntRange(min=1), default=20, show_default=True,
                 help="How many at most."),
)  # fmt: skip
_json: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


def _narrowed(function: Callable[..., object]) -> Callable[..., object]:
    for option in reversed(_narrowing):
        function = option(function)
    return function


@click.group()
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path),
              help=f"Another file than the one that {FILE} names, or the user's.")  # fmt: skip
@click.pass_context
def _logs(ctx: click.Context, *, file: Path | None) -> None:
    """List, show and search what was called."""
    ctx.obj = file


@_logs.command("list")
@_narrowed
@_json
@click.pass_obj
def _list(
    file: Path | None,
    *,
    since: dt.datetime | None,
    provider: str | None,
    errors: bool,
    count: int,
    as_json: bool,
) -> None:
    """List calls, the newest first."""
    with _opened(file) as db:
        rows = listed(db, Narrowed(since, provider, errors, count))
    _write(rows, [*COLUMNS, "prompt"], as_json=as_json)


@_logs.command("search")
@click.argument("words", nargs=-1, required=True)
@_narrowed
@_json
@click.pass_obj
def _search(
    file: Path | None,
    *,
    words: Sequence[str],
    since: dt.datetime | None,
    provider: str | None,
    errors: bool,
    count: int,
    as_json: bool,
) -> None:
    """
    Find calls whose prompt or answer has all WORDS, the newest first.

    Words in quotes have to stand in a row; `harb*` finds harbour. A chat is found by the
    call in which something was said, and not by all that followed.
    """
    if not all(word.strip() for word in words):
        msg = "WORDS: an empty one finds everything; see anymodal logs list."
        raise click.UsageError(msg)
    with _opened(file) as db:
        rows, has_index = searched(db, words, Narrowed(since, provider, errors, count))
    if not has_index:
        click.echo("There is no index of words here, so every text was read.", err=True)
    _write(rows, [*COLUMNS, "found"], as_json=as_json)


@_logs.command("show")
@click.argument("call", metavar="ID")
@_json
@click.pass_obj
def _show(file: Path | None, *, call: str, as_json: bool) -> None:
    """Show all that was kept of a call. ID may be the beginning of one."""
    with _opened(file) as db:
        ids = find(db, call)
        if not ids:
            msg = f"No call {call!r} is kept here; see anymodal logs list."
            raise click.ClickException(msg)
        if len(ids) > 1:
            msg = f"Several calls begin with {call!r}: {', '.join(ids)}."
            raise click.ClickException(msg)
        row = shown(db, ids[0])
    if as_json:
        _document([row])
    else:
        click.echo(_described(row), nl=False)


@_logs.command("path")
@click.pass_obj
def _path(file: Path | None) -> None:
    """Print where the file is, or will be."""
    click.echo(str(_place(file)))


@_logs.command("prune")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), required=True,
              help="For how many days calls are kept.")  # fmt: skip
@click.pass_obj
def _prune(file: Path | None, *, days: float) -> None:
    """Drop what is older, and make the file smaller."""
    path = _there(file)
    try:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    except OverflowError:
        msg = f"--days: {days:g} is before any time."
        raise click.UsageError(msg) from None
    with _said(path), closing(open_file(path)) as db:
        count = pruned(db, before)
        db.execute("VACUUM")
    click.echo(f"{count} {'call' if count == 1 else 'calls'} dropped.", err=True)


# -- the file -----------------------------------------------------------------------------


def _place(file: Path | None) -> Path:
    path = file or file_of(os.environ)
    if path is None:
        msg = f"Calls are not logged: {FILE} or ANYMODAL_STATE_DIR is off. Try --file."
        raise click.ClickException(msg)
    return path


def _there(file: Path | None) -> Path:
    path = _place(file)
    if not path.exists():
        msg = f'No call is logged yet: there is no {path}. Settings: [plugins] use = ["sqlite-log"]'
        raise click.ClickException(msg)
    return path


@contextmanager
def _opened(file: Path | None) -> Iterator[sqlite3.Connection]:
    path = _there(file)
    with _said(path), closing(open_to_read(path)) as db:
        yield db


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say in a sentence what is wrong with the file."""
    try:
        yield
    except (sqlite3.Error, OSError, ConfigurationError) as error:
        raise click.ClickException(told(path, error)) from error


# -- what is written ------------------------------------------------------------------------


def _document(found: Json) -> None:
    """Write JSON, in ASCII, so that no encoding can hurt it."""
    click.echo(json.dumps(found, indent=2))


def _write(rows: Sequence[Mapping[str, Json]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        names = [*LISTED, *(name for name in columns if name == "found")]
        _document([{name: row[name] for name in names} for row in rows])
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(_table(columns, [_cells(row, columns) for row in rows], width))


def _cells(row: Mapping[str, Json], columns: Sequence[str]) -> list[str]:
    said = {
        "id": str(row["id"])[:SHORT],
        "started": _local(str(row["started_at"])),
        "operation": f"{row['modality']}.{row['operation']}",
        "model": f"{row['instance']}/{row['model']}" if row["instance"] else "-",
        "outcome": str(row["error_code"] or row["outcome"]),
        "seconds": _number(row["seconds"], ".2f"),
        "tokens": f"{_number(row['input_tokens'], 'd')}+{_number(row['output_tokens'], 'd')}",
        "usd": _number(row["usd"], ".6f"),
        "prompt": str(row["prompt"] or ""),
        "found": str(row.get("found", "")),
    }
    return [_one_line(said[name]) for name in columns]


def _number(value: Json, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "-"


def _local(started: str) -> str:
    return f"{dt.datetime.fromisoformat(started).astimezone():%Y-%m-%d %H:%M:%S}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """Return *rows* in columns; the last is cut at the edge of a terminal."""
    lines = [
        list(columns),
        *([_cut(cell, WIDEST) for cell in row[:-1]] + [row[-1]] for row in rows),
    ]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    found = (
        "  ".join(cell.ljust(wide) for cell, wide in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return "\n".join(line if width is None else _cut(line, width) for line in found)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _one_line(text: str) -> str:
    """Return *text* on one line, without characters that may drive a terminal."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def _tame(text: str) -> str:
    """Return *text* without characters that may drive a terminal, on as many lines."""
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in text)


def _described(row: Mapping[str, Json]) -> str:
    """Return a call for people: facts, then what was said."""
    lines = [
        f"{name:20}{_one_line(text)}"
        for name, value in row.items()
        if name != "conversations"
        for one in (value if isinstance(value, list) else [value])
        if (text := _fact(one))
    ]
    conversations = row["conversations"]
    for one in conversations if isinstance(conversations, list) else []:
        lines += _conversation(one)
    return "\n".join(lines) + "\n"


def _fact(value: Json) -> str:
    """Return a value in words; nothing where it says nothing."""
    if isinstance(value, dict):
        said = ((name, _fact(one)) for name, one in value.items())
        return ", ".join(f"{name} {text}" for name, text in said if text)
    if isinstance(value, list):
        return "; ".join(filter(None, map(_fact, value)))
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _conversation(one: Json) -> Iterator[str]:
    if not isinstance(one, dict):
        return
    prompt, answer = one["prompt"], one["answer"]
    label = f" {one['label']}" if one["label"] else ""
    for turn in [*(prompt if isinstance(prompt, list) else []), answer]:
        if isinstance(turn, dict) and isinstance(turn["parts"], list):
            yield f"\n-- {turn['role']}{_one_line(label)}"
            for part in turn["parts"]:
                yield _part(part)


def _part(part: Json) -> str:
    """Return a part as text, or in brackets what else it is."""
    if not isinstance(part, dict):
        return ""
    text = part.get("text")
    facts = " ".join(
        _fact(value) for name, value in part.items() if name not in {"text", "is_kept"}
    )
    if part["type"] == "text" and text is not None:
        return _tame(str(text))
    return _tame(f"[{facts}]" + (f" {text}" if text is not None else ""))
