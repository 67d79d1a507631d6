"""
An answer under way, without `await`.

Written by tools/make_sync.py, from facades/text_stream.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, Self

from ..facades.text_stream import StreamEvent, TextStream
from ..modalities.text import OutputT, TextResult
from .face import Face

if TYPE_CHECKING:
    from types import TracebackType

    from ..usage import Record

__all__ = ["SyncTextStream"]


class SyncTextStream(Face[TextStream[OutputT]], Generic[OutputT]):
    """
    An answer under way: iterate over its events, or over its `text`.

    It may be opened in one task and read and closed in another, but not be read
    by two at once. What was read is kept until the stream is gone, for `result`.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._inner.record

    def start(self) -> Self:
        """
        Send the request and wait for the first event.

        Raises:
            AnymodalError: As `SyncTextFacade.generate` does.
        """
        self._loop.run(self._inner.start())
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent:
        found = self._inner.take()
        return self._loop.next(self._inner) if found is None else found

    @property
    def text(self) -> Iterator[str]:
        """The answer's words, piece by piece."""
        return self._loop.each(self._inner.text)

    @property
    def said(self) -> str:
        """The words so far."""
        return self._inner.said

    def result(self) -> TextResult[OutputT]:
        """
        Read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The stream broke; `partial` has the text so far.
        """
        return self._loop.run(self._inner.result())

    def close(self) -> None:
        """
        Close the connection, or give it back where the answer is whole.

        Who reads in another task gets the error of a stream that is not open.
        """
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
