"""
A turn of a conversation under way, tools included, without `await`.

Written by tools/make_sync.py, from facades/chat_stream.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, Self

from ..facades.chat_stream import ChatEvent, ChatStream
from ..modalities.text import OutputT, TextResult
from .face import Face

if TYPE_CHECKING:
    from types import TracebackType

    from ..usage import Record

__all__ = ["SyncChatStream"]


class SyncChatStream(Face[ChatStream[OutputT]], Generic[OutputT]):
    """
    A turn of a conversation under way; made by `SyncChat.stream`.

    Left early, it keeps in the conversation what was said until then. Broken off by
    an error, it keeps what was said before the call that failed.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about the latest of its calls."""
        return self._inner.record

    def start(self) -> Self:
        """
        Say the prompt and wait for the first event.

        Raises:
            AnymodalError: As `SyncTextFacade.generate` does.
        """
        self._loop.run(self._inner.start())
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChatEvent:
        found = self._inner.take()
        return self._loop.next(self._inner) if found is None else found

    @property
    def text(self) -> Iterator[str]:
        """The words of all rounds, piece by piece."""
        return self._loop.each(self._inner.text)

    def result(self) -> TextResult[OutputT]:
        """Read to the end and return the last answer."""
        return self._loop.run(self._inner.result())

    def close(self) -> None:
        """Close the connection; what was said so far stays in the conversation."""
        self._loop.run(self._inner.aclose())

    def __enter__(self) -> Self:
        self._loop.run(self._inner.__aenter__())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.run(self._inner.__aexit__(exc_type, exc, traceback))
