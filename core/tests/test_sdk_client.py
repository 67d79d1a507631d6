"""A vendor's SDK over the client that is given to it: measured, and closed, like ours."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
import pytest
from anymodal import errors as e
from anymodal.failures import transport_errors
from anymodal.http import opened, read, reply_of_httpx, sdk_client
from anymodal.streams import SseSplitter

from .calling import CONTEXT, MIB, is_left_alone, zeros
from .loopback import Loopback, Then, head, reply

pytestmark = pytest.mark.usefixtures("no_proxies", "nothing_dropped")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


GIGABYTE = zeros(1024 * MIB)
GZIP = [("content-encoding", "gzip"), ("content-type", "application/json")]


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        api_key="sk-test", base_url=url, max_retries=0, http_client=sdk_client(CONTEXT)
    ) as client:
        yield client


@pytest.mark.anyio
async def test_packed_answers_are_read():
    """The SDK never learns that they were packed."""
    content = gzip.compress(json.dumps({"object": "list", "data": [{"id": "m"}]}).encode())
    with Loopback(reply(content, 200, GZIP)) as server:
        async with calling(server.url) as client:
            assert (await client.models.list()).data[0].id == "m"


@pytest.mark.anyio
async def test_bombs_in_error_bodies_are_cut():
    """The status stands, and 64 KiB of the body are kept."""
    with Loopback(reply(GIGABYTE, 429, GZIP)) as server:
        async with calling(server.url) as client:
            tracemalloc.start()
            try:
                with pytest.raises(openai.RateLimitError):
                    await client.models.list()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert peak < 8 * MIB


@pytest.mark.anyio
async def test_bombs_in_answers_are_refused():
    """The SDK lets our error through as it is (openai 3.52.0)."""
    with Loopback(reply(GIGABYTE, 200, GZIP)) as server:
        async with calling(server.url) as client:
            with (
                pytest.raises(e.TooLargeError, match="^acme: the answer is over"),  # noqa: RUF043
                transport_errors("acme"),
            ):
                await client.models.list()
            assert await is_left_alone(server)


@pytest.mark.anyio
async def test_truncated_answers_are_refused():
    """The same for a body whose compression ended early."""
    content = gzip.compress(json.dumps({"data": []}).encode())[:-4]
    with Loopback(reply(content, 200, GZIP)) as server:
        async with calling(server.url) as client:
            with pytest.raises(e.IncompleteError):
                await client.models.list()


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
@pytest.mark.parametrize("status", [301, 307])
async def test_sdks_do_not_follow_redirects(status):
    """Most SDKs would, with the key."""
    with Loopback(reply(b"stolen")) as other:
        with Loopback(reply(b"", status, [("location", other.url)])) as server:
            async with calling(server.url) as client:
                with pytest.raises(openai.APIStatusError) as caught:
                    await client.models.list()

        assert caught.value.status_code == status
        assert other.accepted == 0
