"""Where the program is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from anymodal.errors import ConfigurationError

if TYPE_CHECKING:
    from anymodal import Connection

__all__ = ["binary_of"]

VARIABLE = "IMAGEIO_FFMPEG_EXE"


def binary_of(connection: Connection) -> str:
    """
    Return the program: that of the settings, of the environment, on the path, or of the extra.

    Raises:
        ConfigurationError: There is none, or what the settings name is none.
    """
    name = connection.instance or connection.provider
    said = connection.settings.get("binary")
    if said is not None:
        found = shutil.which(str(Path(str(said)).expanduser()))
        if found is None:
            msg = f"{name}: binary = {str(said)!r} is no program."
            raise ConfigurationError(msg)
        return found
    found = shutil.which(os.environ.get(VARIABLE) or "ffmpeg") or _packaged()
    if found is None:
        msg = (
            f"{name}: there is no ffmpeg here. Install it, or anymodal-ffmpeg[binary], or name it "
            "as binary in the settings of the instance."
        )
        raise ConfigurationError(msg)
    return found


def _packaged() -> str | None:
    try:
        get: Callable[[], str] = import_module("imageio_ffmpeg").get_ffmpeg_exe
        return get()
    except (ImportError, RuntimeError):  # the latter says that it holds none for this machine
        return None
