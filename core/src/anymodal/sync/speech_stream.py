"""
Speech under way, without `await`.

Written by tools/make_sync.py, from facades/speech_stream.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ..facades.speech_stream import SpeechStream
from ..modalities.speech import AudioChunk, SpeechResult
from .face import Face

if TYPE_CHECKING:
    from types import TracebackType

    from ..modalities.sounds import SoundFormat
    from ..modalities.speech import VoiceSpec
    from ..usage import Record

__all__ = ["SyncSpeechStream"]


class SyncSpeechStream(Face[SpeechStream]):
    """
    Speech under way: iterate over its pieces of sound.

    It may be opened in one task and read and closed in another, unless its text
    comes in pieces: then it is left in the task in which it was entered. What was
    read is kept until the stream is gone, for `result`.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about the call so far."""
        return self._inner.record

    @property
    def format(self) -> SoundFormat | None:
        """How the sound is packed; known when the stream is open."""
        return self._inner.format

    @property
    def voice(self) -> VoiceSpec | None:
        """Who speaks; known when the stream is open."""
        return self._inner.voice

    def start(self) -> Self:
        """
        Send the request and wait for the first piece of sound.

        Raises:
            AnymodalError: As `SyncSpeechFacade.synthesize` does.
        """
        self._loop.run(self._inner.start())
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AudioChunk:
        found = self._inner.take()
        return self._loop.next(self._inner) if found is None else found

    def result(self) -> SpeechResult:
        """
        Read to the end and return the whole, also after it was iterated over.

        Raises:
            VendorError: The stream broke.
        """
        return self._loop.run(self._inner.result())

    def close(self) -> None:
        """
        Close the connection, or give it back where all was said.

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
