"""How Deepgram refuses."""

from __future__ import annotations

from typing import Final

from anymodal_emulator.app import Emulator, RefusedError, Reply, Request

__all__ = ["app"]

_CODES: Final = {
    400: "Bad Request",
    401: "INVALID_AUTH",
    402: "ASR_PAYMENT_REQUIRED",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "Not Found",
    413: "PAYLOAD_TOO_LARGE",
    429: "TOO_MANY_REQUESTS",
    500: "Internal Server Error",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}
_WORDS: Final = {
    "no_key": "Invalid credentials.",
    "bad_key": "Invalid credentials.",
    "no_path": "Not Found",
    "no_method": "Method Not Allowed",
    "media_type": "Bad Request: failed to process audio: corrupt or unsupported data",
    "not_json": "Content-type was application/json, but we could not process the JSON payload.",
    "no_model": "Bad Request: No such model/language/tier combination found.",
}
NO_ID: Final = "00000000-0000-4000-8000-000000000000"


def _body(status: int, words: str) -> Reply:
    code = _CODES.get(status, "Bad Request" if status < 500 else "Internal Server Error")
    found = {"err_code": code, "err_msg": words, "request_id": NO_ID}
    headers = {"dg-error": words, "dg-request-id": NO_ID}
    reply = Reply.json(found, status=status)
    return Reply(status, reply.body, {**reply.headers, **headers})


def _refuse(refused: RefusedError) -> Reply:
    words = _WORDS.get(refused.kind)
    if words is None:
        words = f"Bad Request: Invalid query parameter `{refused.param}`: {refused.got}"
    return _body(400 if refused.kind in {"no_model", "media_type"} else refused.status, words)


def _fail(status: int) -> Reply:
    return _body(status, f"The emulator was told to answer {status}.")


def _admit(request: Request) -> None:
    scheme, _, key = request.received.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"token", "bearer"} or not key:
        raise RefusedError(kind="no_key")
    if request.key and key != request.key:
        raise RefusedError(kind="bad_key")


app = Emulator("deepgram", refuse=_refuse, fail=_fail, admit=_admit)
