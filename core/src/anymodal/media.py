"""Pictures, sound, clips and documents: bytes or a URL, with their type."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, Self

import attrs

from .errors import InvalidRequestError
from .formats import sniff

__all__ = ["Audio", "File", "Image", "Media", "Video", "media_from_dict", "sniff"]


@attrs.frozen(repr=False)
class Media:
    """
    Bytes or a URL, and their type.

    Args:
        data: The bytes themselves.
        url: Where the vendor may fetch them. Exactly one of *data* and *url*.
        media_type: Such as `image/png`. Read from *data* where it is not given.
        name: File name, for vendors that show one to the model.

    Raises:
        InvalidRequestError: Both or neither are given, or the type is unknown
            or not of this kind.
    """

    kind: ClassVar[str] = "file"

    data: bytes | None = None
    url: str | None = attrs.field(default=None, kw_only=True)
    media_type: str = attrs.field(default="", kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        label = self.kind
        if (self.data is None) == (self.url is None):
            msg = f"{label}: give either bytes or a URL."
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
        found = self.media_type or (sniff(self.data) if self.data else "") or ""
        if not found and self.data is not None:
            msg = f"{label}: the type of these bytes is unknown; pass media_type=."
            raise InvalidRequestError(msg, field=label)
        if found and label != "file" and not found.startswith(f"{label}/"):
            msg = f"{label}: {found} is not of the kind {label}."
            raise InvalidRequestError(msg, field=label)
        object.__setattr__(self, "media_type", found)

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, media_type: str = "") -> Self:
        """Read a file. Blocks while it does."""
        file = Path(path)
        return cls(file.read_bytes(), media_type=media_type, name=file.name)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the bytes to *path*, which is then complete or as it was.

        Raises:
            InvalidRequestError: There are no bytes, only a URL.
        """
        if self.data is None:
            msg = f"{self.kind}: there are no bytes to save, only a URL."
            raise InvalidRequestError(msg, field=self.kind)
        target = Path(path)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.data)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return target

    def to_base64(self) -> str:
        """Return the bytes in base64."""
        return base64.b64encode(self.data or b"").decode("ascii")

    def to_data_uri(self) -> str:
        """Return the URL, or the bytes as a `data:` URL."""
        return self.url or f"data:{self.media_type};base64,{self.to_base64()}"

    def to_dict(self) -> dict[str, str]:
        """Return a JSON object that `media_from_dict` reads."""
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

    def __repr__(self) -> str:
        where = self.url or f"{len(self.data or b'')} bytes"
        return f"{type(self).__name__}({self.media_type or '?'}, {where})"


@attrs.frozen(repr=False)
class Image(Media):
    """A picture."""

    kind: ClassVar[str] = "image"


@attrs.frozen(repr=False)
class Audio(Media):
    """Sound."""

    kind: ClassVar[str] = "audio"


@attrs.frozen(repr=False)
class Video(Media):
    """A clip."""

    kind: ClassVar[str] = "video"


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
