"""Whether something that was said is in a request, whatever the protocol."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from anymodal_emulator.exchange import Received

__all__ = ["mentions"]


def mentions(request: Received, value: object) -> bool:
    """
    Return whether *request* has *value* in its body, its query, a header of the vendor's own or
    in what was said over its socket.

    Text may stand within other text, and bytes may be in base64; in query and headers it is
    whole.
    """
    said = [one.encode() if isinstance(one, str) else one for one in request.messages]
    asked = [one for _, one in parse_qsl(request.query)]
    if str(value) in asked or value in request.headers.values():
        return True
    return any(_has(body, value) for body in (request.body, *said))


def _has(body: bytes, value: object) -> bool:
    if isinstance(value, bytes):
        return value in body or base64.b64encode(value) in body
    if isinstance(value, str) and value.encode() in body:
        return True
    try:
        leaves = list(_leaves(json.loads(body)))
    except ValueError:
        return not isinstance(value, str) and str(value).encode() in body  # a form, most likely
    if isinstance(value, str):
        return any(isinstance(leaf, str) and value in leaf for leaf in leaves)
    return any(leaf == value and not isinstance(leaf, bool) for leaf in leaves)


def _leaves(found: object) -> Iterator[object]:
    if isinstance(found, dict):
        for name, value in found.items():
            yield name
            yield from _leaves(value)
    elif isinstance(found, list):
        for value in found:
            yield from _leaves(value)
    else:
        yield found
