"""Forms: fields and files in one body, as `multipart/form-data`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Final

import attrs

from ..errors import InvalidRequestError
from ..formats import extension
from ..media import Media

__all__ = ["MAX_FORM_BYTES", "Form", "FormPart"]

MAX_FORM_BYTES: Final = 512 * 1024 * 1024

_LONE_END: Final = re.compile("\r\n|\r|\n")
_MEDIA_TYPE: Final = re.compile(r"[\x21-\x7e]+(?:[ \t]*;[ \t]*[\x20-\x7e]+)?")


@attrs.frozen
class FormPart:
    """
    A field or a file of a form.

    Args:
        name: Of the field; several may have the same.
        content: Text for a field; bytes or media for a file.
        filename: What the file is called. Vendors tell types by its ending, so
            media without a name are called after their type; bytes without one
            have none.
        media_type: Its type; that of the media, and nothing is said of other content.

    Raises:
        InvalidRequestError: The type cannot stand in a header, or the media are
            only a URL.
    """

    name: str
    content: str | bytes | Media = attrs.field(repr=False)
    filename: str | None = None
    media_type: str = ""

    def __attrs_post_init__(self) -> None:
        if self.media_type and not _MEDIA_TYPE.fullmatch(self.media_type):
            msg = f"{self.name}: {self.media_type!r} is no media type."
            raise InvalidRequestError(msg, field=self.name)
        if isinstance(self.content, Media) and self.content.url is not None:
            msg = f"{self.name}: bytes are needed, not a URL."
            raise InvalidRequestError(msg, field=self.name)

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        if isinstance(self.content, str):
            return len(self.content.encode("utf-8", "surrogatepass"))
        return len(self.content) if isinstance(self.content, bytes) else self.content.size or 0

    def head(self) -> bytes:
        """Return what stands before the content."""
        filename, media_type = self.filename, self.media_type
        if isinstance(self.content, Media):
            filename = filename or self.content.name or "file" + extension(self.content.media_type)
            media_type = media_type or self.content.media_type
        name = _quoted(_LONE_END.sub("\r\n", self.name))
        lines = f'Content-Disposition: form-data; name="{name}"'
        if filename is not None:
            lines += f'; filename="{_quoted(filename)}"'
        if media_type or filename is not None:
            lines += f"\r\nContent-Type: {media_type or 'application/octet-stream'}"
        return _written(f"{lines}\r\n\r\n", self.name)

    def body(self) -> bytes:
        """Return the content as it is sent; text with its line ends as they are."""
        if isinstance(self.content, str):
            return _written(self.content, self.name)
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def _all(parts: Iterable[FormPart]) -> tuple[FormPart, ...]:
    return tuple(parts)


@attrs.frozen
class Form:
    """
    The body of a request that has files in it; `Http`'s methods take it as `body`.

    Args:
        parts: Its fields and files, in order.
        limit: Most bytes that they may have together.
        boundary: What stands between them; random.
    """

    parts: tuple[FormPart, ...] = attrs.field(converter=_all)
    limit: int = attrs.field(default=MAX_FORM_BYTES, kw_only=True)
    boundary: str = attrs.field(factory=lambda: secrets.token_hex(16), kw_only=True)

    @property
    def content_type(self) -> str:
        """What the request says of its body."""
        return f"multipart/form-data; boundary={self.boundary}"

    def encoded(self) -> bytes:
        """
        Return the body. Files of media are read now.

        Names are quoted as browsers do it (WHATWG HTML, section 4.10.21.8,
        "multipart/form-data encoding algorithm", read 2026-11-20); line ends
        in texts stay as they are, because prompts are no lines of a form.

        Raises:
            InvalidRequestError: It is over the limit, or has text that no UTF-8 is.
        """
        size = sum(part.size for part in self.parts)
        if size > self.limit:
            largest = max(self.parts, key=lambda part: part.size).name
            msg = f"{largest}: the form would have {size} bytes; {self.limit} are allowed."
            raise InvalidRequestError(msg, field=largest)
        mark = f"--{self.boundary}".encode()
        pieces: list[bytes] = []
        for part in self.parts:
            pieces += mark, b"\r\n", part.head(), part.body(), b"\r\n"
        return b"".join((*pieces, mark, b"--\r\n"))


def _quoted(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _written(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        msg = f"{name!r}: the text has half a character in it, which cannot be sent."
        raise InvalidRequestError(msg, field=name) from None
