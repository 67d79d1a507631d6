"""What is told beside the answer, on standard error: faults, warnings, cost."""

from __future__ import annotations

import sys

import click

from .. import errors as e
from ..usage import Record
from .output import note, one_line, tame

__all__ = ["quote", "sentence", "tell"]


def sentence(error: Exception) -> str:
    """Return what to tell of *error*. The words of one that is not ours may hold a key."""
    if isinstance(error, ExceptionGroup):  # a FallbackExhaustedError among them
        return f"{error.message}: {'; '.join(map(sentence, error.exceptions))}"
    if isinstance(error, e.AnymodalError):
        return one_line(str(error))
    if isinstance(error, OSError) and error.strerror:
        return one_line(": ".join(filter(None, (str(error.filename or ""), error.strerror))))
    return f"unexpected {type(error).__name__}. To see where: anymodal --traceback …"


def tell(record: Record) -> None:
    """Tell what was not honoured, who failed before, and what the call cost."""
    for warning in record.warnings:
        note(f"Warning: {warning.setting}: {warning.message}")
    for one in record.attempts:
        if one.error is not None:
            note(f"Tried before: {one.error}")
    cost = record.cost
    price = "unknown" if cost.usd is None else f"${cost.usd.normalize():f}"
    note(f"{record.instance}/{record.model}: cost {price} ({cost.source})")


def quote(text: str) -> None:
    """Write a stranger's words as they came; a terminal is sent none that may drive it."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    click.echo(tame(text) if is_terminal else text, err=True)
