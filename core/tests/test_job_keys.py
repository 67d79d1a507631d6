"""Jobs by key: made once, kept, listed, forgotten; and what is left of a crash."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import anyio
import attrs
import platformdirs
import pytest
from anymodal import Client, Image, Message, Registry, Settings, TextOption, Tool, hookimpl
from anymodal import errors as e
from anymodal.jobs import JobStatus, JobToken
from anymodal.ledger import KEPT_SECONDS, LONGEST_KEY, MOST_LIVE, Ledger, fingerprint
from anymodal.scopes import Scope, narrowed
from anymodal.storage import Storage, state_folder
from anymodal.stores import MemoryStore
from anymodal.stores.sqlite import SqliteStore

from .batching import DONE, RUNNING, Acme, client
from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
NO = e.BadRequestError("acme: no")
PNG = b"\x89PNG\r\n\x1a\n" + b"secret picture"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@attrs.frozen(kw_only=True)
class Nib(TextOption):
    """An option of a vendor's own."""

    ink: str = "blue"


@attrs.frozen
class City:
    """A shape to ask for."""

    name: str


def rate(currency: str) -> float:
    """Return the rate."""
    raise NotImplementedError


# -- once -----------------------------------------------------------------------------


async def test_the_same_key_is_the_same_job(tmp_path):
    """Also for another client, in another process: nothing is sent a second time."""
    acme, tokens = Acme(), []
    for _ in range(2):
        async with client(acme, store=SqliteStore(tmp_path / "s")) as ai:
            for _ in range(2):
                job = await ai.text.batch(["One"], model="acme", key="run7")
                tokens.append(job.token)
    assert 1 == len(set(tokens))
    async with client(acme, store=SqliteStore(tmp_path / "s")) as ai:
        batch = await (await ai.text.batch(["One"], model="acme", key="run7")).result()

    assert ["answer 0"] == [line.text for line in batch]
    assert ["submit", "poll", "fetch"] == acme.calls


async def test_without_a_key_each_is_a_job_of_its_own():
    """As it always was."""
    acme = Acme()
    async with client(acme) as ai:
        tokens = {(await ai.text.batch(["One"], model="acme")).token for _ in range(2)}

    assert 2 == len(tokens) == acme.calls.count("submit")


CHANGES = {
    "prompt": {"prompts": ["Two"]},
    "one more": {"prompts": ["One", "Two"]},
    "key of a prompt": {"prompts": [("a", "One")]},
    "media": {"prompts": [["One", Image(PNG)]]},
    "other media": {"prompts": [["One", Image(PNG + b"!")]]},
    "turns": {"prompts": [[Message.user("One"), Message.assistant("Uno"), "Two"]]},
    "model": {"model": ["acme"]},
    "system": {"system": "Short."},
    "temperature": {"temperature": 0.5},
    "stop": {"stop": ["."]},
    "option": {"options": [Nib(ink="red")]},
    "other option": {"options": [Nib()]},
    "output": {"output": City},
    "tools": {"tools": [Tool(rate)]},
    "end user": {"end_user": "u-1"},
}


def arguments(**changes):
    return {"prompts": ["One"], "model": "acme", **changes}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
async def test_other_arguments_are_refused(changes):
    """A key that means two things means a mistake, and it is found before it costs."""
    acme, store = Acme(), MemoryStore()
    async with client(acme, store=store) as ai:
        await ai.text.batch(**arguments(**changes), key="run7")
        again = await ai.text.batch(**arguments(**changes), key="run7")
        with pytest.raises(e.KeyReusedError, match="'run7'"):
            await ai.text.batch(**arguments(seed=7), key="run7")

    assert 1 == acme.calls.count("submit")
    assert again.token
    assert "One" not in str(await store.items("jobs"))


async def test_what_changes_no_answer_is_no_other_argument():
    """A crash is often followed by more patience, and by a closer look."""
    acme = Acme()
    async with client(acme) as ai:
        await ai.text.batch(["One"], model="acme", key="k", timeout=1, tags={"try": "1"})
        await ai.text.batch(
            iter(["One"]), model="acme", key="k", timeout=9, tags={"try": "2"}, raw=True
        )

    assert 1 == acme.calls.count("submit")


def test_fingerprints_tell_what_is_different():
    """And are the same for the same, whatever the order of what has none."""
    found = [
        fingerprint(one)
        for one in (1, "1", [1], {"a": 1}, b"1", Decimal(1), dt.date(2026, 11, 20), Nib())
    ]

    assert 7 == len(set(found))  # a decimal is its digits
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(frozenset("abc")) == fingerprint(set("cba"))
    assert fingerprint(MappingProxyType({"a": 1})) == fingerprint({"a": 1})


async def test_option_that_cannot_be_compared_has_no_key():
    """Its text would name an address in memory, which is another in each process."""

    @attrs.frozen(kw_only=True)
    class Odd(TextOption):
        what: object = attrs.field(factory=object)

    acme = Acme()
    async with client(acme) as ai:
        with pytest.raises(e.InvalidRequestError) as found:
            await ai.text.batch(["One"], model="acme", options=[Odd()], key="k")

    assert "key" == found.value.field
    assert [] == acme.calls


@pytest.mark.parametrize("key", ["", "job1.abc", "two\nlines", "x" * (LONGEST_KEY + 1), 7])
async def test_what_is_no_key_is_refused(key):
    """A token in its place would be looked up as one ever after."""
    async with client(Acme()) as ai:
        with pytest.raises(e.InvalidRequestError) as found:
            await ai.text.batch(["One"], model="acme", key=key)

    assert "key" == found.value.field


async def test_tasks_with_the_same_key_share_the_job():
    """The second waits for the first and sends nothing."""
    gate = anyio.Event()

    class Slow(Acme):
        async def submit_batch(self, lines):
            await gate.wait()
            return await super().submit_batch(lines)

    acme, tokens = Slow(), []

    async def submit(ai):
        tokens.append((await ai.text.batch(["One"], model="acme", key="k")).token)

    async with client(acme) as ai, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(submit, ai)
        await anyio.wait_all_tasks_blocked()
        gate.set()

    assert 1 == len(set(tokens))
    assert ["submit"] == acme.calls


async def test_tenants_have_keys_of_their_own():
    """Neither sees, gets or forgets what the other has."""
    acme = Acme()
    async with client(acme) as ai:
        one, two = ai.scoped("one"), ai.scoped("two")
        job = await one.text.batch(["One"], model="acme", key="k")
        await two.text.batch(["Two"], model="acme", key="k")

        assert job.token == (await one.jobs.get("k")).token
        assert not await ai.jobs.forget("k")
        assert [1, 1, 0] == [len(await some.jobs.list()) for some in (one, two, ai)]
    assert 2 == acme.calls.count("submit")


# -- what is left of a crash ----------------------------------------------------------


class Ends(Acme):
    """A vendor whose making of a job comes to *end*."""

    def __init__(self, end):
        super().__init__()
        self.end = end

    async def submit_batch(self, lines):
        handle = await super().submit_batch(lines)
        if self.end is not None:
            end, self.end = self.end, None
            raise end
        return handle


class Crash(BaseException):
    """As if the power had gone."""


@pytest.mark.parametrize(
    "end",
    [
        Crash(),
        e.OutcomeUnknownError("acme: no answer"),
        e.MalformedReplyError("acme: nonsense"),
        e.TimedOutError("acme: slow", status=504),
        ZeroDivisionError(),
    ],
    ids=lambda end: type(end).__name__,
)
async def test_outcome_that_is_unknown_stays_so(tmp_path, end):
    """Until somebody has looked, and says so: the job may exist and be paid for."""
    acme, path = Ends(end), tmp_path / "s"
    async with client(acme, store=SqliteStore(path)) as ai:
        with pytest.raises(type(end)):
            await ai.text.batch(["One"], model="acme", key="run7")
    async with client(acme, store=SqliteStore(path)) as ai:
        with pytest.raises(e.OutcomeUnknownError, match=r"jobs\.forget\('run7'\)"):
            await ai.text.batch(["One"], model="acme", key="run7")
        with pytest.raises(e.OutcomeUnknownError):
            await ai.jobs.get("run7")
        (kept,) = await ai.jobs.list()
        assert ("run7", "submitting", None) == (kept.key, kept.state, kept.token)
        assert ["submit"] == acme.calls

        assert await ai.jobs.forget("run7")
        await ai.text.batch(["One"], model="acme", key="run7")
    assert ["submit", "submit"] == acme.calls


@pytest.mark.parametrize(
    "end", [e.BadRequestError("acme: no", status=400), e.ServerError("acme: ouch", status=500)]
)
async def test_refusal_gives_the_key_back(tmp_path, end):
    """There is no job, so it may be submitted again, and with other arguments."""
    acme = Ends(end)
    async with client(acme, store=SqliteStore(tmp_path / "s")) as ai:
        with pytest.raises(type(end)):
            await ai.text.batch(["One"], model="acme", key="run7")
        assert () == await ai.jobs.list()
        await ai.text.batch(["Two"], model="acme", key="run7")

    assert ["submit", "submit"] == acme.calls


async def test_what_was_never_sent_gives_the_key_back():
    """A connection that could not be made is no job."""
    error = e.ConnectionFailedError("acme: nobody there")
    error.never_sent = True
    acme = Ends(error)
    async with client(acme, settings={"policy": {"retry": {"attempts": 1}}}) as ai:
        with pytest.raises(e.ConnectionFailedError):
            await ai.text.batch(["One"], model="acme", key="run7")
        assert () == await ai.jobs.list()


async def test_wrong_prompt_gives_the_key_back():
    """It was refused before anything was sent."""
    async with client(Acme()) as ai:
        for _ in range(2):
            with pytest.raises(e.InvalidRequestError):
                await ai.text.batch(["One"], model="acme", temperature="hot", key="run7")
        assert () == await ai.jobs.list()


async def test_refusal_after_an_unknown_outcome_changes_nothing():
    """The first candidate may have made the job before the second was asked."""
    broken = e.IncompleteError("acme: half an answer")
    one, two = Ends(broken), Ends(e.BadRequestError("other: no"))
    registry = Registry(
        Settings.empty(), plugins=[Brings(one), Brings(two, id="other")], distributions=()
    )
    async with Client(registry=registry) as ai:
        with pytest.raises(e.VendorError):
            await ai.text.batch(["One"], model=["acme", "other"], key="k")
        assert ["submitting"] == [kept.state for kept in await ai.jobs.list()]


@pytest.mark.parametrize("key", [None, "run7"])
async def test_deadline_while_it_is_made_leaves_the_outcome_unknown(key):
    """The request was on its way; the vendor may be at work."""

    class Slow(Acme):
        async def submit_batch(self, lines):
            await anyio.sleep_forever()

    async with client(Slow()) as ai:
        await ai.warm("acme")  # or the time may go by before anything is sent
        with pytest.raises(e.OutcomeUnknownError, match="may exist") as found:
            await ai.text.batch(["One"], model="acme", timeout=0.2, key=key)

        assert isinstance(found.value.__cause__, e.DeadlineExceededError)
        assert "acme" == found.value.record.provider
        assert (key is not None) == ("run7" in str(found.value))


async def test_key_that_was_forgotten_meanwhile_is_not_taken_back():
    """The job is kept by itself then, and whoever has the key now keeps it."""
    store = MemoryStore()

    class Forgetful(Acme):
        async def submit_batch(self, lines):
            await store.delete("jobs", "k")
            await store.put("jobs", "k", {"by": "another"})
            return await super().submit_batch(lines)

    async with client(Forgetful(), store=store) as ai:
        job = await ai.text.batch(["One"], model="acme", key="k")

    found = await store.items("jobs")
    assert {"by": "another"} == found["k"]
    assert job.token == found[job.record.id]["token"]


# -- the book -------------------------------------------------------------------------


async def test_every_job_is_kept():
    """With a key or without; and its state as far as it was seen."""
    acme = Acme(RUNNING, DONE)
    async with client(acme) as ai:
        named = await ai.text.batch(["One"], model="acme", key="named")
        other = await ai.text.batch(["Two"], model="acme")
        assert {"named": "queued", other.record.id: "queued"} == await states(ai)
        await named.poll()
        assert "running" == (await states(ai))["named"]
        await other.poll()
        assert "succeeded" == (await states(ai))[other.record.id]

        kept = {one.key: one for one in await ai.jobs.list()}["named"]
        assert ("text", "batch", "acme", "m-1", named.token) == (
            kept.modality,
            kept.operation,
            kept.instance,
            kept.model,
            kept.token,
        )
        assert dt.timedelta(0) <= dt.datetime.now(dt.UTC) - kept.submitted_at < dt.timedelta(1)
        assert kept.token not in repr(kept)
        assert other.token == (await ai.jobs.get(other.record.id)).token


async def states(ai):
    return {one.key: one.state for one in await ai.jobs.list()}


async def test_ended_job_is_kept_for_thirty_days(tmp_path):
    """From when it was seen to have ended; its key is free again after that."""
    seconds = [1_800_000_000.0]
    acme, store = Acme(), SqliteStore(tmp_path / "s", now=lambda: seconds[0])
    async with client(acme, store=store) as ai:
        job = await ai.text.batch(["One"], model="acme", key="k")
        seconds[0] += 2 * KEPT_SECONDS
        assert {"k": "queued"} == await states(ai)
        await job.poll()
        seconds[0] += KEPT_SECONDS - 1
        assert {"k": "succeeded"} == await states(ai)
        seconds[0] += 1

        assert {} == await states(ai)
        await ai.text.batch(["Two"], model="acme", key="k")


async def test_states_are_written_when_they_change(tmp_path):
    """Waiting for a day asks often; the store need not know."""

    class Counting(MemoryStore):
        writes = 0

        async def replace(self, *args, **options):
            self.writes += 1
            return await super().replace(*args, **options)

    store = Counting()
    queued = JobStatus(state="queued")
    acme = Acme(queued, queued, RUNNING, RUNNING, RUNNING, DONE)
    async with client(acme, store=store) as ai:
        job = await ai.text.batch(["One"], model="acme")
        await job.result()
        again = ai.jobs.resume(job.token)
        await again.result()

    assert 2 == store.writes


async def test_late_news_do_not_wake_an_ended_job():
    """Two processes may ask at once, and the slower one may write later."""
    acme = Acme(RUNNING)
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme", key="k")
        slow = ai.jobs.resume(job.token)
        acme.states = [DONE]
        await job.poll()
        acme.states = [RUNNING]
        await slow.poll()

        assert {"k": "succeeded"} == await states(ai)


async def test_jobs_of_elsewhere_are_not_kept():
    """A token that came by mail is no job of this machine's."""
    acme = Acme()
    async with client(acme) as ai:
        token = (await ai.text.batch(["One"], model="acme")).token
    async with client(acme) as ai:
        await ai.jobs.resume(token).result()

        assert () == await ai.jobs.list()


async def test_cancelling_by_token_tells_how_it_stands():
    """For whoever has nothing but that."""
    acme = Acme(JobStatus(state="cancelled"))
    async with client(acme) as ai:
        token = (await ai.text.batch(["One"], model="acme", key="k")).token

        assert "cancelled" == (await ai.jobs.cancel(token)).state
        assert {"k": "cancelled"} == await states(ai)
    assert ["submit", "cancel", "poll"] == acme.calls


async def test_unknown_key_is_refused():
    """With a hint at those that are known."""
    async with client(Acme()) as ai:
        with pytest.raises(e.InvalidRequestError, match="list"):
            await ai.jobs.get("nothing")
        assert not await ai.jobs.forget("nothing")


async def test_jobs_are_found_by_token_too():
    """A command line has whichever was at hand."""
    acme, store = Acme(), MemoryStore()
    async with client(acme, store=store) as ai:
        for key in ("k", None):
            job = await ai.text.batch(["One"], model="acme", key=key)
            found = await Ledger(lambda: store).find(job.token)
            assert job.token == found.token


async def test_live_jobs_are_counted():
    """By what was last seen; those that ended are not."""
    acme = Acme(RUNNING)
    async with client(acme) as ai:
        assert {} == ai._way.jobs.counts()
        first = await ai.text.batch(["One"], model="acme")
        await ai.text.batch(["Two"], model="acme")
        await first.poll()
        assert {("text", "acme"): {"queued": 1, "running": 1}} == ai._way.jobs.counts()
        acme.states = [DONE]
        await first.poll()

        assert {("text", "acme"): {"queued": 1, "running": 0}} == ai._way.jobs.counts()


async def test_count_of_live_jobs_has_an_end():
    """Whoever submits for ever and never asks may not fill the memory."""
    ledger = Ledger(MemoryStore)
    async with client(Acme()) as ai:
        token = JobToken.parse((await ai.text.batch(["One"], model="acme")).token)
    for number in range(MOST_LIVE + 5):
        ledger._count(attrs.evolve(token, call=str(number)), "queued")

    assert {("text", "acme"): {"queued": MOST_LIVE, "running": 0}} == ledger.counts()


# -- stores that fail -----------------------------------------------------------------


class Broken(MemoryStore):
    """A store that fails in what it is told to."""

    fails = ()
    error = e.ConfigurationError("/s: the disk is full")

    async def change(self, *args):
        if "write" in self.fails:
            raise self.error
        return await super().change(*args)

    async def rows(self, *args):
        if "read" in self.fails:
            raise self.error
        return await super().rows(*args)


@pytest.mark.parametrize(
    ("error", "words"), [(Broken.error, "disk is full"), (OSError("sk-secret"), "OSError")]
)
async def test_job_that_was_made_is_never_lost(error, words):
    """It is paid for. A store that cannot keep it is a warning, and the token is there."""
    store = Broken()
    store.error = error

    class Breaking(Acme):
        async def submit_batch(self, lines):
            store.fails = ("write",)
            return await super().submit_batch(lines)

    async with client(Breaking(), store=store) as ai:
        for key in (None, "k"):
            store.fails = ()
            job = await ai.text.batch(["One"], model="acme", key=key)
            found = [one for one in job.record.warnings if one.setting == "store"]
            assert words in found[0].message
            assert "sk-secret" not in found[0].message
            assert "keep the token" in found[0].message
            assert await job.result()


async def test_waiting_does_not_end_with_the_store():
    """What is kept of the state is for others."""
    store = Broken()
    async with client(Acme(RUNNING, DONE), store=store) as ai:
        job = await ai.text.batch(["One"], model="acme")
        store.fails = ("read",)

        assert ["answer 0"] == [line.text for line in await job.result()]
    assert "store" in {one.setting for one in job.record.warnings}


async def test_key_that_cannot_be_kept_sends_nothing():
    """Its promise could not be held."""
    store, acme = Broken(), Acme()
    store.fails = ("write",)
    async with client(acme, store=store) as ai:
        with pytest.raises(e.ConfigurationError, match="disk is full"):
            await ai.text.batch(["One"], model="acme", key="k")
    assert [] == acme.calls


async def test_key_that_cannot_be_freed_is_told():
    """The refusal is what the caller hears of; that the key is taken stands beside it."""
    store = Broken()

    class Refusing(Acme):
        async def submit_batch(self, lines):
            store.fails = ("write",)
            raise NO

    async with client(Refusing(), store=store) as ai:
        with pytest.raises(e.BadRequestError) as found:
            await ai.text.batch(["One"], model="acme", key="k")
    assert "the key is taken" in found.value.record.warnings[-1].message


# -- which store ----------------------------------------------------------------------


async def test_client_that_submits_nothing_touches_no_disk(tmp_path):
    """Most clients never submit a job."""
    environ = {"ANYMODAL_STATE_DIR": str(tmp_path)}
    registry = Registry(
        Settings.from_mapping({}, environ=environ), plugins=[Brings(Acme())], distributions=()
    )
    async with Client(registry=registry) as ai:
        await ai.warm("acme")
        assert [] == list(tmp_path.iterdir())
        await ai.text.batch(["One"], model="acme", key="k")

        assert (tmp_path / "anymodal.sqlite").is_file()
    with sqlite3.connect(tmp_path / "anymodal.sqlite") as db:
        ((value,),) = db.execute("SELECT value FROM kept").fetchall()
    db.close()
    assert "submitting" != json.loads(value)["state"]


async def test_memory_is_told_of_where_a_key_is_given():
    """The key is of less use then than it seems."""
    async with client(Acme()) as ai:
        plain = await ai.text.batch(["One"], model="acme")
        named = await ai.text.batch(["One"], model="acme", key="k")

    assert ["key"] == [one.setting for one in named.record.warnings]
    assert [] == plain.record.warnings


# -- where the store is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"HOME": "/home/a"}, "/home/a/.local/state/anymodal"),
        ("linux", {"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/anymodal"),
        ("linux", {}, None),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Application Support/anymodal"),
        ("darwin", {}, None),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/anymodal/anymodal"),
        ("win32", {}, None),
    ],
)
def test_folder_is_the_platforms(monkeypatch, platform, environ, folder):
    """As platformdirs has it, but of the variables that the settings were read with."""
    monkeypatch.setattr(sys, "platform", platform)

    assert (None if folder is None else Path(folder)) == state_folder(environ)


def test_folder_is_that_of_platformdirs():
    """Which is asked here, and not in every program that submits a job."""
    assert platformdirs.user_state_path("anymodal") == state_folder(os.environ)


@pytest.mark.parametrize(
    ("said", "environ", "path"),
    [
        ("/a/b", {"ANYMODAL_STATE_DIR": "/c", "HOME": "/d"}, "/a/b"),
        (None, {"ANYMODAL_STATE_DIR": "/c", "HOME": "/d"}, "/c/anymodal.sqlite"),
        (None, {"XDG_STATE_HOME": "/d", "HOME": "/e"}, "/d/anymodal/anymodal.sqlite"),
        (None, {"ANYMODAL_STATE_DIR": "off", "HOME": "/d"}, None),
        ("off", {"HOME": "/d"}, None),
        (None, {}, None),
    ],
)
def test_settings_say_where(monkeypatch, said, environ, path):
    """Code over variables over the usual place; without any place it is memory."""
    monkeypatch.setattr(sys, "platform", "linux")
    found = Settings.from_mapping({"store": {"path": said}} if said else {}, environ=environ)
    store = Storage(Registry(found, distributions=())).store

    assert path == (None if isinstance(store, MemoryStore) else str(store.path))


def test_home_may_be_written_short(monkeypatch):
    """As in a shell."""
    monkeypatch.setenv("HOME", "/home/a")
    found = Settings.from_mapping({"store": {"path": "~/jobs"}})

    assert Path("/home/a/jobs") == Storage(Registry(found, distributions=())).store.path


class Shelf:
    """A plugin with a store."""

    def __init__(self, *stores):
        self.stores = stores

    @hookimpl
    def anymodal_stores(self):
        return self.stores


def test_store_of_a_plugin_is_used():
    """The host's own goes before it."""
    mine, own = MemoryStore(), MemoryStore()
    registry = Registry(Settings.empty(), plugins=[Shelf(mine)], distributions=())

    assert mine is Storage(registry).store
    assert own is Storage(registry, own).store


def test_two_stores_are_an_error():
    """Half of the jobs in each would be found in neither."""
    registry = Registry(
        Settings.empty(), plugins=[Shelf(MemoryStore(), MemoryStore())], distributions=()
    )
    with pytest.raises(e.ConfigurationError, match="name one"):
        _ = Storage(registry).store


def test_tenant_has_no_store_of_its_own():
    """Its settings may come from the tenant."""
    with pytest.raises(e.ConfigurationError, match="shared"):
        narrowed(
            Settings.empty(), Scope(), "one", keys=None, over={"store": {"path": "/etc/passwd"}},
            tags={}, allow=None,
        )  # fmt: skip
