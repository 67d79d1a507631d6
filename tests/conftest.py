"""Everything here runs on what is installed, against emulators on loopback."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both event loops."""
    return request.param


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory) -> None:
    """No key, setting or cache of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("ANYMODAL_", "OPENAI_", "ENABLE_PROVIDER_")) or name.endswith(
            "_API_KEY"
        ):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", str(home / "cache"))
    monkeypatch.chdir(home)
