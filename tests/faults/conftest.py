"""Servers for the whole campaign, and its table."""

from __future__ import annotations

import gc
import os

import pytest

from .places import places as opened
from .table import PAGE, WRITE, page


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """Every server, once; in the end the page is written, where that is asked for."""
    with opened(tmp_path_factory.mktemp("places")) as found:
        yield found
    if os.environ.get(WRITE):
        PAGE.write_text(page(found.words), "utf-8")


@pytest.fixture(autouse=True)
def nothing_dropped():
    """What was left for the garbage collector is found in the test that left it."""
    gc.freeze()  # else each collection goes through two SDKs
    yield
    gc.collect()
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Whoever runs this may live behind one."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
