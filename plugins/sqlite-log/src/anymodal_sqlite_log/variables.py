"""What the environment says: which file, how much of a call, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["FILE", "days_of", "file_of", "keeps_content"]

FILE: Final = "ANYMODAL_SQLITE_LOG"
CONTENT: Final = "ANYMODAL_SQLITE_LOG_CONTENT"
DAYS: Final = "ANYMODAL_SQLITE_LOG_DAYS"
STATE: Final = "ANYMODAL_STATE_DIR"
NAME: Final = "calls.sqlite"
OFF: Final = "off"
NO: Final = {"0", "no", "false", "off"}


def file_of(environ: Mapping[str, str]) -> Path | None:
    """Return the file in which calls are kept; None where none is to be kept."""
    said = environ.get(FILE)
    if said:
        return None if said == OFF else Path(said).expanduser()
    folder = environ.get(STATE)
    if folder:
        return None if folder == OFF else Path(folder).expanduser() / NAME
    import platformdirs  # noqa: PLC0415  # a listing makes a log too, and asks no path

    return platformdirs.user_state_path("anymodal") / NAME


def keeps_content(environ: Mapping[str, str]) -> bool:
    """Whether what was asked and answered is kept too."""
    return environ.get(CONTENT, "").strip().lower() not in NO


def days_of(environ: Mapping[str, str]) -> float | None:
    """
    Return for how many days a call is kept; None is for ever.

    Raises:
        ValueError: It is no number above 0.
    """
    said = environ.get(DAYS)
    if not said:
        return None
    days = float(said)
    if not days > 0:
        raise ValueError(said)
    return days
