"""WAV files in the place of a microphone, and of a speaker."""

from __future__ import annotations

import os
import wave
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import anyio.lowlevel
import anyio.to_thread

from .. import errors as e
from ..doors import SystemClock
from ..files import replacing
from ..modalities.live import AudioFormat, AudioFormatLike
from ..shielding import shielded

if TYPE_CHECKING:
    from types import TracebackType

    from ..connection import Clock

__all__ = ["WavReader", "WavWriter"]

PIECE_SECONDS: Final = 0.1
SAMPLE_BYTES: Final = 2


class WavReader:
    """
    A WAV file that is read out like a microphone: enter it, and iterate over its sound.

    Args:
        file: Its path. Samples of 16 bits, of any rate and number of channels.
        pace: How fast: 1 is as it was spoken, 2 twice as fast; None as fast as it is read.
        clock: Where the time comes from.

    Attributes:
        format: How the sound is packed; there once it was entered.
        while_answering: What `LiveTranscription.turns` does: a file can wait.
    """

    format: AudioFormat
    while_answering: Final = "wait"

    def __init__(
        self,
        file: str | os.PathLike[str],
        *,
        pace: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        if pace is not None and not pace > 0:
            msg = f"pace: a number above 0 is needed, or None, not {pace!r}."
            raise e.InvalidRequestError(msg, field="pace")
        self._path = os.fspath(file)
        self._pace = pace
        self._clock = clock or SystemClock()
        self._stack: ExitStack | None = None
        self._file: wave.Wave_read
        self._began: float | None = None
        self._read = 0

    async def start(self) -> Self:
        """
        Open it.

        Raises:
            InvalidRequestError: It is no such file.
            OSError: It cannot be read.
        """
        if self._stack is None:
            try:
                await shielded(anyio.to_thread.run_sync(self._open))
            except BaseException:
                await self.aclose()  # it may be open, and nobody will enter the block
                raise
        return self

    def _open(self) -> None:
        with ExitStack() as stack:
            try:
                file = stack.enter_context(wave.open(self._path))
            except (wave.Error, EOFError) as error:
                what = f"it is none ({error})"
                raise self._strange(what) from error
            if file.getsampwidth() != SAMPLE_BYTES:
                what = f"these have {8 * file.getsampwidth()}"
                raise self._strange(what)
            self._file = file
            self.format = AudioFormat(rate=file.getframerate(), channels=file.getnchannels())
            self._stack = stack.pop_all()

    def _strange(self, what: str) -> e.InvalidRequestError:
        msg = f"{self._path}: a WAV file with samples of 16 bits is needed, and {what}."
        return e.InvalidRequestError(msg, field="file")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._stack is None:
            msg = "The file is not open: use it inside `async with`, or await start() first."
            raise e.ConfigurationError(msg)
        if self._pace is not None:
            await self._wait(self._pace)
        frames = max(int(self.format.rate * PIECE_SECONDS), 1)
        data = await anyio.to_thread.run_sync(self._file.readframes, frames)
        if not data:
            raise StopAsyncIteration
        self._read += len(data)
        return data

    async def _wait(self, pace: float) -> None:
        """Wait until what was read so far would have been spoken."""
        if self._began is None:
            self._began = self._clock.now()
        due = self._began + (self.format.seconds(self._read) or 0.0) / pace
        await self._clock.sleep(max(due - self._clock.now(), 0))

    async def aclose(self) -> None:
        """Close it."""
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class WavWriter:
    """
    A WAV file that takes sound as a speaker does. It is whole in the end, or as it was.

    Args:
        file: Its path; the folder has to be there.
        format: How the sound is packed: samples of 16 bits.

    Raises:
        InvalidRequestError: WAV files do not have sound that is packed so.
    """

    def __init__(
        self,
        file: str | os.PathLike[str],
        format: AudioFormatLike = "pcm_s16le_24000",  # noqa: A002  # the word for it
    ) -> None:
        self.format = AudioFormat.parse(format)
        if self.format.encoding != "pcm_s16le":
            msg = f"format: pcm_s16le goes into WAV files, not {self.format.encoding}."
            raise e.InvalidRequestError(msg, field="format")
        self._path = os.fspath(file)
        self._stack: ExitStack | None = None
        self._file: wave.Wave_write
        self._rest = b""
        self._size = 0
        self._item_id: str | None = None

    async def __aenter__(self) -> Self:
        """
        Open it.

        Raises:
            OSError: It cannot be written there.
        """
        try:
            await shielded(anyio.to_thread.run_sync(self._open))
        except BaseException as error:
            if self._stack is not None:  # it was opened, and nobody will enter the block
                self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _open(self) -> None:
        with ExitStack() as stack:
            found = stack.enter_context(replacing(self._path, private=False))
            file = self._file = stack.enter_context(wave.open(found, "wb"))
            file.setnchannels(self.format.channels)
            file.setsampwidth(SAMPLE_BYTES)
            file.setframerate(self.format.rate)
            self._stack = stack.pop_all()

    async def play(self, data: bytes, item_id: str | None = None) -> None:
        """
        Write sound after what came before.

        Args:
            data: The sound, in pieces of any size.
            item_id: Of which answer it is, as `Speaker.play` has it.

        Raises:
            ConfigurationError: It is not open.
            OSError: It cannot be written.
        """
        await anyio.lowlevel.checkpoint()
        if self._stack is None:
            msg = "The file is not open: use it inside `async with`."
            raise e.ConfigurationError(msg)
        if item_id != self._item_id:
            self._item_id, self._size = item_id, 0
        sound = self._rest + data
        whole = len(sound) - len(sound) % self.format.frame_bytes
        sound, self._rest = sound[:whole], sound[whole:]
        await shielded(anyio.to_thread.run_sync(self._file.writeframesraw, sound))
        self._size += len(sound)

    async def drain(self) -> None:
        """Do nothing: what was played was written. What comes next is another answer's."""
        self._size = 0

    @property
    def played(self) -> float:
        """How many seconds of the last answer were written."""
        return self.format.seconds(self._size) or 0.0

    def flush(self) -> float:
        """Return how many seconds of the last answer were written; they stay."""
        played, self._size, self._rest = self.played, 0, b""
        return played

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            leave = partial(stack.__exit__, exc_type, exc, traceback)
            await shielded(anyio.to_thread.run_sync(leave))
