"""
What was asked and answered, in pieces that are known by their hash.

A conversation is a chain of turns, each known by the hash of the one before and of
its own parts. So the turns that the calls of a chat have in common are one chain, and
a text or picture that is sent twice is one piece.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs
from anymodal.media import Media
from anymodal.modalities.batches import BatchLine
from anymodal.modalities.messages import Citation, Message, Reasoning, ToolCall, ToolResult
from anymodal.modalities.text import TextRequest, TextResult

from .secrecy import Json, address

__all__ = ["Conversation", "Maker", "Piece", "Turn", "fields_of"]

Role: TypeAlias = Literal["system", "user", "assistant"]

DEEPEST: Final = 4
"""How far the requests and answers of other kinds of work are looked into."""

_NOT_SAID: Final = {"model", "options", "record", "raw", "warnings", "deadlines", "state", "finish"}
"""Fields of requests and answers that hold nothing anybody said."""

_SAID: Final = {"prompt", "negative_prompt", "text", "texts", "input", "query", "lyrics", "system"}
"""Fields of other kinds of work whose strings are somebody's words."""


@attrs.frozen
class Piece:
    """
    A text, or the bytes of a picture, sound, clip or document.

    Attributes:
        sha256: Of its bytes; a text's are in UTF-8.
        size: In bytes.
        data: The piece itself; None where it is larger than what is kept.
        media_type: `text/plain` is what is searched.
    """

    sha256: bytes
    size: int
    data: str | bytes | None = attrs.field(repr=False)
    media_type: str = "text/plain"


@attrs.frozen
class Turn:
    """
    A turn of a conversation, and by its hash all turns before it.

    Attributes:
        sha256: Of the turn before, the role and the parts.
        role: Who speaks.
        facts: A JSON array with what is said of each part beside its piece.
        pieces: Those of the parts, in order; a part without one has None.
    """

    sha256: bytes
    role: Role
    facts: str
    pieces: tuple[Piece | None, ...]


@attrs.frozen
class Conversation:
    """
    One prompt and its answer; a batch has several.

    Attributes:
        label: Its key in a batch.
        prompt: The turns, oldest first.
        answer: The turn that answers, if one came.
    """

    label: str
    prompt: tuple[Turn, ...]
    answer: Turn | None = None


Part: TypeAlias = tuple[dict[str, Json], Piece | None]


@attrs.frozen
class Maker:
    """
    Makes conversations of what observers are told.

    Attributes:
        clean: Takes keys out of words.
        max_bytes: Of a larger piece only the hash and the size are kept.
    """

    clean: Callable[[str], str]
    max_bytes: int

    def conversations(self, request: object, answer: object) -> tuple[Conversation, ...]:
        """Return what was said in a call; nothing where it came to no request."""
        if isinstance(request, tuple) and request and isinstance(request[0], BatchLine):
            return tuple(
                Conversation(line.id, self._chain(_turns(line.request))) for line in request
            )
        prompt = self._chain(_turns(request))
        if not prompt and answer is None:
            return ()
        last = prompt[-1].sha256 if prompt else b""
        said = list(_answered(answer))
        return (Conversation("", prompt, self._turn(last, "assistant", said) if said else None),)

    def _chain(self, turns: Iterator[tuple[Role, Sequence[object]]]) -> tuple[Turn, ...]:
        found: list[Turn] = []
        last = b""
        for role, parts in turns:
            found.append(self._turn(last, role, parts))
            last = found[-1].sha256
        return tuple(found)

    def _turn(self, last: bytes, role: Role, parts: Sequence[object]) -> Turn:
        made = [self._part(part) for part in parts]
        facts = json.dumps([fact for fact, _ in made], separators=(",", ":"))
        told = hashlib.sha256(last + role.encode() + b"\0" + facts.encode())
        for _, piece in made:
            told.update(b"\0" if piece is None else piece.sha256)
        return Turn(told.digest(), role, facts, tuple(piece for _, piece in made))

    def _part(self, part: object) -> Part:
        facts: dict[str, Json]
        text: str | None = None
        match part:
            case Media():
                return self._media(part)
            case str():
                facts, text = {"type": "text"}, part
            case Reasoning(text):
                facts = {"type": "reasoning"}
            case ToolCall(id, name, text):
                facts = {"type": "tool_call", "id": id, "name": name}
            case ToolResult(id, text, name, is_error):
                facts = {"type": "tool_result", "id": id, "name": name, "is_error": is_error}
            case Citation(url, title):
                where = address(url, self.clean)
                facts = {"type": "citation", "url": where, "title": self.clean(title)}
            case _:
                facts = {"type": type(part).__name__}
        return facts, None if text is None else self._text(text)

    def _text(self, text: str) -> Piece:
        # SQLite takes no halves of characters, which a vendor's escapes can have
        data = self.clean(text).encode("utf-8", "replace")
        kept = data.decode() if len(data) <= self.max_bytes else None
        return Piece(hashlib.sha256(data).digest(), len(data), kept)

    def _media(self, media: Media) -> Part:
        facts: dict[str, Json] = {"type": media.kind, "media_type": media.media_type}
        if media.name:
            facts["name"] = self.clean(media.name)
        size = media.size
        if size is None:
            return {**facts, "url": address(media.url or "", self.clean)}, None
        kept = media.read_bytes() if size <= self.max_bytes else None
        if kept is not None or media.path is None:
            sha256 = hashlib.sha256(kept or media.read_bytes()).digest()
        else:
            with media.path.open("rb") as file:  # a film need not be in memory for this
                sha256 = hashlib.file_digest(file, "sha256").digest()
        return facts, Piece(sha256, size, kept, media.media_type or "application/octet-stream")


def _turns(request: object) -> Iterator[tuple[Role, Sequence[object]]]:
    """Iterate over who said what before the answer."""
    if isinstance(request, TextRequest):
        if request.system:
            yield "system", (request.system,)
        for message in request.messages:
            yield message.role, message.parts
    elif parts := list(_parts(request, 0, is_said=False)):
        yield "user", parts


def _answered(answer: object) -> Iterator[object]:
    """Iterate over the parts of an answer; a stream that was left before any word has none."""
    message = answer.message if isinstance(answer, TextResult) else answer
    if isinstance(message, Message):
        yield from (part for part in message.parts if part != "")
    else:
        yield from _parts(answer, 0, is_said=False)


def _parts(found: object, depth: int, *, is_said: bool) -> Iterator[object]:
    """Iterate over the words and media in the request or answer of some other kind of work."""
    if isinstance(found, Media) or (is_said and isinstance(found, str) and found):
        yield found
    elif depth == DEEPEST:
        return
    elif isinstance(found, Message):
        yield from found.parts
    elif isinstance(found, list | tuple):
        for one in found:
            if isinstance(one, int | float):
                return  # a vector, which nobody reads
            yield from _parts(one, depth + 1, is_said=is_said)
    else:
        for field in fields_of(found):
            if field.name not in _NOT_SAID:
                value = getattr(found, field.name)
                yield from _parts(value, depth + 1, is_said=field.name in _SAID)


def fields_of(one: object) -> Iterable[attrs.Attribute[Any]]:
    """Return the fields of *one*; none where it is of no attrs class."""
    found: Iterable[attrs.Attribute[Any]] = getattr(type(one), "__attrs_attrs__", ())
    return found
