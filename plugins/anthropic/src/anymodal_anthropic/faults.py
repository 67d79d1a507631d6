"""
What the vendor's errors mean, with a status or within a stream.

Sources: https://platform.claude.com/docs/en/api/errors and anthropic 2.11,
`types/shared/error_type.py` and `_error_classes.py`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from anymodal import errors as e
from anymodal.failures import request_id as id_of

__all__ = ["MALFORMED", "Object", "fault", "filtered", "malformed", "refine"]

Object: TypeAlias = dict[str, Any]
"""JSON that is read field by field; what a wrong shape raises is in `MALFORMED`."""

MALFORMED: Final = (
    ArithmeticError,
    AttributeError,
    e.InvalidRequestError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading an answer raises that is not shaped as its protocol says."""

TYPES: Final[Mapping[str, type[e.VendorError]]] = {
    "api_error": e.ServerError,
    "authentication_error": e.AuthenticationError,
    "billing_error": e.QuotaExceededError,
    "conflict_error": e.BadRequestError,
    "invalid_request_error": e.BadRequestError,
    "not_found_error": e.NotFoundError,
    "overloaded_error": e.OverloadedError,
    "permission_error": e.PermissionDeniedError,
    "rate_limit_error": e.RateLimitedError,
    "request_too_large": e.TooLargeError,
    "timeout_error": e.TimedOutError,
}
"""Meaning of `error.type`."""

CODES: Final[Mapping[str, type[e.VendorError]]] = {
    "contract_spend_limit_reached": e.QuotaExceededError,
    "enforced_spend_limit_reached": e.QuotaExceededError,
    "linked_organization_billing_unavailable": e.QuotaExceededError,
    "linked_organization_spend_limit_reached": e.QuotaExceededError,
    "organization_on_hold": e.PermissionDeniedError,
    "ramp_limit_exceeded": e.RateLimitedError,
    "request_body_timeout": e.TimedOutError,
}
"""Meaning of `error.details.error_code`, where it says more than the type."""

_GENERAL: Final = frozenset({"api_error", "conflict_error", "invalid_request_error"})
"""Types that say less than the status: the vendor uses them for what has none of its own."""


def _meaning(error: Mapping[str, object]) -> tuple[type[e.VendorError] | None, str | None]:
    """Return the class and the vendor's word for it."""
    details, kind = error.get("details"), error.get("type")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    word = kind if isinstance(kind, str) else None
    if isinstance(code, str) and code in CODES:
        return CODES[code], code
    return (TYPES.get(word) if word else None), word


def refine(status: int, headers: Mapping[str, str], body: object) -> type[e.VendorError] | None:
    """Return the class that an answer of *status* means, or None for the table's."""
    del status, headers
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    cls, word = _meaning(error)
    return None if word in _GENERAL else cls


def fault(
    found: object, *, provider: str, headers: Mapping[str, str], scrub: Callable[[str], str]
) -> e.VendorError:
    """Return the error that an error object within a successful answer means."""
    error = found if isinstance(found, Mapping) else {"message": found}
    cls, word = _meaning(error)
    words = error.get("message")
    text = " ".join(words.split())[:500] if isinstance(words, str) else "it failed"
    return (cls or e.ServerError)(
        f"{provider}: {scrub(text)}",
        provider=provider,
        vendor_code=word,
        request_id=id_of(headers),
    )


def malformed(provider: str, error: Exception, request_id: str | None) -> e.MalformedReplyError:
    """Return the error for an answer that *error* shows not to follow its protocol."""
    msg = f"{provider}: the answer does not follow the protocol ({type(error).__name__})"
    return e.MalformedReplyError(msg, provider=provider, request_id=request_id)


def filtered(
    provider: str, details: object, request_id: str | None, partial: str
) -> e.ContentFilteredError:
    """Return the error for an answer that the vendor's classifiers or the model refused."""
    said = details if isinstance(details, Mapping) else {}
    words = [word for key in ("category", "explanation") if isinstance(word := said.get(key), str)]
    why = f": {' '.join(': '.join(words).split())[:500]}" if words else ""
    error = e.ContentFilteredError(
        f"{provider}: the answer was refused{why}",
        provider=provider,
        vendor_code="refusal",
        request_id=request_id,
    )
    error.partial = partial
    return error
