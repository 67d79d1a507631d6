"""Prices by unit, size and quality: which holds, what work costs, what is typical."""

import datetime as dt
import json
from decimal import Decimal

import attrs
import pytest
from anymodal.modalities import BUILT_IN, Modality
from anymodal.pricing import PRICE_UNITS, Price, Prices, Used, typical_cost
from anymodal.usage import Cost, Usage, cost_of
from hypothesis import given
from hypothesis import strategies as st

DAY = dt.date(2026, 11, 20)
SOURCE = "https://acme.example/prices"
PLAIN = {"input_token": "2", "output_token": "10"}


def prices(*items, **usd):
    """Prices of *items*, and of units with no size and no quality."""
    return Prices([*items, *(Price(unit, value) for unit, value in usd.items())], SOURCE, DAY)


PICTURES = prices(
    Price("image", "0.04"),
    Price("image", "0.05", size="2K"),
    Price("image", "0.06", quality="high"),
    Price("image", "0.09", size="2K", quality="high"),
)

# -- which price holds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "quality", "usd"),
    [
        ("2K", "high", "0.09"),
        ("2K", "low", "0.05"),
        ("4K", "high", "0.06"),
        ("4K", "low", "0.04"),
        ("", "", "0.04"),
    ],
)
def test_the_closest_price_holds(size, quality, usd):
    """Size before quality, and the one that names neither for all the rest."""
    assert Decimal(usd) == PICTURES.usd_per("image", size, quality)


def test_what_is_priced_by_size_alone_has_no_other_price():
    """A guess would be a wrong price."""
    video = prices(Price("second", "0.08", size="720p"), Price("second", "0.25", size="1080p"))

    assert Decimal("0.25") == video.usd_per("second", "1080p")
    assert None is video.usd_per("second", "4k") is video.usd_per("second")
    assert Decimal("0.08") == video.cheapest("second")
    assert None is video.cheapest("image")


def test_pieces_are_sold_by_one_and_tokens_by_the_million():
    """As vendors write them, unless it is said."""
    assert 1 == Price("image", "0.04").per == Price("second", 1).per
    assert 1_000_000 == Price("output_token", 1).per == Price("character", 15).per
    assert Decimal("0.0001") == prices(Price("second", "0.36", 3600)).usd_per("second")


def test_prices_of_floats_have_the_digits_that_were_written():
    """0.1 is a dime and not what a double makes of it."""
    assert Decimal("0.1") == Price("image", 0.1).usd
    assert Decimal("3.2") == Used("second", 3.2).amount


@pytest.mark.parametrize("amount", [-1, "nan", float("inf")])
def test_nobody_uses_less_than_nothing(amount):
    """Nor without end."""
    with pytest.raises(ValueError):
        Used("second", amount)


# -- what was used ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "table", "usd"),
    [
        (Usage(units=(Used("image", 2, "2K", "high"),)), PICTURES, "0.18"),
        (Usage(units=(Used("image", 1, "2K"), Used("image", 1))), PICTURES, "0.09"),
        (Usage(5, 0, units=(Used("image", 1),)), PICTURES, "0.04"),
        (Usage(units=(Used("second", "2.5"),)), prices(second="0.1"), "0.25"),
        (Usage(units=(Used("character", 1000),)), prices(character="15"), "0.015"),
        (Usage(1_000_000, 0, units=(Used("search", 3),)), prices(**PLAIN, search="0.01"), "2.03"),
        (Usage(1_000_000, 0), prices(**PLAIN, request="0.5"), "2.5"),
        (Usage(0, 0, units=(Used("request", 4),)), prices(**PLAIN, request="0.5"), "2"),
        (Usage(3, 2), prices(request="0.5"), "0.5"),
        (Usage(1_000_000, 0), prices(input_token="2"), "2"),
        (Usage(0, 0, 0), prices(output_token="2"), "0"),
        (
            Usage(1_000_000, 1_000_000, units=(Used("audio_input_token", 400_000),)),
            prices(**PLAIN, audio_input_token="32"),
            "24",
        ),
        (
            Usage(0, 1_000_000, units=(Used("image_output_token", 900_000),)),
            prices(**PLAIN, image_output_token="30"),
            "28",
        ),
        (Usage(1_000_000, 0, units=(Used("image_input_token", 9),)), prices(**PLAIN), "2"),
    ],
)
def test_all_that_was_used_is_paid_once(usage, table, usd):
    """Tokens of sound are among the others, and are not paid twice."""
    assert Cost(Decimal(usd), SOURCE, DAY) == cost_of(usage, table)


@pytest.mark.parametrize(
    ("usage", "table", "why"),
    [
        (Usage(units=(Used("image", 1, "9K"),)), prices(Price("image", 1, size="2K")), "image 9K"),
        (Usage(1, 1, units=(Used("search", 1),)), prices(**PLAIN), "search"),
        (Usage(1, 1, units=(Used("audio_input_token", 1),)), prices(**PLAIN), "audio_input_token"),
        (Usage(units=(Used("image", 1),)), prices(**PLAIN, image="1"), "incomplete usage"),
        (Usage(5, 5), prices(image="1"), "incomplete usage"),
        (Usage(), prices(), "no price is known"),
        (Usage(2, 0, 2), prices(output_token="1"), "no token price"),
        (Usage(2, 0, 0, 2), prices(output_token="1"), "no token price"),
        (Usage(2, 0, 0, 2), prices(output_token="1", request="1"), "no token price"),
    ],
)
def test_what_has_no_price_makes_the_cost_unknown(usage, table, why):
    """Part of a cost is no cost."""
    cost = cost_of(usage, table)

    assert cost.usd is None
    assert why in cost.source


def test_amounts_are_added_up():
    """Of whatever size; what was not used has none."""
    usage = Usage(units=(Used("image", 1, "2K"), Used("image", 2), Used("second", "0.5")))

    assert (3, Decimal("0.5"), None) == tuple(
        usage.amount(unit) for unit in ("image", "second", "search")
    )


COUNTS = st.integers(0, 10**9)
FULL = prices(
    input_token="2", cached_input_token="0.2", cache_write_token="2.5", output_token="10",
    audio_input_token="32", audio_output_token="64", second="0.1", search="0.01",
)  # fmt: skip


@st.composite
def usages(draw):
    """What one call may have used: parts are parts of their wholes."""
    cached, written, heard, told = (draw(COUNTS) for _ in range(4))
    return Usage(
        input_tokens=cached + written + heard + draw(COUNTS),
        output_tokens=told + draw(COUNTS),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        units=tuple(
            Used(unit, amount)
            for unit, amount in (
                ("audio_input_token", heard),
                ("audio_output_token", told),
                ("second", draw(st.integers(0, 10**6))),
                ("search", draw(st.integers(0, 50))),
            )
        ),
    )


def together(one, other):
    """The sum of two usages, as a vendor that counts for both would report it."""
    counted = {
        name: getattr(one, name) + getattr(other, name)
        for name in ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens")
    }
    return Usage(**counted, units=(*one.units, *other.units))


@given(one=usages(), other=usages())
def test_costs_add_up(one, other):
    """A day costs what its calls cost."""
    assert (
        cost_of(one, FULL).usd + cost_of(other, FULL).usd == cost_of(together(one, other), FULL).usd
    )


@given(usage=usages(), other=usages())
def test_more_never_costs_less(usage, other):
    """Of anything."""
    assert cost_of(usage, FULL).usd <= cost_of(together(usage, other), FULL).usd


# -- discounts and JSON ------------------------------------------------------------------------

WORDS = st.sampled_from(["", "1024x1024", "2K", "high"])
ITEMS = st.lists(
    st.builds(
        Price,
        st.sampled_from(sorted(PRICE_UNITS)),
        st.decimals(0, 10**6, allow_nan=False, allow_infinity=False),
        st.integers(1, 10**9),
        WORDS,
        WORDS,
    ),
    unique_by=lambda one: (one.unit, one.size, one.quality),
)


@given(items=ITEMS, source=st.text(), day=st.dates())
def test_prices_survive_json(items, source, day):
    """To the last digit."""
    found = Prices(items, source, day)

    assert found == Prices.from_dict(json.loads(json.dumps(found.to_dict())))


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"items": {}, "source": "", "as_of": "2026-11-20"},
        {"items": [], "source": "", "as_of": 5},
        {"items": [], "source": "", "as_of": "soon"},
        {"items": [{"unit": "smile", "usd": "1"}], "source": "", "as_of": "2026-11-20"},
        {"items": [{"colour": "red"}], "source": "", "as_of": "2026-11-20"},
    ],
)
def test_what_is_no_price_table_is_none(found):
    """A cache file may be anything."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        Prices.from_dict(found)


@given(items=ITEMS)
def test_a_discount_is_one_on_everything(items):
    """Whatever its size and quality."""
    whole = Prices(items, SOURCE, DAY)
    half = whole.times("0.5", "half", DAY)

    assert [attrs.evolve(one, usd=one.usd / 2) for one in whole.items] == list(half.items)
    assert "half" == half.source


TYPICAL = {one.name: one.typical for one in BUILT_IN}


# -- for comparing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modality", "table", "usd"),
    [
        ("text", prices(**PLAIN), "0.016"),
        ("text", prices(**PLAIN, request="0.01"), "0.026"),
        ("text", prices(request="0.01"), "0.01"),
        ("text", prices(input_token="2"), None),
        ("text", prices(input_token="2", request="1"), None),
        ("image", PICTURES, "0.04"),
        ("image", prices(input_token="5", image_output_token="30"), "0.0305"),
        ("video", prices(Price("second", "0.25", size="1080p"), Price("second", "0.08")), "0.4"),
        ("transcription", prices(Price("second", "0.36", 3600)), "0.006"),
        ("embedding", prices(input_token="0.02"), "0.00002"),
        ("retrieval", prices(request="0.001"), "0.001"),
        ("poetry", prices(**PLAIN), None),
        ("text", None, None),
    ],
)
def test_typical_work_has_a_cost(modality, table, usd):
    """By the first way of selling it whose units are all priced; unknown is not cheap."""
    assert (None if usd is None else Decimal(usd)) == typical_cost(table, TYPICAL.get(modality, ()))


def test_every_kind_of_work_is_typical_of_something():
    """Units that nobody prices would compare nothing."""
    assert {"retrieval"} == {name for name, mixes in TYPICAL.items() if not mixes}
    with pytest.raises(ValueError, match="nothing is sold by the dozen"):
        Modality(name="poetry", spec="acme.room:Spec", typical=[{"character": 1}, {"dozen": 1}])


@given(items=ITEMS)
def test_free_prices_make_free_work(items):
    """And cheaper prices never dearer work."""
    whole = Prices(items, SOURCE, DAY)
    for mixes in TYPICAL.values():
        cost = typical_cost(whole, mixes)
        assert typical_cost(whole.times(0, "free", DAY), mixes) == (None if cost is None else 0)
