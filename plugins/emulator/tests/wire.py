"""Requests as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from anymodal_emulator.running import Emulated


def address(vendor: Emulated) -> tuple[str, int]:
    host, _, port = vendor.base_url.removeprefix("http://").partition("/")[0].partition(":")
    return host, int(port)


def get(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "host: acme"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def last(path: str) -> bytes:
    """A GET after which the server closes, so that all of its bytes can be read."""
    return get(path, connection="close")


def post(path: str, body: bytes, *, headers: Mapping[str, str] | None = None) -> bytes:
    given = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    lines = [f"POST {path} HTTP/1.1", "host: acme", "connection: close"]
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def body_of(answer: bytes) -> object:
    return json.loads(answer.partition(b"\r\n\r\n")[2])
