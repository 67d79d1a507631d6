"""Speech, in pieces of bare samples at 24 kHz."""

from __future__ import annotations

import json
from collections.abc import Iterator

from anymodal_emulator.app import Reply, Request, Stream
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.sounds import pcm

from .app import MODELS, app, asked, coded, magic

MODELS["lark-1"] = "speech"
VOICES = {"ada": "Ada", "bert": "Bert"}
FIELDS = {
    "model": Field("string", required=True),
    "text": Field("string", required=True),
    "voice": one_of(*VOICES, required=True),
    "language": Field("string"),
    "speed": Field("number", least=0.25, most=4),
}
RATE = 24_000
PIECE = 4800


@app.route("GET", "/v1/voices")
def voices(request: Request) -> Reply:
    """List the voices."""
    found = [{"id": key, "name": name} for key, name in VOICES.items()]
    return Reply.json({"id": request.memory.id("v-"), "voices": found})


@app.route("POST", "/v1/speech")
def speak(request: Request) -> Stream:
    """Say a text."""
    body = asked(request, FIELDS, "lark-1")
    word, name = magic(body["text"]), request.memory.id("l-")
    sound = pcm(body["text"], RATE, pitch=5 * list(VOICES).index(body["voice"]))
    return Stream(lines(sound, word, len(body["text"]), name), "application/x-ndjson")


def lines(sound: bytes, word: str, count: int, name: str) -> Iterator[bytes]:
    """Give the lines of an answer."""
    for at in range(0, len(sound), PIECE):
        if word in {"fail", "filter"} and at:
            yield line(error={"code": "failed" if word == "fail" else "filtered"})
            return
        yield line(sound=coded(sound[at : at + PIECE]))
    yield line(characters=count, id=name)


def line(**said: object) -> bytes:
    """Return a line of an answer."""
    return json.dumps(said).encode() + b"\n"
