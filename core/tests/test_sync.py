"""The client without `await`: the same face, from any thread, also where a loop runs."""

import asyncio
import gc
import inspect
import signal
import sys
import threading
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import trio
from anymodal import (
    Chat,
    ChatStream,
    Client,
    Deadlines,
    Finish,
    Job,
    JobStatus,
    Modality,
    Registry,
    Settings,
    SyncChat,
    SyncChatStream,
    SyncClient,
    SyncJob,
    SyncTextStream,
    TextDelta,
    TextStream,
    ToolRan,
)
from anymodal import errors as e
from anymodal.facade import Facade
from anymodal.facades.jobs import Jobs
from anymodal.facades.text import TextFacade
from anymodal.loops import KeptLoop
from anymodal.streams import Whole
from anymodal.sync.jobs import SyncJobs
from anymodal.sync.text import SyncTextFacade

from .plugins_on_path import Brings
from .talking import MODEL, Scripted, asks, says

PATIENCE = 20.0
WORDS = [TextDelta("one "), TextDelta("two "), TextDelta("three"), Finish()]
TWINS = [
    (Client, SyncClient),
    (TextFacade, SyncTextFacade),
    (TextStream, SyncTextStream),
    (Chat, SyncChat),
    (ChatStream, SyncChatStream),
    (Job, SyncJob),
    (Jobs, SyncJobs),
]
RENAMED = {
    "aclose": "close",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}


def sync_client(provider, **spec):
    """Return a client of *provider* alone, as `acme`."""
    registry = Registry(Settings.empty(), plugins=(Brings(provider, **spec),), distributions=())
    return SyncClient(registry=registry)


@pytest.fixture
def answers():
    """A provider of words, and a client of it."""
    provider = Scripted(says("yes"))
    with sync_client(provider) as ai:
        yield provider, ai


def our_threads():
    return [one.name for one in threading.enumerate() if one.name.startswith("anymodal")]


# -- the face ---------------------------------------------------------------------------------


def public(cls):
    """Return what callers see of a class of the async face, by its name in the sync one."""
    found = {
        RENAMED.get(name, name): value
        for base in reversed(cls.__mro__[:-1])
        if base not in Facade.__mro__
        for name, value in vars(base).items()
        if name in RENAMED or not name.startswith("_")
    }
    for name in ("bind", "modality", "sync_face", "take"):  # for the core, not for callers
        found.pop(name, None)
    return found


@pytest.mark.parametrize(("cls", "twin"), TWINS, ids=lambda cls: cls.__name__)
def test_every_name_is_there(cls, twin):
    """Whoever knows one face knows the other."""
    missing = public(cls).keys() - set(dir(twin))

    assert set() == missing


@pytest.mark.parametrize(("cls", "twin"), TWINS, ids=lambda cls: cls.__name__)
def test_signatures_are_the_same(cls, twin):
    """Parameters, defaults and types; what is returned as its twin."""
    words = {one.__name__: other.__name__ for one, other in TWINS}
    for name, value in public(cls).items():
        if not inspect.isfunction(value):
            continue
        wanted = inspect.signature(value)
        found = inspect.signature(getattr(twin, name))
        returns = str(wanted.return_annotation).replace("AsyncIterator", "Iterator")
        head, bracket, rest = returns.partition("[")

        assert list(wanted.parameters.values()) == list(found.parameters.values()), name
        assert words.get(head, head) + bracket + rest == found.return_annotation, name


@pytest.mark.parametrize(("cls", "twin"), TWINS, ids=lambda cls: cls.__name__)
def test_nothing_is_awaitable(cls, twin):
    """Neither a method nor what it says of itself."""
    for name, value in vars(twin).items():
        assert not inspect.iscoroutinefunction(value), name
        assert "await " not in (inspect.getdoc(value) or "") or name == "run", name
        assert "async with" not in (inspect.getdoc(value) or ""), name


def test_constructors_are_the_same():
    """What makes one client makes the other."""
    wanted, found = inspect.signature(Client), inspect.signature(SyncClient)

    assert wanted.parameters == found.parameters


def test_attributes_are_there(answers):
    """Those that a chat and a job set for everybody can be read and set."""
    _, ai = answers
    chat = ai.text.chat(model=MODEL, max_rounds=3)
    chat.max_rounds = 4
    chat.messages = [says("before").message]
    chat.records = []

    assert 4 == chat.max_rounds
    assert ["before"] == [one.text for one in chat.messages]
    assert [] == chat.records
    assert "SyncChat of" in repr(chat)


# -- calls --------------------------------------------------------------------------------------


def test_a_call(answers):
    """In one piece."""
    provider, ai = answers
    reply = ai.text.generate("Well?", model=MODEL, tags={"for": "test"}, max_tokens=7)

    assert "yes" == reply.text
    assert {"for": "test"} == reply.record.tags
    assert [7] == [one.max_tokens for one in provider.requests]


def test_a_stream():
    """Its events, its record and the whole."""
    with sync_client(Scripted(WORDS)) as ai:
        with ai.text.stream("Count.", model=MODEL) as stream:
            events = list(stream)
            assert "one two three" == stream.said
            whole = stream.result()

    assert WORDS == events
    assert "one two three" == whole.text
    assert stream.record.first_event_seconds is not None


def test_the_words_of_a_stream():
    """And what is left of its events after some of them."""
    with sync_client(Scripted(WORDS)) as ai:
        with ai.text.stream("Count.", model=MODEL) as stream:
            assert TextDelta("one ") == next(stream)
            assert ["two ", "three"] == list(stream.text)
            assert [] == list(stream.text)


def test_a_stream_that_is_left_early():
    """The provider's generator is closed at once."""
    provider = Scripted(WORDS)
    with sync_client(provider) as ai:
        with ai.text.stream("Count.", model=MODEL) as stream:
            next(stream)

        assert 1 == provider.closed
        assert "the answer was not read to its end" == stream.record.cost.source


def test_a_stream_by_hand():
    """Started and closed without `with`."""
    with sync_client(Scripted(WORDS)) as ai:
        stream = ai.text.stream("Count.", model=MODEL)

        assert stream is stream.start()
        assert "one two three" == "".join(stream.text)
        stream.close()


class Batched:
    """A provider whose events come a hundred at a time."""

    @asynccontextmanager
    async def stream(self, request):
        yield Whole([*[TextDelta("a")] * 100, Finish()])


class CountingLoop(KeptLoop):
    """A loop that says how often it was run."""

    turns = 0

    def run(self, work):
        self.turns += 1
        return super().run(work)


@pytest.mark.parametrize("read", ["events", "words", "chat"])
def test_what_has_come_costs_no_turn_of_the_loop(read):
    """A read of the connection brings many events; only reads are worth running the loop."""
    client = sync_client(Batched())
    loop = client._loop = CountingLoop()
    with client as ai:
        source = ai.text.chat(model=MODEL) if read == "chat" else ai.text
        given = {} if read == "chat" else {"model": MODEL}
        with source.stream("Spell.", **given) as stream:
            before = loop.turns
            assert 100 <= len(list(stream.text if read == "words" else stream))

        assert 3 >= loop.turns - before  # for the last event, for the end, and to leave


def test_errors_are_raised_as_they_are():
    """With the record of the call."""
    with sync_client(Scripted(e.BadRequestError("no"))) as ai:
        with pytest.raises(e.BadRequestError) as caught:
            ai.text.generate("Well?", model=MODEL)

    assert caught.value.record.provider == "acme"


def test_deadlines():
    """As everywhere."""

    class Slow:
        async def generate(self, request):
            await asyncio.sleep(PATIENCE)

    with sync_client(Slow()) as ai:
        with pytest.raises(e.DeadlineExceededError):
            ai.text.generate("Well?", model=MODEL, timeout=Deadlines(total=0.05))


def test_what_asks_nobody(answers):
    """Needs no loop either."""
    _, ai = answers

    assert 2 == ai.text.estimate("12345678", model=MODEL).input_tokens
    with pytest.raises(e.UnsupportedFeatureError):
        ai.text.count_tokens("12345678", model=MODEL)


def test_warm_and_reload(answers):
    """The rest of the client."""
    made = []
    registry = Registry(
        Settings.empty(),
        plugins=(Brings(lambda _: made.append(1) or Scripted(says("yes"))),),
        distributions=(),
    )
    with SyncClient(registry=registry) as ai:
        ai.warm("acme")
        assert [1] == made
        ai.reload()
        assert registry is ai.registry
        assert "yes" == ai.text.generate("Well?").text


class Vendor:
    """A vendor of batches that take a while."""

    def __init__(self):
        self.states = ["running", "succeeded"]

    async def generate(self, request):
        raise NotImplementedError

    async def submit_batch(self, lines):
        return {"ids": [line.id for line in lines]}

    async def poll_batch(self, handle):
        return JobStatus(state=self.states.pop(0) if self.states[1:] else self.states[0])

    async def fetch_batch(self, handle, request):
        return {name: says(f"answer {name}") for name in handle["ids"]}


class ImpatientClock:
    """Time that passes only while somebody sleeps."""

    time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


def test_jobs():
    """Submitted, watched, fetched, and come back to."""
    found = Registry(Settings.empty(), plugins=(Brings(Vendor()),), distributions=())
    with SyncClient(registry=found, clock=ImpatientClock()) as ai:
        job = ai.text.batch(["One?", "Two?"], model=MODEL)
        assert "queued" == job.status.state
        assert ["running", "succeeded"] == [status.state for status in job.progress(timeout=60)]
        assert ["answer 0", "answer 1"] == [line.text for line in job.result()]
        again = ai.jobs.resume(job.token)
        assert isinstance(again, SyncJob)
        assert 2 == len(again.result(timeout=60))
        assert job.record.id == again.record.id


# -- chats ----------------------------------------------------------------------------------------


def test_a_chat_with_tools():
    """Plain functions get a thread, coroutines the loop; both may take a while."""

    def rate(currency: str) -> str:
        return f"{currency} is up"

    async def weather() -> str:
        await asyncio.sleep(0)
        return "rain"

    provider = Scripted(
        says(asks("rate", '{"currency": "EUR"}'), asks("weather", id="c-2")), says("Take a coat.")
    )
    with sync_client(provider) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate, weather])
        assert "Take a coat." == chat.generate("What now?").text
        assert ["EUR is up", "rain"] == [part.content for part in chat.messages[2].parts]
        saved = chat.dump()
        again = ai.text.chat(model=MODEL, tools=[rate, weather], restore=saved)
        assert saved == again.dump()
        assert 2 == len(chat.records)


def test_a_chat_step_by_step():
    """The caller looks at each tool before it runs."""

    def rate() -> str:
        return "up"

    with sync_client(Scripted(says(asks("rate")), says("Good."))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        chat.add("And?")
        chat.step()
        assert ["rate"] == [call.name for call in chat.pending]
        assert ["up"] == [ran.result.content for ran in chat.run_tools()]
        assert "Good." == chat.step().text


def test_a_chat_streams():
    """With its tools between the words."""

    def rate() -> str:
        return "up"

    with sync_client(Scripted(says("Wait. ", asks("rate")), says("Good."))) as ai:
        chat = ai.text.chat(model=MODEL, tools=[rate])
        with chat.stream("And?") as stream:
            events = list(stream)
            assert "Good." == stream.result().text
        with chat.stream("Again.") as stream:
            assert ["Good."] == list(stream.text)
            assert "acme" == stream.record.provider

    assert [ToolRan] == [type(one) for one in events if isinstance(one, ToolRan)]
    assert isinstance(events[-1], Finish)


def test_a_tool_that_calls_the_client(answers):
    """A plain function runs in a thread, whose calls go to the same loop meanwhile."""

    def ask() -> str:
        return ai.text.generate("Inner?", model=MODEL).text

    provider, ai = answers
    provider.answers = [says(asks("ask")), says("inner yes"), says("outer yes")]

    assert "outer yes" == ai.text.chat(model=MODEL, tools=[ask]).generate("Outer?").text
    assert "inner yes" == provider.requests[-1].messages[-1].parts[0].content


def test_a_coroutine_that_calls_the_client(answers):
    """It would wait for itself; what to do is said to the model and whoever reads along."""

    async def ask() -> str:
        return ai.text.generate("Inner?", model=MODEL).text

    provider, ai = answers
    provider.answers = [says(asks("ask")), says("outer yes")]
    chat = ai.text.chat(model=MODEL, tools=[ask])
    chat.generate("Outer?")

    assert chat.messages[2].parts[0].is_error


# -- where it is called from ------------------------------------------------------------------------


def test_sixty_four_threads_at_once():
    """They share one client, one loop and one connected provider."""
    made, found = [], {}

    class Echo:
        def __init__(self):
            made.append(self)

        async def generate(self, request):
            await asyncio.sleep(0.001)
            return says(request.messages[-1].text)

    start = threading.Barrier(64)
    ai = sync_client(lambda _: Echo())

    def call(number):
        start.wait(PATIENCE)
        found[number] = ai.text.generate(f"Number {number}", model=MODEL).text

    threads = [threading.Thread(target=call, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    ai.close()

    assert {number: f"Number {number}" for number in range(64)} == found
    assert 1 == len(made)
    assert [] == our_threads()


@pytest.mark.parametrize(
    "runs", [lambda cell: asyncio.run(cell()), trio.run], ids=["asyncio", "trio"]
)
def test_inside_of_a_running_loop(answers, runs):
    """As in a notebook; a stream and a chat too."""
    provider, ai = answers

    async def cell():
        provider.answers = [says("yes")]
        assert "yes" == ai.text.generate("Well?", model=MODEL).text
        with ai.text.stream("Well?", model=MODEL) as stream:
            assert ["yes"] == list(stream.text)
        return ai.text.chat(model=MODEL).generate("Well?").text

    assert "yes" == runs(cell)
    assert "yes" == ai.text.generate("And outside?", model=MODEL).text


def test_a_stream_read_in_another_thread():
    """It was opened at home, is read elsewhere, and closed at home."""
    found = []
    with sync_client(Scripted(WORDS)) as ai:
        with ai.text.stream("Count.", model=MODEL) as stream:
            thread = threading.Thread(target=lambda: found.extend(stream.text))
            thread.start()
            thread.join(PATIENCE)

    assert ["one ", "two ", "three"] == found


def test_ctrl_c_leaves_the_client():
    """The call is cancelled, the next one works."""
    entered, cleaned = threading.Event(), []

    class Long:
        async def generate(self, request):
            if cleaned:
                return says("again")
            entered.set()
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                cleaned.append(True)

    def send():
        entered.wait(PATIENCE)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with sync_client(Long()) as ai:
        sender = threading.Thread(target=send)
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            ai.text.generate("Well?", model=MODEL)
        sender.join(PATIENCE)

        assert [True] == cleaned
        assert "again" == ai.text.generate("Well?", model=MODEL).text


# -- opening and closing -------------------------------------------------------------------------------


def test_it_opens_with_its_first_use():
    """And is closed by hand."""
    ai = sync_client(Scripted(says("yes")))

    assert "yes" == ai.text.generate("Well?", model=MODEL).text
    ai.close()
    with pytest.raises(e.ConfigurationError, match="closed"):
        ai.text.generate("Well?", model=MODEL)
    with pytest.raises(e.ConfigurationError, match="not open"):
        ai.text.stream("Well?", model=MODEL)
    with pytest.raises(e.ConfigurationError, match="closed"), ai:
        pass


def test_closing_what_was_never_used():
    """There is nothing to close, and nothing is opened for it."""
    ai = sync_client(Scripted(says("yes")))
    ai.close()

    assert [] == our_threads()
    with pytest.raises(e.ConfigurationError, match="closed"):
        _ = ai.text


def test_closing_closes_providers():
    """In the loop that they were opened in."""
    closed = []

    class Answers(Scripted):
        async def aclose(self):
            closed.append(asyncio.get_running_loop())

    with sync_client(Answers(says("yes"))) as ai:
        ai.text.generate("Well?", model=MODEL)
        loop = ai._loop._loop

    assert [loop] == closed
    assert loop.is_closed()
    assert [] == our_threads()


def test_forgetting_to_close_is_said():
    """A warning, as of files."""
    ai = sync_client(Scripted(says("yes")))
    ai.text.generate("Well?", model=MODEL)

    with pytest.warns(ResourceWarning, match="SyncClient was not closed"):
        del ai
        gc.collect()


# -- what has no sync face -------------------------------------------------------------------------------


class ShoutFacade(Facade[object]):
    """The facade of a modality that a plugin brings."""

    async def shout(self, words: str) -> str:
        return words.upper()

    def bind(self, provider):
        return provider


SHOUT = Modality(
    name="shout",
    spec="anymodal.modalities.text:TextProviderSpec",
    facade=f"{__name__}:ShoutFacade",
)


def test_anything_async_can_be_run(answers, monkeypatch):
    """A modality of a plugin's own, or several calls at once."""
    _, ai = answers
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(ShoutFacade=ShoutFacade))

    async def both(client: Client) -> list[str]:
        ask = client.text.generate
        found = await asyncio.gather(ask("A", model=MODEL), ask("B", model=MODEL))
        return [one.text for one in found]

    assert ["yes", "yes"] == ai.run(both)
    assert "HEY" == ai.run(lambda client: client[SHOUT].shout("hey"))
