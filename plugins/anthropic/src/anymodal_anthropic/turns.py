"""A conversation's turns in the vendor's form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final

from anymodal.errors import InvalidRequestError, UnsupportedFeatureError
from anymodal.media import File, Image, Media
from anymodal.modalities.messages import (
    Citation,
    Message,
    Part,
    Reasoning,
    ToolCall,
    ToolResult,
)
from anymodal.modalities.text import TextRequest

from .faults import Object

__all__ = ["Turns"]

IMAGES: Final = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
"""Source: anthropic 2.11, `types/base64_image_source_param.py`; read 2026-11-20."""
TEXTS: Final = frozenset({"application/json", "application/xml"})
"""Types beside `text/…` whose bytes go as plain text."""

_TOOL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
"""What the vendor takes; else HTTP 400. Seen in many reports, such as
https://github.com/maximhq/bifrost/issues/5097; read 2026-11-20."""


class Turns:
    """
    Turns the messages of one request into the vendor's.

    Args:
        provider: Whose state goes back.
        request: Takes the warnings.
        citations: Whether files are to be cited.
    """

    def __init__(self, provider: str, request: TextRequest, *, citations: bool = False) -> None:
        self._provider = provider
        self._request = request
        self._citations = citations
        self._used: set[str] = set()
        self._ids: dict[str, str] = {}

    def all(self) -> list[Object]:
        """
        Return all turns but those that are empty, which the vendor refuses.

        Raises:
            InvalidRequestError: A tool call's arguments are no JSON object.
            UnsupportedFeatureError: The vendor has no form for a part.
        """
        found: list[Object] = []
        for message in self._request.messages:
            if message.role == "assistant":
                self._add(found, "assistant", self._assistant(message))
                # Results stand in the user's turn here, wherever they stood.
                self._add(found, "user", self._results(message))
            else:
                self._add(found, "user", self._user(message))
        return found

    @staticmethod
    def _add(found: list[Object], role: str, content: Sequence[Object]) -> None:
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            found.append({"role": role, "content": content[0]["text"]})
        elif content:
            found.append({"role": role, "content": list(content)})

    def _user(self, message: Message) -> list[Object]:
        content = self._results(message)  # the vendor wants them before all else
        for part in message.parts:
            match part:
                case ToolCall() | Reasoning() | Citation():
                    name = type(part).__name__
                    self._request.warn("messages", f"a {name} in a user's turn was left out")
                case str() if part.strip():
                    content.append({"type": "text", "text": part})
                case Image():
                    content.append({"type": "image", "source": _image(part)})
                case File():
                    content.append(self._document(part))
                case Media():
                    raise _unsupported(part, "the vendor has no form for it")
        return content

    def _results(self, message: Message) -> list[Object]:
        found: list[Object] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                block: Object = {
                    "type": "tool_result",
                    "tool_use_id": self._ids.get(part.id, part.id),
                    "content": part.content,
                }
                if part.is_error:
                    block["is_error"] = True
                found.append(block)
        return found

    def _document(self, part: File) -> Object:
        block: Object = {"type": "document", "source": _source(part)}
        if part.name:
            block["title"] = part.name
        if self._citations:
            block["citations"] = {"enabled": True}
        return block

    # -- the model's turns ---------------------------------------------------------

    def _assistant(self, message: Message) -> list[Object]:
        kept = self._kept(message)
        if kept is not None:
            for block in kept:
                if block["type"] == "tool_use":
                    self._used.add(block["id"])
                    self._ids[block["id"]] = block["id"]
            return kept
        content: list[Object] = []
        for part in message.parts:
            match part:
                case str() if part.strip():
                    content.append({"type": "text", "text": part})
                case ToolCall():
                    content.append(self._call(part))
                case Media():
                    raise _unsupported(part, "the vendor takes none in a model's turn")
                case _:
                    pass  # the model's own words about its answer; what it needs is state
        return content

    def _kept(self, message: Message) -> list[Object] | None:
        """
        Return the turn as the vendor gave it, where that is known and was not edited.

        Blank text is left out: the vendor writes it, but does not take it back.
        """
        for state in message.state:
            if state.provider != self._provider:
                self._request.warn("state", f"what {state.provider} wants back was left out")
                continue
            try:
                content: list[Object] = list(state.data["content"])  # type: ignore[index]  # checked by what it raises
                if _gist(content) == _gist_of(message.parts):
                    return [b for b in content if b["type"] != "text" or b["text"].strip()]
            except (LookupError, TypeError, AttributeError) as error:
                msg = f"state: it is not what {self._provider} gave."
                raise InvalidRequestError(msg, field="state") from error
            self._request.warn(
                "state", "left out with its thinking, because the turn was changed since"
            )
        return None

    def _call(self, part: ToolCall) -> Object:
        try:
            arguments = json.loads(part.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            msg = f"messages: the arguments of the call of {part.name} are no JSON object."
            raise InvalidRequestError(msg, field="messages")
        self._ids[part.id] = self._usable(part.id)
        return {
            "type": "tool_use",
            "id": self._ids[part.id],
            "name": part.name,
            "input": arguments,
        }

    def _usable(self, found: str) -> str:
        """Return *found*, or an id made of it where the vendor would refuse it or had it before."""
        usable, tries = found, 0
        while usable in self._used or not _TOOL_ID.fullmatch(usable):
            usable = f"toolu_{hashlib.sha256(f'{tries} {found}'.encode()).hexdigest()[:24]}"
            tries += 1
        self._used.add(usable)
        return usable


def _gist(content: Sequence[Object]) -> tuple[str, list[str]]:
    """Return the words and the calls of a turn, by which an edit is seen."""
    words = "".join(block["text"] for block in content if block["type"] == "text")
    return words, [block["id"] for block in content if block["type"] == "tool_use"]


def _gist_of(parts: Sequence[Part]) -> tuple[str, list[str]]:
    words = "".join(part for part in parts if isinstance(part, str))
    return words, [part.id for part in parts if isinstance(part, ToolCall)]


# -- media ----------------------------------------------------------------------------


def _image(part: Image) -> Object:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.media_type not in IMAGES:
        raise _unsupported(part, f"the vendor takes no {part.media_type}")
    return {"type": "base64", "media_type": part.media_type, "data": part.to_base64()}


def _source(part: File) -> Object:
    kind = part.media_type
    if part.url is not None:
        if kind not in {"", "application/pdf"}:
            raise _unsupported(part, "the vendor fetches nothing but PDF")
        return {"type": "url", "url": part.url}
    if kind == "application/pdf":
        return {"type": "base64", "media_type": kind, "data": part.to_base64()}
    if kind.startswith("text/") or kind in TEXTS:
        words = part.read_bytes().decode("utf-8", "replace")
        return {"type": "text", "media_type": "text/plain", "data": words}
    raise _unsupported(part, f"the vendor takes PDF and plain text, no {kind}")


def _unsupported(part: Media, what: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(f"{part.kind}: {what}; nothing was sent.")
