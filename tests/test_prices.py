"""Prices of all that is installed: none is absurd, each says from where and when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from anymodal import Registry, Settings
from anymodal.usage import PRICE_UNITS

BOUNDS = {
    "input_token": ("0.00000001", "0.0002"),
    "cached_input_token": ("0.000000001", "0.0001"),
    "cache_write_token": ("0.00000001", "0.0003"),
    "output_token": ("0.00000002", "0.001"),
    "audio_input_token": ("0.00000005", "0.0005"),
    "audio_output_token": ("0.0000001", "0.001"),
    "image_input_token": ("0.00000005", "0.0005"),
    "image_output_token": ("0.0000005", "0.001"),
    "character": ("0.0000005", "0.001"),
    "image": ("0.0005", "1"),
    "megapixel": ("0.0005", "1"),
    "second": ("0.00001", "2"),
    "request": ("0.00001", "5"),
    "search": ("0.0005", "0.1"),
}
"""
Dollars for one unit: what is below or above is most likely a slip of the decimal point, or of
`per`. A cent for a million input tokens is the least that anybody takes, 200 dollars the most
that anybody has taken; free is 0 and allowed.
"""
PATIENCE = dt.timedelta(days=366)
"""How much older than the youngest a price may be; then nobody has looked at its plugin."""

OFFERED = [
    pytest.param(one, id=one.name)
    for one in Registry(Settings.from_mapping({})).models()
    if one.model.prices is not None or one.model.batch_prices is not None
]

YOUNGEST = max(one.values[0].model.prices.as_of for one in OFFERED if one.values[0].model.prices)


def tables(offered):
    """The price tables of a model."""
    return [one for one in (offered.model.prices, offered.model.batch_prices) if one is not None]


def test_there_are_prices_to_look_at():
    """Else what follows would say nothing."""
    assert len(OFFERED) > 50


def test_every_unit_has_bounds():
    """A new unit is thought about."""
    assert PRICE_UNITS == BOUNDS.keys()
    assert all(Decimal(low) * 1000 < Decimal(high) * 1000 for low, high in BOUNDS.values())


@pytest.mark.parametrize("offered", OFFERED)
def test_prices_are_within_bounds(offered):
    """A slip of the decimal point is the likeliest mistake in a table."""
    strange = {
        (one.unit, one.size, one.quality): one.usd / one.per
        for table in tables(offered)
        for one in table.items
        if one.usd and not Decimal(BOUNDS[one.unit][0]) <= one.usd / one.per <= Decimal(BOUNDS[one.unit][1])
    }  # fmt: skip

    assert {} == strange


@pytest.mark.parametrize("offered", OFFERED)
def test_prices_stand_in_a_sensible_order(offered):
    """Cached input costs no more than other input, writing a cache no less, an answer no less."""
    for table in tables(offered):
        found = [
            table.usd_per(unit)
            for unit in ("cached_input_token", "input_token", "cache_write_token")
        ]
        known = [usd for usd in found if usd is not None]
        assert all(less <= more for less, more in pairwise(known))
        asked, answered = table.usd_per("input_token"), table.usd_per("output_token")
        assert asked is None or answered is None or asked <= answered <= 20 * asked


@pytest.mark.parametrize("offered", OFFERED)
def test_batches_cost_no_more(offered):
    """They are sold as a discount; where a price is unknown, so is the discount."""
    model = offered.model
    dearer = [
        one.unit
        for one in (model.batch_prices.items if model.batch_prices else ())
        if model.prices is None
        or (usual := model.prices.usd_per(one.unit, one.size, one.quality)) is None
        or one.usd / one.per > usual
    ]

    assert [] == dearer


@pytest.mark.parametrize("offered", OFFERED)
def test_prices_say_from_where_and_when(offered):
    """On a day that has been, and not long before the others."""
    for table in tables(offered):
        assert table.source
        assert table.items
        assert YOUNGEST - PATIENCE < table.as_of <= dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize("offered", OFFERED)
def test_retired_models_have_no_prices(offered):
    """Nothing is sold, so that a price is a sign of a row in the wrong place."""
    assert "retired" != offered.model.lifecycle.state
