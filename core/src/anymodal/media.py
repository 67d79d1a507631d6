"""Pictures, sound, clips and documents: bytes, a URL or a file, with their type."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, Self, cast

import attrs

from . import formats
from .errors import InvalidRequestError
from .files import replacing
from .formats import HEAD_BYTES, Clip, Sound, of_kind, sniff

__all__ = ["Audio", "File", "Image", "Media", "Video", "media_from_dict", "sniff"]


MAX_SHOWN_BYTES: Final = 8 * 1024 * 1024
"""Largest media that a notebook shows: it keeps them in its file, a third larger."""

_NATIVE: Final = frozenset({"image/gif", "image/jpeg", "image/png"})
"""What notebooks show by themselves."""


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)


@attrs.frozen(repr=False)
class Media:
    """
    Bytes, a URL or a file, and their type.

    Args:
        data: The bytes themselves.
        url: Where the vendor may fetch them.
        path: Of a file that is read when its bytes are asked for, and not kept: for what
            is large. Exactly one of *data*, *url* and *path*.
        media_type: Such as `image/png`. Read from the first bytes where it is not given.
        name: File name, for vendors that show one to the model; that of *path*.

    Raises:
        InvalidRequestError: Several or none are given, the type is unknown or not of
            this kind, or the file cannot be read.
    """

    kind: ClassVar[str] = "file"

    data: bytes | None = None
    url: str | None = attrs.field(default=None, kw_only=True)
    path: Path | None = attrs.field(default=None, kw_only=True, converter=_path)
    media_type: str = attrs.field(default="", kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        label = self.kind
        if (self.data is None) + (self.url is None) + (self.path is None) != 2:
            msg = f"{label}: give either bytes or a URL, or the path of a file."
            raise InvalidRequestError(msg, field=label)
        if self.data is not None and not isinstance(self.data, bytes):
            msg = f"{label}: bytes are needed, not {type(self.data).__name__}."
            raise InvalidRequestError(msg, field=label)
        if self.data == b"":
            msg = f"{label}: it is empty."
            raise InvalidRequestError(msg, field=label)
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            msg = f"{label}: a URL starts with http:// or https://."
            raise InvalidRequestError(msg, field=label)
        head = self._head() if not self.media_type else None
        found = self.media_type or of_kind((sniff(head) if head else None) or "", label)
        if not found and self.url is None:
            msg = f"{label}: the type of these bytes is unknown; pass media_type=."
            raise InvalidRequestError(msg, field=label)
        if found and label != "file" and not found.startswith(f"{label}/"):
            msg = f"{label}: {found} is not of the kind {label}."
            raise InvalidRequestError(msg, field=label)
        object.__setattr__(self, "media_type", found)
        if self.path is not None and self.name is None:
            object.__setattr__(self, "name", self.path.name)

    def _head(self) -> bytes | None:
        """Return the first bytes; None of a URL."""
        if self.path is None:
            return self.data
        try:
            with self.path.open("rb") as file:
                head = file.read(HEAD_BYTES)
        except OSError as error:
            raise self._unreadable(error) from error
        if not head:
            msg = f"{self.kind}: {self.path} is empty."
            raise InvalidRequestError(msg, field=self.kind)
        return head

    def _unreadable(self, error: OSError) -> InvalidRequestError:
        why = error.strerror or type(error).__name__
        msg = f"{self.kind}: {self.path} cannot be read ({why})."
        return InvalidRequestError(msg, field=self.kind)

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, media_type: str = "") -> Self:
        """Read a file. Blocks while it does."""
        file = Path(path)
        return cls(file.read_bytes(), media_type=media_type, name=file.name)

    @property
    def size(self) -> int | None:
        """How many bytes there are; None of a URL, or where the file is gone."""
        if self.path is None:
            return None if self.data is None else len(self.data)
        try:
            return self.path.stat().st_size
        except OSError:
            return None

    def read_bytes(self) -> bytes:
        """
        Return the bytes. Blocks while it reads a file.

        Raises:
            InvalidRequestError: There are none, only a URL, or the file cannot be read.
        """
        if self.data is not None:
            return self.data
        if self.path is None:
            msg = f"{self.kind}: there are no bytes, only a URL."
            raise InvalidRequestError(msg, field=self.kind)
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self._unreadable(error) from error

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the bytes to *path*, which is then complete or as it was.

        Raises:
            InvalidRequestError: There are none, only a URL, or the file cannot be read.
        """
        if self.url is not None:
            msg = f"{self.kind}: there are no bytes to save, only a URL."
            raise InvalidRequestError(msg, field=self.kind)
        target = Path(path)
        with replacing(target, private=False) as file:
            if self.data is not None:
                file.write(self.data)
            else:
                self._copy(file)
        return target

    def _copy(self, file: BinaryIO) -> None:
        try:
            source = cast("Path", self.path).open("rb")
        except OSError as error:
            raise self._unreadable(error) from error
        with source:
            shutil.copyfileobj(source, file)

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        """
        Return the bytes to be read in part.

        Raises:
            OSError: The file cannot be read.
        """
        return self.path.open("rb") if self.path is not None else io.BytesIO(self.data or b"")

    def to_base64(self) -> str:
        """Return the bytes in base64; nothing for a URL."""
        return "" if self.url else base64.b64encode(self.read_bytes()).decode("ascii")

    def to_data_uri(self) -> str:
        """Return the URL, or the bytes as a `data:` URL."""
        return self.url or f"data:{self.media_type};base64,{self.to_base64()}"

    def to_dict(self) -> dict[str, str]:
        """Return a JSON object that `media_from_dict` reads; it holds the bytes of a file."""
        found = {"type": self.kind}
        if self.media_type:
            found["media_type"] = self.media_type
        if self.name is not None:
            found["name"] = self.name
        if self.url:
            found["url"] = self.url
        else:
            found["data"] = self.to_base64()
        return found

    def _repr_mimebundle_(
        self,
        include: Collection[str] | None = None,  # noqa: ARG002  # notebooks pass it
        exclude: Collection[str] | None = None,  # noqa: ARG002  # as above
    ) -> dict[str, str]:
        """Return what a notebook shows; of what is large or elsewhere, words alone."""
        shown = {"text/plain": repr(self)}
        size = self.size
        if size is not None and size <= MAX_SHOWN_BYTES:
            with contextlib.suppress(InvalidRequestError):
                shown |= self._shown()
        return shown

    def _shown(self) -> dict[str, str]:
        return {}

    def __repr__(self) -> str:
        where = self.url or self.path or f"{self.size} bytes"
        return f"{type(self).__name__}({self.media_type or '?'}, {where})"


@attrs.frozen(repr=False)
class Image(Media):
    """A picture."""

    kind: ClassVar[str] = "image"

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """
        Width and height in pixels as stored, read from the head.

        Of PNG, JPEG, GIF, WebP, BMP, AVIF and HEIC; None of others, of a URL, and of
        what is damaged.
        """
        try:
            with self._opened() as file:
                return formats.dimensions(file, self.media_type)
        except OSError:
            return None

    def _shown(self) -> dict[str, str]:
        if self.media_type in _NATIVE:
            return {self.media_type: self.to_base64()}
        return {"text/html": f'<img src="{html.escape(self.to_data_uri())}">'}


@attrs.frozen(repr=False)
class Audio(Media):
    """Sound."""

    kind: ClassVar[str] = "audio"

    @property
    def facts(self) -> Sound:
        """
        What the file says of itself: length, rate, channels, codec.

        Of WAV, AIFF, MP3, AAC, FLAC, Ogg, MP4 and WebM. What is not told is None, as
        is everything of a URL and of what is damaged.
        """
        try:
            with self._opened() as file:
                return formats.sound(file, self.media_type)
        except OSError:
            return Sound()

    @property
    def seconds(self) -> float | None:
        """How long it lasts, where `facts` tell."""
        return self.facts.seconds

    @property
    def sample_rate_hz(self) -> int | None:
        """Samples of each channel per second, where `facts` tell."""
        return self.facts.sample_rate_hz

    @property
    def channels(self) -> int | None:
        """How many channels there are, where `facts` tell."""
        return self.facts.channels

    def _shown(self) -> dict[str, str]:
        return {"text/html": f'<audio controls src="{html.escape(self.to_data_uri())}"></audio>'}


@attrs.frozen(repr=False)
class Video(Media):
    """A clip."""

    kind: ClassVar[str] = "video"

    @property
    def facts(self) -> Clip:
        """
        What the file says of itself: length, size in pixels, sound.

        Of MP4, MOV and WebM. What is not told is None, as is everything of a URL and
        of what is damaged.
        """
        try:
            with self._opened() as file:
                return formats.clip(file, self.media_type)
        except OSError:
            return Clip()

    @property
    def seconds(self) -> float | None:
        """How long it lasts, where `facts` tell."""
        return self.facts.seconds

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height in pixels as shown, where `facts` tell."""
        return self.facts.dimensions

    def _shown(self) -> dict[str, str]:
        return {"text/html": f'<video controls src="{html.escape(self.to_data_uri())}"></video>'}


@attrs.frozen(repr=False)
class File(Media):
    """A document, such as a PDF, or anything else with a type."""


_KINDS: Final[Mapping[str, type[Media]]] = {cls.kind: cls for cls in (Image, Audio, Video, File)}


def media_from_dict(found: Mapping[str, object]) -> Media:
    """
    Read what `Media.to_dict` wrote.

    Raises:
        InvalidRequestError: The object is not one.
    """
    cls = _KINDS.get(str(found.get("type")))
    if cls is None:
        msg = f"part: {found.get('type')!r} is not a kind of media."
        raise InvalidRequestError(msg, field="parts")
    texts = {key: found[key] for key in ("url", "media_type", "name", "data") if key in found}
    for key, value in texts.items():
        if not isinstance(value, str):
            msg = f"{cls.kind}: {key} is a string, not {type(value).__name__}."
            raise InvalidRequestError(msg, field=cls.kind)
    try:
        data = base64.b64decode(str(texts["data"]), validate=True) if "data" in texts else None
    except ValueError as error:
        msg = f"{cls.kind}: data is not base64."
        raise InvalidRequestError(msg, field=cls.kind) from error
    return cls(
        data,
        url=str(texts["url"]) if "url" in texts else None,
        media_type=str(texts.get("media_type", "")),
        name=str(texts["name"]) if "name" in texts else None,
    )
