"""Who may serve an id, decided before anything is imported."""

import attrs
import pytest
from anymodal import errors as e
from anymodal._version import __version__
from anymodal.config import PluginSettings, Settings
from anymodal.index import Distribution
from anymodal.trust import candidates
from hypothesis import given
from hypothesis import strategies as st


def distribution(name, *ids, module="", **fields):
    """An installed distribution that declares *ids* for one module."""
    module = module or name.replace("-", "_")
    return Distribution(name, "1.0", tuple((one, module) for one in ids), **fields)


def judged(*distributions, **plugins):
    """Every candidate by distribution: its state, its ids and its error's words."""
    settings = Settings.from_mapping({"plugins": plugins}).plugins
    return {
        one.distribution.name: (one.state, set(one.ids), str(one.error or ""))
        for one in candidates(distributions, settings)
    }


def test_healthy_one_serves_all_that_it_declares():
    """One module may go by several ids."""
    assert judged(distribution("acme", "acme", "acme-two")) == {
        "acme": ("found", {"acme", "acme-two"}, "")
    }


def test_modules_of_one_distribution_are_judged_one_by_one():
    """A distribution may bring a provider and, apart from it, an exporter."""
    two = Distribution("acme", "1.0", (("acme", "acme"), ("acme-log", "acme.log"), ("a", "acme")))

    found = candidates([two], PluginSettings())
    assert [("acme", ("acme", "a")), ("acme.log", ("acme-log",))] == [
        (one.module, one.names) for one in found
    ]


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([("Acme", "acme")], "'Acme' is no id; ids are lower-case words joined by hyphens"),
        ([("a_b", "acme")], "'a_b' is no id; ids are lower-case words joined by hyphens"),
        ([("acme", "acme:plugin")], "an entry point in the group anymodal names a module, not 'acme:plugin'"),
        ([("acme", "")], "an entry point in the group anymodal names a module, not ''"),
        ([("acme", "acme [extra]")], "an entry point in the group anymodal names a module, not 'acme [extra]'"),
        ([("acme", "one"), ("acme", "two")], "it declares 'acme' twice, as one and two"),
    ],
)  # fmt: skip
def test_wrong_entry_points_are_broken(points, words):
    """The metadata alone says so; the module is never imported."""
    found = candidates([Distribution("acme", "1.0", tuple(points))], PluginSettings())

    for one in found:
        assert (one.state, set(one.ids)) == ("broken", set())
        assert isinstance(one.error, e.BrokenPluginError)
        assert str(one.error) == f"acme 1.0: {words}."


def test_entry_point_given_twice_alike_counts_once():
    """It says the same thing."""
    found = candidates([distribution("acme", "acme", "acme")], PluginSettings())

    assert [("acme",)] == [one.names for one in found]


def test_unreadable_metadata_is_broken_under_the_id_that_the_name_suggests():
    """Whoever asks for that id is told why nobody serves it."""
    one = Distribution("anymodal_acme", "", fault="its metadata cannot be read (OSError)")

    (found,) = candidates([one], PluginSettings())
    assert (found.state, found.names, found.ids) == ("broken", ("acme",), frozenset())
    assert str(found.error) == (
        "anymodal_acme: its metadata cannot be read (OSError). "
        "Try: pip install --force-reinstall anymodal_acme"
    )


def test_incompatible_one_says_which_version_fits():
    """With what is needed, what is there, and what to do."""
    (found,) = candidates([distribution("x", "x", requires=">=9", fits=False)], PluginSettings())

    assert found.state == "incompatible"
    assert isinstance(found.error, e.IncompatiblePluginError)
    assert str(found.error) == (
        f"x 1.0 needs anymodal>=9, and this is {__version__}. Try: pip install -U x anymodal"
    )


@pytest.mark.parametrize(
    ("plugins", "reason"),
    [
        ({"disable": ["acme"]}, "ANYMODAL_DISABLE_PLUGINS or [plugins] disable names it"),
        ({"disable": ["anymodal-acme"]}, "ANYMODAL_DISABLE_PLUGINS or [plugins] disable names it"),
        ({"allow": ["beta"]}, "ANYMODAL_PLUGINS or [plugins] allow does not name it"),
        ({"allow": []}, "ANYMODAL_PLUGINS or [plugins] allow does not name it"),
    ],
)
def test_blocked_by_id_or_by_distribution(plugins, reason):
    """Both names are what users see; the error names the setting."""
    settings = Settings.from_mapping({"plugins": plugins}).plugins
    (found,) = candidates([distribution("Anymodal_Acme", "acme")], settings)

    assert (found.state, found.ids) == ("blocked", frozenset())
    assert isinstance(found.error, e.BlockedPluginError)
    assert str(found.error) == f"Anymodal_Acme 1.0 is not imported: {reason}."


def test_allowed_ones_are_not_blocked():
    """By either of their names."""
    both = [distribution("anymodal-acme", "acme"), distribution("anymodal-beta", "beta")]

    found = judged(*both, allow=["acme", "anymodal-beta"])
    assert {"found"} == {state for state, _, _ in found.values()}


def test_distribution_of_that_name_keeps_the_id():
    """What is called after an id is taken to be its owner; the other is told how to win."""
    found = judged(distribution("other", "acme"), distribution("anymodal-acme", "acme"))

    assert found["anymodal-acme"] == ("found", {"acme"}, "")
    assert found["other"] == (
        "shadowed",
        set(),
        (
            "other 1.0 does not serve 'acme', which anymodal-acme 1.0 claims as well. "
            'To choose: [plugins] prefer = { acme = "other" }'
        ),
    )


def test_neither_serves_where_neither_is_so_named():
    """A key would go to whichever was installed first."""
    found = judged(distribution("one", "acme", "mine"), distribution("two", "acme"))

    assert found["one"][:2] == ("found", {"mine"})
    assert found["two"][:2] == ("shadowed", set())
    assert "two 1.0 claims as well" in found["one"][2]
    assert "one 1.0 claims as well" in found["two"][2]


@pytest.mark.parametrize("name", ["one", "two", "anymodal-acme"])
def test_settings_decide(name):
    """Whoever they prefer serves, and nobody else."""
    three = [distribution(one, "acme") for one in ("one", "two", "anymodal-acme")]

    found = judged(*three, prefer={"acme": name})
    assert {name} == {one for one, (state, _, _) in found.items() if state == "found"}


def test_preferring_what_is_not_installed_leaves_nobody():
    """Guessing what was meant instead would send keys astray."""
    found = judged(
        distribution("one", "acme"), distribution("two", "acme"), prefer={"acme": "three"}
    )

    assert {"shadowed"} == {state for state, _, _ in found.values()}


@pytest.mark.parametrize(
    "owner",
    [
        distribution("anymodal-acme", "acme", requires=">=9", fits=False),
        distribution("anymodal-acme", "acme", module="not a module"),
        Distribution("anymodal-acme", "", fault="its metadata cannot be read (OSError)"),
    ],
    ids=["incompatible", "misdeclared", "unreadable"],
)
def test_owner_that_cannot_serve_keeps_its_id(owner):
    """Breaking a plugin must not hand its prompts and keys to another."""
    found = judged(owner, distribution("other", "acme"))

    assert found["other"][:2] == ("shadowed", set())
    assert found["anymodal-acme"][0] != "found"


def test_blocked_one_claims_nothing():
    """Taking the one out is how a user chooses the other."""
    found = judged(
        distribution("anymodal-acme", "acme"),
        distribution("other", "acme"),
        disable=["anymodal-acme"],
    )

    assert found["other"] == ("found", {"acme"}, "")


NAMES = ["anymodal-a", "anymodal-b", "x", "y", "z"]
SOME = st.lists(
    st.builds(
        lambda name, ids, fits: distribution(name, *ids, fits=fits),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True),
        st.booleans(),
    ),
    unique_by=lambda one: one.name,
)


@given(SOME, st.data(), st.dictionaries(st.sampled_from("abc"), st.sampled_from(NAMES)))
def test_verdicts_do_not_depend_on_order(some, data, prefer):
    """An id is served by at most one distribution, the same in whichever order they are found."""
    settings = PluginSettings(prefer=prefer)
    found = candidates(some, settings)
    again = candidates(data.draw(st.permutations(some)), settings)

    def facts(one):
        return attrs.evolve(one, error=None), str(one.error)

    assert sorted(map(str, map(facts, found))) == sorted(map(str, map(facts, again)))
    served = [name for one in found for name in one.ids]
    assert len(served) == len(set(served))
    assert all((one.error is None) == (one.ids == set(one.names)) for one in found)
