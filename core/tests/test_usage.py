"""Prices, usage and cost: unknown is unknown, never nothing."""

import datetime as dt
from decimal import Decimal

import attrs
import pytest
from anymodal.usage import Cost, Price, Prices, Record, Usage, cost_of
from hypothesis import given
from hypothesis import strategies as st

DAY = dt.date(2026, 11, 20)
SOURCE = "https://acme.example/prices"


def prices(**usd):
    """Dollars per million, by unit."""
    return Prices([Price(unit, Decimal(value)) for unit, value in usd.items()], SOURCE, DAY)


FULL = prices(input_token="2", cached_input_token="0.2", cache_write_token="2.5", output_token="10")
PLAIN = prices(input_token="2", output_token="10")


def test_tokens_cost_what_the_page_says():
    """A million in and a hundred thousand out: 2 + 1 dollars, with source and day."""
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000)

    assert cost_of(usage, FULL) == Cost(Decimal(3), SOURCE, DAY)


def test_cached_and_written_input_has_prices_of_its_own():
    """They are part of the input, so they are not paid twice."""
    usage = Usage(
        input_tokens=1_000_000,
        cached_input_tokens=500_000,
        cache_write_tokens=100_000,
        output_tokens=0,
    )

    assert cost_of(usage, FULL).usd == Decimal("0.8") + Decimal("0.1") + Decimal("0.25")


def test_cached_input_without_a_price_counts_as_plain_input():
    """Too much rather than unknown: the plain price is the most a vendor takes for it."""
    usage = Usage(
        input_tokens=100, cached_input_tokens=50, cache_write_tokens=10, output_tokens=100
    )

    assert cost_of(usage, PLAIN) == cost_of(Usage(input_tokens=100, output_tokens=100), PLAIN)


def test_cached_input_may_be_free():
    """A price of 0 is a price."""
    usage = Usage(input_tokens=100, cached_input_tokens=100, output_tokens=0)
    free = prices(input_token="2", cached_input_token="0", output_token="10")

    assert cost_of(usage, free).usd == 0


def test_what_the_vendor_says_it_cost_beats_every_table():
    """It knows its discounts."""
    usage = Usage(usd=Decimal("0.5"), input_tokens=1, output_tokens=1)

    assert cost_of(usage, FULL) == Cost(Decimal("0.5"), "reported by the vendor")


@pytest.mark.parametrize(
    ("usage", "table", "why"),
    [
        (None, FULL, "the vendor reported no usage"),
        (Usage(input_tokens=1, output_tokens=1), None, "no price is known for this model"),
        (Usage(input_tokens=1), FULL, "the vendor reported incomplete usage"),
        (Usage(output_tokens=1), FULL, "the vendor reported incomplete usage"),
        (
            Usage(input_tokens=1, output_tokens=1),
            prices(input_token="1"),
            "no token price is known for this model",
        ),
        (
            Usage(input_tokens=1, output_tokens=1),
            prices(output_token="1"),
            "no token price is known for this model",
        ),
    ],
)
def test_unknown_cost_is_none_and_says_why(usage, table, why):
    """A budget that took it for 0 would never end."""
    assert cost_of(usage, table) == Cost(None, why)


COUNTS = st.integers(0, 10**9)


@given(plain=COUNTS, cached=COUNTS, written=COUNTS, output=COUNTS, extra=st.integers(1, 10**6))
def test_more_tokens_never_cost_less(plain, cached, written, output, extra):
    """Whatever share of them was cached, and the cost is exact."""
    before = Usage(
        input_tokens=plain + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output,
    )
    after = attrs.evolve(before, output_tokens=output + extra)
    per_million = plain * 2 + cached * Decimal("0.2") + written * Decimal("2.5") + output * 10

    assert cost_of(before, FULL).usd == per_million / 1_000_000
    assert cost_of(after, FULL).usd == cost_of(before, FULL).usd + Decimal(extra * 10) / 1_000_000


def test_more_cached_than_input_is_never_negative():
    """Vendors have reported that; the plain part is then none."""
    usage = Usage(input_tokens=10, cached_input_tokens=20, output_tokens=0)

    assert cost_of(usage, FULL).usd == 20 * Decimal("0.2") / 1_000_000


def test_total_is_known_where_both_parts_are():
    """Half a sum is no sum."""
    assert Usage(input_tokens=2, output_tokens=3).total_tokens == 5
    assert Usage(input_tokens=2).total_tokens is None
    assert Usage(output_tokens=2).total_tokens is None


def test_price_per_unit():
    """Images are priced by the piece, tokens by the million."""
    table = Prices([Price("image", "0.04", 1), Price("input_token", 2)], SOURCE, DAY)

    assert table.usd_per("image") == Decimal("0.04")
    assert table.usd_per("input_token") == Decimal("0.000002")
    assert table.usd_per("second") is None


def test_unit_has_one_price():
    """Which of two would hold?"""
    with pytest.raises(ValueError, match="priced twice"):
        Prices([Price("image", 1), Price("image", 2)], SOURCE, DAY)


@pytest.mark.parametrize(
    "arguments", [("pixel", 1), ("image", -1), ("image", 1, 0)], ids=["unit", "usd", "per"]
)
def test_nonsense_is_no_price(arguments):
    """An unknown unit, a negative price, a price for none."""
    with pytest.raises(ValueError):
        Price(*arguments)


def test_record_of_a_call_that_has_not_ended():
    """Its cost is unknown and says so; its raw answer is never printed."""
    record = Record(id="c1", modality="text", operation="generate", raw="a long answer")

    assert record.cost == Cost(None, "the call has not ended")
    assert "long answer" not in repr(record)


def test_records_share_nothing():
    """A warning of one call is not one of the next."""
    one, two = (Record(id=i, modality="text", operation="generate") for i in "ab")
    one.attempts.append(None)
    one.warnings.append(None)

    assert two.attempts == []
    assert two.warnings == []
