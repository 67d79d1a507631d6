"""The command `anymodal`. It alone needs click and rich."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command, and return its exit status."""
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
