"""Which models the vendors have now: asked once, kept on disk, told with their age."""

import datetime as dt
import json
import os
import time
from decimal import Decimal

import anyio
import anymodal
import attrs
import pytest
from anymodal import (
    Capabilities,
    Credential,
    Lifecycle,
    LiveModel,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    hookimpl,
)
from anymodal import discovery as d
from anymodal import errors as e
from hypothesis import given
from hypothesis import strategies as st

from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DAY = NOON.date()
FULL = LiveModel(
    id="m-9",
    modality="image",
    aliases=["nine"],
    capabilities=Capabilities(["image_edit"], ["streaming"]),
    context_tokens=5,
    max_output_tokens=4,
    prices=Prices([Price("image", "0.04", size="2K")], "live", DAY),
    batch_prices=Prices([Price("image", "0.02", size="2K")], "live", DAY),
    lifecycle=Lifecycle(state="deprecated", retires_on=DAY, replacement="m-10"),
    api="chat",
    source="the list",
    temperature_max=1.5,
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Lister:
    """A provider that lists models, and counts how often."""

    def __init__(self, *models, fault=None):
        self.models, self.fault, self.asked = list(models), fault, 0

    async def generate(self, request):
        raise NotImplementedError

    async def list_models(self):
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return self.models


class Mute:
    """A provider whose vendor has no list."""

    async def generate(self, request):
        raise NotImplementedError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The cache's folder, as the environment names it."""
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ANYMODAL_NO_AUTOLOAD", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def registry_of(folder, *plugins, **said):
    """A registry whose cache is in *folder*."""
    environ = {"ANYMODAL_CACHE_DIR": str(folder), "ANYMODAL_NO_AUTOLOAD": "1"}
    return Registry(
        attrs.evolve(Settings.from_mapping(said), environ=environ),
        plugins=plugins,
        distributions=(),
    )


async def found_in(registry, *words, **options):
    """What a client with *registry* discovers."""
    async with anymodal.Client(registry=registry) as ai:
        return await ai.discover(*words, **options)


def names(found):
    return [(one.name, one.modality) for one in found]


# -- asking -----------------------------------------------------------------------------------


async def test_models_are_of_their_kind(folder):
    """A plain spec is of the provider's own; what is unknown is listed as that."""
    lister = Lister(ModelSpec(id="m-1"), LiveModel(id="m-8", modality=None), FULL)
    found = await found_in(registry_of(folder, Brings(lister)))

    assert () == found.failures
    assert [("acme/m-8", None), ("acme/m-9", "image"), ("acme/m-1", "text")] == names(found.models)
    assert {"acme"} == {one.provider for one in found.models}
    assert all(
        abs(dt.datetime.now(dt.UTC) - one.found_at) < dt.timedelta(minutes=5)
        for one in found.models
    )


async def test_the_plugins_table_and_the_users_word_stand_over_the_list(folder):
    """A table has prices, with their source; a user knows best."""
    table = ModelSpec(id="m-1", aliases=["one"], context_tokens=7, source="the table")
    lister = Lister(ModelSpec(id="one"), ModelSpec(id="m-2", context_tokens=1))
    said = {"models": {"acme/m-2": {"context_tokens": 2}}}
    found = await found_in(registry_of(folder, Brings(lister, models=[table]), **said))
    by_id = {one.model.id: one.model for one in found.models}

    assert (table, True) == (by_id["m-1"], by_id["m-1"].listed)
    assert (2, False, "settings") == (
        by_id["m-2"].context_tokens, by_id["m-2"].listed, by_id["m-2"].source
    )  # fmt: skip


async def test_what_is_kept_is_not_asked_again(folder):
    """Not by another client either; unless somebody wants it fresh."""
    lister = Lister(FULL)
    registry = registry_of(folder, Brings(lister))
    first = await found_in(registry)
    second = await found_in(registry)
    lister.models = [ModelSpec(id="m-10")]
    third = await found_in(registry, refresh=True)

    assert first == second
    assert [FULL] == [one.model for one in first.models]
    assert ["acme/m-10"] == [one.name for one in third.models]
    assert 2 == lister.asked
    assert third.models == d.kept(registry)


async def test_a_kept_list_needs_neither_key_nor_network(folder):
    """It is only read."""
    lister = Lister(FULL)
    keyed = {"credentials": [Credential(env=["ACME_KEY"])]}
    with_key = registry_of(folder, Brings(lister, **keyed), providers={"acme": {"api_key": "k"}})
    await found_in(with_key)
    without = registry_of(folder, Brings(None, **keyed))

    assert [FULL] == [one.model for one in d.kept(without)]
    assert [FULL] == [one.model for one in d.kept(without, "acme", modality="image")]
    assert () == d.kept(without, modality="text")


async def test_failures_are_named_and_the_others_shown(folder):
    """With what the one that failed had said before."""
    fine, failing = Lister(ModelSpec(id="a-1")), Lister(ModelSpec(id="b-1"))
    registry = registry_of(folder, Brings(fine, "fine"), Brings(failing, "failing"))
    await found_in(registry)
    failing.fault = e.ServerError("failing: HTTP 500", provider="failing")
    found = await found_in(registry, refresh=True)

    assert ["failing/b-1", "fine/a-1"] == [one.name for one in found.models]
    assert ["failing: HTTP 500"] == [str(one) for one in found.failures]


async def test_one_failure_is_told_once(folder):
    """A provider of several kinds of work is asked for each, and fails alike."""
    from anymodal.modalities.embedding import EmbeddingProviderSpec

    down = e.ConnectionFailedError("acme refuses connections", provider="acme")

    class Vectors(Lister):
        async def embed(self, request):
            raise NotImplementedError

    class Both(Brings):
        @hookimpl
        def anymodal_embedding_providers(self):
            shared = {"id": "acme", "display_name": "Acme", "kind": "local"}
            return [EmbeddingProviderSpec(**shared, connect=self.spec.connect)]

    found = await found_in(registry_of(folder, Both(Vectors(fault=down))))

    assert (down,) == found.failures


async def test_a_store_is_not_opened(folder):
    """It has no models, and an address only where somebody said one."""
    from anymodal.modalities.retrieval import RetrievalProviderSpec

    store = RetrievalProviderSpec(
        id="shelf", display_name="Shelf", kind="local", connect=lambda _: 1 / 0
    )

    class Store:
        @hookimpl
        def anymodal_retrieval_providers(self):
            return [store]

    assert d.Discovery() == await found_in(registry_of(folder, Store()))
    assert d.Discovery() == await found_in(registry_of(folder, Store()), "shelf")


@pytest.mark.parametrize(
    ("lister", "cls", "words"),
    [
        (Lister(fault=ZeroDivisionError("sk-key")), e.BrokenPluginError, "acme: unexpected ZeroDivisionError."),
        (Lister("m-1"), e.BrokenPluginError, "acme: unexpected TypeError."),
        (Lister(fault=TimeoutError()), e.TimedOutError, "acme"),
    ],
)  # fmt: skip
async def test_strangers_exceptions_are_failures(folder, lister, cls, words):
    """None of their words is shown, because a key may be among them."""
    found = await found_in(registry_of(folder, Brings(lister)))
    (failure,) = found.failures

    assert isinstance(failure, cls)
    assert words in str(failure)
    assert "sk-key" not in str(failure)


async def test_a_provider_that_says_nothing_is_given_up(folder, monkeypatch):
    """The others are not kept waiting for ever."""
    monkeypatch.setattr(d, "LIMIT_SECONDS", 0.01)
    lister = Lister()
    lister.list_models = anyio.sleep_forever
    (failure,) = (await found_in(registry_of(folder, Brings(lister)))).failures

    assert isinstance(failure, e.TimedOutError)
    assert "no list of models in 0.01 s" in str(failure)


async def test_vendors_without_a_list_have_none(folder):
    """That is no failure."""
    found = await found_in(registry_of(folder, Brings(Mute())))

    assert d.Discovery() == found


# -- whom -------------------------------------------------------------------------------------


async def test_only_one_provider_or_instance(folder):
    """Each instance has a list of its own, because its address may be another."""
    one, two = Lister(ModelSpec(id="a-1")), Lister(ModelSpec(id="b-1"))
    registry = registry_of(
        folder, Brings(one, "one"), Brings(two, "two"), instances={"work": {"provider": "two"}}
    )

    assert ["one/a-1"] == [each.name for each in (await found_in(registry, "one")).models]
    assert ["work/b-1"] == [each.name for each in (await found_in(registry, "work")).models]
    assert ["two/b-1"] == [each.name for each in (await found_in(registry, "two")).models]
    assert (1, 2) == (one.asked, two.asked)
    assert ["one/a-1", "two/b-1"] == [each.name for each in d.kept(registry)]


async def test_another_address_is_another_list(folder):
    """What one server has, another may not."""
    lister = Lister(ModelSpec(id="a-1"))
    here = registry_of(folder, Brings(lister), providers={"acme": {"base_url": "http://here/"}})
    there = registry_of(folder, Brings(lister), providers={"acme": {"base_url": "http://there"}})
    await found_in(here)

    assert () == d.kept(there)
    assert d.kept(here) == d.kept(
        registry_of(folder, Brings(lister), providers={"acme": {"base_url": "http://here"}})
    )


async def test_unknown_providers_are_errors(folder):
    """An empty list would hide the typo."""
    registry = registry_of(folder, Brings(Lister()))
    with pytest.raises(e.UnknownProviderError, match="'nobody'"):
        await found_in(registry, "nobody")
    with pytest.raises(e.UnknownProviderError, match="'nobody'"):
        d.kept(registry, "nobody")


@pytest.mark.parametrize(
    ("spec", "said", "cls", "words"),
    [
        (
            {"credentials": [Credential(env=["ACME_KEY"])]},
            {},
            e.MissingCredentialsError,
            "ACME_KEY",
        ),
        ({}, {"providers": {"acme": {"enabled": False}}}, e.ConfigurationError, "switched off"),
    ],
)
async def test_who_cannot_be_asked_is_a_failure_where_it_is_named(folder, spec, said, cls, words):
    """And left out where all are asked: not everybody has a key for everything."""
    lister = Lister()
    registry = registry_of(folder, Brings(lister, **spec), **said)
    named, every = await found_in(registry, "acme"), await found_in(registry)
    (failure,) = named.failures

    assert isinstance(failure, cls)
    assert words in str(failure)
    assert d.Discovery() == every
    assert 0 == lister.asked


async def test_a_closed_client_asks_nobody(folder):
    """As for any call."""
    ai = anymodal.Client(registry=registry_of(folder, Brings(Lister())))
    with pytest.raises(e.ConfigurationError, match="not open"):
        await ai.discover()


async def test_lists_of_tenants_are_kept_nowhere(folder):
    """What their keys may see is their own."""
    lister = Lister(FULL, ModelSpec(id="m-1"))
    registry = registry_of(folder, Brings(lister))
    async with anymodal.Client(registry=registry) as ai:
        tenant = ai.scoped("tenant", allow=["acme/m-1"])
        found = [await tenant.discover() for _ in range(2)]

    assert [["acme/m-1"]] * 2 == [[one.name for one in each.models] for each in found]
    assert 2 == lister.asked
    assert not folder.exists()


def test_without_await(folder):
    """The same, for plain functions."""
    lister = Lister(FULL)
    with anymodal.SyncClient(registry=registry_of(folder, Brings(lister))) as ai:
        found = ai.discover("acme", modality="image")

    assert ["acme/m-9"] == [one.name for one in found.models]


# -- the cache ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"found_at": "yesterday", "models": []}',
        b'{"found_at": "2026-11-20T12:00:00", "models": []}',
        b'{"found_at": "2026-11-20T12:00:00+00:00", "models": [{}]}',
    ],
)
async def test_a_damaged_file_is_ignored(folder, damage):
    """And written anew."""
    lister = Lister(FULL)
    registry = registry_of(folder, Brings(lister))
    await found_in(registry)
    (file,) = folder.glob("models-*.json")
    file.write_bytes(damage)

    assert () == d.kept(registry)
    assert [FULL] == [one.model for one in (await found_in(registry)).models]
    assert [FULL] == [one.model for one in d.kept(registry)]


async def test_a_folder_that_cannot_be_written_is_no_fault(folder):
    """The list is there all the same."""
    folder.write_text("a file")
    registry = registry_of(folder, Brings(Lister(FULL)))

    assert ["acme/m-9"] == [one.name for one in (await found_in(registry)).models]
    assert () == d.kept(registry)
    assert "a file" == folder.read_text()


async def test_no_cache_where_none_is_wanted(folder):
    """`off` keeps nothing and asks every time."""
    lister = Lister(FULL)
    registry = registry_of("off", Brings(lister))
    await found_in(registry)
    await found_in(registry)

    assert 2 == lister.asked
    assert () == d.kept(registry)


async def test_lists_that_nobody_asks_for_are_thrown_away(folder):
    """Addresses come and go; those of tests, with every run."""
    lister = Lister(FULL)
    for host in ("old", "young", "now"):
        said = {"providers": {"acme": {"base_url": f"http://{host}"}}}
        registry = registry_of(folder, Brings(lister), **said)
        before = set(folder.glob("*"))
        await found_in(registry)
        (file,) = set(folder.glob("*")) - before
        days = {"old": 91, "young": 89, "now": 0}[host]
        os.utime(file, (time.time() - days * 86400,) * 2)
        (folder / "another.json").touch()
        os.utime(folder / "another.json", (0, 0))

    assert 2 == len(list(folder.glob("models-*.json")))
    assert (folder / "another.json").exists()


async def test_files_are_whole_and_name_no_address(folder):
    """What is in an address may be private."""
    said = {"providers": {"acme": {"base_url": "http://here/secret"}}}
    await found_in(registry_of(folder, Brings(Lister(FULL)), **said))
    (file,) = folder.iterdir()

    assert "secret" not in file.name + file.read_text()
    assert {"found_at", "models"} == json.loads(file.read_bytes()).keys()


@given(
    st.builds(
        LiveModel,
        id=st.text(min_size=1),
        modality=st.sampled_from([None, "text", "image"]),
        context_tokens=st.none() | st.integers(),
        temperature_max=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        lifecycle=st.builds(
            Lifecycle,
            state=st.sampled_from(["active", "deprecated", "retired"]),
            retires_on=st.none() | st.dates(),
            replacement=st.none() | st.text(),
        ),
        prices=st.none()
        | st.builds(
            lambda usd: Prices([Price("image", usd)], "live", DAY),
            st.decimals(0, 10, allow_nan=False, allow_infinity=False),
        ),
        source=st.text(),
    )
)
def test_models_survive_the_file(model):
    """Whatever a vendor said of them."""
    assert model == d._read(json.loads(json.dumps(d._written(model))))


def test_every_field_is_written():
    """One that were not would be lost with the next reading."""
    assert FULL == d._read(json.loads(json.dumps(d._written(FULL))))
    assert all(
        getattr(FULL, field.name) != field.default or field.name == "listed"
        for field in attrs.fields(LiveModel)
    )
    assert Decimal("0.04") == FULL.prices.usd_per("image", "2K")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3 * 3600 + 5, "3 h ago"),
        (86400 * 4, "4 d ago"),
    ],
)
def test_age_is_told_in_the_largest_unit(seconds, words):
    """A clock that was set back makes no list come from the future."""
    assert words == d.age(NOON, NOON + dt.timedelta(seconds=seconds))
