"""What fal's names for errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal.errors import (
    ContentFilteredError,
    OverloadedError,
    TimedOutError,
    TooLargeError,
    VendorError,
)

__all__ = ["FILTERED", "error_type", "refine"]

FILTERED: Final = "content_policy_violation"

_MEANINGS: Final[Mapping[str, type[VendorError]]] = {
    FILTERED: ContentFilteredError,
    "file_too_large": TooLargeError,
    "image_too_large": TooLargeError,
    "request_timeout": TimedOutError,
    "startup_timeout": TimedOutError,
    "runner_scheduling_failure": OverloadedError,
}
"""https://fal.ai/docs/documentation/model-apis/request-errors, read 2026-11-20."""


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """Return the class of an error that fal names; None leaves it to its status."""
    del status
    return _MEANINGS.get(headers.get("x-fal-error-type") or error_type(body))


def error_type(body: object) -> str:
    """Return fal's name for what went wrong, wherever the body has it; empty where nowhere."""
    if not isinstance(body, dict):
        return ""
    found = body.get("error_type")
    detail = body.get("detail")
    if found is None and isinstance(detail, list) and detail and isinstance(detail[0], dict):
        found = detail[0].get("type")
    return found if isinstance(found, str) else ""
