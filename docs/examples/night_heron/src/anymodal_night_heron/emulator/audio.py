"""Sound, made at once."""

from __future__ import annotations

from anymodal_emulator.app import Reply, Request
from anymodal_emulator.checking import Field
from anymodal_emulator.sounds import wav

from .app import MODELS, app, asked, coded, magic

MODELS["reed-1"] = "audio"
FIELDS = {
    "model": Field("string", required=True),
    "prompt": Field("string", required=True),
    "seconds": Field("number", least=0.5, most=60),
    "seed": Field("integer"),
}
RATE = 16_000


@app.route("POST", "/v1/sounds")
def play(request: Request) -> Reply:
    """Make a tune that spells its words, as long as it was asked for."""
    body = asked(request, FIELDS, "reed-1")
    magic(body["prompt"])
    seconds = body.get("seconds", 4)
    sound = wav(body["prompt"], RATE, pitch=body.get("seed", 0))
    size = int(seconds * RATE) * 2
    samples = (sound[44:] + bytes(size))[:size]
    head = sound[:4] + (36 + size).to_bytes(4, "little") + sound[8:40] + size.to_bytes(4, "little")
    name = request.memory.id("s-")
    return Reply.json({"id": name, "sound": coded(head + samples), "seconds": seconds})
