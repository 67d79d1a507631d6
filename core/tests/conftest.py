"""What tests over loopback share."""

from __future__ import annotations

import gc

import pytest

from .calling import WAYS
from .plugins_on_path import site  # noqa: F401  # a fixture


@pytest.fixture(params=WAYS, ids="-".join)
def way(request):
    """Each event loop with each HTTP library that runs on it."""
    return request.param


@pytest.fixture
def no_proxies(monkeypatch):
    """Whoever runs this may live behind a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def little_garbage():
    """Collecting after every test is dear unless what stays is set aside."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def nothing_dropped(little_garbage):
    """What was left for the garbage collector is found in the test that left it."""
    yield
    gc.collect()
