"""
HTTP for plugins: requests out; status, headers and bytes back.

Three libraries can stand behind it, and only `transports` names them. Bodies are
measured before memory is taken, decompressed size included; redirects are not
followed; statuses and broken connections become errors of our own tree.
"""

from __future__ import annotations

from .bodies import MAX_BODY_BYTES, MAX_ERROR_BYTES
from .forms import MAX_FORM_BYTES, Form, FormPart
from .transports import (
    HttpReply,
    HttpRequest,
    Transport,
    connect_transport,
    reply_of_httpx,
    sdk_client,
)
from .verbs import Http, opened, parse_json, read

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_ERROR_BYTES",
    "MAX_FORM_BYTES",
    "Form",
    "FormPart",
    "Http",
    "HttpReply",
    "HttpRequest",
    "Transport",
    "connect_transport",
    "opened",
    "parse_json",
    "read",
    "reply_of_httpx",
    "sdk_client",
]
