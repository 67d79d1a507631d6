"""
ElevenLabs on loopback: speech whole, streamed and told in pieces, voices, cloning, models.

Shapes are those of ElevenLabs' OpenAPI and AsyncAPI descriptions and of the types in
elevenlabs 2.78.0 (read 2026-11-20). Unknown fields are passed over, as the vendor does.
The sound is that of `anymodal_emulator.sounds`: it says `elevenlabs/<voice>: ` and the
text. Magic words of texts: `emulator:quota`, `emulator:filter`, `emulator:busy`.
"""

from __future__ import annotations

from typing import Any

from anymodal.modalities.sounds import SoundFormat
from anymodal_emulator.app import RefusedError, Reply, Request, Stream

from . import composed  # noqa: F401  # brings its routes
from .asked import VOICES_QUERY, body_of, form_of, output_format, query_of
from .refusals import app, refuse_by_word
from .shelf import MODELS, kept_voices, known_voice, learn
from .spoken import pieces, said, sound
from .told import stream_input

__all__ = ["app"]


@app.route("POST", "/v1/text-to-speech/{voice}/stream")
def stream(request: Request) -> Stream:
    """Say a text, piece by piece."""
    text, voice, packing = _asked(request)
    data = sound(said(voice, text), packing, voice["voice_id"])
    headers = _headers(request, text, packing.media_type)
    return Stream(pieces(data), headers.pop("content-type"), headers)


@app.route("POST", "/v1/text-to-speech/{voice}")
def speak(request: Request) -> Reply:
    """Say a text in one piece."""
    text, voice, packing = _asked(request)
    data = sound(said(voice, text), packing, voice["voice_id"])
    return Reply(200, data, _headers(request, text, packing.media_type))


def _asked(request: Request) -> tuple[str, dict[str, Any], SoundFormat]:
    body = body_of(request)
    packing = output_format(query_of(request))
    voice = known_voice(request.memory, request.args["voice"])
    if not body["text"].strip():
        raise RefusedError(kind="other", code="invalid_text", got="Text is empty.")
    refuse_by_word(body["text"], body.get("model_id", "eleven_multilingual_v2"))
    return body["text"], voice, packing


def _headers(request: Request, text: str, media_type: str) -> dict[str, str]:
    return {
        "content-type": media_type,
        "request-id": request.memory.id("", 20),
        "character-cost": str(len(text)),
    }


app.talk("/v1/text-to-speech/{voice}/stream-input")(stream_input)


@app.route("GET", "/v2/voices")
def search_voices(request: Request) -> Reply:
    """List the account's voices, page by page."""
    query = query_of(request, VOICES_QUERY)
    words = query.get("search", "").lower()
    found = [one for one in kept_voices(request.memory) if words in one["name"].lower()]
    start, size = int(query.get("next_page_token") or 0), int(query.get("page_size", 10))
    end = start + size
    return Reply.json(
        {
            "voices": found[start:end],
            "has_more": end < len(found),
            "total_count": len(found),
            "next_page_token": str(end) if end < len(found) else None,
        }
    )


@app.route("GET", "/v1/voices")
def all_voices(request: Request) -> Reply:
    """List the account's voices at once."""
    return Reply.json({"voices": kept_voices(request.memory)})


@app.route("POST", "/v1/voices/add")
def add_voice(request: Request) -> Reply:
    """Learn a voice."""
    fields, files = form_of(request)
    voice = learn(request.memory, fields, files)
    return Reply.json({"voice_id": voice["voice_id"], "requires_verification": False})


@app.route("GET", "/v1/voices/{voice}")
def one_voice(request: Request) -> Reply:
    """Return a voice."""
    return Reply.json(known_voice(request.memory, request.args["voice"]))


@app.route("GET", "/v1/models")
def models(request: Request) -> Reply:
    """List the models."""
    del request
    return Reply.json(MODELS)
