"""Effects and music on loopback, as ElevenLabs' OpenAPI description has them."""

from __future__ import annotations

import math
from typing import Any, Final

from anymodal.modalities.sounds import SoundFormat
from anymodal_emulator.app import RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.sounds import CHARACTER_SECONDS

from .asked import output_format, query_of
from .refusals import app, refuse_by_word
from .spoken import sound

__all__ = ["effect", "music"]

_QUERY: Final = frozenset({"output_format"})

EFFECT: Final = {
    "text": Field("string", required=True),
    "loop": Field("boolean"),
    "duration_seconds": Field("number|null", least=0.5, most=30),
    "prompt_influence": Field("number|null", least=0, most=1),
    "model_id": one_of("eleven_text_to_sound_v2"),
}
MUSIC: Final = {
    "prompt": Field("string|null"),
    "lyrics_text": Field("string|null"),
    "composition_plan": Field("object|null"),
    "music_length_ms": Field("integer|null", least=3000, most=600_000),
    "model_id": one_of("music_v1", "music_v2"),
    "seed": Field("integer|null", least=0, most=2_147_483_647),
    "force_instrumental": Field("boolean"),
}


@app.route("POST", "/v1/sound-generation")
def effect(request: Request) -> Reply:
    """Make an effect, of five seconds where nobody says."""
    body = _body(request, EFFECT)
    return _made(request, body["text"], "effect", body.get("duration_seconds") or 5.0)


@app.route("POST", "/v1/music")
def music(request: Request) -> Reply:
    """Make music, of ten seconds where nobody says."""
    body = _body(request, MUSIC)
    if not body.get("prompt"):
        raise RefusedError(kind="missing", param="body.prompt")
    seconds = (body.get("music_length_ms") or 10_000) / 1000
    return _made(request, body["prompt"], body.get("model_id", "music_v1"), seconds)


def _body(request: Request, fields: dict[str, Field]) -> dict[str, Any]:
    body = request.json()
    try:
        check(body, fields, lenient=True)
    except RefusedError as refused:
        refused.param = f"body.{refused.param}"
        raise
    return body


def _made(request: Request, prompt: str, kind: str, seconds: float) -> Reply:
    packing: SoundFormat = output_format(query_of(request, _QUERY))
    refuse_by_word(prompt, "eleven_any")
    words = f"elevenlabs/{kind}: {prompt}, {seconds:g} s"
    length = max(math.ceil(seconds / CHARACTER_SECONDS), 1)
    data = sound(words.ljust(length)[:length], packing, kind)
    headers = {"content-type": packing.media_type, "request-id": request.memory.id("", 20)}
    return Reply(200, data, headers)
