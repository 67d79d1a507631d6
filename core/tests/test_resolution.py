"""From names to what serves them."""

import datetime as dt

import anymodal
import pytest
from anymodal import Capabilities, Credential, Lifecycle, ModelSpec
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.registry import Registry
from anymodal.resolution import Offer, Query, decided, refusal
from anymodal.resolution.table import by_table
from hypothesis import given
from hypothesis import strategies as st

from .plugins_on_path import Brings

KEYED = {"credentials": [Credential(env=["KEY"])]}


def registry(*plugins, environ=None, **settings):
    """A registry of *plugins* alone."""
    return Registry(
        Settings.from_mapping(settings, environ=environ), plugins=plugins, distributions=()
    )


def acme(*models, provider="acme", **spec):
    """A provider with these models."""
    models = [ModelSpec(id=one) if isinstance(one, str) else one for one in models or ("m-1",)]
    return Brings(id=provider, **{"models": models, "default_model": models[0].id, **spec})


def winners(decision):
    return [f"{row.offer.instance}/{row.model.id}" for row in decision.winners]


def error_of(found, name, modality="text", needs=()):
    """The error of a name that nobody serves; `resolve` and `explain` agree on it."""
    decision = found.explain(name, modality=modality, needs=needs)
    with pytest.raises(type(decision.error)) as caught:
        found.resolve(name, modality, needs)
    assert str(decision.error) == str(caught.value)
    assert () == decision.winners
    return decision.error


# -- exact names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "winner"),
    [
        ("acme/m-1", "acme/m-1"),
        ("acme/one", "acme/m-1"),
        ("acme", "acme/m-1"),
        ("acme/", "acme/m-1"),
        ("acme/vendor/m-9", "acme/vendor/m-9"),
        ("work/m-2", "work/m-2"),
        ("work", "work/m-2"),
        ("m-2", "acme/m-2"),
        ("one", "acme/m-1"),
    ],
)
def test_names(name, winner):
    """A provider or an instance, alone or with a model; or a model's name or alias alone."""
    found = registry(
        acme(ModelSpec(id="m-1", aliases=["one"]), "m-2"),
        instances={"work": {"provider": "acme", "default_models": {"text": "m-2"}}},
    )

    assert [winner] == winners(found.resolve(name, "text"))


def test_model_outside_the_table_is_made_up():
    """Vendors ship models faster than plugins are released."""
    (row,) = registry(acme()).resolve("acme/m-77", "text").winners

    assert ("m-77", False) == (row.model.id, row.model.listed)


def test_provider_without_a_default_model_says_so():
    """It has several, and none is more usual than the others."""
    error = error_of(registry(acme(default_model=None)), "acme")

    assert isinstance(error, e.UnknownModelError)
    assert str(error) == "acme has no default model. Say which: acme/..."


def test_instance_of_what_is_not_installed():
    """The settings are wrong, and say where."""
    error = error_of(registry(acme(), instances={"work": {"provider": "beta"}}), "work/m-1")

    assert isinstance(error, e.UnknownProviderError)
    assert str(error) == "[instances.work] names the provider 'beta', which is not installed."


def test_provider_of_another_modality_says_what_it_offers():
    """Its id is known, so it is no unknown provider."""
    error = error_of(registry(acme()), "acme/m-1", "image")

    assert "acme offers no image; it offers text." == str(error)


def test_plugin_that_offers_no_provider_has_no_models(site):
    """Such as one that only exports."""
    code = """
from anymodal import hookimpl

@hookimpl
def anymodal_observers():
    return []
"""
    site.install("anymodal-acme", code)

    assert "acme offers no text." == str(error_of(site.registry(), "acme/m"))


def test_unknown_modality():
    """A typo is told apart from a model that nobody has."""
    error = error_of(registry(acme()), "m-1", "txet")

    assert isinstance(error, e.InvalidRequestError)
    assert str(error).startswith("No modality is called 'txet'; there are text, image,")


IDS = ["acme", "beta", "gamma"]
MODELS = ["m-1", "m-2", "m-3"]
PROVIDERS = st.dictionaries(
    st.sampled_from(IDS), st.lists(st.sampled_from(MODELS), min_size=1, unique=True), min_size=1
)


def made_of(tables, order=None, **settings):
    return registry(*(acme(*tables[one], provider=one) for one in order or tables), **settings)


@given(PROVIDERS, st.data())
def test_decisions_do_not_depend_on_the_order_of_plugins(tables, data):
    """What is installed decides, not when it was installed."""
    one = made_of(tables)
    two = made_of(tables, data.draw(st.permutations(sorted(tables))))

    for name in (*MODELS, *IDS, None, "acme/m-1", "nobody"):
        first, again = one.explain(name), two.explain(name)
        assert winners(first) == winners(again)
        assert first.strategy == again.strategy
        assert [(row.offer.instance, row.refused) for row in first.rows] == [
            (row.offer.instance, row.refused) for row in again.rows
        ]
        assert (type(first.error), str(first.error)) == (type(again.error), str(again.error))


@given(PROVIDERS, st.data())
def test_pure_choice_does_not_depend_on_the_order_of_offers(tables, data):
    """By itself, too, without what the registry sorts."""
    offers = made_of(tables).providers()
    shuffled = data.draw(st.permutations(offers))

    for name in MODELS:
        query = Query(name=name, modality="text")
        one, two = by_table(query, offers), by_table(query, shuffled)
        assert winners(one) == winners(two)
        assert (type(one.error), str(one.error)) == (type(two.error), str(two.error))


@given(PROVIDERS, PROVIDERS)
def test_installing_never_moves_an_exact_name_nor_a_bare_one(before, added):
    """A bare name may become ambiguous, which is an error; it never goes elsewhere in silence."""
    tables = {**added, **before}
    old, new = made_of(before), made_of(tables)

    for provider, models in before.items():
        for model in models:
            assert [f"{provider}/{model}"] == winners(new.explain(f"{provider}/{model}"))
    for model in MODELS:
        was, now = old.explain(model), new.explain(model)
        if was.winners:
            assert winners(now) in (winners(was), [])
            assert bool(now.winners) or isinstance(now.error, e.AmbiguousNameError)


@given(st.text(st.sampled_from("acme/m-1 x\n\0é"), max_size=12) | st.none(), PROVIDERS)
def test_explain_never_raises(name, tables):
    """It is what one asks when nothing else works."""
    settings = {"aliases": {"x": ["x"], "acme": ["m-1", "/"]}, "defaults": {"text": "x"}}
    for found in (made_of(tables), made_of(tables, **settings)):
        decision = found.explain(name)
        assert (decision.error is None) == bool(decision.winners)


# -- bare names ----------------------------------------------------------------------------------


def test_ambiguous_name_has_all_claimants():
    """And what to write into the settings."""
    found = registry(*(acme("m-1", provider=one) for one in ("gamma", "acme", "beta")))
    error = error_of(found, "m-1")

    assert isinstance(error, e.AmbiguousNameError)
    assert str(error) == (
        "'m-1' could be acme/m-1 and beta/m-1 and gamma/m-1. Say which, or settle it in "
        'settings: [aliases] "m-1" = ["acme/m-1"]'
    )
    settled = registry(
        *(acme("m-1", provider=one) for one in ("gamma", "acme")), aliases={"m-1": ["gamma/m-1"]}
    )
    assert ["gamma/m-1"] == winners(settled.resolve("m-1", "text"))


def test_only_usable_providers_claim_a_name():
    """One without a key would only fail."""
    found = registry(acme(**KEYED), acme(provider="beta"))

    decision = found.resolve("m-1", "text")
    assert ["beta/m-1"] == winners(decision)
    assert ["acme", ""] == [row.refused.partition(" ")[0] for row in decision.rows]


def test_instances_of_one_provider_are_no_ambiguity():
    """The provider's own door comes first; two others without it are one."""
    two = {"one": {"provider": "acme"}, "two": {"provider": "acme"}}
    off = {"acme": {"enabled": False}}

    assert ["acme/m-1"] == winners(registry(acme(), instances=two).resolve("m-1", "text"))
    assert "one/m-1 and two/m-1" in str(
        error_of(registry(acme(), instances=two, providers=off), "m-1")
    )
    del two["two"]
    left = registry(acme(), instances=two, providers=off)
    assert ["one/m-1"] == winners(left.resolve("m-1", "text"))


def test_instance_keeps_a_name_that_a_plugin_comes_to_claim():
    """Installing changes nothing, and the newcomer gets none of the instance's settings."""
    settings = {"instances": {"beta": {"provider": "acme"}}}
    found = registry(acme(), acme("m-2", provider="beta"), **settings)

    assert ["acme", "beta"] == [one.instance for one in found.providers()]
    assert {"acme"} == {one.spec.id for one in found.providers()}
    assert "acme" == found.resolve("beta/m-1", "text").winners[0].offer.spec.id


def test_alias_keeps_a_name_that_a_plugin_comes_to_claim():
    """The user's own words go before what is installed."""
    settings = {"aliases": {"beta": ["acme/m-1"], "beta/m-2": ["acme/m-1"]}}
    found = registry(acme(), acme("m-2", provider="beta"), **settings)

    assert ["acme/m-1"] == winners(found.resolve("beta", "text"))
    assert ["acme/m-1"] == winners(found.resolve("beta/m-2", "text"))
    assert ["beta/m-9"] == winners(found.resolve("beta/m-9", "text"))


# -- aliases and defaults ---------------------------------------------------------------------------


def test_alias_stands_for_several_in_order():
    """Those that cannot serve are left out, whatever the reason; none counts twice."""
    found = registry(
        acme("m-1", "m-2"),
        acme("m-3", provider="beta", **KEYED),
        aliases={
            "fast": ["nobody/x", "beta/m-3", "acme/m-2", "both", "m-2"],
            "both": ["m-1", "m-2"],
        },
    )

    decision = found.resolve("fast", "text")
    assert "alias" == decision.strategy
    assert ["acme/m-2", "acme/m-1"] == winners(decision)
    assert any(row.refused for row in decision.rows)


def test_alias_of_a_broken_plugin_goes_on(site):
    """One broken target does not take the others with it."""
    site.install("anymodal-beta", "1 / 0")
    found = site.registry({"aliases": {"fast": ["beta/m", "acme/m-1"]}}, plugins=[acme()])

    assert ["acme/m-1"] == winners(found.resolve("fast", "text"))


def test_alias_that_nobody_serves_has_the_first_targets_error():
    """The user's first choice is what they want to hear of."""
    found = registry(acme(**KEYED), aliases={"fast": ["acme/m-1", "nobody"]})

    assert isinstance(error_of(found, "fast"), e.MissingCredentialsError)


@pytest.mark.parametrize(
    ("aliases", "circle"),
    [({"a": ["a"]}, "a -> a"), ({"a": ["b"], "b": ["c"], "c": ["b"]}, "a -> b -> c -> b")],
)
def test_aliases_that_go_round(aliases, circle):
    """Found where it closes, and shown."""
    error = error_of(registry(acme(), aliases=aliases), "a")

    assert isinstance(error, e.SettingsError)
    assert str(error) == f"aliases: {circle} goes round in a circle."


def test_circle_beside_a_way_out():
    """A target that can serve is served."""
    found = registry(acme(), aliases={"a": ["b", "m-1"], "b": ["a"]})

    assert ["acme/m-1"] == winners(found.resolve("a", "text"))


def test_default_of_the_settings():
    """Any name will do, an alias as well."""
    for name in ("beta/m-1", "beta", "fast"):
        found = registry(
            acme(), acme(provider="beta"), defaults={"text": name}, aliases={"fast": ["beta"]}
        )
        decision = found.resolve(None, "text")
        assert ["beta/m-1"] == winners(decision)
        assert decision.strategy.startswith("default, ")


def test_only_usable_provider_is_the_default():
    """With one vendor installed nobody should have to name it."""
    found = registry(
        acme(), acme(provider="beta", **KEYED), acme(provider="gamma", default_model=None)
    )

    assert ["acme/m-1"] == winners(found.resolve(None, "text"))


@pytest.mark.parametrize(
    ("plugins", "cls", "words"),
    [
        ([], e.UnknownProviderError, 'No text model was named, and there is no default. Pass model=..., or set [defaults] text = "provider/model".'),
        ([acme(), acme(provider="beta")], e.AmbiguousNameError, "No text model was named"),
        ([acme(**KEYED)], e.MissingCredentialsError, "acme needs an API key"),
    ],
)  # fmt: skip
def test_no_default(plugins, cls, words):
    """Guessing would send a prompt to whoever was installed last."""
    error = error_of(registry(*plugins), None)

    assert type(error) is cls
    assert str(error).startswith(words)


# -- why not ----------------------------------------------------------------------------------------

YESTERDAY = dt.date(2026, 11, 19)
RETIRED = Lifecycle(state="retired", retires_on=YESTERDAY, replacement="m-2")


@pytest.mark.parametrize(
    ("spec", "settings", "cls", "words"),
    [
        (KEYED, {}, e.MissingCredentialsError, "acme needs an API key"),
        ({"kind": "remote"}, {}, e.MissingCredentialsError, "acme needs an address: set base_url in [providers.acme]."),
        ({}, {"providers": {"acme": {"enabled": False}}}, e.DisabledProviderError, "acme/m-1 is switched off"),
        ({"models": [ModelSpec(id="m-1", lifecycle=RETIRED)]}, {}, e.RetiredModelError, "acme/m-1 is retired on 2026-11-19; use m-2."),
        ({"models": [ModelSpec(id="m-1", lifecycle=Lifecycle(state="retired"))]}, {}, e.RetiredModelError, "acme/m-1 is retired."),
        ({"capabilities": Capabilities(no=["reasoning"])}, {}, e.UnsupportedFeatureError, "acme/m-1 is known not to have reasoning."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["acme/m-1", "m-1"])
def test_refused_with_the_reason(spec, settings, cls, words, name):
    """The row says it for the table, the error for the caller."""
    found = registry(Brings(**spec), **settings)
    error = error_of(found, name, needs=["reasoning"])

    assert type(error) is cls
    assert words in str(error)
    (row,) = found.explain(name, needs=["reasoning"]).rows
    assert row.refused


def test_flag_switches_a_provider_off():
    """Unset means on; a provider may have a flag of another name."""
    for plugin, variable in (
        (acme(), "ENABLE_PROVIDER_ACME"),
        (acme(flag="other-name"), "ENABLE_PROVIDER_OTHER_NAME"),
    ):
        off = registry(plugin, environ={variable: "0"})
        assert "switched off" in str(error_of(off, "acme"))
        assert registry(plugin, environ={variable: "1"}).resolve("acme", "text").winners
        assert registry(plugin).resolve("acme", "text").winners


def test_models_word_goes_before_the_providers():
    """A vendor's newest model does what the others do not."""
    found = registry(
        acme(
            ModelSpec(id="m-1", capabilities=Capabilities(["reasoning"])),
            "m-2",
            capabilities=Capabilities(no=["reasoning"]),
        )
    )

    assert found.resolve("m-1", "text", ["reasoning"]).winners
    assert isinstance(error_of(found, "m-2", needs=["reasoning"]), e.UnsupportedFeatureError)


def test_unknown_refuses_nothing():
    """Only a known no does."""
    offer = Offer(instance="acme", spec=acme().spec, models=())

    assert "" == refusal(offer, ModelSpec(id="m"), ["reasoning"])


def test_no_rows_is_an_unknown_model():
    """The pure function has no suggestions to make."""
    decision = decided("x", "text", "table", [])

    assert str(decision.error) == "No text model is called 'x'."


# -- what was meant ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mistrall", "No text model is called 'mistrall'. Did you mean 'mistral'?"),
        ("acm/mistral", "No text provider is called 'acm'. Did you mean 'acme/mistral'?"),
        ("amce/zzzz", "No text provider is called 'amce'. Did you mean 'acme'?"),
        ("zzzz", "No text model is called 'zzzz'."),
    ],
)
def test_did_you_mean(name, hint):
    """A typo is answered with the name that was meant, if one is near."""
    assert hint == str(error_of(registry(acme("mistral")), name))


def test_plugin_is_suggested_only_if_it_is_known():
    """Suggesting names that nobody published invites whoever publishes them first."""
    found = registry(acme())
    known = error_of(found, "openai/x")

    assert isinstance(known, e.UnknownProviderError)
    assert str(known) == "No plugin for 'openai' is installed. Try: pip install anymodal-openai"
    assert "pip" not in str(error_of(found, "oopenai/x"))
    instance = registry(acme(), instances={"work": {"provider": "openai"}})
    assert "Try: pip install anymodal-openai" in str(error_of(instance, "work"))


def test_switched_off_search_for_plugins_is_mentioned():
    """Otherwise one looks for the fault in what is installed."""
    found = registry(acme(), plugins={"autoload": False})

    assert "Plugins are not looked for: ANYMODAL_NO_AUTOLOAD" in str(error_of(found, "zzzz"))


def test_decision_prints():
    """For logs; no key is in it."""
    decision = anymodal.Registry(
        Settings.from_mapping({"providers": {"acme": {"api_key": "sk-secret"}}}),
        plugins=[acme(**KEYED)],
        distributions=(),
    ).explain("m-1")

    assert ["acme/m-1"] == winners(decision)
    assert "sk-secret" not in repr(decision)
