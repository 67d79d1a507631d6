"""Conversations in files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .. import errors as e
from ..files import write_whole

__all__ = ["restored", "save"]


def save(found: Mapping[str, object], path: Path) -> None:
    """
    Write *found* to *path*, which is then complete or as it was.

    A new file is its owner's alone: people say things to models that are nobody
    else's business.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(path, f"{json.dumps(found, indent=2)}\n".encode("ascii"))


def restored(path: Path) -> Mapping[str, object]:
    """
    Return what `save` wrote.

    Raises:
        InvalidRequestError: It is not JSON; the file and the place are named.
        OSError: It cannot be read.
    """
    try:
        found: Mapping[str, object] = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        msg = f"it is not JSON: {error}."
        raise e.InvalidRequestError(msg, field="restore") from error
    return found
