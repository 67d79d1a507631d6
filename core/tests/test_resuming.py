"""A vendor that can resume: the connection ends, and nobody who speaks or listens has to know."""

import json
import threading
from contextlib import asynccontextmanager, suppress

import pytest
from anymodal import Client, ModelSpec, Registry, Settings, hookimpl
from anymodal import errors as e
from anymodal.modalities.live import (
    AudioOut,
    ClosingSoon,
    Reconnected,
    ResponseDone,
    Transcript,
    TurnEnded,
)
from anymodal.modalities.realtime import RealtimeProviderSpec
from anymodal.modalities.transcription import TranscriptionEnd, TranscriptionProviderSpec
from websockets.sync.server import serve

from .once import ONCE

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies")]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Vendor:
    """
    Hears two pieces on each connection, and ends it; a token goes on where it was.

    With `forgets`, it does not know tokens any more.
    """

    def __init__(self, *, forgets=False):
        self.forgets, self.asked, self.heard = forgets, [], []

    def __call__(self, socket):
        token = socket.request.path.partition("=")[2]
        self.asked.append(token)
        if token and self.forgets:
            socket.close(1008, "no such session")
            return
        socket.send(json.dumps({"token": str(len(self.heard))}))
        for number, message in enumerate(socket):
            if message == "end":
                socket.send(json.dumps({"end": True}))
                return
            self.heard.append(message)
            socket.send(json.dumps({"said": message.decode(), "token": str(len(self.heard))}))
            if number == 1:
                socket.send(json.dumps({"leaving": 0.5}))
                socket.close(1012, "restart")
                return


@asynccontextmanager
async def running(vendor):
    with serve(vendor, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


class Resumes:
    """
    What a plugin writes: the task that iterates has the connection, and opens the next one.

    What is sent is kept until the vendor has said that it heard it, and sent again.
    """

    def __init__(self, connection):
        self.connection = connection
        self.socket, self.token, self.kept = None, "", []
        self.is_told_to_end = False

    async def send(self, data):
        self.kept.append(data)
        await self.tell(data)

    async def finish(self):
        self.is_told_to_end = True
        await self.tell("end")

    async def tell(self, message):
        with suppress(e.OverloadedError):  # it is sent again when there is another connection
            await self.socket.send(message)

    async def __aiter__(self):
        while True:
            try:
                async for message in self.socket:
                    found = json.loads(message)
                    self.token = found.get("token", self.token)
                    if "leaving" in found:
                        yield ClosingSoon(found["leaving"])
                    elif "end" in found:
                        yield TranscriptionEnd()
                        return
                    elif "said" in found:
                        self.kept.pop(0)
                        yield Transcript(found["said"])
                        yield TurnEnded()
            except e.OverloadedError:
                await self.again()
                yield Reconnected(0.0)

    async def again(self):
        await self.another()
        for data in self.kept:
            await self.tell(data)
        if self.is_told_to_end:
            await self.tell("end")


class Provider:
    """Listens, and talks, over a vendor's sockets."""

    def __init__(self, connection):
        self.connection = connection

    @asynccontextmanager
    async def live(self, _):
        found, opened = Resumes(self.connection), []

        async def another():
            while opened:
                await opened.pop().__aexit__(None, None, None)
            way = self.connection.websocket(f"/?token={found.token}" if found.token else "/")
            found.socket = await way.__aenter__()
            opened.append(way)

        found.another = another
        await another()
        try:
            yield found
        finally:
            while opened:
                await opened.pop().__aexit__(None, None, None)


def client(url):
    spec = TranscriptionProviderSpec(
        id="acme",
        display_name="Acme",
        kind="remote",
        base_url=url,
        models=[ModelSpec(id="m-1")],
        default_model="m-1",
        connect=Provider,
    )

    class Brings:
        @hookimpl
        def anymodal_transcription_providers(self):
            return [spec]

    registry = Registry(Settings.empty(), plugins=[Brings()], distributions=())
    return Client(registry=registry, policy=ONCE)


async def test_a_session_goes_on_over_another_connection():
    """Everything is heard once, in order, and the caller is told what happened."""
    vendor = Vendor()
    async with running(vendor) as url, client(url) as ai:
        async with ai.transcription.live(format="mulaw_8000") as session:
            for word in (b"one", b"two", b"three", b"four", b"five"):
                await session.send(word)
            found = await session.result()
            events = [event async for event in session]

    assert "one two three four five" == found.text == session.text
    assert [b"one", b"two", b"three", b"four", b"five"] == vendor.heard
    assert ["", "2", "4"] == vendor.asked
    assert 2 == sum(isinstance(one, Reconnected) for one in events)
    assert ClosingSoon(0.5) in events
    assert 1 == len(found.record.attempts)
    assert None is found.record.attempts[0].error


async def test_turns_go_on_over_another_connection():
    """Neither is taken for somebody who speaks."""

    async def sound():
        for word in (b"one", b"two", b"three"):
            yield word

    vendor = Vendor()
    async with running(vendor) as url, client(url) as ai:
        async with (
            ai.transcription.live(format="mulaw_8000") as session,
            session.turns(sound(), while_answering="wait") as turns,
        ):
            found = []
            async for turn in turns:
                with turn.answering():
                    found.append(turn.text)
                assert not turn.is_interrupted

    assert ["one", "two", "three"] == found


async def test_a_session_that_the_vendor_has_forgotten():
    """Then it is an error, with the text so far: nothing is guessed."""
    vendor = Vendor(forgets=True)
    async with running(vendor) as url, client(url) as ai:
        with pytest.raises(e.VendorError) as caught:
            async with ai.transcription.live(format="mulaw_8000") as session:
                for word in (b"one", b"two", b"three"):
                    await session.send(word)
                await session.result()

    assert isinstance(caught.value, e.BadRequestError)
    assert "one two" == session.text
    assert 1 == len(session.record.attempts)


async def test_a_conversation_says_that_it_goes_on():
    """The words are the same there, and what an answer is owed does not change."""

    class Talks:
        @asynccontextmanager
        async def open(self, _):
            class Line:
                async def send(self, event):
                    pass

                async def __aiter__(self):
                    yield AudioOut(b"ab", "item-1")
                    yield ClosingSoon(3.0)
                    yield Reconnected(0.25)
                    yield AudioOut(b"cd", "item-1")
                    yield ResponseDone()

            yield Line()

    spec = RealtimeProviderSpec(
        id="acme", display_name="Acme", kind="local", models=[ModelSpec(id="m-1")],
        default_model="m-1", connect=lambda _: Talks(),
    )  # fmt: skip

    class Brings:
        @hookimpl
        def anymodal_realtime_providers(self):
            return [spec]

    registry = Registry(Settings.empty(), plugins=[Brings()], distributions=())
    async with Client(registry=registry) as ai, ai.realtime.open(model="acme/m-1") as session:
        await session.send_text("Hello")
        found = [event async for event in session]

    assert [ClosingSoon(3.0), Reconnected(0.25)] == found[1:3]
    assert b"abcd" == b"".join(one.data for one in found if isinstance(one, AudioOut))
