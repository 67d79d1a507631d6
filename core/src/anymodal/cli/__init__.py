"""The command `anymodal`. It alone needs click and rich."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["main"]


INTERRUPTED: Final = 130
"""What a shell shows of a program that Ctrl-C ended."""


def main() -> int:
    """Run the command, and return its exit status."""
    try:
        return _main()
    except KeyboardInterrupt:  # before there is anything to close
        return INTERRUPTED


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
