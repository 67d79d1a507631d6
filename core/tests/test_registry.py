"""What is installed and configured, in listings."""

import datetime as dt
import sys
from decimal import Decimal

import pytest
from anymodal import Capabilities, Credential, EmulatorSpec, ModelSpec, Price, Prices, hookimpl
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.registry import Registry
from anymodal.specs import CommandSpec

from .plugins_on_path import Brings, offers


def registry(*plugins, environ=None, **settings):
    """A registry of *plugins* alone."""
    return Registry(
        Settings.from_mapping(settings, environ=environ), plugins=plugins, distributions=()
    )


def test_providers_stand_under_each_of_their_names():
    """An instance is another door to the same provider, with keys and timeouts of its own."""
    found = registry(
        Brings(credentials=[Credential(env=["KEY"])]),
        Brings(id="beta"),
        environ={"KEY": "sk-1"},
        instances={"work": {"provider": "acme", "timeout": 5}},
        providers={"beta": {"timeout": {"first": 7}}},
    ).providers()

    assert [("acme", True), ("beta", True), ("work", False)] == [
        (one.instance, one.configured) for one in found
    ]
    assert ["acme", "beta", "acme"] == [one.spec.id for one in found]
    assert [600.0, 600.0, 5] == [one.deadlines.total for one in found]
    assert 7 == found[1].deadlines.first
    assert "[instances.work]" in found[2].missing


def test_priority_orders_the_listing():
    """Highest first, by name among equals; settings overrule the plugin."""
    plugins = [Brings(id="aaa"), Brings(id="bbb", priority=5), Brings(id="ccc")]
    found = registry(*plugins, providers={"ccc": {"priority": 9}, "bbb": {"priority": 0}})

    assert ["ccc", "aaa", "bbb"] == [one.instance for one in found.providers()]


def test_providers_of_one_modality():
    """And of none, where nothing offers it."""
    found = registry(Brings())

    assert ["acme"] == [one.instance for one in found.providers("text")]
    assert () == found.providers("image")


FREE = Prices([Price("request", 0)], "acme.example", dt.date(2026, 11, 20))
PAID = Prices([Price("request", 1), Price("image", 0)], "acme.example", FREE.as_of)


def test_models_by_what_is_known_of_them():
    """Unknown is neither yes nor free."""
    found = registry(
        Brings(
            models=[
                ModelSpec(id="seeing", capabilities=Capabilities(["image_input"]), prices=FREE),
                ModelSpec(id="blind", capabilities=Capabilities(no=["image_input"]), prices=PAID),
                ModelSpec(id="unknown"),
            ]
        ),
        Brings(id="beta", capabilities=Capabilities(["image_input"])),
        instances={"work": {"provider": "acme"}},
    )

    def names(**wanted):
        return [one.name for one in found.models(**wanted)]

    assert ["acme/seeing", "acme/blind", "acme/unknown", "beta/m-1"] == names()
    assert ["acme/seeing", "beta/m-1"] == names(supports="image_input")
    assert ["acme/seeing"] == names(free=True)
    assert ["beta/m-1"] == names(provider="beta")
    assert [] == names(modality="image")


def test_settings_overrule_facts_of_models():
    """Under the model's id or under an alias; the source then says so."""
    found = registry(
        Brings(models=[ModelSpec(id="m-1", aliases=["one"], context_tokens=10, source="acme")]),
        models={"acme/m-1": {"context_tokens": 99}, "acme/one": {"max_output_tokens": 7}},
    )

    (one,) = found.models()
    assert (99, 7, "settings") == (
        one.model.context_tokens,
        one.model.max_output_tokens,
        one.model.source,
    )
    assert found.resolve("m-1", "text").winners[0].model is not None


def test_wrong_override_is_an_error_that_names_it():
    """It is in the user's file, and they can mend it."""
    with pytest.raises(e.SettingsError, match=r'models\."acme/m-1"\.context_tokens: a number of'):
        registry(Brings(), models={"acme/m-1": {"context_tokens": "many"}})


def test_emulators_and_commands_are_listed():
    """For the tour and for the command line."""

    class Brought:
        @hookimpl
        def anymodal_emulators(self):
            yield EmulatorSpec(provider="acme", app="acme.emulator:app")

        @hookimpl
        def anymodal_commands(self):
            yield CommandSpec(name="logs", help="Search.", run=lambda _: 0)

    found = registry(Brought())
    assert ["acme"] == [one.provider for one in found.offers_of("emulators")]
    assert ["logs"] == [one.name for one in found.offers_of("commands")]


def test_emulator_of_a_lost_id_is_not_offered(site):
    """It would stand in for another's provider."""
    code = offers("acme", "mine") + (
        "from anymodal import EmulatorSpec\n"
        "@hookimpl\n"
        "def anymodal_emulators():\n"
        "    return [EmulatorSpec(provider=one, app='a:b') for one in ('acme', 'mine')]\n"
    )
    site.install("anymodal-acme", offers("acme"))
    site.install("other", code, ids=["acme", "mine"])

    assert ["mine"] == [one.provider for one in site.registry().offers_of("emulators")]


def test_two_registries_live_side_by_side(site):
    """Each under its own settings; neither is global."""
    site.install("anymodal-acme", offers("acme"))
    one, two = site.registry(), site.registry({"plugins": {"disable": ["acme"]}})

    assert ["loaded"] == [each.state for each in one.plugins()]
    assert ["blocked"] == [each.state for each in two.plugins()]
    assert () == two.providers()


def test_reload_finds_what_was_installed_since(site, monkeypatch):
    """Without starting the program again, and within the clock's tick."""
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", "off")
    monkeypatch.setattr(sys, "path", [str(site.folder)])
    site.install("anymodal-acme", offers("acme"))
    found = Registry(Settings.empty())
    assert ["acme"] == [one.instance for one in found.providers()]

    site.install("anymodal-beta", offers("beta"))
    assert ["acme"] == [one.instance for one in found.providers()]
    found.reload()
    assert ["acme", "beta"] == [one.instance for one in found.providers()]


def test_nothing_is_looked_for_without_autoload(site, monkeypatch):
    """`ANYMODAL_NO_AUTOLOAD=1`; what the host brings is there."""
    site.install("anymodal-acme", offers("acme"))
    monkeypatch.setattr(sys, "path", [str(site.folder)])
    found = Registry(
        Settings.from_mapping({}, environ={"ANYMODAL_NO_AUTOLOAD": "1"}),
        plugins=[Brings(id="host")],
    )

    assert ["host"] == [one.instance for one in found.providers()]
    assert set() == site.imported()


def test_settings_are_read_where_none_are_given(tmp_path, monkeypatch):
    """Files and environment, as the client does."""
    file = tmp_path / "mine.toml"
    file.write_text('[defaults]\ntext = "acme/m-1"\n', "utf-8")
    monkeypatch.setenv("ANYMODAL_CONFIG", str(file))

    found = Registry(plugins=[Brings()], distributions=())
    assert "acme" == found.resolve(None, "text").winners[0].offer.instance


def test_served_says_in_which_kinds_of_work():
    """What `warm` connects."""
    found = registry(Brings())

    ((modality, decision),) = found.served("acme")
    assert ("text", "acme") == (modality.name, decision.winners[0].offer.instance)
    with pytest.raises(e.UnknownModelError, match="No text model is called 'nobody'"):
        found.served("nobody")


def test_served_tells_of_a_missing_key_before_all_else():
    """It is what the user can do something about."""
    found = registry(Brings(credentials=[Credential(env=["KEY"])]))

    with pytest.raises(e.MissingCredentialsError):
        found.served("acme")


def test_prices_of_the_settings():
    """Per million by default; the day is today's unless it is said."""
    found = registry(
        Brings(),
        models={"acme/m-1": {"prices": {"input_token": 2, "output_token": "0.5", "per": 1000}}},
    )

    (one,) = found.models()
    assert Decimal("0.002") == one.model.prices.usd_per("input_token")
    assert "settings" == one.model.prices.source
