"""Plugins of every kind of brokenness, and the healthy ones beside them."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from textwrap import dedent

import anymodal
import attrs
import pluggy
import pytest
import trio
from anymodal import Modality, ModelSpec, TextProviderSpec, hookimpl
from anymodal import errors as e
from anymodal.config import Settings
from anymodal.isolation import Plugins, plugin_manager

from .plugins_on_path import offers

PATIENCE = 60.0
TEXT = "anymodal_text_providers"

HEAD = """
from anymodal import *
from anymodal import CommandSpec, EmulatorSpec, Modality

def spec(id="acme", **fields):
    fields = {"display_name": "Acme", "kind": "local", "connect": print, **fields}
    return TextProviderSpec(id=id, **fields)
"""


def hook(body, name=TEXT, arguments=""):
    """The code of a plugin with one hook."""
    lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
    return f"{HEAD}\n@hookimpl\ndef {name}({arguments}):\n{lines}\n"


BROKEN = {
    "missing module": ("import no_such_module", "it needs the module 'no_such_module', which is not installed"),
    "missing name": ("from anymodal import nothing", "ImportError: cannot import name 'nothing' from 'anymodal'"),
    "syntax": ("def broken(:", "SyntaxError: invalid syntax (anymodal_acme.py, line 1)"),
    "raises": ("1 / 0", "ZeroDivisionError: division by zero"),
    "sys.exit": ("import sys; sys.exit(3)", "it tried to end the program (SystemExit: 3)"),
    "exit without a word": ("raise SystemExit", "it tried to end the program (SystemExit)"),
    "base exception": ("raise BaseException('no')", "BaseException: no"),
    "generator exit": ("raise GeneratorExit", "GeneratorExit"),
    "keyboard interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "cancelled": ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
    "recursion": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    "memory": ("raise MemoryError", "MemoryError"),
    "speechless": (
        "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute",
        "Mute",
    ),
    "many lines": ("raise ValueError('one\\n\\n  two')", "ValueError: one two"),
    "dir raises": ("def __dir__(): raise OSError('no')", "OSError: no"),
    "misspelt": (hook("return []", "anymodal_txt_providers"), "unknown hook 'anymodal_txt_providers'"),
    "misspelt, not providers": (hook("return []", "anymodal_comands"), "unknown hook 'anymodal_comands'"),
    "not marked": (
        HEAD + f"def {TEXT}(): return [spec()]",
        "anymodal_text_providers is not marked with @anymodal.hookimpl",
    ),
    "arguments": (hook("return []", arguments="client"), "Argument(s) {'client'} are declared"),
    "hook raises": (hook("raise OSError('late')"), "OSError: late"),
    "hook exits": (hook("raise SystemExit"), "it tried to end the program (SystemExit)"),
    "generator raises": (hook("yield spec()\nraise OSError('late')"), "OSError: late"),
    "none": (hook("pass"), "an iterable of TextProviderSpec is needed, not NoneType"),
    "int": (hook("return 7"), "an iterable of TextProviderSpec is needed, not int"),
    "string": (hook("return 'acme'"), "an iterable of TextProviderSpec is needed, not str"),
    "bytes": (hook("return b'acme'"), "an iterable of TextProviderSpec is needed, not bytes"),
    "mapping": (hook("return {'acme': spec()}"), "an iterable of TextProviderSpec is needed, not dict"),
    "one spec": (hook("return spec()"), "an iterable of TextProviderSpec is needed, not TextProviderSpec"),
    "coroutine": (
        hook("return [spec()]").replace("def any", "async def any"),
        "an iterable of TextProviderSpec is needed, not coroutine",
    ),
    "async generator": (
        hook("yield spec()").replace("def any", "async def any"),
        "an iterable of TextProviderSpec is needed, not async_generator",
    ),
    "endless": (
        hook("while True:\n    yield spec()"),
        "anymodal_text_providers: it gives more than 1000 items",
    ),
    "strings in it": (hook("return ['acme']"), "TextProviderSpec is needed, not str"),
    "a class in it": (hook("return [TextProviderSpec]"), "TextProviderSpec is needed, not "),
    "another modality's": (
        hook("""
        from anymodal.modalities.image import ImageProviderSpec
        return [ImageProviderSpec(id="acme", display_name="A", connect=print)]
        """),
        "TextProviderSpec is needed, not ImageProviderSpec",
    ),
    "another's id": (hook("return [spec('beta')]"), "the id 'beta' is not its own; it declares acme"),
    "no id": (hook("return [spec('Acme!')]"), "ValueError: id: 'Acme!' is not lower-case words"),
    "an id of another type": (hook("return [spec(7)]"), "ValueError: id: 7 is not lower-case words"),
    "same id twice": (hook("return [spec(), spec()]"), "two specs share an id"),
    "field of a wrong type": (hook("return [spec(priority='high')]"), "'priority' must be <class 'int'>"),
    "models of a wrong type": (hook("return [spec(models=['m'])]"), "ModelSpec is needed, and str is in it"),
    "base class": (
        hook("return [ProviderSpec(id='acme', display_name='A', connect=print)]"),
        "use the spec class of a modality, not ProviderSpec",
    ),
    "unknown capability": (
        hook("return [spec(capabilities=Capabilities(['flying']))]"),
        "acme: text has no capability 'flying'",
    ),
    "model's unknown capability": (
        hook("return [spec(models=[ModelSpec(id='m', capabilities=Capabilities(no=['flying']))])]"),
        "acme/m: text has no capability 'flying'",
    ),
    "wrapper": (
        hook("return (yield)").replace("@hookimpl", "@hookimpl(wrapper=True)"),
        "anymodal_text_providers: only a host may wrap it",
    ),
    "old wrapper": (
        hook("yield").replace("@hookimpl", "@hookimpl(hookwrapper=True)"),
        "anymodal_text_providers: only a host may wrap it",
    ),
    "another's emulator": (
        hook("return [EmulatorSpec(provider='beta', app='a:b')]", "anymodal_emulators"),
        "anymodal_emulators: the id 'beta' is not its own",
    ),
    "no command": (hook("return ['log']", "anymodal_commands"), "CommandSpec is needed, not str"),
    "modality of a built-in name": (
        hook("return [Modality(name='text', spec='a:B')]", "anymodal_modalities"),
        "anymodal_modalities: text: there is such a modality already",
    ),
    "modality without hookspecs": (
        hook("return [Modality(name='smell', spec='a:B', hookspecs='no_such')]", "anymodal_modalities"),
        "it needs the module 'no_such', which is not installed",
    ),
    "modality with others' hookspecs": (
        hook(
            "return [Modality(name='smell', spec='a:B', hookspecs='anymodal.hookspecs')]",
            "anymodal_modalities",
        ),
        "anymodal",
    ),
    "unknown modality": (
        hook("return []", "anymodal_smell_providers"),
        "unknown hook 'anymodal_smell_providers'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.filterwarnings("error")
def test_broken_plugin_is_named_and_harms_nobody(site, kind):
    """Whatever it does, it becomes a sentence; the healthy ones before and after it serve."""
    code, words = BROKEN[kind]
    for name in ("aaa", "zzz"):
        site.install(f"anymodal-{name}", offers(name))
    site.install("anymodal-acme", code)
    registry = site.registry()

    states = {one.candidate.distribution.name: one for one in registry.plugins()}
    broken = states.pop("anymodal-acme")
    assert ("broken", "broken") == (broken.state, broken.error.code.removesuffix("_plugin"))
    said = str(broken.error)
    assert said.startswith("anymodal-acme 1.0 cannot be loaded: ")
    assert words in said
    assert said.endswith(
        "pip install -U anymodal-acme; or set ANYMODAL_DISABLE_PLUGINS=anymodal-acme"
    )
    assert "\n" not in said
    assert broken.error.__cause__ is not None
    assert {"loaded"} == {one.state for one in states.values()}

    assert ["aaa", "zzz"] == sorted(one.instance for one in registry.providers())
    assert "m-1" == registry.resolve("zzz/m-1", "text").winners[0].model.id
    with pytest.raises(e.BrokenPluginError, match=r"anymodal-acme 1\.0 cannot be loaded"):
        registry.resolve("acme/m-1", "text")
    with pytest.raises(e.UnknownModelError, match="do not serve: anymodal-acme"):
        registry.resolve("m-77", "text")


def test_entry_point_to_a_module_that_is_not_there(site):
    """A wheel was built without it."""
    site.install("anymodal-acme")
    site.install("anymodal-beta", points="[anymodal]\nbeta = package.of.beta\n")

    acme, beta = sorted(site.registry().plugins(), key=lambda one: one.label)
    assert "there is no module 'anymodal_acme', which its entry point names" in str(acme.error)
    assert "there is no module 'package', which its entry point names" in str(beta.error)


def test_entry_point_to_an_object(site):
    """The group names modules; the metadata says otherwise, so nothing is imported."""
    site.install(
        "anymodal-acme", offers("acme"), points="[anymodal]\nacme = anymodal_acme:plugin\n"
    )

    (plugin,) = site.registry().plugins()
    assert "names a module, not 'anymodal_acme:plugin'" in str(plugin.error)
    assert set() == site.imported()


def test_two_distributions_with_one_module(site):
    """Only one of the modules can be imported, and it is the plugin of the first."""
    site.install("anymodal-acme", offers("acme"), module="shared")
    site.install("anymodal-beta", module="shared")

    by_name = {one.candidate.distribution.name: one for one in site.registry().plugins()}
    states = {name: one.state for name, one in by_name.items()}
    assert ["broken", "loaded"] == sorted(states.values())
    (broken,) = (one for one in by_name.values() if one.state == "broken")
    assert "'shared'" in str(broken.error)


@pytest.mark.parametrize(
    ("state", "settings", "requires", "error"),
    [
        ("blocked", {"disable": ["acme"]}, [], e.BlockedPluginError),
        ("blocked", {"allow": ["zzz"]}, [], e.BlockedPluginError),
        ("incompatible", {}, ["anymodal>=99"], e.IncompatiblePluginError),
    ],
)
def test_refused_plugin_is_never_imported(site, state, settings, requires, error):
    """Metadata and settings decide before any of its code runs."""
    site.install("anymodal-acme", offers("acme"), requires=requires)
    site.install("anymodal-zzz", offers("zzz"))
    registry = site.registry({"plugins": settings})

    assert {"anymodal-acme": state, "anymodal-zzz": "loaded"} == {
        one.candidate.distribution.name: one.state for one in registry.plugins()
    }
    assert {"anymodal_zzz"} == site.imported()
    with pytest.raises(error, match="anymodal-acme"):
        registry.resolve("acme", "text")


def test_shadowed_id_names_both_and_the_rest_serves(site):
    """A plugin that lost one of its ids serves the other."""
    site.install("anymodal-acme", offers("acme"))
    site.install("other", offers("acme", "mine"), ids=["acme", "mine"])
    registry = site.registry()

    plugins = {one.candidate.distribution.name: one for one in registry.plugins()}
    assert {"loaded"} == {one.state for one in plugins.values()}
    assert isinstance(plugins["other"].error, e.ShadowedPluginError)
    assert [("acme", "anymodal-acme 1.0"), ("mine", "other 1.0")] == [
        (one.instance, one.plugin) for one in registry.providers()
    ]


@pytest.mark.parametrize("first", [None, "plugins"])
def test_shadowed_id_is_an_error_whatever_was_asked_before(site, first):
    """Loading everything must not make a lost id look as if it were not offered."""
    for name in ("one", "two"):
        site.install(name, offers("acme", name), ids=["acme", name])
    registry = site.registry()
    if first:
        registry.plugins()

    with pytest.raises(
        e.ShadowedPluginError, match=r"(one|two) 1\.0 .* (one|two) 1\.0 claims as well"
    ):
        registry.resolve("acme", "text")
    assert registry.resolve("two", "text").winners


def test_settings_choose_between_two(site):
    """The one that they prefer is imported, and the other is not even looked at."""
    site.install("anymodal-acme", "1 / 0")
    site.install("other", offers("acme"), ids=["acme"])
    registry = site.registry({"plugins": {"prefer": {"acme": "other"}}})

    assert "other 1.0" == registry.resolve("acme", "text").winners[0].offer.plugin
    assert {"other"} == site.imported()


def test_error_is_new_each_time(site):
    """One that is kept and raised again would grow, and mix up the records of calls."""
    site.install("anymodal-acme", "1 / 0")
    registry = site.registry()
    caught = []
    for _ in range(2):
        with pytest.raises(e.BrokenPluginError) as info:
            registry.resolve("acme", "text")
        caught.append(info.value)

    assert caught[0] is not caught[1]
    assert str(caught[0]) == str(caught[1])
    assert isinstance(caught[1].__cause__, ZeroDivisionError)


# -- one at a time ------------------------------------------------------------------------------


def test_exact_name_imports_exactly_one_plugin(site):
    """What others do, hang included, does not matter to it."""
    for name in ("acme", "beta", "gamma"):
        site.install(f"anymodal-{name}", offers(name))
    site.install("anymodal-bad", "raise SystemExit")
    registry = site.registry({"instances": {"work": {"provider": "gamma"}}})

    assert set() == site.imported()
    registry.resolve("beta/m-1", "text")
    assert {"anymodal_beta"} == site.imported()
    registry.resolve("work", "text")
    assert {"anymodal_beta", "anymodal_gamma"} == site.imported()


def test_each_id_of_a_plugin_has_a_spec_of_its_own(site):
    """Two providers in one distribution, such as a vendor's two clouds."""
    site.install("anymodal-acme", offers("acme", "acme-two"), ids=["acme", "acme-two"])
    registry = site.registry()

    for name in ("acme-two", "acme"):
        assert name == registry.resolve(f"{name}/m-1", "text").winners[0].offer.spec.id


def test_bare_name_imports_all(site):
    """Nobody can know beforehand who has a model of that name."""
    site.install("anymodal-acme", offers("acme", models=["one"]))
    site.install("anymodal-beta", offers("beta", models=["two"]))
    registry = site.registry()

    assert "beta" == registry.resolve("two", "text").winners[0].offer.instance
    assert {"anymodal_acme", "anymodal_beta"} == site.imported()


def test_plugin_is_imported_and_asked_once(site):
    """Hooks are pure, but not free."""
    site.install(
        "anymodal-acme",
        "asked = []\n" + offers("acme").replace("    for", "    asked.append(1)\n    for"),
    )
    registry = site.registry()
    for _ in range(3):
        registry.plugins()
        registry.resolve("acme", "text")

    assert [1] == sys.modules["anymodal_acme"].asked


def test_threads_may_load_at_once(site):
    """Hosts list providers from request handlers."""
    site.install("anymodal-acme", "import time; time.sleep(0.05); asked = []\n" + offers("acme"))
    registry = site.registry()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(registry.resolve("acme", "text").winners))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 == len(found)
    assert {"acme"} == {row.offer.instance for rows in found for row in rows}


def test_seconds_tell_who_is_slow(site):
    """`anymodal plugins` shows them."""
    site.install("anymodal-acme", "import time; time.sleep(0.02)\n" + offers("acme"))

    (plugin,) = site.registry().plugins()
    assert plugin.seconds >= 0.02


# -- new modalities -------------------------------------------------------------------------------

SMELL_ROOM = """
from typing import ClassVar
import attrs
from anymodal import ProviderSpec, hookspec

@attrs.frozen(kw_only=True)
class SmellProviderSpec(ProviderSpec[object]):
    modality: ClassVar[str] = "smell"

@hookspec
def anymodal_smell_providers():
    "Offer providers of smell."
"""
SMELL = hook(
    """
    return [Modality(name="smell", spec="smell_room:SmellProviderSpec", hookspecs="smell_room")]
    """,
    "anymodal_modalities",
)
ROSE = """
from anymodal import hookimpl

@hookimpl
def anymodal_smell_providers():
    from smell_room import SmellProviderSpec
    yield SmellProviderSpec(id="{id}", display_name="Rose", kind="local", connect=print, default_model="r")
"""


def write_room(site, code=SMELL_ROOM):
    (site.folder / "smell_room.py").write_text(code, "utf-8")


@pytest.mark.parametrize("order", [("brings", "rose", "tulip"), ("rose", "tulip", "brings")])
@pytest.mark.parametrize("first", ["rose/r", "tulip/r", "brings", None])
def test_one_plugins_modality_is_used_by_others(site, order, first):
    """In whichever order they are installed, and whichever is asked for first."""
    write_room(site)
    codes = {"brings": SMELL, "rose": ROSE.format(id="rose"), "tulip": ROSE.format(id="tulip")}
    for name in order:
        site.install(f"anymodal-{name}", codes[name])
    distributions = sorted(site.found(), key=lambda one: order.index(one.name.partition("-")[2]))
    registry = anymodal.Registry(Settings.empty(), distributions=distributions)
    if first:
        registry.explain(first)

    assert {"loaded"} == {one.state for one in registry.plugins()}
    assert ["rose", "tulip"] == [one.instance for one in registry.providers("smell")]
    assert "smell" == registry.modalities()[-1].name
    assert "rose" == registry.resolve("rose/r", "smell").winners[0].offer.instance


def test_plugin_may_use_the_modality_that_it_brings(site):
    """The first provider of a new kind of work mostly comes with it."""
    write_room(site)
    site.install("anymodal-rose", SMELL + ROSE.format(id="rose"))
    registry = site.registry()

    assert "rose" == registry.resolve("rose/r", "smell").winners[0].offer.instance


def test_modality_that_is_broken_harms_only_its_own_plugin(site):
    """Others are proven under the hookspecs in force, so these must be sound."""
    write_room(site, "1 / 0")
    site.install("anymodal-brings", SMELL)
    site.install("anymodal-rose", ROSE.format(id="rose"))
    site.install("anymodal-zzz", offers("zzz"))

    states = {one.candidate.distribution.name: one.state for one in site.registry().plugins()}
    assert {
        "anymodal-brings": "broken",
        "anymodal-rose": "broken",
        "anymodal-zzz": "loaded",
    } == states


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (SMELL_ROOM.replace('= "smell"', '= "taste"'), "is not a ProviderSpec of that modality"),
        (SMELL_ROOM.replace("class SmellProviderSpec", "class Other"), "has no attribute 'SmellProviderSpec'"),
        (SMELL_ROOM + "SmellProviderSpec = print", "is not a ProviderSpec of that modality"),
        (SMELL_ROOM.replace("def anymodal_smell", "def anymodal_taste"), "smell_room does not specify anymodal_smell_providers"),
        (SMELL_ROOM.replace("@hookspec", ""), "did not find any 'anymodal' hooks"),
        (SMELL_ROOM + "@hookspec\ndef anymodal_text_providers(): pass", "anymodal_text_providers"),
    ],
)  # fmt: skip
def test_modality_is_proven_as_far_as_others_rely_on_it(site, room, words):
    """Its hook, and the class that its specs have."""
    write_room(site, room)
    site.install("anymodal-brings", SMELL)
    site.install("anymodal-zzz", offers("zzz"))
    registry = site.registry()

    by_name = {one.candidate.distribution.name: one for one in registry.plugins()}
    assert words in str(by_name["anymodal-brings"].error)
    assert "loaded" == by_name["anymodal-zzz"].state
    assert 9 == len(registry.modalities())


def test_second_of_one_name_is_broken(site):
    """Two contracts under one name would be mixed up."""
    write_room(site)
    site.install("anymodal-brings", SMELL)
    site.install("anymodal-again", SMELL)

    states = {one.state for one in site.registry().plugins()}
    assert {"loaded", "broken"} == states


# -- misbehaving objects ----------------------------------------------------------------------------


class Host:
    """A healthy plugin of the host's own."""

    def __init__(self, name="host"):
        self.name = name

    @hookimpl
    def anymodal_text_providers(self):
        yield TextProviderSpec(
            id=self.name,
            display_name="Host",
            kind="local",
            models=[ModelSpec(id="h-1")],
            default_model="h-1",
            connect=print,
        )


class Unhashable(Host):
    __hash__ = None


class Equal(Host):
    def __eq__(self, other):
        return True

    __hash__ = None


class Incomparable(Host):
    def __eq__(self, other):
        raise ZeroDivisionError

    __hash__ = None


class Probed(Host):
    @property
    def attribute(self):
        raise ZeroDivisionError

    def __getattr__(self, name):
        raise ZeroDivisionError(name)


class Unprintable(Host):
    def __repr__(self):
        raise ZeroDivisionError


@attrs.define
class Value(Host):
    name: str = "value"


ODD = [Unhashable, Equal, Incomparable, Probed, Unprintable, Value]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("odd_first", [True, False])
def test_odd_objects_harm_nobody(site, odd, odd_first):
    """Pluggy compares the plugins that it holds, and looks at all of their attributes."""
    site.install("anymodal-zzz", offers("zzz"))
    site.install("anymodal-acme", "1 / 0")
    hosts = [odd("odd"), Host()]

    registry = site.registry(plugins=hosts if odd_first else hosts[::-1])
    assert ["host", "odd", "zzz"] == sorted(one.instance for one in registry.providers())


@pytest.mark.parametrize("odd", ODD)
def test_module_that_is_an_odd_object_harms_nobody(site, odd):
    """A module may replace itself in `sys.modules` by anything."""
    name = f"odd_{odd.__name__.lower()}"
    site.install("anymodal-odd", module=name)
    site.install("anymodal-zzz", offers("zzz"))
    sys.modules[name] = odd("odd")
    registry = site.registry()

    # the import statement itself cannot have one that lets nobody look at it
    served = ["zzz"] if odd is Probed else ["odd", "zzz"]
    assert served == [one.instance for one in registry.providers()]


def test_host_may_have_any_id_and_wins_over_what_is_installed(site):
    """It is the host's program."""
    site.install("anymodal-acme", offers("acme"))
    registry = site.registry(plugins=[Host("acme")])

    assert ["host"] == [one.plugin for one in registry.providers()]
    assert "h-1" == registry.resolve("acme", "text").winners[0].model.id
    assert "host" == registry.resolve("h-1", "text").winners[0].offer.plugin
    with pytest.raises(e.UnknownModelError):
        registry.resolve("m-1", "text")


def test_hosts_broken_plugin_is_the_hosts_error():
    """There is nobody to protect from it, and nothing to be gained by hiding it."""

    class Broken:
        @hookimpl
        def anymodal_text_providers(self):
            return 7

    with pytest.raises(
        e.BrokenPluginError, match=r"The host's plugin Broken cannot be used: .* not int"
    ):
        Plugins((), [Broken()])


def test_hosts_modality_is_used_by_what_is_installed(site):
    """Hosts may define kinds of work for plugins to serve."""
    write_room(site)

    class Brings:
        @hookimpl
        def anymodal_modalities(self):
            yield Modality(
                name="smell", spec="smell_room:SmellProviderSpec", hookspecs="smell_room"
            )

    site.install("anymodal-rose", ROSE.format(id="rose"))
    registry = site.registry(plugins=[Brings()])

    assert ["rose"] == [one.instance for one in registry.providers("smell")]


# -- the manager --------------------------------------------------------------------------------------


def test_manager_has_modalities_first_and_every_healthy_plugin(site, monkeypatch):
    """Hosts drive it directly."""
    site.install("anymodal-acme", offers("acme"))
    site.install("anymodal-bad", "1 / 0")
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", "off")
    settings = Settings.from_mapping({"plugins": {"allow": ["acme", "bad"]}})

    manager = plugin_manager(settings=settings)
    assert ["anymodal", "anymodal_acme"] == [name for name, _ in manager.list_name_plugin()]
    assert sys.modules["anymodal_acme"] is manager.get_plugin("anymodal_acme")
    (given,) = manager.hook.anymodal_text_providers()
    assert ["acme"] == [spec.id for spec in given]
    (nine,) = manager.hook.anymodal_modalities()
    assert 9 == len(nine)


def test_manager_without_autoload_imports_nothing(site):
    """For hosts that register what they like."""
    site.install("anymodal-acme", offers("acme"))

    manager = anymodal.plugin_manager(autoload=False)
    assert isinstance(manager, pluggy.PluginManager)
    manager.register(Host())
    assert ["host"] == [
        spec.id for specs in manager.hook.anymodal_text_providers() for spec in specs
    ]
    assert set() == site.imported()


def test_no_autoload_is_a_setting_too(site, monkeypatch):
    """`ANYMODAL_NO_AUTOLOAD=1`."""
    site.install("anymodal-acme", offers("acme"))
    monkeypatch.setenv("ANYMODAL_NO_AUTOLOAD", "1")
    monkeypatch.setenv("ANYMODAL_CONFIG", os.devnull)

    assert ["anymodal"] == [name for name, _ in plugin_manager().list_name_plugin()]


def test_hosts_may_wrap_hooks_on_the_manager():
    """What distributions may not."""
    manager = plugin_manager(autoload=False)

    class Nobody:
        @hookimpl(wrapper=True)
        def anymodal_text_providers(self):
            yield
            return []

    manager.register(Host())
    manager.register(Nobody())
    assert [] == manager.hook.anymodal_text_providers()


def test_managers_are_new_each_time():
    """There is no module-level registry."""
    one, two = plugin_manager(autoload=False), plugin_manager(autoload=False)
    one.register(Host())

    assert [] == two.hook.anymodal_text_providers()


def test_name_of_a_hook_that_is_no_function_is_no_hook(site):
    """A plugin that has nothing to offer just now may say so like this."""
    site.install("anymodal-acme", "anymodal_image_providers = None\n" + offers("acme"))

    assert ["acme"] == [one.instance for one in site.registry().providers()]


def test_optional_hook_of_a_modality_that_is_not_there(site):
    """A plugin may serve a kind of work that some installations have."""
    code = ROSE.format(id="acme").replace("@hookimpl", "@hookimpl(optionalhook=True)") + offers(
        "acme"
    )
    site.install("anymodal-acme", code)

    assert ["acme"] == [one.instance for one in site.registry().providers()]


# -- Ctrl-C -------------------------------------------------------------------------------------------

SLOW = {
    "plain": "import time\ntime.sleep(30)",
    "swallowed": "import time\ntry:\n    time.sleep(30)\nexcept BaseException:\n    pass",
    "changed": "import time\ntry:\n    time.sleep(30)\nexcept BaseException as error:\n    raise ImportError from error",
}
LOADS = """
import os, signal, sys, threading, time
from anymodal import Registry, Settings
from anymodal.index import installed

def load():
    registry = Registry(Settings.empty(), distributions=installed([sys.argv[1]], environ={"ANYMODAL_CACHE_DIR": "off"}))
    print("loading", flush=True)
    try:
        registry.plugins()
    except KeyboardInterrupt:
        (plugin,) = registry._plugins.all
        print("interrupted", plugin.state, flush=True)
        raise
    print("went on", flush=True)
"""
LOOPS = {
    "no loop": "load()",
    "trio": "import trio\nasync def main(): load()\ntrio.run(main)",
    "asyncio": "import asyncio\nasync def main(): load()\nasyncio.run(main())",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", SLOW)
def test_real_interrupt_is_the_users(site, loop, kind):
    """It ends the program, even where the plugin swallows it; the plugin is not to blame."""
    site.install("anymodal-acme", "print('importing', flush=True)\n" + SLOW[kind])
    child = subprocess.Popen(
        [sys.executable, "-c", LOADS + LOOPS[loop], str(site.folder)],
        env={**os.environ, "PYTHONPATH": str(site.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert ["loading", "importing"] == [child.stdout.readline().strip() for _ in range(2)]
        for _ in range(2 if loop == "asyncio" else 1):  # the first one asks its task to stop
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
        told, error = child.communicate(timeout=PATIENCE)
    finally:
        child.kill()

    assert told.startswith("interrupted ")
    assert "broken" not in told
    assert "went on" not in told
    assert "KeyboardInterrupt" in error


def test_plugins_own_interrupt_is_a_fault(site):
    """No signal came, so the user meant nothing."""
    site.install("anymodal-acme", "raise KeyboardInterrupt")

    (plugin,) = site.registry().plugins()
    assert "broken" == plugin.state


def test_plugin_cannot_keep_the_handler(site):
    """A host's Ctrl-C belongs to the host, also after a plugin took it."""
    before = signal.getsignal(signal.SIGINT)
    site.install("anymodal-acme", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)")
    site.registry().plugins()

    assert before is signal.getsignal(signal.SIGINT)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_ignored_signal_stays_ignored(site, handler):
    """Where no Python code handles it, there is nothing to watch."""
    site.install("anymodal-acme", offers("acme"))
    before = signal.signal(signal.SIGINT, handler)
    try:
        assert ["loaded"] == [one.state for one in site.registry().plugins()]
        assert handler == signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_handler_of_the_hosts_that_raises_nothing_interrupts_nothing(site):
    """An event loop notes the first Ctrl-C and cancels its task later; loading goes on."""
    site.install(
        "anymodal-acme", "import signal\nsignal.raise_signal(signal.SIGINT)\n" + offers("acme")
    )
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1))
    try:
        assert ["loaded"] == [one.state for one in site.registry().plugins()]
    finally:
        signal.signal(signal.SIGINT, before)

    assert [1] == came


@pytest.mark.parametrize("run", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_event_loops_handlers_come_back(site, run):
    """They look whether theirs is still in place when they end."""
    site.install("anymodal-acme", offers("acme"))

    async def main():
        before = signal.getsignal(signal.SIGINT)
        site.registry().plugins()
        return before is signal.getsignal(signal.SIGINT)

    coroutine = main()
    assert run(coroutine) if run is asyncio.run else trio.run(lambda: coroutine)


def test_other_threads_get_no_signals(site):
    """Python raises interrupts in the main thread alone."""
    site.install("anymodal-acme", "raise KeyboardInterrupt")
    found = []
    thread = threading.Thread(target=lambda: found.extend(site.registry().plugins()))
    thread.start()
    thread.join()

    assert ["broken"] == [one.state for one in found]


def test_plugin_prints_what_matters(site):
    """For logs and for the person who debugs."""
    site.install("anymodal-acme", offers("acme"))
    (plugin,) = site.registry().plugins()

    assert "anymodal-acme 1.0" == plugin.label
    assert "state='loaded'" in repr(plugin)
