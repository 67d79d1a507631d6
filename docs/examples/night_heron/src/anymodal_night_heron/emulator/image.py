"""Pictures, drawn at once."""

from __future__ import annotations

from anymodal_emulator.app import Reply, Request
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.pictures import picture

from .app import MODELS, app, asked, coded, magic, sized

MODELS["etch-1"] = "image"
FIELDS = {
    "model": Field("string", required=True),
    "prompt": Field("string", required=True),
    "pictures": Field("array", items=Field("string")),
    "width": Field("integer", required=True, least=256, most=2048),
    "height": Field("integer", required=True, least=256, most=2048),
    "count": Field("integer", least=1, most=10),
    "format": one_of("png", "jpeg", "webp"),
    "seed": Field("integer"),
}


@app.route("POST", "/v1/pictures")
def draw(request: Request) -> Reply:
    """Draw what was asked for."""
    body = asked(request, FIELDS, "etch-1")
    magic(body["prompt"])
    width, height, form = body["width"], body["height"], body.get("format", "png")
    words = f"night-heron etch-1: {body['prompt']} ({width}x{height}"
    words += "".join(f"; {sized(one)}" for one in body["pictures"]) + ")"
    count = range(1, body.get("count", 1) + 1)
    drawn = [
        picture(f"{words} {number}", width, height, media_type=f"image/{form}") for number in count
    ]
    name = request.memory.id("p-")
    return Reply.json({"id": name, "pictures": [coded(one) for one in drawn]})
