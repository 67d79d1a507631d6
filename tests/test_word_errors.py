"""What is spoken on this machine is understood on it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from wer import hearing, mistakes, rates  # where the benchmark has it

WRONG_AT_MOST = 0.1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_grammar_of_orders_is_understood(capsys):
    """One word in ten may be wrong; without a grammar it is what it is, and printed."""
    found = rates([one async for one in hearing()])
    with capsys.disabled():
        print("\nwords wrong:", ", ".join(f"{way} {rate:.0%}" for way, rate in found.items()))

    assert found["grammar"] <= WRONG_AT_MOST


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        ("turn off the light", 0),
        ("turn the light", 1),
        ("turn on the light", 1),
        ("please turn off the light", 1),
        ("", 4),
    ],
)
def test_mistakes_are_words_to_mend(heard, wrong):
    """Put in, left out, or replaced."""
    assert mistakes(["turn", "off", "the", "light"], heard.split()) == wrong
