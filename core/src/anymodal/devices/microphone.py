"""A microphone."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

import anyio.lowlevel
import anyio.to_thread

from .. import errors as e
from ..modalities.live import AudioFormatLike
from ..shielding import shielded
from .bell import Bell
from .library import Card, Device, SoundLibrary, card_format, held_bytes, loaded, opened

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Microphone", "WhenFull"]

WhenFull = Literal["drop", "wait"]

PIECE_SECONDS: Final = 0.04
"""How much sound comes at a time: short beside what a vendor takes to answer."""


class Microphone:
    """
    A microphone: enter it, and iterate over what it hears.

    The sound card has a thread of its own, which never waits for the event loop; what it
    hears is held until it is read. One task reads, and another may close it.

    Args:
        format: How the sound is to be packed, such as `pcm_s16le_16000`.
        device: Which one; None is the system's choice.
        when_full: What happens when nobody reads: `drop` forgets the oldest sound and
            counts it in `lost_seconds`; `wait` holds the card up, which then drops what
            is newest, and tells how often, in `overflows`.
        held_seconds: How much is held for a slow reader.
        library: `sounddevice`, or what has its face.

    Raises:
        InvalidRequestError: No card packs sound so, or *held_seconds* is less than a piece.
    """

    def __init__(
        self,
        format: AudioFormatLike = "pcm_s16le_16000",  # noqa: A002  # the word for it
        *,
        device: Device | None = None,
        when_full: WhenFull = "drop",
        held_seconds: float = 5.0,
        library: SoundLibrary | None = None,
    ) -> None:
        if when_full not in get_args(WhenFull):
            msg = f"when_full: drop or wait is needed, not {when_full!r}."
            raise e.InvalidRequestError(msg, field="when_full")
        self.format = card_format(format)
        self._device = device
        self._waits = when_full == "wait"
        self._most = held_bytes(self.format, held_seconds, PIECE_SECONDS)
        self._library = library
        self._card: Card | None = None
        self._room = threading.Condition()  # guards what follows, which two threads share
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._lost = 0
        self._overflows = 0
        self._is_over = True
        self._fault: e.ConfigurationError | None = None

    @property
    def lost_seconds(self) -> float:
        """How much sound was forgotten because nobody read it."""
        return self.format.seconds(self._lost) or 0.0

    @property
    def overflows(self) -> int:
        """How often the card itself had to forget sound."""
        return self._overflows

    async def start(self) -> Self:
        """
        Begin to listen.

        Raises:
            ConfigurationError: The extra, PortAudio or the device is missing.
        """
        if self._card is None:
            self._bell, self._is_over, self._fault = Bell(), False, None
            self._pieces.clear()  # what was heard before it was closed, and not read
            self._held = 0
            try:
                await shielded(anyio.to_thread.run_sync(self._open))
            except BaseException:
                await self.aclose()
                raise
        return self

    def _open(self) -> None:
        library = self._library or loaded()
        self._card = opened(
            library,
            library.RawInputStream,
            self.format,
            device=self._device,
            blocksize=max(int(self.format.rate * PIECE_SECONDS), 1),
            latency="low",
            callback=self._hear,
            finished_callback=self._end,
        )

    def _hear(self, data: Any, _frames: int, _time: object, status: Any) -> None:
        """Take what the card heard, in its thread."""
        piece = bytes(data)
        with self._room:
            self._overflows += bool(status.input_overflow)
            if self._waits:
                self._room.wait_for(lambda: self._is_over or self._held + len(piece) <= self._most)
            self._pieces.append(piece)
            self._held += len(piece)
            while self._held > self._most:
                forgotten = len(self._pieces.popleft())
                self._held -= forgotten
                self._lost += forgotten
        self._bell.ring()

    def _end(self) -> None:
        """Take note that the card stopped, in its thread: nobody asked for it if this is open."""
        with self._room:
            if not self._is_over:
                self._is_over = True
                msg = "The microphone stopped: it was unplugged, or the system took it away."
                self._fault = e.ConfigurationError(msg)
        self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """
        Wait for sound that follows what came before.

        Raises:
            ConfigurationError: It is not open, or the device is gone.
        """
        if self._card is None and not hasattr(self, "_bell"):
            msg = "The microphone is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        await anyio.lowlevel.checkpoint()
        while True:
            rung = self._bell.next
            with self._room:
                if self._pieces:
                    piece = self._pieces.popleft()
                    self._held -= len(piece)
                    self._room.notify()
                    return piece
                if self._is_over:
                    if self._fault is not None:
                        raise self._fault
                    raise StopAsyncIteration
            await rung.wait()

    async def aclose(self) -> None:
        """Listen no more. Who still reads gets what was heard until now, and the end."""
        with self._room:
            self._is_over = True
            self._room.notify_all()
        card, self._card = self._card, None
        if card is not None:
            await shielded(anyio.to_thread.run_sync(card.close))
        if hasattr(self, "_bell"):
            self._bell.ring()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
