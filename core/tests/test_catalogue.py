"""What is known of models, the user's word over the plugin's."""

import datetime as dt
from decimal import Decimal

import pytest
from anymodal import Capabilities, ModelSpec, Price, Prices
from anymodal.catalogue import find, is_free, overridden, table
from anymodal.errors import SettingsError
from hypothesis import given
from hypothesis import strategies as st

from .plugins_on_path import Brings

SPEC = Brings(models=[ModelSpec(id="m-1", aliases=["one"]), ModelSpec(id="m-2")]).spec
DAY = dt.date(2026, 11, 20)


def changed(**fields):
    """A model with *fields* in place of its own."""
    model = ModelSpec(id="m", capabilities=Capabilities(["reasoning"], ["live"]), source="acme")
    return overridden(model, fields, "acme/m")


def test_found_by_id_or_alias():
    """And made up where the table has none of that name."""
    assert "m-1" == find(SPEC, "m-1", {}).id == find(SPEC, "one", {}).id
    assert not find(SPEC, "m-9", {}).listed


def test_what_settings_say_of_a_model_outside_the_table_holds():
    """They know it before the plugin does."""
    found = find(SPEC, "m-9", {"acme/m-9": {"context_tokens": 5}})

    assert (5, False) == (found.context_tokens, found.listed)


def test_table_without_overrides_is_the_plugins():
    """Nothing is copied that is not changed."""
    assert all(one is other for one, other in zip(table(SPEC, {}), SPEC.models, strict=True))


def test_capabilities_are_added_to_those_known():
    """Only what is said changes."""
    found = changed(capabilities={"live": True, "image_input": False}).capabilities

    assert [True, True, False, None] == [
        found.get(name) for name in ("reasoning", "live", "image_input", "citations")
    ]


def test_every_field():
    """Each as the file has it."""
    found = changed(
        aliases=["a"],
        api="chat",
        context_tokens=1,
        max_output_tokens=2,
        lifecycle={"state": "deprecated", "retires_on": DAY, "replacement": "n"},
        prices={"input_token": 2.5, "per": 1000, "source": "a contract", "as_of": DAY},
        source="mine",
        temperature_max=1.5,
    )

    assert 1.5 == found.temperature_max
    assert (("a",), "chat", 1, 2, "mine") == (
        found.aliases, found.api, found.context_tokens, found.max_output_tokens, found.source
    )  # fmt: skip
    assert ("deprecated", DAY, "n") == (
        found.lifecycle.state, found.lifecycle.retires_on, found.lifecycle.replacement
    )  # fmt: skip
    assert Decimal("0.0025") == found.prices.usd_per("input_token")
    assert ("a contract", DAY) == (found.prices.source, found.prices.as_of)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("colour", "red", "no such field; there are aliases, api, batch_prices, capabilities,"),
        ("aliases", "a", "a list of strings is needed"),
        ("aliases", [1], "a list of strings is needed"),
        ("api", 1, "a string is needed, not 1"),
        ("capabilities", ["live"], "a table of true and false is needed"),
        ("capabilities", {"live": "yes"}, "a table of true and false is needed"),
        ("context_tokens", 0, "a number of tokens is needed, not 0"),
        ("context_tokens", True, "a number of tokens is needed, not True"),
        ("max_output_tokens", "1", "a number of tokens is needed, not '1'"),
        ("lifecycle", "retired", "a table is needed"),
        ("lifecycle", {"state": "gone"}, "'state' must be in"),
        ("lifecycle", {"when": "now"}, "unexpected keyword argument 'when'"),
        ("prices", 3, "a table is needed, such as { input_token = 2"),
        ("prices", {"input_token": "dear"}, "a number of dollars is needed"),
        ("prices", {"input_token": "nan"}, "a number of dollars is needed"),
        ("prices", {"input_token": True}, "a number of dollars is needed"),
        ("prices", {"input_token": -1}, "'usd' must be >= 0"),
        ("prices", {"input_token": 1, "per": 0}, "'per' must be > 0"),
        ("prices", {"smile": 1}, "is no unit of a price"),
        ("prices", {"image": [0.04, 0.05]}, "priced twice"),
        ("prices", {"image": {"size": "2K"}}, "a number of dollars is needed"),
        (
            "prices",
            {"image": [{"usd": 1, "colour": "red"}]},
            "unexpected keyword argument 'colour'",
        ),
        ("prices", {"image": {"usd": 1, "size": 2}}, "'size' must be"),
        ("temperature_max", "hot", "a number from 0 up is needed, not 'hot'"),
        ("temperature_max", True, "a number from 0 up is needed, not True"),
        ("temperature_max", -1, "a number from 0 up is needed, not -1"),
        ("temperature_max", float("nan"), "a number from 0 up is needed, not nan"),
    ],
)
def test_wrong_values_name_their_place(field, value, words):
    """The fault is the user's to mend."""
    with pytest.raises(SettingsError) as caught:
        changed(**{field: value})

    assert str(caught.value).startswith(f'models."acme/m".{field}: ')
    assert words in str(caught.value)


def test_all_faults_at_once():
    """One run of the program is enough to find them."""
    with pytest.raises(SettingsError) as caught:
        changed(colour="red", api=1, source="fine")

    assert 2 == len(caught.value.faults)


def test_prices_by_size_and_quality():
    """A number, a table, or a list of both; tokens by the million and all else by the piece."""
    found = changed(
        prices={
            "image": [0.04, {"usd": "0.09", "size": "2K", "quality": "high"}],
            "second": {"usd": 0.36, "per": 3600},
            "input_token": 2,
        }
    ).prices

    assert Decimal("0.04") == found.usd_per("image", "1K")
    assert Decimal("0.09") == found.usd_per("image", "2K", "high")
    assert Decimal("0.0001") == found.usd_per("second")
    assert Decimal("0.000002") == found.usd_per("input_token")


def test_one_per_for_all():
    """What is said for the whole table holds for what says nothing of its own."""
    found = changed(prices={"image": 1, "second": {"usd": 1, "per": 10}, "per": 100}).prices

    assert (Decimal("0.01"), Decimal("0.1")) == (found.usd_per("image"), found.usd_per("second"))


@pytest.mark.parametrize(
    ("prices", "free"),
    [
        (None, False),
        (Prices([], "acme.example", DAY), False),
        (Prices([Price("input_token", 0), Price("output_token", 0)], "acme.example", DAY), True),
        (Prices([Price("input_token", 0), Price("output_token", 1)], "acme.example", DAY), False),
        (Prices([Price("image", 0), Price("image", 1, size="4K")], "acme.example", DAY), False),
        (Prices([Price("request", 0), Price("search", 1)], "acme.example", DAY), True),
        (Prices([Price("search", 0)], "acme.example", DAY), False),
    ],
)
def test_free_is_what_is_known_to_cost_nothing(prices, free):
    """Unknown is not free. Searches of the web can be left."""
    assert free is is_free(ModelSpec(id="m-1", prices=prices))


FACTS = {
    "aliases": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    "api": st.sampled_from(["chat", "responses"]),
    "capabilities": st.dictionaries(st.sampled_from(["live", "reasoning"]), st.booleans()),
    "context_tokens": st.integers(1, 10**6),
    "lifecycle": st.fixed_dictionaries({"state": st.sampled_from(["deprecated", "retired"])}),
    "max_output_tokens": st.integers(1, 10**6),
    "prices": st.fixed_dictionaries(
        {"input_token": st.integers(0, 100), "as_of": st.just(DAY)},
        optional={"image": st.integers(0, 9), "per": st.integers(1, 1000)},
    ),
    "source": st.text(),
    "temperature_max": st.floats(0, 2),
}
FIELDS = st.fixed_dictionaries({}, optional=FACTS)


@given(fields=FIELDS, order=st.randoms())
def test_overrides_may_be_repeated_and_stand_in_any_order(fields, order):
    """Files are read again, and a table has no order."""
    model = ModelSpec(id="m", capabilities=Capabilities(["reasoning"], ["live"]), source="acme")
    once = overridden(model, fields, "acme/m")
    names = list(fields)
    order.shuffle(names)

    assert once == overridden(once, fields, "acme/m")
    assert once == overridden(model, {name: fields[name] for name in names}, "acme/m")


@given(fields=FIELDS, part=st.sets(st.sampled_from(sorted(FACTS))))
def test_overrides_of_different_fields_do_not_meet(fields, part):
    """Which layer said which does not matter. A source is of all, so it is left out."""
    model = ModelSpec(id="m", source="acme")
    fields = {name: value for name, value in fields.items() if name != "source"}
    first = {name: value for name, value in fields.items() if name in part}
    second = {name: value for name, value in fields.items() if name not in part}
    one, other = (
        overridden(overridden(model, some, "acme/m"), rest, "acme/m")
        for some, rest in ((first, second), (second, first))
    )

    assert one == other == overridden(model, fields, "acme/m")


@given(
    said=st.dictionaries(st.sampled_from(["acme/one", "acme/m-1", "acme/m-2"]), FIELDS),
    order=st.randoms(),
)
def test_tables_do_not_depend_on_the_order_of_settings(said, order):
    """Under an alias or the id: the id's word is the last."""
    said = {
        name: {k: v for k, v in fields.items() if k != "aliases"} for name, fields in said.items()
    }
    names = list(said)
    order.shuffle(names)

    assert table(SPEC, said) == table(SPEC, {name: said[name] for name in names})


def test_units_that_nobody_prices_are_named():
    """With those that there are."""
    with pytest.raises(
        SettingsError, match=r"'inputt_token' is no unit of a price; there are .*input_token"
    ):
        overridden(ModelSpec(id="m-1"), {"prices": {"inputt_token": 1}}, "acme/m-1")
