"""Writes what observers are told into the file."""

from __future__ import annotations

import datetime as dt
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
from anymodal.events import CallEnded, JobChanged

from .content import Conversation, Maker, Piece, Turn
from .facts import COLUMNS, instant, row_of
from .schema import has_full_text, index_words, open_file, told, transaction
from .secrecy import cleaner

__all__ = ["Book", "prune"]

DAY: Final = dt.timedelta(days=1)

_INSERT_CALL: Final = (
    f"INSERT OR IGNORE INTO calls ({', '.join(COLUMNS)}) "  # noqa: S608  # names of our own
    f"VALUES ({', '.join('?' for _ in COLUMNS)})"
)


@attrs.frozen
class Entry:
    """A call as it is written: its row, and what was said."""

    row: Sequence[object]
    conversations: tuple[Conversation, ...]


class Book:
    """
    The file as one process writes it.

    Args:
        path: The file.
        content: Whether what was said is kept.
        keep_days: For how long; None is for ever.
        max_bytes: Of a larger piece only the hash and the size are kept.
        full_text: Whether there is an index of words; None where SQLite has one.
    """

    def __init__(
        self,
        path: Path,
        *,
        content: bool,
        keep_days: float | None,
        max_bytes: int,
        full_text: bool | None = None,
    ) -> None:
        self.path = path
        self._content = content
        self._keep_days = keep_days
        self._max_bytes = max_bytes
        self._full_text = full_text
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._pruned_at: dt.datetime | None = None
        self._is_broken = False
        self.lost = 0
        """How many calls were not written because the file could not be."""
        _BOOKS.add(self)

    def write(self, events: Sequence[CallEnded | JobChanged]) -> None:
        """Write *events*, or say once in the log of the program that it cannot be."""
        clean = cleaner(os.environ)
        made = [one for event in events if (one := self._made(event, clean)) is not None]
        with self._lock:
            self._write(made)

    def _write(self, made: Sequence[Entry | JobChanged]) -> None:
        try:
            db = self._open()
            with transaction(db):
                for one in made:
                    self._put(db, one)
            self._prune_daily(db)
        except Exception as error:  # noqa: BLE001  # a log that fails harms no call
            self.close()
            self.lost += sum(isinstance(one, Entry) for one in made)
            if not self._is_broken:
                self._is_broken = True
                _log().warning("calls are not logged: %s", told(self.path, error))
        else:
            if self._is_broken:
                self._is_broken = False
                _log().warning("calls are logged again; %d were not.", self.lost)

    def close(self) -> None:
        """Close the file; to be written again opens it again."""
        with self._lock:
            db, self._db = self._db, None
            if db is not None:
                try:
                    db.close()
                except sqlite3.Error as error:
                    _log().warning("the log of calls was not closed: %s", told(self.path, error))

    def hold(self) -> None:
        """Close the file, and let nobody open it before `let_go`."""
        self._lock.acquire()
        self.close()

    def let_go(self) -> None:
        """Let others go on."""
        self._lock.release()

    # -- what is written ----------------------------------------------------------------

    def _made(
        self, event: CallEnded | JobChanged, clean: Callable[[str], str]
    ) -> Entry | JobChanged | None:
        if isinstance(event, JobChanged):
            return event
        try:
            maker = Maker(clean, self._max_bytes)
            conversations = (
                maker.conversations(event.request, event.answer) if self._content else ()
            )
            return Entry(row_of(event, clean, content=self._content), conversations)
        except Exception as error:  # noqa: BLE001  # what strangers' classes do is not known
            name = type(error).__name__
            _log().warning("the call %s is not logged: %s.", event.record.id, name)
            return None

    def _put(self, db: sqlite3.Connection, one: Entry | JobChanged) -> None:
        if isinstance(one, JobChanged):
            state = (one.status.state, one.record.id)
            db.execute("UPDATE calls SET job_state = ? WHERE id = ?", state)
            return
        done = db.execute(_INSERT_CALL, one.row)
        if not done.rowcount:
            return  # two observers, such as a client's and its tenant's, were told of it
        number = done.lastrowid
        for place, conversation in enumerate(one.conversations):
            prompt, new = self._chain(db, conversation.prompt)
            answer = conversation.answer
            last = None if answer is None else self._turn(db, answer, prompt)
            said = new | _own(db, prompt) | ({last} if last is not None else set())
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                (number, place, conversation.label, prompt, last),
            )
            db.executemany(
                "INSERT OR IGNORE INTO said VALUES (?, ?)", [(turn, number) for turn in said]
            )

    def _chain(self, db: sqlite3.Connection, turns: Sequence[Turn]) -> tuple[int | None, set[int]]:
        """Write the turns that are not there, and return the last one's number and theirs."""
        there, previous = 0, None
        for count in range(len(turns), 0, -1):
            previous = _number(db, "turns", turns[count - 1].sha256)
            if previous is not None:
                there = count
                break
        new: set[int] = set()
        for turn in turns[there:]:
            previous = self._turn(db, turn, previous)
            new.add(previous)
        return previous, new

    def _turn(self, db: sqlite3.Connection, turn: Turn, previous: int | None) -> int:
        number = _number(db, "turns", turn.sha256)
        if number is not None:
            return number
        done = db.execute(
            "INSERT INTO turns (sha256, previous, role, facts) VALUES (?, ?, ?, ?)",
            (turn.sha256, previous, turn.role, turn.facts),
        )
        number = done.lastrowid or 0
        for place, piece in enumerate(turn.pieces):
            if piece is not None:
                parts = (number, place, self._piece(db, piece))
                db.execute("INSERT INTO parts VALUES (?, ?, ?)", parts)
        return number

    def _piece(self, db: sqlite3.Connection, piece: Piece) -> int:
        number = _number(db, "pieces", piece.sha256)
        if number is not None:
            return number
        text, data = (piece.data, None) if isinstance(piece.data, str) else (None, piece.data)
        done = db.execute(
            "INSERT INTO pieces (sha256, size, media_type, text, data) VALUES (?, ?, ?, ?, ?)",
            (piece.sha256, piece.size, piece.media_type, text, data),
        )
        number = done.lastrowid or 0
        if text is not None and self._full_text:
            db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, text))
        elif text is not None:
            db.execute("INSERT INTO unindexed VALUES (?)", (number,))
        return number

    # -- the file -----------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            db = open_file(self.path)
            try:
                if self._full_text is None:
                    self._full_text = has_full_text(db)
                if self._full_text:
                    with transaction(db):
                        index_words(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _prune_daily(self, db: sqlite3.Connection) -> None:
        now = dt.datetime.now(dt.UTC)
        if self._keep_days is None or (self._pruned_at and now - self._pruned_at < DAY):
            return
        self._pruned_at = now
        prune(db, now - self._keep_days * DAY)


def prune(db: sqlite3.Connection, before: dt.datetime) -> int:
    """Drop the calls that began *before*, and what only they said. Returns how many."""
    with transaction(db):
        done = db.execute("DELETE FROM calls WHERE started_at < ?", (instant(before),))
        if not done.rowcount:
            return 0
        db.execute("PRAGMA secure_delete = FAST")
        for table in ("conversations", "said"):
            db.execute(f"DELETE FROM {table} WHERE call NOT IN (SELECT number FROM calls)")  # noqa: S608  # as above
        db.execute(
            """
            WITH RECURSIVE live (number) AS (
                SELECT prompt FROM conversations UNION SELECT answer FROM conversations
                UNION SELECT previous FROM turns JOIN live USING (number)
            )
            DELETE FROM turns WHERE number NOT IN (SELECT number FROM live WHERE number NOT NULL)
            """
        )
        db.execute("DELETE FROM parts WHERE turn NOT IN (SELECT number FROM turns)")
        gone = "number NOT IN (SELECT piece FROM parts)"
        if has_full_text(db):
            index_words(db)
            db.execute(
                "INSERT INTO words (words, rowid, text) "  # noqa: S608  # as above
                f"SELECT 'delete', number, text FROM pieces WHERE text NOT NULL AND {gone}"
            )
        db.execute("DELETE FROM unindexed WHERE piece NOT IN (SELECT piece FROM parts)")
        db.execute(f"DELETE FROM pieces WHERE {gone}")  # noqa: S608  # as above
    return done.rowcount


def _number(db: sqlite3.Connection, table: str, sha256: bytes) -> int | None:
    row = db.execute(f"SELECT number FROM {table} WHERE sha256 = ?", (sha256,)).fetchone()  # noqa: S608  # as above
    return None if row is None else int(row[0])


def _own(db: sqlite3.Connection, prompt: int | None) -> set[int]:
    """Return the turns after the last answer in a prompt: what the call itself said."""
    rows = db.execute(
        """
        WITH RECURSIVE own (number, previous, role) AS (
            SELECT number, previous, role FROM turns WHERE number = ? AND role <> 'assistant'
            UNION ALL
            SELECT turns.number, turns.previous, turns.role FROM turns
            JOIN own ON turns.number = own.previous WHERE turns.role <> 'assistant'
        )
        SELECT number FROM own
        """,
        (prompt,),
    )
    return {number for (number,) in rows}


def _log() -> logging.Logger:
    return logging.getLogger("anymodal_sqlite_log")


# -- forks --------------------------------------------------------------------------------

_BOOKS: Final[weakref.WeakSet[Book]] = weakref.WeakSet()
_HELD: Final[list[Book]] = []


def _before_fork() -> None:
    """Close every file: SQLite wants nothing of it carried into another process."""
    for book in list(_BOOKS):
        book.hold()
        _HELD.append(book)


def _after_fork() -> None:
    while _HELD:
        _HELD.pop().let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
