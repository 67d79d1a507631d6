"""Each modality's own way from a bare name to who serves it, as functions over plain facts."""

import datetime as dt
from decimal import Decimal

import anymodal
import attrs
import pytest
from anymodal import Capabilities, ModelSpec, Price, Prices, Query, best
from anymodal import errors as e
from anymodal.modalities import BUILT_IN, TEXT
from anymodal.modalities.image import ImageProviderSpec
from anymodal.modalities.realtime import RealtimeProviderSpec
from anymodal.modalities.retrieval import RetrievalProviderSpec
from anymodal.modalities.speech import SpeechProviderSpec, VoiceSpec
from anymodal.modalities.text import TextProviderSpec
from anymodal.modalities.transcription import TranscriptionProviderSpec
from anymodal.resolution import Decision, Offer, Row, decided
from anymodal.resolution import best as choosing
from anymodal.resolution.action import by_action, by_default
from anymodal.resolution.detection import detected, settled
from anymodal.resolution.naming import normalised
from anymodal.resolution.override import by_override
from anymodal.resolution.pattern import by_table_then_pattern
from anymodal.resolution.store import by_store
from anymodal.resolution.table import by_table
from anymodal.resolution.voice import by_voice
from hypothesis import given
from hypothesis import strategies as st

SPECS = {
    one.modality: one
    for one in (
        ImageProviderSpec, RealtimeProviderSpec, RetrievalProviderSpec, SpeechProviderSpec,
        TextProviderSpec, TranscriptionProviderSpec,
    )
}  # fmt: skip
LIVE, NOT_LIVE = Capabilities(["live"]), Capabilities(no=["live"])
TODAY = dt.date(2026, 11, 20)


def offer(modality, id, *models, instance="", missing="", priority=0, **spec):  # noqa: A002  # the spec's word
    """What a provider called *id* with these models offers."""
    models = tuple(ModelSpec(id=one) if isinstance(one, str) else one for one in models)
    made = SPECS[modality](
        id=id, display_name=id.title(), kind="local", connect=print, models=models, **spec
    )
    return Offer(
        instance=instance or id, spec=made, models=models, missing=missing, priority=priority,
        default_model=made.default_model,
    )  # fmt: skip


def query(name, modality, **rest):
    return Query(name=name, modality=modality, **rest)


def names(decision):
    return [row.name for row in decision.winners]


def test_every_modality_has_its_strategy():
    """It is data of the modality: a plugin's own modality says its own."""
    assert {
        "text": "by_table",
        "image": "by_table_then_pattern",
        "video": "by_table_then_pattern",
        "audio": "by_table",
        "speech": "by_voice",
        "transcription": "by_action",
        "realtime": "by_override",
        "embedding": "by_table",
        "retrieval": "by_store",
    } == {one.name: one.routing().__name__ for one in BUILT_IN}


# -- spelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("GPT-X", "gpt-x"),
        ("gpt_x", "gpt-x"),
        (" gpt  x ", "gpt-x"),
        ("models/gpt-x", "gpt-x"),
        ("Models/gpt-x", "gpt-x"),
        ("Acme Cloud/Big_Model", "acme-cloud/big-model"),
        ("m-1.5", "m-1.5"),
        ("_m_", "m"),
        ("models", "models"),
    ],
)
def test_spellings_that_mean_the_same(written, meant):
    """Case, spaces, underscores, and the shelf that a vendor's listing has it on."""
    assert meant == normalised(written)


@given(st.text() | st.text(st.sampled_from("mMoOdDeElLsS/_- .1ßİ")))
def test_normalising_twice_is_normalising_once(name):
    """Otherwise a name would depend on how often it went through."""
    assert normalised(name) == normalised(normalised(name))


def test_dots_tell_models_apart():
    """A version is no spelling."""
    assert normalised("m-1.5") != normalised("m-15")
    assert normalised("a/b") != normalised("a-b")


def test_exact_spelling_goes_before_another():
    """Whatever else is near, an id that exists is itself."""
    offers = [offer("text", "acme", "m-1"), offer("text", "beta", "M_1")]

    assert ["acme/m-1"] == names(by_table(query("m-1", "text"), offers))
    assert ["beta/M_1"] == names(by_table(query("M_1", "text"), offers))
    error = by_table(query("M 1", "text"), offers).error
    assert isinstance(error, e.AmbiguousNameError)
    assert "acme/m-1 and beta/M_1" in str(error)


def test_two_near_models_of_one_provider_are_ambiguous():
    """The error names both, as it would those of two providers."""
    error = by_table(query("M 1", "text"), [offer("text", "acme", "m-1", "M_1")]).error

    assert isinstance(error, e.AmbiguousNameError)
    assert "acme/M_1 and acme/m-1" in str(error)


# -- tables and patterns -------------------------------------------------------------------------


def test_pattern_serves_what_no_table_has():
    """Pictures' models come out faster than plugins."""
    offers = [offer("image", "acme", "flux-1", patterns=["flux-*"]), offer("image", "beta", "x")]

    decision = by_table_then_pattern(query("flux-9", "image"), offers)
    assert (["acme/flux-9"], "pattern") == (names(decision), decision.strategy)
    assert not decision.winners[0].model.listed


def test_table_goes_before_patterns():
    """Who lists a model knows it; a pattern is a guess."""
    offers = [offer("image", "acme", patterns=["*"]), offer("image", "beta", "flux-2")]

    assert ["beta/flux-2"] == names(by_table_then_pattern(query("flux-2", "image"), offers))
    assert ["beta/flux-2"] == names(by_table_then_pattern(query("Flux 2", "image"), offers))


def test_two_patterns_are_ambiguous():
    """Like two tables."""
    offers = [offer("image", one, patterns=["flux-*"]) for one in ("acme", "beta")]

    error = by_table_then_pattern(query("flux-9", "image"), offers).error
    assert "acme/flux-9 and beta/flux-9" in str(error)


def test_text_goes_by_tables_alone():
    """A pattern makes no text model."""
    decision = by_table(query("flux-9", "text"), [offer("text", "acme", patterns=["*"])])

    assert isinstance(decision.error, e.UnknownModelError)


# -- action -----------------------------------------------------------------------------------------


def hears(id, models=("m-1",), **spec):  # noqa: A002  # as above
    return offer("transcription", id, *models, **spec)


def test_live_goes_to_who_does_live():
    """Of two that list the model, the one that is known to; files stay ambiguous."""
    offers = [
        hears("acme", capabilities=LIVE),
        hears("beta"),
        hears("gamma", capabilities=NOT_LIVE),
    ]

    decision = by_action(query("m-1", "transcription", action="live"), offers)
    assert ["acme/m-1"] == names(decision)
    assert [
        "",
        "not known to have live, and others are",
        "known not to have live",
    ] == [row.refused for row in decision.rows]
    assert isinstance(by_action(query("m-1", "transcription"), offers).error, e.AmbiguousNameError)


def test_unknown_is_enough_where_nobody_is_known():
    """Only a known no refuses."""
    decision = by_action(query("m-1", "transcription", action="live"), [hears("acme")])

    assert ["acme/m-1"] == names(decision)


def test_action_alone_finds_the_model_that_does_it():
    """The default model writes files down; another of the provider's listens live."""
    files, live = (
        ModelSpec(id="file", capabilities=NOT_LIVE),
        ModelSpec(id="live", capabilities=LIVE),
    )
    offers = [
        hears("acme", [files, live], default_model="file"),
        hears("beta", [files], default_model="file"),
        hears("gamma", [files]),
    ]

    decision = by_default(query("", "transcription", action="live"), offers)
    assert ["acme/live"] == names(decision)
    assert ["acme/live", "beta/file"] == [row.name for row in decision.rows]
    only = by_default(query("", "transcription"), offers[:1])
    assert ["acme/file"] == names(only)


# -- voices -------------------------------------------------------------------------------------------


def speaks(id, *voices, models=("v-1",), **spec):  # noqa: A002  # as above
    voices = [VoiceSpec(id=one.lower(), name=one) for one in voices]
    spec.setdefault("default_model", models[0] if models else None)
    return offer("speech", id, *models, voices=voices, **spec)


@pytest.mark.parametrize("name", ["Rachel", "rachel", "RACHEL"])
def test_voice_decides_who_speaks(name):
    """By id, by name, and in other spellings; the provider's usual model speaks."""
    decision = by_voice(query(name, "speech"), [speaks("acme", "Rachel"), speaks("beta", "Marin")])

    assert ["acme/rachel"] == names(decision)
    assert ("v-1", "Rachel") == (decision.winners[0].model.id, decision.winners[0].voice.name)


def test_name_that_is_no_voice_is_a_model():
    """Tables go on to count."""
    decision = by_voice(query("v-2", "speech"), [speaks("acme", "Rachel", models=["v-1", "v-2"])])

    assert (["acme/v-2"], "table") == (names(decision), decision.strategy)
    assert decision.winners[0].voice is None


def test_voice_and_model_have_to_be_of_one_provider():
    """Two have the voice, one of them the model; and nobody has what nobody has."""
    offers = [speaks("acme", "Rachel"), speaks("beta", "Rachel", models=["b-1"])]

    both = by_voice(query("b-1", "speech", voice="Rachel"), offers)
    assert ("beta", "b-1", "rachel") == (
        both.winners[0].offer.instance,
        both.winners[0].model.id,
        both.winners[0].voice.id,
    )
    assert isinstance(
        by_voice(query("", "speech", voice="Rachel"), offers).error, e.AmbiguousNameError
    )
    for name, words in (
        ("", "No speech provider has the voice 'Nobody'."),
        ("b-1", "and the model 'b-1'."),
    ):
        error = by_voice(query(name, "speech", voice="Nobody"), offers).error
        assert isinstance(error, e.UnknownModelError)
        assert words in str(error)


def test_providers_without_models_or_voices_are_passed_over():
    """A voice needs a model to speak it; the first listed does where none is usual."""
    offers = [
        speaks("acme", "Rachel", models=()),
        speaks("beta", "Rachel", models=["b-1"], default_model=None),
        offer("text", "gamma", "t-1", default_model="t-1"),
    ]

    assert ["beta/rachel"] == names(by_voice(query("Rachel", "speech"), offers))


@pytest.mark.parametrize(
    ("voices", "error"),
    [(["rachel"], TypeError), ([VoiceSpec(id="a"), VoiceSpec(id="a")], ValueError)],
)
def test_voices_are_checked(voices, error):
    """A plugin's data is a stranger's."""
    with pytest.raises(error):
        SpeechProviderSpec(id="acme", display_name="Acme", connect=print, voices=voices)


def test_voices_print_briefly():
    """Some vendors have thousands."""
    spec = speaks("acme", "Rachel", "Domi").spec

    assert "2 voices" in repr(spec)
    assert "rachel" == VoiceSpec(id="rachel").name


# -- overrides ------------------------------------------------------------------------------------------


ROUTES = {"fast-voice": "beta/r-2", "whole": "beta", "lost": "nobody/x", "bare": "acme"}


@pytest.mark.parametrize(
    ("name", "winner"), [("fast-voice", "beta/r-2"), ("whole", "beta/r-1"), ("r-0", "acme/r-0")]
)
def test_override_map_decides_and_else_the_table(name, winner):
    """A model outside the table, too; settings know best."""
    offers = [
        offer("realtime", "acme", "r-0"),
        offer("realtime", "beta", "r-1", default_model="r-1"),
    ]

    assert [winner] == names(by_override(query(name, "realtime", routes=ROUTES), offers))


@pytest.mark.parametrize(
    ("name", "cls", "words"),
    [
        ("lost", e.UnknownProviderError, '[routes.realtime] "lost" = "nobody/x": no realtime provider or instance is called \'nobody\'.'),
        ("bare", e.UnknownModelError, '[routes.realtime] "bare" = "acme": acme has no default model. Say which: acme/...'),
    ],
)  # fmt: skip
def test_override_that_leads_nowhere_says_which(name, cls, words):
    """The fault is in the settings."""
    with pytest.raises(cls) as caught:
        by_override(query(name, "realtime", routes=ROUTES), [offer("realtime", "acme", "r-0")])

    assert words == str(caught.value)


# -- stores ------------------------------------------------------------------------------------------------


def test_store_is_found_by_another_spelling():
    """It has no models; the row says the store itself, and nothing of an unlisted model."""
    offers = [offer("retrieval", "acme-store"), offer("retrieval", "acme-store", instance="work")]

    decision = by_store(query("Acme Store", "retrieval"), offers)
    assert ["acme-store/acme-store"] == names(decision)
    assert decision.winners[0].model.listed
    assert isinstance(by_store(query("nobody", "retrieval"), offers).error, e.UnknownModelError)


def test_instances_of_stores_are_exact():
    """The user gave them their names."""
    offers = [offer("retrieval", "acme", instance="Work")]

    assert not by_store(query("work", "retrieval"), offers).rows


# -- an order that settles -----------------------------------------------------------------------------------


def test_order_settles_what_is_ambiguous():
    """The first that could serve does; one that could not is passed over."""
    offers = [offer("text", one, "m-1") for one in ("acme", "beta")]
    offers.append(offer("text", "gamma", "m-1", missing="gamma needs an API key."))
    unsettled = by_table(query("m-1", "text"), offers)

    decision = settled(unsettled, ["gamma", "nobody", "beta", "acme"])
    assert (["beta/m-1"], "table, auto_detect") == (names(decision), decision.strategy)
    assert settled(unsettled, ["gamma"]) is unsettled
    assert settled(unsettled, []) is unsettled


def test_order_settles_no_two_models_of_one_provider():
    """It is an order of providers."""
    unsettled = by_table(query("M 1", "text"), [offer("text", "acme", "m-1", "M_1")])

    assert settled(unsettled, ["acme"]) is unsettled


def test_order_finds_who_takes_unlisted_names():
    """Only those that are named in it, and have a pattern for the name."""
    offers = [
        offer("text", "acme", patterns=["*"]),
        offer("text", "beta", patterns=["new-*"]),
        offer("text", "gamma", patterns=["new-*"]),
        offer("text", "delta"),
    ]

    assert ["gamma/new-1"] == names(
        detected(query("new-1", "text"), offers, ["delta", "gamma", "beta"])
    )
    assert not detected(query("new-1", "text"), offers, ["delta"]).rows


# -- by facts ---------------------------------------------------------------------------------------------------


def priced(name, usd, **rest):
    """A model at *usd* for a million tokens; None is unknown."""
    items = [] if usd is None else [Price("input_token", usd), Price("output_token", usd)]
    prices = Prices(items, "acme.example", TODAY) if items else None
    return ModelSpec(id=name, prices=prices, **rest)


OLD = anymodal.Lifecycle(state="deprecated")
SEES = Capabilities(["image_input"])
FACTS = [
    offer("text", "acme", priced("dear", 9), priced("cheap", 1), priced("free", 0), priority=1),
    offer(
        "text", "beta", priced("fair", 2, capabilities=SEES), priced("unknown", None), priority=5
    ),
    offer("text", "old", priced("older", Decimal("0.5"), lifecycle=OLD), priority=9),
    offer("text", "locked", priced("shut", 0), missing="locked needs an API key."),
]


def chosen(asked, wanted, offers):
    """Who serves best, as the typical text has it."""
    return choosing.chosen(asked, wanted, offers, TEXT.typical)


@pytest.mark.parametrize(
    ("wanted", "winners"),
    [
        (best(), ["acme/free", "acme/cheap", "beta/fair", "acme/dear", "old/older"]),
        (best(prefer="free"), ["acme/free"]),
        (best(prefer="priority"), ["beta/fair", "beta/unknown", "acme/cheap", "acme/dear", "acme/free", "old/older"]),
        (best(needs=["image_input"]), ["beta/fair"]),
        (best(among=["acme/c*", "beta"]), ["acme/cheap", "beta/fair"]),
        (best(prefer="priority", among=["beta"]), ["beta/fair", "beta/unknown"]),
    ],
)  # fmt: skip
def test_best_goes_by_facts(wanted, winners):
    """What is unknown is neither cheap nor free nor able; what is deprecated comes last."""
    decision = chosen(query("", "text"), wanted, FACTS)

    assert winners == names(decision)
    assert f"best, {wanted.prefer}" == decision.strategy


def test_best_says_why_not():
    """Row by row."""
    refused = {
        row.name: row.refused
        for row in chosen(query("", "text"), best(needs=["image_input"]), FACTS).rows
    }

    assert "not known to have image_input" == refused["acme/cheap"]
    assert "" == refused["beta/fair"]
    unpriced = chosen(query("", "text"), best(among=["beta"]), FACTS).rows
    assert "its price is not known" == {row.name: row.refused for row in unpriced}["beta/unknown"]


def test_best_counts_what_is_known_to_be_missing():
    """Apart from what is unknown."""
    blind = offer("text", "acme", priced("m", 1), capabilities=Capabilities(no=["image_input"]))
    (row,) = chosen(query("", "text", action="image_input"), best(), [blind]).rows

    assert "known not to have image_input" == row.refused


def test_default_model_goes_first_where_all_else_is_equal():
    """It is the plugin's own preference."""
    offers = [offer("text", "acme", "a", "b", default_model="b")]

    assert ["acme/b", "acme/a"] == names(chosen(query("", "text"), best(prefer="priority"), offers))


def test_instance_of_a_provider_that_serves_itself_is_no_second_candidate():
    """It would be the same model at the same price; without the provider it counts."""
    own, work = (offer("text", "acme", priced("m", 1), instance=name) for name in ("acme", "work"))

    both = chosen(query("", "text"), best(), [own, work])
    assert ["acme/m"] == names(both)
    assert "acme/m is the same" == both.rows[1].refused
    off = attrs.evolve(own, enabled=False)
    assert ["work/m"] == names(chosen(query("", "text"), best(), [off, work]))


@pytest.mark.parametrize(
    ("wanted", "offers", "cls", "words"),
    [
        (best(prefer="free", among=["locked"]), FACTS, e.MissingCredentialsError, "locked needs an API key."),
        (best(prefer="free", among=["beta"]), FACTS, e.NothingFitsError, "No text model is best(prefer='free', among=['beta']), of 7 that are listed. Why not: anymodal explain --best free --modality text"),
        (best(needs=["image_input"]), [], e.NothingFitsError, "--needs image_input"),
    ],
)  # fmt: skip
def test_nobody_is_best(wanted, offers, cls, words):
    """The error says what was looked for and where to see more."""
    error = chosen(query("", "text"), wanted, offers).error

    assert type(error) is cls
    assert words in str(error)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"prefer": "newest"}, "prefer"),
        ({"needs": "image_input"}, "needs"),
        ({"needs": [1]}, "needs"),
        ({"among": "acme"}, "among"),
    ],
)
def test_best_of_nonsense(arguments, field):
    """Refused where it is written."""
    with pytest.raises(e.InvalidRequestError) as caught:
        best(**arguments)

    assert field == caught.value.field


def test_best_is_a_value():
    """Equal ones are one, so a client chooses once."""
    one = best(needs=["streaming", "image_input"], among=["acme"])

    assert one == best(
        needs=("image_input", "streaming", "streaming"), among=iter(["acme", "acme"])
    )
    assert len({one, best(needs=["image_input", "streaming"], among=["acme"])}) == 1
    assert one == eval(repr(one), {"best": best})


# -- what holds of all ---------------------------------------------------------------------------------------------

CAPABLE = st.sampled_from([Capabilities(), LIVE, NOT_LIVE])
WORDS = ["m-1", "M_1", "m 1", "m-2", "new-1"]


@st.composite
def some_offers(draw, modality):
    """Offers of up to four doors to up to three providers."""
    found = []
    for name in draw(st.lists(st.sampled_from(["acme", "beta", "gamma"]), unique=True)):
        ids = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=3))
        models = [
            priced(one, draw(st.sampled_from([None, 0, 1, 2])), capabilities=draw(CAPABLE))
            for one in ids
        ]
        further = {"voices": [VoiceSpec(id=one) for one in draw(st.sets(st.sampled_from(WORDS)))]}
        made = offer(
            modality, name, *models,
            missing=draw(st.sampled_from(["", "", f"{name} needs an API key."])),
            priority=draw(st.sampled_from([0, 0, 1])),
            patterns=draw(st.sampled_from([[], ["new-*"], ["*"]])),
            default_model=draw(st.sampled_from([None, *ids])),
            **(further if modality == "speech" else {}),
        )  # fmt: skip
        found.append(made)
        if draw(st.booleans()):
            found.append(attrs.evolve(made, instance=f"{name}-2"))
    return found


def cheapest(asked, offers):
    return chosen(asked, best(), offers)


EVERY = [
    ("text", by_table),
    ("image", by_table_then_pattern),
    ("transcription", by_action),
    ("transcription", by_default),
    ("speech", by_voice),
    ("realtime", by_override),
    ("retrieval", by_store),
    ("text", cheapest),
]


@pytest.mark.parametrize(("modality", "strategy"), EVERY)
@given(data=st.data())
def test_strategies_are_functions_of_the_facts(modality, strategy, data):
    """The order of the offers decides nothing, no refused row wins, and every winner was a candidate."""
    offers = data.draw(some_offers(modality))
    shuffled = data.draw(st.permutations(offers))
    for name in (*WORDS, "acme"):
        asked = query(name, modality, action=data.draw(st.sampled_from(["", "live"])))
        one, two = strategy(asked, offers), strategy(asked, shuffled)
        assert names(one) == names(two)
        assert (type(one.error), str(one.error)) == (type(two.error), str(two.error))
        assert one.strategy == two.strategy
        assert sorted((row.name, row.refused) for row in one.rows) == sorted(
            (row.name, row.refused) for row in two.rows
        )
        assert all(not row.refused and row in one.rows for row in one.winners)
        assert (one.error is None) == bool(one.winners)


@given(data=st.data())
def test_cheapest_is_no_dearer_than_any_other(data):
    """And all of those that win have a price."""
    offers = data.draw(some_offers("text"))
    costs = [
        one.model.prices.usd_per("input_token")
        for one in chosen(query("", "text"), best(), offers).winners
    ]

    assert costs == sorted(costs)


def test_decision_cannot_lie():
    """Who was refused, or never considered, does not win: a strategy that says so is wrong."""
    row = Row(offer=offer("text", "acme", "m"), model=ModelSpec(id="m"))
    refused = attrs.evolve(row, refused="no")

    for rows, winners in (((refused,), (refused,)), ((row,), (refused,)), ((), (row,))):
        with pytest.raises(ValueError, match="a winner was refused, or never considered"):
            Decision(name="m", modality="text", strategy="table", rows=rows, winners=winners)
    assert ("acme/m",) == tuple(names(decided("m", "text", "table", iter([row]))))
