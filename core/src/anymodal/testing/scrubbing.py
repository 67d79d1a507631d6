"""Takes keys out of what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import quote

__all__ = ["SCRUBBED", "Scrubber"]

SCRUBBED: Final = "(scrubbed)"

SHORTEST_SECRET: Final = 8
"""Of fewer characters, a key would be found in every other word."""

_NAMES: Final = (
    r"(?:x[-_])?api[-_]?key|[a-z_-]*secret(?:[-_](?:access[-_])?key)?|(?:access|refresh|auth|id|"
    r"session|security)[-_]?token|password|authorization|private[-_]?key|signature|credential"
)
_SECRET_FIELD: Final = re.compile(_NAMES, re.IGNORECASE)
_SECRET_PARAMETER: Final = re.compile(
    rf"key|token|sig|{_NAMES}|x-(?:amz|goog)-(?:signature|credential|security-token)", re.IGNORECASE
)
_SECRET_HEADER: Final = re.compile(r"key|token|secret|auth|cookie|signature", re.IGNORECASE)

_SHAPES: Final = (
    rb"\b(?:sk|pk|rk|gsk|hf|r8|xai|pplx|fw|sess|ek|whsec|xox[abprs]|gh[opsu])[-_][A-Za-z0-9_-]{12,}",
    rb"\bAIza[A-Za-z0-9_-]{30,}",
    rb"\bAKIA[A-Z0-9]{16}\b",
    rb"\bya29\.[A-Za-z0-9_.-]{10,}",
    rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    rb"(?<=Bearer )[^\s\"',]+",
    rb"(?<=Basic )[A-Za-z0-9+/]{8,}=*",
)
"""What keys look like: vendors' prefixes, tokens as RFC 7519 has them, HTTP's two schemes."""

_SAID: Final = rb'(?i:"(?:' + _NAMES.encode() + rb')"\s*:\s*")((?:[^"\\]|\\.)+)"'
_ASKED: Final = rb"(?i:\b(?:" + _NAMES.encode() + rb")=)([^&\s\"']+)"
_PLACES: Final = re.compile(rb"|".join((_SAID, _ASKED, *(rb"(" + one + rb")" for one in _SHAPES))))


class Scrubber:
    """
    Knows the keys that were used, and what keys look like.

    Args:
        secrets: Further values that are to be taken out.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for one in secrets:
            self.learn(one)

    def learn(self, secret: str) -> None:
        """Take *secret* out from now on."""
        if len(secret) >= SHORTEST_SECRET:
            self._secrets |= {secret, quote(secret, safe="")}

    def spans(self, content: bytes) -> list[tuple[int, int]]:
        """Return from where to where there are keys in *content*, in order, none twice."""
        found = [match.span(match.lastindex or 0) for match in _PLACES.finditer(content)]
        for secret in self._secrets:
            found += [match.span() for match in re.finditer(re.escape(secret.encode()), content)]
        whole: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if whole and start < whole[-1][1]:
                whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
            else:
                whole.append((start, end))
        return whole

    def content(self, content: bytes) -> bytes:
        """Return *content* without keys."""
        for start, end in reversed(self.spans(content)):
            content = content[:start] + SCRUBBED.encode() + content[end:]
        return content

    def text(self, text: str) -> str:
        """Return *text* without keys."""
        return self.content(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def tree(self, found: object) -> object:
        """Return what JSON says without keys: by their looks, their values, and their names."""
        if isinstance(found, str):
            return self.text(found)
        if isinstance(found, Mapping):
            return {
                self.text(str(name)): SCRUBBED
                if isinstance(value, str) and _SECRET_FIELD.fullmatch(str(name))
                else self.tree(value)
                for name, value in found.items()
            }
        if isinstance(found, Sequence):
            return [self.tree(one) for one in found]
        return found

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return *headers*, by name, without keys."""
        return {
            name: SCRUBBED if _SECRET_HEADER.search(name) else self.text(headers[name])
            for name in sorted(headers)
        }

    def query(self, pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
        """Return the parameters of a URL, by name, without keys."""
        return sorted(
            [name, SCRUBBED if _SECRET_PARAMETER.fullmatch(name) else self.text(value)]
            for name, value in pairs
        )

    def chunks(self, chunks: Sequence[bytes], *, is_text: bool) -> list[bytes]:
        """
        Return *chunks* without keys.

        Where a key, or a character of a text, lies in two of them, they become one.
        """
        content = b"".join(chunks)
        spans = self.spans(content)
        cuts: list[int] = []
        end = 0
        for chunk in chunks[:-1]:
            end += len(chunk)
            is_within = any(start < end < last for start, last in spans)
            is_half = is_text and end < len(content) and content[end] & 0xC0 == 0x80
            if not (is_within or is_half):
                cuts.append(end)
        edges = [0, *cuts, len(content)]
        pieces = pairwise(edges)
        return [self.content(content[start:stop]) for start, stop in pieces if start < stop]
