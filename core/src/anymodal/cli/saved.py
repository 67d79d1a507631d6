"""Conversations in files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .. import errors as e

__all__ = ["restored", "save"]


def save(found: Mapping[str, object], path: Path) -> None:
    """
    Write *found* to *path*, which is then complete or as it was.

    A new file is its owner's alone: people say things to models that are nobody
    else's business.

    Raises:
        OSError: It cannot be written.
    """
    target = path.resolve()  # a link stays one
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(found, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(handle)
        if target.exists():
            shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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
