"""What acts unasked acts only where it was named."""

import pytest
from anymodal import Client, hookimpl
from anymodal import errors as e
from anymodal.errors import SettingsError
from anymodal.quarantine import ACTING

from .plugins_on_path import offers

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def acts(name, hook="anymodal_observers", gives="Acts()", method="on_event"):
    """The code of a plugin that gives one acting object called *name*."""
    return f"""
from anymodal import hookimpl

class Acts:
    name = {name!r}
    def {method}(self, *given): ...

@hookimpl
def {hook}():
    yield {gives}
"""


class Bystander:
    name = "host"

    def on_event(self, event): ...


class HostPlugin:
    @hookimpl
    def anymodal_observers(self):
        return [Bystander()]


def names(found):
    return [one.name for one in found]


def test_installing_makes_nothing_act(site):
    """Who installs a distribution has not asked to be watched by it."""
    site.install("anymodal-log", acts("log"))
    registry = site.registry()
    registry.plugins()

    assert () == registry.acting("anymodal_observers")


def test_they_act_in_the_order_of_settings(site):
    """Middleware stands around middleware, so the order means something."""
    for name in ("one", "two", "three"):
        site.install(f"anymodal-{name}", acts(name))

    found = site.registry({"plugins": {"use": ["three", "one"]}}).acting("anymodal_observers")

    assert ["three", "one"] == names(found)


def test_distribution_s_name_will_do(site):
    """Users know what they installed, and not always what its entry point is called."""
    site.install("Acme.Watch", acts("watch"), ids=["eyes"], module="acme_watch")
    site.install("anymodal-other", acts("other"))

    found = site.registry({"plugins": {"use": ["acme-watch"]}}).acting("anymodal_observers")

    assert ["watch"] == names(found)


def test_only_the_named_are_imported(site):
    """Entering a client must not cost the import of everything installed."""
    site.install("anymodal-log", acts("log"))
    site.install("anymodal-acme", offers("acme"))
    site.registry({"plugins": {"use": ["log"]}}).acting("anymodal_observers")

    assert {"anymodal_log"} == site.imported()


def test_each_hook_has_its_own_objects(site):
    """An observer is no middleware."""
    site.install("anymodal-log", acts("log"))
    registry = site.registry({"plugins": {"use": ["log"]}})

    assert [1, 0, 0, 0] == [
        len(registry.acting(hook))
        for hook in ("anymodal_observers", *sorted(ACTING.keys() - {"anymodal_observers"}))
    ]


def test_host_s_own_plugins_act_unnamed(site):
    """The host brought them, so nobody is surprised; they come after those of the settings."""
    site.install("anymodal-log", acts("log"))
    registry = site.registry({"plugins": {"use": ["log"]}}, plugins=[HostPlugin()])

    assert ["log", "host"] == names(registry.acting("anymodal_observers"))


@pytest.mark.parametrize(
    ("code", "settings", "error", "words"),
    [
        (None, {}, SettingsError, "plugins.use: no plugin is called 'log'"),
        (offers("log"), {}, SettingsError, "plugins.use: log has nothing that acts"),
        ("1 / 0", {}, e.BrokenPluginError, "ZeroDivisionError"),
        (acts("log"), {"disable": ["log"]}, e.BlockedPluginError, "disable names it"),
        (acts("log", method="on_evnt"), {}, e.BrokenPluginError, "Acts has no method on_event"),
        (acts("log", gives="object()"), {}, e.BrokenPluginError, "object has no method on_event"),
    ],
)
async def test_client_is_not_entered_without_what_settings_name(site, code, settings, error, words):
    """A program that must keep a log may not run without it and say nothing."""
    if code is not None:
        site.install("anymodal-log", code)
    client = Client(registry=site.registry({"plugins": {"use": ["log"], **settings}}))

    with pytest.raises(error) as caught:
        await client.__aenter__()
    assert words in str(caught.value)


def test_broken_one_that_is_not_named_harms_nobody(site):
    """It is one verdict in the list of plugins."""
    site.install("anymodal-log", acts("log", method="on_evnt"))

    assert ["broken"] == [one.state for one in site.registry().plugins()]
