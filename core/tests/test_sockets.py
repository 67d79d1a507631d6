"""WebSockets: messages both ways, and every way in which they end."""

import contextlib
import http
import json
import logging
import os
import socket as sockets
import ssl
import sys
import threading

import anyio
import anyio.to_thread
import pytest
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.doors import SystemClock
from anymodal.sockets import MAX_MESSAGE_BYTES, opening
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret-0123456789"
NOISE = os.urandom(64 * 1024)
"""What does not become less when it is packed."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@contextlib.contextmanager
def vendor(handler, **settings):
    """A server on loopback that gives each connection to *handler*, and its address."""
    with serve(handler, "127.0.0.1", 0, **settings) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def to(url, **settings):
    connection = Connection(provider="acme", base_url=url, clock=SystemClock())
    connection._revealed[KEY] = None
    return connection.websocket("/v1/live", headers={"x-key": KEY}, **settings)


def echo(connection):
    for message in connection:
        connection.send(message)


async def test_messages_go_both_ways():
    """Text as text, bytes as bytes, JSON without escapes; the key goes along, and who calls."""
    seen = []

    def handler(connection):
        seen.append(connection.request)
        echo(connection)

    with vendor(handler) as url:
        async with to(url) as socket:
            await socket.send("é")
            await socket.send(b"\x00\xff")
            await socket.send_json({"a": "é"})
            found = [await socket.receive() for _ in range(3)]

    assert ["é", b"\x00\xff", '{"a":"é"}'] == found
    assert "/v1/live" == seen[0].path
    assert KEY == seen[0].headers["x-key"]
    assert seen[0].headers["user-agent"].startswith("anymodal/")


async def test_the_key_is_not_logged(caplog):
    """The library logs headers where somebody looks for a fault; its warnings still come."""
    logger = logging.getLogger("websockets.client")
    caplog.set_level(logging.DEBUG, logger.name)
    with vendor(echo, logger=logging.getLogger("vendor")) as url:
        async with to(url) as socket:
            await socket.send("one")
            await socket.receive()
            socket._connection.logger.warning("it is odd")

    assert logger.isEnabledFor(logging.DEBUG)
    assert [("websockets.client", "it is odd")] == [
        (one.name, one.message) for one in caplog.records if one.name == logger.name
    ]
    assert KEY not in caplog.text


async def test_it_is_iterated_over_until_the_agreed_end():
    """Which is no error."""

    def handler(connection):
        connection.send("one")
        connection.send("two")
        connection.close(1000)

    with vendor(handler) as url:
        async with to(url) as socket:
            assert ["one", "two"] == [message async for message in socket]
            assert await socket.receive() is None


@pytest.mark.parametrize(
    ("code", "cls"),
    [
        (1008, e.BadRequestError),
        (1009, e.TooLargeError),
        (1011, e.ServerError),
        (1013, e.OverloadedError),
        (4000, e.IncompleteError),
        (4001, e.AuthenticationError),
    ],
)
async def test_other_ends_are_errors(code, cls):
    """The plugin's reading of a code goes before the usual one; no key is in its words."""

    def handler(connection):
        connection.send("one")
        connection.close(code, f"no {KEY} here")

    with vendor(handler) as url:
        means = {4001: e.AuthenticationError}
        async with to(url, close_means=lambda code, words: means.get(code)) as socket:
            assert "one" == await socket.receive()
            with pytest.raises(cls, match=rf"closed \({code}\): no … here") as caught:
                await socket.receive()
            with pytest.raises(cls):
                await socket.send("more")

    assert ("acme", str(code)) == (caught.value.provider, caught.value.vendor_code)


async def test_a_connection_that_breaks():
    """Without a word of farewell the answer is incomplete."""

    def handler(connection):
        connection.send("one")
        connection.socket.shutdown(sockets.SHUT_RDWR)

    with vendor(handler) as url:
        async with to(url) as socket:
            assert "one" == await socket.receive()
            with pytest.raises(e.IncompleteError, match="without a word"):
                await socket.receive()


@pytest.mark.parametrize(
    ("status", "cls"),
    [(401, e.AuthenticationError), (429, e.RateLimitedError), (302, e.MalformedReplyError)],
)
async def test_handshakes_that_are_refused(status, cls):
    """They have a status, a body and headers like any answer; a redirect takes no key along."""

    def refuse(connection, request):
        response = connection.respond(http.HTTPStatus(status), json.dumps({"error": f"not {KEY}"}))
        response.headers["retry-after"] = "7"
        response.headers["location"] = "ws://127.0.0.2:1/"
        return response

    with vendor(echo, process_request=refuse) as url:
        with pytest.raises(cls) as caught:
            async with to(url):
                pass

    assert status == caught.value.status
    assert KEY not in str(caught.value)
    assert 7 == caught.value.retry_after


async def test_nobody_there():
    """Nothing was sent then."""
    with sockets.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(e.ConnectionFailedError) as caught:
            async with to(f"http://127.0.0.1:{bound.getsockname()[1]}"):
                pass

    assert caught.value.never_sent


async def test_nobody_answers():
    """It is not waited for any longer than for other connections."""
    with sockets.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        way = opening(
            url=url, provider="acme", context=ssl.create_default_context, connect_seconds=0.05
        )
        with pytest.raises(e.TimedOutError) as caught:
            async with way:
                pass

    assert caught.value.never_sent


async def test_what_is_no_websocket():
    """A server that speaks something else."""

    def babble(server):
        with contextlib.suppress(OSError):
            client, _ = server.accept()
            client.recv(4096)
            client.sendall(b"SSH-2.0-babble\r\n\r\n")
            client.close()

    with sockets.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=babble, args=[server])
        thread.start()
        with pytest.raises(e.ConnectionFailedError):
            async with to(f"http://127.0.0.1:{server.getsockname()[1]}"):
                pass
        thread.join()


async def test_messages_past_the_limit():
    """They are refused before they are kept."""

    def handler(connection):
        connection.send(b"x" * (MAX_MESSAGE_BYTES + 1))
        with contextlib.suppress(Exception):
            connection.recv()

    with vendor(handler, compression=None) as url:
        async with to(url) as socket:
            with pytest.raises(e.TooLargeError):
                await socket.receive()


async def test_what_is_no_json():
    """Is refused before anything is sent, and is not quoted."""
    with vendor(echo) as url:
        async with to(url) as socket:
            with pytest.raises(e.InvalidRequestError) as caught:
                await socket.send_json({"prompt": object()})

    assert "prompt" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1", "127.0.0.1:1"])
async def test_what_is_no_address(url):
    """Settings are wrong then, not the vendor."""
    way = opening(url=url, provider="acme", context=ssl.create_default_context)
    with pytest.raises(e.ConfigurationError, match="base_url"):
        async with way:
            pass


async def test_without_the_library(monkeypatch):
    """It says what to install."""
    from anymodal.sockets import _connector

    _connector.cache_clear()
    for backend in ("asyncio", "trio"):
        monkeypatch.setitem(sys.modules, f"websockets.{backend}.client", None)
    with pytest.raises(e.ConfigurationError, match=r"anymodal\[sockets\]"):
        async with to("http://127.0.0.1:1"):
            pass
    _connector.cache_clear()


async def test_a_whole_address_goes_before_the_base_url():
    """Some vendors give one in an answer."""
    with vendor(echo) as url:
        connection = Connection(provider="acme", base_url="http://127.0.0.1:1", clock=SystemClock())
        async with connection.websocket(url.replace("http", "ws") + "/elsewhere") as socket:
            await socket.send("hello")
            assert "hello" == await socket.receive()


async def test_several_tasks_may_write():
    """Each message stays whole."""
    with vendor(echo) as url:
        async with to(url) as socket:
            async with anyio.create_task_group() as tasks:
                for letter in "abcdefgh":
                    tasks.start_soon(socket.send, letter * 10_000)
            found = [await socket.receive() for _ in range(8)]

    assert sorted(letter * 10_000 for letter in "abcdefgh") == sorted(found)


async def test_who_sends_waits_for_a_vendor_that_does_not_read():
    """What the system holds is some megabytes; nothing is piled up behind that."""
    may_read, sent = threading.Event(), 0

    def handler(connection):
        may_read.wait(10)

    with vendor(handler, max_queue=1, close_timeout=0.1) as url:
        async with to(url) as socket:
            with anyio.move_on_after(0.5) as waiting:
                for _ in range(1000):
                    await socket.send(NOISE)
                    sent += 1
            may_read.set()

    assert waiting.cancelled_caught
    assert 0 < sent < 1000


async def test_a_vendor_waits_for_who_does_not_read():
    """Some messages are held; the rest stays where it is, and comes when it is read."""
    sent = 0

    def handler(connection):
        nonlocal sent
        with contextlib.suppress(ConnectionClosed):
            for _ in range(400):
                connection.send(NOISE)
                sent += 1

    with vendor(handler) as url:
        async with to(url) as socket:
            before = -1
            while before < sent:
                before = sent
                await anyio.sleep(0.3)
            assert 0 < sent < 400
            for _ in range(400):
                assert len(NOISE) == len(await socket.receive())

    assert 400 == sent


async def test_cancelling_closes_it():
    """Within a moment, and without complaint."""
    ended = threading.Event()

    def handler(connection):
        with contextlib.suppress(ConnectionClosed):
            echo(connection)
        ended.set()

    with vendor(handler) as url:
        with anyio.move_on_after(0.1):
            async with to(url) as socket:
                await socket.receive()
        assert await anyio.to_thread.run_sync(ended.wait, 5)


async def test_closing_says_why():
    """The vendor is told the code and the words."""
    seen = []

    def handler(connection):
        with contextlib.suppress(ConnectionClosed):
            echo(connection)
        seen.append((connection.close_code, connection.close_reason))

    with vendor(handler) as url:
        async with to(url) as socket:
            await socket.close(4000, "enough")
        async with to(url) as socket, socket:
            pass

    assert [(4000, "enough"), (1000, "")] == seen


def test_keys_do_not_print():
    """Neither in headers nor in addresses."""
    assert KEY not in repr(to(f"http://127.0.0.1:1/?key={KEY}"))
