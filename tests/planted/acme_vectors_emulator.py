"""Acme on loopback: embeddings, the last text's vector first."""

from __future__ import annotations

import json

from anymodal_emulator.app import Reply
from anymodal_openai_compatible.emulator import Dialect, Embedder, vendor

__all__ = ["app"]

app = vendor(Dialect(provider="acme", models=[], responses=False))
embedder = Embedder(provider="acme", models={"acme-embed-2": (96, 96)}, most_inputs=128)


@app.route("POST", "/v1/embeddings")
def embeddings(request):
    """Answer in an order of its own, which `index` tells."""
    answer = embedder.answer(request)
    found = json.loads(answer.body)
    return Reply.json({**found, "data": found["data"][::-1]})
