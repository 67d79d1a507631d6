"""A vendor's SDK over the client that is given to it: measured, and closed, like ours."""

from __future__ import annotations

import gzip

import pytest
from anymodal.http import opened, read, reply_of_httpx, sdk_client
from anymodal.streams import SseSplitter

from .calling import CONTEXT, is_left_alone
from .loopback import Loopback, Then, head, reply

pytestmark = pytest.mark.usefixtures("no_proxies", "nothing_dropped")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


GZIP = [("content-encoding", "gzip"), ("content-type", "application/json")]


@pytest.mark.anyio
async def test_streams_of_an_sdk_are_closed():
    """Left half-way, the connection is closed and nothing dropped."""
    answer = [head(200, [("transfer-encoding", "chunked")]), b"9\r\ndata: 1\n\n\r\n", Then.HOLD]
    with Loopback(answer) as server:
        client = sdk_client(CONTEXT)
        request = client.build_request("GET", server.url)
        answered = reply_of_httpx(await client.send(request, stream=True))
        async with opened(answered, "acme", SseSplitter().feed) as events:
            assert await anext(events) == (b"", b"1")
        assert await is_left_alone(server)
        await client.aclose()


@pytest.mark.anyio
async def test_bodies_of_an_sdk_are_read_whole():
    """`read` takes what `reply_of_httpx` gives."""
    with Loopback(reply(gzip.compress(b"whole"), 200, GZIP)) as server:
        client = sdk_client(CONTEXT)
        request = client.build_request("GET", server.url)
        answered = reply_of_httpx(await client.send(request, stream=True))
        assert (answered.status, answered.headers.get("content-encoding")) == (200, None)
        assert await read(answered, "acme") == b"whole"
        await client.aclose()


@pytest.mark.anyio
async def test_sdks_say_for_themselves_who_calls():
    """What the SDK sets stands; our own name would hide it from the vendor's support."""
    with Loopback(reply(b"")) as server:
        client = sdk_client(CONTEXT)
        await client.get(server.url, headers={"user-agent": "Acme/Python 2"})
        await client.get(server.url)
        await client.aclose()

    first, second = server.received
    assert first.headers["user-agent"] == "Acme/Python 2"
    assert not second.headers["user-agent"].startswith("anymodal/")
