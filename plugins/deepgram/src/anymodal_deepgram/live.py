"""Deepgram while somebody speaks, over a WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from anymodal.errors import VendorError
from anymodal.modalities.live import Partial, SpeechStarted, Transcript, TurnEnded
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
)

from .faults import meaning
from .replies import MALFORMED, malformed, usage_of, words_of

if TYPE_CHECKING:
    from anymodal.connection import Clock
    from anymodal.sockets import Socket

__all__ = ["DeepgramListener"]

KEEP_ALIVE_SECONDS: Final = 4.0
"""
Deepgram closes after 10 s without sound or a word.
Source: https://developers.deepgram.com/docs/audio-keep-alive, read 2026-11-20.
"""


class DeepgramListener:
    """
    A session of live transcription.

    Deepgram keeps nothing of a session whose connection broke, so a broken one is an error.

    Args:
        socket: The way to Deepgram.
        request: How it is to be transcribed.
        clock: Where the time comes from.
        provider: Id of the provider, for errors.
    """

    def __init__(
        self, socket: Socket, request: LiveTranscriptionRequest, clock: Clock, provider: str
    ) -> None:
        self._socket = socket
        self._request = request
        self._clock = clock
        self._provider = provider
        self._spoke_at = clock.now()
        self._is_in_turn = False

    async def send(self, data: bytes, /) -> None:
        """Send sound."""
        self._spoke_at = self._clock.now()
        await self._socket.send(data)

    async def finish(self) -> None:
        """Have what was sent transcribed to its end."""
        await self._socket.send_json({"type": "CloseStream"})

    async def keep_alive(self) -> None:
        """Tell Deepgram, again and again, that somebody is there who says nothing."""
        with suppress(VendorError):  # whoever reads is told of it
            while True:
                quiet = self._clock.now() - self._spoke_at
                if quiet >= KEEP_ALIVE_SECONDS:
                    self._spoke_at, quiet = self._clock.now(), 0.0
                    await self._socket.send_json({"type": "KeepAlive"})
                await self._clock.sleep(KEEP_ALIVE_SECONDS - quiet)

    async def __aiter__(self) -> AsyncIterator[TranscriptionEvent]:
        async for message in self._socket:
            try:
                found = json.loads(message)
                events = list(self._events(found))
            except MALFORMED as error:
                raise malformed(self._provider, error) from error
            for event in events:
                yield event

    def _events(self, found: Mapping[str, Any]) -> Iterator[TranscriptionEvent]:
        """
        Read a message; kinds that are not known are passed over.

        Raises:
            VendorError: It says that something failed.
        """
        match found["type"]:
            case "Results":
                yield from self._results(found)
            case "SpeechStarted":
                self._is_in_turn = True
                yield SpeechStarted(float(found["timestamp"]))
            case "UtteranceEnd":
                yield from self._turn_ended(float(found["last_word_end"]))
            case "Metadata":
                seconds = float(found["duration"])
                yield TranscriptionEnd(
                    duration=seconds,
                    usage=usage_of(self._request, seconds * max(int(found["channels"]), 1)),
                    request_id=found["request_id"],
                    raw=found if self._request.raw else None,
                )
            case "Error":
                raise self._error(found)

    def _results(self, found: Mapping[str, Any]) -> Iterator[TranscriptionEvent]:
        best = found["channel"]["alternatives"][0]
        text, start = best["transcript"], float(found["start"])
        end = start + float(found["duration"])
        channel, channels = found["channel_index"]
        if text and not found.get("is_final"):
            yield Partial(text)
        elif text:
            self._is_in_turn = True
            wants_words = self._request.words or self._request.diarize
            speaker = str(channel) if channels > 1 else None
            yield Transcript(
                text,
                words=words_of(best["words"], speaker) if wants_words else (),
                start=start,
                end=end,
                confidence=float(best["confidence"]),
                language=next(iter(best.get("languages") or ()), None),
            )
        if found.get("speech_final"):
            yield from self._turn_ended(end)

    def _turn_ended(self, at: float) -> Iterator[TranscriptionEvent]:
        """Say it once; Deepgram has two ways to find out, and may use both."""
        if self._is_in_turn:
            self._is_in_turn = False
            yield TurnEnded(at)

    def _error(self, found: Mapping[str, Any]) -> VendorError:
        code = str(found.get("variant") or found.get("code") or "")
        words = str(found.get("description") or found.get("message") or "no reason given")
        return meaning(code)(
            f"{self._provider}: {' '.join(words.split())[:300]}",
            provider=self._provider,
            vendor_code=code or None,
        )
