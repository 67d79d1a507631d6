"""Live sound: what Deepgram says over a WebSocket while it listens."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from anymodal_emulator.app import Request, Talk
from anymodal_emulator.sounds import CHARACTER_SECONDS

from .asked import Query, asked_live
from .ears import ENDS, SURE, Spoken, samples_of, spelled

__all__ = ["listen_live"]

INTERIM_CHARACTERS: Final = 8
"""How often there is something new, about twice a second."""


async def listen_live(request: Request, talk: Talk) -> None:
    """Transcribe what comes, until somebody says that no more will."""
    session = Session(request, asked_live(request), talk)
    while (message := await talk.receive()) is not None:
        if isinstance(message, bytes):
            if not message:
                break
            await session.hear(message)
        elif not await session.told(message):
            break
    if talk.code is None:
        await session.end()


class Session:
    """
    What is heard in one session.

    Times count characters, each of which lasts as long as the sound that spells it.
    """

    def __init__(self, request: Request, query: Query, talk: Talk) -> None:
        found = request.memory.id("", 32)
        self._id = "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))
        self._query = query
        self._talk = talk
        self._rate = query.number("sample_rate", 16_000)
        self._channels = query.number("channels", 1)
        self._sha = hashlib.sha256()
        self._rest = b""
        self._size = 0
        self._first = 0  # the first character that is not final
        self._text = ""
        self._shown = 0
        self._speaker = 0
        self._is_in_turn = False

    async def told(self, message: str) -> bool:
        """Take a message; return whether more is to come."""
        try:
            kind = json.loads(message)["type"]
        except (ValueError, KeyError, TypeError):
            kind = ""
        match kind:
            case "KeepAlive":
                return True
            case "Finalize":
                await self._final(is_asked=True)
                return True
            case "CloseStream":
                return False
        await self._talk.close(1008, "DATA-0000: the message is of no type that is known")
        self._talk.code = 1008
        return False

    async def hear(self, data: bytes) -> None:
        """Hear sound."""
        self._sha.update(data)
        samples = self._rest + samples_of(data, self._query)
        self._size += len(samples) - len(self._rest)
        frame = 2 * self._channels
        step = int(self._rate * CHARACTER_SECONDS) * frame
        whole = len(samples) - len(samples) % step
        samples, self._rest = samples[:whole], samples[whole:]
        for at in range(0, whole, step):
            tone = samples[at : at + step]
            first = b"".join(tone[n : n + 2] for n in range(0, len(tone), frame))
            await self._take(spelled(first, self._rate))

    async def _take(self, character: str) -> None:
        if not character.isspace() and not self._is_in_turn:
            self._is_in_turn = True
            if self._query.flag("vad_events"):
                await self._say(
                    type="SpeechStarted", channel=[0], timestamp=self._at(len(self._text))
                )
        self._text += character
        if character in ENDS:
            await self._final(ends_turn=True)
            return
        is_news = len(self._text) - self._shown >= INTERIM_CHARACTERS and self._text.strip()
        if is_news and self._query.flag("interim_results"):
            self._shown = len(self._text)
            await self._results(is_final=False)

    async def _final(self, *, ends_turn: bool = False, is_asked: bool = False) -> None:
        if self._text.strip() or is_asked:
            await self._results(is_final=True, speech_final=ends_turn, from_finalize=is_asked)
        if ends_turn:
            self._is_in_turn = False
            if "utterance_end_ms" in self._query.pairs:
                end = self._at(len(self._text))
                await self._say(type="UtteranceEnd", channel=[0, 1], last_word_end=end)
        self._first += len(self._text)
        self._text, self._shown = "", 0

    def _at(self, place: int) -> float:
        return round((self._first + place) * CHARACTER_SECONDS, 3)

    async def _results(
        self, *, is_final: bool, speech_final: bool = False, from_finalize: bool = False
    ) -> None:
        query, words = self._query, self._words(keeps_speaker=is_final)
        alternative = {
            "transcript": " ".join(one.written(query) for one in words),
            "confidence": SURE if words else 0.0,
            "words": [one.to_dict(query, is_batch=False) for one in words],
        }
        info = {"name": query.model, "version": "2026-10-01.0", "arch": query.model}
        await self._say(
            type="Results",
            channel_index=[0, 1],
            duration=round(len(self._text) * CHARACTER_SECONDS, 3),
            start=self._at(0),
            is_final=is_final,
            speech_final=speech_final,
            from_finalize=from_finalize,
            channel={"alternatives": [alternative]},
            metadata={
                "request_id": self._id,
                "model_info": info,
                "model_uuid": query.model_uuid,
            },
        )

    def _words(self, *, keeps_speaker: bool) -> list[Spoken]:
        found, at, speaker = [], 0, self._speaker
        for word in self._text.split():
            at = self._text.index(word, at)
            if word == "/":
                speaker = 1 - speaker
            else:
                found.append(Spoken(word, self._at(at), self._at(at + len(word)), speaker))
            at += len(word)
        if keeps_speaker:
            self._speaker = speaker
        return found

    async def end(self) -> None:
        """Say what is left, and what it was in all."""
        await self._final()
        await self._say(
            type="Metadata",
            transaction_key="deprecated",
            request_id=self._id,
            sha256=self._sha.hexdigest(),
            created="2026-11-20T12:00:00.000Z",
            duration=round(self._size / 2 / self._channels / self._rate, 3),
            channels=self._channels,
        )

    async def _say(self, **found: Any) -> None:
        await self._talk.send_json(found)
