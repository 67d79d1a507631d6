"""The file: its tables, how it is opened, and what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from anymodal.errors import ConfigurationError

__all__ = [
    "has_full_text",
    "index_words",
    "open_file",
    "open_to_read",
    "told",
    "transaction",
]

APPLICATION: Final = 0x616E796C
"""`anyl`: by this the file is known to be ours, whatever its name."""

PATIENCE: Final = 10.0
"""Seconds to wait for others that write."""

MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """
        CREATE TABLE calls (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            started_at TEXT NOT NULL,
            modality TEXT NOT NULL, operation TEXT NOT NULL,
            provider TEXT NOT NULL, instance TEXT NOT NULL, model TEXT NOT NULL,
            plugin TEXT NOT NULL, request_id TEXT NOT NULL, scope TEXT NOT NULL,
            outcome TEXT NOT NULL, error_code TEXT, error TEXT,
            seconds REAL, first_event_seconds REAL,
            input_tokens INTEGER, output_tokens INTEGER, usd REAL,
            job_state TEXT,
            facts TEXT NOT NULL
        )
        """,
        "CREATE INDEX calls_started_at ON calls (started_at)",
        """
        CREATE TABLE pieces (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            sha256 BLOB NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            media_type TEXT NOT NULL,
            text TEXT,
            data BLOB
        )
        """,
        """
        CREATE TABLE turns (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            sha256 BLOB NOT NULL UNIQUE,
            previous INTEGER REFERENCES turns,
            role TEXT NOT NULL,
            facts TEXT NOT NULL
        )
        """,
        "CREATE INDEX turns_previous ON turns (previous)",
        """
        CREATE TABLE parts (
            turn INTEGER NOT NULL REFERENCES turns,
            place INTEGER NOT NULL,
            piece INTEGER NOT NULL REFERENCES pieces,
            PRIMARY KEY (turn, place)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX parts_piece ON parts (piece)",
        """
        CREATE TABLE conversations (
            call INTEGER NOT NULL REFERENCES calls,
            place INTEGER NOT NULL,
            label TEXT NOT NULL,
            prompt INTEGER REFERENCES turns,
            answer INTEGER REFERENCES turns,
            PRIMARY KEY (call, place)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE said (
            turn INTEGER NOT NULL REFERENCES turns,
            call INTEGER NOT NULL REFERENCES calls,
            PRIMARY KEY (turn, call)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX said_call ON said (call)",
        "CREATE TABLE unindexed (piece INTEGER PRIMARY KEY)",
    ),
)
"""
What makes each version of the file of the one before it.

A call's conversations end in a turn each; `turns.previous` leads to the rest. `said`
has the turns by which a call is found: its own, and not all that a chat said before.
`unindexed` has the texts that a process without full-text search wrote.
"""

_WORDS: Final = """
    CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
        text, content='pieces', content_rowid='number', tokenize='unicode61 remove_diacritics 2'
    )
"""

_FAULTS: Final = (
    ("SQLITE_BUSY", "another process has held it for too long"),
    ("SQLITE_CORRUPT", "it is damaged; move it away, and a new one is made"),
    ("SQLITE_FULL", "the disk is full; make room"),
    ("SQLITE_NOTADB", "it is damaged, or something else; move it away, and a new one is made"),
    ("SQLITE_READONLY", "it cannot be written; see who owns it"),
)
"""What to tell of SQLite's errors, by the beginnings of their names."""


def open_file(
    path: Path, *, patience: float = PATIENCE, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> sqlite3.Connection:
    """
    Open the file for writing, for its owner alone, and bring it to the present version.

    Raises:
        ConfigurationError: It is somebody else's, or of a later version.
        OSError: It cannot be made.
        sqlite3.Error: It cannot be opened.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db, path, migrations)
        _write_ahead(db, patience)
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(
    path: Path, *, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> sqlite3.Connection:
    """
    Open a file that is there. One of an earlier version is brought to the present one.

    Raises:
        ConfigurationError: It is somebody else's, or of a later version.
        OSError: It is of an earlier version and cannot be written.
        sqlite3.Error: It cannot be opened.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    db = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)
    try:
        version = _version(db, path, len(migrations))
    except BaseException:
        db.close()
        raise
    if version == len(migrations):
        return db
    db.close()
    open_file(path, migrations=migrations).close()
    return open_to_read(path, migrations=migrations)


def _prepare(db: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    with transaction(db):
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        version = _version(db, path, len(migrations)) if tables else 0
        for number, steps in enumerate(migrations[version:], version + 1):
            for step in steps:
                db.execute(step)
            db.execute(f"PRAGMA user_version = {number}")
        if not tables:
            db.execute(f"PRAGMA application_id = {APPLICATION}")


def _version(db: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the version of a file that is one of ours, and none of a later time."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        msg = f"{path}: this is somebody else's file, and no log of calls; name another."
        raise ConfigurationError(msg)
    if version > newest:
        msg = f"{path}: a later version of anymodal-sqlite-log wrote it; upgrade this one."
        raise ConfigurationError(msg)
    found: int = version
    return found


def _write_ahead(db: sqlite3.Connection, patience: float) -> None:
    """Let readers and a writer not wait for one another."""
    end = time.monotonic() + patience
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # SQLite does not wait here as it does elsewhere
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def has_full_text(db: sqlite3.Connection) -> bool:
    """Whether this Python's SQLite was built with FTS5."""
    return bool(
        db.execute("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'").fetchone()[0]
    )


def index_words(db: sqlite3.Connection) -> None:
    """Put into the index what is not in it yet; within a transaction."""
    db.execute(_WORDS)
    db.execute(
        "INSERT INTO words (rowid, text) SELECT number, text FROM pieces JOIN unindexed "
        "ON piece = number WHERE text IS NOT NULL"
    )
    db.execute("DELETE FROM unindexed")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def told(path: Path, error: Exception) -> str:
    """Return in a sentence what is wrong with the file."""
    if isinstance(error, ConfigurationError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")
        what = next((words for start, words in _FAULTS if name.startswith(start)), str(error))
        return f"{path}: {what}."
    if isinstance(error, OSError):
        return f"{path}: it cannot be opened ({error.strerror or type(error).__name__})."
    return f"{path}: {type(error).__name__}."
