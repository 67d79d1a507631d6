"""What Night Heron says: JSON, in one piece or line by line, and codes where it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, Mapping
from typing import Any

from anymodal import errors

CODES: Mapping[str, type[errors.VendorError]] = {
    "too_long": errors.ContextLengthError,
    "no_credit": errors.QuotaExceededError,
    "filtered": errors.ContentFilteredError,
    "failed": errors.ServerError,
}


def refined(
    status: int, headers: Mapping[str, str], body: object
) -> type[errors.VendorError] | None:
    """Return what a refusal means where its code says more than its status, or else None."""
    said = body.get("error") if isinstance(body, dict) else None
    return CODES.get(str(said.get("code"))) if isinstance(said, dict) else None


class Said(dict[str, Any]):
    """What Night Heron says. It is malformed where something is missing."""

    def __missing__(self, key: str) -> Any:
        raise errors.MalformedReplyError(f"The answer has no {key!r}.")


def read(message: bytes | str) -> Said:
    """Return what a line, or a message over a socket, says; an error is raised."""
    try:
        said = json.loads(message, object_hook=Said)
    except ValueError as error:
        raise errors.MalformedReplyError("The answer is not JSON.") from error
    if not isinstance(said, Said):
        raise errors.MalformedReplyError("The answer is no object.")
    if "error" in said:
        code = str(said["error"]["code"])
        meaning = CODES.get(code, errors.ServerError)
        raise meaning(f"Night Heron says {code}.", vendor_code=code)
    return said


def decoded(text: str) -> bytes:
    """Return the bytes of base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise errors.MalformedReplyError("The answer is not base64.") from error


class Lines:
    """The lines of an answer, read."""

    def __init__(self, found: AsyncIterable[bytes]) -> None:
        self._found = aiter(found)

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> Said:
        return read(await anext(self._found))
