"""PocketSphinx while somebody speaks: it hears where speech begins and ends."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator

import anyio
import anyio.to_thread
import pocketsphinx  # type: ignore[import-untyped]  # it ships without types
from anymodal.errors import UnsupportedFeatureError
from anymodal.modalities.live import Partial, SpeechStarted, TurnEnded
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
)

from .decoding import Decoding
from .sound import RATE, Resampler

__all__ = ["Ears", "PocketsphinxListener"]


class Ears:
    """
    Where speech begins and ends, and what it says. Blocks.

    Args:
        decoding: What hears words.
        partials: Whether what is not final is told too.
    """

    def __init__(self, decoding: Decoding, *, partials: bool) -> None:
        self._decoding = decoding
        self._partials = partials
        self._ends = pocketsphinx.Endpointer(sample_rate=RATE)
        self._rest = b""
        self._said = ""
        self._started: float | None = None
        self._ended = 0.0

    def hear(self, samples: bytes) -> Iterator[TranscriptionEvent]:
        """Hear more."""
        size = self._ends.frame_bytes
        self._rest += samples
        while len(self._rest) > size:  # the last frame is kept, for `finish`
            frame, self._rest = self._rest[:size], self._rest[size:]
            yield from self._take(self._ends.process(frame))

    def finish(self) -> Iterator[TranscriptionEvent]:
        """Hear the end."""
        if self._rest:
            yield from self._take(self._ends.end_stream(self._rest))
        if self._started is not None:
            yield from self._end()

    def _take(self, speech: bytes | None) -> Iterator[TranscriptionEvent]:
        if speech:  # the end of a stream may bring none
            if self._started is None:
                self._started, self._said = float(self._ends.speech_start), ""
                self._decoding.begin()
                yield SpeechStarted(self._started)
            text = self._decoding.more(speech)
            if self._partials and text and text != self._said:
                self._said = text
                yield Partial(text)
        if self._started is not None and not self._ends.in_speech:
            yield from self._end()

    def _end(self) -> Iterator[TranscriptionEvent]:
        start, end = self._started or 0.0, float(self._ends.speech_end)
        self._started = None
        found = self._decoding.end(start, max(start, end))
        if found is not None:
            yield found
        yield TurnEnded(max(start, end))


class PocketsphinxListener:
    """
    A session of live transcription.

    Hearing is done while sound is sent, in a thread: who sends faster than it hears waits.

    Args:
        request: What is asked for.
        ears: What hears.

    Raises:
        UnsupportedFeatureError: The sound is not packed as `pcm_s16le`.
    """

    def __init__(self, request: LiveTranscriptionRequest, ears: Ears) -> None:
        packing = request.format
        if packing.encoding != "pcm_s16le":
            msg = f"format: PocketSphinx takes pcm_s16le, not {packing.encoding}."
            raise UnsupportedFeatureError(msg)
        self._packing = packing
        self._resampler = Resampler(packing.rate, packing.channels)
        self._ears = ears
        self._size = 0
        self._turn = anyio.Lock()
        self._put, self._got = anyio.create_memory_object_stream[TranscriptionEvent](math.inf)

    async def send(self, data: bytes, /) -> None:
        """Hear sound."""
        async with self._turn:
            self._size += len(data)
            found = await anyio.to_thread.run_sync(self._heard, data)
            for event in found:
                self._put.send_nowait(event)

    def _heard(self, data: bytes) -> list[TranscriptionEvent]:
        return list(self._ears.hear(self._resampler.feed(data)))

    async def finish(self) -> None:
        """Hear what is left."""
        async with self._turn:
            for event in await anyio.to_thread.run_sync(lambda: list(self._ears.finish())):
                self._put.send_nowait(event)
            seconds = self._packing.seconds(self._size)
            self._put.send_nowait(TranscriptionEnd(duration=seconds, language="en-US"))
            self._put.close()

    async def __aiter__(self) -> AsyncIterator[TranscriptionEvent]:
        async for event in self._got:
            yield event

    def close(self) -> None:
        """Let go of what was not read."""
        self._put.close()
        self._got.close()
