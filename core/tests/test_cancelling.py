"""Calls that are cancelled, wherever they wait: nothing is left, and the client goes on."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace

import anyio
import anyio.lowlevel
import pytest
from anymodal import (
    Budget,
    Client,
    Limits,
    ModelSpec,
    Policy,
    Registry,
    Retry,
    Settings,
    Usage,
    streaming,
)
from anymodal import (
    errors as e,
)
from anymodal.events import CallEnded, CallStarted
from anymodal.modalities.text import events_of
from anymodal.shielding import runs_on_trio
from anymodal.stores.sqlite import SqliteStore

from .batching import DONE, PRICED, RUNNING
from .batching import Acme as Batches
from .clocks import FakeClock
from .plugins_on_path import Brings
from .stopping import HOW, at_every_wait, our_threads, stopped, tasks, tasks_are
from .talking import MODEL, asks, says

pytestmark = pytest.mark.usefixtures("nothing_dropped")


@pytest.fixture(params=HOW, ids="-".join)
def kind(request):
    """Each event loop, and each way to cancel there."""
    return request.param


@pytest.fixture
def anyio_backend(kind):
    return kind[0]


@pytest.fixture
def how(kind):
    return kind[1]


class Acme:
    """
    A provider that waits before and after whatever it does.

    Args:
        fails: How many calls fail first.
    """

    def __init__(self, fails=0, answer=None):
        self.fails = fails
        self.answers = answer or [says("yes", usage=Usage(10, 10))]
        self.asked = 0
        self.open = 0
        self.closed = 0

    async def _answer(self):
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.asked <= self.fails:
            msg = "busy"
            raise e.OverloadedError(msg)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def generate(self, request):
        answer = await self._answer()
        await anyio.lowlevel.checkpoint()
        return answer

    @streaming
    async def stream(self, request):
        self.open += 1
        try:
            for event in events_of(await self._answer()):
                await anyio.lowlevel.checkpoint()
                yield event
            await anyio.lowlevel.checkpoint()
        finally:
            self.open -= 1
            await anyio.lowlevel.checkpoint()

    async def aclose(self):
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        self.closed += 1


class Watching:
    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    def count(self, kind):
        return sum(isinstance(one, kind) for one in self.events)


class Around:
    async def around(self, call, proceed):
        await anyio.lowlevel.checkpoint()
        try:
            return await proceed(call)
        finally:
            await anyio.lowlevel.checkpoint()


BUDGETS = (Budget(tokens=1_000_000), Budget(tokens=1_000_000, name="all"))
EVERYTHING = Policy(
    retry=Retry(attempts=3),
    limits=Limits(requests=1000, tokens=1_000_000, concurrency=2),
    budgets=BUDGETS,
)


def client(provider, *, store=None, settings=None, policy=EVERYTHING, watching=None, spec=()):
    registry = Registry(
        Settings.from_mapping(settings or {}, environ={}),
        plugins=(Brings(provider, **dict(spec)),),
        distributions=(),
    )
    return Client(
        registry=registry,
        policy=policy,
        store=store,
        clock=FakeClock(),
        observers=[watching] if watching else (),
        middleware=[Around()],
    )


def is_idle(ai):
    """Return whether nothing is held by a call: no turn, no place in the line, no probe."""
    way = ai._way
    return all(
        one.limiter.running == one.limiter.waiting == 0 and one.circuit.prober is None
        for one in way._standings.values()
    )


def kept_back(ai):
    """Return how many tokens the budget that is kept in memory has counted."""
    purse = ai._way.purses.of("")
    return sum(amount.tokens for used in purse.values() for amount in used.by_value.values())


async def kept_in(store):
    """Return how many tokens the budget in the store has counted."""
    items = await store.items("budgets")
    return sum(one["tokens"] for one in items.values())


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "kept.sqlite")


# -- calls ------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_generate(how, store):
    """With everything on: middleware, observers, limits, budgets, a retry."""
    alive = tasks()

    async def once(at):
        acme, watching = Acme(fails=1), Watching()
        async with client(acme, store=store, watching=watching) as ai:
            before = await kept_in(store)
            is_stopped = await stopped(
                how, at, ai.text.generate("Well?", model=MODEL, max_tokens=7)
            )
            assert is_idle(ai)
            assert watching.count(CallStarted) == watching.count(CallEnded)
            assert kept_back(ai) == await kept_in(store) - before
            assert kept_back(ai) in ({0, 9, 20} if is_stopped else {20})
            if not acme.asked:
                assert kept_back(ai) == 0
            reply = await ai.text.generate("Well?", model=MODEL, max_tokens=7)
            assert "yes" == reply.text
        assert 1 == acme.closed
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 9
    assert [] == our_threads()


@pytest.mark.anyio
async def test_stream(how, store):
    """Opened, read to its end, and closed."""
    alive = tasks()

    async def once(at):
        acme, watching = (
            Acme(fails=1, answer=[says("one ", "two", usage=Usage(10, 10))]),
            Watching(),
        )
        async with client(acme, store=store, watching=watching) as ai:
            before = await kept_in(store)

            async def read():
                async with ai.text.stream("Well?", model=MODEL, max_tokens=7) as stream:
                    return await stream.result()

            is_stopped = await stopped(how, at, read())
            assert 0 == acme.open
            assert is_idle(ai)
            assert watching.count(CallStarted) == watching.count(CallEnded)
            assert kept_back(ai) == await kept_in(store) - before
            assert kept_back(ai) in ({0, 9, 20} if is_stopped else {20})
            async with ai.text.stream("Well?", model=MODEL) as stream:
                assert "one two" == (await stream.result()).text
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 9


@pytest.mark.anyio
async def test_stream_left_early(how):
    """After its first event."""
    alive = tasks()

    async def once(at):
        acme, watching = Acme(answer=[says("one ", "two", usage=Usage(10, 10))]), Watching()
        async with client(acme, watching=watching) as ai:

            async def leave():
                async with ai.text.stream("Well?", model=MODEL) as stream:
                    await anext(stream)

            is_stopped = await stopped(how, at, leave())
            assert 0 == acme.open
            assert is_idle(ai)
            assert watching.count(CallStarted) == watching.count(CallEnded)
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 5


@pytest.mark.anyio
async def test_stream_opened_in_one_task_and_closed_in_another(how):
    """Whoever is stopped while he closes it has closed it."""
    alive = tasks()

    async def once(at):
        acme = Acme(answer=[says("one ", "two")])
        async with client(acme) as ai:
            stream = await ai.text.stream("Well?", model=MODEL).start()
            await anext(stream)
            async with anyio.create_task_group() as group:
                found = []

                async def close():
                    found.append(await stopped(how, at, stream.aclose()))

                group.start_soon(close)
            assert 0 == acme.open
            assert is_idle(ai)
        assert await tasks_are(alive)
        return found[0]

    assert await at_every_wait(once) >= 1


@pytest.mark.anyio
async def test_chat_with_tools(how):
    """Tools with and without `async`, at once; what is left of the chat can be gone on with."""
    alive = tasks()

    async def once(at):
        acme = Acme(answer=[says(asks("sees"), asks("hears", id="c-2")), says("done")])
        ended = []

        async def sees() -> str:
            await anyio.lowlevel.checkpoint()
            return "a sail"

        def hears() -> str:
            ended.append(threading.current_thread().name)
            return "a horn"

        async with client(acme) as ai:
            chat = ai.text.chat(model=MODEL, tools=[sees, hears])
            is_stopped = await stopped(how, at, chat.generate("Well?"))
            assert is_idle(ai)
            acme.answers = [says("again")]
            assert "again" == (await chat.generate("And now?")).text
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 6


@pytest.mark.anyio
async def test_chat_streamed(how):
    """The same, as it comes."""
    alive = tasks()

    async def once(at):
        acme = Acme(answer=[says("Let me see.", asks("sees")), says("done")])

        async def sees() -> str:
            await anyio.lowlevel.checkpoint()
            return "a sail"

        async with client(acme) as ai:
            chat = ai.text.chat(model=MODEL, tools=[sees])

            async def read():
                async with chat.stream("Well?") as stream:
                    await stream.result()

            is_stopped = await stopped(how, at, read())
            assert 0 == acme.open
            assert is_idle(ai)
            acme.answers = [says("again")]
            assert "again" == (await chat.generate("And now?")).text
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 8


# -- jobs -----------------------------------------------------------------------------------------


class Vendor(Batches):
    """A vendor of batches that waits before and after whatever it does."""

    def __init__(self, *states):
        super().__init__(*states)
        self.made = 0

    async def submit_batch(self, lines):
        await anyio.lowlevel.checkpoint()
        self.made += 1
        handle = await super().submit_batch(lines)
        await anyio.lowlevel.checkpoint()
        return handle

    async def poll_batch(self, handle):
        await anyio.lowlevel.checkpoint()
        return await super().poll_batch(handle)

    async def fetch_batch(self, handle, request):
        await anyio.lowlevel.checkpoint()
        return await super().fetch_batch(handle, request)

    async def cancel_batch(self, handle):
        await anyio.lowlevel.checkpoint()
        await super().cancel_batch(handle)


@pytest.mark.anyio
async def test_submitting_with_a_key(how, tmp_path):
    """The key is free, or leads to the job, or tells that nobody knows; nothing is made twice."""
    alive = tasks()
    told = set()

    async def once(at):
        vendor, store = Vendor(), SqliteStore(tmp_path / f"{at}.sqlite")

        async with client(vendor, store=store, spec={"models": [PRICED]}) as ai:

            async def submit():
                return await ai.text.batch(["Well?"], model=MODEL, key="k")

            is_stopped = await stopped(how, at, submit())
            assert is_idle(ai)
            kept = [one.state for one in await ai.jobs.list()]
            told.add((vendor.made, *kept))
            if kept == ["submitting"]:  # the request was under way
                with pytest.raises(e.OutcomeUnknownError):
                    await submit()
                assert await ai.jobs.forget("k")
            else:
                job = await submit()
                assert 1 == vendor.made
                assert ["queued"] == [one.state for one in await ai.jobs.list()]
                assert "answer 0" == (await job.result()).lines[0].text
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 9
    assert {(0,), (0, "submitting"), (1, "submitting"), (1, "queued")} == told


@pytest.mark.anyio
async def test_waiting_for_a_job(how, tmp_path):
    """Polling, fetching and cancelling; the job goes on, and is there for who comes back."""
    alive = tasks()

    async def once(at):
        vendor, store = Vendor(RUNNING, DONE), SqliteStore(tmp_path / f"{at}.sqlite")
        async with client(vendor, store=store, spec={"models": [PRICED]}) as ai:
            job = await ai.text.batch(["Well?"], model=MODEL)

            async def wait():
                (kept,) = await ai.jobs.list()
                found = ai.jobs.resume(kept.token)
                await found.poll()
                await found.cancel()
                async for _ in found.progress():
                    pass
                return await found.result()

            is_stopped = await stopped(how, at, wait())
            assert is_idle(ai)
            assert "answer 0" == (await job.result()).lines[0].text
            assert ["succeeded"] == [one.state for one in await ai.jobs.list()]
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 12


# -- everything else that waits ----------------------------------------------------------------------


class Listing(Acme):
    async def list_models(self):
        await anyio.lowlevel.checkpoint()
        return [ModelSpec(id="m-2")]


@pytest.mark.anyio
@pytest.mark.parametrize("what", ["health", "discover", "warm", "rotate"])
async def test_looking_around(how, tmp_path, what):
    """It can be done again at once, and what is kept on disk is whole."""
    alive = tasks()

    async def once(at):
        acme, folder = Listing(), tmp_path / str(at)
        settings = Settings.from_mapping({}, environ={"ANYMODAL_CACHE_DIR": str(folder)})
        registry = Registry(settings, plugins=(Brings(acme),), distributions=())

        async with Client(registry=registry, clock=FakeClock()) as ai:

            async def look():
                match what:
                    case "health":
                        (found,) = await ai.health()
                        assert "healthy" == found.state
                    case "discover":
                        (found,) = (await ai.discover()).models
                        assert "m-2" == found.model.id
                    case "warm":
                        await ai.warm("acme")
                    case "rotate":
                        await ai.warm("acme")
                        assert not await ai.rotate()

            is_stopped = await stopped(how, at, look())
            files = [one.name for one in folder.glob("*")] if folder.exists() else []
            assert all(one.endswith(".json") for one in files)
            await look()
            assert "yes" == (await ai.text.generate("Well?", model=MODEL)).text
        assert await tasks_are(alive)
        assert [] == our_threads()
        return is_stopped

    assert await at_every_wait(once) >= 1


@pytest.mark.anyio
async def test_closing(how, store):
    """Who is stopped while he closes has closed everything: tenants, providers, the store."""
    alive = tasks()

    async def once(at):
        acme, theirs, given_up = Acme(), Acme(), Acme()
        providers = iter([given_up, acme, theirs])
        ai = client(lambda _: next(providers), store=store)
        await ai.__aenter__()
        await ai.text.generate("Well?", model=MODEL)
        ai.register("other", provider="acme")
        held = ai._way.doors.get(
            *[one for one in ai.registry.providers() if one.instance == "acme"]
        )
        ai._way.doors._give_up(("text", "acme"), held)
        await ai.text.generate("Well?", model=MODEL)
        tenant = ai.scoped("tenant")
        await tenant.text.generate("Well?", model=MODEL)
        is_stopped = await stopped(how, at, ai.aclose())
        assert [1, 1, 1] == [acme.closed, theirs.closed, given_up.closed]
        assert store._connection is None
        with pytest.raises(e.ConfigurationError, match="not open"):
            await tenant.text.generate("Well?", model=MODEL)
        assert await tasks_are(alive)
        return is_stopped

    assert await at_every_wait(once) >= 3
    assert [] == our_threads()


@pytest.mark.anyio
async def test_waiting_for_a_turn(how):
    """Those behind the one that leaves the line come to their turn."""
    alive = tasks()

    async def once(at):
        acme = Acme()
        policy = Policy(limits=Limits(concurrency=1))
        async with client(acme, policy=policy) as ai:
            stream = await ai.text.stream("First.", model=MODEL).start()
            found = []

            async def second():
                found.append(await stopped(how, at, ai.text.generate("Second.", model=MODEL)))

            async def third():
                found.append((await ai.text.generate("Third.", model=MODEL)).text)

            async with anyio.create_task_group() as group:
                group.start_soon(second)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(third)
                await anyio.wait_all_tasks_blocked()
                await stream.aclose()
            assert "yes" in found
            assert is_idle(ai)
        assert await tasks_are(alive)
        return True in found

    assert await at_every_wait(once) >= 3


def test_trio_may_be_halfway_imported(monkeypatch):
    """By another thread, as when a library is connected that knows trio; nothing runs on it yet."""
    for module in (ModuleType("trio"), SimpleNamespace(lowlevel=ModuleType("trio.lowlevel"))):
        monkeypatch.setitem(sys.modules, "trio", module)
        assert not runs_on_trio()
