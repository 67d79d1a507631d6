"""What half of a JSON document says."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import attrs

__all__ = ["Growing", "partial_json"]

MAX_DEPTH: Final = 200
"""Deeper nesting is not followed: each step down costs again with every piece."""

_TOKEN: Final = re.compile(
    r"""[ \t\n\r]*+(?:
        ([{}\[\],:])
        | ("[^"\\]*+(?:\\.[^"\\]*+)*+")
        | ([^\s{}\[\],:"]++)(?=[\s{}\[\],:"])
    )""",
    re.DOTALL | re.VERBOSE,
)
"""Punctuation, a whole string, or a word that has ended."""

_CUT_STRING: Final = re.compile(r'"[^"\\]*+(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*+)*+', re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}
_NOTHING: Final[Any] = object()


def partial_json(text: str) -> object:
    """
    Return what *text*, the beginning of a JSON document, says so far.

    A string may be cut; a number, a word or a key that may be cut is left out.
    None where nothing can be said.
    """
    growing = Growing()
    growing.feed(text)
    return growing.value


@attrs.define(eq=False)
class _Open:
    """An object or array that has begun, and the key whose value comes next."""

    found: dict[str, Any] | list[Any]
    key: str = ""

    def put(self, value: object) -> None:
        if isinstance(self.found, list):
            self.found.append(value)
        else:
            self.found[self.key] = value


class Growing:
    """
    A JSON document that comes in pieces.

    Each piece costs what it brings and one copy of each object and array that is
    still open, not the whole again. What is no JSON leaves the value as it was.

    Attributes:
        value: What it says so far; later pieces leave it untouched.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self._rest = ""
        self._open: list[_Open] = []
        self._wants = "value"
        self._half: Any = _NOTHING
        self._changed = False

    def feed(self, more: str) -> bool:
        """Add the next piece; return whether the value has changed."""
        self._changed = False
        if self._wants != "nothing":
            self._rest += more
            try:
                self._read()
            except ValueError:
                self._wants, self._rest = "nothing", ""
            if self._changed:
                self.value = self._copied()
        return self._changed

    def _read(self) -> None:
        rest, at = self._rest, 0
        while self._wants != "nothing" and (token := _TOKEN.match(rest, at)) is not None:
            at = token.end()
            if token[1] is not None:
                self._take_mark(token[1])
            elif self._wants == "key" and token[2] is not None:
                self._open[-1].key, self._wants = json.loads(token[2]), "colon"
            else:
                self._take(json.loads(token[2] or token[3]))
        self._rest = rest[at:]
        if self._wants == "nothing":
            return
        half = _half(self._rest.lstrip(" \t\n\r")) if self._wants == "value" else _NOTHING
        if half is not _NOTHING and (self._half is _NOTHING or half != self._half):
            self._changed = True
        self._half = half

    def _take_mark(self, mark: str) -> None:
        wants = self._wants
        if mark in "{[" and wants == "value":
            if len(self._open) == MAX_DEPTH:
                raise ValueError
            self._open.append(_Open({} if mark == "{" else []))
            self._wants = "key" if mark == "{" else "value"
            self._half, self._changed = _NOTHING, True
        elif mark == ":" and wants == "colon":
            self._wants = "value"
        elif mark == "," and wants == "comma":
            self._wants = "value" if isinstance(self._open[-1].found, list) else "key"
        elif mark in "}]" and wants != "colon" and self._open:
            self._close(mark)
        else:
            raise ValueError

    def _close(self, mark: str) -> None:
        top = self._open[-1]
        is_list = isinstance(top.found, list)
        if is_list != (mark == "]") or (not is_list and self._wants == "value"):
            raise ValueError
        self._open.pop()
        self._settle(top.found)

    def _take(self, value: object) -> None:
        if self._wants != "value":
            raise ValueError
        if self._half is _NOTHING or self._half != value:
            self._changed = True
        self._half = _NOTHING
        self._settle(value)

    def _settle(self, value: object) -> None:
        """Put a whole *value* where it belongs."""
        if self._open:
            self._open[-1].put(value)
            self._wants = "comma"
        else:
            self._half, self._wants = value, "nothing"

    def _copied(self) -> object:
        value = self._half
        for one in reversed(self._open):
            twin = _Open(one.found.copy(), one.key)
            if value is not _NOTHING:
                twin.put(value)
            value = twin.found
        return None if value is _NOTHING else value


def _half(rest: str) -> Any:
    """Return what can be said of a value that may be cut."""
    if not rest.startswith('"'):
        return _WORDS.get(rest, _NOTHING)
    whole = _CUT_STRING.match(rest)
    try:
        value: str = json.loads(f'{whole[0]}"' if whole else '""')
    except ValueError:
        return _NOTHING
    return value[:-1] if "\ud800" <= value[-1:] <= "\udbff" else value
