"""A plugin that wants what is others': it is given what it declared, and no more."""

import attrs
import pytest
from anymodal import Client
from anymodal.config import Settings
from anymodal.errors import SettingsError

from .plugins_on_path import offers

KEYS = {"acme": "sk-of-acme-0123456789", "mallory": "sk-of-mallory-987654321"}
VARIABLES = {"ACME_API_KEY": KEYS["acme"], "MALLORY_API_KEY": KEYS["mallory"]}
VICTIM = """
from anymodal import Credential, Finish, ModelSpec, TextDelta, TextProviderSpec, Usage, hookimpl, streaming

class Acme:
    @streaming
    async def stream(self, request):
        yield TextDelta("Hello.")
        yield Finish("stop", Usage(input_tokens=1, output_tokens=1))

@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="acme", display_name="Acme", base_url="https://api.acme.example/v1",
        credentials=[Credential(env=["ACME_API_KEY"])], models=[ModelSpec(id="m-1")],
        default_model="m-1", connect=lambda connection: Acme(),
    )
"""
MALLORY = """
from anymodal import Credential, Finish, ModelSpec, TextDelta, TextProviderSpec, Usage, hookimpl, streaming

SEEN = []
ASKED = ("api_key", "acme", "acme/api_key", "ACME_API_KEY", "openai", "token", "secret")

class Mallory:
    def __init__(self, connection):
        self.connection = connection

    @streaming
    async def stream(self, request):
        for name in ASKED:
            SEEN.append((name, await self.connection.secret(name)))
        yield TextDelta("Hello.")
        yield Finish("stop", Usage(input_tokens=1, output_tokens=1))

def connect(connection):
    SEEN.append(connection)
    return Mallory(connection)

@hookimpl
def anymodal_text_providers():
    yield TextProviderSpec(
        id="mallory", display_name="Mallory", base_url=BASE_URL, credentials=[CREDENTIAL],
        models=[ModelSpec(id="m-1")], default_model="m-1", connect=connect,
    )
"""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both event loops."""
    return request.param


def mallory(base_url="https://mallory.example/v1", credential="Credential()"):
    """The code of the hostile plugin."""
    return MALLORY.replace("BASE_URL", repr(base_url)).replace("CREDENTIAL", credential)


def reach(value, depth=4):
    """Give whatever can be read from *value* by its attributes and items."""
    yield repr(value)
    if depth == 0:
        return
    if isinstance(value, dict):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    elif attrs.has(type(value)):
        inner = [getattr(value, field.name, None) for field in attrs.fields(type(value))]
    else:
        inner = list(getattr(value, "__dict__", {}).values())
    for one in inner:
        yield from reach(one, depth - 1)


async def called(site, settings, *models):
    """Call *models*, and return what the hostile plugin saw."""
    registry = site.registry(settings)
    registry.settings = attrs.evolve(registry.settings, environ=VARIABLES)
    async with Client(registry=registry) as ai:
        for model in models:
            assert "Hello." == (await ai.text.generate("Hi.", model=model)).text
    import anymodal_mallory  # it is on the path now

    return anymodal_mallory.SEEN


@pytest.mark.anyio
async def test_it_is_given_its_own_key_alone(site):
    """Others' keys are in the settings and in the environment, and in nothing that it is handed."""
    site.install("anymodal-acme", VICTIM)
    site.install("anymodal-mallory", mallory())
    settings = {"providers": {"acme": {"api_key": "sk-in-the-settings-of-acme"}}}
    connection, *asked = await called(site, settings, "acme/m-1", "mallory/m-1")

    assert {("api_key", KEYS["mallory"])} == {pair for pair in asked if pair[1]}
    found = "".join(reach(connection))
    assert KEYS["acme"] not in found
    assert "sk-in-the-settings-of-acme" not in found


@pytest.mark.anyio
async def test_what_it_did_not_declare_is_not_there(site):
    """A key of another name than it declared is a fault of the settings, and goes nowhere."""
    site.install("anymodal-mallory", mallory(credential='Credential(name="token", required=False)'))
    settings = {"providers": {"mallory": {"token": "declared"}}}
    connection, *asked = await called(site, settings, "mallory/m-1")

    assert [("token", "declared")] == [pair for pair in asked if pair[1]]
    assert {"token"} == set(connection.credentials)
    settings["providers"]["mallory"]["api_key"] = "undeclared"
    with pytest.raises(SettingsError, match="mallory has no such setting"):
        await called(site, settings, "mallory/m-1")


@pytest.mark.anyio
async def test_claiming_anothers_address_gives_nothing_of_theirs(site):
    """Keys go by who declares them, not by where they would be sent."""
    site.install("anymodal-acme", VICTIM)
    site.install("anymodal-mallory", mallory("https://api.acme.example/v1"))
    connection, *asked = await called(site, {}, "acme/m-1", "mallory/m-1")

    assert {("api_key", KEYS["mallory"])} == {pair for pair in asked if pair[1]}
    assert KEYS["acme"] not in "".join(reach(connection))


@pytest.mark.anyio
async def test_an_instance_of_another_takes_no_ambient_key_with_it(site):
    """A key that is meant for one address does not go to a foreign one."""
    site.install("anymodal-mallory", mallory(credential="Credential(required=False)"))
    settings = {"providers": {"mallory": {"base_url": "https://elsewhere.example/v1"}}}
    connection, *asked = await called(site, settings, "mallory/m-1")

    assert [] == [pair for pair in asked if pair[1]]
    assert "https://elsewhere.example/v1" == connection.base_url


@pytest.mark.parametrize("name", ["acme", "openai"])
def test_it_cannot_serve_anothers_id(site, name):
    """Neither by a spec, nor by declaring an id that is another distribution's by name."""
    site.install("anymodal-acme", VICTIM)
    site.install("anymodal-mallory", offers("mallory", name))
    registry = site.registry()

    assert {"acme"} == {one.instance for one in registry.providers()}
    site.leave()
    site.install("mallory-two", offers("acme"), ids=["acme"])
    found = {one.plugin for one in site.registry().providers()}
    assert {"anymodal-acme 1.0"} == found


def test_two_settings_do_not_leak_into_each_other():
    """There is nothing of a process in which a plugin could look others' keys up."""
    one = Settings.from_mapping({"providers": {"acme": {"api_key": KEYS["acme"]}}})
    two = Settings.from_mapping({})

    assert KEYS["acme"] not in "".join(reach(two))
    assert KEYS["acme"] not in repr(one)
