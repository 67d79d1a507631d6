"""The order in which a name is looked for, and what may change where it goes."""

import datetime as dt

import anymodal
import attrs
import pytest
from anymodal import (
    Capabilities,
    ModelSpec,
    Price,
    Prices,
    Query,
    TextProviderSpec,
    best,
    hookimpl,
)
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.modalities.retrieval import RetrievalProviderSpec
from anymodal.modalities.speech import SpeechProviderSpec, VoiceSpec
from anymodal.modalities.transcription import TranscriptionProviderSpec
from anymodal.registry import Registry
from hypothesis import given

from .plugins_on_path import Brings, offers
from .test_resolution import KEYED, PROVIDERS, acme, error_of, made_of, registry, winners


class Gives:
    """A plugin of the host's with providers of any modality."""

    def __init__(self, *specs):
        self.specs = specs

    def of(self, modality):
        return [spec for spec in self.specs if spec.modality == modality]

    @hookimpl
    def anymodal_text_providers(self):
        return self.of("text")

    @hookimpl
    def anymodal_speech_providers(self):
        return self.of("speech")

    @hookimpl
    def anymodal_transcription_providers(self):
        return self.of("transcription")

    @hookimpl
    def anymodal_retrieval_providers(self):
        return self.of("retrieval")


def spec(cls, id, *models, **rest):  # noqa: A002  # the spec's word
    models = [ModelSpec(id=one) if isinstance(one, str) else one for one in models]
    return cls(id=id, display_name=id.title(), kind="local", connect=print, models=models, **rest)


# -- near names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "winner", "strategy"),
    [
        ("M_1", "acme-cloud/m-1", "table, normalised"),
        ("models/m-1", "acme-cloud/m-1", "table, normalised"),
        ("Acme_Cloud/m-1", "acme-cloud/m-1", "exact, normalised"),
        ("Acme Cloud/M_1", "acme-cloud/M_1", "exact, normalised"),
        ("ACME-CLOUD", "acme-cloud/m-1", "exact, normalised"),
        ("acme-cloud/M_1", "acme-cloud/M_1", "exact"),
    ],
)
def test_near_names(name, winner, strategy):
    """Providers' ids and listed models; behind a provider's id, a model is sent as it is written."""
    decision = registry(acme(provider="acme-cloud")).resolve(name, "text")

    assert ([winner], strategy, name) == (winners(decision), decision.strategy, decision.name)


def test_instances_and_aliases_are_exact():
    """They are the user's own words; and a provider's name that one has is not another's."""
    found = registry(
        acme(), acme(provider="beta"),
        instances={"work": {"provider": "acme"}, "beta": {"provider": "acme"}},
        aliases={"fast": ["acme/m-1"]},
    )  # fmt: skip

    for name in ("Work/m-1", "Beta/m-1", "Fast"):
        assert isinstance(error_of(found, name), (e.UnknownProviderError, e.UnknownModelError))


def test_near_provider_of_another_modality_says_so():
    """As its exact name would."""
    assert "acme offers no image; it offers text." == str(
        error_of(registry(acme()), "Acme/x", "image")
    )


@given(PROVIDERS, PROVIDERS)
def test_installing_never_moves_an_exact_name(before, added):
    """Whatever else is spelt like it."""
    tables = {**{one.upper().lower(): models for one, models in added.items()}, **before}
    old, new = made_of(before), made_of(tables)

    for provider, models in before.items():
        for model in (*models, "M_1", "unlisted", "models/m-1"):
            name = f"{provider}/{model}"
            assert [name] == winners(old.explain(name)) == winners(new.explain(name))


# -- ids of former times ----------------------------------------------------------------------------

RENAMED = """
from anymodal import ModelSpec, TextProviderSpec, hookimpl

@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="acme", display_name="Acme", kind="local", connect=print, former_ids=["zenith"],
        models=[ModelSpec(id="m-1")], default_model="m-1",
    )
"""


def test_former_id_goes_on_to_serve(site):
    """Its plugin declares it, so that one plugin is loaded for it; no listing has it."""
    site.install("anymodal-acme", RENAMED, ids=["acme", "zenith"])
    site.install("anymodal-other", offers("other"))
    found = site.registry({"instances": {"work": {"provider": "zenith"}}})

    assert ["acme/m-1"] == winners(found.resolve("zenith/m-1", "text"))
    assert {"anymodal_acme"} == site.imported()
    assert ["work/m-1"] == winners(found.resolve("work", "text"))
    assert ["acme/m-1"] == winners(found.resolve("Zenith", "text"))
    assert ["acme", "other", "work"] == [one.instance for one in found.providers()]


def test_former_id_has_to_be_declared(site):
    """Whose it is says the metadata."""
    site.install("anymodal-acme", RENAMED)

    error = error_of(site.registry(), "acme/m-1")
    assert "the former id 'zenith' is not the name of an entry point of its own" in str(error)


def test_former_id_that_another_has_is_the_others(site):
    """The distribution that is called after it keeps it."""
    site.install("anymodal-acme", RENAMED, ids=["acme", "zenith"])
    site.install("anymodal-zenith", offers("zenith"))
    found = site.registry({"instances": {"work": {"provider": "zenith"}}})

    assert ["zenith/m-1"] == winners(found.resolve("zenith/m-1", "text"))
    assert ["acme", "work", "zenith"] == [one.instance for one in found.providers()]
    assert "zenith" == found.resolve("work", "text").winners[0].offer.spec.id


def test_two_names_of_providers_are_never_one():
    """Former ones count."""
    with pytest.raises(e.BrokenPluginError, match="two specs share an id"):
        Registry(
            Settings.empty(),
            plugins=[
                Gives(spec(TextProviderSpec, "a"), spec(TextProviderSpec, "b", former_ids=["a"]))
            ],
            distributions=(),
        )


def test_hosts_provider_may_have_former_ids():
    """Without metadata."""
    found = registry(acme(former_ids=["zenith"]))

    assert ["acme/m-1"] == winners(found.resolve("zenith", "text"))


# -- an order to choose by -----------------------------------------------------------------------------


def three(**settings):
    return registry(
        acme("m-1", **KEYED), acme("m-1", provider="beta"),
        acme("m-1", provider="gamma", patterns=["new-*"]), **settings,
    )  # fmt: skip


def test_order_decides_where_no_model_is_named():
    """The first of it that is configured; without an order nobody guesses."""
    ordered = three(auto_detect={"text": ["acme", "gamma", "beta"]})
    decision = ordered.resolve(None, "text")

    assert (["gamma/m-1"], "default, auto_detect") == (winners(decision), decision.strategy)
    assert isinstance(error_of(three(), None), e.AmbiguousNameError)
    elsewhere = three(auto_detect={"image": ["gamma"], "text": ["nobody"]})
    assert isinstance(error_of(elsewhere, None), e.AmbiguousNameError)


def test_default_goes_before_the_order():
    """It is the plainer word."""
    found = three(auto_detect={"text": ["gamma"]}, defaults={"text": "beta"})

    assert ["beta/m-1"] == winners(found.resolve(None, "text"))


def test_order_decides_between_claimants():
    """And an alias before it."""
    ordered = three(auto_detect={"text": ["acme", "gamma", "beta"]})
    decision = ordered.resolve("m-1", "text")

    assert (["gamma/m-1"], "table, auto_detect") == (winners(decision), decision.strategy)
    assert ["gamma/m-1"] == winners(ordered.resolve("M_1", "text"))
    settled = three(auto_detect={"text": ["gamma"]}, aliases={"m-1": ["beta/m-1"]})
    assert ["beta/m-1"] == winners(settled.resolve("m-1", "text"))


def test_order_finds_a_home_for_unlisted_names():
    """With those of it that take names like this one; a name of nobody's stays nobody's."""
    ordered = three(auto_detect={"text": ["beta", "gamma"]})
    decision = ordered.resolve("new-9", "text")

    assert (["gamma/new-9"], "pattern, auto_detect") == (winners(decision), decision.strategy)
    assert isinstance(error_of(ordered, "old-9"), e.UnknownModelError)
    assert isinstance(error_of(three(), "new-9"), e.UnknownModelError)


# -- the settings' map ----------------------------------------------------------------------------------


def test_route_goes_before_tables_and_after_aliases():
    """In its modality alone, with what settings say of the model."""
    routes = {"text": {"m-1": "beta/m-9", "fast": "beta"}, "image": {"zzz": "beta/x"}}
    found = three(
        routes=routes, aliases={"fast": ["gamma"]}, models={"beta/m-9": {"context_tokens": 7}}
    )

    decision = found.resolve("m-1", "text")
    assert (["beta/m-9"], "override") == (winners(decision), decision.strategy)
    assert 7 == decision.winners[0].model.context_tokens
    assert ["gamma/m-1"] == winners(found.resolve("fast", "text"))
    assert isinstance(error_of(found, "zzz"), e.UnknownModelError)


def test_route_that_leads_nowhere():
    """Its error is the settings', and no strategy's that broke."""
    error = error_of(three(routes={"text": {"fast": "nobody/x"}}), "fast")

    assert type(error) is e.UnknownProviderError
    assert str(error).startswith('[routes.text] "fast" = "nobody/x": no text provider')


# -- plugins that route -----------------------------------------------------------------------------------

ROUTER = """
from anymodal import hookimpl

@hookimpl
def anymodal_resolve(query):
    if query.name == "house":
        return {target!r}
"""


class Router:
    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    @hookimpl
    def anymodal_resolve(self, query):
        self.asked.append(query)
        return self.answer(query) if callable(self.answer) else self.answer


def test_installed_router_counts_only_where_it_is_named(site):
    """Installing a distribution never changes where a name goes."""
    site.install("anymodal-router", ROUTER.format(target="acme/m-7"))
    site.install("anymodal-second", ROUTER.format(target="acme/m-8"))
    plain, one, two = (
        site.registry({"plugins": {"use": use}}, plugins=[acme("house")])
        for use in ([], ["router"], ["second", "router"])
    )

    assert ["acme/house"] == winners(plain.resolve("house", "text"))
    decision = one.resolve("house", "text")
    assert ["acme/m-7"] == winners(decision)
    assert "anymodal_resolve of anymodal_router, exact" == decision.strategy
    assert ["acme/m-8"] == winners(two.resolve("house", "text"))


def test_hosts_router_is_asked_after_the_settings(site):
    """The first answer counts."""
    site.install("anymodal-router", ROUTER.format(target="acme/m-7"))
    host = Router("acme/m-5")
    found = site.registry({"plugins": {"use": ["router"]}}, plugins=[host, acme("house", "m-1")])

    assert ["acme/m-7"] == winners(found.resolve("house", "text"))
    assert ["acme/m-5"] == winners(found.resolve("m-1", "text"))
    assert [Query(name="m-1", modality="text")] == host.asked


def test_router_is_never_asked_about_names_that_are_settled():
    """Exact ones, aliases, and none at all."""
    host = Router("acme/m-9")
    found = registry(host, acme(), aliases={"fast": ["acme"]})

    for name in ("acme/m-1", "acme", "fast", None):
        assert ["acme/m-1"] == winners(found.resolve(name, "text"))
    assert [] == host.asked


def test_router_hears_what_is_needed():
    """It is a value, and may be a key of a dict."""
    host = Router(None)
    found = registry(host, acme())

    assert found.resolve("m-1", "text", ["reasoning"]).winners
    assert {Query(name="m-1", modality="text", needs=["reasoning"])} == set(host.asked)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("m-1", "an exact name or None is needed, not 'm-1'."),
        (7, "an exact name or None is needed, not 7."),
        ("", "an exact name or None is needed, not ''."),
        (lambda query: 1 // 0, "failed for 'm-1': ZeroDivisionError: integer division or modulo by zero."),
    ],
)  # fmt: skip
def test_router_that_breaks_is_named(answer, words):
    """A name that it should have routed goes nowhere; exact names do not mind."""
    found = registry(Router(answer), acme())
    error = error_of(found, "m-1")

    assert isinstance(error, e.BrokenPluginError)
    assert str(error).startswith(f"anymodal_resolve of {__name__}")
    assert words in str(error)
    assert ["acme/m-1"] == winners(found.resolve("acme/m-1", "text"))


def test_routers_answer_may_be_refused_as_any_exact_name():
    """Then that is the error."""
    found = registry(Router("acme/m-1"), acme(**KEYED))

    assert isinstance(error_of(found, "zzz"), e.MissingCredentialsError)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("@hookimpl\nasync def anymodal_resolve(query): ...", "a plain function is needed"),
        ("@hookimpl\ndef anymodal_resolve(query): yield", "a plain function is needed"),
        ("@hookimpl\ndef anymodal_resolve(): ...", "it takes one argument, called query"),
        ("@hookimpl\ndef anymodal_resolve(name): ...", "name"),
        ("@hookimpl(wrapper=True)\ndef anymodal_resolve(query):\n    return (yield)", "only a host may wrap it"),
    ],
)  # fmt: skip
def test_routers_are_proven(site, code, words):
    """Before any name is asked for."""
    site.install("anymodal-router", "from anymodal import hookimpl\n" + code)
    (plugin,) = site.registry().plugins()

    assert "broken" == plugin.state
    assert words in str(plugin.error)


def test_hosts_may_not_wrap_routing():
    """There is nothing to wrap: who has no answer returns None."""

    class Wraps:
        @hookimpl(wrapper=True)
        def anymodal_resolve(self, query):
            return (yield)

    with pytest.raises(e.BrokenPluginError, match="it cannot be wrapped"):
        registry(Wraps())


# -- strategies of plugins' own ---------------------------------------------------------------------------

ROOM = """
from typing import ClassVar
import attrs
from anymodal import Modality, ProviderSpec, hookimpl, hookspec
from anymodal.resolution import Decision, decided, row_of

@attrs.frozen(kw_only=True)
class SmellProviderSpec(ProviderSpec[object]):
    modality: ClassVar[str] = "smell"

@hookspec
def anymodal_smell_providers():
    "Offer providers of smell."

def by_first_letter(query, offers):
    rows = [row_of(one, one.find(query.name), query) for one in offers if one.instance[0] == query.name[0]]
    return decided(query.name, query.modality, "first letter", rows)

def broken(query, offers):
    raise KeyError("nose")

def wrong(query, offers):
    return None
"""
BRINGS = """
from anymodal import Modality, hookimpl

@hookimpl
def anymodal_modalities():
    yield Modality(name="smell", spec="smell_room:SmellProviderSpec", hookspecs="smell_room", strategy="smell_room:{strategy}")

@hookimpl
def anymodal_smell_providers():
    from smell_room import SmellProviderSpec
    yield SmellProviderSpec(id="rose", display_name="Rose", kind="local", connect=print)
"""


@pytest.fixture
def smelling(site):
    """A registry with a modality that is routed as said."""
    (site.folder / "smell_room.py").write_text(ROOM, "utf-8")

    def made(strategy):
        site.install("anymodal-rose", BRINGS.format(strategy=strategy))
        return site.registry()

    return made


def test_modality_may_route_by_itself(smelling):
    """Its strategy is a field of it; exact names are exact in every modality."""
    found = smelling("by_first_letter")

    decision = found.resolve("red", "smell")
    assert (["rose/red"], "first letter") == (winners(decision), decision.strategy)
    assert ["rose/blue"] == winners(found.resolve("rose/blue", "smell"))
    assert isinstance(error_of(found, "blue", "smell"), e.UnknownModelError)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [("broken", "KeyError: 'nose'."), ("wrong", "it gave a NoneType.")],
)
def test_strategy_that_breaks_is_named(smelling, strategy, words):
    """And harms no exact name."""
    found = smelling(strategy)
    error = error_of(found, "red", "smell")

    assert isinstance(error, e.BrokenPluginError)
    assert f"smell_room:{strategy} cannot route 'red' in smell: {words}" == str(error)
    assert ["rose/red"] == winners(found.resolve("rose/red", "smell"))


@pytest.mark.parametrize(
    ("strategy", "words"),
    [("missing", "has no attribute 'missing'"), ("__name__", "is no function")],
)
def test_strategy_is_proven(smelling, strategy, words):
    """That it is there, at least."""
    (plugin,) = smelling(strategy).plugins()

    assert words in str(plugin.error)


# -- voices, actions, stores ---------------------------------------------------------------------------------

VOICES = {"voices": [VoiceSpec(id="v1", name="Rachel")]}
SPEECH = Gives(
    spec(SpeechProviderSpec, "acme", "s-1", "s-2", default_model="s-1", **VOICES),
    spec(SpeechProviderSpec, "beta", "b-1", **VOICES),
    spec(SpeechProviderSpec, "gamma"),
)


@pytest.mark.parametrize(
    ("name", "voice", "winner", "model"),
    [
        (None, "acme/Rachel", "acme/v1", "s-1"),
        (None, "acme/cloned-7", "acme/cloned-7", "s-1"),
        (None, "beta/Rachel", "beta/v1", "b-1"),
        ("acme/s-2", "acme/Rachel", "acme/v1", "s-2"),
        ("acme/s-2", "Rachel", "acme/v1", "s-2"),
        ("s-2", "acme/Rachel", "acme/v1", "s-2"),
        ("s-2", "Rachel", "acme/v1", "s-2"),
        (None, "narrator", "beta/v1", "b-1"),
        ("acme/s-2", "", "acme/s-2", "s-2"),
    ],
)
def test_voices_by_name(name, voice, winner, model):
    """Exact ones, bare ones and aliases, with a model and without."""
    found = registry(SPEECH, aliases={"narrator": ["beta/Rachel"]})
    decision = found.resolve(name, "speech", voice=voice)

    assert ([winner], model) == (winners_by_name(decision), decision.winners[0].model.id)


def winners_by_name(decision):
    return [row.name for row in decision.winners]


@pytest.mark.parametrize(
    ("name", "voice", "cls", "words"),
    [
        ("acme/s-1", "beta/Rachel", e.InvalidRequestError, "voice: beta/Rachel is no voice of acme, whose model is asked for."),
        (None, "Rachel", e.AmbiguousNameError, "acme/v1 and beta/v1"),
        (None, "Nobody", e.UnknownModelError, "No speech provider has the voice 'Nobody'. Say whose it is: provider/Nobody"),
        (None, "gamma/Rachel", e.UnknownModelError, "gamma has no default model."),
    ],
)  # fmt: skip
def test_voices_that_nobody_speaks_with(name, voice, cls, words):
    """Each with its reason."""
    decision = registry(SPEECH).explain(name, modality="speech", voice=voice)

    assert type(decision.error) is cls
    assert words in str(decision.error)


def test_live_goes_past_a_default_that_cannot():
    """Files go to the default; live audio to who does live, and never to one that is asked by name."""
    live, never = Capabilities(["live"]), Capabilities(no=["live"])
    found = registry(
        Gives(
            spec(TranscriptionProviderSpec, "acme", "a-1", default_model="a-1", capabilities=never),
            spec(TranscriptionProviderSpec, "beta", "b-1", default_model="b-1", capabilities=live),
        ),
        defaults={"transcription": "acme"},
    )

    assert ["acme/a-1"] == winners(found.resolve(None, "transcription"))
    assert ["beta/b-1"] == winners(found.resolve(None, "transcription", action="live"))
    decision = found.explain("acme", modality="transcription", action="live")
    assert isinstance(decision.error, e.UnsupportedFeatureError)


def test_store_needs_no_model():
    """It is named by its provider or its instance, and is the default where it is the only one."""
    found = registry(
        Gives(spec(RetrievalProviderSpec, "acme")), instances={"work": {"provider": "acme"}}
    )

    for name, instance in (("acme", "acme"), ("work", "work"), (None, "acme"), ("Acme", "acme")):
        (row,) = found.resolve(name, "retrieval").winners
        assert (instance, True) == (row.offer.instance, row.model.listed)


# -- what cannot serve --------------------------------------------------------------------------------------------


def test_switched_off_has_an_error_of_its_own():
    """A list of names goes on from it, which no other fault of the settings allows."""
    found = registry(acme(), providers={"acme": {"enabled": False}})

    assert isinstance(error_of(found, "acme/m-1"), e.DisabledProviderError)


def test_errors_do_not_depend_on_which_is_refused_first():
    """One is switched off, one lacks what is needed."""
    for off in ("acme", "beta"):
        on = {"acme": "beta", "beta": "acme"}[off]
        plugins = [
            acme(provider=one, capabilities=Capabilities(no=["reasoning"]))
            for one in ("acme", "beta")
        ]
        error = error_of(
            registry(*plugins, providers={off: {"enabled": False}}), "m-1", needs=["reasoning"]
        )
        assert isinstance(error, e.UnsupportedFeatureError)
        assert f"{on}/m-1 is known not to have reasoning" in str(error)


# -- by facts -------------------------------------------------------------------------------------------------------


def priced(name, usd):
    items = [Price("input_token", usd), Price("output_token", usd)]
    return ModelSpec(id=name, prices=Prices(items, "acme.example", dt.date(2026, 11, 20)))


def market(**settings):
    return registry(
        acme(priced("dear", 9), priced("cheap", 1)), acme(priced("fair", 2), provider="beta"),
        acme(priced("shut", 0), provider="gamma", **KEYED), **settings,
    )  # fmt: skip


def test_best_is_explained_like_a_name():
    """Every model that is listed is a row of it."""
    decision = market().resolve(best(), "text")

    assert ["acme/cheap", "beta/fair", "acme/dear"] == winners(decision)
    assert 4 == len(decision.rows)
    assert "best(prefer='cheapest')" == decision.name


def test_best_heeds_settings():
    """Prices that the user knows better, priorities, and what is switched off."""
    cheaper = {"beta/fair": {"prices": {"input_token": "0.1", "output_token": "0.1"}}}
    assert "beta/fair" == winners(market(models=cheaper).resolve(best(), "text"))[0]
    first = {"providers": {"beta": {"priority": 9}}}
    assert "beta/fair" == winners(market(**first).resolve(best(prefer="priority"), "text"))[0]
    off = {"providers": {"acme": {"enabled": False}}}
    assert ["beta/fair"] == winners(market(**off).resolve(best(), "text"))


def test_best_of_a_capability_that_is_none():
    """A typo would silently choose nobody."""
    decision = market().explain(best(needs=["flying"]))

    assert isinstance(decision.error, e.InvalidRequestError)
    assert str(decision.error).startswith("needs: text has no capability 'flying'; there are ")


def test_best_of_a_modality_that_is_none():
    """Like any name."""
    assert isinstance(market().explain(best(), modality="txet").error, e.InvalidRequestError)


# -- hosts that wrap ----------------------------------------------------------------------------------------------------


class Renames:
    """Changes what every plugin offers of text, and offers something itself."""

    def __init__(self):
        self.seen = []

    @hookimpl(wrapper=True)
    def anymodal_text_providers(self):
        found = yield
        ((one,),) = [list(some) for some in found]
        self.seen.append(one.id)
        return [[attrs.evolve(one, display_name=one.display_name.upper())]]

    @hookimpl
    def anymodal_image_providers(self):
        return []


def test_hosts_may_wrap_the_hooks_of_plugins(site):
    """Each plugin's by itself: one that breaks does not take the others with it."""
    site.install("anymodal-beta", offers("beta"))
    site.install("anymodal-broken", "1 / 0")
    host = Renames()
    found = site.registry(plugins=[acme(), host])

    assert ["ACME", "BETA"] == [one.spec.display_name for one in found.providers()]
    assert ["acme", "beta"] == host.seen


def test_old_wrappers_will_do():
    """Pluggy has two kinds."""

    class Drops:
        @hookimpl(hookwrapper=True)
        def anymodal_text_providers(self):
            outcome = yield
            outcome.force_result([])

    assert () == registry(acme(), Drops()).providers()


def test_wrappers_results_are_checked(site):
    """The plugin is not to blame, and the words say so."""
    site.install("anymodal-beta", offers("beta"))

    class Spoils:
        @hookimpl(wrapper=True)
        def anymodal_text_providers(self):
            yield
            return [["nonsense"]]

    (plugin,) = site.registry(plugins=[Spoils()]).plugins()
    assert "anymodal_text_providers: the host's wrapper failed: TypeError:" in str(plugin.error)


# -- a client ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Answers:
    """Counts its calls, and fails where it is told to."""

    def __init__(self, error=None):
        self.error = error
        self.calls = 0

    async def generate(self, request):
        self.calls += 1
        if self.error:
            raise self.error
        return anymodal.TextResult(anymodal.Message.assistant(request.model.id))


def open_market(cheap, fair):
    plugins = [
        Brings(lambda _: cheap, id="acme", models=[priced("cheap", 1)]),
        Brings(lambda _: fair, id="beta", models=[priced("fair", 2)]),
    ]
    return anymodal.Client(registry=Registry(Settings.empty(), plugins=plugins, distributions=()))


@pytest.mark.anyio
async def test_best_stands_wherever_a_model_may():
    """Alone, among names, and for the candidates that a call goes on to."""
    cheap, fair = Answers(), Answers()
    async with open_market(cheap, fair) as ai:
        assert "cheap" == (await ai.text.generate("Hi", model=best())).text
        only = best(among=["beta"])
        assert "fair" == (await ai.text.generate("Hi", model=[only, "acme/cheap"])).text
        cheap.error = e.PermissionDeniedError("no", provider="acme")
        with pytest.raises(e.PermissionDeniedError):
            await ai.text.generate("Hi", model=best())
        cheap.error = e.AuthenticationError("no", provider="acme")
        reply = await ai.text.generate("Hi", model=best())

    assert ["acme", "beta"] == [attempt.provider for attempt in reply.record.attempts]


@pytest.mark.anyio
async def test_best_of_nothing_is_the_calls_error():
    """With the record of it."""
    async with open_market(Answers(), Answers()) as ai:
        with pytest.raises(e.NothingFitsError) as caught:
            await ai.text.generate("Hi", model=best(prefer="free"))
        reply = await ai.text.generate("Hi", model=[best(prefer="free"), "beta/fair"])

    assert caught.value.record is not None
    assert [e.NothingFitsError, type(None)] == [type(one.error) for one in reply.record.attempts]
