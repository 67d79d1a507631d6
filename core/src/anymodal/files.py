"""Files that are complete or as they were, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["forget_unfinished", "replacing", "write_whole"]

UNFINISHED: Final = ".part"
"""The end of the name of a file that is being written; it begins with a dot."""

ABANDONED_SECONDS: Final = 24 * 3600.0
"""How old such a file is when nobody can be writing it any more."""

_number: Final = count()


@contextmanager
def replacing(
    target: str | os.PathLike[str], *, lasts: bool = True, private: bool = True
) -> Iterator[BinaryIO]:
    """
    Give a file to write to, which becomes *target* when the block ends well.

    It lies beside *target* until then, and is gone when the block ends otherwise. One
    that is there keeps its permissions, and a link stays one.

    Args:
        target: Where to; its folder has to be there.
        lasts: Whether it is to outlive a power cut that follows.
        private: Whether a new one is its owner's alone, whatever the umask.

    Raises:
        OSError: It cannot be made, written, or put in place.
    """
    place = Path(os.path.realpath(target))
    mark = f"{os.getpid()}-{threading.get_ident()}-{next(_number)}"
    unfinished = place.with_name(f".{place.name[:100]}.{mark}{UNFINISHED}")
    unfinished.unlink(missing_ok=True)  # of a process that had our number, and was killed
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(unfinished, flags, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if lasts:
                os.fsync(handle)
        with contextlib.suppress(FileNotFoundError):
            unfinished.chmod(stat.S_IMODE(place.stat().st_mode))
        unfinished.replace(place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_whole(target: str | os.PathLike[str], content: bytes, *, lasts: bool = True) -> None:
    """
    Write *target*, so that whoever reads it finds the old content or the new.

    Raises:
        OSError: It cannot be written; the old content still stands.
    """
    with replacing(target, lasts=lasts) as file:
        file.write(content)


def forget_unfinished(folder: Path) -> None:
    """Remove from *folder* what processes that were killed have left half-written."""
    for found in folder.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            if time.time() - found.stat().st_mtime > ABANDONED_SECONDS:
                found.unlink()
