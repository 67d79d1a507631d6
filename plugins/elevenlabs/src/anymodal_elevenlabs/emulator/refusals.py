"""What ElevenLabs says of requests that it turns away."""

from __future__ import annotations

from typing import Final

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.exchange import phrase
from anymodal_emulator.sockets import is_handshake
from anymodal_emulator.text import word

__all__ = ["app", "is_right", "refuse_by_word", "words_of"]

_TYPES: Final = {"missing": "missing", "type": "string_type", "value": "value_error"}

_WORDS: Final = {
    "no_key": "Neither authorization header nor xi-api-key received, please provide one.",
    "bad_key": "Invalid API key",
    "no_path": "Not Found",
    "no_method": "Method Not Allowed",
    "missing": "Field required",
    "type": "Input should be a valid {need}",
    "value": "Input should be {need}",
    "not_json": "JSON decode error",
    "media_type": "Input should be a valid dictionary",
}
_CODES: Final = {"no_key": "needs_authorization", "bad_key": "invalid_api_key"}


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in the vendor's words."""
    said = words_of(refused)
    if refused.kind in {"no_path", "no_method"}:
        return Reply.json({"detail": said}, status=refused.status)
    code = refused.code or _CODES.get(refused.kind, "")
    if code:
        detail = {"status": code, "message": said}
        return Reply.json({"detail": detail}, status=refused.status)
    place, _, name = refused.param.partition(".")
    fault = {
        "type": _TYPES.get(refused.kind, refused.kind),
        "loc": [place or "body", *([name] if name else [])],
        "msg": said,
    }
    return Reply.json({"detail": [fault]}, status=422)


def words_of(refused: RefusedError) -> str:
    """Return what is said of a refusal."""
    return _WORDS.get(refused.kind, "{got}").format(got=refused.got, need=refused.need)


def fail(status: int) -> Reply:
    """Return what the vendor says with a bare status."""
    codes = {401: "invalid_api_key", 404: "voice_not_found", 429: "too_many_concurrent_requests"}
    code = codes.get(status, phrase(status).lower().replace(" ", "_"))
    return Reply.json({"detail": {"status": code, "message": phrase(status)}}, status=status)


def is_right(request: Request) -> bool:
    """Whether the key that came is the one to accept."""
    given = request.received.headers.get("xi-api-key", "")
    return bool(given) and (not request.key or given == request.key)


def admit(request: Request) -> None:
    """Turn away requests without the key; WebSockets are told so once they are open."""
    if is_handshake(request.received) or is_right(request):
        return
    given = request.received.headers.get("xi-api-key")
    raise RefusedError(kind="bad_key" if given else "no_key")


def refuse_by_word(text: str, model: str) -> None:
    """Turn away what the text itself asks to be turned away, and models that there are not."""
    magic = word(text)
    if magic == "quota":
        got = "This request exceeds your quota of 10000. You have 0 credits remaining."
        raise RefusedError(kind="other", status=401, code="quota_exceeded", got=got)
    if magic == "filter":
        got = "The text breaks the terms of service."
        raise RefusedError(kind="other", code="content_against_policy", got=got)
    if "emulator:busy" in text:
        got = "We are currently experiencing heavy traffic."
        raise RefusedError(kind="other", status=429, code="system_busy", got=got)
    if not model.startswith("eleven_"):
        got = f"A model with model ID {model} does not exist ..."
        raise RefusedError(kind="other", code="model_not_found", got=got)


app = Emulator("elevenlabs", refuse=refuse, fail=fail, admit=admit)
