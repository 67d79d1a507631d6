"""The command at a terminal: what is typed into it, and what is then seen."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from .distributions import COMMAND, PATIENCE, Site

CTRL_C = "\x03"
CTRL_D = "\x04"
UP = "\x1b[A"


class Terminal:
    """
    A terminal with the command in it.

    Attributes:
        process: The command.
        seen: Everything that was seen so far.
    """

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process = process
        self.seen = ""
        self._ahead = ""
        self._end = end

    def type(self, keys: str) -> None:
        """Press *keys*."""
        os.write(self._end, keys.encode())

    def wait_for(self, words: str) -> None:
        """Wait until *words* are seen, after those that were waited for before."""
        assert self._comes(words, PATIENCE), f"{words!r} was not seen, but {self._ahead!r}"

    def interrupt(self, words: str) -> None:
        """
        Press Ctrl-C at a prompt until *words* are seen.

        Python overlooks one that comes just before it begins to wait for a key.
        """
        for _ in range(int(PATIENCE)):
            self.type(CTRL_C)
            if self._comes(words, 1):
                return
        self.wait_for(words)

    def _comes(self, words: str, seconds: float) -> bool:
        while words not in self._ahead:
            piece = self._read(seconds)
            if not piece:
                return False
            self._ahead += piece
        before, _, self._ahead = self._ahead.partition(words)
        self.seen += before + words
        return True

    def _read(self, seconds: float) -> str:
        ready, _, _ = select.select([self._end], [], [], seconds)
        if not ready:
            return ""
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            return os.read(self._end, 4096).decode()
        return ""

    def terminated(self) -> int:
        """Send SIGTERM until the command ends, for the same reason; return the exit status."""
        for _ in range(int(PATIENCE)):
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
                break
        return self.ended()

    def ended(self) -> int:
        """Read to the end, and return the exit status."""
        self.seen += self._ahead
        while piece := self._read(PATIENCE):
            self.seen += piece
        return self.process.wait(PATIENCE)


@contextmanager
def terminal(
    site: Site, *words: str, env: Mapping[str, str] | None = None, stdout: BinaryIO | None = None
) -> Iterator[Terminal]:
    """Start the command in a terminal of its own, with only *stdout* elsewhere."""
    ours, theirs = os.openpty()
    # Opened by the leader of a session it is that session's, and Ctrl-C more than a character.
    script = f'exec "$0" "$@" < {os.ttyname(theirs)}'
    try:
        with subprocess.Popen(
            ["sh", "-c", script, COMMAND, *words],
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=site.environ(**(env or {})),
            cwd=site.home,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(process, ours)
            finally:
                process.kill()
    finally:
        os.close(ours)
