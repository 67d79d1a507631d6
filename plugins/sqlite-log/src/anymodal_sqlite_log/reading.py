"""Reads what was kept: lists, one call, searches."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from .facts import instant
from .schema import has_full_text
from .secrecy import Json

__all__ = ["LISTED", "Narrowed", "find", "listed", "searched", "shown"]

LISTED: Final = (
    "id", "started_at", "modality", "operation", "provider", "instance", "model", "outcome",
    "error_code", "seconds", "first_event_seconds", "input_tokens", "output_tokens", "usd",
    "scope", "prompt",
)  # fmt: skip
"""What a list has of each call; `prompt` is the beginning of what was asked last."""

BEGINNING: Final = 80
"""Characters of a prompt in a list."""
AROUND: Final = 12
"""Words around what was found."""

_ROW: Final = """
    SELECT calls.*, (
        SELECT substr(pieces.text, 1, :beginning)
        FROM conversations JOIN parts ON parts.turn = conversations.prompt
        JOIN pieces ON pieces.number = parts.piece
        WHERE conversations.call = calls.number AND conversations.place = 0
            AND pieces.text NOT NULL
        ORDER BY parts.place LIMIT 1
    ) AS prompt
    FROM calls
"""


@attrs.frozen
class Narrowed:
    """
    Which calls are wanted.

    Attributes:
        since: Only calls that began then or later.
        provider: Only those of a provider or instance of this name.
        errors: Only those that ended with an error.
        count: How many, of the newest.
    """

    since: dt.datetime | None = None
    provider: str | None = None
    errors: bool = False
    count: int = 20

    def condition(self) -> tuple[str, dict[str, object]]:
        """Return it as SQL, and the values in it."""
        since = "" if self.since is None else instant(self.since)
        said: dict[str, object] = {"since": since, "provider": self.provider, "count": self.count}
        words = ["calls.started_at >= :since"]
        if self.provider is not None:
            words.append(":provider IN (calls.provider, calls.instance)")
        if self.errors:
            words.append("calls.outcome = 'error'")
        return " AND ".join(words), said


def listed(db: sqlite3.Connection, wanted: Narrowed) -> list[dict[str, Json]]:
    """Return the calls that are *wanted*, the newest first."""
    condition, said = wanted.condition()
    order = "ORDER BY calls.started_at DESC, calls.number DESC LIMIT :count"
    words = f"{_ROW} WHERE {condition} {order}"
    return [_listed(row) for row in _rows(db, words, {**said, "beginning": BEGINNING})]


def _listed(row: Mapping[str, Json]) -> dict[str, Json]:
    return {name: row[name] for name in LISTED}


def _rows(
    db: sqlite3.Connection, words: str, said: Mapping[str, object]
) -> Iterator[dict[str, Json]]:
    found = db.execute(words, said)
    names = [one[0] for one in found.description]
    return (dict(zip(names, row, strict=True)) for row in found)


# -- one call ---------------------------------------------------------------------------


def find(db: sqlite3.Connection, name: str) -> list[str]:
    """Return the ids that begin with *name*, up to ten."""
    pattern = _escaped(name) + "%"
    rows = db.execute("SELECT id FROM calls WHERE id LIKE ? ESCAPE '\\' LIMIT 10", (pattern,))
    return [found for (found,) in rows]


def shown(db: sqlite3.Connection, call: str) -> dict[str, Json]:
    """Return all that is known of the call of that id."""
    (row,) = _rows(db, "SELECT * FROM calls WHERE id = :id", {"id": call})
    number, facts = row.pop("number"), json.loads(str(row.pop("facts")))
    places = db.execute(
        "SELECT label, prompt, answer FROM conversations WHERE call = ? ORDER BY place", (number,)
    )
    conversations: list[Json] = [
        {
            "label": label,
            "prompt": list[Json](_turns(db, prompt)),
            "answer": None if answer is None else _turn(db, answer),
        }
        for label, prompt, answer in places.fetchall()
    ]
    return {**row, **facts, "conversations": conversations}


def _turns(db: sqlite3.Connection, last: int | None) -> list[dict[str, Json]]:
    """Return the turn *last* and all before it, the oldest first."""
    found: list[dict[str, Json]] = []
    while last is not None:
        found.append(_turn(db, last))
        (last,) = db.execute("SELECT previous FROM turns WHERE number = ?", (last,)).fetchone()
    return found[::-1]


def _turn(db: sqlite3.Connection, number: int) -> dict[str, Json]:
    role, said = db.execute("SELECT role, facts FROM turns WHERE number = ?", (number,)).fetchone()
    parts: list[dict[str, Json]] = json.loads(said)
    rows = db.execute(
        "SELECT place, hex(sha256), size, text, data NOT NULL FROM parts "
        "JOIN pieces ON pieces.number = parts.piece WHERE turn = ?",
        (number,),
    )
    for place, sha256, size, text, has_data in rows:
        parts[place] |= {"sha256": sha256.lower(), "bytes": size}
        if text is not None:
            parts[place]["text"] = text
        else:
            parts[place]["is_kept"] = bool(has_data)
    return {"role": role, "parts": list[Json](parts)}


# -- search -----------------------------------------------------------------------------


def searched(
    db: sqlite3.Connection, phrases: Sequence[str], wanted: Narrowed
) -> tuple[list[dict[str, Json]], bool]:
    """
    Return the calls in which all *phrases* were said, the newest first.

    A phrase is some words in a row; an asterisk at its end stands for the rest of a
    word. Nothing else in it has a meaning.

    Returns:
        The calls, each with what stands around the first of the phrases; and whether
        an index was used.
    """
    has_index = has_full_text(db) and _has_words(db)
    condition, said = wanted.condition()
    for place, phrase in enumerate(phrases):
        text, is_begun = _stripped(phrase)
        if has_index and _has_borders(text):
            said[f"phrase{place}"] = _quoted(text, is_begun=is_begun)
            where = f"SELECT rowid FROM words WHERE words MATCH :phrase{place}"  # noqa: S608  # a number
        else:
            said[f"phrase{place}"] = f"%{_escaped(text)}%"
            where = f"SELECT number FROM pieces WHERE text LIKE :phrase{place} ESCAPE '\\'"  # noqa: S608  # as above
        condition += f" AND calls.number IN ({_SAID.format(where)})"
    order = "ORDER BY calls.started_at DESC, calls.number DESC LIMIT :count"
    rows = list(_rows(db, f"{_ROW} WHERE {condition} {order}", {**said, "beginning": BEGINNING}))
    return [{**_listed(row), "found": _around(db, row["number"], phrases[0])} for row in rows], (
        has_index
    )


_SAID: Final = (
    "SELECT said.call FROM said JOIN parts ON parts.turn = said.turn WHERE parts.piece IN ({})"
)


def _has_words(db: sqlite3.Connection) -> bool:
    """Whether every text is in the index; a process without one may have written since."""
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'words'").fetchone()
    (waiting,) = db.execute("SELECT count(*) FROM unindexed").fetchone()
    return bool(tables) and not waiting


def _stripped(phrase: str) -> tuple[str, bool]:
    """Return *phrase* in a form that SQLite takes, and whether its last word is only begun."""
    text = phrase.encode("utf-8", "replace").decode().replace("\0", " ").strip()
    return (text[:-1], True) if text.endswith("*") and len(text) > 1 else (text, False)


def _has_borders(text: str) -> bool:
    """Whether *text* has words that the index knows: letters, of scripts that part words."""
    letters = [char for char in text if unicodedata.category(char)[0] in "LN"]
    return bool(letters) and not any(
        unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO",
                                               "KHMER", "MYANMAR", "TIBETAN"))
        for char in letters
    )  # fmt: skip


def _quoted(text: str, *, is_begun: bool) -> str:
    return '"' + text.replace('"', '""') + '"' + (" *" if is_begun else "")


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _around(db: sqlite3.Connection, call: Json, phrase: str) -> str:
    """Return what stands around *phrase* in a call."""
    text, _ = _stripped(phrase)
    first = re.findall(r"\w+", text)
    pattern = re.compile(re.escape(first[0] if first else text), re.IGNORECASE)
    rows = db.execute(
        "SELECT text FROM said JOIN parts ON parts.turn = said.turn "
        "JOIN pieces ON pieces.number = parts.piece WHERE said.call = ? AND text NOT NULL",
        (call,),
    )
    texts = [found for (found,) in rows]
    exact = re.compile(re.escape(text), re.IGNORECASE)
    for one in (exact, pattern):
        for found in texts:
            if hit := one.search(found):
                return _cut(found, hit.start())
    return _cut(texts[0], 0) if texts else ""


def _cut(text: str, at: int) -> str:
    before, after = text[:at].split(), text[at:].split()
    words = before[-AROUND // 2 :] + after[:AROUND]
    return (
        ("… " if len(before) > AROUND // 2 else "")
        + " ".join(words)
        + (" …" if len(after) > AROUND else "")
    )
