"""Translation has what the core's own modalities have, and the core knows nothing of it."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import anymodal
import pytest
from anymodal import (
    Budget,
    Capabilities,
    Client,
    Limits,
    ModelSpec,
    Policy,
    Retry,
    SyncClient,
    best,
)
from anymodal import errors as e
from anymodal_translation import (
    TRANSLATION,
    TranslationOption,
    TranslationRequest,
    TranslationResult,
)

from .conftest import Offers, Scripted

HELLO = "Good morning."
QUICK = Policy(retry=Retry(attempts=3, first=0.001, longest=0.002))
ONCE = Policy(retry=Retry(attempts=1))


# -- the call -------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_texts_come_back_in_order_with_a_record(registry):
    """Units, cost, tags and the vendor's answer are those of any call."""
    provider = Scripted("into")
    async with Client(registry=registry(Offers(provider))) as ai:
        found = await ai[TRANSLATION].translate(
            [HELLO, "b"], to="de", model="acme", tags={"for": "test"}, raw=True
        )

    assert (f"into de: {HELLO}", "into de: b") == found.texts
    record = found.record
    assert ("translation", "translate", "acme", "acme-1") == (
        record.modality, record.operation, record.provider, record.model,
    )  # fmt: skip
    assert Decimal("0.00028") == record.cost.usd
    assert {"for": "test"} == record.tags
    assert {"said": list(found.texts)} == record.raw
    assert 1 == len(record.attempts)


def test_without_await(registry):
    """The same, typed alike, by the same key."""
    with SyncClient(registry=registry(Offers(Scripted("into")))) as ai:
        one = ai[TRANSLATION].translate(HELLO, to="fr", source="en", model="acme")
        two = ai.run(lambda client: client[TRANSLATION].translate(HELLO, to="fr", source="en"))

    assert f"into fr: {HELLO}" == one.text == two.text
    assert ["en"] == [part.source for part in one.translations]


@pytest.mark.anyio
async def test_a_provider_may_be_written_without_async(registry):
    """It runs in a thread."""

    class Plain:
        def translate(self, request):
            return Scripted("plain").translate(request)

    async with Client(registry=registry(Offers(Plain()))) as ai:
        assert "plain de: a" == (await ai[TRANSLATION].translate("a", to="de")).text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"texts": ()}, "texts"),
        ({"texts": ["a", " "]}, "texts"),
        ({"texts": ["a", 7]}, "texts"),
        ({"to": "in German"}, "to"),
        ({"to": None}, "to"),
        ({"source": ""}, "source"),
        ({"formality": "rude"}, "formality"),
        ({"options": ["formal"]}, "options"),
        ({"timeout": -1}, "timeout"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_refused_before_anything_is_sent(registry, wrong, field):
    """With the field, and the place of an empty text."""
    provider = Scripted("into")
    given = {"texts": "a", "to": "de", **wrong}
    async with Client(registry=registry(Offers(provider))) as ai:
        with pytest.raises(e.InvalidRequestError) as raised:
            await ai[TRANSLATION].translate(given.pop("texts"), **given)

    assert field == raised.value.field
    assert (1 if len(wrong.get("texts", ())) == 2 else None) == raised.value.index
    assert [] == provider.requests


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "lack"),
    [({"formality": "formal", "source": "en"}, "formality"), ({}, "detection")],
    ids=["formality", "detection"],
)
async def test_a_known_no_refuses(registry, asked, lack):
    """Nothing is sent to who is known not to be able to."""
    provider = Scripted("into")
    offers = Offers(provider, capabilities=Capabilities(no={lack}))
    async with Client(registry=registry(offers)) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match=f"known not to have {lack}"):
            await ai[TRANSLATION].translate("a", to="de", **asked)

    assert [] == provider.requests


@pytest.mark.anyio
async def test_too_few_translations_are_a_malformed_reply(registry):
    """And so a reason to go on to the next provider, not to guess."""

    class Lazy:
        async def translate(self, request):
            return TranslationResult(translations=())

    async with Client(registry=registry(Offers(Lazy())), policy=ONCE) as ai:
        with pytest.raises(e.MalformedReplyError, match="1 texts have 0"):
            await ai[TRANSLATION].translate("a", to="de")


@pytest.mark.anyio
async def test_what_does_not_translate_is_a_broken_plugin(registry):
    """It is told when it is connected."""
    async with Client(registry=registry(Offers(object()))) as ai:
        with pytest.raises(e.BrokenPluginError, match=r"object has no translate\(\)"):
            await ai[TRANSLATION].translate("a", to="de")


# -- names ----------------------------------------------------------------------------------------


def test_names_are_routed_as_in_other_modalities(registry):
    """Exact, bare, alias, default, another spelling, and best()."""
    dear = anymodal.Prices([anymodal.Price("character", 90)], "z", anymodal_day())
    found = registry(
        Offers(Scripted("a")),
        Offers(Scripted("z"), "zenith", models=[ModelSpec(id="zenith-1", prices=dear)]),
        defaults={"translation": "zenith"},
        aliases={"fair": ["zenith-1", "acme"]},
    )

    def winners(name):
        decision = found.explain(name, modality="translation")
        return decision.strategy, [row.name for row in decision.winners]

    assert ("exact", ["acme/acme-1"]) == winners("acme/acme-1")
    assert ("table", ["zenith/zenith-1"]) == winners("zenith-1")
    assert ("alias", ["zenith/zenith-1", "acme/acme-1"]) == winners("fair")
    assert ("default, exact", ["zenith/zenith-1"]) == winners(None)
    assert ("best, cheapest", ["acme/acme-1", "zenith/zenith-1"]) == winners(best())
    assert ("best, cheapest", ["acme/acme-1"]) == winners(best(needs=["formality"], among=["a*"]))


def anymodal_day():
    """The day of all prices here."""
    from .conftest import PRICES

    return PRICES.as_of


def test_a_capability_of_another_modality_is_none_of_its_own(registry):
    """A misspelt need would refuse everything."""
    error = registry().explain(best(needs=["streaming"]), modality="translation").error

    assert "translation has no capability 'streaming'" in str(error)


# -- policy ---------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_failures_are_tried_again_and_then_elsewhere(registry):
    """Retries of one, failover to the next, and all of it in the record."""
    first = Scripted(e.OverloadedError("acme: busy", status=503))
    second = Scripted(e.ServerError("zenith: oops", status=500), "into")
    found = registry(Offers(first), Offers(second, "zenith"))
    async with Client(registry=found, policy=QUICK) as ai:
        done = await ai[TRANSLATION].translate("a", to="de", model=["acme", "zenith"])

    assert "into de: a" == done.text
    assert (3, 2) == (len(first.requests), len(second.requests))
    assert ["acme"] * 3 + ["zenith"] * 2 == [one.provider for one in done.record.attempts]


@pytest.mark.anyio
async def test_a_budget_is_kept_back_before_anything_is_sent(registry):
    """By what the texts would cost, in the settings of this modality alone."""
    provider = Scripted("into")
    found = registry(
        Offers(provider), policies={"translation": {"budgets": [{"usd": "0.0001", "per": 86400}]}}
    )
    async with Client(registry=found) as ai:
        await ai[TRANSLATION].translate("abc", to="de")
        with pytest.raises(e.BudgetExceededError):
            await ai[TRANSLATION].translate("a" * 1000, to="de")

    assert 1 == len(provider.requests)


@pytest.mark.anyio
async def test_tenants_have_keys_tags_and_budgets_of_their_own(registry):
    """What one has spent is no other's loss."""
    provider = Scripted("into")
    async with Client(registry=registry(Offers(provider))) as ai:
        small = Policy(budgets=[Budget(usd=Decimal("0.0001"))])
        poor = ai.scoped("poor", policy=small, tags={"plan": "free"})
        rich = ai.scoped("rich", allow=["acme"])
        with pytest.raises(e.BudgetExceededError):
            await poor[TRANSLATION].translate("a" * 1000, to="de")
        done = await rich[TRANSLATION].translate("a" * 1000, to="de")
        little = await poor[TRANSLATION].translate("ab", to="de")

    assert ("rich", "poor") == (done.record.scope, little.record.scope)
    assert {"plan": "free"} == little.record.tags


@pytest.mark.anyio
async def test_limits_deadlines_and_circuits_hold(registry):
    """By the same words as everywhere."""
    provider = Scripted("into")
    strict = Policy(limits=Limits(requests=1), retry=Retry(attempts=1))
    async with Client(registry=registry(Offers(provider)), policy=strict) as ai:
        await ai[TRANSLATION].translate("a", to="de")
        with pytest.raises((e.RateLimitedError, e.DeadlineExceededError)):
            await ai[TRANSLATION].translate("a", to="de", timeout=0.05)
        states = [one.state for one in ai.status("acme")]

    assert 1 == len(provider.requests)
    assert ["healthy"] == states


class Seen:
    """Hears of everything."""

    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(type(event).__name__)


class Shouting:
    """Middleware that changes what was asked, and what came back."""

    async def around(self, call, proceed):
        import attrs

        call.asked = attrs.evolve(call.asked, texts=call.asked.texts.upper())
        return await proceed(call)


@pytest.mark.anyio
async def test_observers_and_middleware_stand_around_it(registry):
    """And may put another request in place of the caller's."""
    seen = Seen()
    found = registry(Offers(Scripted("into")))
    async with Client(registry=found, observers=[seen], middleware=[Shouting()]) as ai:
        done = await ai[TRANSLATION].translate("a", to="de")

    assert "into de: A" == done.text
    assert ["CallStarted", "CallEnded"] == seen.events


# -- settings -------------------------------------------------------------------------------------


class AcmeOption(TranslationOption):
    """Of a vendor's own."""


@pytest.mark.anyio
async def test_settings_speak_of_every_call(registry):
    """The caller's word goes before theirs; what is wrong is an error of the settings."""
    provider = Scripted("into")
    found = registry(Offers(provider), options={"translation": {"formality": "formal"}})
    async with Client(registry=found) as ai:
        await ai[TRANSLATION].translate("a", to="de")
        await ai[TRANSLATION].translate(
            "a", to="de", formality="informal", options=[AcmeOption()], end_user="u-1"
        )
    wrong = registry(Offers(provider), options={"translation": {"formality": "rude"}})

    assert ["formal", "informal"] == [one.formality for one in provider.requests]
    assert isinstance(provider.requests[1].option(AcmeOption), AcmeOption)
    assert "u-1" == provider.requests[1].end_user
    with pytest.raises(e.SettingsError, match=r"options.translation.formality: 'rude'"):
        wrong.providers("translation")


# -- the house ------------------------------------------------------------------------------------


def test_importing_it_costs_next_to_nothing():
    """The room and the facade are imported when they are used."""
    code = "import sys, anymodal; n = set(sys.modules); import anymodal_translation; "
    code += "print(*sorted(set(sys.modules) - n))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )

    assert ["anymodal_translation"] == done.stdout.split()


def test_the_core_has_no_line_about_it():
    """Its examples in docstrings aside."""
    source = Path(anymodal.__file__).parent
    named = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if "anymodal_translation" in file.read_text("utf-8")
    }

    assert set() == named


def test_the_request_is_checked_without_a_client():
    """Authors of providers make some in their tests."""
    request = TranslationRequest(
        model=ModelSpec(id="m"), texts=("a",), to="pt-BR", source="zh-Hans"
    )

    assert ("pt-BR", "zh-Hans", None) == (request.to, request.source, request.formality)
