"""
An Ollama server on loopback: chat, vectors, models and pulls of its native API.

Shapes are those of Ollama's OpenAPI description and of the types in ollama 0.6.3,
https://docs.ollama.com/api and https://docs.ollama.com/api/errors (read
2026-11-20). What is wrong is refused in the server's one form, `{"error": …}`;
unknown fields are passed over, as the server does. The magic words of prompts
stand in `anymodal_emulator.text`; of these `filter`, `refuse` and `cite` mean
nothing here, because the server has neither filters nor sources.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request, Stream
from anymodal_emulator.embedding import vector
from anymodal_emulator.exchange import phrase
from anymodal_emulator.text import Answer, Ask, answer, count, tokens, word

from .asked import CHAT, EMBED, PULL, SHOW, ask_of, body_of, object_to
from .shelf import PULLABLE, Model, full_name, have, keep, model_called

__all__ = ["app"]

VERSION: Final = "0.40.12"
NDJSON: Final = "application/x-ndjson"
PIECES: Final = 4
"""In how many steps a layer is pulled."""
LOAD_NS: Final = 101_397_084
READ_NS: Final = 1_188_617
WRITE_NS: Final = 2_915_540
"""What loading takes, and a token read or written."""

_WORDS: Final = {
    "no_model": "model '{got}' not found",
    "value": "invalid {param}: {got!r}, must be one of {need}",
    "type": "json: cannot unmarshal {got} into Go struct field {param} of type {need}",
    "missing": "{param} is required",
    "no_path": "404 page not found",
    "no_method": "405 method not allowed",
}


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in the server's words."""
    words = _WORDS.get(refused.kind, "{got}")
    said = words.format(param=refused.param, got=refused.got, need=refused.need)
    if refused.kind in {"no_path", "no_method"}:
        return Reply(refused.status, said.encode(), {"content-type": "text/plain"})
    return Reply.json({"error": said}, status=refused.status)


def fail(status: int) -> Reply:
    """Return what the server says with a bare status."""
    return Reply.json({"error": phrase(status).lower()}, status=status)


app = Emulator("ollama", refuse=refuse, fail=fail)


def _line(found: Mapping[str, object]) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _time(memory: Memory) -> str:
    moment = dt.datetime.fromtimestamp(memory.now(), dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.409172Z"


# -- chat ---------------------------------------------------------------------------------


@app.route("POST", "/api/chat")
def chat(request: Request) -> Reply | Stream:
    """Answer."""
    body = body_of(request, CHAT)
    model = model_called(body["model"], request.memory)
    object_to(body, model)
    if not body.get("messages"):
        return Reply.json(_loaded(body, request.memory))
    ask = ask_of(body, model)
    _refuse_by_word(ask)
    found = answer(ask, request.memory)
    if found.refusal:
        found = attrs.evolve(found, text=found.refusal)
    if body.get("stream") is False:
        return _whole(body, found, request.memory)
    return Stream(_frames(body, found, request.memory), NDJSON)


def _refuse_by_word(ask: Ask) -> None:
    magic = word(ask.prompt)
    if magic == "quota":
        raise RefusedError(kind="other", got="this model requires a subscription", status=402)
    if magic == "context":
        raise RefusedError(kind="other", got="the input length exceeds the context length")


def _loaded(body: Mapping[str, Any], memory: Memory) -> dict[str, object]:
    """Return the answer to no messages: the model was loaded, or unloaded."""
    unloads = body.get("keep_alive") in {0, "0", "0s"}
    return {
        "model": body["model"],
        "created_at": _time(memory),
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "unload" if unloads else "load",
    }


def _whole(body: Mapping[str, Any], found: Answer, memory: Memory) -> Reply:
    if found.word == "fail":
        return Reply.json({"error": "the model failed to generate a response"}, status=500)
    message: dict[str, object] = {"role": "assistant", "content": found.text}
    if found.reasoning:
        message["thinking"] = found.reasoning
    if found.calls:
        message["tool_calls"] = _calls(found)
    return Reply.json(
        {"model": body["model"], "created_at": _time(memory), "message": message, **_end(found)}
    )


def _frames(body: Mapping[str, Any], found: Answer, memory: Memory) -> Iterator[bytes]:
    def frame(end: Mapping[str, object] | None = None, **said: object) -> bytes:
        message = {"role": "assistant", "content": "", **said}
        head = {"model": body["model"], "created_at": _time(memory), "message": message}
        return _line({**head, **(end or {"done": False})})

    for piece in tokens(found.reasoning):
        yield frame(thinking=piece)
    for at, piece in enumerate(found.pieces):
        if found.word == "fail" and at == 2:
            yield _line({"error": "an error was encountered while running the model"})
            return
        yield frame(content=piece)
    for call in _calls(found):
        yield frame(tool_calls=[call])
    yield frame(_end(found))


def _calls(found: Answer) -> list[dict[str, object]]:
    """Return the calls; they have no ids."""
    return [
        {"function": {"name": call.name, "arguments": json.loads(call.arguments)}}
        for call in found.calls
    ]


def _end(found: Answer) -> dict[str, object]:
    """Return how an answer ended, with what was counted and what it took."""
    read, wrote = found.input_tokens * READ_NS, found.output_tokens * WRITE_NS
    return {
        "done": True,
        "done_reason": "length" if found.end == "length" else "stop",
        "total_duration": LOAD_NS + read + wrote,
        "load_duration": LOAD_NS,
        "prompt_eval_count": found.input_tokens,
        "prompt_eval_duration": read,
        "eval_count": found.output_tokens,
        "eval_duration": wrote,
    }


# -- vectors ------------------------------------------------------------------------------


@app.route("POST", "/api/embed")
def embed(request: Request) -> Reply:
    """Make vectors, of the first words of a text that is too long unless told otherwise."""
    body = body_of(request, EMBED)
    model = model_called(body["model"], request.memory)
    given = body.get("input") or []
    texts = [given] if isinstance(given, str) else given
    pieces = [tokens(text) for text in texts]
    if body.get("truncate") is False and any(len(one) > model.context for one in pieces):
        raise RefusedError(kind="other", got="the input length exceeds the context length")
    kept = ["".join(one[: model.context]) for one in pieces]
    size = min(body.get("dimensions") or model.dimensions, model.dimensions)
    read = sum(map(count, kept))
    return Reply.json(
        {
            "model": body["model"],
            "embeddings": [vector(f"ollama/{model.name}", one, size).tolist() for one in kept],
            "total_duration": LOAD_NS + read * READ_NS,
            "load_duration": LOAD_NS,
            "prompt_eval_count": read,
        }
    )


# -- models -------------------------------------------------------------------------------


@app.route("GET", "/api/version")
def version(request: Request) -> Reply:
    """Tell the server's version."""
    del request
    return Reply.json({"version": VERSION})


@app.route("GET", "/api/tags")
def tags(request: Request) -> Reply:
    """List the models that were pulled."""
    found = [
        {
            "name": model.name,
            "model": model.name,
            "modified_at": "2026-09-20T14:13:20.409490Z",
            "size": model.bytes,
            "digest": model.digest,
            "details": model.details(),
        }
        for model in have(request.memory).values()
    ]
    return Reply.json({"models": found})


@app.route("POST", "/api/show")
def show(request: Request) -> Reply:
    """Tell what a model is and can do."""
    model = model_called(body_of(request, SHOW)["model"], request.memory)
    found: dict[str, object] = {
        "license": "Apache License, Version 2.0",
        "modelfile": f"FROM {model.name}\n",
        "parameters": "temperature 0.7",
        "template": "{{ .Prompt }}",
        "details": model.details(),
        "model_info": {
            "general.architecture": model.family,
            "general.quantization_version": 2,
            f"{model.family}.block_count": 34,
            f"{model.family}.context_length": model.context,
        },
        "capabilities": list(model.capabilities),
        "modified_at": "2026-09-20T14:13:20.409490Z",
    }
    if model.thinking:
        found["thinking"] = {"values": list(model.thinking), "default": model.thinking[0]}
    return Reply.json(found)


@app.route("POST", "/api/pull")
def pull(request: Request) -> Reply | Stream:
    """Fetch a model, which is there as soon as all was said."""
    body = body_of(request, PULL)
    found = PULLABLE.get(full_name(body["model"]))
    frames = _pulled(found, request.memory)
    if body.get("stream") is False:
        last = list(frames)[-1]
        return Reply.json(last, status=500 if "error" in last else 200)
    return Stream(map(_line, frames), NDJSON)


def _pulled(model: Model | None, memory: Memory) -> Iterator[dict[str, object]]:
    yield {"status": "pulling manifest"}
    if model is None:
        yield {"error": "pull model manifest: file does not exist"}
        return
    for layer, size in ((model.digest, model.bytes), (model.digest[::-1], 485)):
        piece = {"status": f"pulling {layer[:12]}", "digest": f"sha256:{layer}", "total": size}
        yield piece
        for step in range(1, PIECES + 1):
            yield {**piece, "completed": size * step // PIECES}
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    keep(memory, model)
    yield {"status": "success"}
