"""Frames of a streamed answer: bytes in, JSON objects on, faults typed."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from anymodal.errors import ContentFilteredError, InvalidRequestError, MalformedReplyError
from anymodal.modalities.messages import Citation
from anymodal.modalities.text import TextEvent
from anymodal.streams import SseSplitter

__all__ = ["MALFORMED", "FrameDecoder", "Object", "citation_of", "filtered", "malformed"]

Object: TypeAlias = dict[str, Any]
"""JSON that is read field by field; what a wrong shape raises is in `MALFORMED`."""

MALFORMED: Final = (
    ArithmeticError,
    AttributeError,
    InvalidRequestError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading an answer raises that is not shaped as its protocol says."""

_json: Final = json.JSONDecoder().decode


def malformed(provider: str, error: Exception, request_id: str | None) -> MalformedReplyError:
    """Return the error for an answer that *error* shows not to follow its protocol."""
    msg = f"{provider}: the answer does not follow the protocol ({type(error).__name__})"
    return MalformedReplyError(msg, provider=provider, request_id=request_id)


def filtered(
    provider: str, words: str | None, request_id: str | None, *, partial: str = ""
) -> ContentFilteredError:
    """Return the error for an answer that a filter stopped or the model refused."""
    why = f": {' '.join(words.split())[:500]}" if words else ""
    msg = f"{provider}: the answer was filtered{why}"
    error = ContentFilteredError(msg, provider=provider, request_id=request_id)
    error.partial = partial
    return error


def citation_of(annotation: Object) -> Citation | None:
    """Return the source that an annotation names, in the form of either protocol, if any."""
    if annotation.get("type") != "url_citation":
        return None
    found = annotation.get("url_citation") or annotation
    url, title = found["url"], found.get("title") or ""
    if not isinstance(url, str) or not isinstance(title, str):
        raise TypeError
    return Citation(url, title, found.get("start_index"), found.get("end_index"))


class FrameDecoder(ABC):
    """
    Turns the bytes of a stream into events. One for each stream.

    Args:
        provider: Id of the provider, for errors.
        request_id: The vendor's id of the request.
    """

    def __init__(self, provider: str, request_id: str | None) -> None:
        self.provider = provider
        self.request_id = request_id
        self._split: Callable[[bytes, list[tuple[bytes, bytes]]], None] = SseSplitter().feed

    def feed(self, chunk: bytes, found: list[TextEvent]) -> None:
        """
        Add the events that *chunk* completes to *found*.

        Raises:
            VendorError: A frame says that the vendor failed, or follows no
                protocol. The events before it are in *found*.
        """
        frames: list[tuple[bytes, bytes]] = []
        try:
            self._split(chunk, frames)
        finally:
            try:
                for name, data in frames:
                    self._frame(name, data, found)
            except MALFORMED as error:
                raise malformed(self.provider, error, self.request_id) from error

    def end(self, found: list[TextEvent]) -> None:  # noqa: B027  # most protocols say when they end
        """Add what is left when the bytes have ended."""

    @abstractmethod
    def _frame(self, name: bytes, data: bytes, found: list[TextEvent]) -> None:
        """Add the events of one frame to *found*."""

    @staticmethod
    def _parsed(data: bytes) -> Object:
        # str() before: json.loads would look for UTF-16 and UTF-32 in every frame.
        found: Object = _json(str(data, "utf-8"))
        return found
