"""A modality from outside has what the nine have: made here, with its hookspec and its facade."""

from __future__ import annotations

import datetime as dt
import gc
import sys
import weakref
from typing import Any, ClassVar

import attrs
import pytest
from anymodal import (
    TEXT,
    Client,
    Modality,
    ModelSpec,
    Price,
    Prices,
    ProviderSpec,
    Registry,
    Settings,
    SyncClient,
    best,
    hookimpl,
    hookspec,
)
from anymodal import errors as e
from anymodal.facade import Facade
from anymodal.quarantine import hook_manager, specify
from anymodal.sync.face import Face
from anymodal.vendor_options import with_default

from .once import ONCE
from .plugins_on_path import Brings, offers

DATE = dt.date(2026, 11, 20)


@hookspec
def anymodal_smell_providers():
    """Offer providers of smells."""


@hookspec
def anymodal_taste_providers():
    """Offer providers of tastes, which share a module with smells."""


@attrs.frozen(kw_only=True)
class SmellSpec(ProviderSpec[Any]):
    """A provider of smells."""

    modality: ClassVar[str] = "smell"


@attrs.frozen(kw_only=True)
class TasteSpec(ProviderSpec[Any]):
    """A provider of tastes."""

    modality: ClassVar[str] = "taste"


@attrs.frozen(kw_only=True)
class SmellOptions:
    """What settings may ask."""

    strength: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.strength is not None and not 0 < self.strength < 10:
            msg = "strength: from 1 to 9."
            raise ValueError(msg)


class SmellFacade(Facade[Any]):
    """Words in, smells out."""

    async def smell(self, of: str, *, model: str | None = None):
        """Return what it smells of, and how strongly."""

        async def attempt(door, row):
            return await door.provider.smell(of), row.offer.options

        return await self.call("smell").run(
            model, lambda row: row, attempt, bind=self.bind, needs_of=lambda _: ()
        )

    def sync_face(self, loop):
        return SyncSmellFacade(self, loop)

    def bind(self, provider):
        return provider


class SyncSmellFacade(Face[SmellFacade]):
    """The same without `await`."""

    def smell(self, of: str, *, model: str | None = None):
        return self._loop.run(self._inner.smell(of, model=model))


class TasteFacade(Facade[Any]):
    """Has no face without `await`."""

    def bind(self, provider):
        return provider


SMELL: Modality[SmellFacade] = Modality(
    name="smell",
    spec=f"{__name__}:SmellSpec",
    facade=f"{__name__}:SmellFacade",
    hookspecs=__name__,
    options=f"{__name__}:SmellOptions",
    typical=[{"request": 1}, {"second": 10}],
)
TASTE: Modality[TasteFacade] = Modality(
    name="taste",
    spec=f"{__name__}:TasteSpec",
    facade=f"{__name__}:TasteFacade",
    hookspecs=__name__,
)
SmellFacade.modality = SMELL
TasteFacade.modality = TASTE


class Senses:
    """Offers both modalities."""

    @hookimpl
    def anymodal_modalities(self):
        return [SMELL, TASTE]


class Nose:
    """A provider of smells."""

    async def smell(self, of):
        return f"a smell of {of}"


class Rose:
    """Offers a provider of smells."""

    def __init__(self, **spec: object) -> None:
        self.spec = spec

    @hookimpl
    def anymodal_smell_providers(self):
        given = {"id": "rose", "display_name": "Rose", "kind": "local"}
        yield SmellSpec(**given | {"models": [ModelSpec(id="r-1")], "connect": connect} | self.spec)


def connect(connection):
    return Nose()


def registry(*plugins, **settings):
    return Registry(Settings.from_mapping(settings), plugins=plugins, distributions=())


IN_DISTRIBUTIONS = {
    "anymodal-senses": f"""
        from anymodal import hookimpl

        @hookimpl
        def anymodal_modalities():
            from {__name__} import SMELL, TASTE
            return [SMELL, TASTE]
        """,
    "anymodal-rose": f"""
        from anymodal import hookimpl

        @hookimpl
        def anymodal_smell_providers():
            from {__name__} import Rose
            return Rose().anymodal_smell_providers()
        """,
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def senses(site):
    """Two distributions: one brings the modalities, the other provides."""
    for name, code in IN_DISTRIBUTIONS.items():
        site.install(name, code)
    return site


# -- hookspecs ----------------------------------------------------------------------------------


def test_two_modalities_share_a_module_of_hookspecs():
    """Pluggy refuses to specify a hook twice, so the module is taken once."""
    found = registry(Senses(), Rose())

    assert ["smell", "taste"] == [one.name for one in found.modalities()[-2:]]
    assert ["rose"] == [one.instance for one in found.providers("smell")]
    assert () == found.providers("taste")
    assert () == found.providers("text")


def test_specifying_twice_changes_nothing():
    """And hooks that are there stay."""
    manager = hook_manager([__name__, __name__])
    specify(manager, __name__)

    assert manager.hook.anymodal_smell_providers.spec is not None


def test_a_provider_is_found_by_its_exact_name(senses):
    """Its plugin is loaded first, and then all, because it needs a modality."""
    found = senses.registry()

    assert ["rose/r-1"] == [row.name for row in found.resolve("rose/r-1", "smell").winners]


def test_hosts_provide_what_a_distribution_brings(senses):
    """A host's own are proven first: the modalities are looked for before that."""
    found = senses.registry(plugins=[Rose(id="violet")])

    assert {"rose", "violet"} == {one.instance for one in found.providers("smell")}
    assert {"senses", "rose"} == {
        name for one in found.plugins() if one.state == "loaded" for name in one.candidate.names
    }


def test_hosts_wrap_what_a_distribution_brings(senses):
    """The hook of a modality from outside is a registration hook like the nine."""

    class Quiet:
        @hookimpl(wrapper=True)
        def anymodal_smell_providers(self):
            found = yield
            return [[attrs.evolve(one, priority=7) for one in some] for some in found]

    found = senses.registry(plugins=[Quiet()])

    assert [("rose", 7)] == [(one.instance, one.priority) for one in found.providers("smell")]


def test_a_hook_of_no_modality_is_still_broken(senses):
    """A misspelt hook would offer nothing, silently."""

    class Misspelt:
        @hookimpl
        def anymodal_smel_providers(self):
            return []

    with pytest.raises(e.BrokenPluginError, match="anymodal_smel_providers"):
        senses.registry(plugins=[Misspelt()])


# -- calls --------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_it_is_called_by_its_key(senses):
    """With resolution, defaults and the settings' options."""
    settings = {
        "defaults": {"smell": "bloom"},
        "aliases": {"bloom": ["rose/r-1"]},
        "options": {"smell": {"strength": 3}},
    }
    async with Client(registry=senses.registry(settings), policy=ONCE) as ai:
        found = await ai[SMELL].smell("soap")

    assert ("a smell of soap", {"strength": 3}) == found


def test_it_is_called_without_await():
    """By the same key, and it is made once."""
    with SyncClient(registry=registry(Senses(), Rose())) as ai:
        assert "a smell of tar" == ai[SMELL].smell("tar", model="rose/r-1")[0]
        assert ai[SMELL] is ai[SMELL]
        assert ai.text is ai[TEXT]


def test_a_facade_without_a_sync_face_says_what_to_do():
    """Authors need not write one."""
    with SyncClient(registry=registry(Senses())) as ai:
        with pytest.raises(e.ConfigurationError, match=r"taste has no face .* SyncClient.run"):
            ai[TASTE]


# -- options in settings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "written", "fault"),
    [
        ("smell", {"strength": 11}, "rose: options.smell.strength: from 1 to 9."),
        ("smell", {"streng": 1}, "rose: options.smell.streng: there is no such option."),
        ("taste", {"salt": 1}, "rose: options.taste.salt: there is no such option."),
    ],
)
def test_options_are_checked_once_their_modality_is_known(kind, written, fault):
    """When settings are read, no plugin is loaded yet."""

    class Both(Rose):
        @hookimpl
        def anymodal_taste_providers(self):
            yield TasteSpec(id="rose", display_name="Rose", kind="local", connect=connect)

    found = registry(Senses(), Both(), options={kind: written})

    with pytest.raises(e.SettingsError) as raised:
        found.providers(kind)
    assert fault in str(raised.value)


def test_what_is_unset_is_no_option():
    """As for the nine."""
    found = registry(Senses(), Rose(), options={"smell": {"strength": None}})

    assert [{}] == [one.options for one in found.providers("smell")]


@attrs.frozen(kw_only=True)
class Drop:
    """An option of a vendor's own."""

    size: int | None = None
    colour: str | None = None


def test_a_vendors_options_are_laid_under_the_callers():
    """What the caller says wins; options of others go along."""
    other = attrs.make_class("Other", [])()

    assert (Drop(size=2),) == with_default(Drop(size=2), (), Drop)
    assert (Drop(size=2, colour="red"),) == with_default(Drop(size=2), [Drop(colour="red")], Drop)
    assert (Drop(size=2), other) == with_default(Drop(size=2), [other], Drop)
    assert (other,) == with_default(None, [other], Drop)


# -- choosing -----------------------------------------------------------------------------------


def test_best_knows_what_such_work_costs():
    """By the modality's own typical piece of work."""

    def priced(name, unit, usd):
        return ModelSpec(id=name, prices=Prices([Price(unit, usd)], "acme", DATE))

    models = [
        priced("dear", "request", 3),
        priced("long", "second", "0.2"),
        priced("odd", "image", 1),
    ]
    decision = registry(Senses(), Rose(models=models)).explain(best(), modality="smell")

    assert ["rose/long", "rose/dear"] == [row.name for row in decision.winners]


# -- plugins of the host's own, while all runs ------------------------------------------------------


@pytest.mark.anyio
async def test_a_plugin_is_registered_and_taken_away_while_a_client_is_open():
    """Names lead there, and no longer; the connection of the old one serves no new one."""

    class Other:
        async def smell(self, of):
            return f"no {of}"

    found, first = registry(Senses()), Rose()
    async with Client(registry=found, policy=ONCE) as ai:
        with pytest.raises(e.UnknownProviderError):
            await ai[SMELL].smell("soap", model="rose/r-1")
        found.register(first)
        assert "a smell of soap" == (await ai[SMELL].smell("soap", model="rose/r-1"))[0]
        found.unregister(first)
        with pytest.raises(e.UnknownProviderError):
            await ai[SMELL].smell("soap", model="rose/r-1")
        found.register(Rose(connect=lambda connection: Other()))
        assert "no soap" == (await ai[SMELL].smell("soap", model="rose/r-1"))[0]


@pytest.mark.anyio
async def test_what_is_the_same_keeps_its_connection():
    """A reload is no reason to connect anew."""
    made = []

    def connected(connection):
        made.append(connection)
        return Nose()

    found = registry(Senses(), Rose(connect=connected))
    async with Client(registry=found, policy=ONCE) as ai:
        await ai[SMELL].smell("soap", model="rose/r-1")
        found.reload()
        await ai[SMELL].smell("tar", model="rose/r-1")

    assert 1 == len(made)


COUNTED = f"""
    from anymodal import hookimpl

    MADE = []

    @hookimpl
    def anymodal_smell_providers():
        from {__name__} import Rose
        return Rose(connect=connect).anymodal_smell_providers()

    def connect(connection):
        from {__name__} import Nose
        MADE.append(connection)
        return Nose()
    """


@pytest.mark.anyio
async def test_a_distributions_provider_keeps_its_connection_while_it_is_the_same(site):
    """Until a host's own goes before it, or its distribution is gone."""
    site.install("anymodal-rose", COUNTED)
    found, before = site.registry(plugins=[Senses()]), Rose()
    async with Client(registry=found, policy=ONCE) as ai:
        made = []
        for change in (
            found.reload,
            found.reload,
            lambda: found.register(before),
            lambda: found.unregister(before),
        ):
            change()
            await ai[SMELL].smell("soap", model="rose/r-1")
            made.append(len(sys.modules["anymodal_rose"].MADE))
        found._distributions = ()
        found.reload()
        with pytest.raises(e.UnknownProviderError):
            await ai[SMELL].smell("soap", model="rose/r-1")

    assert [1, 1, 1, 2] == made


def test_registries_under_one_roof_share_what_is_registered():
    """Those of tenants see it too, whichever it was registered with."""
    found = registry(Senses())
    below = found.under(found.settings, found.scope)
    plugin = Rose()
    below.register(plugin)

    assert ["rose"] == [one.instance for one in found.providers("smell")]
    found.unregister(plugin)
    assert () == below.providers("smell")


def test_a_broken_plugin_changes_nothing():
    """Neither what is there nor what is registered."""

    class Broken:
        @hookimpl
        def anymodal_text_providers(self):
            return 7

    found = registry(Brings())
    for _ in range(2):
        with pytest.raises(e.BrokenPluginError, match="Broken cannot be used"):
            found.register(Broken())
    found.reload()

    assert ["acme"] == [one.instance for one in found.providers()]


def test_registering_twice_and_taking_away_what_is_not_there():
    """Are mistakes of the host's."""
    plugin = Brings()
    found = registry(plugin)

    with pytest.raises(e.ConfigurationError, match="Brings is registered already"):
        found.register(plugin)
    with pytest.raises(e.ConfigurationError, match="Brings is not registered"):
        found.unregister(Brings())


def test_the_manager_has_everything_healthy(site):
    """For hook calls by hand; what a host registers in it stays its own."""
    site.install("anymodal-acme", offers("acme"))
    site.install("anymodal-sick", "raise RuntimeError")
    found = site.registry(plugins=[Brings(id="zenith")])
    ids = {one.id for some in found.manager.hook.anymodal_text_providers() for one in some}
    found.manager.register(Brings(id="guest"))
    with_guest = found.manager.hook.anymodal_text_providers()

    assert {"acme", "zenith"} == ids
    assert 3 == len(with_guest)
    assert {"acme", "zenith"} == {one.instance for one in found.providers("text")}


def test_a_client_that_is_gone_is_not_kept():
    """A registry, which tells its clients of other plugins, outlives many of them."""
    found = registry()
    gone = weakref.ref(Client(registry=found))
    gc.collect()

    assert None is gone()
    found.reload()
