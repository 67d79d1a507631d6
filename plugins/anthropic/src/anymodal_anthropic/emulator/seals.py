"""Signatures of thinking: made with an answer, verified when they come back."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

from anymodal_emulator.app import RefusedError

__all__ = ["sealed", "verify"]

Json = Mapping[str, object]

BOUND: Final = ("claude-fable-5-", "claude-mythos-5-", "claude-opus-5-5", "claude-sonnet-5-5")
"""
Beginnings of the ids of models that bind their thinking to all that stood before it.

https://platform.claude.com/docs/en/build-with-claude/preserved-thinking, read
2026-11-20: for accounts made since 2026-08-31 a change is an error. What one model
wrote and another cannot read is passed over.
"""


def sealed(thinking: str, model: str, body: Json) -> str:
    """Return the signature of *thinking* in the answer to *body*."""
    seal = {
        "model": model,
        "thinking": _digest(thinking),
        "prefix": _prefix(body, cast("Sequence[Json]", body["messages"])),
    }
    return "Er" + base64.b64encode(json.dumps(seal).encode()).decode()


def verify(body: Json) -> None:
    """
    Verify all thinking that came back.

    Raises:
        RefusedError: A block was changed, or what stood before it.
    """
    messages = cast("Sequence[Json]", body["messages"])
    for index, message in enumerate(messages):
        for number, block in enumerate(_blocks(message["content"])):
            at = f"messages[{index}].content[{number}]"
            if block["type"] == "thinking":
                _verify(at, block, body, messages[:index])


def _verify(at: str, block: Json, body: Json, before: Sequence[Json]) -> None:
    words = "Invalid `signature` in `thinking` block"
    try:
        seal = json.loads(
            base64.b64decode(str(block["signature"]).removeprefix("Er"), validate=True)
        )
        fits = seal["thinking"] == _digest(str(block["thinking"]))
        model, prefix = str(seal["model"]), seal["prefix"]
    except (ValueError, LookupError, TypeError):
        fits, model, prefix = False, "", None
    if not fits:
        raise RefusedError(kind="other", param=at, got=words)
    if model.startswith(BOUND) and model == body["model"] and prefix != _prefix(body, before):
        more = f"{words}. The block is bound to a different conversation. Remove the block."
        raise RefusedError(kind="other", param=at, got=more)


def _digest(found: object) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:32]


def _prefix(body: Json, before: Sequence[Json]) -> str:
    """Return a digest of what stands before a turn; marks for the cache do not count."""
    turns = [[message["role"], _plain(_blocks(message["content"]))] for message in before]
    return _digest(
        [_plain(_blocks(body.get("system") or [])), _plain(body.get("tools") or []), turns]
    )


def _plain(found: object) -> object:
    if isinstance(found, Mapping):
        return {key: _plain(value) for key, value in found.items() if key != "cache_control"}
    return [_plain(item) for item in found] if isinstance(found, list) else found


def _blocks(content: object) -> list[Json]:
    """Return the blocks of *content*, a string being one of text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return cast("list[Json]", content)
