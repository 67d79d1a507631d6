"""
Conversations with OpenAI on loopback: the WebSocket `/v1/realtime`.

Events, their fields and their order are those of openai 3.52, `types/realtime`, and of
https://developers.openai.com/api/docs/guides/realtime-conversations; close codes are
those quoted in twilio-samples/speech-assistant-openai-realtime-api-python issues 4 and
10; read 2026-11-20. What ids that do not exist are called in errors is a guess.

An answer says what was heard, in words and in sound that `anymodal_emulator.sounds`
reads back. Speech is what is loud in sound; its words are read from it too, where it
was made by the same module, begins at a whole frame of 60 ms and is not G.711. An
answer to `emulator:long` goes on until it is interrupted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import Any, Final
from urllib.parse import parse_qs

from anymodal_emulator.app import Emulator, RefusedError, Request, Talk
from anymodal_emulator.checking import check
from anymodal_openai_compatible.emulator import refusals

from .emulated_answers import Answering, usual_session
from .emulated_events import EVENTS, ITEM, ITEMS, RESPONSE, SESSION
from .emulated_voices import Packing
from .realtime_models import MODELS

__all__ = ["serve_realtime"]

NAMES: Final = tuple(model.id for model in MODELS)
LEAST_MS: Final = 100
MOST_AUDIO: Final = 15 * 1024 * 1024
SEMANTIC_MS: Final = 600


def serve_realtime(emulator: Emulator, base_path: str) -> None:
    """Add the conversations to *emulator*."""
    emulator.talk(f"{base_path}/realtime")(_converse)


async def _converse(request: Request, talk: Talk) -> None:
    query = parse_qs(request.received.query)
    model = query.get("model", [""])[0]
    if model not in NAMES:
        words = f'Model "{model}" is not supported in realtime mode.'
        error = {"type": "invalid_request_error", "code": "invalid_model", "message": words}
        event = {"type": "error", "event_id": request.memory.id("event_", 21)}
        await talk.send_json({**event, "error": {**error, "param": "model", "event_id": None}})
        await talk.close(4000, "invalid_request_error.invalid_model")
        return
    await _Session(request, talk, model).hold()


class _Session(Answering):
    """One conversation: what the client says, and what that does."""

    def __init__(self, request: Request, talk: Talk, model: str) -> None:
        super().__init__(request.memory, talk, usual_session(request.memory, model))
        self._sound = bytearray()
        self._ahead = bytearray()
        self._passed_ms = 0
        self._silent_ms = 0
        self._speech: tuple[str, int] | None = None

    async def hold(self) -> None:
        """Go on until the client leaves."""
        await self.say("session.created", session=self.session)
        try:
            while (message := await self.next()) is not None:
                await self._hear(message)
        finally:
            await self.end()

    async def _hear(self, message: str | bytes) -> None:
        asked: dict[str, Any] = {}
        try:
            asked = _event(message)
            _check_kind(asked)
            check(asked, EVENTS[asked["type"]])
            await getattr(self, "_" + asked["type"].replace(".", "_"))(asked)
        except RefusedError as refused:
            found = json.loads(refusals.refuse(refused).body)["error"]
            await self.say("error", error={**found, "event_id": asked.get("event_id")})

    # -- the session -------------------------------------------------------------------

    async def _session_update(self, asked: dict[str, Any]) -> None:
        given = asked["session"]
        check(given, SESSION, at="session")
        if given.get("model", self.session["model"]) != self.session["model"]:
            words = "The model of a session cannot be changed."
            raise RefusedError(kind="other", param="session.model", got=words, code="invalid_value")
        if len(given.get("output_modalities", ["audio"])) != 1:
            words = "Invalid modalities: combinations of audio and text are not supported."
            raise RefusedError(
                kind="other", param="session.output_modalities", got=words, code="invalid_value"
            )
        audio = given.get("audio") or {}
        for side in ("input", "output"):
            self.session["audio"][side].update(audio.get(side) or {})
        self.session.update({name: value for name, value in given.items() if name != "audio"})
        await self.say("session.updated", session=self.session)

    @property
    def _packing(self) -> Packing:
        return Packing(self.session["audio"]["input"]["format"])

    # -- sound that comes in -----------------------------------------------------------

    async def _input_audio_buffer_append(self, asked: dict[str, Any]) -> None:
        try:
            sound = base64.b64decode(asked["audio"], validate=True)
        except binascii.Error:
            words = "Invalid 'audio'. Expected base64-encoded audio bytes."
            raise RefusedError(
                kind="other", param="audio", got=words, code="invalid_value"
            ) from None
        if len(sound) > MOST_AUDIO:
            words = "A piece of audio may have 15 MiB."
            raise RefusedError(kind="other", param="audio", got=words, code="invalid_value")
        turns = self.session["audio"]["input"]["turn_detection"]
        if turns is None:
            self._sound += sound
            return
        self._ahead += sound
        size = self._packing.frame
        while len(self._ahead) >= size:
            frame = bytes(self._ahead[:size])
            del self._ahead[:size]
            await self._listen(frame, turns)

    async def _listen(self, frame: bytes, turns: dict[str, Any]) -> None:
        """Tell by how loud it is whether somebody speaks."""
        lasts = self._packing.ms(len(frame))
        began, self._passed_ms = self._passed_ms, self._passed_ms + lasts
        if self._packing.is_loud(frame):
            self._silent_ms = 0
            if self._speech is None:
                await self._speech_starts(began, turns)
        elif self._speech is None:
            return
        else:
            self._silent_ms += lasts
        self._sound += frame
        if self._silent_ms >= (turns.get("silence_duration_ms") or SEMANTIC_MS):
            await self._speech_stops(turns)

    async def _speech_starts(self, began: int, turns: dict[str, Any]) -> None:
        self._speech = (self.memory.id("item_", 21), began)
        start = max(began - (turns.get("prefix_padding_ms") or 0), 0)
        item = self._speech[0]
        await self.say("input_audio_buffer.speech_started", audio_start_ms=start, item_id=item)
        if turns.get("interrupt_response", True):
            self.stop("turn_detected")

    async def _speech_stops(self, turns: dict[str, Any]) -> None:
        assert self._speech is not None  # somebody spoke
        item, _ = self._speech
        self._speech, self._silent_ms = None, 0
        await self.say(
            "input_audio_buffer.speech_stopped", audio_end_ms=self._passed_ms, item_id=item
        )
        await self._take(item)
        if turns.get("create_response", True):
            await self.idle()
            self.respond({})

    async def _input_audio_buffer_clear(self, _: dict[str, Any]) -> None:
        self._sound.clear()
        await self.say("input_audio_buffer.cleared")

    async def _input_audio_buffer_commit(self, _: dict[str, Any]) -> None:
        lasts = self._packing.ms(len(self._sound))
        if lasts < LEAST_MS:
            words = (
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{LEAST_MS}ms of audio, but buffer only has {lasts:.2f}ms of audio."
            )
            raise RefusedError(kind="other", got=words, code="input_audio_buffer_commit_empty")
        await self._take(self.memory.id("item_", 21))

    async def _take(self, item_id: str) -> None:
        """Make what was heard an item of the conversation, and write it down where that is wanted."""
        sound = bytes(self._sound)
        self._sound.clear()
        words, packing = self._packing.heard(sound), self._packing
        before = self.items[-1]["id"] if self.items else None
        await self.say("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self.heard[item_id] = (words, packing.ms(len(sound)))
        content = [{"type": "input_audio", "transcript": None}]
        await self.add({"id": item_id, "type": "message", "role": "user", "content": content})
        if self.session["audio"]["input"].get("transcription"):
            await self._write(item_id, words, packing.ms(len(sound)))

    async def _write(self, item_id: str, words: str, lasts: int) -> None:
        place = {"item_id": item_id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        await self.say(f"{kind}.delta", **place, delta=words)
        usage = {"type": "duration", "seconds": lasts / 1000}
        await self.say(f"{kind}.completed", **place, transcript=words, usage=usage)

    # -- items -------------------------------------------------------------------------

    async def _conversation_item_create(self, asked: dict[str, Any]) -> None:
        item = asked["item"]
        check({"type": item.get("type")}, ITEM, at="item")
        check(item, ITEMS[item["type"]], at="item")
        if item["type"] == "function_call_output" and not any(
            one.get("call_id") == item["call_id"] for one in self.items
        ):
            words = f"Tool call ID '{item['call_id']}' not found in conversation."
            raise RefusedError(
                kind="other", param="item.call_id", got=words, code="invalid_tool_call_id"
            )
        await self.add({"id": self.memory.id("item_", 21), **item})

    async def _conversation_item_retrieve(self, asked: dict[str, Any]) -> None:
        await self.say("conversation.item.retrieved", item=self._item(asked))

    async def _conversation_item_delete(self, asked: dict[str, Any]) -> None:
        self.items.remove(self._item(asked))
        await self.say("conversation.item.deleted", item_id=asked["item_id"])

    async def _conversation_item_truncate(self, asked: dict[str, Any]) -> None:
        item = self._item(asked)
        lasts = self.spoken_ms.get(item["id"])
        if lasts is None:
            words = "Only model output audio messages can be truncated"
            raise RefusedError(kind="other", param="item_id", got=words, code="invalid_value")
        if asked["audio_end_ms"] > lasts:
            words = f"Audio content of {lasts}ms is already shorter than {asked['audio_end_ms']}ms"
            raise RefusedError(kind="other", param="audio_end_ms", got=words, code="invalid_value")
        self.spoken_ms[item["id"]] = asked["audio_end_ms"]
        item["content"][0]["transcript"] = None
        told = {name: asked[name] for name in ("item_id", "content_index", "audio_end_ms")}
        await self.say("conversation.item.truncated", **told)

    def _item(self, asked: dict[str, Any]) -> dict[str, Any]:
        for item in self.items:
            if item["id"] == asked["item_id"]:
                return item
        words = f"Item with item_id '{asked['item_id']}' not found"
        raise RefusedError(kind="other", param="item_id", got=words, code="item_not_found")

    # -- answers -----------------------------------------------------------------------

    async def _response_create(self, asked: dict[str, Any]) -> None:
        settings = asked.get("response") or {}
        check(settings, RESPONSE, at="response")
        if self.response_id is not None:
            words = (
                f"Conversation already has an active response in progress: {self.response_id}. "
                "Wait until the response is finished before creating a new one."
            )
            code = "conversation_already_has_active_response"
            raise RefusedError(kind="other", got=words, code=code)
        self.respond(settings)
        await asyncio.sleep(0)

    async def _response_cancel(self, _: dict[str, Any]) -> None:
        if self.response_id is None:
            words = "Cancellation failed: no active response found"
            raise RefusedError(kind="other", got=words, code="response_cancel_not_active")
        self.stop("client_cancelled")
        await self.idle()

    async def _output_audio_buffer_clear(self, _: dict[str, Any]) -> None:
        words = "output_audio_buffer.clear is for WebRTC and SIP."
        raise RefusedError(kind="other", got=words, code="invalid_value")


def _event(message: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(message)
    except ValueError as error:
        raise RefusedError(kind="not_json", got=str(error)) from error
    if not isinstance(found, dict):
        raise RefusedError(kind="not_json", got=type(found).__name__)
    return found


def _check_kind(event: dict[str, Any]) -> None:
    if event.get("type") not in EVENTS:
        need = ", ".join(f"'{name}'" for name in EVENTS)
        raise RefusedError(kind="value", param="type", got=str(event.get("type")), need=need)
