"""
Files that are uploaded or made: forms in, bytes out, in Mistral's words.

Source: mistralai 3.7.0, `client/files.py`, `client/models/multipartbodyparams.py` and
`client/models/fileschema.py`; read 2026-11-20.
"""

from __future__ import annotations

import uuid
from typing import Final, cast
from urllib.parse import parse_qs

from anymodal_emulator.app import Emulator, Memory, RefusedError, Reply, Request
from anymodal_openai_compatible.emulator.files import Json, form_of, kept

__all__ = ["Json", "keep_file", "kept", "named", "page", "serve_files"]

PURPOSES: Final = ("fine-tune", "batch", "ocr", "agentic_safety")
MADE: Final = frozenset({"batch_result", "batch_error"})
PAGE: Final = (("page", "0"), ("page_size", "100"))
FORM: Final = frozenset({"file", "expiry", "visibility", "purpose"})


def serve_files(emulator: Emulator, base_path: str) -> None:
    """Let *emulator* take files. What they are is the server's memory."""
    for method, path, handler in (
        ("POST", "/files", _upload),
        ("GET", "/files", _all),
        ("GET", "/files/{id}/content", _content),
        ("GET", "/files/{id}", _show),
        ("DELETE", "/files/{id}", _delete),
    ):
        emulator.route(method, base_path + path)(handler)


def _upload(request: Request) -> Reply:
    form = form_of(request)
    for name in form:
        if name not in FORM:
            raise RefusedError(kind="unknown", param=name)
    if "file" not in form:
        raise RefusedError(kind="missing", param="file")
    purpose = form.get("purpose", ("", b"fine-tune"))[1].decode()
    if purpose not in PURPOSES:
        need = ", ".join(f"'{one}'" for one in PURPOSES)
        raise RefusedError(kind="value", param="purpose", got=purpose, need=need)
    filename, content = form["file"]
    sample = "batch_request" if purpose == "batch" else "instruct"
    return Reply.json(keep_file(request.memory, filename, content, purpose, sample))


def _all(request: Request) -> Reply:
    files = [shown for shown, _ in kept(request.memory, "file").values()]
    return Reply.json({"object": "list", "data": page(request, files), "total": len(files)})


def _show(request: Request) -> Reply:
    return Reply.json({**_file(request)[0], "deleted": False})


def _content(request: Request) -> Reply:
    return Reply(200, _file(request)[1], {"content-type": "application/octet-stream"})


def _delete(request: Request) -> Reply:
    shown, _ = _file(request)
    del kept(request.memory, "file")[shown["id"]]
    return Reply.json({"id": shown["id"], "object": "file", "deleted": True})


def _file(request: Request) -> tuple[Json, bytes]:
    name = request.args["id"]
    found = kept(request.memory, "file").get(name)
    if found is None:
        raise RefusedError(kind="other", got=f"File {name} was not found.", status=404)
    return cast("tuple[Json, bytes]", found)


def keep_file(
    memory: Memory, filename: str, content: bytes, purpose: str, sample_type: str
) -> Json:
    """Keep a file, and return what is said of it."""
    shown: Json = {
        "id": named(memory),
        "object": "file",
        "bytes": len(content),
        "created_at": memory.now(),
        "filename": filename,
        "purpose": purpose,
        "sample_type": sample_type,
        "num_lines": len(content.splitlines()) if purpose == "batch" else None,
        "mimetype": "application/jsonl" if purpose == "batch" else None,
        "source": "mistral" if sample_type in MADE else "upload",
        "signature": None,
        "expires_at": None,
        "visibility": "workspace",
    }
    kept(memory, "file")[shown["id"]] = (shown, content)
    return shown


def named(memory: Memory) -> str:
    """Return a new id, as the vendor forms them."""
    return str(uuid.UUID(memory.id("", 32)))


def page(request: Request, rows: list[Json]) -> list[Json]:
    """Return the part of *rows* that the query asks for."""
    query = parse_qs(request.received.query)
    number, size = (int(query.get(name, [usual])[0]) for name, usual in PAGE)
    return rows[number * size : (number + 1) * size]
