"""
What ElevenLabs means by its error codes.

Source: https://help.elevenlabs.io/hc/en-us/articles/19572237925521 and
.../19571824571921 (codes of 400, 401 and 429), and elevenlabs/elevenlabs-python#167 for
errors within a WebSocket; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal import errors as e

__all__ = ["meaning", "refined"]

_CODES: Final[Mapping[str, type[e.VendorError]]] = {
    "concurrent_limit_exceeded": e.RateLimitedError,
    "content_against_policy": e.ContentFilteredError,
    "detected_unusual_activity": e.PermissionDeniedError,
    "invalid_api_key": e.AuthenticationError,
    "max_character_limit_exceeded": e.ContextLengthError,
    "missing_permissions": e.PermissionDeniedError,
    "model_access_denied": e.PermissionDeniedError,
    "model_not_found": e.NotFoundError,
    "needs_authorization": e.AuthenticationError,
    "quota_exceeded": e.QuotaExceededError,
    "rate_limit_exceeded": e.RateLimitedError,
    "system_busy": e.OverloadedError,
    "text_too_long": e.ContextLengthError,
    "too_many_concurrent_requests": e.RateLimitedError,
    "voice_does_not_exist": e.NotFoundError,
    "voice_id_does_not_exist": e.NotFoundError,
    "voice_limit_reached": e.QuotaExceededError,
    "voice_not_found": e.NotFoundError,
}


def meaning(code: object) -> type[e.VendorError] | None:
    """Return the error that one of the vendor's words means."""
    return _CODES.get(code) if isinstance(code, str) else None


def refined(status: int, headers: Mapping[str, str], body: object) -> type[e.VendorError] | None:
    """Return the error that an answer means, by the codes in its body."""
    del status, headers
    detail = body.get("detail") if isinstance(body, Mapping) else None
    if not isinstance(detail, Mapping):
        return None
    return meaning(detail.get("code")) or meaning(detail.get("status"))
