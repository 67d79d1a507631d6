"""Quillon's provider, against its emulator."""

from __future__ import annotations

from decimal import Decimal

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


async def test_it_costs_what_the_table_says(ai):
    """Two tokens in, ten out, by the prices of the page."""
    reply = await ai.text.generate("Hello!", model="quillon/nib-2")

    assert reply.record.cost.usd == (2 * Decimal("0.40") + 10 * Decimal("1.60")) / 1_000_000


async def test_it_waits_as_long_as_it_is_told_to(ai, vendor):
    """Quillon is busy once; the second attempt is answered."""
    vendor.script(Status(429, retry_after=1))
    reply = await ai.text.generate("Hello!", model="quillon/nib-2", policy=Policy(retry=Retry()))

    assert [type(one.error) for one in reply.record.attempts] == [
        errors.RateLimitedError,
        type(None),
    ]


async def test_quillon_says_which_models_it_has(ai):
    """The vendor's own list, which `anymodal models --refresh` asks for."""
    found = await ai.discover("quillon", refresh=True)

    assert [one.name for one in found.models] == ["quillon/nib-2"]
