"""
Speech over ElevenLabs' REST interface, and over its WebSocket where text comes in pieces.

Source: ElevenLabs' OpenAPI description and its AsyncAPI description of `stream-input`,
read 2026-11-20. The SDK is not used: its WebSocket is hard-wired to `wss` and blocks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from anymodal import Connection
from anymodal.errors import MalformedReplyError
from anymodal.http import FormPart, opened, read
from anymodal.jobs import submitting
from anymodal.media import Audio
from anymodal.modalities.kinds import LiveModel
from anymodal.modalities.speech import (
    AudioChunk,
    ClonedVoice,
    CloneRequest,
    SpeechEnd,
    SpeechEvent,
    SpeechRequest,
    SpeechResult,
    VoiceSpec,
)
from anymodal.streams import Batches
from anymodal.usage import Usage, Used

from .api import Api, path_of
from .live import LiveVoice
from .options import ElevenLabsSpeech

__all__ = ["ElevenLabsVoices"]

SLOWEST: Final = 0.7
FASTEST: Final = 1.2
"""AsyncAPI description, `RealtimeVoiceSettings.speed`."""

SOUNDS: Final = ("audio/", "application/octet-stream")
"""Of what type sound is; a portal's page is none."""

IDLE_SECONDS: Final = 180
"""The longest that the vendor waits for more text; 20 unless asked for."""


class ElevenLabsVoices:
    """ElevenLabs' voices."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._api = Api(connection)

    async def synthesize(self, request: SpeechRequest) -> SpeechResult:
        """Say a text in one piece."""
        reply = await self._send(request, "/v1/text-to-speech/{}")
        data, provider = await read(reply, self._connection.provider), self._connection.provider
        kind = reply.headers.get("content-type", "")
        if not kind.startswith(SOUNDS):
            msg = f"{provider}: the answer is {kind or 'of no type'}, and no sound"
            raise MalformedReplyError(msg, provider=provider)
        media_type = request.format.media_type if request.format else "audio/mpeg"
        return SpeechResult(
            audio=Audio(data, media_type=media_type),
            format=request.format,
            usage=usage_of(request.text),
            request_id=reply.headers.get("request-id"),
        )

    @asynccontextmanager
    async def stream(self, request: SpeechRequest) -> AsyncGenerator[Batches[SpeechEvent], None]:
        """Say a text, piece by piece."""
        reply = await self._send(request, "/v1/text-to-speech/{}/stream")

        def feed(chunk: bytes, found: list[SpeechEvent]) -> None:
            found.append(AudioChunk(chunk))

        def end(found: list[SpeechEvent]) -> None:
            request_id = reply.headers.get("request-id")
            found.append(SpeechEnd(usage=usage_of(request.text), request_id=request_id))

        async with opened(reply, self._connection.provider, feed, end) as sound:
            yield sound

    async def _send(self, request: SpeechRequest, path: str) -> Any:
        option = request.option(ElevenLabsSpeech)
        voice = await self._api.id_of(request.required_voice())
        query = {
            "output_format": request.format,
            "enable_logging": option.enable_logging if option else None,
        }
        return await self._connection.http.send(
            "POST",
            path_of(path, voice, query=query),
            body=body_of(request),
            headers=await self._api.headers(option),
        )

    @asynccontextmanager
    async def live(self, request: SpeechRequest) -> AsyncGenerator[LiveVoice, None]:
        """Say a text that comes in pieces."""
        option = request.option(ElevenLabsSpeech) or ElevenLabsSpeech()
        for name in ("previous_text", "next_text"):
            if getattr(option, name) is not None:
                request.warn(name, "left out: text in pieces has no field for it")
        voice = await self._api.id_of(request.required_voice())
        query = {
            "model_id": request.model.id,
            "output_format": request.format,
            "language_code": language_of(request),
            "enable_logging": option.enable_logging,
            "inactivity_timeout": IDLE_SECONDS,
            "apply_text_normalization": option.text_normalization,
            "seed": option.seed,
        }
        socket = self._connection.websocket(
            path_of("/v1/text-to-speech/{}/stream-input", voice, query=query),
            headers=await self._api.headers(option),
        )
        first: dict[str, object] = {
            "text": " ",
            "generation_config": {"chunk_length_schedule": list(option.chunk_length_schedule)},
        }
        if settings := settings_of(request):
            first["voice_settings"] = settings
        async with socket as found:
            await found.send_json({**first, **option.extra_body})
            yield LiveVoice(found, self._connection.provider)

    async def voices(self) -> Sequence[VoiceSpec]:
        """List the account's voices."""
        return [one async for one in self._api.voices()]

    async def clone(self, request: CloneRequest) -> ClonedVoice:
        """Learn a voice at once, from samples of a minute or two."""
        option = request.option(ElevenLabsSpeech)
        parts = [FormPart("name", request.name)]
        parts += [FormPart("files", sample) for sample in request.samples]
        if request.description is not None:
            parts.append(FormPart("description", request.description))
        if request.language is not None:
            parts.append(FormPart("labels", f'{{"language": "{request.language}"}}'))
        if option is not None and option.remove_background_noise is not None:
            said = "true" if option.remove_background_noise else "false"
            parts.append(FormPart("remove_background_noise", said))
        headers, provider = await self._api.headers(option), self._connection.provider
        with submitting(provider):
            found: Any = await self._connection.http.multipart(
                "POST", "/v1/voices/add", parts, headers=headers
            )
        try:
            voice = VoiceSpec(id=found["voice_id"], name=request.name, listed=False)
            return ClonedVoice(voice=voice, needs_verification=bool(found["requires_verification"]))
        except (KeyError, TypeError) as error:
            msg = f"{provider}: the answer names no voice"
            raise MalformedReplyError(msg, provider=provider) from error

    async def list_models(self) -> Sequence[LiveModel]:
        """List the models that speak."""
        rows = await self._api.get("/v1/models")
        return [
            LiveModel(
                id=row["model_id"],
                modality="speech" if row.get("can_do_text_to_speech") else None,
                source="GET /v1/models",
            )
            for row in rows
        ]


def usage_of(text: str) -> Usage:
    """Return what the vendor bills for a text."""
    return Usage(units=(Used("character", len(text)),))


def body_of(request: SpeechRequest) -> dict[str, object]:
    """Return the body of a request to speak."""
    option = request.option(ElevenLabsSpeech) or ElevenLabsSpeech()
    body: dict[str, object] = {
        "text": request.text,
        "model_id": request.model.id,
        "language_code": language_of(request),
        "voice_settings": settings_of(request) or None,
        "seed": option.seed,
        "previous_text": option.previous_text,
        "next_text": option.next_text,
        "apply_text_normalization": option.text_normalization,
    }
    said = {name: value for name, value in body.items() if value is not None}
    return {**said, **option.extra_body}


def settings_of(request: SpeechRequest) -> dict[str, object]:
    """Return how the voice is to speak; warns of what it cannot."""
    option = request.option(ElevenLabsSpeech) or ElevenLabsSpeech()
    names = ("stability", "similarity_boost", "style", "use_speaker_boost")
    found = {name: value for name in names if (value := getattr(option, name)) is not None}
    if request.speed is not None:
        speed = min(max(request.speed, SLOWEST), FASTEST)
        if speed != request.speed:
            request.warn("speed", f"{speed} is asked for; ElevenLabs has {SLOWEST} to {FASTEST}")
        found["speed"] = speed
    for name in ("instructions", "end_user"):
        if getattr(request, name) is not None:
            request.warn(name, "left out, because ElevenLabs has no field for it")
    return found


def language_of(request: SpeechRequest) -> str | None:
    """Return the language as ISO 639-1 has it, which knows no regions."""
    if request.language is None:
        return None
    language, _, region = request.language.partition("-")
    if region:
        request.warn("language", f"{language!r} is asked for; ElevenLabs takes no regions")
    return language.lower()
