"""Classes that are named by their place, and imported when they are used."""

from __future__ import annotations

import pytest
from anymodal import Capabilities, ModelSpec, TextProviderSpec
from anymodal import errors as e
from anymodal.modalities.text import TextOption
from anymodal.places import class_at


def spec(**changes):
    given = {"id": "acme", "display_name": "Acme", "kind": "local", "connect": str}
    return TextProviderSpec(**{**given, **changes})


def test_options_by_their_class_and_by_its_place_are_the_same():
    """So that a listing need not import them."""
    place = "anymodal.modalities.text:TextOption"

    assert class_at(place, "acme") is TextOption
    assert spec(options=place).options_class() is TextOption
    assert spec(options=TextOption).options_class() is TextOption
    assert spec().options_class() is None


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("anymodal.nothing:Options", "acme: there is no anymodal.nothing:Options"),
        ("anymodal.modalities.text:Nothing", "there is no anymodal.modalities.text:Nothing"),
        ("anymodal.modalities.text:EFFORTS", "anymodal.modalities.text:EFFORTS is no class"),
    ],
)
def test_places_that_lead_nowhere_are_the_plugins_fault(place, words):
    """Whoever uses them is told whose they are."""
    with pytest.raises(e.BrokenPluginError, match=words):
        class_at(place, "acme")


@pytest.mark.parametrize(
    ("options", "error"), [("no place", ValueError), ("module:", ValueError), (3, TypeError)]
)
def test_what_is_no_place_is_refused_at_once(options, error):
    """In quarantine, not when somebody calls."""
    with pytest.raises(error, match="options"):
        spec(options=options)


def test_specs_are_values():
    """Equal and of one hash where all is equal, and told by their fields."""
    known = Capabilities(yes={"streaming"})
    one, same = (spec(capabilities=known, models=[ModelSpec(id="a")]) for _ in range(2))

    assert one == same
    assert hash(one) == hash(same)
    assert one != spec(capabilities=known)
    assert one != "acme"
    assert "id='acme'" in repr(one)
