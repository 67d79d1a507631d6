"""What Deepgram's refusals mean, by status and by its own codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anymodal.errors import (
    BadRequestError,
    IncompleteError,
    QuotaExceededError,
    ServerError,
    VendorError,
)

__all__ = ["closed", "meaning", "refine"]

_STATUSES: Final[Mapping[int, type[VendorError]]] = {402: QuotaExceededError}

_CLOSES: Final[Mapping[str, type[VendorError]]] = {
    "DATA-0000": BadRequestError,
    "NET-0000": ServerError,
    "NET-0001": IncompleteError,
}
"""
Undecodable sound; a server that fell silent; a client that did.

Source: https://developers.deepgram.com/docs/stt-troubleshooting-websocket-data-and-net-errors
and https://developers.deepgram.com/docs/errors, read 2026-11-20.
"""


def refine(status: int, _: Mapping[str, str], __: object) -> type[VendorError] | None:
    """Return what a status means, where that is not what it means everywhere."""
    return _STATUSES.get(status)


def closed(_: int, words: str) -> type[VendorError] | None:
    """Return what a close means, by the code with which its words begin."""
    return _CLOSES.get(words[:9].rstrip(": ")) or _CLOSES.get(words[:8])


def meaning(code: str) -> type[VendorError]:
    """Return what an error means that comes as a message."""
    return _CLOSES.get(code, ServerError)
