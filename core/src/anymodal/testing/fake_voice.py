"""Providers that speak, listen and converse, as they were told to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from ..media import Audio
from ..modalities.live import (
    AudioOut,
    LiveEvent,
    Partial,
    ResponseDone,
    SpeechStarted,
    ToolRequested,
    Transcript,
    TurnEnded,
    Word,
)
from ..modalities.messages import ToolCall
from ..modalities.realtime import AudioIn, RealtimeRequest, Respond, SessionInput, ToolResults
from ..modalities.sounds import SoundFormat
from ..modalities.speech import (
    AudioChunk,
    ClonedVoice,
    CloneRequest,
    SpeechEnd,
    SpeechEvent,
    SpeechRequest,
    SpeechResult,
    VoiceSpec,
)
from ..modalities.transcription import (
    LiveTranscriptionRequest,
    TranscriptionEnd,
    TranscriptionEvent,
    TranscriptionRequest,
    TranscriptionResult,
)
from ..streams import streaming
from ..usage import Usage, Used
from . import payloads
from .lines import Line, Paced
from .replies import Replies

__all__ = ["FakeRealtime", "FakeSpeech", "FakeTranscription"]

PIECE_BYTES: Final = 4096
SECONDS_PER_WORD: Final = 0.4
SILENCE_SECONDS: Final = 0.5
"""What ends a turn, where the session does not say."""


class FakeSpeech:
    """A voice; words become silence that lasts as long as it takes to say them."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._learned: list[VoiceSpec] = []

    @streaming
    async def stream(self, request: SpeechRequest, /) -> AsyncGenerator[SpeechEvent, None]:
        """Say the next reply."""
        self._replies.note(request)
        for event in self._events(await self._replies.next(request), request):
            if isinstance(event, BaseException):
                raise event
            yield event

    @asynccontextmanager
    async def live(self, request: SpeechRequest, /) -> AsyncGenerator[_Voice, None]:
        """Say the next reply, a piece for each piece of text."""
        self._replies.note(request)
        yield _Voice(self._events(await self._replies.next(request), request))

    async def voices(self) -> Sequence[VoiceSpec]:
        """List what was learned."""
        return self._learned

    async def clone(self, request: CloneRequest, /) -> ClonedVoice:
        """Learn a voice; this needs no reply."""
        self._replies.note(request)
        voice = VoiceSpec(id=f"voice-{len(self._learned) + 1}", name=request.name)
        self._learned.append(voice)
        return ClonedVoice(voice=voice)

    def _events(self, reply: object, request: SpeechRequest) -> list[Any]:
        used = Usage(units=(Used("character", len(request.text)),))
        if isinstance(reply, list | tuple):
            rest = () if any(isinstance(one, SpeechEnd) for one in reply) else (SpeechEnd(),)
            return [*reply, *rest]
        end = SpeechEnd(usage=used)
        if isinstance(reply, SpeechResult):
            end = SpeechEnd(
                usage=reply.usage, request_id=reply.request_id, format=reply.format, raw=reply.raw
            )
            reply = reply.audio
        if isinstance(reply, str):
            end.format, reply = _spoken(reply, request.format)
        data = reply.read_bytes() if isinstance(reply, Audio) else reply
        if not isinstance(data, bytes):
            known = "a str, bytes, an Audio, AudioChunks, or a SpeechResult"
            raise self._replies.unknown(reply, known)
        pieces = range(0, len(data), PIECE_BYTES)
        return [*(AudioChunk(data[at : at + PIECE_BYTES]) for at in pieces), end]


def _spoken(words: str, wanted: SoundFormat | None) -> tuple[SoundFormat, bytes]:
    rate = wanted.rate if wanted is not None and wanted.rate else payloads.RATE
    if wanted is not None and wanted.codec == "pcm":
        return SoundFormat("pcm", rate), payloads.silence(words, rate)
    return SoundFormat("wav", rate), payloads.sound(words, rate)


class _Voice(Paced[SpeechEvent]):
    """What `FakeSpeech.live` gives."""

    async def end(self) -> None:
        """Say all that is left."""
        await self.finish()


class FakeTranscription:
    """Somebody who hears what they were told to."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def transcribe(self, request: TranscriptionRequest, /) -> TranscriptionResult:
        """Give the next reply."""
        self._replies.note(request)
        reply = await self._replies.next(request)
        if isinstance(reply, TranscriptionResult):
            return reply
        if isinstance(reply, str):
            words = tuple(_words(reply)) if request.words else ()
            return TranscriptionResult(text=reply, words=words, language=request.language)
        raise self._replies.unknown(reply, "a str or a TranscriptionResult")

    @asynccontextmanager
    async def live(
        self, request: LiveTranscriptionRequest, /
    ) -> AsyncGenerator[Paced[TranscriptionEvent], None]:
        """Hear the next reply, a word for each piece of sound."""
        self._replies.note(request)
        reply = await self._replies.next(request)
        yield Paced(self._heard(reply, request))

    def _heard(
        self, reply: object, request: LiveTranscriptionRequest
    ) -> list[TranscriptionEvent | BaseException]:
        if isinstance(reply, list | tuple):
            said = list(cast("Sequence[TranscriptionEvent | BaseException]", reply))
            if not any(isinstance(one, TranscriptionEnd | BaseException) for one in said):
                said.append(TranscriptionEnd())
            return said
        words: tuple[Word, ...] = ()
        if isinstance(reply, TranscriptionResult):
            words, reply = reply.words, reply.text
        if not isinstance(reply, str):
            raise self._replies.unknown(reply, "a str, events, or a TranscriptionResult")
        parts = reply.split()
        partials = [Partial(" ".join(parts[: n + 1])) for n in range(len(parts))]
        words = words or (tuple(_words(reply)) if request.words else ())
        whole = Transcript(reply, words=words, language=request.language)
        return [*(partials if request.partials else ()), whole, TranscriptionEnd()]


def _words(text: str) -> Iterator[Word]:
    for n, word in enumerate(text.split()):
        yield Word(word, n * SECONDS_PER_WORD, (n + 1) * SECONDS_PER_WORD)


class FakeRealtime:
    """Somebody to talk to, who answers with the replies in turn."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    @asynccontextmanager
    async def open(self, request: RealtimeRequest, /) -> AsyncGenerator[_Session, None]:
        """Begin to talk."""
        self._replies.note(request)
        yield _Session(self._replies, request)


class _Session(Line[LiveEvent]):
    """
    A conversation; a turn is over when it is silent after sound that is not.

    Args:
        replies: What it answers.
        request: How it is to be held.
    """

    def __init__(self, replies: Replies, request: RealtimeRequest) -> None:
        super().__init__()
        self._replies = replies
        self._request = request
        self._is_spoken_to = False
        self._silent = 0.0

    async def send(self, event: SessionInput, /) -> None:
        """Take what it is told, and answer where that calls for it."""
        self._replies.note(event)
        if isinstance(event, AudioIn):
            if self._hears_the_end(event.data):
                await self._answer(event)
        elif isinstance(event, Respond) or (isinstance(event, ToolResults) and event.responds):
            await self._answer(event)

    def _hears_the_end(self, data: bytes) -> bool:
        """Say who speaks, and whether the model is to answer."""
        turns = self._request.turns
        if turns is not None and turns.by == "caller":
            return False
        if any(data):
            self._silent = 0.0
            if not self._is_spoken_to:
                self._is_spoken_to = True
                self.put(SpeechStarted())
            return False
        self._silent += self._request.input_format.seconds(len(data)) or 0.0
        patience = turns.silence if turns is not None else None
        if not self._is_spoken_to or self._silent < (patience or SILENCE_SECONDS):
            return False
        self._is_spoken_to = False
        self.put(TurnEnded())
        return turns is None or turns.responds

    async def _answer(self, asked: SessionInput) -> None:
        reply = await self._replies.next(asked)
        parts: Sequence[Any] = reply if isinstance(reply, list | tuple) else (reply,)
        if all(isinstance(one, str | ToolCall) for one in parts):
            calls = any(isinstance(one, ToolCall) for one in parts)
            for part in parts:
                self.put(*self._said(part))
            self.put(ResponseDone(reason="tool_calls" if calls else "stop"))
        elif isinstance(reply, list | tuple):
            self.put(*parts)
        else:
            raise self._replies.unknown(reply, "a str, ToolCalls, or events")

    def _said(self, part: str | ToolCall) -> Iterator[LiveEvent]:
        if isinstance(part, ToolCall):
            yield ToolRequested(part)
            return
        if self._request.answers == "audio":
            form = self._request.output_format
            yield AudioOut(bytes((form.frame_bytes or 1) * len(part) * form.rate // 20))
        yield Partial(part, who="assistant")
        yield Transcript(part, who="assistant")
