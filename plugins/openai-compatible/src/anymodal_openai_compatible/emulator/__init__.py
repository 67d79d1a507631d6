"""
Speaks the Chat Completions, Responses and Embeddings protocols on loopback.

`vendor` makes the emulator of one vendor from a `Dialect`; `app` is a plain server
of the kind that people run themselves: any model, a key or none, unknown fields
passed over. Shapes, frames and their order are those of the types in openai
3.52 and of https://developers.openai.com/api/docs/api-reference (read
2026-11-20). The magic words of prompts stand in `anymodal_emulator.text`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request, Stream

from . import chat, responses
from .batches import serve_batches
from .dialect import Dialect
from .embeddings import Embedder, serve_embeddings

__all__ = ["Dialect", "Embedder", "app", "serve_batches", "serve_embeddings", "vendor"]

MODELS: Final = ("emulated-small", "emulated-large")


def vendor(dialect: Dialect, *, base_path: str = "/v1") -> Emulator:
    """Return the emulator of a vendor that speaks *dialect*, its paths under *base_path*."""

    def admit(request: Request) -> None:
        sent = request.bearer
        if not sent and dialect.needs_key:
            raise RefusedError(kind="no_key")
        if sent and request.key and sent != request.key:
            raise RefusedError(kind="bad_key", got=f"{sent[:7]}{'*' * 8}{sent[-2:]}")

    emulator = Emulator(
        dialect.provider,
        refuse=dialect.refuse,
        fail=dialect.fail,
        admit=admit,
        headers=dialect.headers,
    )
    serve(emulator, dialect, base_path)
    return emulator


def serve(emulator: Emulator, dialect: Dialect, base_path: str) -> None:
    """Add the routes of *dialect* to *emulator*."""

    def with_dialect(
        handler: Callable[[Request, Dialect], Reply | Stream],
    ) -> Callable[[Request], Reply | Stream]:
        return lambda request: handler(request, dialect)

    emulator.route("POST", f"{base_path}/chat/completions")(with_dialect(chat.complete))
    if dialect.responses:
        emulator.route("POST", f"{base_path}/responses")(with_dialect(responses.create))
    emulator.route("GET", f"{base_path}/models")(with_dialect(_list))
    emulator.route("GET", f"{base_path}/models/{{model}}")(with_dialect(_show))


def _model(name: str, dialect: Dialect) -> dict[str, object]:
    usual = {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": dialect.provider}
    return {**usual, **dialect.card(name)}


def _list(request: Request, dialect: Dialect) -> Reply:
    del request
    names = (*dialect.models, *dialect.others)
    return Reply.json({"object": "list", "data": [_model(name, dialect) for name in names]})


def _show(request: Request, dialect: Dialect) -> Reply:
    name = request.args["model"]
    dialect.require_model(name)
    return Reply.json(_model(name, dialect))


app = vendor(
    Dialect(
        provider="openai-compatible",
        models=MODELS,
        any_model=True,
        lenient=True,
        needs_key=False,
        reasoning_field="reasoning_content",
    )
)
serve_embeddings(
    app, "/v1", Embedder(provider="openai-compatible", usual=384, lenient=True, most_inputs=32)
)
