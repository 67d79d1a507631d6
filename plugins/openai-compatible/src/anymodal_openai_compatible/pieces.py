"""Content in pieces, as some servers give it, and reasoning that stands among them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

__all__ = ["call_id", "signature_of", "thinking_piece", "thoughts_of", "words_of"]

MOST: Final = 64
"""The longest id of a call that OpenAI takes."""
REMADE: Final = 24
"""How long an id is that had to be remade, where the vendor says nothing of it."""

_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def words_of(content: object) -> str:
    """Return the words of *content*, which some servers give as a list of pieces."""
    if isinstance(content, list):
        return "".join(piece["text"] for piece in content if piece.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise TypeError
    return content or ""


def thoughts_of(content: object) -> str:
    """Return the reasoning among the pieces of *content*."""
    if not isinstance(content, list):
        return ""
    return "".join(
        words_of(piece["thinking"]) for piece in content if piece.get("type") == "thinking"
    )


def signature_of(content: object) -> str | None:
    """Return the seal on the reasoning in *content*, which goes back with it."""
    if not isinstance(content, list):
        return None
    for piece in reversed(content):
        signature = piece.get("signature")
        if isinstance(signature, str) and signature:
            return signature
    return None


def thinking_piece(thought: str, state: Mapping[str, object]) -> dict[str, object]:
    """Return *thought* as a piece of content, with the seal that *state* may have."""
    piece: dict[str, object] = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": thought}],
    }
    if isinstance(state.get("signature"), str):
        piece["signature"] = state["signature"]
    return piece


def call_id(given: str, length: int = 0) -> str:
    """
    Return an id that the vendor takes for a call whose id is *given*.

    The same for the same, so that a call and its result stay together. Others have
    longer ids than OpenAI takes; seen in many reports, such as
    https://github.com/earendil-works/pi/issues/2328, read 2026-11-20.

    Args:
        given: The id, perhaps another vendor's.
        length: How many letters and digits it has to have; 0 for up to 64 of any.
    """
    if len(given) == length and given.isascii() and given.isalnum():
        return given
    if not length and len(given) <= MOST:
        return given
    number = int.from_bytes(hashlib.sha256(given.encode()).digest())
    found = ""
    while len(found) < (length or REMADE):
        number, digit = divmod(number, len(_LETTERS))
        found += _LETTERS[digit]
    return found
