"""Vectors, near where texts share words."""

from __future__ import annotations

from anymodal_emulator.app import RefusedError, Reply, Request
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.embedding import vector
from anymodal_emulator.text import count

from .app import MODELS, app, asked, magic

MODELS["compass-1"] = "embedding"
FIELDS = {
    "model": Field("string", required=True),
    "texts": Field("array", required=True, items=Field("string")),
    "purpose": one_of("query", "document"),
    "dimensions": Field("integer", least=1, most=1024),
}
MOST = 64
SPACE = "night-heron/compass-1"


@app.route("POST", "/v1/vectors")
def embed(request: Request) -> Reply:
    """Make a vector of each text."""
    body = asked(request, FIELDS, "compass-1")
    texts = body["texts"]
    if len(texts) > MOST:
        raise RefusedError(kind="value", param="texts", need=f"at most {MOST}")
    for text in texts:
        magic(text)
    size = body.get("dimensions", 256)
    vectors = [vector(SPACE, text, size).tolist() for text in texts]
    tokens = sum(count(text) for text in texts)
    return Reply.json({"id": request.memory.id("e-"), "vectors": vectors, "tokens": tokens})
