"""
Deepgram on loopback: files and live sound to text, and the list of models.

Shapes are those of Deepgram's OpenAPI and AsyncAPI descriptions and of the types in
deepgram-sdk 7.17.0; refusals those of https://developers.deepgram.com/docs/errors (read
2026-11-20). It understands the sound of `anymodal_emulator.sounds`; of other sound it
hears nothing. A slash between words is where the other speaker goes on.
"""

from __future__ import annotations

import hashlib

from anymodal_emulator.app import RefusedError, Reply, Request

from .asked import MODELS, asked_file
from .ears import Hearing, of_file, utterances
from .refusals import app
from .talks import listen_live

__all__ = ["app"]


@app.route("POST", "/v1/listen")
def listen(request: Request) -> Reply:
    """Transcribe a file, or what a URL is said to lead to."""
    query = asked_file(request)
    body = request.received.body
    if request.received.headers.get("content-type", "").startswith("application/json"):
        url = request.json().get("url")
        if not isinstance(url, str):
            raise RefusedError(kind="missing", param="url")
        heard = [Hearing.of_text(f"What {url} says.")]
    else:
        heard = of_file(body, query)
    channels = heard if query.flag("multichannel") else heard[:1]
    results: dict[str, object] = {
        "channels": [
            {"alternatives": [one.alternative(query)]} | query.language_found() for one in channels
        ]
    }
    if query.flag("utterances"):
        results["utterances"] = utterances(channels, query, request.memory)
    name = query.model
    uuid = query.model_uuid
    metadata = {
        "transaction_key": "deprecated",
        "request_id": request_id(request),
        "sha256": hashlib.sha256(body).hexdigest(),
        "created": "2026-11-20T12:00:00.000Z",
        "duration": heard[0].seconds,
        "channels": len(channels),
        "models": [uuid],
        "model_info": {uuid: {"name": name, "version": "2026-10-01.0", "arch": name}},
    }
    return Reply.json({"metadata": metadata, "results": results})


app.talk("/v1/listen")(listen_live)


@app.route("GET", "/v1/models")
def models(request: Request) -> Reply:
    """List the models."""
    del request
    return Reply.json({"stt": MODELS, "tts": []})


@app.route("GET", "/v1/projects")
def projects(request: Request) -> Reply:
    """List the account's projects."""
    return Reply.json({"projects": [{"project_id": request_id(request), "name": "emulated"}]})


def request_id(request: Request) -> str:
    """Return a new id."""
    found = request.memory.id("", 32)
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))
