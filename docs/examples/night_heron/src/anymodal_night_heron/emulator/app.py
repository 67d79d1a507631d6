"""The door: who is let in, and how Night Heron refuses."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check

CODES = {401: "bad_key", 404: "not_found", 429: "too_many"}
MAGIC = {"context": ("too_long", 400), "quota": ("no_credit", 402), "block": ("filtered", 400)}


def refuse(refused: RefusedError) -> Reply:
    """Put a refusal into Night Heron's words."""
    code = refused.code or CODES.get(refused.status, "bad_request")
    words = f"{refused.kind} {refused.param} {refused.got} {refused.need}".strip()
    return Reply.json({"error": {"code": code, "message": words}}, status=refused.status)


def fail(status: int) -> Reply:
    """Return what Night Heron says with a bare status."""
    return Reply.json({"error": {"code": CODES.get(status, "ours")}}, status=status)


def admit(request: Request) -> None:
    """Refuse who has no key, or another; what links lead to is anybody's."""
    if request.received.path.startswith("/files/"):
        return
    if request.bearer != request.key:
        raise RefusedError(kind="bad_key" if request.bearer else "no_key")


app = Emulator("night-heron", refuse=refuse, fail=fail, admit=admit)

MODELS: dict[str, str] = {}
"""Kinds of models, by their ids; each module here adds its own."""


@app.route("GET", "/v1/models")
def models(request: Request) -> Reply:
    """List the models."""
    found = [{"id": name, "kind": kind} for name, kind in MODELS.items()]
    return Reply.json({"id": request.memory.id("m-"), "models": found})


def asked(request: Request, fields: Mapping[str, Field], *models: str) -> dict[str, Any]:
    """Return the body of a request, which has these fields and names one of the models."""
    body = request.json()
    check(body, fields)
    if models and body["model"] not in models:
        raise RefusedError(kind="no_model", got=str(body["model"]))
    return body


def magic(prompt: str) -> str:
    """Return the magic word in a prompt, if there is one; some are refused."""
    found = re.search(r"emulator:(\w+)", prompt)
    word = found[1] if found else ""
    if word in MAGIC:
        code, status = MAGIC[word]
        raise RefusedError(kind="other", code=code, status=status)
    return word


def coded(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return base64.b64encode(data).decode()


def sized(text: str) -> str:
    """Return what a PNG in base64 is, such as `image/png 320x240`."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise RefusedError(kind="value", need="base64") from None
    if not data.startswith(b"\x89PNG"):
        raise RefusedError(kind="value", need="a PNG")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return f"image/png {width}x{height}"
