"""Transcription by PocketSphinx."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Final

import anyio.to_thread
import pocketsphinx  # type: ignore[import-untyped]  # it ships without types
from anymodal.connection import Connection
from anymodal.modalities.live import Transcript
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionRequest,
    TranscriptionResult,
    TranscriptSegment,
)
from anymodal.usage import Usage, Used

from .decoding import Decoding, checked
from .live import Ears, PocketsphinxListener
from .sound import RATE, samples_of

__all__ = ["PocketsphinxTranscriber", "pocketsphinx_transcriber"]

BEFORE_SECONDS: Final = 0.1
AFTER_SECONDS: Final = 0.3
"""What is heard around a stretch of speech: words end more softly than it takes to tell them."""


class PocketsphinxTranscriber:
    """PocketSphinx, with a decoder a call."""

    async def transcribe(self, request: TranscriptionRequest, /) -> TranscriptionResult:
        """
        Transcribe a WAV file, sentence by sentence, in threads; who is cancelled leaves after one.

        Raises:
            InvalidRequestError: The language is not English, or the grammar is none.
            UnsupportedFeatureError: It is no WAV file of 16 bits.
        """
        checked(request)
        samples = await anyio.to_thread.run_sync(samples_of, request.audio)
        sentences = await anyio.to_thread.run_sync(_sentences, samples)
        decoding = await anyio.to_thread.run_sync(Decoding, request)
        said: list[Transcript] = []
        for sentence, start in sentences:
            found = await anyio.to_thread.run_sync(decoding.whole, sentence, start)
            if found is not None:
                said.append(found)
        return _whole(said, len(samples) / 2 / RATE)

    @asynccontextmanager
    async def live(
        self, request: LiveTranscriptionRequest, /
    ) -> AsyncGenerator[PocketsphinxListener, None]:
        """
        Listen while somebody speaks.

        Raises:
            InvalidRequestError: The language is not English, or the grammar is none.
            UnsupportedFeatureError: The sound is not packed as `pcm_s16le`.
        """
        checked(request)
        decoding = await anyio.to_thread.run_sync(Decoding, request)
        ears = Ears(decoding, partials=request.partials)
        listener = PocketsphinxListener(request, ears)
        try:
            yield listener
        finally:
            listener.close()


def _sentences(samples: bytes) -> list[tuple[bytes, float]]:
    """Return stretches of speech, with a little around them, and at which second each begins."""
    found: list[tuple[bytes, float]] = []
    past = 0
    for one in pocketsphinx.Segmenter(sample_rate=RATE).segment(BytesIO(samples)):
        first = max(round((one.start_time - BEFORE_SECONDS) * RATE), past)
        past = round((one.end_time + AFTER_SECONDS) * RATE)
        found.append((samples[2 * first : 2 * past], first / RATE))
    return found


def _whole(said: list[Transcript], seconds: float) -> TranscriptionResult:
    return TranscriptionResult(
        text=" ".join(one.text for one in said),
        words=tuple(word for one in said for word in one.words),
        segments=tuple(
            TranscriptSegment(text=one.text, start=one.start or 0.0, end=one.end or 0.0)
            for one in said
        ),
        language="en-US",
        duration=seconds,
        usage=Usage(units=(Used("second", seconds),)),
    )


def pocketsphinx_transcriber(_: Connection) -> PocketsphinxTranscriber:
    """Return the provider for an instance."""
    return PocketsphinxTranscriber()
