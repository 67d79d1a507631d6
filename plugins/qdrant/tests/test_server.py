"""A server: what is sent to it, and what its refusals mean. It speaks a few fixed answers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e

pytestmark = pytest.mark.anyio
ONCE = Policy(retry=Retry(attempts=1))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Server(ThreadingHTTPServer):
    """Gives one answer to everything, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.status, self.headers, self.body = 200, {}, {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.path, dict(self.headers)))
        body = server.body if isinstance(server.body, bytes) else json.dumps(server.body).encode()
        self.send_response(server.status)
        for name, value in {"content-type": "application/json", **server.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    found = Server()
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def client(url, **more):
    told = {"instances": {"shared": {"provider": "qdrant", "base_url": url, **more}}}
    return Client(Settings.from_mapping(told), policy=ONCE)


async def test_key_goes_into_its_header(server):
    """And into nothing that is printed."""
    server.body = {"result": {"collections": []}, "status": "ok", "time": 0.1}
    async with client(server.url, api_key="qd-secret") as ai:
        assert () == await ai.retrieval.collections(model="shared")
        door = ai._way.doors._open["retrieval", "shared"]

    ((path, headers),) = server.asked
    assert ("/collections", "qd-secret") == (path, headers["api-key"])
    assert "qd-secret" not in repr(door)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (400, {}, e.BadRequestError),
        (401, {}, e.AuthenticationError),
        (403, {}, e.PermissionDeniedError),
        (404, {}, e.NotFoundError),
        (409, {}, e.BadRequestError),
        (429, {"retry-after": "7"}, e.RateLimitedError),
        (500, {}, e.ServerError),
        (503, {}, e.OverloadedError),
    ],
)
async def test_refusals_are_of_our_own_tree(server, status, headers, expected):
    """By their status, with the server's words and without the key."""
    server.status, server.headers = status, headers
    server.body = {"status": {"error": "no such thing for qd-secret"}, "time": 0.1}
    async with client(server.url, api_key="qd-secret") as ai:
        with pytest.raises(e.VendorError) as caught:
            await ai.retrieval.collections(model="shared")

    assert expected is type(caught.value)
    assert (status, "qdrant") == (caught.value.status, caught.value.provider)
    assert "qd-secret" not in str(caught.value)
    assert not headers or 7 == caught.value.retry_after


@pytest.mark.parametrize("body", [b"<html>", b"{}", {"result": {"collections": 7}}])
async def test_answer_out_of_shape(server, body):
    """Something else may listen on that port."""
    server.body = body
    async with client(server.url) as ai:
        with pytest.raises(e.MalformedReplyError, match="shared"):
            await ai.retrieval.collections(model="shared")


async def test_server_that_is_not_there(server):
    """Nothing was sent, and so another may be asked."""
    server.shutdown()
    server.server_close()
    async with client(server.url) as ai:
        with pytest.raises(e.ConnectionFailedError, match="refuses connections") as caught:
            await ai.retrieval.collections(model="shared")

    assert caught.value.never_sent
