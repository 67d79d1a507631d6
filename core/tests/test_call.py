"""The way of one call: doors, deadlines, records, and what is left when it is over."""

import asyncio
import datetime as dt
import gc
import itertools
import threading
import time
from contextlib import aclosing, asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.testing
from anymodal import (
    Capabilities,
    Client,
    Credential,
    Deadlines,
    Finish,
    Image,
    Lifecycle,
    Message,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    TextDelta,
    TextResult,
    Usage,
    streaming,
)
from anymodal import errors as e
from anymodal.doors import Doors, SystemClock
from anymodal.streams import Batches

from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
BACKENDS = ["asyncio", "trio"]
DAY = dt.date(2026, 11, 20)
PRICES = Prices([Price("input_token", 1), Price("output_token", 2)], "acme.example", DAY)
USAGE = Usage(input_tokens=1_000_000, output_tokens=500_000)
YES = TextResult(Message.assistant("yes"), Finish(usage=USAGE, request_id="r-1"))
REFUSAL = e.BadRequestError("acme: no", request_id="r-2")
BUG = KeyError("choices")
FOREVER = Deadlines(total=None, first=None, between=None)
PATIENCE = 20.0


@pytest.fixture(params=BACKENDS)
def anyio_backend(request):
    return request.param


class Answers:
    """A provider that answers at once."""

    async def generate(self, request):
        return YES


def client(*plugins, environ=None, clock=None, **settings):
    """A client of *plugins* alone."""
    found = Registry(
        Settings.from_mapping(settings, environ=environ), plugins=plugins, distributions=()
    )
    return Client(registry=found, clock=clock)


def tasks():
    """How many tasks there are on this event loop."""
    if trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


def our_threads():
    return [one for one in threading.enumerate() if one.name.startswith("anymodal")]


class Connects:
    """A `connect` that counts, waits until it is let go on, and may fail."""

    def __init__(self, fault=None, provider=None):
        self.fault = fault
        self.provider = provider or Answers()
        self.calls = 0
        self.threads = set()
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, connection):
        self.calls += 1
        self.threads.add(threading.current_thread())
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        if self.fault is not None:
            raise self.fault
        return self.provider


async def until(condition):
    """Wait for what other threads do."""
    with anyio.fail_after(PATIENCE):
        while not condition():
            await anyio.sleep(0.001)


# -- doors --------------------------------------------------------------------------------------------


async def test_64_first_calls_connect_once():
    """Whoever comes while it is under way waits for the same door."""
    connects = Connects()
    connects.go_on.clear()
    async with client(Brings(connects)) as ai:
        replies = []

        async def call():
            replies.append(await ai.text.generate("Hi", model="acme/m-1"))

        async with anyio.create_task_group() as group:
            for _ in range(64):
                group.start_soon(call)
            await until(connects.begun.is_set)
            connects.go_on.set()

    assert (1, 64) == (connects.calls, len(replies))
    assert threading.main_thread() not in connects.threads


async def test_64_calls_share_a_failure_and_the_next_tries_again():
    """Waiting for each to fail by itself would take 64 times as long."""
    connects = Connects(e.SettingsError(["no"]))
    connects.go_on.clear()
    errors = []
    async with client(Brings(connects)) as ai:

        async def call():
            with pytest.raises(e.SettingsError) as caught:
                await ai.text.generate("Hi", model="acme/m-1")
            errors.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(64):
                group.start_soon(call)
            await until(connects.begun.is_set)
            connects.go_on.set()

        assert (1, 64) == (connects.calls, len(errors))
        assert 64 == len({id(one) for one in errors}) == len({one.record.id for one in errors})
        assert {("no",)} == {one.faults for one in errors}
        connects.fault = None
        assert "yes" == (await ai.text.generate("Hi", model="acme/m-1")).text
        assert 2 == connects.calls


class OddError(e.VendorError):
    """An error of a plugin's own that cannot be copied."""

    def __init__(self, one, two):
        super().__init__(f"{one}{two}")


@pytest.mark.parametrize(
    ("fault", "cls", "words"),
    [
        (e.ConfigurationError("acme: no address"), e.ConfigurationError, "acme: no address"),
        (OddError("a", "b"), OddError, "ab"),
        (ImportError("sk-secret"), e.BrokenPluginError, "acme (host) cannot be used: its connect raised ImportError."),
        (ModuleNotFoundError("No", name="vendor_sdk"), e.BrokenPluginError, "it needs the module 'vendor_sdk', which is not installed."),
        (SystemExit(3), e.BrokenPluginError, "its connect raised SystemExit."),
        (KeyboardInterrupt(), e.BrokenPluginError, "its connect raised KeyboardInterrupt."),
    ],
)  # fmt: skip
async def test_connect_that_raises(fault, cls, words):
    """Whatever it is, the host lives; a stranger's words may hold a key and are not repeated."""
    async with client(Brings(Connects(fault))) as ai:
        with pytest.raises(cls) as caught:
            await ai.text.generate("Hi", model="acme/m-1")

    assert words in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    assert "acme" == caught.value.record.provider


@pytest.mark.parametrize("everybody", [True, False])
async def test_cancelled_while_connecting(everybody):
    """The thread cannot be stopped; nobody waits for it, and its door is there afterwards."""
    connects = Connects()
    connects.go_on.clear()
    replies = []
    async with client(Brings(connects)) as ai:
        before = tasks()

        async def call():
            replies.append(await ai.text.generate("Hi", model="acme/m-1"))

        async with anyio.create_task_group() as rest, anyio.create_task_group() as first:
            first.start_soon(call)
            await until(connects.begun.is_set)
            rest.start_soon(call)
            await anyio.sleep(0.01)
            first.cancel_scope.cancel()
            if everybody:
                rest.cancel_scope.cancel()
            connects.go_on.set()
        assert before == tasks()
        await until(lambda: not our_threads())
        await ai.text.generate("Hi", model="acme/m-1")

    assert 1 == connects.calls
    assert (0 if everybody else 1) == len(replies)


async def test_deadline_holds_while_connecting():
    """Importing an SDK may take longer than the caller has."""
    connects = Connects()
    connects.go_on.clear()
    async with client(Brings(connects)) as ai:
        with pytest.raises(e.DeadlineExceededError, match=r"acme/m-1: no whole answer in 0\.02 s"):
            await ai.text.generate("Hi", model="acme/m-1", timeout=0.02)
        connects.go_on.set()


def test_task_cancelled_by_asyncio_itself_loses_no_door():
    """`asyncio.timeout` knows nothing of our shields."""
    connects = Connects()
    connects.go_on.clear()

    async def main():
        async with client(Brings(connects)) as ai:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ai.text.generate("Hi", model="acme/m-1"), 0.02)
            connects.go_on.set()
            assert "yes" == (await ai.text.generate("Hi", model="acme/m-1")).text

    asyncio.run(main())
    assert 1 == connects.calls


async def test_closing_waits_for_what_is_connecting():
    """Its provider has to be closed as well."""
    closed = []

    class Closes(Answers):
        async def aclose(self):
            closed.append(True)

    connects = Connects(provider=Closes())
    connects.go_on.clear()
    ai = client(Brings(connects))
    async with anyio.create_task_group() as group:
        async with ai:
            group.start_soon(ai.warm, "acme")
            await until(connects.begun.is_set)
            group.cancel_scope.cancel()
            threading.Timer(0.02, connects.go_on.set).start()

    assert [True] == closed
    assert [] == our_threads()


async def test_connecting_that_never_ends_holds_up_nobody_for_ever(monkeypatch):
    """The client closes; the thread is left behind, and what it makes is dropped."""
    monkeypatch.setattr("anymodal.doors.CLOSE_SECONDS", 0.02)
    connects = Connects()
    connects.go_on.clear()
    async with client(Brings(connects)) as ai:
        with pytest.raises(e.DeadlineExceededError):
            await ai.text.generate("Hi", model="acme/m-1", timeout=0.01)
    connects.go_on.set()
    await until(lambda: not our_threads())


def test_event_loop_may_end_before_connecting_does(monkeypatch):
    """A thread that comes back to a closed loop keeps quiet."""
    monkeypatch.setattr("anymodal.doors.CLOSE_SECONDS", 0.01)
    for backend in BACKENDS:
        connects = Connects()
        connects.go_on.clear()

        async def main(connects=connects):
            async with client(Brings(connects)) as ai:
                with anyio.move_on_after(0.01):
                    await ai.warm("acme")

        anyio.run(main, backend=backend)
        connects.go_on.set()
        deadline = time.monotonic() + PATIENCE
        while our_threads():
            assert time.monotonic() < deadline
            time.sleep(0.001)


async def test_call_that_waits_while_the_client_closes():
    """It is told that the client is not open, rather than given a door that nobody closes."""
    connects = Connects()
    connects.go_on.clear()
    errors = []
    ai = client(Brings(connects))

    async def call():
        with pytest.raises(e.ConfigurationError, match="not open") as caught:
            await ai.text.generate("Hi", model="acme/m-1")
        errors.append(caught.value)

    async with anyio.create_task_group() as group:
        async with ai:
            group.start_soon(call)
            await until(connects.begun.is_set)
            threading.Timer(0.02, connects.go_on.set).start()

    assert 1 == len(errors)


async def test_backend_that_the_provider_does_not_run_on(anyio_backend_name):
    """Some SDKs know asyncio alone."""
    other = "trio" if anyio_backend_name == "asyncio" else "asyncio"
    async with client(Brings(Answers(), backends=[other])) as ai:
        with pytest.raises(e.ConfigurationError) as caught:
            await ai.text.generate("Hi", model="acme/m-1")

    assert f"acme runs on {other}, not on {anyio_backend_name}." == str(caught.value)


async def test_http_library_that_does_not_run_on_this_loop(anyio_backend_name):
    """aiohttp is asyncio's."""
    async with client(Brings(Answers()), http={"backend": "aiohttp"}) as ai:
        if anyio_backend_name == "asyncio":
            assert "yes" == (await ai.text.generate("Hi", model="acme/m-1")).text
        else:
            with pytest.raises(e.ConfigurationError, match="aiohttp runs on asyncio only"):
                await ai.text.generate("Hi", model="acme/m-1")


async def test_settings_that_the_provider_does_not_have():
    """A typo in a file is an error, whose sentence has what there is."""
    plugin = Brings(Answers(), settings=["mood"], credentials=[Credential(required=False)])
    async with client(plugin, providers={"acme": {"mod": "good", "api_key": "k"}}) as ai:
        with pytest.raises(e.SettingsError) as caught:
            await ai.text.generate("Hi", model="acme/m-1")

    assert (
        "acme.mod: acme has no such setting; its own are api_key, mood.",
    ) == caught.value.faults


async def test_connection_has_what_was_set(anyio_backend_name):
    """And nothing that was not: a named instance gets no key of the environment."""
    seen = {}

    def connect(connection):
        seen[connection.instance] = connection
        return Answers()

    plugin = Brings(
        connect,
        base_url="https://api.acme.example/v1",
        settings=["mood"],
        credentials=[Credential(env=["KEY"], required=False)],
        deadlines=Deadlines(total=9),
    )
    instances = {
        "work": {"provider": "acme", "base_url": "http://x.example/", "timeout": 5, "mood": "good"}
    }
    async with client(plugin, instances=instances, environ={"KEY": "sk-1"}) as ai:
        for name in ("acme", "work"):
            await ai.text.generate("Hi", model=name)

        own, work = seen["acme"], seen["work"]
        assert ("https://api.acme.example/v1", True, 9, {}) == (
            own.base_url, own.ambient, own.deadlines.total, own.settings,
        )  # fmt: skip
        assert ("http://x.example", False, 5, {"mood": "good"}) == (
            work.base_url, work.ambient, work.deadlines.total, work.settings,
        )  # fmt: skip
        assert "sk-1" == await own.secret()
        assert await work.secret() is None
        assert own.tls is work.tls


async def test_doors_may_be_used_without_a_client():
    """As the command does for live lists of models."""
    found = Registry(Settings.empty(), plugins=[Brings(Answers())], distributions=())
    doors = Doors(found.settings, SystemClock())
    (offer,) = found.providers()

    door = await doors.open(offer, lambda provider: (provider,))
    assert door is await doors.open(offer, lambda _: None) is doors.get(offer)
    assert (door.provider,) == door.bound
    await doors.aclose()
    assert doors.get(offer) is None
    with pytest.raises(e.ConfigurationError):
        await doors.open(offer, lambda _: None)


# -- the record -------------------------------------------------------------------------------------------


class Ticks:
    """A clock that goes on a second whenever it is looked at."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        self.seconds += 1
        return self.seconds

    sleep = staticmethod(anyio.sleep)


async def test_record_of_an_answer():
    """Who, how long, how much, and what was warned of."""
    model = ModelSpec(id="m-1", prices=PRICES, lifecycle=Lifecycle(state="deprecated"))
    async with client(Brings(Answers(), models=[model]), clock=Ticks()) as ai:
        reply = await ai.text.generate("Hi", model="acme/m-1", tags={"who": "me"})

    record = reply.record
    assert ("text", "generate", "acme", "acme", "m-1", "host", "r-1") == (
        record.modality, record.operation, record.provider, record.instance,
        record.model, record.plugin, record.request_id,
    )  # fmt: skip
    assert USAGE is record.usage
    assert (2, "acme.example", DAY) == (record.cost.usd, record.cost.source, record.cost.as_of)
    assert {"who": "me"} == record.tags
    assert record.started_at.tzinfo is not None
    (attempt,) = record.attempts
    assert 0 < attempt.seconds < record.seconds
    assert attempt.error is None
    assert ["m-1 is deprecated: it retires"] == [one.message for one in record.warnings]


async def test_record_of_a_failure():
    """Every error has it, and says nothing of a cost that nobody knows."""

    class Refuses:
        async def generate(self, request):
            raise REFUSAL

    async with client(Brings(Refuses()), clock=Ticks()) as ai:
        with pytest.raises(e.BadRequestError) as caught:
            await ai.text.generate("Hi", model="acme/m-9")

    record = caught.value.record
    assert ("r-2", "acme", "m-9") == (record.request_id, record.provider, record.model)
    assert "acme" == caught.value.provider
    assert record.seconds >= record.attempts[0].seconds > 0
    assert (None, "the call failed") == (record.cost.usd, record.cost.source)
    assert ["acme lists no model 'm-9'; sent as it is"] == [one.message for one in record.warnings]


async def test_fault_of_the_plugins_own_comes_as_it_is():
    """It is a bug of the plugin's, and its traceback is what mends it."""

    class Buggy:
        async def generate(self, request):
            raise BUG

    async with client(Brings(Buggy())) as ai:
        with pytest.raises(KeyError, match="choices"):
            await ai.text.generate("Hi", model="acme/m-1")


async def test_broken_transport_is_translated():
    """Whatever library of HTTP an SDK has under it."""

    class Breaks:
        async def generate(self, request):
            raise ConnectionResetError

    async with client(Brings(Breaks())) as ai:
        with pytest.raises(e.ConnectionFailedError, match="acme: the connection failed"):
            await ai.text.generate("Hi", model="acme/m-1")


async def test_ids_of_records_are_unique():
    """Logs are joined by them."""
    async with client(Brings(Answers())) as ai:
        found = {(await ai.text.generate("Hi", model="acme/m-1")).record.id for _ in range(50)}

    assert 50 == len(found)


async def test_request_of_an_unsupported_feature_is_not_sent():
    """Refused on what is known, before the provider is connected."""
    connects = Connects()
    spec = {"capabilities": Capabilities(no=["image_input", "streaming"])}
    async with client(Brings(connects, **spec)) as ai:
        picture = Image(b"\x89PNG\r\n\x1a\n")
        with pytest.raises(
            e.UnsupportedFeatureError, match="acme/m-1 is known not to have image_input"
        ):
            await ai.text.generate(["What is this?", picture], model="acme/m-1")
        with pytest.raises(e.UnsupportedFeatureError, match="streaming"):
            await ai.text.stream("Hi", model="acme/m-1").start()

    assert 0 == connects.calls


# -- deadlines, by a clock that does not wait ---------------------------------------------------------------


class TrioClock:
    """The event loop's own time, which a test may run ahead."""

    now = staticmethod(trio.current_time)
    sleep = staticmethod(trio.sleep)


@asynccontextmanager
async def warm_client(*plugins, **settings):
    """A client on that clock, connected: the clock does not know of threads that are at work."""
    async with client(*plugins, clock=TrioClock, **settings) as ai:
        await ai.warm(*(one.spec.id for one in plugins))
        yield ai


def in_no_time(main):
    """Run *main* on a clock that jumps whenever everybody waits."""
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Paced:
    """A provider that waits before each of its events."""

    def __init__(self, *waits):
        self.waits = waits
        self.closed = 0

    @streaming
    async def stream(self, request):
        try:
            for wait in self.waits:
                await trio.sleep(wait)
                yield TextDelta("a")
            yield Finish()
        finally:
            self.closed += 1


class Pings:
    """A provider whose reads bring comments for ever, after *first* events."""

    def __init__(self, first):
        self.first = first

    @asynccontextmanager
    async def stream(self, request):
        async def chunks():
            for _ in range(self.first):
                yield b"event"
            while True:
                await trio.sleep(1)
                yield b": ping"

        def feed(chunk, found):
            if chunk == b"event":
                found.append(TextDelta("a"))

        async with aclosing(chunks()) as source:
            yield Batches(source, feed)


@pytest.mark.parametrize(
    ("waits", "timeout", "cls", "words", "at"),
    [
        ((5,), Deadlines(first=2), e.TimedOutError, "acme/m-1: nothing came for 2 s.", 2),
        ((5,), 3, e.DeadlineExceededError, "acme/m-1: no whole answer in 3 s.", 3),
        ((1, 9), Deadlines(between=4), e.TimedOutError, "acme/m-1: nothing came for 4 s.", 5),
        ((2, 2, 2), Deadlines(total=5, first=3, between=3), e.DeadlineExceededError, "no whole answer in 5 s.", 5),
        ((1, 1, 9), Deadlines(total=50, first=1.5, between=1.5), e.TimedOutError, "nothing came for 1.5 s.", 3.5),
        ((9,), Deadlines(total=None, first=7), e.TimedOutError, "nothing came for 7 s.", 7),
    ],
)  # fmt: skip
def test_deadlines_of_a_stream(waits, timeout, cls, words, at):
    """The first event, the next, and the whole; each at its second."""
    provider = Paced(*waits)

    async def main():
        async with warm_client(Brings(provider)) as ai:
            began = trio.current_time()
            with pytest.raises(cls) as caught:
                async with ai.text.stream("Hi", model="acme/m-1", timeout=timeout) as stream:
                    async for _ in stream:
                        pass
            assert at == pytest.approx(trio.current_time() - began, abs=0.2)
            assert words in str(caught.value)
            assert at == pytest.approx(caught.value.record.seconds, abs=0.2)
            assert caught.value is caught.value.record.attempts[-1].error
            came = sum(1 for moment in itertools.accumulate(waits) if moment < at)
            assert "a" * came == caught.value.partial

    in_no_time(main)
    assert 1 == provider.closed


def test_deadlines_of_a_whole_answer():
    """Only the total holds: an answer in one piece has no first event."""

    async def main():
        async with warm_client(Brings(Paced(5, 5))) as ai:
            for timeout in (None, 11, Deadlines(first=1, between=1, total=None)):
                reply = await ai.text.generate("Hi", model="acme/m-1", timeout=timeout)
                assert "aa" == reply.text
            with pytest.raises(e.DeadlineExceededError, match="no whole answer in 8 s"):
                await ai.text.generate("Hi", model="acme/m-1", timeout=8)

    in_no_time(main)


def test_deadlines_of_the_instance():
    """Settings beat the plugin, and the call's own argument beats both."""

    async def main():
        settings = {"providers": {"acme": {"timeout": 4}}}
        async with warm_client(Brings(Paced(6), deadlines=Deadlines(total=2)), **settings) as ai:
            with pytest.raises(e.DeadlineExceededError, match="in 4 s"):
                await ai.text.generate("Hi", model="acme/m-1")
            assert "a" == (await ai.text.generate("Hi", model="acme/m-1", timeout=7)).text
        async with client(Brings(Paced(6), deadlines=Deadlines(total=2))) as ai:
            with pytest.raises(e.DeadlineExceededError, match="in 2 s"):
                await ai.text.generate("Hi", model="acme/m-1")

    in_no_time(main)


@pytest.mark.parametrize(("first", "at"), [(0, 3), (1, 4)])
def test_pings_are_no_events(first, at):
    """A proxy that sends comments must not keep a dead answer alive."""

    async def main():
        timeout = Deadlines(first=3, between=4)
        async with warm_client(Brings(Pings(first))) as ai:
            began = trio.current_time()
            with pytest.raises(e.TimedOutError):
                async with ai.text.stream("Hi", model="acme/m-1", timeout=timeout) as stream:
                    async for _ in stream:
                        pass
            assert at == pytest.approx(trio.current_time() - began, abs=0.2)

    in_no_time(main)


def test_time_is_shared_by_all_candidates():
    """The second has what the first left; and a whole call that is late goes on to nobody."""

    async def main():
        slow, quick = Paced(5), Paced(2)
        plugins = [Brings(slow), Brings(quick, id="beta")]
        both = ["acme/m-1", "beta/m-1"]
        async with warm_client(*plugins) as ai:
            stream = ai.text.stream("Hi", model=both, timeout=Deadlines(first=3, total=6))
            async with stream:
                assert "a" == (await stream.result()).text
            assert ["acme", "beta"] == [one.provider for one in stream.record.attempts]
            assert [3, 2] == [pytest.approx(one.seconds, abs=0.2) for one in stream.record.attempts]
            with pytest.raises(e.DeadlineExceededError) as caught:
                await ai.text.stream("Hi", model=both, timeout=Deadlines(first=3, total=4)).start()
            assert ["acme", "beta"] == [one.provider for one in caught.value.record.attempts]
            with pytest.raises(e.DeadlineExceededError) as caught:
                await ai.text.generate("Hi", model=both, timeout=3)
            assert ["acme"] == [one.provider for one in caught.value.record.attempts]

    in_no_time(main)


@pytest.mark.parametrize("timeout", [0, -1, "5", float("nan"), Deadlines])
async def test_timeout_that_is_no_time(timeout):  # noqa: ASYNC109  # the argument under test
    """Said at once, with the argument's name."""
    async with client(Brings(Answers())) as ai:
        with pytest.raises(
            e.InvalidRequestError, match="timeout: total is a number of seconds"
        ) as caught:
            await ai.text.generate("Hi", model="acme/m-1", timeout=timeout)

    assert "timeout" == caught.value.field
    assert "generate" == caught.value.record.operation


# -- many at once, and what is left ------------------------------------------------------------------------------


class Pauses:
    """A provider that gives way to others, and counts who is inside."""

    def __init__(self):
        self.inside = self.most = 0

    async def generate(self, request):
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await anyio.sleep(0.01)
        finally:
            self.inside -= 1
        return TextResult(Message.assistant(request.messages[0].text), Finish())


async def test_64_calls_at_once():
    """One provider serves them all, and each gets its own answer."""
    provider = Pauses()
    found = {}
    async with client(Brings(provider)) as ai:

        async def call(number):
            found[number] = (await ai.text.generate(f"{number}", model="acme/m-1")).text

        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(call, number)

    assert {number: f"{number}" for number in range(64)} == found
    assert 64 == provider.most


async def test_cancelling_leaves_nothing():
    """No task, no thread, and nobody inside the provider."""
    provider = Pauses()
    before = tasks()
    async with client(Brings(provider)) as ai:
        await ai.warm("acme")
        async with anyio.create_task_group() as group:
            for _ in range(16):
                group.start_soon(lambda: ai.text.generate("Hi", model="acme/m-1"))
            await anyio.lowlevel.checkpoint()
            await until(lambda: provider.inside)
            group.cancel_scope.cancel()
        assert 0 == provider.inside
        assert before == tasks()

    assert before == tasks()
    assert [] == our_threads()


async def test_memory_stays_flat():
    """Nothing is kept of a call, not even of one for a name that never comes again."""
    fails = Brings(Connects(e.SettingsError(["no"])), id="beta")
    broken = Brings(id="gamma", credentials=[Credential(env=["KEY"])])
    async with client(Brings(Answers()), fails, broken) as ai:

        async def some(number):
            await anyio.lowlevel.checkpoint()
            await ai.text.generate("Hi", model="acme/m-1", timeout=FOREVER)
            name = f"acme/x-{number}"
            async with ai.text.stream("Hi", model=name, timeout=FOREVER) as stream:
                await stream.result()
            for model in ("gamma/m-1", "nobody", ["gamma/m-1"]):
                with pytest.raises(e.AnymodalError):
                    await ai.text.generate("Hi", model=model)

        def objects():
            gc.collect()
            return len(gc.get_objects())

        ai._way._resolved = Bounded()
        for number in range(40):
            await some(number)
        before = objects()
        for number in range(40, 440):
            await some(number)
        assert objects() - before < 400  # not one for each; event loops keep a few old timers


class Bounded(dict):
    """Names resolved so far; the real bound is higher than a test likes to go."""

    def __len__(self):
        return super().__len__() * 100


async def test_names_are_remembered_up_to_a_bound(monkeypatch):
    """Callers may make up names without end."""
    monkeypatch.setattr("anymodal.way.REMEMBERED_NAMES", 5)
    async with client(Brings(Answers())) as ai:
        for number in range(23):
            await ai.text.generate("Hi", model=f"acme/x-{number}")
            assert len(ai._way._resolved) <= 5


async def test_plugins_error_does_not_grow(site):
    """It is raised at every call, and each time with a traceback of its own."""
    site.install("anymodal-acme", "1 / 0")
    async with Client(registry=site.registry()) as ai:
        depths = []
        for _ in range(3):
            with pytest.raises(e.BrokenPluginError) as caught:
                await ai.text.generate("Hi", model="acme/m")
            depth, step = 0, caught.value.__traceback__
            while step is not None:
                depth, step = depth + 1, step.tb_next
            depths.append(depth)

    assert 1 == len(set(depths))
