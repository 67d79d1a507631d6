"""Calls over loopback that are cancelled, or whose client is closed: no socket is left."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest
from anymodal import Client, Finish, Registry, Settings, TextDelta, streaming
from anymodal import errors as e

from .calling import WAYS, is_left_alone
from .clocks import FakeClock
from .loopback import Loopback, Then, chunked, head
from .plugins_on_path import Brings
from .stopping import SCOPE, TASK, at_every_wait, our_threads, stopped, tasks, tasks_are
from .talking import MODEL, says

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_dropped", "no_proxies")]

KINDS = [(*way, how) for way in WAYS for how in (SCOPE, TASK) if (way[0], how) != ("trio", TASK)]
EVENTS = [b"data: one\n\n", b"data: two\n\n", b"data: end\n\n"]


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request):
    """Each event loop, each library there, and each way to cancel."""
    return request.param


@pytest.fixture
def anyio_backend(kind):
    return kind[0]


@pytest.fixture
def how(kind):
    return kind[2]


class Acme:
    """A vendor that is asked over HTTP."""

    def __init__(self, connection):
        self.http = connection.http

    async def generate(self, request):
        await self.http.json("POST", "/whole", body={})
        return says("yes")

    @streaming
    async def stream(self, request):
        async with self.http.sse("POST", "/pieces", body={}) as events:
            async for _, data in events:
                yield Finish() if data == b"end" else TextDelta(data.decode())


def answering(request):
    if request.target == "/whole":
        return chunked([b"{", b"}"])
    return chunked(EVENTS)


def hanging(request):
    """Begin to answer, and say no more."""
    if request.target == "/whole":
        return [Then.HOLD]
    return [
        head(200, [("transfer-encoding", "chunked")]),
        b"b\r\n" + EVENTS[0] + b"\r\n",
        Then.HOLD,
    ]


def client(server, kind):
    settings = Settings.from_mapping({"http": {"backend": kind[1]}}, environ={})
    brings = Brings(Acme, base_url=server.url)
    registry = Registry(settings, plugins=(brings,), distributions=())
    return Client(registry=registry, clock=FakeClock())


# httpx 0.28.1 drops its generator of the request's body where sending is cancelled on trio
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. .async_generator object ByteStream.__aiter__"
    ":pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("what", ["generate", "stream", "left"])
async def test_stopped_at_every_wait(kind, how, what):
    """The vendor sees the end of what was stopped, and the next call is answered."""
    alive = tasks()
    with Loopback(answering) as server:

        async def once(at):
            async with client(server, kind) as ai:

                async def call():
                    if what == "generate":
                        await ai.text.generate("Well?", model=MODEL)
                        return
                    async with ai.text.stream("Well?", model=MODEL) as stream:
                        await anext(stream)
                        if what == "stream":
                            assert "onetwo" == (await stream.result()).text

                is_stopped = await stopped(how, at, call())
                assert "yes" == (await ai.text.generate("Well?", model=MODEL)).text
            assert await is_left_alone(server)
            assert await tasks_are(alive)
            return is_stopped

        assert await at_every_wait(once) >= 4
    assert [] == our_threads()


@pytest.mark.parametrize("what", ["generate", "stream"])
async def test_closing_the_client_while_calls_run(kind, what):
    """They end with an error of ours, and their connections with them."""
    alive = tasks()
    with Loopback(hanging) as server:
        found = []
        ai = client(server, kind)
        await ai.__aenter__()

        async def call():
            with pytest.raises(e.AnymodalError) as caught:
                if what == "generate":
                    await ai.text.generate("Well?", model=MODEL)
                async with ai.text.stream("Well?", model=MODEL) as stream:
                    await stream.result()
            found.append(type(caught.value))

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(call)
            assert await anyio.to_thread.run_sync(
                server.wait_for, lambda: len(server.received) == 3
            )
            await anyio.sleep(0.05)
            await ai.aclose()
        assert 3 == len(found)
        assert await is_left_alone(server)
        assert await tasks_are(alive)
    assert [] == our_threads()


async def test_closing_a_stream_while_another_task_reads(kind):
    """The reader is told that it is closed, at once, and the connection is."""
    alive = tasks()
    with Loopback(hanging) as server:
        async with client(server, kind) as ai:
            stream = await ai.text.stream("Well?", model=MODEL).start()
            found = []

            async def read():
                with pytest.raises(e.ConfigurationError, match="not open") as caught:
                    await stream.result()
                found.append(caught.value)

            async with anyio.create_task_group() as group:
                group.start_soon(read)
                await anyio.sleep(0.05)
                assert [] == found
                await stream.aclose()
                await stream.aclose()
                assert 1 == len(found)
        assert await is_left_alone(server)
        assert await tasks_are(alive)
    assert [] == our_threads()


async def test_settings_and_keys_that_change_while_calls_run(kind):
    """They end on the connections that they began on; those are closed with the client."""
    with Loopback(answering) as server:
        async with client(server, kind) as ai:
            stream = await ai.text.stream("Well?", model=MODEL).start()
            ai.reload()
            await ai.rotate()
            ai.register("other", provider="acme")
            assert "yes" == (await ai.text.generate("Well?", model="other/m-1")).text
            assert "onetwo" == (await stream.result()).text
            await stream.aclose()
        assert await is_left_alone(server)
