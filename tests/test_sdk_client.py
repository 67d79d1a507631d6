"""A vendor's SDK over the client that the core makes for it: measured, and led nowhere else."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
import pytest
from anymodal import errors
from anymodal.connection import Tls
from anymodal.failures import transport_errors
from anymodal.http import sdk_client
from anymodal_emulator import Status, emulated

MIB = 1024 * 1024
CONTEXT = Tls().context
GZIP = {"content-encoding": "gzip", "content-type": "application/json"}
EMPTY = gzip.compress(json.dumps({"object": "list", "data": []}).encode())


def bomb() -> bytes:
    """Return a gigabyte of zeros, packed."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(1024)) + packer.flush()


BOMB = bomb()


@asynccontextmanager
async def calling(*faults: Status) -> AsyncIterator[openai.AsyncOpenAI]:
    """Give the SDK's client; its first requests meet *faults*."""
    with emulated("openai") as vendor:
        vendor.script(*faults)
        async with openai.AsyncOpenAI(
            api_key=vendor.key,
            base_url=vendor.base_url,
            max_retries=0,
            http_client=sdk_client(CONTEXT),
        ) as client:
            yield client


@pytest.mark.anyio
async def test_packed_answers_are_read():
    """The SDK never learns that they were packed."""
    async with calling(Status(200, EMPTY, headers=GZIP)) as client:
        assert [] == (await client.models.list()).data


@pytest.mark.anyio
async def test_bombs_in_error_bodies_are_cut():
    """The status stands, and little of the body is kept."""
    async with calling(Status(429, BOMB, headers=GZIP)) as client:
        tracemalloc.start()
        try:
            with pytest.raises(openai.RateLimitError):
                await client.models.list()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < 16 * MIB


@pytest.mark.anyio
async def test_bombs_in_answers_are_refused():
    """Our error comes through the SDK as it is."""
    async with calling(Status(200, BOMB, headers=GZIP)) as client:
        with (
            pytest.raises(errors.TooLargeError, match="the answer is over"),
            transport_errors("openai"),
        ):
            await client.models.list()


@pytest.mark.anyio
async def test_truncated_answers_are_refused():
    """The same for a body whose compression ended early."""
    async with calling(Status(200, EMPTY[:-4], headers=GZIP)) as client:
        with pytest.raises(errors.IncompleteError):
            await client.models.list()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 307])
async def test_sdks_do_not_follow_redirects(status):
    """Left to itself this one would, with the key."""
    with emulated("openai") as other:
        async with calling(Status(status, b"", headers={"location": other.base_url})) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.models.list()

        assert status == caught.value.status_code
        assert () == other.requests
