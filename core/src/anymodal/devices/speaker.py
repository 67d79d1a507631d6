"""A speaker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self

import anyio.lowlevel
import anyio.to_thread

from .. import errors as e
from ..modalities.live import AudioFormatLike
from ..shielding import shielded
from .bell import Bell
from .library import Card, Device, SoundLibrary, card_format, held_bytes, loaded, opened

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Speaker"]

PIECE_SECONDS: Final = 0.02


class Speaker:
    """
    A speaker: enter it, and have it play sound.

    Leaving the block plays what is left, unless by an error. The sound card has a thread
    of its own, which never waits for the event loop; where nothing is left, it plays silence.

    Args:
        format: How the sound is packed that it is given, such as `pcm_s16le_24000`.
        device: Which one; None is the system's choice.
        held_seconds: How much is held at most; `play` waits past it.
        library: `sounddevice`, or what has its face.

    Raises:
        InvalidRequestError: No card takes sound that is packed so, or *held_seconds* is less
            than a piece.
    """

    def __init__(
        self,
        format: AudioFormatLike = "pcm_s16le_24000",  # noqa: A002  # the word for it
        *,
        device: Device | None = None,
        held_seconds: float = 2.0,
        library: SoundLibrary | None = None,
    ) -> None:
        self.format = card_format(format)
        self._device = device
        self._most = held_bytes(self.format, held_seconds, PIECE_SECONDS)
        self._library = library
        self._card: Card | None = None
        self._lag = 0
        self._guard = threading.Lock()  # of what follows, which two threads share
        self._sound = bytearray()
        self._given = 0  # bytes of sound that the card got, ever
        self._silence = 0  # and of silence since
        self._begin = 0  # where in it the last answer began
        self._flushes = 0
        self._rest = b""
        self._item_id: str | None = None
        self._is_over = True
        self._fault: e.ConfigurationError | None = None

    async def start(self) -> Self:
        """
        Get ready to play.

        Raises:
            ConfigurationError: The extra, PortAudio or the device is missing.
        """
        if self._card is None:
            self._bell, self._is_over, self._fault = Bell(), False, None
            self._rest = b""
            try:
                await shielded(anyio.to_thread.run_sync(self._open))
            except BaseException:
                await self.aclose()
                raise
        return self

    def _open(self) -> None:
        library = self._library or loaded()
        self._card = card = opened(
            library,
            library.RawOutputStream,
            self.format,
            device=self._device,
            blocksize=max(int(self.format.rate * PIECE_SECONDS), 1),
            latency="low",
            callback=self._fill,
            finished_callback=self._end,
        )
        self._lag = int(card.latency * self.format.rate) * self.format.frame_bytes

    def _fill(self, out: Any, _frames: int, _time: object, _status: object) -> None:
        """Give the card what it wants, in its thread."""
        with self._guard:
            piece = bytes(self._sound[: len(out)])
            del self._sound[: len(out)]
            silent = len(out) - len(piece)
            self._given += len(piece)
            self._silence = self._silence + silent if not piece else silent
        out[:] = piece + bytes(silent)
        self._bell.ring()

    def _end(self) -> None:
        """Take note that the card stopped, in its thread: nobody asked for it if this is open."""
        with self._guard:
            if not self._is_over:
                self._is_over = True
                msg = "The speaker stopped: it was unplugged, or the system took it away."
                self._fault = e.ConfigurationError(msg)
        self._bell.ring()

    async def play(self, data: bytes, item_id: str | None = None) -> None:
        """
        Play sound after what came before. Waits while enough is held.

        Args:
            data: The sound, in pieces of any size.
            item_id: Of which answer it is: `played` counts the last one's. None where
                `flush` and `drain` end answers.

        Raises:
            ConfigurationError: It is not open, or the device is gone.
        """
        await anyio.lowlevel.checkpoint()
        if item_id != self._item_id:
            self._item_id = item_id
            with self._guard:
                self._begin = self._given + len(self._sound)
        sound = self._rest + data
        whole = len(sound) - len(sound) % self.format.frame_bytes
        left, self._rest = memoryview(sound)[:whole], sound[whole:]
        flushes = self._flushes
        while left:
            rung = self._opened().next
            with self._guard:
                if flushes != self._flushes:  # while this waited for room
                    return
                room = max(self._most - len(self._sound), 0)
                self._sound += left[:room]
            left = left[room:]
            if left:
                await rung.wait()

    async def drain(self) -> None:
        """
        Wait until all of it was heard. What is played next is another answer's.

        Raises:
            ConfigurationError: It is not open, or the device is gone.
        """
        while True:
            rung = self._opened().next
            with self._guard:
                if not self._sound and (self._silence >= self._lag or not self._given):
                    self._begin = self._given
                    return
            await rung.wait()

    @property
    def played(self) -> float:
        """How many seconds of the last answer were heard, as far as the card tells."""
        with self._guard:
            return self._heard()

    def _heard(self) -> float:
        late = max(self._lag - self._silence, 0)
        return self.format.seconds(max(self._given - late - self._begin, 0)) or 0.0

    def flush(self) -> float:
        """
        Fall silent, and forget what was not played, what `play` still waits with included.

        Returns:
            How many seconds of the last answer were heard: what `interrupt` of a
            conversation tells its vendor.
        """
        with self._guard:
            heard = self._heard()
            self._sound.clear()
            self._rest = b""
            self._begin = self._given
            self._flushes += 1
        if hasattr(self, "_bell"):
            self._bell.ring()
        return heard

    def _opened(self) -> Bell:
        if self._fault is not None:
            raise self._fault
        if self._is_over:
            msg = "The speaker is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        return self._bell

    async def aclose(self) -> None:
        """Fall silent, and give the device back."""
        with self._guard:
            self._is_over = True
            self._sound.clear()
        card, self._card = self._card, None
        if card is not None:
            await shielded(anyio.to_thread.run_sync(card.close))
        if hasattr(self, "_bell"):
            self._bell.ring()  # who plays meanwhile is told

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None:
                await self.drain()
        finally:
            await self.aclose()
