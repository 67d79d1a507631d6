"""Stores: what is kept, for how long, by whom, and what a broken file comes to."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import anyio
import pytest
from anymodal import errors as e
from anymodal.stores import MemoryStore
from anymodal.stores.sqlite import VERSION, SqliteStore
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Time:
    """A time that passes when it is told to."""

    def __init__(self):
        self.seconds = 1_800_000_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Time()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path, now):
    kept = MemoryStore(now) if request.param == "memory" else SqliteStore(tmp_path / "s", now=now)
    yield kept
    await kept.aclose()


# -- what every store does ------------------------------------------------------------


async def test_what_was_put_is_there(store):
    """By space and key, as JSON has it."""
    await store.put("a", "k", {"list": (1, "zwei", None)})

    assert {"list": [1, "zwei", None]} == await store.get("a", "k")
    assert {"k": {"list": [1, "zwei", None]}} == await store.items("a")
    assert await store.get("b", "k") is None
    assert {} == await store.items("b")


async def test_first_claim_wins(store):
    """Whoever comes later is told what the first one put there."""
    assert await store.claim("a", "k", {"by": 1}) is None
    assert {"by": 1} == await store.claim("a", "k", {"by": 2})
    assert {"by": 1} == await store.get("a", "k")


async def test_replacing_needs_what_is_there(store):
    """Nobody overwrites what he has not seen."""
    await store.put("a", "k", {"by": 1, "at": 2})

    assert not await store.replace("a", "k", {"by": 2}, {"by": 3})
    assert await store.replace("a", "k", {"at": 2, "by": 1}, {"by": 3})
    assert {"by": 3} == await store.get("a", "k")
    assert await store.replace("a", "k", {"by": 3}, None)
    assert not await store.replace("a", "k", {"by": 3}, {"by": 4})
    assert await store.get("a", "k") is None


async def test_delete_says_whether_there_was_something(store):
    """Whoever frees a key wants to know whether he wrote it right."""
    await store.put("a", "k", {})

    assert [True, False] == [await store.delete("a", "k") for _ in range(2)]


async def test_counts_begin_at_nothing(store):
    """And all of them are told, not only those that were added to."""
    assert {"usd": 5} == await store.add("a", "k", {"usd": 5})
    assert {"usd": 3, "tokens": 2**70} == await store.add("a", "k", {"usd": -2, "tokens": 2**70})
    assert {"usd": 3, "tokens": 2**70} == await store.get("a", "k")


async def test_counts_end_with_their_window(store, now):
    """It begins with the first amount, whatever comes after it."""
    await store.add("a", "k", {"usd": 5}, seconds=60)
    now.seconds += 59
    assert {"usd": 6} == await store.add("a", "k", {"usd": 1}, seconds=60)
    now.seconds += 1

    assert {"usd": 2} == await store.add("a", "k", {"usd": 2}, seconds=60)


@pytest.mark.parametrize("how", ["put", "replace"])
async def test_value_ends(store, now, how):
    """From then on it is as if it had never been: also for those who claim."""
    await store.put("a", "other", {"by": 0})
    await store.put("a", "k", {"by": 1}, seconds=60)
    if how == "replace":
        await store.put("a", "k", {"by": 0})
        await store.replace("a", "k", {"by": 0}, {"by": 1}, seconds=60)
    now.seconds += 59
    assert {"by": 1} == await store.get("a", "k")
    now.seconds += 1

    assert await store.get("a", "k") is None
    assert ["other"] == list(await store.items("a"))
    assert await store.claim("a", "k", {"by": 2}) is None


@pytest.mark.parametrize("value", [{"n": float("nan")}, {"n": object()}])
async def test_only_json_is_kept(store, value):
    """Another process has to be able to read it."""
    with pytest.raises((TypeError, ValueError)):
        await store.put("a", "k", value)

    assert await store.get("a", "k") is None


async def test_what_is_no_count_is_not_added_to(store):
    """A mistake of ours must not turn a job into a number."""
    await store.put("a", "k", {"state": "queued"})
    with pytest.raises(TypeError):
        await store.add("a", "k", {"state": 1})

    assert {"state": "queued"} == await store.get("a", "k")


async def test_nobody_comes_between(store):
    """Tasks of one loop that add at once lose nothing."""
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(store.add, "a", "k", {"n": 1})

    assert {"n": 20} == await store.get("a", "k")


async def test_closed_store_opens_again(store):
    """Several clients may share one, and each closes it."""
    await store.add("a", "k", {"n": 1})
    await store.aclose()
    await store.aclose()

    assert {"n": 2} == await store.add("a", "k", {"n": 1})


# -- both are the same ----------------------------------------------------------------

KEYS = st.sampled_from(["", "k", "k'", "schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel", "a\0b"])
VALUES = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2)
COUNTS = st.dictionaries(st.sampled_from(["usd", "tokens"]), st.integers(-9, 9), max_size=2)
SECONDS = st.none() | st.sampled_from([1.0, 2.5])


class Same(RuleBasedStateMachine):
    """Whatever is done to both, the file says what the memory says."""

    @initialize()
    def begin(self):
        self.time = Time()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore(self.time)
        self.file = SqliteStore(Path(self.folder.name, "s"), now=self.time)
        self.runner = asyncio.Runner()

    def both(self, method, *args, **options):
        async def tried(kept):
            try:
                return await getattr(kept, method)(*args, **options)
            except TypeError as error:
                return str(error)

        async def both():
            return await tried(self.memory), await tried(self.file)

        expected, actual = self.runner.run(both())

        assert expected == actual

    @rule(space=KEYS, key=KEYS, value=VALUES, seconds=SECONDS)
    def put(self, space, key, value, seconds):
        self.both("put", space, key, value, seconds=seconds)

    @rule(space=KEYS, key=KEYS, value=VALUES)
    def claim(self, space, key, value):
        self.both("claim", space, key, value)

    @rule(space=KEYS, key=KEYS, old=VALUES, new=st.none() | VALUES, seconds=SECONDS)
    def replace(self, space, key, old, new, seconds):
        self.both("replace", space, key, old, new, seconds=seconds)

    @rule(space=KEYS, key=KEYS, amounts=COUNTS, seconds=SECONDS)
    def add(self, space, key, amounts, seconds):
        self.both("add", space, key, amounts, seconds=seconds)

    @rule(space=KEYS, key=KEYS)
    def delete(self, space, key):
        self.both("delete", space, key)

    @rule(space=KEYS, key=KEYS)
    def get(self, space, key):
        self.both("get", space, key)

    @rule(space=KEYS)
    def items(self, space):
        self.both("items", space)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def wait(self, seconds):
        self.time.seconds += seconds

    @rule()
    def close(self):
        self.both("aclose")

    def teardown(self):
        if hasattr(self, "runner"):
            self.runner.run(self.file.aclose())
            self.runner.close()
            self.folder.cleanup()


Same.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestSame = Same.TestCase


# -- the file -------------------------------------------------------------------------


async def test_file_is_made_when_it_is_needed(tmp_path):
    """For its owner alone, and its folders too."""
    file = tmp_path / "deep" / "down" / "s"
    kept = SqliteStore(file)
    assert [] == list(tmp_path.iterdir())

    assert await kept.get("a", "k") is None
    for path, mode in [(file, 0o600), (file.parent, 0o700)]:
        assert mode == stat.S_IMODE(path.stat().st_mode)
    assert str(file) in repr(kept)
    await kept.aclose()
    assert "<MemoryStore>" == repr(MemoryStore())


async def test_file_is_there_for_the_next_one(tmp_path):
    """That is what it is for."""
    for number in (1, 2):
        kept = SqliteStore(tmp_path / "s")
        assert {"n": number} == await kept.add("a", "k", {"n": 1})
        await kept.aclose()


def content(kind, path):
    """Make a file that is no store of ours."""
    if kind == "damaged":
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    elif kind == "text":
        path.write_text("shopping list\n" * 100)
    elif kind == "folder":
        path.mkdir()
    else:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE photos (name TEXT)")
        db.close()


@pytest.mark.parametrize("kind", ["damaged", "text", "folder", "foreign"])
async def test_what_is_no_store_is_left_as_it_is(tmp_path, kind):
    """It may be dear to somebody; the error says where it is."""
    path = tmp_path / "s"
    content(kind, path)
    before = path.read_bytes() if kind != "folder" else None
    with pytest.raises(e.ConfigurationError, match=str(path)):
        await SqliteStore(path).get("a", "k")

    assert before == (path.read_bytes() if kind != "folder" else None)


async def test_store_of_a_later_version_is_left_as_it_is(tmp_path):
    """Whoever went back one version is told to go forward again."""
    path = tmp_path / "s"
    kept = SqliteStore(path)
    await kept.put("a", "k", {})
    await kept.aclose()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(e.ConfigurationError, match="upgrade"):
        await kept.get("a", "k")


@pytest.mark.parametrize("text", ["[1]", "{"])
async def test_damaged_value_is_told(tmp_path, text):
    """A disk may have flipped a bit that SQLite does not look at."""
    path = tmp_path / "s"
    kept = SqliteStore(path)
    await kept.put("a", "k", {})
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("UPDATE kept SET value = ?", (text,))
    db.close()
    with pytest.raises(e.ConfigurationError, match="damaged"):
        await kept.get("a", "k")
    await kept.aclose()


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_file_that_another_holds_is_waited_for_and_then_told(tmp_path, mode):
    """Somebody may look into it with a tool of his own; also before it was ever ours."""
    path = tmp_path / "s"
    kept = SqliteStore(path, patience=0.05)
    if mode == "wal":
        await kept.put("a", "k", {"n": 1})
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(e.ConfigurationError, match="another process"):
        await kept.put("a", "k", {"n": 2})
    db.execute("ROLLBACK")
    db.close()

    await kept.put("a", "k", {"n": 3})
    assert {"n": 3} == await kept.get("a", "k")
    await kept.aclose()


async def test_switching_to_write_ahead_is_waited_for(tmp_path):
    """SQLite itself does not wait there, and two processes may open the file first together."""
    path = tmp_path / "s"
    first = SqliteStore(path)
    await first.put("a", "k", {"n": 1})
    await first.aclose()
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("BEGIN")
    db.execute("SELECT * FROM kept").fetchall()
    with pytest.raises(e.ConfigurationError, match="another process"):
        await SqliteStore(path, patience=0.05).get("a", "k")
    later = threading.Timer(0.1, db.close)
    later.start()

    second = SqliteStore(path)
    assert {"n": 1} == await second.get("a", "k")
    later.join()
    await second.aclose()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
async def test_folder_that_cannot_be_made_is_told(tmp_path):
    """The error names the file, and that of the system says why."""
    (tmp_path / "file").write_text("")
    with pytest.raises(e.ConfigurationError, match="cannot be opened"):
        await SqliteStore(tmp_path / "file" / "s").get("a", "k")


# -- many at once ---------------------------------------------------------------------

WORK = """
import anyio, json, sys
from anymodal.stores.sqlite import SqliteStore

async def main(path, name):
    kept = SqliteStore(path)
    won = []
    for number in range(20):
        await kept.add("counts", "k", {"n": 1})
        if await kept.claim("claims", str(number), {"by": name}) is None:
            won.append(number)
    await kept.aclose()
    print(json.dumps(won))

anyio.run(main, *sys.argv[1:])
"""


def test_processes_share_a_file(tmp_path):
    """Nothing is lost, and each claim has one winner, from the very first on."""
    path = str(tmp_path / "s")
    work = [
        subprocess.Popen([sys.executable, "-c", WORK, path, str(n)], stdout=subprocess.PIPE)
        for n in range(4)
    ]
    said = [one.communicate(timeout=60)[0] for one in work]

    assert [0] * 4 == [one.returncode for one in work]
    assert list(range(20)) == sorted(number for some in said for number in json.loads(some))

    async def look():
        kept = SqliteStore(path)
        found = await kept.get("counts", "k")
        await kept.aclose()
        return found

    assert {"n": 80} == anyio.run(look)


def test_threads_share_a_store(tmp_path):
    """Each with an event loop of its own, as threads have that use a client without await."""
    kept = SqliteStore(tmp_path / "s")

    async def add():
        for _ in range(10):
            await kept.add("a", "k", {"n": 1})

    threads = [
        threading.Thread(target=anyio.run, args=(add,), kwargs={"backend": backend})
        for backend in ("asyncio", "trio", "asyncio", "trio")
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {"n": 41} == anyio.run(kept.add, "a", "k", {"n": 1})
    anyio.run(kept.aclose)


async def test_cancelled_change_is_whole_or_not_at_all(tmp_path):
    """A claim that nobody heard of is worse than none: what began is finished and told."""
    kept = SqliteStore(tmp_path / "s")
    told = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        told.append(await kept.claim("a", "k", {"by": 1}))

    assert [] == told
    assert await kept.get("a", "k") is None
    await kept.aclose()
