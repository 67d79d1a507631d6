"""Text, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from anymodal_emulator.app import Request, Stream
from anymodal_emulator.checking import Field, one_of
from anymodal_emulator.text import Answer, Ask, answer, tokens

from .app import MODELS, app, asked, magic

MODELS["quill-2"] = "text"
TURN = Field("object", fields={"role": one_of("user", "assistant"), "text": Field("string")})
FIELDS = {
    "model": Field("string", required=True),
    "turns": Field("array", required=True, items=TURN),
    "system": Field("string"),
    "temperature": Field("number", least=0, most=2),
    "max_tokens": Field("integer", least=1),
    "stop": Field("array", items=Field("string")),
}


@app.route("POST", "/v1/text")
def write(request: Request) -> Stream:
    """Answer a conversation."""
    body = asked(request, FIELDS, "quill-2")
    prompt = body["turns"][-1]["text"]
    magic(prompt)
    ask = Ask(
        provider="night-heron",
        model=body["model"],
        prompt=prompt,
        system=body.get("system", ""),
        history="\n".join(turn["text"] for turn in body["turns"]),
        turns=sum(turn["role"] == "user" for turn in body["turns"]),
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop", ())),
    )
    found = answer(ask, request.memory)
    return Stream(lines(found, request.memory.id("t-")), "application/x-ndjson")


def lines(found: Answer, name: str) -> Iterator[bytes]:
    """Give the lines of an answer."""
    for number, piece in enumerate(tokens(found.text or found.refusal)):
        if found.word == "fail" and number == 2:
            yield line(error={"code": "failed"})
            return
        yield line(text=piece)
    if found.end == "content_filter":
        yield line(error={"code": "filtered"})
        return
    usage = {"input_tokens": found.input_tokens, "output_tokens": found.output_tokens}
    yield line(end=found.end, usage=usage, id=name)


def line(**said: object) -> bytes:
    """Return a line of an answer."""
    return json.dumps(said).encode() + b"\n"
