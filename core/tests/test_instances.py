"""What instances are given by settings: options of calls, addresses, keys from further places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs
import pytest
from anymodal import (
    Client,
    Credential,
    Finish,
    Message,
    Registry,
    Settings,
    TextOption,
    TextResult,
    hookimpl,
)
from anymodal import errors as e
from anymodal.secrets import SecretSource

from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Keeps:
    """A provider that keeps what it was asked, and says its key and address."""

    def __init__(self, connection):
        self.connection = connection
        self.asked = []

    async def generate(self, request):
        self.asked.append(request)
        words = f"{await self.connection.secret()} at {self.connection.base_url}"
        return TextResult(Message.assistant(words), Finish())


@attrs.frozen(kw_only=True)
class AcmeText(TextOption):
    """Options of Acme's own."""

    provider: ClassVar[str] = "acme"
    tier: str | None = None
    top_k: int | None = None
    extra_body: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class OtherText(TextOption):
    """Options of somebody else."""


class Acme(Brings):
    """A plugin that keeps its providers."""

    def __init__(self, **spec):
        self.made = []
        super().__init__(
            lambda connection: self.made.append(Keeps(connection)) or self.made[-1],
            **{"credentials": [Credential(required=False)], "options": AcmeText, **spec},
        )

    @property
    def asked(self):
        return self.made[-1].asked[-1]


def client_of(*plugins, environ=None, secrets=(), **settings):
    found = Settings.from_mapping(settings, environ=environ)
    registry = Registry(found, plugins=plugins, distributions=())
    return Client(registry=registry, secrets=secrets)


async def said(ai, model="acme", **more):
    return (await ai.text.generate("Hi", model=model, **more)).text


# -- options of calls -----------------------------------------------------------------------------


async def test_options_of_settings_are_asked_for():
    """Those of the instance over those of all; what the call says over both."""
    acme = Acme()
    settings = {
        "options": {"text": {"temperature": 0.2, "max_tokens": 10, "stop": ["END"]}},
        "instances": {
            "work": {"provider": "acme", "options": {"text": {"max_tokens": 20, "seed": 3}}}
        },
    }
    async with client_of(acme, **settings) as ai:
        await said(ai, "work/m-1", temperature=0.9)
        request = acme.asked
        assert (0.9, 20, 3, ("END",)) == (
            request.temperature, request.max_tokens, request.seed, request.stop,
        )  # fmt: skip
        assert request.warnings is not None
        await said(ai, "acme/m-1", stop="STOP")
        request = acme.asked
        assert (0.2, 10, None, ("STOP",)) == (
            request.temperature, request.max_tokens, request.seed, request.stop,
        )  # fmt: skip


async def test_zero_is_something_that_a_call_says():
    """Only what it leaves open is filled in."""
    acme = Acme()
    async with client_of(acme, options={"text": {"temperature": 0.7, "seed": 7}}) as ai:
        await said(ai, temperature=0, seed=0)

        assert (0, 0) == (acme.asked.temperature, acme.asked.seed)


async def test_warnings_of_a_filled_request_are_the_call_s():
    """The record is made of the same list."""

    class Warns(Keeps):
        async def generate(self, request):
            request.warn("seed", "acme has no seeds")
            return await super().generate(request)

    acme = Brings(Warns, options=AcmeText)
    async with client_of(acme, options={"text": {"seed": 7}}) as ai:
        result = await ai.text.generate("Hi", model="acme")

        assert ["seed"] == [one.setting for one in result.record.warnings]


async def test_vendor_options_of_settings():
    """Field by field under those of the call; a vendor's own class reads them."""
    acme, settings = Acme(), {"tier": "flex", "top_k": 3, "extra_body": {"a": 1}}
    async with client_of(acme, providers={"acme": {"vendor_options": {"text": settings}}}) as ai:
        await said(ai)
        assert (AcmeText(tier="flex", top_k=3, extra_body={"a": 1}),) == acme.asked.options
        await said(ai, options=[OtherText(), AcmeText(top_k=5)])
        assert (
            AcmeText(tier="flex", top_k=5, extra_body={"a": 1}),
            OtherText(),
        ) == acme.asked.options
        await said(ai, options=[OtherText()])
        assert 2 == len(acme.asked.options)


async def test_instance_has_vendor_options_of_its_own():
    """Those of the provider's own door do not go through another."""
    acme = Acme()
    settings = {
        "providers": {"acme": {"vendor_options": {"text": {"tier": "flex"}}}},
        "instances": {"work": {"provider": "acme"}},
    }
    async with client_of(acme, **settings) as ai:
        await said(ai, "work/m-1")

        assert () == acme.asked.options


@pytest.mark.parametrize(
    ("spec", "written", "faults"),
    [
        (
            {},
            {"teir": "flex", "top_k": "x"},
            [
                (
                    "[providers.acme] vendor_options.text.teir: there is no such option. "
                    "Did you mean tier?"
                ),
                "[providers.acme] vendor_options.text.top_k: Expected `int | null`, got `str`.",
            ],
        ),
        (
            {},
            {"qqq": 1},
            [
                (
                    "[providers.acme] vendor_options.text.qqq: there is no such option. "
                    "Known: extra_body, tier, top_k."
                ),
            ],
        ),
        (
            {"options": None},
            {"tier": "flex"},
            ["[providers.acme] vendor_options.text: acme has no options of its own for text."],
        ),
    ],
)
async def test_wrong_vendor_options_are_all_told(spec, written, faults):
    """By the name of each, when the plugin that knows them is asked for."""
    settings = {"providers": {"acme": {"vendor_options": {"text": written}}}}
    async with client_of(Acme(**spec), Brings(Keeps, id="other"), **settings) as ai:
        with pytest.raises(e.SettingsError) as caught:
            await said(ai)
        assert faults == list(caught.value.faults)
        assert "None at " in await said(ai, "other/m-1")


# -- addresses ------------------------------------------------------------------------------------


async def test_variable_may_name_the_address_of_a_service():
    """People run it themselves; settings go before, and a named instance is no such service."""
    acme = Acme(kind="remote", url_env=["ACME_SERVICE_URL", "ACME_URL"])
    environ = {"ACME_URL": "http://127.0.0.1:8000/"}
    instances = {"work": {"provider": "acme"}}
    async with client_of(acme, environ=environ, instances=instances) as ai:
        assert "None at http://127.0.0.1:8000" == await said(ai)
        with pytest.raises(e.MissingCredentialsError) as caught:
            await said(ai, "work/m-1")
        assert "work needs an address: set base_url in [instances.work]." == str(caught.value)
    there = {"providers": {"acme": {"base_url": "http://127.0.0.1:9000"}}}
    async with client_of(acme, environ=environ, **there) as ai:
        assert "None at http://127.0.0.1:9000" == await said(ai)


async def test_missing_address_names_the_variable():
    """The shorter way to set it."""
    async with client_of(Acme(kind="remote", url_env=["ACME_URL"])) as ai:
        with pytest.raises(e.MissingCredentialsError) as caught:
            await said(ai)

    assert "acme needs an address: set base_url in [providers.acme], or ACME_URL." == str(
        caught.value
    )


async def test_variable_without_an_address_is_told():
    """Without what it says, which may be a key."""
    acme = Acme(kind="remote", url_env=["ACME_URL"])
    async with client_of(acme, environ={"ACME_URL": "sk-hush"}) as ai:
        with pytest.raises(e.MissingCredentialsError, match="ACME_URL: a whole URL is") as caught:
            await said(ai)

    assert "hush" not in str(caught.value)


async def test_ambient_key_goes_to_no_other_address_that_a_variable_names():
    """Keys stay home, whoever says where to go."""
    acme = Acme(kind="remote", base_url="https://acme.example", url_env=["ACME_URL"])
    environ = {"ACME_URL": "http://127.0.0.1:8000", "ACME_API_KEY": "sk-ambient"}
    async with client_of(acme, environ=environ) as ai:
        assert "None at http://127.0.0.1:8000" == await said(ai)


# -- keys from further places ---------------------------------------------------------------------


class Vault(SecretSource):
    """A place for keys."""

    def __init__(self, scheme, **found):
        self._scheme = scheme
        self.found = found

    @property
    def scheme(self):
        return self._scheme

    def get(self, reference, /):
        return self.found.get(reference)


VAULT = """
from anymodal import hookimpl

class Vault:
    scheme = "vault"
    def get(self, reference):
        return "sk-of-plugin"

@hookimpl
def anymodal_secrets():
    yield Vault()
"""
REFERS = {"providers": {"acme": {"api_key": "vault:acme"}}}


async def test_host_s_place_is_asked():
    """Its tenants are served from there too, where settings of theirs refer to it."""
    async with client_of(
        Acme(), secrets=[Vault("vault", acme="sk-v", theirs="sk-t")], **REFERS
    ) as ai:
        tenant = ai.scoped("tenant", settings={"providers": {"acme": {"api_key": "vault:theirs"}}})
        assert "sk-v at " == await said(ai)
        assert "sk-t at " == await said(tenant)


async def test_plugin_s_place_is_asked_where_settings_name_it(site):
    """Installing one changes nothing; the reference is taken for the key itself."""
    site.install("anymodal-vault", VAULT)
    for use, key in ((["vault"], "sk-of-plugin"), ([], "vault:acme")):
        registry = site.registry({**REFERS, "plugins": {"use": use}}, plugins=[Acme()])
        async with Client(registry=registry) as ai:
            assert f"{key} at " == await said(ai)


async def test_host_s_place_goes_before_a_plugin_s(site):
    """It was given to this client."""
    site.install("anymodal-vault", VAULT)
    registry = site.registry({**REFERS, "plugins": {"use": ["vault"]}}, plugins=[Acme()])
    async with Client(registry=registry, secrets=[Vault("vault", acme="sk-v")]) as ai:
        assert "sk-v at " == await said(ai)


async def test_place_of_a_host_s_plugin_is_asked():
    """The host brought it."""

    class Brought(Acme):
        @hookimpl
        def anymodal_secrets(self):
            return [Vault("vault", acme="sk-v")]

    async with client_of(Brought(), **REFERS) as ai:
        assert "sk-v at " == await said(ai)


def test_place_that_stands_for_ours_is_refused():
    """Before anything is open."""
    with pytest.raises(e.ConfigurationError, match="keeps no keys under the scheme 'env'"):
        client_of(Acme(), secrets=[Vault("env")])


async def test_rotated_key_of_a_place_is_found():
    """It is asked again when keys are looked up again."""
    vault = Vault("vault", acme="sk-1")
    async with client_of(Acme(), secrets=[vault], **REFERS) as ai:
        await said(ai)
        vault.found["acme"] = "sk-2"
        assert {"acme"} == await ai.rotate()
        assert "sk-2 at " == await said(ai)


# -- kept keys ------------------------------------------------------------------------------------


def configured(settings, **more):
    """Return which instances have their keys, with a kept one for each."""
    acme = Acme(kind="remote", base_url="https://acme.example", credentials=[Credential()])
    stored = frozenset({"acme/api_key", "work/api_key", "other/second"})
    found = attrs.evolve(Settings.from_mapping(settings), stored=stored)
    registry = Registry(found, plugins=[acme], distributions=())
    return {one.instance: one.configured for one in registry.providers()}


def test_kept_keys_stay_home():
    """The provider's own goes to the vendor alone, like one of the environment."""
    work = {"work": {"provider": "acme"}, "other": {"provider": "acme"}}
    elsewhere = {"acme": {"base_url": "http://127.0.0.1:1"}}

    assert {"acme": True, "work": True, "other": False} == configured({"instances": work})
    assert {"acme": False} == configured({"providers": elsewhere})


async def test_kept_keys_are_not_a_tenant_s():
    """Who brings keys uses these alone."""
    acme = Acme(kind="remote", base_url="https://acme.example", credentials=[Credential()])
    found = attrs.evolve(Settings.empty(), stored=frozenset({"acme/api_key"}))
    async with Client(registry=Registry(found, plugins=[acme], distributions=())) as ai:
        tenant = ai.scoped("tenant", keys={})
        assert [True] == [one.configured for one in ai.registry.providers()]
        assert [False] == [one.configured for one in tenant.registry.providers()]


# -- the systems replaced -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "environ", "enabled"),
    [
        ({}, {}, True),
        ({}, {"ENABLE_PROVIDER_ACME_LABS": "false"}, False),
        ({"acme-labs": {"enabled": True}}, {"ENABLE_PROVIDER_ACME_LABS": "0"}, False),
        ({"acme-labs": {"enabled": False}}, {"ENABLE_PROVIDER_ACME_LABS": "1"}, False),
        ({}, {"ENABLE_PROVIDER_OTHER": "0"}, True),
    ],
)
def test_flags_switch_providers_off(settings, environ, enabled):
    """Either says no; unset is on."""
    found = Settings.from_mapping({"providers": settings}, environ=environ)
    registry = Registry(found, plugins=[Acme(id="acme-labs")], distributions=())

    assert [enabled] == [one.enabled for one in registry.providers()]


def test_flag_of_another_name_counts_where_the_plugin_says_so():
    """Two providers of one vendor share it."""
    found = Settings.from_mapping({}, environ={"ENABLE_PROVIDER_LABS": "0"})
    registry = Registry(found, plugins=[Acme(flag="labs")], distributions=())

    assert [False] == [one.enabled for one in registry.providers()]


async def test_defaults_variable_names_who_is_called():
    """By modality, or a workflow of the host's; a provider alone is enough."""
    environ = {"PROVIDER_DEFAULTS_JSON": '{"text": "other", "summaries": "acme/m-1"}'}
    async with client_of(Acme(), Brings(Keeps, id="other"), environ=environ) as ai:
        assert "other" == (await ai.text.generate("Hi")).record.provider
        assert "acme/m-1" == ai.registry.settings.defaults["summaries"]


@pytest.mark.parametrize("variable", ["ACME_AI_API_KEY", "ACMEAI_API_KEY", "ACME_API_KEY"])
async def test_key_aliases_are_looked_up(variable):
    """The names that other systems gave the same key, and the one made of the id."""
    credential = Credential(env=["ACME_AI_API_KEY", "ACMEAI_API_KEY"])
    async with client_of(Acme(credentials=[credential]), environ={variable: "sk-x"}) as ai:
        assert "sk-x at " == await said(ai)
