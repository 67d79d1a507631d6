"""The command `anymodal`. It alone needs click and rich."""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Final

__all__ = ["main"]


INTERRUPTED: Final = 130
"""What a shell shows of a program that Ctrl-C ended."""

NEW_OBJECTS: Final = 100_000
"""Importing makes many objects that stay; looking for garbage among them is a tenth of a listing."""

PATIENCE_SECONDS: Final = 5.0
"""How long threads may still run that nobody has ended."""


def main() -> int:
    """Run the command, and return its exit status."""
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    try:
        status = _main()
    except KeyboardInterrupt:  # before there is anything to close
        status = INTERRUPTED
    _leave_behind(status)
    gc.freeze()  # nor is it worth looking at what is left, all of which goes with the process
    return status


def _leave_behind(status: int) -> None:
    """Let threads that plugins started hold the end up for a while, and not for ever."""
    ours = {threading.main_thread(), threading.current_thread()}
    if any(not one.daemon for one in set(threading.enumerate()) - ours):
        timer = threading.Timer(PATIENCE_SECONDS, os._exit, [status])
        timer.daemon = True  # so that it ends with the program, where that ends by itself
        timer.start()


def _main() -> int:
    try:
        import click  # noqa: F401, PLC0415  # an extra
        import rich  # noqa: F401, PLC0415  # an extra
    except ImportError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.stderr.write(
            f"The command needs {error.name}, which is not installed. "
            "Try: pip install 'anymodal[cli]'\n"
        )
        return 1
    from .app import run  # noqa: PLC0415  # imports click

    return run()
