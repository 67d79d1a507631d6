"""What the tests of this plugin share."""

from __future__ import annotations

import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import emulated

SPEC = EmulatorSpec(
    provider="elevenlabs", app="anymodal_elevenlabs.emulator:app", key="sk_tests0123456789"
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running
