"""Keeps calls, in a thread of its own, so that no call waits for a disk."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from .variables import days_of, file_of, keeps_content

if TYPE_CHECKING:
    import logging
    from concurrent.futures import ThreadPoolExecutor
    from types import TracebackType

    from anymodal.events import CallEnded, Event, JobChanged

    from .book import Book

__all__ = ["SqliteLog"]

Kept: TypeAlias = "CallEnded | JobChanged"

MOST_WAITING: Final = 10_000
"""Calls that may wait to be written; more are dropped."""
MOST_BYTES: Final = 64_000_000
"""Likewise of what they said; a call that is alone may be larger."""
MOST_AT_ONCE: Final = 200
"""Calls in one transaction."""


class SqliteLog:
    """
    Keeps every call in a file that many processes may share.

    A host gives it to its client, `Client(observers=[SqliteLog()])`; as a plugin it
    acts where settings name it, `[plugins] use = ["sqlite-log"]`.

    Calls are written in a thread, all of them before the interpreter ends. One that
    cannot be written is told in the log of the program, `anymodal_sqlite_log`, and
    harms no call. Nothing is opened before the first call has ended.

    Args:
        path: The file; None for what ANYMODAL_SQLITE_LOG says, or else `calls.sqlite`
            in the user's folder for state.
        content: Whether what was asked and answered is kept; None for what
            ANYMODAL_SQLITE_LOG_CONTENT says, or else yes.
        keep_days: For how many days a call is kept; None for what
            ANYMODAL_SQLITE_LOG_DAYS says, or else for ever.
        max_bytes: Of a text or picture that is larger, only its hash and size are kept.

    Attributes:
        dropped: How many calls were dropped because too many were waiting.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        content: bool | None = None,
        keep_days: float | None = None,
        max_bytes: int = 10_000_000,
    ) -> None:
        if keep_days is not None and not keep_days > 0:
            msg = f"keep_days: a number above 0 is needed, not {keep_days!r}."
            raise ValueError(msg)
        self._given = None if path is None else Path(path)
        self._content = content
        self._keep_days = keep_days
        self._max_bytes = max_bytes
        self.dropped = 0
        self._told_of = 0
        self._begin()

    def _begin(self) -> None:
        """Start from nothing, as a process does that was forked."""
        self._process = os.getpid()
        self._idle = threading.Condition(threading.Lock())
        self._waiting: deque[tuple[Kept, int]] = deque()
        self._bytes = 0
        self._is_writing = False
        self._executor: ThreadPoolExecutor | None = None
        self._book: Book | None = None
        self._is_off: bool | None = None

    def _be_here(self) -> None:
        """Leave to the parent what is the parent's: its thread does not come along."""
        if self._process != os.getpid():
            self._begin()

    def __repr__(self) -> str:
        return f"<SqliteLog {self.path}>"

    @property
    def path(self) -> Path | None:
        """The file; None where the environment says `off`."""
        return file_of(os.environ) if self._given is None else self._given

    def on_event(self, event: Event, /) -> None:
        """Take note of *event*. Nothing is waited for."""
        if isinstance(event, _kept()) and not self._is_off:
            self._take(event)

    def flush(self, timeout: float | None = None) -> bool:
        """
        Wait until everything so far is written. Blocks, so not for an event loop.

        Returns:
            Whether that was so within *timeout* seconds.
        """
        self._be_here()
        with self._idle:
            return self._idle.wait_for(lambda: not self._is_writing, timeout)

    def close(self) -> None:
        """Write what waits, and close the file; a further call opens it again."""
        self.flush()
        with self._idle:
            executor, self._executor = self._executor, None
            book = self._book
        if executor is not None:
            executor.shutdown()
        if book is not None:
            book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- in whatever thread calls are made ------------------------------------------------

    def _take(self, event: Kept) -> None:
        self._be_here()
        size = _size(event)
        with self._idle:
            if self._waiting and (
                len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES
            ):
                self.dropped += 1
                return
            self._waiting.append((event, size))
            self._bytes += size
            if self._is_writing:
                return
            self._is_writing = True
        self._start()

    def _start(self) -> None:
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # only where it acts

            self._executor = ThreadPoolExecutor(1, "anymodal-sqlite-log")
        try:
            self._executor.submit(self._write)  # the interpreter waits for it before it ends
        except RuntimeError:  # it is ending already, and nobody closes the file any more
            self._write()
            if self._book is not None:
                self._book.close()

    # -- in the thread ----------------------------------------------------------------------

    def _write(self) -> None:
        while batch := self._batch():
            try:
                book = self._opened()
                if book is not None:
                    book.write([event for event, _ in batch])
            except Exception as error:  # noqa: BLE001  # a log that fails harms no call
                _log().warning("calls are not logged: %s.", type(error).__name__)
            with self._idle:
                self._bytes -= sum(size for _, size in batch)
            del batch

    def _batch(self) -> list[tuple[Kept, int]]:
        with self._idle:
            count = min(len(self._waiting), MOST_AT_ONCE)
            found = [self._waiting.popleft() for _ in range(count)]
            dropped, self._told_of = self.dropped - self._told_of, self.dropped
            if not found:
                self._is_writing = False
                self._idle.notify_all()
        if dropped:
            _log().warning("%d calls are not logged: more came than could be written.", dropped)
        return found

    def _opened(self) -> Book | None:
        if self._book is None and self._is_off is None:
            path = self.path
            self._is_off = path is None
            if path is not None:
                self._book = self._made(path)
        return self._book

    def _made(self, path: Path) -> Book:
        from .book import Book  # noqa: PLC0415  # brings sqlite3, only where it acts

        days = self._keep_days
        if days is None:
            try:
                days = days_of(os.environ)
            except ValueError:
                msg = "ANYMODAL_SQLITE_LOG_DAYS is no number above 0, so calls are kept for ever."
                _log().warning(msg)
        content = keeps_content(os.environ) if self._content is None else self._content
        book = Book(path, content=content, keep_days=days, max_bytes=self._max_bytes)
        weakref.finalize(self, book.close)
        return book


@cache
def _kept() -> tuple[type[CallEnded], type[JobChanged]]:
    from anymodal.events import CallEnded, JobChanged  # noqa: PLC0415  # a listing makes a log too

    return CallEnded, JobChanged


def _size(event: Kept) -> int:
    """Return roughly how many bytes *event* keeps from being freed."""
    from anymodal.events import JobChanged  # noqa: PLC0415  # as in `_kept`

    if isinstance(event, JobChanged):
        return 0
    return _size_of(event.request) + _size_of(event.answer)


def _size_of(one: object) -> int:
    messages = getattr(one, "messages", None)
    if messages is not None:
        return sum(_length(part) for message in messages for part in message.parts)
    if isinstance(one, tuple):  # the lines of a batch
        return sum(_size_of(getattr(line, "request", None)) for line in one)
    fields = getattr(type(one), "__attrs_attrs__", ())
    return sum(_length(getattr(one, field.name)) for field in fields)


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    from anymodal.media import Media  # noqa: PLC0415  # as in `_kept`

    if isinstance(value, Media):
        return value.size or 0
    return sum(map(_length, value)) if isinstance(value, tuple) else 0


def _log() -> logging.Logger:
    import logging  # noqa: PLC0415  # as in `_kept`

    return logging.getLogger("anymodal_sqlite_log")
