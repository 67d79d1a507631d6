"""Quillon on loopback, as https://docs.quillon.example/api describes it (read 2026-11-20)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request, Stream
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.text import Answer, Ask, answer, tokens, word

TURN = Field("object", fields={"who": one_of("user", "assistant"), "says": Field("string")})
FIELDS = {
    "model": Field("string", required=True),
    "turns": Field("array", required=True, items=TURN),
    "guide": Field("string"),
    "heat": Field("number", least=0, most=1),
    "limit": Field("integer", least=1),
    "until": Field("array", items=Field("string")),
}
TROUBLES = {401: "bad_key", 404: "not_found", 429: "too_many"}
ENDS = {"stop": "finished", "length": "full", "content_filter": "withheld"}


def refuse(refused: RefusedError) -> Reply:
    """Put a refusal into Quillon's words."""
    trouble = refused.code or TROUBLES.get(refused.status, "bad_request")
    note = f"{refused.kind} {refused.param} {refused.got}".strip()
    return Reply.json({"trouble": trouble, "note": note}, status=refused.status)


def fail(status: int) -> Reply:
    """Return what Quillon says with a bare status."""
    return Reply.json({"trouble": TROUBLES.get(status, "ours")}, status=status)


def admit(request: Request) -> None:
    """Refuse who has no key, or another."""
    key = request.received.headers.get("x-quillon-key", "")
    if key != request.key:
        raise RefusedError(kind="bad_key" if key else "no_key")


app = Emulator("quillon", refuse=refuse, fail=fail, admit=admit)


@app.route("POST", "/v1/write")
def write(request: Request) -> Stream:
    """Answer, line by line."""
    body = request.json()
    check(body, FIELDS)
    if body["model"] != "nib-2":
        raise RefusedError(kind="no_model", got=str(body["model"]))
    ask = asked(body)
    for magic, trouble, status in (
        ("context", "too_long", 400), ("quota", "no_credit", 402), ("block", "withheld", 400)
    ):  # fmt: skip
        if word(ask.prompt) == magic:
            raise RefusedError(kind="other", code=trouble, status=status)
    found = answer(ask, request.memory)
    return Stream(lines(found, request.memory.id("q-")), "application/x-ndjson")


@app.route("GET", "/v1/models")
def models(request: Request) -> Reply:
    """List the models."""
    return Reply.json({"models": [{"id": "nib-2"}]})


def asked(body: Mapping[str, Any]) -> Ask:
    """Return what the model is asked."""
    turns = body["turns"]
    return Ask(
        provider="quillon",
        model=body["model"],
        prompt=turns[-1]["says"],
        system=body.get("guide", ""),
        history="\n".join(turn["says"] for turn in turns),
        turns=sum(turn["who"] == "user" for turn in turns),
        max_tokens=body.get("limit"),
        stop=tuple(body.get("until", ())),
    )


def lines(found: Answer, name: str) -> Iterator[bytes]:
    """Give the lines of an answer."""
    pieces = tokens(found.text or found.refusal)
    for number, piece in enumerate(pieces):
        if found.word == "fail" and number == 2:
            return  # the connection ends, and the answer has no last line
        yield line(ink=piece)
    yield line(done=ENDS[found.end], read=found.input_tokens, written=found.output_tokens, id=name)


def line(**said: object) -> bytes:
    """Return a line of an answer."""
    return json.dumps(said).encode() + b"\n"
