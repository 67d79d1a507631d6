"""Calls over loopback: each library on each event loop, and bodies to send back."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
import anyio.to_thread
from anymodal.http import Http, connect_transport

from .loopback import Loopback, Step, reply

KEY: Final = "sk-very-secret-0123456789"
KIB: Final = 1024
MIB: Final = 1024 * 1024
CONTEXT: Final = ssl.create_default_context()
WAYS: Final = (
    ("asyncio", "httpx2"),
    ("trio", "httpx2"),
    ("asyncio", "httpx"),
    ("trio", "httpx"),
    ("asyncio", "aiohttp"),
)


@asynccontextmanager
async def calling(url: str, way: tuple[str, str], **settings) -> AsyncIterator[Http]:
    """Call *url* over the library of *way*, and close what that opened."""
    transport = connect_transport(way[1], CONTEXT)
    try:
        yield Http(provider="acme", base_url=url, transport=transport, **settings)
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()


async def is_left_alone(server: Loopback) -> bool:
    """Wait without holding up the event loop, which has connections to close."""
    return await anyio.to_thread.run_sync(server.is_left_alone)


def zeros(count: int) -> bytes:
    """Return *count* bytes of zeros, packed; a thousandth of that."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(count // MIB)) + packer.flush()


def packed(content: bytes, encoding: str = "gzip", status: int = 200) -> list[Step]:
    """Return an answer that says it is packed."""
    return reply(content, status, [("content-encoding", encoding)])
