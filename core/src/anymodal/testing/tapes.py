"""The file of a recording: what was sent and what came back, to be read by people."""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import attrs

from ..errors import AnymodalError
from ..files import replacing
from .scrubbing import Scrubber

__all__ = [
    "Body",
    "ReplayError",
    "Tape",
    "asked",
    "body_sent",
    "chunks_of",
    "message",
    "message_of",
    "reply_body",
]

Body: TypeAlias = "dict[str, Any] | None"

VERSION: Final = 1
LONGEST_SENT: Final = 4096
"""Characters of a string that is sent; of a longer one its hash is kept."""

_BOUNDARY: Final = re.compile(r"(?<=boundary=)[^;]+")
DROPPED: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class ReplayError(AnymodalError):
    """A recording cannot answer: it is not there, or something else was asked for."""

    code = "replay"


# -- bodies -----------------------------------------------------------------------------------


def _digest(content: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _shortened(found: Any) -> Any:
    if isinstance(found, str) and len(found) > LONGEST_SENT:
        return _digest(found.encode())
    if isinstance(found, dict):
        return {name: _shortened(value) for name, value in found.items()}
    return [_shortened(one) for one in found] if isinstance(found, list) else found


def body_sent(content: bytes, content_type: str, scrubber: Scrubber) -> Body:
    """Return the body of a request: its JSON, its text, or what tells bytes from others."""
    if not content:
        return None
    boundary = _BOUNDARY.search(content_type)
    if boundary is not None:  # a new one every time
        content = content.replace(boundary[0].strip('"').encode(), b"boundary")
    try:
        return {"json": _shortened(scrubber.tree(json.loads(content)))}
    except ValueError:
        pass
    try:
        text = scrubber.text(content.decode())
    except UnicodeDecodeError:
        return _digest(scrubber.content(content))
    return {"text": text} if len(text) <= LONGEST_SENT else _digest(text.encode())


def reply_body(
    chunks: Sequence[bytes], content_type: str, scrubber: Scrubber, limit: int
) -> dict[str, Any]:
    """Return the body of an answer: its JSON, or the chunks in which it came."""
    content = b"".join(chunks)
    if len(content) > limit:
        return {"omitted": len(content)}
    if "json" in content_type and "lines" not in content_type and "seq" not in content_type:
        try:
            return {"json": scrubber.tree(json.loads(content))}
        except ValueError:
            pass
    try:
        content.decode()
    except UnicodeDecodeError:
        return {
            "base64": [_packed(one) for one in scrubber.chunks(chunks, is_text=False)],
        }
    return {"text": [one.decode() for one in scrubber.chunks(chunks, is_text=True)]}


def chunks_of(body: Mapping[str, Any]) -> list[bytes]:
    """
    Return the chunks of an answer.

    Raises:
        ReplayError: It was too large to be recorded.
    """
    if "omitted" in body:
        msg = (
            f"replay: an answer of {body['omitted']} bytes was left out of the recording. Record "
            "it with a greater limit: record(path, limit=…)."
        )
        raise ReplayError(msg)
    if "json" in body:
        return [json.dumps(body["json"], ensure_ascii=False).encode()]
    if "base64" in body:
        return [base64.b64decode(one) for one in body["base64"]]
    return [one.encode() for one in body["text"]]


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def message(said: str | bytes, scrubber: Scrubber, limit: int) -> dict[str, Any]:
    """Return a message of a WebSocket as it came."""
    if len(said) > limit:
        return {"omitted": len(said)}
    if isinstance(said, bytes):
        return {"base64": [_packed(scrubber.content(said))]}
    try:
        return {"json": scrubber.tree(json.loads(said))}
    except ValueError:
        return {"text": [scrubber.text(said)]}


def message_of(body: Mapping[str, Any]) -> str | bytes:
    """Return the message of a WebSocket that `message` gave."""
    found = b"".join(chunks_of(body))
    return found if "base64" in body else found.decode()


def asked(method: str, url: str, body: Body, scrubber: Scrubber) -> dict[str, Any]:
    """Return what a request is known by: neither host nor headers, which differ."""
    parts = urlsplit(url)
    return {
        "method": method,
        "path": scrubber.text(parts.path),
        "query": scrubber.query(parse_qsl(parts.query, keep_blank_values=True)),
        "body": body,
    }


# -- the file -----------------------------------------------------------------------------------


@attrs.define(eq=False)
class Tape:
    """
    Exchanges in the order in which they began.

    Attributes:
        path: Of the file.
        exchanges: What was sent and what came back, as the file has it.
        used: Which were played.
    """

    path: Path = attrs.field(converter=Path)
    exchanges: list[dict[str, Any]] = attrs.field(factory=list)
    used: set[int] = attrs.field(factory=set)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Tape:
        """
        Return the recording in a file.

        Raises:
            ReplayError: There is none.
        """
        try:
            found = json.loads(Path(path).read_text("utf-8"))
        except FileNotFoundError:
            msg = f"replay: there is no recording {path}. Make it first: record(…)."
            raise ReplayError(msg) from None
        except ValueError as error:
            msg = f"replay: {path} is no recording: {error}."
            raise ReplayError(msg) from None
        if not isinstance(found, dict) or found.get("version") != VERSION:
            msg = f"replay: {path} is no recording of version {VERSION}. Record it again."
            raise ReplayError(msg)
        return cls(path, found["exchanges"])

    def write(self) -> None:
        """Write the file, complete or as it was."""
        found = {"version": VERSION, "exchanges": self.exchanges}
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        with replacing(self.path, private=False) as file:
            file.write(text.encode("utf-8", "surrogatepass"))

    def unused(self) -> list[str]:
        """Return what was not asked for."""
        return [
            f"{number + 1}. {one['request']['method']} {one['request']['path']}"
            for number, one in enumerate(self.exchanges)
            if number not in self.used
        ]

    def play(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the next exchange that answers *request*.

        Raises:
            ReplayError: There is none; it says how what is nearest differs.
        """
        left = [n for n in range(len(self.exchanges)) if n not in self.used]
        for number in left:
            if self.exchanges[number]["request"] == request:
                self.used.add(number)
                return self.exchanges[number]
        what = f"replay: {self.path.name} has no answer to {request['method']} {request['path']}"
        if not left:
            msg = f"{what}: all of its {len(self.exchanges)} exchanges were used. Record it again."
            raise ReplayError(msg)
        alike = [
            n for n in left if self.exchanges[n]["request"]["path"] == request["path"]
        ] or left  # fmt: skip
        nearest = self.exchanges[alike[0]]["request"]
        lines = "\n".join(differences(nearest, request))
        msg = f"{what}. The nearest is number {alike[0] + 1}, of which it differs:\n{lines}"
        raise ReplayError(msg)


def differences(recorded: object, sent: object) -> Iterator[str]:
    """Give the lines in which two requests differ."""
    old, new = (
        json.dumps(one, indent=1, ensure_ascii=False, sort_keys=True).splitlines()
        for one in (recorded, sent)
    )
    return difflib.unified_diff(old, new, "recorded", "asked", lineterm="", n=2)
