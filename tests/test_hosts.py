"""
What host applications do with the plugins: they look, add, wrap, take away and look again.

Each test does it as a host would, by public names alone, with everything installed
around it and while calls run.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections import deque
from textwrap import dedent

import anyio
import anyio.to_thread
import anymodal
import attrs
import pytest
from anymodal import (
    Client,
    Finish,
    Message,
    ModelSpec,
    Policy,
    Registry,
    Retry,
    Settings,
    SyncClient,
    TextDelta,
    TextProviderSpec,
    TextResult,
    hookimpl,
    hookspec,
    streaming,
)
from anymodal import errors as e
from anymodal_emulator import emulated

ONCE = Policy(retry=Retry(attempts=1))


class Words:
    """Says the same to everybody; waits for *go* where there is one."""

    def __init__(self, said, go=None):
        self.said, self.go = said, go
        self.is_asked, self.is_closed = anyio.Event(), False

    async def generate(self, request):
        self.is_asked.set()
        if self.go is not None:
            await self.go.wait()
        assert not self.is_closed
        return TextResult(Message.assistant(self.said), Finish())

    async def aclose(self):
        self.is_closed = True


class Offers:
    """A plugin of the host's own, with one provider of text."""

    def __init__(self, said="yes", name="desk", **changes):
        self.said, self.provider = said, changes.pop("provider", None)
        self.id, self.changes = name, changes

    def connect(self, connection):
        return self.provider or Words(self.said)

    @hookimpl
    def anymodal_text_providers(self):
        given = {
            "id": self.id, "display_name": "Desk", "kind": "local", "default_model": "d-1",
            "models": [ModelSpec(id="d-1")], "connect": self.connect,
        }  # fmt: skip
        yield TextProviderSpec(**given | self.changes)


CODE = """
    from anymodal import Finish, Message, ModelSpec, TextProviderSpec, TextResult, hookimpl

    class Late:
        async def generate(self, request):
            return TextResult(Message.assistant("late, and here"), Finish())

    @hookimpl
    def anymodal_text_providers():
        yield TextProviderSpec(
            id="late", display_name="Late", kind="local", models=[ModelSpec(id="l-1")],
            default_model="l-1", connect=connect,
        )

    def connect(connection):
        return Late()
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder on `sys.path`, into which somebody installs while the process runs."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder
    sys.modules.pop("anymodal_late", None)


def install(folder, code=CODE, version="1.0"):
    """Install anymodal-late, as installers leave it."""
    (folder / "anymodal_late.py").write_text(dedent(code))
    metadata = folder / f"anymodal_late-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: anymodal-late\nVersion: {version}\n"
    )
    (metadata / "entry_points.txt").write_text("[anymodal]\nlate = anymodal_late\n")
    return metadata


def ids(registry, modality="text"):
    return {one.instance for one in registry.providers(modality)}


# -- installed while it runs ------------------------------------------------------------------------


@pytest.mark.anyio
async def test_what_is_installed_meanwhile_is_found_by_a_reload(packages):
    """Not before; and the client that was open all the time calls it."""
    async with Client(Settings.empty(), policy=ONCE) as ai:
        assert "late" not in ids(ai.registry)
        install(packages)
        assert "late" not in ids(ai.registry)
        with pytest.raises(e.UnknownProviderError):
            await ai.text.generate("Well?", model="late/l-1")
        ai.reload()
        assert "late" in ids(ai.registry)
        reply = await ai.text.generate("Well?", model="late/l-1")

    assert "late, and here" == reply.text
    assert "anymodal-late 1.0" == reply.record.plugin


@pytest.mark.anyio
async def test_a_registrys_reload_serves_all_of_its_clients(packages):
    """One shared by several clients, their tenants included, and bare names too."""
    registry = Registry(Settings.empty())
    async with Client(registry=registry) as one, Client(registry=registry) as two:
        tenant = two.scoped("tenant")
        install(packages)
        registry.reload()
        said = [(await ai.text.generate("?", model="l-1")).text for ai in (one, two, tenant)]

    assert ["late, and here"] * 3 == said


@pytest.mark.anyio
async def test_what_is_uninstalled_is_gone_after_a_reload(packages):
    """A call by its name says so; everything else serves."""
    metadata = install(packages)
    registry = Registry(Settings.empty(), plugins=[Offers()])
    async with Client(registry=registry) as ai:
        await ai.text.generate("Well?", model="late/l-1")
        shutil.rmtree(metadata)
        registry.reload()
        with pytest.raises(e.UnknownProviderError):
            await ai.text.generate("Well?", model="late/l-1")
        assert "yes" == (await ai.text.generate("Well?", model="desk/d-1")).text


def test_an_upgrade_is_seen_and_its_code_is_for_the_next_process(packages):
    """What was imported stays imported: Python has no way to take a module back."""
    metadata = install(packages)
    registry = Registry(Settings.empty())
    before = [one.label for one in registry.plugins() if "late" in one.ids]
    shutil.rmtree(metadata)
    install(packages, CODE.replace("late, and here", "later"), version="2.0")
    registry.reload()
    (after,) = [one for one in registry.plugins() if "late" in one.ids]

    assert (["anymodal-late 1.0"], "anymodal-late 2.0") == (before, after.label)
    assert after.module is sys.modules["anymodal_late"]


def test_a_broken_one_that_comes_meanwhile_harms_nobody(packages):
    """It is listed with its reason, and the names of others lead where they led."""
    registry = Registry(Settings.empty(), plugins=[Offers()])
    everybody = ids(registry)
    install(packages, "raise SystemExit('no')")
    registry.reload()
    states = {one.candidate.distribution.name: one.state for one in registry.plugins()}

    assert everybody == ids(registry)
    assert "broken" == states["anymodal-late"]
    with pytest.raises(e.BrokenPluginError, match=r"anymodal-late 1\.0 cannot be loaded"):
        registry.resolve("late", "text")


# -- plugins of the host's own ----------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_host_brings_plugins_and_takes_them_away():
    """When the client is made, and while it is open; one may stand in for an installed one."""
    stand_in = Offers("I am another", name="openai")
    async with Client(Settings.empty(), plugins=[Offers()], policy=ONCE) as ai:
        assert "yes" == (await ai.text.generate("?", model="desk/d-1")).text
        ai.registry.register(stand_in)
        assert "I am another" == (await ai.text.generate("?", model="openai/d-1")).text
        ai.registry.unregister(stand_in)
        with pytest.raises(e.MissingCredentialsError):
            await ai.text.generate("?", model="openai/gpt-6.1-sol")


@pytest.mark.anyio
async def test_what_is_taken_away_answers_who_asked_before():
    """It is closed when nobody holds it any more, and no sooner."""
    go = anyio.Event()
    slow = Words("whole", go)
    plugin = Offers(provider=slow)
    async with Client(Settings.empty(), plugins=[plugin, Offers(name="other")]) as ai:
        said = []

        async def ask():
            said.append((await ai.text.generate("?", model="desk/d-1")).text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await slow.is_asked.wait()
            ai.registry.unregister(plugin)
            await ai.text.generate("?", model="other")  # opens a door, which closes those given up
            assert not slow.is_closed
            with pytest.raises(e.UnknownProviderError):
                await ai.text.generate("?", model="desk/d-1")
            go.set()
        assert ["whole"] == said
    assert slow.is_closed


@pytest.mark.anyio
async def test_a_stream_goes_on_when_its_plugin_is_taken_away():
    """To its end."""

    class Streams:
        @streaming
        async def stream(self, request):
            for word in ("one ", "two ", "three"):
                yield TextDelta(word)
            yield Finish()

    plugin = Offers(provider=Streams())
    async with Client(Settings.empty(), plugins=[plugin]) as ai:
        async with ai.text.stream("Count.", model="desk/d-1") as stream:
            words = []
            async for word in stream.text:
                words.append(word)
                if len(words) == 1:
                    ai.registry.unregister(plugin)
        whole = await stream.result()

    assert "one two three" == "".join(words) == whole.text


@pytest.mark.anyio
async def test_a_plugin_is_replaced_while_it_connects():
    """The call that waits is answered by the old one, and later ones are not."""
    is_connecting, go_on = threading.Event(), threading.Event()
    old = Words("old")

    class Slow(Offers):
        def connect(self, connection):
            is_connecting.set()
            go_on.wait(10)
            return old

    slow, said = Slow(), []
    async with Client(Settings.empty(), plugins=[slow]) as ai:

        async def ask():
            said.append((await ai.text.generate("?", model="desk/d-1")).text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.to_thread.run_sync(is_connecting.wait)
            ai.registry.unregister(slow)
            ai.registry.register(Offers("new"))
            await ask()
            go_on.set()
        await ask()

    assert ["new", "old", "new"] == said
    assert old.is_closed


@pytest.mark.anyio
async def test_a_plugin_is_replaced_while_a_call_waits_for_its_turn():
    """It goes where it was about to go; nobody else goes there with it."""
    go, said = anyio.Event(), []
    first, late = Words("first", go), Words("late")
    made = iter([first, late])

    class Old(Offers):
        def connect(self, connection):
            return next(made)

    plugin = Old(concurrency=1)
    async with Client(Settings.empty(), plugins=[plugin]) as ai:

        async def ask():
            said.append((await ai.text.generate("?", model="desk/d-1")).text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await first.is_asked.wait()
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            ai.registry.unregister(plugin)
            ai.registry.register(Offers("new"))
            go.set()
        await ask()

    assert ["first", "late", "new"] == said
    assert first.is_closed
    assert late.is_closed


@pytest.mark.anyio
async def test_an_instance_is_taken_away_while_it_answers():
    """The other thing that hosts register: a further door to a provider."""
    go = anyio.Event()
    slow = Words("whole", go)
    async with Client(Settings.empty(), plugins=[Offers(provider=slow)]) as ai:
        ai.register("work", provider="desk")
        said = []

        async def ask():
            said.append((await ai.text.generate("?", model="work")).record.instance)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await slow.is_asked.wait()
            ai.unregister("work")
            go.set()

    assert ["work"] == said


def test_threads_call_while_plugins_come_and_go():
    """Each call has an answer, or an error that says that the name is nobody's just now."""
    told, faults = [], []
    plugin, stop = Offers(), threading.Event()
    with SyncClient(Settings.empty(), plugins=[Offers("steady", name="steady")]) as ai:

        def ask():
            while not stop.is_set():
                try:
                    told.append(ai.text.generate("?", model="steady").text)
                    told.append(ai.text.generate("?", model="desk/d-1").text)
                except e.UnknownProviderError:
                    told.append("nobody")
                except BaseException as error:
                    faults.append(error)
                    raise

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for one in threads:
            one.start()
        for _ in range(10):
            ai.registry.register(plugin)
            ai.text.generate("?", model="desk/d-1")
            ai.registry.unregister(plugin)
        stop.set()
        for one in threads:
            one.join()

    assert [] == faults
    assert {"steady", "nobody"} <= set(told) <= {"steady", "nobody", "yes"}


class Follows:
    """What a client does of it."""

    def look_again(self, touched):
        pass


def test_clients_come_while_plugins_do():
    """Who begins to watch does not disturb who is telling the others."""
    registry, stop = Registry(Settings.empty(), distributions=()), threading.Event()
    watching = deque(maxlen=500)

    def watch():
        while not stop.is_set():
            watching.append(Follows())
            registry.watch(watching[-1])

    before = sys.getswitchinterval()
    thread = threading.Thread(target=watch)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        for _ in range(100):
            registry.reload()
    finally:
        sys.setswitchinterval(before)
        stop.set()
        thread.join()


# -- several side by side ---------------------------------------------------------------------------


@pytest.mark.anyio
async def test_clients_with_other_settings_live_side_by_side(monkeypatch):
    """Other addresses, keys, defaults, plugins and policies; none hears of the other's."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ambient")
    with emulated("openai") as first, emulated("openai") as second:

        def settings(vendor, key, **more):
            provider = {"base_url": vendor.base_url, "api_key": key}
            return Settings.from_mapping({"providers": {"openai": provider}, **more})

        one = Client(settings(first, first.key, defaults={"text": "openai/gpt-6.1-sol"}))
        two = Client(settings(second, "sk-wrong", plugins={"allow": ["openai"]}), policy=ONCE)
        async with one, two:
            reply = await one.text.generate("Well?")
            with pytest.raises(e.AuthenticationError):
                await two.text.generate("Well?", model="openai/gpt-6.1-sol")
            blocked = {p.candidate.distribution.name for p in two.registry.plugins() if p.error}
            allowed = {p.candidate.distribution.name for p in one.registry.plugins() if p.error}

    assert "Well?" in reply.text
    assert [f"Bearer {first.key}"] == [r.headers["authorization"] for r in first.requests]
    assert ["Bearer sk-wrong"] == [r.headers["authorization"] for r in second.requests]
    assert "anymodal-mistral" in blocked
    assert set() == allowed


@pytest.mark.anyio
async def test_registries_share_no_plugin_of_a_hosts():
    """What is registered in one is nobody's in the other."""
    one, two = Registry(Settings.empty()), Registry(Settings.empty())
    one.register(Offers("one"))
    two.register(Offers("two"))
    async with Client(registry=one) as first, Client(registry=two) as second:
        said = [(await ai.text.generate("?", model="desk/d-1")).text for ai in (first, second)]

    assert ["one", "two"] == said


def test_a_host_may_want_nothing_that_is_installed():
    """It then has its own, and imports no plugin."""
    settings = Settings.from_mapping({"plugins": {"autoload": False}})
    registry = Registry(settings, plugins=[Offers()])

    assert {"desk"} == ids(registry)
    assert () == registry.plugins()
    assert [] == anymodal.plugin_manager(autoload=False).hook.anymodal_text_providers()


# -- the hook manager -------------------------------------------------------------------------------


def test_a_host_calls_hooks_itself():
    """One iterable a plugin; whose is which, the names of plugins say."""
    manager = anymodal.plugin_manager(settings=Settings.empty())
    found = {one.id for some in manager.hook.anymodal_text_providers() for one in some}
    speech = {one.id for some in manager.hook.anymodal_speech_providers() for one in some}
    names = {name for name, _ in manager.list_name_plugin()}
    others = [plugin for name, plugin in manager.list_name_plugin() if name != "anymodal_groq"]
    (alone,) = manager.subset_hook_caller("anymodal_text_providers", others)()

    assert {"openai", "anthropic", "groq"} <= found
    assert {"espeak", "elevenlabs"} <= speech
    assert {"anymodal", "anymodal_openai", "anymodal_espeak"} <= names
    assert ["groq"] == [one.id for one in alone]


def test_a_host_registers_blocks_and_takes_away():
    """As in any manager of pluggy's."""
    manager = anymodal.plugin_manager(settings=Settings.empty())

    def found():
        return {one.id for some in manager.hook.anymodal_text_providers() for one in some}

    plugin = Offers()
    manager.register(plugin, "the desk")
    assert "desk" in found()
    manager.unregister(plugin)
    manager.set_blocked("anymodal_groq")
    manager.unregister(name="anymodal_mistral")

    assert not {"desk", "mistral"} & found()
    assert None is manager.register(Offers(), "anymodal_groq")


class HostSpecs:
    """A hook of the host's own in the same manager."""

    @hookspec(firstresult=True)
    def anymodal_desk_greeting(self, name):
        """Greet somebody."""


def test_a_host_adds_hooks_and_listens_to_calls():
    """Its own specification stands beside ours."""
    manager, heard = anymodal.plugin_manager(autoload=False), []
    manager.add_hookspecs(HostSpecs)
    manager.add_hookcall_monitoring(
        lambda name, *_: heard.append(name), lambda outcome, name, *_: None
    )

    class Greets:
        @hookimpl
        def anymodal_desk_greeting(self, name):
            return f"Good evening, {name}."

    manager.register(Greets())
    manager.register(Offers())
    manager.check_pending()

    assert "Good evening, Ada." == manager.hook.anymodal_desk_greeting(name="Ada")
    assert ["desk"] == [one.id for (one,) in map(tuple, manager.hook.anymodal_text_providers())]
    assert ["anymodal_desk_greeting", "anymodal_text_providers"] == heard


class Local:
    """A wrapper of the host's: nothing remote is offered, and what is left comes first."""

    @hookimpl(wrapper=True)
    def anymodal_text_providers(self):
        offered = yield
        return [
            [attrs.evolve(one, priority=50) for one in some if one.kind == "local"]
            for some in offered
        ]


def test_a_hosts_wrapper_stands_around_every_plugin():
    """In a manager around the hook call, in a registry around each plugin by itself."""
    manager = anymodal.plugin_manager(settings=Settings.empty())
    manager.register(Local())
    by_hand = {one.id for some in manager.hook.anymodal_text_providers() for one in some}
    registry = Registry(Settings.empty(), plugins=[Local(), Offers()])

    assert "ollama" in by_hand
    assert "openai" not in by_hand
    assert by_hand | {"desk"} == ids(registry)
    assert {50} == {one.priority for one in registry.providers("text")}
    assert "espeak" in ids(registry, "speech")
    assert isinstance(registry.explain("openai/gpt-6.1-sol").error, e.UnknownProviderError)


def test_a_wrapper_comes_and_goes_like_any_plugin():
    """And one that fails for a plugin fails for that plugin alone."""

    class Strict:
        @hookimpl(wrapper=True)
        def anymodal_text_providers(self):
            offered = yield
            if any(one.id == "groq" for some in offered for one in some):
                msg = "not this one"
                raise LookupError(msg)
            return offered

    registry, local, strict = Registry(Settings.empty()), Local(), Strict()
    before = ids(registry)
    registry.register(local)
    fewer = ids(registry)
    registry.unregister(local)
    registry.register(strict)
    states = {one.candidate.distribution.name: one for one in registry.plugins()}

    assert {"openai", "ollama"} <= before
    assert "openai" not in fewer
    assert before - {"groq"} == ids(registry)
    assert "the host's wrapper failed: LookupError" in str(states["anymodal-groq"].error)


def test_a_registrys_manager_is_the_one_behind_it():
    """The host's own plugins and wrappers are in it, under the settings of the registry."""
    settings = Settings.from_mapping({"plugins": {"disable": ["groq"]}})
    registry = Registry(settings, plugins=[Offers()])
    found = {one.id for some in registry.manager.hook.anymodal_text_providers() for one in some}

    assert {"desk", "openai"} <= found
    assert "groq" not in found
    assert registry.manager is registry.manager
