from __future__ import annotations

import os

import pytest
from anymodal_sqlite_log import SqliteLog


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch, tmp_path):
    """No key, setting or log of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("ANYMODAL_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANYMODAL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def path(tmp_path):
    """A file that is not there yet, in a folder that is not there either."""
    return tmp_path / "kept" / "calls.sqlite"


@pytest.fixture
def log(path):
    with SqliteLog(path) as made:
        yield made
