"""What is known of models, the user's word over the plugin's."""

import datetime as dt
from decimal import Decimal

import pytest
from anymodal import Capabilities, ModelSpec
from anymodal.catalogue import find, overridden, table
from anymodal.errors import SettingsError

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
    )

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
        ("prices", {"smile": 1}, "'unit' must be in"),
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
