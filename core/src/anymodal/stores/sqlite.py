"""A store in one file, for all processes of a machine."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from .. import errors as e
from ..shielding import shielded
from . import Kept, Row, Step

__all__ = ["SqliteStore"]

T = TypeVar("T")

APPLICATION: Final = 0x616E796D
"""`anym`: by this the file is known to be ours, whatever its name."""

VERSION: Final = 1

SCHEMA: Final = (
    """
    CREATE TABLE kept (
        space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, ends REAL,
        PRIMARY KEY (space, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX kept_ends ON kept (ends) WHERE ends IS NOT NULL",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

_FAULTS: Final = (
    ("SQLITE_BUSY", "another process has held it for too long; try again, or see which one it is"),
    ("SQLITE_CORRUPT", "it is damaged; move it away, and a new one is made"),
    ("SQLITE_FULL", "the disk is full; make room"),
    ("SQLITE_NOTADB", "it is damaged, or something else; move it away, and a new one is made"),
    ("SQLITE_READONLY", "it cannot be written; see who owns it"),
)
"""What to tell of SQLite's errors, by the beginnings of their names."""


class _Turn:
    """Whose turn it is in one event loop."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        # anyio's own is kept busy by others of the program
        self.limiter = anyio.CapacityLimiter(1)


class SqliteStore(Kept):
    """
    Keeps what it is given in a file that many processes may share.

    The file is made, for its owner alone, when something is first asked of the
    store. What was written is there after the process is killed, or the machine.

    Args:
        path: The file. It has to be on a disk of this machine's own.
        now: Where the time comes from, in seconds since 1970; for tests.
        patience: Seconds to wait for others that write.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        now: Callable[[], float] = time.time,
        patience: float = 10.0,
    ) -> None:
        super().__init__(now)
        self.path = Path(path)
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._turn = anyio.lowlevel.RunVar[_Turn]("turn")

    def __repr__(self) -> str:
        return f"<SqliteStore {self.path}>"

    async def change(self, space: str, key: str, step: Step) -> tuple[Row | None, Row | None]:
        return await self._run(lambda: self._stepped(space, key, step))

    async def rows(self, space: str, key: str | None) -> Mapping[str, Row]:
        return await self._run(lambda: self._found(space, key))

    async def aclose(self) -> None:
        """Close the file; to be used again opens it again."""
        if self._connection is not None:
            await shielded(self._run(self._close))

    # -- in a thread ------------------------------------------------------------------

    async def _run(self, function: Callable[[], T]) -> T:
        """
        Run *function* in a thread, one at a time; what went wrong is told as ours.

        Who is cancelled while it is his turn waits for its end: what he does about it
        would otherwise be done before it.
        """
        turn = self._turn.get(None)
        if turn is None:
            turn = _Turn()
            self._turn.set(turn)

        def run() -> T:
            with self._lock, _told(self.path):
                return function()

        async with turn.lock:
            return await shielded(anyio.to_thread.run_sync(run, limiter=turn.limiter))

    def _stepped(self, space: str, key: str, step: Step) -> tuple[Row | None, Row | None]:
        with _transaction(self._open()) as db:
            place = (space, key)
            found = db.execute("SELECT value, ends FROM kept WHERE space = ? AND key = ?", place)
            row = found.fetchone()
            before = None if row is None else Row(*row)
            if before is not None and not self.is_there(before):
                before = None
            after = step(before)
            if after is None:
                db.execute("DELETE FROM kept WHERE space = ? AND key = ?", place)
            elif after is not before:
                db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", (*place, *after))
            return before, after

    def _found(self, space: str, key: str | None) -> dict[str, Row]:
        db = self._open()
        words = "SELECT key, value, ends FROM kept WHERE space = ?"
        if key is None:
            db.execute("DELETE FROM kept WHERE ends <= ?", (self._now(),))
            rows = db.execute(words, (space,))
        else:
            rows = db.execute(f"{words} AND key = ?", (space, key))
        found = {name: Row(value, ends) for name, value, ends in rows}
        return {name: row for name, row in found.items() if self.is_there(row)}

    # -- the file ---------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            db = sqlite3.connect(
                self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._connection = db
        return self._connection

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make of a new file a store, and refuse one that is none of ours."""
        if not self._is_ours(db):
            with _transaction(db):
                if not self._is_ours(db):  # another process may have been quicker
                    for words in SCHEMA:
                        db.execute(words)
        self._write_ahead(db)
        db.execute("PRAGMA synchronous = FULL")  # a job that was paid for outlives a power cut

    def _is_ours(self, db: sqlite3.Connection) -> bool:
        """Return whether it is a store; False is an empty file."""
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION:
            msg = f"{self.path}: this is somebody else's file; set [store] path to another."
            raise e.ConfigurationError(msg)
        if version > VERSION:
            msg = (
                f"{self.path}: a later version of anymodal wrote it; upgrade this one, or set "
                "[store] path to another file."
            )
            raise e.ConfigurationError(msg)
        return bool(tables)

    def _write_ahead(self, db: sqlite3.Connection) -> None:
        """Let readers and a writer not wait for one another."""
        end = time.monotonic() + self._patience
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:  # SQLite does not wait here as it does elsewhere
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what is wrong with the file, and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        what = next((words for start, words in _FAULTS if name.startswith(start)), str(error))
        msg = f"{path}: jobs and budgets are kept there: {what}."
        raise e.ConfigurationError(msg) from error
    except OSError as error:
        what = error.strerror or type(error).__name__
        msg = f"{path}: jobs and budgets are kept there, and it cannot be opened ({what})."
        raise e.ConfigurationError(msg) from error
