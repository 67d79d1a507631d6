"""What a person says next: turns, read line by line from a terminal or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

import attrs

from .. import errors as e
from .output import Stdout

__all__ = ["FENCE", "Keyboard", "ReadLine", "Turn", "piped", "read_turn"]

FENCE: Final = '"""'
PROMPT: Final = "> "
MORE: Final = ". "

ReadLine: TypeAlias = Callable[[str], str | None]
"""Takes a prompt; returns a line without its end, or None where there are no more."""


@attrs.frozen
class Turn:
    """
    Something said, or a command.

    Attributes:
        words: What was said, or what follows the command's name.
        command: Its name, without the slash; empty where something was said.
    """

    words: str
    command: str = ""


def read_turn(read_line: ReadLine) -> Turn | None:
    """
    Return the next turn; None where there is none.

    A line that ends in a backslash goes on in the next. Lines between three
    quotes are one turn, whatever is in them. A slash begins a command, two of
    them something that begins with one.
    """
    line = read_line(PROMPT)
    if line is None:
        return None
    if line.startswith(FENCE):
        return Turn(_fenced(line.removeprefix(FENCE), read_line))
    words = _continued(line, read_line)
    if words.startswith("//"):
        return Turn(words[1:])
    if words.startswith("/"):
        name, _, rest = words[1:].partition(" ")
        return Turn(rest.strip(), name or "help")
    return Turn(words)


def _fenced(line: str, read_line: ReadLine) -> str:
    lines = [line]
    while not lines[-1].rstrip().endswith(FENCE):
        more = read_line(MORE)
        if more is None:
            return "\n".join(lines)
        lines.append(more)
    return "\n".join(lines).rstrip().removesuffix(FENCE).strip("\n")


def _continued(line: str, read_line: ReadLine) -> str:
    lines = []
    while line.endswith("\\"):
        lines.append(line[:-1])
        line = read_line(MORE) or ""
    return "\n".join([*lines, line])


class Keyboard:
    """
    Lines from a terminal, to be edited where Python has a readline.

    Args:
        out: Where the answers go; lines are edited there, if it is a terminal
            too, else on standard error.
    """

    def __init__(self, out: Stdout) -> None:
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401, PLC0415  # makes input() better; a pipe needs none
        self._out = out

    def __call__(self, prompt: str) -> str | None:
        """
        Return a line; None for Ctrl-D.

        Raises:
            InvalidRequestError: It is no text.
            KeyboardInterrupt: Ctrl-C.
        """
        with self._out.lent():
            is_seen = os.isatty(1)
            try:
                return input(prompt if is_seen else "")
            except (EOFError, KeyboardInterrupt) as end:
                if is_seen:
                    print()  # noqa: T201  # what comes next begins a line
                if isinstance(end, KeyboardInterrupt):
                    raise
                return None
            except UnicodeDecodeError as error:
                raise _no_text(error) from error


def piped(prompt: str) -> str | None:  # noqa: ARG001  # nobody is there to read it
    """
    Return a line of standard input that is no terminal.

    Raises:
        InvalidRequestError: It is no text.
    """
    line = sys.stdin.buffer.readline()
    try:
        return line.decode("utf-8-sig").rstrip("\r\n") if line else None
    except UnicodeDecodeError as error:
        raise _no_text(error) from error


def _no_text(error: UnicodeDecodeError) -> e.InvalidRequestError:
    msg = f"standard input: a line cannot be sent: it is not {error.encoding.upper()}."
    return e.InvalidRequestError(msg, field="prompt")
