"""Requests and what becomes of them, over each library on each event loop."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import anyio
import anyio.to_thread
import pytest
from anymodal import __version__
from anymodal import errors as e
from anymodal.http import HttpRequest, connect_transport, parse_json, read
from anymodal.specs import Deadlines

from .calling import CONTEXT, KEY, KIB, MIB, calling, is_left_alone
from .loopback import Loopback, Received, Step, Then, chunked, head, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_proxies", "nothing_dropped")]


@pytest.fixture
def anyio_backend(way):
    return way[0]


# -- what is sent ---------------------------------------------------------------------------


async def test_request_arrives_as_it_was_given(way):
    """Method, path, headers, and JSON without a byte too many."""
    with Loopback(reply(b'{"b":[1,null]}')) as server:
        async with calling(server.url + "/v1", way) as http:
            found = await http.json(
                "POST", "/a?b=c%20d", body={"é": "漢", "n": 1}, headers={"x-key": KEY}
            )

    (request,) = server.received
    assert found == {"b": [1, None]}
    assert (request.method, request.target) == ("POST", "/v1/a?b=c%20d")
    assert request.body == '{"é":"漢","n":1}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-key"] == KEY
    assert request.headers["accept-encoding"] == "gzip, deflate"


async def test_requests_say_who_calls(way):
    """A vendor that sees trouble knows whom to ask; a plugin may say it in its own words."""
    with Loopback(reply(b"x")) as server:
        async with calling(server.url, way) as http:
            await http.bytes("GET", "/")
            await http.bytes("GET", "/", headers={"user-agent": "acme-plugin/2"})

    first, second = server.received
    assert first.headers["user-agent"] == f"anymodal/{__version__}"
    assert second.headers["user-agent"] == "acme-plugin/2"


async def test_requests_without_body_have_none(way):
    """Neither bytes nor a type."""
    with Loopback(reply(b"x")) as server:
        async with calling(server.url, way) as http:
            assert await http.bytes("GET", "/") == b"x"

    (request,) = server.received
    assert request.body == b""
    assert "content-type" not in request.headers


async def test_large_requests_arrive_whole(way):
    """Pictures travel within JSON; one library warns of bytes over a megabyte."""
    body = {"image": "x" * 3 * MIB}
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            assert await http.json("POST", "/", body=body) == 1

    assert json.loads(server.received[0].body) == body


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"x-key": KEY + "\r\nx-evil: 1"}, "/"),
        ({"x-key": KEY + "\n"}, "/"),
        ({"x-key": KEY + "\0"}, "/"),
        ({"x-key": KEY + "é"}, "/"),
        ({"x-key\r\nx-evil": KEY}, "/"),
        ({"x key": KEY}, "/"),
        ({"": KEY}, "/"),
        ({}, "/a b"),
        ({}, "/a\r\nx-evil: 1"),
        ({}, "/a\0"),
    ],
)
async def test_nothing_is_sent_that_http_has_no_form_for(way, headers, path):
    """Neither smuggled headers nor odd paths; and the error does not repeat the value."""
    with Loopback(reply()) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.InvalidRequestError) as caught:
                await http.bytes("GET", path, headers=headers)

    assert KEY not in str(caught.value)
    assert server.accepted == 0


@pytest.mark.parametrize("body", [object(), float("nan"), "\ud800", {1: {2, 3}}])
async def test_nothing_is_sent_that_json_has_no_form_for(way, body):
    """The error names the kind of fault and quotes nothing of the prompt."""
    with Loopback(reply()) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.InvalidRequestError, match="cannot be written as JSON"):
                await http.json("POST", "/", body=[body])

    assert server.accepted == 0


async def test_endless_nesting_is_not_sent(way):
    """A list that holds itself."""
    body: list[object] = []
    body.append(body)
    async with calling("http://127.0.0.1:1", way) as http:
        with pytest.raises(e.InvalidRequestError):
            await http.json("POST", "/", body=body)


@pytest.mark.parametrize("url", ["127.0.0.1:1", "ftp://127.0.0.1", "http://", "http://[::1", ""])
async def test_odd_base_urls_are_a_matter_of_settings(way, url):
    """Another candidate may be asked; retrying will not help."""
    async with calling(url, way) as http:
        with pytest.raises(e.ConfigurationError, match="acme: base_url"):
            await http.bytes("GET", "/")


# -- connections ----------------------------------------------------------------------------


async def test_connections_are_kept_alive(way):
    """One connection for calls in a row, whatever became of them."""

    def answer(request: Received) -> Iterable[Step]:
        if request.target == "/sse":
            return chunked([b"data: 1\n\n", b"data: 2\n\n"])
        return reply(b"{}", 400 if request.target == "/bad" else 200)

    with Loopback(answer) as server:
        async with calling(server.url, way) as http:
            for _ in range(5):
                await http.json("POST", "/", body={})
                with pytest.raises(e.BadRequestError):
                    await http.json("POST", "/bad", body={})
                async with http.sse("POST", "/sse", body={}) as events:
                    assert len([event async for event in events]) == 2

            assert (server.accepted, len(server.received)) == (1, 15)
        assert await is_left_alone(server)


async def test_sixty_four_at_once(way):
    """No pool stands in the way; each gets its own answer."""
    with Loopback(lambda request: reply(request.body)) as server:
        found = {}

        async def ask(number: int) -> None:
            found[number] = await http.json("POST", "/", body=number)

        async with calling(server.url, way) as http:
            async with anyio.create_task_group() as group:
                for number in range(64):
                    group.start_soon(ask, number)

            assert found == {number: number for number in range(64)}
        assert await is_left_alone(server)


async def test_no_cookies_are_kept(way):
    """Two tenants may share a client."""
    with Loopback(reply(b"1", headers=[("set-cookie", "who=me; Path=/")])) as server:
        async with calling(server.url, way) as http:
            for _ in range(2):
                await http.json("GET", "/")

    assert not any("cookie" in request.headers for request in server.received)


async def test_refused_port(way):
    """Nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with calling(f"http://127.0.0.1:{port}", way) as http:
            with pytest.raises(e.ConnectionFailedError) as caught:
                await http.json("POST", f"/?key={KEY}", body={})

    assert caught.value.provider == "acme"
    assert KEY not in repr(caught.value)


@pytest.fixture
def deaf() -> Iterator[str]:
    """A port where connecting never ends: nobody accepts, and the queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("own", [None, 0.05])
async def test_connecting_has_a_deadline(way, deaf, own):
    """The instance's, or one of the request's own."""
    deadlines = Deadlines(connect=60 if own else 0.05)
    async with calling(deaf, way, deadlines=deadlines) as http:
        with pytest.raises(e.TimedOutError, match="acme: no answer in time"):
            await http.send("GET", "/", connect_seconds=own)


@pytest.mark.parametrize(
    "answer",
    [
        [Then.CLOSE],
        [Then.RESET],
        [b"HTTP/1.1 200 OK\r\nconte", Then.CLOSE],
        [b"SSH-2.0-OpenSSH_9.6\r\n", Then.CLOSE],
        [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200 * KIB + b"\r\n\r\n"],
        [head(200, [("content-length", "1"), ("content-length", "2")]) + b"xx"],
        [head(200, [("content-length", "-1")]) + b"xx"],
        [head(200, [("content-length", "9" * 5000)]) + b"xx"],
    ],
    ids=["nothing", "reset", "half", "ssh", "endless-header", "two-lengths", "minus", "huge"],
)
async def test_what_is_not_http_is_a_broken_connection(way, answer):
    """And the connection is not used again."""
    with Loopback([*answer, Then.CLOSE]) as server:
        async with calling(server.url, way) as http:
            with pytest.raises(e.ConnectionFailedError, match="acme: the connection failed"):
                await http.bytes("GET", f"/?key={KEY}")
            assert await is_left_alone(server)


async def test_closing_closes(way):
    """An idle connection is gone from the server's side too, and closing twice is no error."""
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            await http.json("GET", "/")
            assert server.open == 1
            await http.transport.aclose()
            assert await is_left_alone(server)


# -- proxies --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_proxy_of_the_environment_is_used(way, monkeypatch, name, scheme):
    """With the credentials in its address."""
    if name == "HTTP_PROXY":
        monkeypatch.delenv("REQUEST_METHOD", raising=False)  # CGI forbids it
    with Loopback(reply(b"1")) as proxy:
        monkeypatch.setenv(name, proxy.url.replace("http://", f"{scheme}me:pw@"))
        async with calling("http://api.test/v1", way) as http:
            assert await http.json("GET", "/x", headers={"authorization": KEY}) == 1

    (request,) = proxy.received
    assert request.target == "http://api.test/v1/x"
    assert request.headers["authorization"] == KEY
    assert request.headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*"])
async def test_no_proxy_exempts(way, monkeypatch, exempt):
    """Local servers are not asked for through a proxy."""
    with Loopback(reply(b"1")) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", exempt)
        async with calling(server.url, way) as http:
            assert await http.json("GET", "/") == 1


async def test_netrc_is_not_read(way, monkeypatch, tmp_path):
    """Credentials come from settings, not from a file that nobody named."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Loopback(reply(b"1")) as server:
        async with calling(server.url, way) as http:
            await http.json("GET", "/")

    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://127.0.0.1:1"])
async def test_unusable_proxies_are_a_matter_of_settings(way, monkeypatch, proxy):
    """Nothing is sent past a proxy that somebody wanted."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with (
        Loopback(reply(b"1")) as server,
        pytest.raises(e.ConfigurationError, match=f"{way[1]} cannot use the proxy"),
    ):
        async with calling(server.url, way) as http:
            await http.json("GET", "/")

    assert server.accepted == 0


# -- libraries ------------------------------------------------------------------------------


async def test_transport_may_be_used_alone(way):
    """What a plugin brings of its own may stand in its place."""
    transport = connect_transport(way[1], CONTEXT)
    with Loopback(reply(b"x" * 9)) as server:
        answer = await transport.send(HttpRequest("GET", server.url + f"/?key={KEY}", {}))
        assert await read(answer, "acme", 4, cut=True) == b"xxxx"
        await transport.aclose()

    assert KEY not in repr(HttpRequest("GET", f"/?key={KEY}", {"x": KEY}, KEY.encode()))


@pytest.mark.parametrize("library", ["httpx2", "httpx", "aiohttp"])
def test_library_that_is_not_installed(monkeypatch, library):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, library, None)
    extra = {"httpx2": "http"}.get(library, library)
    with pytest.raises(e.ConfigurationError, match=rf"pip install 'anymodal\[{extra}\]'"):
        connect_transport(library, CONTEXT)


def test_library_that_is_not_known():
    """Settings are typed by people."""
    with pytest.raises(e.ConfigurationError, match="'requests' is none of httpx2, httpx and aioh"):
        connect_transport("requests", CONTEXT)


def test_parse_json():
    """For bodies that came another way."""
    assert parse_json(b"[1]", "acme") == [1]
    with pytest.raises(e.MalformedReplyError):
        parse_json(b"[1", "acme")
