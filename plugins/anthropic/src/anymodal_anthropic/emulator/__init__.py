"""
Anthropic on loopback: messages, token counts, models and batches, as strict as the vendor.

Shapes, frames and their order are those of the types in anthropic 2.11 and of
https://platform.claude.com/docs/en/api (read 2026-11-20); models and what they take
are those of `anymodal_anthropic.models`. The magic words of prompts stand in
`anymodal_emulator.text`; `emulator:block` is a refusal before the first word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from anymodal.specs import ModelSpec
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request, Stream
from anymodal_emulator.checking import check
from anymodal_emulator.text import MEDIA_TOKENS, answer, count, word

from ..models import MODELS, NEWEST, THINKING
from .answered import frames, message
from .asked import Json, ask
from .batches import serve_batches
from .fields import BODY, COUNT, SAMPLING
from .refusals import fail, object_to_word, refuse

__all__ = ["app"]

VERSIONS: Final = ("2023-01-01", "2023-06-01", "2026-10-21")
PAGE: Final = 20


def admit(request: Request) -> None:
    """Let in who has the key, by either header, and says which version he speaks."""
    headers = request.received.headers
    sent = headers.get("x-api-key") or request.bearer
    if not sent:
        raise RefusedError(kind="no_key")
    if request.key and sent != request.key:
        raise RefusedError(kind="bad_key")
    version = headers.get("anthropic-version")
    if version is None:
        raise RefusedError(kind="other", param="anthropic-version", got="header is required")
    if version not in VERSIONS:
        got = f'"{version}" is not a valid version'
        raise RefusedError(kind="other", param="anthropic-version", got=got)


def headers(request: Request) -> Mapping[str, str]:
    """Return the headers of every answer."""
    return {
        "request-id": request.memory.id("req_", 24),
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    }


app = Emulator("anthropic", refuse=refuse, fail=fail, admit=admit, headers=headers)
serve_batches(app)


@app.route("POST", "/v1/messages")
def create(request: Request) -> Reply | Stream:
    """Answer a conversation."""
    body = _checked(request, BODY)
    asked = ask(body)
    magic = word(asked.prompt)
    refused = object_to_word(magic)
    if refused is not None:
        return refused
    streamed = body.get("stream") is True
    if magic == "fail" and not streamed:
        return fail(500)
    found = answer(asked, request.memory, call_id="toolu_")
    whole = message(found, asked, body, request.memory)
    return Stream(frames(whole, fails=magic == "fail")) if streamed else Reply.json(whole)


@app.route("POST", "/v1/messages/count_tokens")
def count_tokens(request: Request) -> Reply:
    """Count the prompt's tokens."""
    asked = ask(_checked(request, COUNT))
    text = count(asked.system) + count(asked.history)
    return Reply.json({"input_tokens": text + MEDIA_TOKENS * len(asked.given)})


def _checked(request: Request, fields: Mapping[str, object]) -> dict[str, object]:
    body = request.json()
    older = request.received.headers["anthropic-version"] < "2026-10-21"
    if not older:
        for name in SAMPLING:
            if name in body:
                got = "is not supported in API version 2026-10-21"
                raise RefusedError(kind="other", param=name, got=got)
    check(body, {**fields, **SAMPLING} if older else fields)  # type: ignore[dict-item,arg-type]  # both are tables of fields
    return body


# -- models -----------------------------------------------------------------------------


@app.route("GET", "/v1/models")
def list_models(request: Request) -> Reply:
    """List models, a page at a time."""
    query = parse_qs(request.received.query)
    states = query.get("lifecycle[]") or query.get("lifecycle") or ["active", "deprecated"]
    rows = [_model(model) for model in MODELS if model.lifecycle.state in states]
    if "after_id" in query:
        ids = [row["id"] for row in rows]
        rows = rows[ids.index(query["after_id"][0]) + 1 :] if query["after_id"][0] in ids else []
    page = rows[: int(query.get("limit", [str(PAGE)])[0])]
    return Reply.json(
        {
            "data": page,
            "has_more": len(page) < len(rows),
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }
    )


@app.route("GET", "/v1/models/{model}")
def show_model(request: Request) -> Reply:
    """Show one model."""
    for model in MODELS:
        if model.id == request.args["model"]:
            return Reply.json(_model(model))
    raise RefusedError(kind="no_model", got=request.args["model"])


def _model(model: ModelSpec) -> Json:
    names = model.id.removeprefix("claude-").split("-")
    retires = model.lifecycle.retires_on
    left = model.lifecycle.state != "active"
    return {
        "type": "model",
        "id": model.id,
        "display_name": f"Claude {names[0].title()} {'.'.join(names[1:3])}",
        "created_at": "2026-09-21T00:00:00Z",
        "lifecycle": model.lifecycle.state,
        "line": names[0] if names[0] in {"haiku", "sonnet", "opus", "fable", "mythos"} else None,
        "deprecated_at": "2026-09-21T00:00:00Z" if left else None,
        "retires_at": f"{retires.isoformat()}T00:00:00Z" if retires else None,
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: ModelSpec) -> Json:
    known = THINKING.get(model.id, NEWEST)

    def can(name: str) -> Json:
        return {"supported": model.capabilities.get(name) is True}

    def does(found: object) -> Json:
        return {"supported": bool(found)}

    efforts = {name: does(name in known.efforts) for name in NEWEST.efforts}
    kinds = {
        "adaptive": does(known.adaptive),
        "between_tools": does(known.mode == "between"),
        "disabled": does(known.mode in {"default", "asked", "budget"}),
        "enabled": does(known.mode == "budget" or model.id.endswith("-4-6")),
    }
    return {
        "batch": does(found=True),
        "citations": can("citations"),
        "code_execution": can("web_search"),
        "context_management": does(found=True),
        "effort": {**does(known.efforts), **efforts},
        "image_input": can("image_input"),
        "pdf_input": can("file_input"),
        "server_tools": {
            **can("web_search"),
            "code_execution": can("web_search"),
            "web_search": can("web_search"),
        },
        "structured_outputs": can("structured_output"),
        "thinking": {**can("reasoning"), "types": kinds},
    }
