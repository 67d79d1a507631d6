"""
HTTP for plugins: requests out; status, headers and bytes back.

Three libraries can stand behind it, and only `transports` names them. Bodies are
measured before memory is taken, decompressed size included; redirects are not
followed; statuses and broken connections become errors of our own tree.
"""

from __future__ import annotations

from .addresses import Link, Resolver, is_public
from .bodies import MAX_ANSWER_BYTES, MAX_BODY_BYTES, MAX_ERROR_BYTES, MAX_STREAM_BYTES
from .forms import MAX_FORM_BYTES, Form, FormPart
from .replies import opened, parse_json, read, written_json
from .transports import connect_transport, reply_of_httpx, sdk_client
from .verbs import Http
from .wire import HttpReply, HttpRequest, LinkTransport, Transport

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_BODY_BYTES",
    "MAX_ERROR_BYTES",
    "MAX_FORM_BYTES",
    "MAX_STREAM_BYTES",
    "Form",
    "FormPart",
    "Http",
    "HttpReply",
    "HttpRequest",
    "Link",
    "LinkTransport",
    "Resolver",
    "Transport",
    "connect_transport",
    "is_public",
    "opened",
    "parse_json",
    "read",
    "reply_of_httpx",
    "sdk_client",
    "written_json",
]
