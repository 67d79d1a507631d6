"""What commands ask: whom, by which options, and with which files."""

from __future__ import annotations

import mimetypes
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from .. import errors as e
from ..media import Audio, File, Image, Media, Video, sniff
from ..modalities.messages import Part

__all__ = [
    "attach_option",
    "attached",
    "choice",
    "is_piped",
    "model_option",
    "said",
    "standard_input",
    "system_option",
]

_KINDS: Final = {"image": Image, "audio": Audio, "video": Video}

model_option = click.option(
    "-m", "--model", "models", metavar="MODEL", multiple=True,
    help="Such as provider/model. Several are tried in order.",
)  # fmt: skip
system_option = click.option("-s", "--system", metavar="SYSTEM", help="The system prompt.")
attach_option = click.option(
    "--attach", "attachments", metavar="FILE", multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A picture, sound, clip or document to send along.",
)  # fmt: skip


def choice(models: Sequence[str]) -> str | Sequence[str] | None:
    """Return *models* as a call takes them: one name alone brings the settings' fallbacks."""
    return models[0] if len(models) == 1 else tuple(models) or None


def is_piped() -> bool:
    """Whether standard input is a pipe, a socket or a file, and not a terminal or nothing."""
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def standard_input() -> bytes:
    """Return all of standard input."""
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def attached(path: Path) -> Media:
    """
    Return a file as the kind of part that its bytes, or else its name, show.

    Raises:
        InvalidRequestError: It is empty, or of no kind that is known.
        OSError: It cannot be read.
    """
    return _media(path.read_bytes(), path.name, str(path))


def said(data: bytes) -> Part:
    """
    Return what was piped in: words, or else whatever its bytes show.

    Raises:
        InvalidRequestError: They show nothing.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _media(data, "", "standard input")


def _media(data: bytes, name: str, where: str) -> Media:
    kind = sniff(data) or mimetypes.guess_type(name)[0] or _text_type(data)
    if not data or kind is None:
        what = "it is empty" if not data else "it is of no kind that is known"
        msg = f"{where} cannot be sent: {what}."
        raise e.InvalidRequestError(msg, field="attach")
    cls = _KINDS.get(kind.partition("/")[0], File)
    return cls(data, media_type=kind, name=name or None)


def _text_type(data: bytes) -> str | None:
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain"
