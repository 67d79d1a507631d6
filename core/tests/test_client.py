"""Entering, sharing and closing a client."""

import sys
import threading
import types

import anyio
import pytest
from anymodal import TEXT, Client, Finish, Message, Modality, Registry, Settings, TextResult
from anymodal import errors as e

from .plugins_on_path import Brings, offers

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Answers:
    """A provider that answers at once, and says when it is closed."""

    def __init__(self, fault=None):
        self.fault = fault
        self.closed = 0

    async def generate(self, request):
        return TextResult(Message.assistant("yes"), Finish())

    async def aclose(self):
        self.closed += 1
        if self.fault is not None:
            raise self.fault


def client(*plugins, **settings):
    """A client of *plugins* alone."""
    return Client(
        registry=Registry(Settings.from_mapping(settings), plugins=plugins, distributions=())
    )


def brings(provider, name="acme"):
    return Brings(lambda _: provider, id=name)


@pytest.mark.parametrize("kind", ["never entered", "closed"])
async def test_client_that_is_not_open(kind):
    """It has nothing to close what a call would open."""
    ai = client(brings(Answers()))
    if kind == "closed":
        async with ai:
            await ai.text.generate("Hi", model="acme/m-1")

    with pytest.raises(
        e.ConfigurationError, match=r"use it inside `async with anymodal\.Client\(\)"
    ):
        await ai.text.generate("Hi", model="acme/m-1")
    with pytest.raises(e.ConfigurationError, match="not open"):
        ai.text.stream("Hi", model="acme/m-1")
    with pytest.raises(e.ConfigurationError, match="not open"):
        await ai.warm("acme")


async def test_stream_that_is_started_after_closing():
    """It was made while the client was open; nobody would close its connection."""
    provider = Answers()
    async with client(brings(provider)) as ai:
        stream = ai.text.stream("Hi", model="acme/m-1")

    with pytest.raises(e.ConfigurationError, match="not open"):
        await stream.start()


async def test_entering_twice():
    """The inner block would close the outer one's connections; one after the other is fine."""
    ai = client(brings(Answers()))
    for _ in range(2):
        async with ai:
            with pytest.raises(e.ConfigurationError, match="open already"):
                await ai.__aenter__()
            assert "yes" == (await ai.text.generate("Hi", model="acme/m-1")).text


async def test_closing_closes_every_provider_once():
    """In the end, whatever happened in between."""
    providers = [Answers(), Answers()]
    with pytest.raises(ZeroDivisionError):
        async with client(*map(brings, providers, ("acme", "beta"))) as ai:
            for name in ("acme", "beta", "acme"):
                await ai.text.generate("Hi", model=name)
            1 / 0  # noqa: B018  # the caller's block fails

    assert [1, 1] == [one.closed for one in providers]


async def test_several_that_do_not_close_are_a_group():
    """The others are closed all the same."""
    faults = [OSError("one"), None, ValueError("three")]
    providers = [Answers(fault) for fault in faults]
    ai = client(*map(brings, providers, ("one", "two", "three")))
    with pytest.raises(ExceptionGroup, match="providers that did not close") as caught:
        async with ai:
            await ai.warm("one", "two", "three")

    assert {faults[0], faults[2]} == set(caught.value.exceptions)
    assert [1, 1, 1] == [one.closed for one in providers]


async def test_closing_is_done_though_the_caller_is_cancelled(monkeypatch):
    """Connections would be left open; a provider that never closes holds it up for a moment."""
    monkeypatch.setattr("anymodal.doors.CLOSE_SECONDS", 0.05)

    class Slow(Answers):
        async def aclose(self):
            await anyio.sleep(0.001)
            await super().aclose()

    class Stuck(Answers):
        async def aclose(self):
            self.closed += 1
            await anyio.sleep_forever()

    slow, stuck = Slow(), Stuck()
    with anyio.CancelScope() as scope:
        async with client(brings(slow), brings(stuck, "stuck")) as ai:
            await ai.warm("acme", "stuck")
            scope.cancel()
            await anyio.sleep_forever()

    assert (1, 1) == (slow.closed, stuck.closed)


async def test_providers_without_aclose_are_fine():
    """It is optional."""

    class Plain:
        async def generate(self, request):
            return TextResult(Message.assistant("yes"), Finish())

    async with client(brings(Plain())) as ai:
        await ai.warm("acme")


async def test_facade_is_one_object():
    """`ai.text` is `ai[TEXT]`, and costs nothing the second time."""
    async with client() as ai:
        assert ai.text is ai[TEXT] is ai.text


async def test_modality_without_a_facade():
    """Its providers can be listed, and it says so."""
    async with client() as ai:
        with pytest.raises(e.ConfigurationError, match=r"providers are in registry\.providers\(\)"):
            ai[Modality(name="smell", spec="room:Spec")]


def test_registry_brings_settings_and_plugins():
    """Two sources for one thing would contradict each other."""
    registry = Registry(Settings.empty(), distributions=())

    assert registry is Client(registry=registry).registry
    for wrong in ({"settings": Settings.empty()}, {"plugins": [brings(Answers())]}):
        with pytest.raises(e.ConfigurationError, match="brings its own settings and plugins"):
            Client(registry=registry, **wrong)


async def test_clients_share_a_registry_and_nothing_else():
    """Each has connections of its own."""
    made = []
    registry = Registry(
        Settings.empty(),
        plugins=[Brings(lambda _: made.append(Answers()) or made[-1])],
        distributions=(),
    )
    async with Client(registry=registry) as one, Client(registry=registry) as two:
        await one.warm("acme")
        await two.warm("acme")

    assert [1, 1] == [each.closed for each in made]


# -- warming -------------------------------------------------------------------------------------------


async def test_warm_connects_before_the_first_call():
    """Once, and in a thread; instances and models name providers as well."""
    threads = []

    def connect(_):
        threads.append(threading.current_thread())
        return Answers()

    async with client(Brings(connect), instances={"work": {"provider": "acme"}}) as ai:
        await ai.warm("acme", "acme/m-1", "m-1", "work")
        await ai.text.generate("Hi", model="acme/m-1")

    assert 2 == len(threads)
    assert threading.main_thread() not in threads


async def test_warm_loads_only_what_it_is_asked_for(site):
    """The other plugins may be slow."""
    site.install("anymodal-acme", offers("acme").replace("lambda connection: None", "Connected"))
    (site.folder / "anymodal_acme.py").write_text(
        "class Connected:\n    def __init__(self, connection): pass\n    generate = print\n"
        + (site.folder / "anymodal_acme.py").read_text()
    )
    site.install("anymodal-beta", offers("beta"))
    async with Client(registry=site.registry()) as ai:
        await ai.warm("acme/m-1")

    assert {"anymodal_acme"} == site.imported()


async def test_warm_says_what_is_wrong():
    """A typo would otherwise be found at the first call."""
    async with client(brings(Answers())) as ai:
        with pytest.raises(e.UnknownModelError, match="'amce'"):
            await ai.warm("amce")


async def test_warm_passes_over_what_has_no_facade(monkeypatch):
    """A provider may serve kinds of work that cannot be called yet."""
    from anymodal import hookimpl, hookspec
    from anymodal.specs import ProviderSpec

    class SmellSpec(ProviderSpec):
        modality = "smell"

    def anymodal_smell_providers():
        """Offer smells."""

    module = types.ModuleType("smells")
    module.SmellSpec = SmellSpec
    module.anymodal_smell_providers = hookspec(anymodal_smell_providers)
    monkeypatch.setitem(sys.modules, "smells", module)

    class Nose:
        @hookimpl
        def anymodal_modalities(self):
            yield Modality(name="smell", spec="smells:SmellSpec", hookspecs="smells")

    class Smells:
        @hookimpl
        def anymodal_smell_providers(self):
            yield SmellSpec(
                id="roses", display_name="R", kind="local", connect=print, default_model="p"
            )

    async with Client(plugins=[Nose(), Smells()], settings=Settings.empty()) as ai:
        await ai.warm("roses")
        assert ["roses"] == [one.spec.id for one in ai.registry.providers("smell")]
        assert () == tuple(ai._way.doors._open)


# -- reloading -----------------------------------------------------------------------------------------------


async def test_reload_forgets_names_and_keeps_connections(site, monkeypatch):
    """A name may go elsewhere after something was installed."""
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", "off")
    monkeypatch.setattr("sys.path", [str(site.folder)])
    provider = Answers()
    ai = Client(Settings.empty(), plugins=[brings(provider)])
    async with ai:
        await ai.text.generate("Hi", model="m-1")
        site.install("anymodal-beta", offers("beta"))
        await ai.text.generate("Hi", model="m-1")
        ai.reload()
        with pytest.raises(e.AmbiguousNameError):
            await ai.text.generate("Hi", model="m-1")
        await ai.text.generate("Hi", model="acme/m-1")
        assert 0 == provider.closed
