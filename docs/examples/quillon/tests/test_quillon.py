"""Quillon's provider, against its emulator."""

from __future__ import annotations

import anymodal
import pytest
from anymodal import Policy, Retry, errors
from anymodal_emulator import Status, emulated

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run each test on both event loops."""
    return request.param


@pytest.fixture
def vendor():
    """Quillon, on loopback."""
    with emulated("quillon") as found:
        yield found


@pytest.fixture
async def ai(vendor):
    """A client that knows no other Quillon, and asks once."""
    settings = anymodal.Settings.from_mapping(vendor.settings())
    async with anymodal.Client(settings, policy=Policy(retry=Retry(attempts=1))) as client:
        yield client


async def test_a_stream_has_the_words_and_what_they_cost(ai):
    """The pieces, joined, are the answer; the last event has the usage."""
    async with ai.text.stream("Hello!", model="quillon/nib-2") as stream:
        words = [word async for word in stream.text]

    assert len(words) > 3
    assert "".join(words) == "quillon (nib-2) heard: Hello!"
    assert stream.record.cost.usd > 0


async def test_everything_arrives_in_quillons_words(ai, vendor):
    """What the caller says is in the body; what Quillon lacks is a warning."""
    reply = await ai.text.generate(
        "Go on.", model="quillon/nib-2", system="Be brief.", temperature=3, seed=7, max_tokens=200
    )

    assert vendor.requests[0].json == {
        "model": "nib-2",
        "turns": [{"who": "user", "says": "Go on."}],
        "guide": "Be brief.",
        "heat": 1,
        "limit": 200,
    }
    assert {one.setting for one in reply.record.warnings} == {"temperature", "seed"}


@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        ("emulator:context", errors.ContextLengthError),
        ("emulator:quota", errors.QuotaExceededError),
        ("emulator:block", errors.ContentFilteredError),
        ("emulator:filter", errors.ContentFilteredError),
        ("emulator:fail", errors.IncompleteError),
    ],
)
async def test_refusals_have_their_errors(ai, prompt, error):
    """Before the answer begins, and after."""
    with pytest.raises(error):
        await ai.text.generate(prompt, model="quillon/nib-2")


async def test_a_busy_vendor_says_when_to_come_back(ai, vendor):
    """The status alone is enough for the table of the core."""
    vendor.script(Status(429, retry_after=7))

    with pytest.raises(errors.RateLimitedError) as caught:
        await ai.text.generate("Hello!", model="quillon/nib-2")
    assert caught.value.retry_after == 7


async def test_quillon_says_which_models_it_has(ai):
    """The vendor's own list, which `anymodal models --refresh` asks for."""
    found = await ai.discover("quillon", refresh=True)

    assert [one.name for one in found.models] == ["quillon/nib-2"]
