"""The file and the thread: who may write, what is wrong, what is left when things end."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from anymodal import Image, Message, ModelSpec, TextRequest
from anymodal import errors as e
from anymodal.events import CallEnded
from anymodal.usage import Record
from anymodal_sqlite_log import SqliteLog, observer
from anymodal_sqlite_log.book import Book, prune
from anymodal_sqlite_log.schema import MIGRATIONS, open_file, open_to_read

from .acme import calls, client, count, prompts, says

HERE = Path(__file__).parent
WRITES = """
import sys
from anymodal.events import CallEnded
from anymodal.modalities.messages import Message
from anymodal.modalities.text import TextRequest, TextResult
from anymodal.specs import ModelSpec
from anymodal.usage import Record
from anymodal_sqlite_log import SqliteLog

log = SqliteLog(sys.argv[1])
def tell(name, number):
    request = TextRequest(model=ModelSpec(id="m"), messages=(Message.user(f"{name} {number}"),))
    answer = TextResult(Message.assistant("yes"))
    log.on_event(CallEnded(Record(f"{name}-{number}", "text", "generate"), request, answer))
"""


def ended(number=0, *parts):
    """Return the news of a call."""
    parts = parts or (f"prompt {number}",)
    request = TextRequest(model=ModelSpec(id="m-1"), messages=(Message("user", parts),))
    record = Record(f"{number:032}", "text", "generate", started_at=dt.datetime.now(dt.UTC))
    return CallEnded(record, request, says())


def python(code, *words, **options):
    """Run a program of its own, in which every warning is an error."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WRITES + code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def told(caplog):
    """Return what was said in the log of the program."""
    return [one.getMessage() for one in caplog.records if one.name == "anymodal_sqlite_log"]


@pytest.fixture
def stuck(log):
    """The writing thread, held until the test lets it go."""
    held, go = threading.Event(), threading.Event()

    def hold(_):
        held.set()
        go.wait(20)

    log._opened = type("Held", (), {"write": staticmethod(hold)})
    yield held, go
    go.set()


def test_file_is_its_owners_alone(log, path):
    """Prompts are nobody else's business."""
    log.on_event(ended())
    log.flush()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in path.parent.iterdir())


def test_nothing_is_opened_before_a_call_has_ended(path):
    """Plugins are loaded, and clients made, that never call."""
    before = threading.active_count()
    with SqliteLog(path):
        assert threading.active_count() == before

    assert not path.parent.exists()


def test_closed_log_leaves_no_thread_and_no_open_file(log, path):
    """And a further call opens it again."""
    before = set(threading.enumerate())
    log.on_event(ended(1))
    log.close()

    assert set() == set(threading.enumerate()) - before
    assert [path] == list(path.parent.iterdir())
    log.on_event(ended(2))
    log.close()
    assert len(calls(path)) == 2


def test_program_that_ends_has_written_everything(path):
    """Without anybody closing anything, and at once."""
    process = python("for number in range(300): tell('a', number)", path)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    assert [path] == list(path.parent.iterdir())
    assert len(calls(path)) == 300


def test_program_that_ends_in_an_error_has_written_everything(path):
    """The call before it is the one that is looked for."""
    process = python("tell('a', 1); raise SystemExit(3)", path)

    assert process.wait(60) == 3
    process.communicate()
    assert len(calls(path)) == 1


def test_call_while_the_interpreter_ends_is_written(path):
    """Where no thread can be started any more."""
    process = python("import atexit; tell('a', 1); atexit.register(tell, 'a', 2)", path)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    assert len(calls(path)) == 2


def test_killed_program_leaves_a_file_that_can_be_read_and_written(log, path):
    """What it had written is there."""
    code = "tell('a', 0); log.flush(); print(flush=True)\nfor n in range(1, 10**9): tell('a', n)"
    process = python(code, path)
    process.stdout.readline()
    while len(calls(path)) < 50:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)

    found = len(calls(path))
    assert found >= 1
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    log.on_event(ended())
    log.flush()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM calls").fetchone()[0] == count(path, "calls")
    assert prompts(path, "prompt") == ["prompt 0"]


def test_four_processes_write_one_file(path):
    """Each prompt is its own, the answer is everybody's."""
    code = "for number in range(250): tell(sys.argv[2], number)"
    processes = [python(code, path, name) for name in "abcd"]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]

    assert ends == [("", 0)] * 4
    assert count(path, "calls") == 1000
    assert count(path, "pieces") == 1001
    assert len(prompts(path, "c 249")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_forked_process_has_a_thread_of_its_own(path):
    """Its parent's does not come along, and SQLite's file is not to be shared so."""
    code = """
import os
tell('a', 1); log.flush()
for number in range(500): tell('b', number)
child = os.fork()
if not child: log.close()
tell('a', 2 if child else 3)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    process = python(code, path)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    assert len(calls(path)) == 503
    assert {row["prompt"] for row in calls(path) if row["prompt"][0] == "a"} == {
        "a 1",
        "a 2",
        "a 3",
    }


def test_log_that_is_forgotten_is_written_and_its_thread_ends(path):
    """A client that is dropped takes its observers along."""
    log, before = SqliteLog(path), set(threading.enumerate())
    log.on_event(ended())
    (thread,) = set(threading.enumerate()) - before
    log.flush()
    del log
    thread.join(20)

    assert not thread.is_alive()
    assert len(calls(path)) == 1


# -- what cannot be written -------------------------------------------------------------


def test_folder_that_cannot_be_made_is_told_once(tmp_path, caplog):
    """And no call is harmed."""
    (tmp_path / "file").write_text("")
    with SqliteLog(tmp_path / "file" / "calls.sqlite") as log:
        for number in range(3):
            log.on_event(ended(number))
            log.flush()

    (said,) = told(caplog)
    assert said.startswith("calls are not logged: ")
    assert "calls.sqlite: it cannot be opened (" in said


@pytest.mark.anyio
async def test_disk_that_is_full_is_told_once_and_harms_no_call(log, path, caplog):
    """When there is room again, that is told too, with the number that is missing."""
    async with client(log) as ai:
        await ai.text.generate("One?")
        log.flush()
        (pages,) = log._book._db.execute("PRAGMA page_count").fetchone()
        log._book._db.execute(f"PRAGMA max_page_count = {pages}")
        reply = await ai.text.generate("x" * 100_000)
        log.flush()
        opened = log._book._open

        def full():
            db = opened()
            db.execute(f"PRAGMA max_page_count = {pages}")
            return db

        log._book._open = full
        await ai.text.generate("y" * 100_000)
        log.flush()
        log._book.close()
        log._book._open = opened
        await ai.text.generate("Two?")
        log.flush()

    assert reply.text == "yes"
    assert [row["prompt"] for row in calls(path)] == ["Two?", "One?"]
    first, last = told(caplog)
    assert first.endswith("the disk is full; make room.")
    assert last == "calls are logged again; 2 were not."


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_damaged_file_is_told(path, caplog, content):
    """It is left as it is, unless it is empty."""
    path.parent.mkdir()
    path.write_bytes(content)
    with SqliteLog(path) as log:
        log.on_event(ended())

    if content:
        assert path.read_bytes() == content
        assert "move it away" in told(caplog)[0]
    else:
        assert len(calls(path)) == 1


def test_somebody_elses_file_is_refused(path, caplog):
    """A name may be mistyped."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text)")
    with SqliteLog(path) as log:
        log.on_event(ended())

    assert "somebody else's file" in told(caplog)[0]
    with pytest.raises(e.ConfigurationError, match="somebody else's"):
        open_to_read(path)


def test_file_of_a_later_version_is_refused(path, caplog):
    """Its writer knows more than this one."""
    open_file(path, migrations=(*MIGRATIONS, ("CREATE TABLE later (x)",))).close()
    with SqliteLog(path) as log:
        log.on_event(ended())

    assert told(caplog)[0].endswith(
        "a later version of anymodal-sqlite-log wrote it; upgrade this one."
    )
    with pytest.raises(e.ConfigurationError, match="upgrade this one"):
        open_to_read(path)


def test_file_of_an_earlier_version_is_brought_along(log, path):
    """By whoever opens it first, a reader too; nothing in it is lost."""
    log.on_event(ended())
    log.close()
    later = (*MIGRATIONS, ("ALTER TABLE calls ADD COLUMN mood TEXT",))
    open_to_read(path, migrations=later).close()

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(later),)
        assert db.execute("SELECT id, mood FROM calls").fetchall() == [(f"{0:032}", None)]


def test_migration_that_fails_leaves_the_file_as_it_was(log, path):
    """All of it or nothing."""
    log.on_event(ended())
    log.close()
    with pytest.raises(sqlite3.Error):
        open_file(path, migrations=(*MIGRATIONS, ("CREATE TABLE half (x)", "nonsense")))

    assert len(calls(path)) == 1


# -- too much ---------------------------------------------------------------------------


def test_more_than_can_be_written_is_dropped_counted_and_told(log, stuck, monkeypatch, caplog):
    """Memory is worth more than a log."""
    monkeypatch.setattr(observer, "MOST_WAITING", 10)
    held, go = stuck
    log.on_event(ended())
    held.wait(20)
    for number in range(15):
        log.on_event(ended(number))

    assert (log.dropped, len(log._waiting)) == (5, 10)
    go.set()
    log.flush()
    assert told(caplog) == ["5 calls are not logged: more came than could be written."]


def test_large_calls_wait_only_as_long_as_they_are_few(log, stuck, monkeypatch):
    """Ten pictures weigh more than ten thousand words; one alone may weigh what it likes."""
    monkeypatch.setattr(observer, "MOST_BYTES", 10_000)
    held, go = stuck
    log.on_event(ended(0, Image(b"\x89PNG\r\n\x1a\n" + bytes(20_000))))
    held.wait(20)
    log.on_event(ended(1, Image(b"\x89PNG\r\n\x1a\n" + bytes(20_000))))
    log.on_event(ended(2))

    assert log.dropped == 1
    go.set()
    log.flush()
    assert log._bytes == 0


def test_ten_thousand_calls_keep_no_memory(log, path):
    """Nothing of a call stays once it is written."""
    for number in range(1000):
        log.on_event(ended(number))
    log.flush()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1000, 11_000):
            log.on_event(ended(number))
            if not number % 1000:
                log.flush()
        log.flush()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (log.dropped, count(path, "calls")) == (0, 11_000)
    assert after - before < 1_000_000


# -- age --------------------------------------------------------------------------------


def aged(number, days):
    """Return the news of a call that began so many days ago."""
    event = ended(number)
    event.record.started_at -= dt.timedelta(days=days)
    return event


def test_old_calls_go_with_what_only_they_said(path):
    """What later calls said too stays, and the index knows of nothing else."""
    with SqliteLog(path) as log:
        log.on_event(aged(1, days=40))
        log.on_event(aged(2, days=1))
    with SqliteLog(path, keep_days=30) as log:
        log.on_event(ended(3))

    assert [row["prompt"] for row in calls(path)] == ["prompt 3", "prompt 2"]
    assert count(path, "pieces") == 3
    assert prompts(path, "prompt 1") == []
    assert prompts(path, "yes") == ["prompt 3", "prompt 2"]
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")


def test_nothing_old_is_no_work(log, path):
    """It is looked for every day."""
    log.on_event(ended())
    log.flush()
    with closing(open_file(path)) as db:
        assert prune(db, dt.datetime.now(dt.UTC) - dt.timedelta(days=1)) == 0


def test_days_that_are_none_are_told(path, monkeypatch, caplog):
    """The log goes on."""
    monkeypatch.setenv("ANYMODAL_SQLITE_LOG_DAYS", "soon")
    with SqliteLog(path) as log:
        log.on_event(ended())

    assert told(caplog) == [
        "ANYMODAL_SQLITE_LOG_DAYS is no number above 0, so calls are kept for ever."
    ]
    assert len(calls(path)) == 1
    with pytest.raises(ValueError, match="keep_days"):
        SqliteLog(path, keep_days=0)


# -- without full-text search -----------------------------------------------------------


def test_without_an_index_every_text_is_read(path):
    """Some Pythons come with an SQLite that has none."""
    book = Book(path, content=True, keep_days=None, max_bytes=1000, full_text=False)
    book.write([ended(1), ended(2)])
    book.close()

    assert prompts(path, "PROMPT 1") == ["prompt 1"]


def test_index_is_made_up_for_by_who_can(path, log):
    """One file may be written by several Pythons."""
    book = Book(path, content=True, keep_days=None, max_bytes=1000, full_text=False)
    log.on_event(ended(1))
    log.close()
    book.write([ended(2)])
    book.close()
    log.on_event(ended(3))
    log.close()

    assert count(path, "unindexed") == 0
    with closing(sqlite3.connect(path)) as db:
        words = "SELECT count(*) FROM words WHERE words MATCH 'prompt'"
        assert db.execute(words).fetchone() == (3,)
        db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
