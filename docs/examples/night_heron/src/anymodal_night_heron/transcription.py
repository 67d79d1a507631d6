"""Transcription: of files, and over a WebSocket while somebody speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anymodal import Usage, Used
from anymodal.modalities.live import Partial, SpeechStarted, Transcript, TurnEnded, Word
from anymodal.modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
    TranscriptionRequest,
    TranscriptionResult,
    TranscriptSegment,
)
from anymodal.sockets import Socket

from .answers import Said, read
from .vendor import NightHeronVendor, given

LACKS = ("diarize", "prompt", "keywords", "end_user")


class NightHeronEars(NightHeronVendor):
    """Models that listen."""

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Write down what is said in a file."""
        settings = given(request, "language", "words", lacks=LACKS)
        body = {"model": request.model.id, "sound": request.audio.to_base64(), **settings}
        said = await self.ask("/transcriptions", body)
        return TranscriptionResult(
            text=said["text"],
            words=words(said) if request.words else (),
            segments=(TranscriptSegment(text=said["text"], start=0, end=said["seconds"]),),
            language=said["language"],
            duration=said["seconds"],
            usage=Usage(units=(Used("second", said["seconds"]),)),
            request_id=said["id"],
        )

    @asynccontextmanager
    async def live(self, request: LiveTranscriptionRequest) -> AsyncGenerator[Listener]:
        """Open a session."""
        settings = given(request, "language", "words", lacks=LACKS)
        begin = {
            "model": request.model.id,
            "rate": request.format.rate,
            "partials": request.partials,
            **settings,
        }
        way = self.connection.websocket("/transcriptions/live", headers=await self.headers())
        async with way as socket:
            await socket.send_json(begin)
            yield Listener(socket)


class Listener:
    """A session under way. A connection that breaks is an error: Night Heron cannot resume."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        """Send sound."""
        await self._socket.send(data)

    async def finish(self) -> None:
        """Have what was sent heard to its end."""
        await self._socket.send_json({"finish": True})

    async def __aiter__(self) -> AsyncIterator[TranscriptionEvent]:
        async for message in self._socket:
            said = read(message)
            if "begins" in said:
                yield SpeechStarted(said["begins"])
            elif "partial" in said:
                yield Partial(said["partial"])
            elif "final" in said:
                start, end = said["start"], said["end"]
                yield Transcript(said["final"], words=words(said), start=start, end=end)
                yield TurnEnded(end)
            else:
                usage = Usage(units=(Used("second", said["seconds"], quality="live"),))
                yield TranscriptionEnd(duration=said["seconds"], usage=usage, request_id=said["id"])


def words(said: Said) -> tuple[Word, ...]:
    """Return the words of an answer, with their times."""
    return tuple(Word(one["text"], one["start"], one["end"]) for one in said["words"])
