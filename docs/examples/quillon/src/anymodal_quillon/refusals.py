"""What Quillon's own codes mean, where the status alone says less."""

from __future__ import annotations

from collections.abc import Mapping

from anymodal import errors

CODES: Mapping[str, type[errors.VendorError]] = {
    "too_long": errors.ContextLengthError,
    "no_credit": errors.QuotaExceededError,
    "withheld": errors.ContentFilteredError,
}


def refined(
    status: int, headers: Mapping[str, str], body: object
) -> type[errors.VendorError] | None:
    """Return the error for a refusal, or None for what its status says."""
    return CODES.get(str(body.get("trouble"))) if isinstance(body, dict) else None
