"""A LibreTranslate server on loopback."""

from __future__ import annotations

import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal_emulator import emulated


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both event loops."""
    return request.param


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch, tmp_path):
    """No key, cache or state of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LIBRETRANSLATE_URL", raising=False)


@pytest.fixture
def server():
    """The server."""
    with emulated("libretranslate") as vendor:
        yield vendor


@pytest.fixture
async def ai(server):
    """A client of it that asks once."""
    once = Policy(retry=Retry(attempts=1))
    async with Client(Settings.from_mapping(server.settings()), policy=once) as client:
        yield client
