"""Effects and music by ElevenLabs' REST interface."""

from __future__ import annotations

from typing import Any, Final

from anymodal import Connection
from anymodal.errors import MalformedReplyError
from anymodal.http import read
from anymodal.jobs import submitting
from anymodal.media import Audio
from anymodal.modalities.audio import AudioRequest, AudioResult
from anymodal.modalities.sounds import SoundFormat, wav_header
from anymodal.usage import Usage, Used

from .api import Api, path_of
from .audio_models import PACKINGS
from .options import ElevenLabsAudio

__all__ = ["ElevenLabsSounds"]

LENGTHS: Final = {"effects": (0.5, 30.0), "music": (3.0, 600.0)}
SOUNDS: Final = ("audio/", "application/octet-stream")
"""Types of answers; a proxy's own page is of another."""

MOST_BYTES: Final = 256 * 1024 * 1024


class ElevenLabsSounds:
    """ElevenLabs, making effects and music."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._api = Api(connection)

    async def generate(self, request: AudioRequest) -> AudioResult:
        """
        Make an effect, or music where the model is one of music.

        Raises:
            MalformedReplyError: What came is no sound.
            OutcomeUnknownError: No answer came, and it may be paid for.
            VendorError: ElevenLabs refused or failed.
        """
        option = request.option(ElevenLabsAudio) or ElevenLabsAudio()
        is_music = request.model.id.startswith("music")
        seconds = _seconds(request, is_music=is_music)
        body = (_music if is_music else _effect)(request, option, seconds)
        packing = _packing(request)
        path = path_of(
            "/v1/music" if is_music else "/v1/sound-generation", query={"output_format": packing}
        )
        with submitting(self._connection.provider):
            reply = await self._connection.http.send(
                "POST", path, body={**body, **option.extra_body},
                headers=await self._api.headers(option),
            )  # fmt: skip
            data = await read(reply, self._connection.provider, MOST_BYTES)
        kind = reply.headers.get("content-type", "")
        if not kind.startswith(SOUNDS):
            msg = f"{self._connection.provider}: the answer is {kind or 'of no type'}, and no sound"
            raise MalformedReplyError(msg, provider=self._connection.provider)
        found = packing or PACKINGS[0]
        if request.format is not None and request.format.codec == "wav" and packing is not None:
            data = wav_header(packing.rate or 44_100, len(data)) + data
            found = request.format
        return AudioResult(
            audio=Audio(data, media_type=found.media_type),
            seconds=seconds,
            usage=None if seconds is None else Usage(units=(Used("second", seconds),)),
            model=request.model.id,
            request_id=reply.headers.get("request-id"),
        )


def _seconds(request: AudioRequest, *, is_music: bool) -> float | None:
    """Return how long to ask for: the nearest that there is."""
    if request.seconds is None:
        return None
    least, most = LENGTHS["music" if is_music else "effects"]
    found = min(max(request.seconds, least), most)
    if found != request.seconds:
        request.warn("seconds", f"{request.model.id} makes {least:g} to {most:g}: {found:g} here")
    return found


def _packing(request: AudioRequest) -> SoundFormat | None:
    if request.format is None:
        return None
    found = request.format.within(PACKINGS)
    if found is None:
        request.warn("format", f"there is no {request.format}; {PACKINGS[0]} here")
    return found


def _leave_out(request: AudioRequest, **why: str) -> None:
    for name, words in {**why, "end_user": "there is no field for it"}.items():
        if getattr(request, name) is not None:
            request.warn(name, f"{words}; left out")


def _effect(
    request: AudioRequest, option: ElevenLabsAudio, seconds: float | None
) -> dict[str, Any]:
    _leave_out(request, seed="effects take none", instrumental="nobody sings in effects")
    found: dict[str, Any] = {"text": request.prompt, "model_id": request.model.id}
    if seconds is not None:
        found["duration_seconds"] = seconds
    if request.loop is not None:
        found["loop"] = request.loop
    if option.prompt_influence is not None:
        found["prompt_influence"] = option.prompt_influence
    return found


def _music(request: AudioRequest, option: ElevenLabsAudio, seconds: float | None) -> dict[str, Any]:
    _leave_out(request, loop="music has an end")
    found: dict[str, Any] = {"prompt": request.prompt, "model_id": request.model.id}
    if seconds is not None:
        found["music_length_ms"] = round(seconds * 1000)
    if request.seed is not None:
        found["seed"] = request.seed
    if request.instrumental is not None:
        found["force_instrumental"] = request.instrumental
    if option.lyrics is not None:
        found["lyrics_text"] = option.lyrics
    return found
