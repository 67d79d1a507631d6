"""What the statuses of Black Forest Labs mean."""

from __future__ import annotations

from collections.abc import Mapping

from anymodal.errors import AuthenticationError, VendorError

__all__ = ["refine"]


def refine(status: int, headers: Mapping[str, str], body: object) -> type[VendorError] | None:
    """
    Return the class of an error; None leaves it to its status.

    A missing or wrong key gets 403, "Not authenticated":
    https://github.com/ShmuelRonen/ComfyUI_Flux_1.1_RAW_API/issues/4, read 2026-11-20.
    """
    del headers, body
    return AuthenticationError if status == 403 else None
