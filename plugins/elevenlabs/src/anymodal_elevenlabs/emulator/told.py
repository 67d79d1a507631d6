"""The WebSocket `stream-input`: text comes in pieces, and sound goes out by the schedule."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from anymodal.modalities.sounds import SoundFormat
from anymodal_emulator.app import RefusedError, Request, Talk
from anymodal_emulator.checking import check

from .asked import FIRST, MORE, output_format, query_of
from .refusals import is_right, refuse_by_word, words_of
from .shelf import known_voice
from .spoken import said, sound

__all__ = ["stream_input"]

_QUERY: Final = (
    "authorization model_id language_code enable_logging enable_ssml_parsing output_format "
    "inactivity_timeout sync_alignment auto_mode apply_text_normalization seed"
)
QUERY: Final = frozenset(_QUERY.split())
SCHEDULE: Final = (120, 160, 250, 290)
CLOSED: Final = 1008


async def stream_input(request: Request, talk: Talk) -> None:
    """Hold one conversation; what is wrong is said in it, and ends it."""
    try:
        await _hold(request, talk)
    except RefusedError as refused:
        words = words_of(refused)
        code = refused.code or ("invalid_api_key" if "key" in refused.kind else "invalid_input")
        await talk.send_json({"message": words, "error": code, "code": CLOSED})
        await talk.close(CLOSED, words[:120])


async def _hold(request: Request, talk: Talk) -> None:
    query = query_of(request, QUERY)
    packing = output_format(query)
    first = await _message(talk)
    if first is None:
        return
    if not (is_right(request) or (request.key and first.get("xi_api_key") == request.key)):
        raise RefusedError(kind="bad_key")
    voice = known_voice(request.memory, request.args["voice"])
    check(first, FIRST, lenient=True)
    schedule = (first.get("generation_config") or {}).get("chunk_length_schedule") or SCHEDULE
    mouth = _Mouth(talk, packing, voice, list(schedule))
    while (message := await _message(talk)) is not None:
        check(message, MORE, lenient=True)
        if not message["text"]:
            await mouth.speak()
            await talk.send_json({"isFinal": True})
            return
        refuse_by_word(message["text"], query.get("model_id", "eleven_multilingual_v2"))
        await mouth.hear(message["text"], at_once=bool(message.get("flush")))


async def _message(talk: Talk) -> dict[str, Any] | None:
    text = await talk.receive()
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        got = "Could not parse input message, make sure it is a json."
        raise RefusedError(kind="other", code="invalid_input_message", got=got)
    return found


class _Mouth:
    """What is held until there is enough of it."""

    def __init__(
        self, talk: Talk, packing: SoundFormat, voice: dict[str, Any], schedule: list[int]
    ) -> None:
        self._talk = talk
        self._packing = packing
        self._voice = voice
        self._schedule = schedule
        self._held = ""
        self._has_begun = False

    async def hear(self, text: str, *, at_once: bool) -> None:
        """Take text, and speak where there is enough."""
        self._held += text
        if at_once or len(self._held) >= self._schedule[0]:
            if len(self._schedule) > 1:
                del self._schedule[0]
            await self.speak()

    async def speak(self) -> None:
        """Say what is held."""
        if not self._held:
            return
        words, self._held = self._held, ""
        spoken = words if self._has_begun else said(self._voice, words)
        data = sound(spoken, self._packing, self._voice["voice_id"], goes_on=self._has_begun)
        self._has_begun = True
        times = {
            "chars": list(spoken),
            "charStartTimesMs": [at * 60 for at in range(len(spoken))],
            "charsDurationsMs": [60] * len(spoken),
        }
        await self._talk.send_json(
            {
                "audio": base64.b64encode(data).decode(),
                "isFinal": None,
                "normalizedAlignment": times,
                "alignment": times,
            }
        )
