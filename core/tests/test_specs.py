"""Specs: data that is checked when it is made, printable and comparable."""

import attrs
import pytest
from anymodal.modalities.text import TextProviderSpec
from anymodal.specs import (
    Capabilities,
    CommandSpec,
    Credential,
    Deadlines,
    EmulatorSpec,
    Lifecycle,
    ModelSpec,
    ProviderSpec,
    Secret,
    is_id,
    names,
    supports,
    words,
)
from hypothesis import given
from hypothesis import strategies as st


def connect(connection):
    return connection


def acme(**more):
    return TextProviderSpec(**{"id": "acme", "display_name": "Acme", "connect": connect, **more})


@pytest.mark.parametrize("text", ["a", "openai", "google-vertex", "4all", "a-1-b"])
def test_ids_are_lower_case_words_joined_by_hyphens(text):
    """They stand in URLs, in variables and before a slash."""
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "A", "a_b", "a--b", "-a", "a-", "a/b", "a b", "ä", "a\n"])
def test_anything_else_is_no_id(text):
    """Above all no slash, which ends an id in a name."""
    assert not is_id(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda name: acme(id=name),
        lambda name: EmulatorSpec(provider=name, app="acme:app"),
        lambda name: CommandSpec(name=name, help="", run=len),
    ],
    ids=["provider", "emulator", "command"],
)
@pytest.mark.parametrize("name", ["Acme", 3, None])
def test_specs_have_ids(make, name):
    """A plugin's mistake is found when the spec is made, and the field is named."""
    with pytest.raises(ValueError, match=r"^(id|provider|name): .* lower-case words"):
        make(name)


def test_secret_does_not_print():
    """Not by repr, str or format, nor inside of another class."""

    @attrs.frozen
    class Box:
        secret: Secret

    secret = Secret("sk-hush")

    assert "hush" not in f"{secret} {secret!r} {Box(secret)} {[secret]}"
    assert secret.reveal() == "sk-hush"
    assert secret == Secret("sk-hush")


# -- capabilities -----------------------------------------------------------------------------

NAMES = st.frozensets(st.sampled_from("abcd"))
CAPABILITIES = st.builds(lambda yes, no: Capabilities(yes, no - yes), NAMES, NAMES)


def test_capability_is_yes_no_or_unknown():
    """Only a known no refuses a request."""
    found = Capabilities(yes=["streaming"], no=["citations"])

    assert found.get("streaming") is True
    assert found.get("citations") is False
    assert found.get("reasoning") is None


def test_yes_and_no_at_once_is_refused():
    """All such names are told."""
    with pytest.raises(ValueError, match="both yes and no: a, b"):
        Capabilities(yes="abc", no="abd")


@given(one=CAPABILITIES, other=CAPABILITIES, name=st.sampled_from("abcd"))
def test_over_asks_the_second_only_where_the_first_does_not_know(one, other, name):
    """A model's word wins over its provider's."""
    known = one.get(name)

    assert one.over(other).get(name) is (other.get(name) if known is None else known)


@given(one=CAPABILITIES, two=CAPABILITIES, three=CAPABILITIES)
def test_over_is_associative(one, two, three):
    """User over model over provider, in any grouping; nothing known is the identity."""
    assert one.over(two).over(three) == one.over(two.over(three))
    assert one.over(Capabilities()) == Capabilities().over(one) == one


@given(model=CAPABILITIES, provider=CAPABILITIES, name=st.sampled_from("abcd"))
def test_supports_is_what_the_two_together_know(model, provider, name):
    """Asking one by one and together comes to the same."""
    spec = acme(capabilities=provider)
    found = supports(spec, ModelSpec(id="m", capabilities=model), name)

    assert found is model.over(provider).get(name)


# -- deadlines, models, providers -----------------------------------------------------------


@pytest.mark.parametrize("name", ["total", "connect", "first", "between"])
@pytest.mark.parametrize("value", [0, -1, "30", float("nan")])
def test_deadline_is_above_zero(name, value):
    """Zero seconds is no time to answer in; the message names which it is."""
    with pytest.raises(ValueError, match=f"timeout: {name} is a number of seconds above 0"):
        Deadlines(**{name: value})


def test_deadline_may_be_for_ever():
    """None is without a limit, and a whole number is a number."""
    assert Deadlines(total=None, connect=1).total is None


@pytest.mark.parametrize("value", ["gpt", "a"])
def test_one_string_is_no_list_of_strings(value):
    """`aliases="gpt"` would otherwise be three aliases."""
    with pytest.raises(TypeError, match="a list of strings is needed"):
        ModelSpec(id="m", aliases=value)
    with pytest.raises(TypeError, match="a list of strings is needed"):
        Credential(env=value)


def test_lists_become_what_cannot_change():
    """Specs are shared by everybody who asks."""
    assert words(["a", "b"]) == ("a", "b")
    assert names(["a", "b"]) == frozenset("ab")
    spec = acme(models=[ModelSpec(id="m")], credentials=[Credential()], settings=["region"])

    assert spec.models == (ModelSpec(id="m"),)
    assert spec.credentials == (Credential(),)
    assert spec.settings == frozenset({"region"})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        spec.id = "other"


def test_model_needs_an_id():
    """An empty one would be sent over the wire."""
    with pytest.raises(ValueError):
        ModelSpec(id="")


def test_lifecycle_has_three_states():
    """Anything else would be served by mistake, or refused by mistake."""
    assert Lifecycle().state == "active"
    with pytest.raises(ValueError):
        Lifecycle(state="sunset")


def test_model_is_found_by_id_or_alias():
    """And not by anything that looks like them."""
    spec = acme(models=[ModelSpec(id="acme-1", aliases=["one"]), ModelSpec(id="acme-2")])

    assert spec.model("acme-1") is spec.model("one") is spec.models[0]
    assert spec.model("acme-2") is spec.models[1]
    assert spec.model("acme") is None


@pytest.mark.parametrize(
    "models",
    [
        [ModelSpec(id="a"), ModelSpec(id="a")],
        [ModelSpec(id="a"), ModelSpec(id="b", aliases=["a"])],
        [ModelSpec(id="b", aliases=["a"]), ModelSpec(id="c", aliases=["a"])],
    ],
    ids=["ids", "id and alias", "aliases"],
)
def test_two_models_may_not_share_a_name(models):
    """Which of the two would answer?"""
    with pytest.raises(ValueError, match="acme: two models are called 'a'"):
        acme(models=models)


def test_provider_spec_belongs_to_a_modality():
    """The bare class has no contract that anybody could call."""
    with pytest.raises(TypeError, match="acme: use the spec class of a modality"):
        ProviderSpec(id="acme", display_name="Acme", connect=connect)


@pytest.mark.parametrize(
    "more", [{"kind": "cloud"}, {"connect": "acme:connect"}], ids=["kind", "connect"]
)
def test_provider_spec_checks_what_it_is_given(more):
    """A plugin under development learns of it at its first import."""
    with pytest.raises((ValueError, TypeError)):
        acme(**more)


def test_provider_spec_is_a_value_that_prints_shortly():
    """Hooks are repeatable: two calls give equal specs; a table of models is a number."""
    models = [ModelSpec(id=f"m{n}") for n in range(300)]

    assert acme(models=models) == acme(models=models)
    assert "300 models" in repr(acme(models=models))
    assert len(repr(acme(models=models))) < 1000


@pytest.mark.parametrize("app", ["acme.emulator:app", "a:b"])
def test_emulator_names_its_application(app):
    """By module and name; its key is a made-up one and yet not printed."""
    spec = EmulatorSpec(provider="acme", app=app, key="sk-hush")

    assert spec.app == app
    assert "hush" not in repr(spec)


@pytest.mark.parametrize("app", ["acme.emulator", "acme/emulator.py:app", ":app", "a:b:c"])
def test_emulator_application_is_a_module_and_a_name(app):
    """Anything else fails when it is served, which is late."""
    with pytest.raises(ValueError):
        EmulatorSpec(provider="acme", app=app)


def test_command_runs_something():
    """A function, not the name of one."""
    assert CommandSpec(name="logs", help="Search.", run=len).run(["a", "b"]) == 2
    with pytest.raises(attrs.exceptions.NotCallableError):
        CommandSpec(name="logs", help="Search.", run="acme:logs")
