"""Acme on loopback: Chat Completions with every kind of input, and batches."""

from __future__ import annotations

from anymodal_emulator.checking import Field
from anymodal_openai_compatible.emulator import Dialect, serve_batches, vendor
from anymodal_openai_compatible.emulator.fields import PARTS

__all__ = ["app"]

CLIP = {"type": Field("string"), "video_url": Field("object", required=True)}

app = vendor(
    Dialect(
        provider="acme",
        models=["acme-2", "acme-live"],
        lenient=True,
        reasoning_field="reasoning",
        responses=False,
        parts={**PARTS, "video_url": CLIP},
    )
)
serve_batches(app, "/v1", endpoints=["/v1/chat/completions"])
