"""
A conversation by voice, under way, without `await`.

Written by tools/make_sync.py, from facades/conversing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from ..facades.conversing import RealtimeSession, SessionEvent
from ..modalities.live import AudioFormat
from ..modalities.messages import ToolResult
from .face import Face

if TYPE_CHECKING:
    from types import TracebackType

    from ..usage import Record

__all__ = ["SyncRealtimeSession"]


class SyncRealtimeSession(Face[RealtimeSession]):
    """
    A conversation by voice: send sound and text, and iterate over what happens.

    One task may send while another reads, and a third may close it. Tools run while it
    goes on; a `ToolRan` says what the model will read. Somebody has to read: who does
    not holds the vendor up, after some sixty events.
    """

    __slots__ = ()

    @property
    def record(self) -> Record:
        """What is known about the call so far; what it used and cost, when it is closed."""
        return self._inner.record

    @property
    def input_format(self) -> AudioFormat:
        """How the sound has to be packed that is sent; known when the session is open."""
        return self._inner.input_format

    @property
    def output_format(self) -> AudioFormat:
        """How the answers are packed; known when the session is open."""
        return self._inner.output_format

    def start(self) -> Self:
        """
        Connect, so that something may be said.

        Raises:
            RequestError: Nothing was sent.
            VendorError: The vendor refused or failed.
        """
        self._loop.run(self._inner.start())
        return self

    def send_audio(self, data: bytes) -> None:
        """
        Send sound, packed as `input_format` says, in pieces of any size.

        Waits while the provider has enough to do.

        Args:
            data: Sound that follows what was sent before.

        Raises:
            InvalidRequestError: It is no bytes.
            VendorError: The session broke.
        """
        self._loop.run(self._inner.send_audio(data))

    def send_text(self, text: str, *, respond: bool = True) -> None:
        """
        Say something in writing.

        Args:
            text: What the user says.
            respond: Whether the model is to answer.

        Raises:
            InvalidRequestError: There are no words.
            VendorError: The session broke.
        """
        self._loop.run(self._inner.send_text(text, respond=respond))

    def commit(self, *, respond: bool = True) -> None:
        """
        Say that the user has finished, where `turns` leaves that to the caller.

        Args:
            respond: Whether the model is to answer.

        Raises:
            InvalidRequestError: No sound was sent since the last time.
            VendorError: The session broke.
        """
        self._loop.run(self._inner.commit(respond=respond))

    def respond(self, instructions: str | None = None) -> None:
        """
        Have the model answer, when the answer under way has ended.

        Args:
            instructions: For this answer, in place of the session's.

        Raises:
            VendorError: The session broke.
        """
        self._loop.run(self._inner.respond(instructions))

    def interrupt(self, *, played: float | None = None) -> None:
        """
        End the answer under way, and tell the vendor how much of it was heard.

        What of it was not read yet is dropped. Call this when somebody speaks
        (`SpeechStarted`) while sound is played, also where the vendor stops by itself.

        Args:
            played: Seconds of the last answer's sound that were heard; None for all
                that was given out.

        Raises:
            InvalidRequestError: It is no number of seconds.
            VendorError: The session broke.
        """
        self._loop.run(self._inner.interrupt(played=played))

    def send_results(self, results: Sequence[ToolResult]) -> None:
        """
        Say what tools gave that the caller runs; when all of an answer are there, it goes on.

        Args:
            results: For calls of `ToolRequested` events.

        Raises:
            InvalidRequestError: Nobody asked for one of them.
            VendorError: The session broke.
        """
        self._loop.run(self._inner.send_results(results))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SessionEvent:
        found = self._inner.take()
        return self._loop.next(self._inner) if found is None else found

    def close(self) -> None:
        """Hang up. Tools that still run are cancelled."""
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
