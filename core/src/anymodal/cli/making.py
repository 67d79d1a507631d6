"""What `video` and `audio` do alike: a prompt in, progress on a terminal, a file out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from ..client import Client
from ..config import Settings
from ..facades.making import OnProgress
from ..modalities.making import MadeResult
from .asking import is_piped, standard_input
from .ending import run_async
from .jobs import bar
from .output import Json, Stdout, day, note, number

__all__ = [
    "document_of",
    "key_option",
    "made",
    "out_option",
    "prompt_of",
    "seconds_option",
    "write",
]

ResultT = TypeVar("ResultT", bound=MadeResult)

out_option = click.option(
    "-o", "--out", "path", metavar="FILE", required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where it goes.",
)  # fmt: skip
seconds_option = click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), metavar="S",
    help="How long it is to be.",
)  # fmt: skip
key_option = click.option(
    "--key", metavar="KEY",
    help="Your own name for it: with the same key it is made, and paid for, once.",
)  # fmt: skip


def prompt_of(prompt: str | None, *, may_lack: bool = False) -> str:
    """
    Return PROMPT, or what standard input says in its place.

    Raises:
        click.UsageError: There are no words, and they may not lack.
    """
    from_input = prompt == "-" or (prompt is None and not may_lack and is_piped())
    found = standard_input().decode("utf-8", "replace") if from_input else prompt or ""
    if not found.strip() and not may_lack:
        msg = "The prompt is empty: give PROMPT, or pipe it in."
        raise click.UsageError(msg)
    return found.strip()


def made(
    path: Path, making: Callable[[Client, OnProgress], Coroutine[Any, Any, ResultT]]
) -> ResultT:
    """
    Return what *making* makes of a client, its progress shown on a terminal.

    Raises:
        click.UsageError: *path* has no folder; nothing was asked for.
    """
    if not path.parent.is_dir():
        msg = f"There is no folder {path.parent}."
        raise click.UsageError(msg)
    settings = Settings.load()

    async def wanted() -> ResultT:
        with bar() as shown:
            async with Client(settings) as ai:
                return await making(ai, shown)

    return run_async(wanted)


def write(found: MadeResult, path: Path, out: Stdout, *, as_json: bool) -> None:
    """Tell what was not honoured, and what was made."""
    for warning in found.record.warnings:
        note(f"{warning.setting}: {warning.message}")
    if as_json:
        out.document([document_of(found, path)])


def document_of(found: MadeResult, path: Path) -> Json:
    """Return what was made as JSON."""
    record = found.record
    return {
        "file": str(path),
        "media_type": found.media.media_type,
        "bytes": found.media.size,
        f"{found.medium}_seconds": found.seconds,
        "provider": record.provider,
        "instance": record.instance,
        "model": record.model,
        "cost": {
            "usd": number(record.cost.usd),
            "source": record.cost.source,
            "as_of": day(record.cost.as_of),
        },
        "seconds": record.seconds,
        "record_id": record.id,
        "request_id": record.request_id,
        "warnings": [{"setting": w.setting, "message": w.message} for w in record.warnings],
    }
