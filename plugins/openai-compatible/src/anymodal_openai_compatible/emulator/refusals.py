"""
What is said of a request that is turned away, in OpenAI's words and body.

https://developers.openai.com/api/docs/guides/error-codes, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from anymodal_emulator.app import RefusedError, Reply
from anymodal_emulator.exchange import phrase
from anymodal_emulator.text import Word

__all__ = ["fail", "object_to_word", "refuse"]

Words: TypeAlias = Callable[[RefusedError], tuple[str, str | None]]

WORDS: Final[Mapping[str, Words]] = {
    "no_key": lambda _: (
        "You didn't provide an API key. Provide it in an Authorization header using Bearer auth.",
        None,
    ),
    "bad_key": lambda e: (f"Incorrect API key provided: {e.got}.", "invalid_api_key"),
    "no_path": lambda e: (f"Invalid URL ({e.got})", None),
    "no_method": lambda e: (f"Not allowed: {e.got}.", "method_not_supported"),
    "media_type": lambda e: (
        f"Unsupported content type: '{e.got}'. Only 'application/json' is accepted here.",
        "unsupported_content_type",
    ),
    "not_json": lambda e: (f"We could not parse the JSON body of your request. ({e.got})", None),
    "unknown": lambda e: (f"Unknown parameter: '{e.param}'.", "unknown_parameter"),
    "missing": lambda e: (
        f"Missing required parameter: '{e.param}'.",
        "missing_required_parameter",
    ),
    "type": lambda e: (
        f"Invalid type for '{e.param}': expected {e.need}, but got {e.got} instead.",
        "invalid_type",
    ),
    "value": lambda e: (
        f"Invalid value: '{e.got}'. Supported values are: {e.need}.",
        "invalid_value",
    ),
    "no_model": lambda e: (
        f"The model `{e.got}` does not exist or you do not have access to it.",
        "model_not_found",
    ),
    "other": lambda e: (e.got, e.code or None),
}

BLOCKS: Final[Mapping[Word, tuple[int, str, str, str]]] = {
    "block": (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    "context": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "Your input exceeds the context window of this model.",
    ),
    "quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
}
"""Magic word: status, type, code and words of the refusal."""

TYPES: Final[Mapping[int, tuple[str, str | None]]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def refuse(error: RefusedError) -> Reply:
    """Return the body and status for what is wrong with a request."""
    message, code = WORDS[error.kind](error)
    return _error(error.status, message, "invalid_request_error", code, error.param or None)


def fail(status: int) -> Reply:
    """Return the body for a status that comes for no reason in the request."""
    usual = "server_error" if status >= 500 else "invalid_request_error"
    kind, code = TYPES.get(status, (usual, None))
    return _error(status, f"{phrase(status)}, says the emulator.", kind, code)


def object_to_word(word: Word | None) -> Reply | None:
    """Return the refusal that a magic word asks for, if it asks for one."""
    if word is None or word not in BLOCKS:
        return None
    status, kind, code, message = BLOCKS[word]
    return _error(status, message, kind, code)


def _error(
    status: int, message: str, kind: str, code: str | None, param: str | None = None
) -> Reply:
    inner = {"message": message, "type": kind, "param": param, "code": code}
    return Reply.json({"error": inner}, status=status)
