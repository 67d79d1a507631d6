"""
Sound that is transcribed while it is spoken, without `await`.

Written by tools/make_sync.py, from facades/hearing.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ..facades.hearing import LiveTranscription
from ..modalities.transcription import Heard, TranscriptionResult
from .face import Face

if TYPE_CHECKING:
    from types import TracebackType

    from ..modalities.live import AudioFormat
    from ..usage import Record

__all__ = ["SyncLiveTranscription"]


class SyncLiveTranscription(Face[LiveTranscription]):
    """
    Sound that is transcribed while it is spoken: send it, and iterate over what is heard.

    One task may send while another reads, and a third may close it. What was heard is
    kept until it is gone, for `result`.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._inner.record

    @property
    def format(self) -> AudioFormat:
        """How the sound has to be packed that is sent."""
        return self._inner.format

    def start(self) -> Self:
        """
        Connect, so that sound may be sent.

        Raises:
            AnymodalError: As `SyncTranscriptionFacade.transcribe` does.
        """
        self._loop.run(self._inner.start())
        return self

    def send(self, data: bytes) -> None:
        """
        Send sound, packed as `format` says, in pieces of any size.

        Waits while the provider has enough to do. Somebody has to read what is heard
        meanwhile: who does not is told to wait as well, after some hundred events.

        Args:
            data: Sound that follows what was sent before.

        Raises:
            InvalidRequestError: It is no bytes, or comes after `finish`.
            VendorError: The session broke, or the vendor has ended it.
        """
        self._loop.run(self._inner.send(data))

    def finish(self) -> None:
        """
        Say that no more sound will come; iterating then ends when all was heard.

        Raises:
            VendorError: The session broke.
        """
        self._loop.run(self._inner.finish())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Heard:
        found = self._inner.take()
        return self._loop.next(self._inner) if found is None else found

    @property
    def text(self) -> str:
        """What was said so far, as far as it does not change any more."""
        return self._inner.text

    def result(self) -> TranscriptionResult:
        """
        Finish, read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The session broke; `partial` of an `IncompleteError` has the text so far.
        """
        return self._loop.run(self._inner.result())

    def close(self) -> None:
        """Hang up. What was sent is billed; what was not yet heard is lost."""
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
