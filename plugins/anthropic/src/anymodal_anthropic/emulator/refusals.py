"""
What is said of a request that is turned away, in Anthropic's words and body.

https://platform.claude.com/docs/en/api/errors, read 2026-11-20.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, TypeAlias

from anymodal_emulator.app import RefusedError, Reply
from anymodal_emulator.text import Word

__all__ = ["fail", "object_to_word", "refuse"]

Words: TypeAlias = Callable[[RefusedError, str], str]

WORDS: Final[Mapping[str, Words]] = {
    "no_key": lambda _, __: "x-api-key or Authorization header is required",
    "bad_key": lambda _, __: "invalid x-api-key",
    "no_path": lambda _, __: "Not Found",
    "no_method": lambda _, __: "Method Not Allowed",
    "media_type": lambda e, _: f"Unsupported content-type {e.got!r}; use application/json.",
    "not_json": lambda e, _: f"The request body is not valid JSON: {e.got}",
    "unknown": lambda _, at: f"{at}: Extra inputs are not permitted",
    "missing": lambda _, at: f"{at}: Field required",
    "type": lambda e, at: f"{at}: Input should be a valid {e.need}, not {e.got}",
    "value": lambda e, at: f"{at}: Input should be {e.need}, not '{e.got}'",
    "no_model": lambda e, _: f"model: {e.got}",
    "other": lambda e, at: f"{at}: {e.got}" if at else e.got,
}

TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Status to `error.type`; else `invalid_request_error` below 500, `api_error` from there on."""

BLOCKS: Final[Mapping[Word, tuple[int, str]]] = {
    "context": (400, "prompt is too long: 1000001 tokens > 1000000 maximum"),
    "quota": (402, "Your credit balance is too low to access the Anthropic API."),
}
"""Magic word: status and words of the refusal."""


def refuse(error: RefusedError) -> Reply:
    """Return the body and status for what is wrong with a request."""
    at = re.sub(r"\[(\d+)\]", r".\1", error.param)
    return _error(error.status, WORDS[error.kind](error, at))


def fail(status: int) -> Reply:
    """Return the body for a status that comes for no reason in the request."""
    return _error(status, PHRASES.get(status) or HTTPStatus(status).phrase)


PHRASES: Final = {529: "Overloaded"}
"""Of statuses that HTTP does not know."""


def object_to_word(word: Word | None) -> Reply | None:
    """Return the refusal that a magic word asks for, if it asks for one."""
    return None if word is None or word not in BLOCKS else _error(*BLOCKS[word])


def _error(status: int, message: str) -> Reply:
    kind = TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    named = f"req_{hashlib.sha256(message.encode()).hexdigest()[:24]}"
    error = {"type": kind, "message": message}
    reply = Reply.json({"type": "error", "error": error, "request_id": named}, status=status)
    return Reply(status, reply.body, {**reply.headers, "request-id": named})
