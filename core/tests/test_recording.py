"""What goes over the wire is recorded without any key, and played again without any wire."""

import base64
import contextlib
import gzip
import json
import re
import threading
from itertools import pairwise
from pathlib import Path

import anyio
import httpx2
import pytest
from anymodal import Secret
from anymodal import errors as e
from anymodal.connection import Connection
from anymodal.http import FormPart, reply_of_httpx, sdk_client
from anymodal.media import File
from anymodal.taps import present
from anymodal.testing import (
    FakeClock,
    NetworkForbiddenError,
    ReplayError,
    forbid_network,
    record,
    replay,
)
from anymodal.testing.recorded_sockets import Recorded, Talk
from anymodal.testing.scrubbing import SCRUBBED, Scrubber
from anymodal.testing.tapes import Tape
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.server import serve

from .loopback import Loopback, Then, chunked, head, reply

KEY = "a-key-that-has-no-shape"
LOOKS = "sk-live_0123456789abcdef"
JSON = [("content-type", "application/json")]
SSE = [("content-type", "text/event-stream")]
TEXT = [("content-type", "text/plain")]


@pytest.fixture(params=[("asyncio", "httpx2"), ("trio", "httpx2"), ("asyncio", "httpx"), ("asyncio", "aiohttp")], ids="-".join)  # fmt: skip
def way(request):
    """Each library, and each event loop."""
    return request.param


@pytest.fixture
def tape(tmp_path):
    return tmp_path / "tape.json"


def connection(url, backend="httpx2"):
    return Connection(
        provider="acme", base_url=url, clock=FakeClock(), http_backend=backend,
        credentials={"api_key": Secret(KEY)}, proxy="",
    )  # fmt: skip


def run(way, call, *args):
    return anyio.run(call, *args, backend=way if isinstance(way, str) else way[0])


def exchanges(tape):
    return json.loads(tape.read_text("utf-8"))["exchanges"]


async def with_connection(url, backend, use):
    door = connection(url, backend)
    try:
        await door.secret()
        return await use(door)
    finally:
        await door.aclose()


def played(way, tape, use, *, url="http://elsewhere.example", **settings):
    with replay(tape, **settings):
        return run(way, with_connection, url, way[1] if isinstance(way, tuple) else "httpx2", use)


def recorded(way, tape, answer, use, **settings):
    with Loopback(answer) as server, record(tape, **settings):
        backend = way[1] if isinstance(way, tuple) else "httpx2"
        return run(way, with_connection, server.url, backend, use)


# -- HTTP ---------------------------------------------------------------------------------------


async def everything(door):
    """Use every verb once."""
    http = door.http
    found = [await http.json("POST", "/v1/json?b=2&a=1", body={"prompt": "é", "n": [1, None]})]
    async with http.sse("POST", "/v1/events", body={"stream": True}) as events:
        found += [event async for event in events]
    async with http.lines("GET", "/v1/lines") as lines:
        found += [line async for line in lines]
    found.append(await http.bytes("GET", "/v1/bytes"))
    found.append(await http.multipart("POST", "/v1/form", [FormPart("a", "b"), FormPart("f", b"\xff")]))  # fmt: skip
    with pytest.raises(e.RateLimitedError) as caught:
        await http.json("GET", "/v1/busy")
    return [*found, caught.value.retry_after, str(caught.value)]


def vendor(request):
    path = request.target.partition("?")[0]
    answers = {
        "/v1/json": reply(b'{ "text": "\xc3\xa9" }', headers=JSON),
        "/v1/events": chunked([b"data: a\n\nda", b"ta: \xc3", b"\xa9\n\n"], headers=SSE),
        "/v1/lines": chunked([b"one\ntw", b"o\n"], headers=TEXT),
        "/v1/bytes": reply(b"\x89PNG\xff"),
        "/v1/form": reply(b"[1]", headers=JSON),
        "/v1/busy": reply(b'{"error": "slowly"}', 429, [*JSON, ("retry-after", "3")]),
    }
    return answers[path]


def test_what_was_recorded_is_played(way, tape):
    """The same answers, over any library, with the host gone and the network closed."""
    first = recorded(way, tape, vendor, everything)
    again = played(way, tape, everything)

    assert first == again
    assert 3.0 == first[-2]
    assert present() is None


def test_it_can_be_read(tape):
    """JSON as JSON, text as text, in the order in which it was asked for; nothing that changes."""
    recorded("asyncio", tape, vendor, everything)
    first = tape.read_bytes()
    recorded("asyncio", tape, vendor, everything)
    asked = exchanges(tape)

    assert first == tape.read_bytes()
    assert {
        "method": "POST",
        "path": "/v1/json",
        "query": [["a", "1"], ["b", "2"]],
        "body": {"json": {"prompt": "é", "n": [1, None]}},
    } == asked[0]["request"]
    assert {"json": {"text": "é"}} == asked[0]["reply"]["body"]
    assert ["data: a\n\nda", "ta: é\n\n"] == asked[1]["reply"]["body"]["text"]
    assert ["one\ntw", "o\n"] == asked[2]["reply"]["body"]["text"]
    assert [base64.b64encode(b"\x89PNG\xff").decode()] == asked[3]["reply"]["body"]["base64"]
    assert {"sha256", "size"} == asked[4]["request"]["body"].keys()
    assert "127.0.0.1" not in tape.read_text()


def test_recordings_go_from_one_library_to_another(tape):
    """They have what was said, and not how."""
    first = recorded(("asyncio", "aiohttp"), tape, vendor, everything)

    assert first == played(("trio", "httpx2"), tape, everything)


def test_packed_answers_are_unpacked(tape):
    """A library that asks for them gets them, and people read them."""

    async def ask(door):
        return await door.http.json("GET", "/")

    packed = reply(gzip.compress(b'{"a": 1}'), headers=[*JSON, ("content-encoding", "gzip")])
    assert {"a": 1} == recorded("asyncio", tape, packed, ask)
    assert {"json": {"a": 1}} == exchanges(tape)[0]["reply"]["body"]
    assert {"a": 1} == played("asyncio", tape, ask)


def test_links_are_followed_without_looking_names_up(tape, tmp_path):
    """Wherever they lead."""

    async def fetch(door):
        return (await door.http.download(f"{door.base_url}/f", File, media_type="text/plain")).data

    async def lost(door):
        await door.http.download("https://far.example/f", File, media_type="text/plain")

    async def afar(door):
        return (await door.http.download("https://far.example/f", File, media_type="text/plain")).data  # fmt: skip

    assert b"it" == recorded("asyncio", tape, reply(b"it", headers=TEXT), fetch)
    with (
        record(tmp_path / "other.json"),
        forbid_network(),
        pytest.raises(NetworkForbiddenError, match=r"look up of far\.example"),
    ):
        run("asyncio", with_connection, "http://127.0.0.1:9", "httpx2", lost)
    assert b"it" == played("asyncio", tape, afar)


# -- keys -----------------------------------------------------------------------------------------


def test_no_key_is_in_the_file(tape):
    """Neither those that were used nor what looks like one, wherever it stands; `secrets` too."""
    chunks = [b"data: " + KEY[:7].encode(), KEY[7:].encode() + b"\n\ndata: sk-live_01", b"23456789abcdef"]  # fmt: skip
    answers = {
        "/sse": chunked(chunks, headers=SSE),
        "/json": reply(
            json.dumps({"client_secret": "opaque", "echo": KEY, "list": [LOOKS, 1]}).encode(),
            headers=[*JSON, ("set-cookie", "session=opaque-cookie"), ("x-echo", KEY)],
        ),
        "/bytes": reply(b"\xff" + KEY.encode()),
    }

    async def ask(door):
        key = await door.required()
        headers = {"authorization": f"Bearer {key}", "x-api-key": key, "cookie": "opaque-cookie"}
        path = f"/json?key={key}&sig=opaque&page_token=next&said={LOOKS}"
        body = {"api_key": "opaque", "text": f"my {LOOKS} and mine-alone-1", "max_tokens": 7}
        await door.http.json("POST", path, body=body, headers=headers)
        await door.http.bytes("POST", "/bytes", body=f"password=opaque&x={key}".encode())
        await door.http.bytes("POST", "/bytes", body=b"\xff" + key.encode())
        return await door.http.bytes("GET", "/sse", headers=headers)

    def answer(request):
        return answers[request.target.partition("?")[0]]

    recorded("asyncio", tape, answer, ask, secrets=["mine-alone-1"])
    text = tape.read_text()

    for secret in (KEY, LOOKS, "opaque", "mine-alone-1", base64.b64encode(KEY.encode()).decode()[:12]):  # fmt: skip
        assert secret not in text
    assert "page_token" in text
    assert '"max_tokens": 7' in text
    assert [f"data: {SCRUBBED}\n\n", f"data: {SCRUBBED}"] == _joined(exchanges(tape)[3])
    found = played("trio", tape, ask, secrets=["mine-alone-1"])
    assert b"data: (scrubbed)\n\ndata: (scrubbed)" == found


def _joined(exchange):
    return re.findall(r"data: [^d]*(?:d\)\n*)", "".join(exchange["reply"]["body"]["text"]))


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-0123456789abcdef",
        "gsk_0123456789abcdef0123",
        "hf_0123456789abcdef0123",
        "AIza" + "x" * 35,
        "AKIA0123456789ABCDEF",
        "eyJhbGciOiJI.eyJzdWIiOiIx.sig",
        "ghp_0123456789abcdef0123",
        "Bearer opaque",
        "Basic b3BhcXVlOm9w",
    ],
)
def test_what_looks_like_a_key_is_taken_out(secret):
    """By vendors' prefixes, and by HTTP's schemes; ids of answers stay."""
    said = Scrubber().text(f'{{"a": "{secret}", "id": "chatcmpl-0123456789abcdef"}}')

    assert secret.split()[-1] not in said
    assert SCRUBBED in said
    assert "chatcmpl-0123456789abcdef" in said


def test_short_values_are_no_keys():
    """A provider on loopback may go by any word."""
    scrubber = Scrubber(["test"])

    assert "a test" == scrubber.text("a test")
    assert f"{SCRUBBED}!" == Scrubber(["sk-live_0123", "3456789abcdef"]).text(f"{LOOKS}!")
    assert {"headers": SCRUBBED} == {"headers": scrubber.headers({"x-token": "1"})["x-token"]}


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.integers(0, 80), max_size=6))
def test_wherever_an_answer_is_cut_no_key_is_left(before, after, cuts):
    """And nothing else is lost."""
    scrubber = Scrubber([KEY])
    content = f"{before}{KEY}{after}".encode()
    edges = [0, *sorted(min(one, len(content)) for one in cuts), len(content)]
    chunks = [content[a:b] for a, b in pairwise(edges)]
    found = scrubber.chunks(chunks, is_text=True)

    assert scrubber.content(content) == b"".join(found)
    assert KEY.encode() not in b"".join(found)
    assert "".join(one.decode() for one in found)


# -- what does not fit --------------------------------------------------------------------------


async def ask_twice(door):
    one = await door.http.json("POST", "/v1", body={"n": 1})
    return one, await door.http.json("POST", "/v1", body={"n": 2})


def counted(request):
    return reply(request.body, headers=JSON)


def test_other_requests_are_refused_with_what_differs(tape):
    """Of the nearest that was not used yet."""
    recorded("asyncio", tape, counted, ask_twice)

    async def other(door):
        await door.http.json("POST", "/v1", body={"n": 2})
        await door.http.json("POST", "/v1", body={"n": 3})

    with pytest.raises(ReplayError) as caught:
        played("asyncio", tape, other)
    said = str(caught.value)

    assert "tape.json has no answer to POST /v1. The nearest is number 1" in said
    assert '-   "n": 1' in said
    assert '+   "n": 3' in said
    assert "replay" == caught.value.code


def test_another_path_is_compared_with_whatever_is_left(tape):
    """For want of a nearer one."""
    recorded("asyncio", tape, counted, ask_twice)

    with pytest.raises(ReplayError, match=r'- "path": "/v1"'):
        played("asyncio", tape, lambda door: door.http.json("POST", "/v2", body={"n": 1}))


def test_answers_are_used_once(tape):
    """In any order."""
    recorded("asyncio", tape, counted, ask_twice)

    async def thrice(door):
        for n in (2, 1, 1):
            await door.http.json("POST", "/v1", body={"n": n})

    with pytest.raises(ReplayError, match="all of its 2 exchanges were used"):
        played("asyncio", tape, thrice)


def test_what_nobody_asked_for_is_told(tape):
    """Unless that is all right; and not over what went wrong before."""
    recorded("asyncio", tape, counted, ask_twice)

    async def once(door):
        return await door.http.json("POST", "/v1", body={"n": 1})

    async def fails(door):
        raise ValueError

    with pytest.raises(ReplayError, match=r"nobody asked for:\n2\. POST /v1"):
        played("asyncio", tape, once)
    with pytest.raises(ValueError):
        played("asyncio", tape, fails)
    assert {"n": 1} == played("asyncio", tape, once, allow_unused=True)


def test_a_file_has_to_be_there(tape, tmp_path):
    """And to be a recording."""
    for content, why in ((None, "no recording"), ("{", "is no recording"), ("[]", "version 1")):
        if content is not None:
            tape.write_text(content)
        with pytest.raises(ReplayError, match=why), replay(tape):
            raise AssertionError
    with pytest.raises(e.ConfigurationError, match="there is no folder"), record(tmp_path / "a" / "b"):  # fmt: skip
        raise AssertionError
    with (
        record(tape),
        pytest.raises(e.ConfigurationError, match="within one another"),
        record(tape),
    ):
        raise AssertionError


def test_what_breaks_off_leaves_the_file_as_it_was(tape):
    """A recording is made well or not at all."""
    tape.write_text("before")
    with pytest.raises(ValueError), record(tape):
        raise ValueError

    assert "before" == tape.read_text()


def test_large_answers_are_left_out(tape):
    """And missed when they are asked for."""

    async def ask(door):
        return len(await door.http.bytes("POST", "/", body={"long": "x" * 5000}))

    assert 100 == recorded("asyncio", tape, reply(b"x" * 100, headers=TEXT), ask, limit=99)
    asked = exchanges(tape)[0]
    assert {"omitted": 100} == asked["reply"]["body"]
    assert 5000 == asked["request"]["body"]["json"]["long"]["size"]
    with pytest.raises(ReplayError, match="100 bytes was left out"):
        played("asyncio", tape, ask)


def test_json_that_is_none_is_kept_as_it_came(tape):
    """Vendors send such; long texts are known by their hashes."""

    async def ask(door):
        return await door.http.bytes("POST", "/", body=b"long " * 1000)

    recorded("asyncio", tape, reply(b"{broken", headers=JSON), ask)
    asked = exchanges(tape)[0]

    assert {"text": ["{broken"]} == asked["reply"]["body"]
    assert 5000 == asked["request"]["body"]["size"]
    assert b"{broken" == played("asyncio", tape, ask)


def test_answers_that_were_left_end_where_they_were_left(way, tape):
    """Whoever reads on is told so."""

    async def leave(door):
        async with door.http.lines("GET", "/") as lines:
            async for line in lines:
                return [line]
        return None

    async def read_on(door):
        async with door.http.lines("GET", "/") as lines:
            return [line async for line in lines]

    steps = [head(200, [*TEXT, ("content-length", "999")]) + b"one\n", Then.HOLD]
    assert [b"one"] == recorded(way, tape, steps, leave)
    assert exchanges(tape)[0]["reply"]["is_whole"] is False
    assert [b"one"] == played(way, tape, leave)
    with pytest.raises(ReplayError, match="ends here"):
        played(way, tape, read_on)


def test_connections_that_fail_fail_again(way, tape):
    """As far as the core goes."""

    async def ask(door):
        with pytest.raises(e.ConnectionFailedError):
            await door.http.json("GET", "/")

    recorded(way, tape, [Then.RESET], ask)
    assert "failure" in exchanges(tape)[0]
    played(way, tape, ask)


def test_nothing_goes_over_the_network(tape):
    """Not even by what we know nothing of."""
    recorded("asyncio", tape, counted, ask_twice)
    with Loopback(counted) as server:

        async def other(door):
            async with httpx2.AsyncClient() as client:
                return (await client.post(server.url, content=b"1")).json()

        with pytest.raises((NetworkForbiddenError, ExceptionGroup)):
            played("asyncio", tape, other, allow_unused=True)
        assert 1 == played("asyncio", tape, other, allow_unused=True, allow_loopback=True)


# -- SDKs ---------------------------------------------------------------------------------------


async def by_sdk(url, requests):
    """Send what an SDK might, over the client that it is given."""
    door = connection(url)
    client = sdk_client(door.ssl_context, proxy="")
    key = await door.secret()
    found = []
    async with client:
        for content, wants_all in requests:
            sent = client.build_request(
                "POST", f"{url}/sdk", content=content, headers={"x-key": key}
            )
            response = reply_of_httpx(await client.send(sent, stream=True))
            async for chunk in response.chunks():
                found.append(chunk)
                if not wants_all:
                    break
            await response.aclose()
    return found


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_sdks_are_recorded(backend, tape):
    """Through the client that they are given; in chunks as they came."""

    def answer(request):
        assert "identity" == request.headers["accept-encoding"]
        return chunked([b"data: 1\n\n", b"data: 2\n\n"], headers=SSE)

    requests = [(b'{"a": 1}', True), (b'{"a": 2}', True)]
    with Loopback(answer) as server, record(tape):
        first = run(backend, by_sdk, server.url, requests)
    with replay(tape) as found:
        assert first == run(backend, by_sdk, "http://elsewhere.example", requests[::-1])

    assert b"data: 1\n\ndata: 2\n\n" * 2 == b"".join(first)
    assert [] == found.unused()
    assert KEY not in tape.read_text()


def test_sdks_meet_packed_answers(tape):
    """Of vendors that pack though nobody asked."""
    packed = reply(gzip.compress(b'{"a": 1}'), headers=[*JSON, ("content-encoding", "gzip")])
    with Loopback(packed) as server, record(tape):
        assert [b'{"a": 1}'] == run("asyncio", by_sdk, server.url, [(b"1", True)])
    with replay(tape):
        assert [b'{"a": 1}'] == run("asyncio", by_sdk, "http://x.example", [(b"1", True)])


def test_sdks_meet_broken_connections(tape):
    """Then and now."""
    with Loopback([Then.RESET]) as server, record(tape), pytest.raises(httpx2.TransportError):
        run("asyncio", by_sdk, server.url, [(b"1", True)])
    with replay(tape), pytest.raises(ConnectionError, match="as it was recorded: "):
        run("asyncio", by_sdk, "http://x.example", [(b"1", True)])


def test_ways_through_proxies_are_recorded_too(tape, monkeypatch):
    """Those that the environment names lie beside the usual one."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "exempt.example")

    async def ask():
        door = connection("http://x.example")
        async with sdk_client(door.ssl_context) as client:
            with pytest.raises((httpx2.TransportError, ConnectionError)):
                await client.get("http://x.example/")

    for mode in (record, replay):
        with mode(tape):
            anyio.run(ask)


# -- WebSockets -----------------------------------------------------------------------------------


@contextlib.contextmanager
def speaking(handler, **settings):
    with serve(handler, "127.0.0.1", 0, **settings) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def talked(tape, mode, url, use, *, backend="asyncio", **settings):
    async def talk():
        door = connection(url)
        await door.secret()
        async with door.websocket(f"/live?token={KEY}") as socket:
            return await use(socket)

    with mode(tape, **settings):
        return anyio.run(talk, backend=backend)


def conversing(connection):
    connection.send(f"hello {KEY}")
    for message in connection:
        if message == "bye":
            connection.close(1000)
        else:
            connection.send(message)


async def converse(socket):
    found = [await socket.receive()]
    await socket.send_json({"api_key": "opaque", "n": 1})
    await socket.send(b"\xff\x00")
    found += [await socket.receive(), await socket.receive()]
    await socket.send("bye")
    return [*found, await socket.receive()]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_sockets_are_recorded_and_played(backend, tape):
    """Message by message, each when those before it were sent."""
    with speaking(conversing) as url:
        first = talked(tape, record, url, converse, backend=backend)
    again = talked(tape, replay, "http://x.example", converse, backend=backend)
    text = tape.read_text()

    assert [f"hello {KEY}", '{"api_key":"opaque","n":1}', b"\xff\x00", None] == first
    assert f"hello {SCRUBBED}" == again[0]
    assert {"api_key": SCRUBBED, "n": 1} == json.loads(again[1])
    assert (b"\xff\x00", None) == (again[2], again[3])
    assert KEY not in text
    assert "opaque" not in text
    assert [["token", SCRUBBED]] == exchanges(tape)[0]["request"]["query"]


def test_who_reads_waits_until_it_is_due(tape):
    """Another task may send meanwhile."""

    async def apart(socket):
        found = []

        async def read():
            found.extend([await socket.receive() for _ in range(4)])

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await socket.send("one")
            await socket.send("two")
            await socket.send("three")
        return found

    with speaking(conversing) as url:
        first = talked(tape, record, url, apart)

    assert first[1:] == talked(tape, replay, "http://x.example", apart)[1:]


def test_other_messages_are_refused(tape):
    """With what differs; and those that are too many."""

    async def say(socket, *words):
        for word in words:
            await socket.send(word)
        await socket.receive()

    with speaking(conversing) as url:
        talked(tape, record, url, lambda socket: say(socket, "one"))
    with pytest.raises(ReplayError, match=r"message \d differs") as caught:
        talked(tape, replay, "http://x.example", lambda socket: say(socket, "other"))
    assert '+ "text": "other"' in str(caught.value)
    with pytest.raises(ReplayError, match="more was sent to live than was recorded"):
        talked(tape, replay, "http://x.example", lambda socket: say(socket, "one", "two"))


async def to_the_end(socket):
    return [message async for message in socket]


@pytest.mark.parametrize(("code", "cls"), [(1011, e.ServerError), (4000, e.IncompleteError)])
def test_other_ends_are_played(code, cls, tape):
    """By their codes."""
    with speaking(lambda connection: connection.close(code, f"no {KEY}")) as url:
        with pytest.raises(cls):
            talked_to_the_end(tape, url)
    with pytest.raises(cls, match=rf"closed \({code}\)"):
        talked(tape, replay, "http://x.example", to_the_end)
    assert KEY not in tape.read_text()


def talked_to_the_end(tape, url):
    """Record, though the talk ends in an error."""
    errors = []

    async def end(socket):
        try:
            await to_the_end(socket)
        except e.VendorError as error:
            errors.append(error)

    talked(tape, record, url, end)
    raise errors[0]


def test_other_errors_of_a_library_are_not_the_end():
    """They go by as they are."""

    class Broken:
        async def recv(self):
            raise OSError

    talk = Talk("ws://x.example")
    socket = Recorded(talk, None)
    socket._open = Broken()
    with pytest.raises(OSError):
        anyio.run(socket.recv)

    assert talk.closed is None


def test_connections_that_break_break_again(tape):
    """Without a word."""
    with speaking(lambda connection: connection.socket.close()) as url:
        with pytest.raises(e.IncompleteError):
            talked_to_the_end(tape, url)
    with pytest.raises(e.IncompleteError, match="without a word"):
        talked(tape, replay, "http://x.example", to_the_end)


def test_what_we_have_closed_is_closed(tape):
    """Whoever waits then is let go."""

    async def close(socket):
        found = await socket.receive()
        await socket.close()
        return found is not None, await socket.receive()

    async def waits(socket):
        await socket.receive()
        got = []

        async def read():
            got.append(await socket.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await socket.close()
        return got

    with speaking(conversing) as url:
        assert (True, None) == talked(tape, record, url, close)
    assert (True, None) == talked(tape, replay, "http://x.example", close)
    kept = json.loads(tape.read_text())
    kept["exchanges"][0].pop("closed", None)
    tape.write_text(json.dumps(kept))
    assert [None] == talked(tape, replay, "http://x.example", waits)
    kept["exchanges"][0]["messages"].append({"sent": None})
    kept["exchanges"][0]["messages"].append({"received": {"text": ["never"]}})
    tape.write_text(json.dumps(kept))
    assert [None] == talked(tape, replay, "http://x.example", waits)


def test_refused_handshakes_are_played(tape):
    """By their status; and no connection at all."""

    def refuse(connection, request):
        return connection.respond(429, f"slowly, {KEY}\n")

    async def never(socket):
        raise AssertionError

    def tried(mode, url, error):
        async def talk():
            door = connection(url)
            await door.secret()
            with pytest.raises(error):
                async with door.websocket("/live") as socket:
                    await never(socket)

        with mode(tape):
            anyio.run(talk)

    with speaking(conversing, process_request=refuse) as url:
        tried(record, url, e.RateLimitedError)
    tried(replay, "http://x.example", e.RateLimitedError)
    assert KEY not in tape.read_text()
    tried(record, "http://127.0.0.1:9", e.ConnectionFailedError)
    tried(replay, "http://x.example", e.ConnectionFailedError)


def test_who_is_cancelled_while_closing_breaks_the_connection_off(tape):
    """The core needs the library's own transport for it."""

    async def look(socket):
        return socket._connection.transport is not None

    with speaking(conversing) as url:
        assert talked(tape, record, url, look)
    assert not talked(tape, replay, "http://x.example", look)


def test_large_messages_are_left_out(tape):
    """And missed."""

    async def read(socket):
        return len(await socket.receive())

    with speaking(lambda connection: connection.send("x" * 100)) as url:
        assert 100 == talked(tape, record, url, read, limit=99)
    with pytest.raises(ReplayError, match="100 bytes"):
        talked(tape, replay, "http://x.example", read)


def test_a_tape_says_what_it_has(tape):
    """To those who ask."""
    recorded("asyncio", tape, counted, ask_twice)
    found = Tape.read(str(tape))

    assert Path(tape) == found.path
    assert ["1. POST /v1", "2. POST /v1"] == found.unused()
