"""
Files that are uploaded or made: forms in, bytes out.

Source: openai 3.52, `types/file_object.py` and `resources/files.py`; read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qs

import attrs
from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request

__all__ = ["Json", "Shelf", "form_of", "keep_file", "kept", "page", "without"]

Json: TypeAlias = dict[str, Any]

DAY: Final = 86_400


@attrs.frozen
class Shelf:
    """
    The handlers of files. What they remember is the server's.

    Args:
        lacks: Fields that this vendor does not have.
    """

    lacks: AbstractSet[str] = frozenset()

    def serve(self, emulator: Emulator, base_path: str) -> None:
        """Add the routes to *emulator*."""
        for method, path, handler in (
            ("POST", "/files", self.upload),
            ("GET", "/files", self.all),
            ("GET", "/files/{id}/content", self.content),
            ("GET", "/files/{id}", self.show),
            ("DELETE", "/files/{id}", self.delete),
        ):
            emulator.route(method, base_path + path)(handler)

    def upload(self, request: Request) -> Reply:
        """Take a file that comes as a form."""
        form = form_of(request)
        for name in ("purpose", "file"):
            if name not in form:
                raise RefusedError(kind="missing", param=name)
        purpose = form["purpose"][1].decode()
        if purpose != "batch":
            raise RefusedError(kind="value", param="purpose", got=purpose, need="'batch'")
        filename, content = form["file"]
        shown = keep_file(request.memory, filename, content, purpose)
        return Reply.json(without(shown, self.lacks))

    def all(self, request: Request) -> Reply:
        """List what was uploaded or made."""
        files = [without(shown, self.lacks) for shown, _ in kept(request.memory, "file").values()]
        return Reply.json(page(request, files))

    def show(self, request: Request) -> Reply:
        """Describe a file."""
        return Reply.json(without(_file(request)[0], self.lacks))

    def content(self, request: Request) -> Reply:
        """Send a file's bytes."""
        return Reply(200, _file(request)[1], {"content-type": "application/octet-stream"})

    def delete(self, request: Request) -> Reply:
        """Forget a file."""
        shown, _ = _file(request)
        del kept(request.memory, "file")[shown["id"]]
        return Reply.json({"id": shown["id"], "object": "file", "deleted": True})


def without(shown: Json, lacks: AbstractSet[str]) -> Json:
    """Return *shown* without the fields that a vendor lacks."""
    return {name: value for name, value in shown.items() if name not in lacks}


def kept(memory: Memory, what: str) -> dict[str, Any]:
    """Return all of a kind that the server remembers, by id."""
    return cast("dict[str, Any]", memory.kept.setdefault(f"every {what}", {}))


def _file(request: Request) -> tuple[Json, bytes]:
    name = request.args["id"]
    if name not in kept(request.memory, "file"):
        words = f"No such File object: {name}"
        raise RefusedError(kind="other", param="id", got=words, status=404)
    return cast("tuple[Json, bytes]", kept(request.memory, "file")[name])


def keep_file(memory: Memory, filename: str, content: bytes, purpose: str) -> Json:
    """Keep a file, and return what is said of it."""
    now = memory.now()
    shown = {
        "id": memory.id("file-", 22),
        "object": "file",
        "bytes": len(content),
        "created_at": now,
        "expires_at": now + 30 * DAY,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }
    kept(memory, "file")[str(shown["id"])] = (shown, content)
    return shown


def form_of(request: Request) -> dict[str, tuple[str, bytes]]:
    """
    Return the fields of a form: name to file name and bytes.

    Raises:
        RefusedError: The body is no form.
    """
    declared = request.received.headers.get("content-type", "")
    found = re.fullmatch(r'multipart/form-data; boundary="?([^";]+)"?', declared)
    if found is None:
        raise RefusedError(kind="media_type", got=declared)
    fields: dict[str, tuple[str, bytes]] = {}
    for part in request.received.body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        words = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode()))
        fields[words.get("name", "")] = (words.get("filename", ""), content.removesuffix(b"\r\n"))
    return fields


def page(request: Request, rows: list[Json]) -> Json:
    """Return the part of *rows* that the query asks for."""
    query = parse_qs(request.received.query)
    ids = [row["id"] for row in rows]
    after = query.get("after", [""])[0]
    rest = rows[ids.index(after) + 1 :] if after in ids else rows
    some = rest[: int(query.get("limit", ["20"])[0])]
    return {
        "object": "list",
        "data": some,
        "first_id": some[0]["id"] if some else None,
        "last_id": some[-1]["id"] if some else None,
        "has_more": len(some) < len(rest),
    }
