"""Clients for tenants: whose keys are sent, what may be used, and who closes what."""

import pytest
from anymodal import (
    Client,
    Credential,
    Finish,
    Message,
    ModelSpec,
    Registry,
    Secret,
    Settings,
    SyncClient,
    TextResult,
    hookimpl,
)
from anymodal import errors as e

from .loopback import Loopback, reply
from .plugins_on_path import Brings, offers, site  # noqa: F401  # a fixture

pytestmark = pytest.mark.anyio
OURS, OF_WORK, AMBIENT, SECOND = "sk-ours-1", "sk-of-work-2", "sk-ambient-3", "sk-second-4"
THEIRS = "sk-theirs-5"
NOT_THEIRS = {OURS, OF_WORK, AMBIENT, SECOND}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def server(no_proxies):
    """A vendor that says yes."""
    with Loopback(reply(b'"yes"', headers=[("content-type", "application/json")])) as running:
        yield running


class Wire:
    """A provider that sends every credential it is given, and its region, in headers."""

    def __init__(self, connection):
        self.connection = connection
        self.closed = 0

    async def generate(self, request):
        connection = self.connection
        sent = {f"x-{name}": await connection.secret(name) for name in ("key", "second")}
        sent["x-region"] = connection.settings.get("region")
        sent["x-ambient"] = str(connection.ambient)
        headers = {name: value for name, value in sent.items() if value is not None}
        said = await connection.http.json("POST", "/x", body={}, headers=headers)
        return TextResult(Message.assistant(said), Finish())

    async def aclose(self):
        self.closed += 1


class Acme(Brings):
    """
    A plugin with models, whose key is needed; `hooks` counts how often it was asked.

    Args:
        server: Its vendor.
        required: Whether the key is.
    """

    def __init__(self, server, *, required=True, id="acme", models=("m-1", "m-2")):  # noqa: A002  # the spec's word
        self.hooks = 0
        self.made = []
        super().__init__(
            lambda connection: self.made.append(Wire(connection)) or self.made[-1],
            id=id,
            kind="remote",
            base_url=server.url,
            credentials=[
                Credential(name="key", env=[f"{id.upper()}_KEY"], required=required),
                Credential(name="second", required=False),
            ],
            settings={"region"},
            models=[ModelSpec(id=name) for name in models],
        )

    @hookimpl
    def anymodal_text_providers(self):
        self.hooks += 1
        return [self.spec]


def client_of(*plugins, environ=None, **settings):
    """A client of *plugins* alone."""
    found = Settings.from_mapping(settings, environ=environ or {})
    return Client(registry=Registry(found, plugins=plugins, distributions=()))


def with_keys(*plugins, **settings):
    """A client whose keys lie in settings, in the environment, and in an instance's settings."""
    return client_of(
        *plugins,
        environ={"ACME_KEY": AMBIENT, "TENANT_KEY": THEIRS},
        providers={"acme": {"key": OURS, "second": SECOND, "region": "north"}},
        instances={"work": {"provider": "acme", "key": OF_WORK}},
        **settings,
    )


def on_the_wire(server):
    """Return everything that was sent, as one string."""
    return " ".join(
        f"{name}={value}" for one in server.received for name, value in one.headers.items()
    )


# -- keys -----------------------------------------------------------------------------------------


async def from_a_vault() -> str:
    return THEIRS


@pytest.mark.parametrize(
    "given",
    [{"key": THEIRS}, {"key": Secret(THEIRS)}, {"key": from_a_vault}],
    ids=["string", "secret", "function"],
)
async def test_a_tenants_keys_are_the_only_ones(server, given):
    """Neither those of the client, nor one that the tenant lacks, nor the environment's."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", keys={"acme": given})
        assert "yes" == (await tenant.text.generate("Hi", model="acme/m-1")).text

    (request,) = server.received
    assert THEIRS == request.headers["x-key"]
    assert "x-second" not in request.headers
    assert "False" == request.headers["x-ambient"]
    assert [] == [key for key in NOT_THEIRS if key in on_the_wire(server)]


async def test_a_bare_key_is_the_api_key(server):
    """By far the commonest credential."""

    class Named(Wire):
        async def generate(self, request):
            return TextResult(Message.assistant(await self.connection.required()), Finish())

    plugin = Brings(
        Named,
        kind="remote",
        base_url=server.url,
        credentials=[Credential(name="api_key")],
    )
    async with client_of(plugin, environ={"ACME_API_KEY": AMBIENT}) as ai:
        assert AMBIENT == (await ai.text.generate("Hi", model="acme/m-1")).text
        for key in (THEIRS, Secret(THEIRS), from_a_vault):
            async with ai.scoped("tenant", keys={"acme": key}) as tenant:
                assert THEIRS == (await tenant.text.generate("Hi", model="acme/m-1")).text


@pytest.mark.parametrize("name", ["acme/m-1", "work/m-1", "m-1"])
@pytest.mark.parametrize("keys", [{}, {"other": {"key": THEIRS}}], ids=["none", "another's"])
async def test_without_a_key_of_its_own_nothing_is_sent(server, name, keys):
    """Under none of the provider's names; what to do is said."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", keys=keys)
        with pytest.raises(e.MissingCredentialsError, match="key of tenant's own") as caught:
            await tenant.text.generate("Hi", model=name)

    assert [] == server.received
    assert all(key not in str(caught.value) for key in NOT_THEIRS)


async def test_a_provider_that_needs_no_key_gets_none(server):
    """Optional credentials of the client stay at home as well."""
    async with with_keys(Acme(server, required=False)) as ai:
        tenant = ai.scoped("tenant", keys={})
        await tenant.text.generate("Hi", model="acme/m-1")
        await tenant.text.generate("Hi", model="work/m-1")

    assert 2 == len(server.received)
    assert [] == [key for key in NOT_THEIRS if key in on_the_wire(server)]


async def test_settings_that_are_no_keys_stay(server):
    """A region is the host's choice for everybody."""
    async with with_keys(Acme(server)) as ai:
        await ai.scoped("tenant", keys={"acme": {"key": THEIRS}}).text.generate(
            "Hi", model="acme/m-1"
        )

    assert "north" == server.received[0].headers["x-region"]


async def test_keys_in_the_tenants_settings_count_as_its_own(server):
    """The host wrote them for this tenant, and may refer to the environment there."""
    said = {"providers": {"acme": {"key": "env:TENANT_KEY"}}}
    async with with_keys(Acme(server)) as ai:
        for keys in (None, {}):
            tenant = ai.scoped("tenant", keys=keys, settings=said)
            await tenant.text.generate("Hi", model="acme/m-1")

    first, second = server.received
    assert THEIRS == first.headers["x-key"] == second.headers["x-key"]
    assert SECOND == first.headers["x-second"]
    assert "x-second" not in second.headers


async def test_without_keys_the_clients_are_used(server):
    """A scope may be for tags or limits alone."""
    async with with_keys(Acme(server)) as ai:
        await ai.scoped("tenant").text.generate("Hi", model="work/m-1")

    assert OF_WORK == server.received[0].headers["x-key"]


@pytest.mark.parametrize("kind", ["env:ACME_KEY", "file:/etc/passwd", "command:id", "keyring:a/b"])
async def test_a_key_refers_to_nothing(server, kind):
    """It may be what a stranger typed: nothing is looked up or run for it."""
    async with with_keys(Acme(server)) as ai:
        with pytest.raises(e.ConfigurationError, match=r"tenant: keys\['acme'\] key: a key itself"):
            ai.scoped("tenant", keys={"acme": {"key": kind}})


async def test_no_key_is_shown(server):
    """Not in anything that is printed."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", keys={"acme": {"key": THEIRS}})
        await tenant.text.generate("Hi", model="acme/m-1")
        offer = tenant.registry.providers()[0]
        shown = " ".join(map(repr, (tenant.registry.scope, tenant.registry.settings, offer)))

    assert THEIRS not in shown


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"providers": {"acme": {"base_url": "http://127.0.0.1:1"}}},
        {"instances": {"work": {"base_url": "http://127.0.0.1:1"}}},
        {"instances": {"work": {"provider": "other"}}},
    ],
    ids=["provider", "instance", "another provider"],
)
async def test_the_clients_keys_go_to_no_other_address(server, said):
    """A tenant's settings could otherwise collect them."""
    async with with_keys(Acme(server)) as ai:
        with pytest.raises(e.ConfigurationError, match="the client's keys stay with the client"):
            ai.scoped("tenant", settings=said)
        outer = ai.scoped("outer", keys={"acme": {"key": THEIRS}, "work": {"key": THEIRS}})
        with pytest.raises(e.ConfigurationError, match="keys stay"):
            outer.scoped("inner", settings=said)


async def test_keys_of_the_environment_go_to_no_other_address(server):
    """They never do; see the vendor's own base URL."""
    said = {"providers": {"acme": {"base_url": f"{server.url}/elsewhere"}}}
    async with client_of(Acme(server), environ={"ACME_KEY": AMBIENT}) as ai:
        tenant = ai.scoped("tenant", settings=said)
        with pytest.raises(e.MissingCredentialsError):
            await tenant.text.generate("Hi", model="acme/m-1")

    assert [] == server.received


async def test_a_tenants_own_address(server):
    """With a key of its own, or under a name of its own."""
    said = {"base_url": f"{server.url}/tenant"}
    own = {"mine": {"provider": "acme", "key": THEIRS, **said}}
    async with with_keys(Acme(server)) as ai:
        first = ai.scoped(
            "one", settings={"providers": {"acme": said}}, keys={"acme": {"key": THEIRS}}
        )
        second = ai.scoped("two", settings={"instances": own})
        await first.text.generate("Hi", model="acme/m-1")
        await second.text.generate("Hi", model="mine/m-1")

    assert ["/tenant/x"] * 2 == [one.target for one in server.received]
    assert [THEIRS] * 2 == [one.headers["x-key"] for one in server.received]


# -- settings ---------------------------------------------------------------------------------------


async def test_settings_are_laid_over(server):
    """What they leave out is the client's."""
    said = {
        "defaults": {"text": "acme/m-2"},
        "instances": {"work": {"timeout": 5}},
        "aliases": {"fast": ["work/m-1"]},
    }
    async with with_keys(Acme(server), defaults={"text": "acme/m-1"}) as ai:
        tenant = ai.scoped("tenant", settings=said)
        assert "m-2" == (await tenant.text.generate("Hi")).record.model
        assert "m-1" == (await ai.text.generate("Hi")).record.model
        assert "work" == (await tenant.text.generate("Hi", model="fast")).record.instance
        timeouts = [
            one.deadlines.total
            for registry in (ai.registry, tenant.registry)
            for one in registry.providers()
            if one.instance == "work"
        ]

    assert 5 == timeouts[1] != timeouts[0]


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"plugins": {"disable": ["acme"]}}, r"tenant: \[plugins\] are shared"),
        ({"nonsense": {}}, "the settings of tenant: nonsense"),
        ({"instances": {"new": {"timeout": 5}}}, "provider = "),
        ({"providers": {"acme": {"timeout": "long"}}}, "the settings of tenant: providers.acme"),
    ],
)
async def test_settings_that_are_wrong(server, said, match):
    """Said at once, by the tenant's name."""
    async with with_keys(Acme(server)) as ai:
        with pytest.raises(e.ConfigurationError, match=match):
            ai.scoped("tenant", settings=said)


@pytest.mark.parametrize("name", ["", None, 7])
async def test_a_tenant_has_a_name(server, name):
    """Records would be nobody's."""
    async with with_keys(Acme(server)) as ai:
        with pytest.raises(e.ConfigurationError, match="name: that of a tenant"):
            ai.scoped(name)


# -- records -----------------------------------------------------------------------------------------


async def test_records_say_whose_they_are(server):
    """Of whole answers, of streams, and of what failed."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", tags={"plan": "free", "team": "a"})
        inner = tenant.scoped("inner", tags={"team": "b"})
        ours = (await ai.text.generate("Hi", model="acme/m-1", tags={"x": "y"})).record
        theirs = (await tenant.text.generate("Hi", model="acme/m-1")).record
        async with inner.text.stream("Hi", model="acme/m-1", tags={"plan": "own"}) as stream:
            await stream.result()
        with pytest.raises(e.UnknownProviderError) as caught:
            await tenant.text.generate("Hi", model="nobody/m-1")

    assert ("", {"x": "y"}) == (ours.scope, ours.tags)
    assert ("tenant", {"plan": "free", "team": "a"}) == (theirs.scope, theirs.tags)
    assert ("tenant/inner", {"plan": "own", "team": "b"}) == (
        stream.record.scope,
        stream.record.tags,
    )
    assert "tenant" == caught.value.record.scope


async def test_a_calls_tags_are_its_own(server):
    """What one record is given reaches no other."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", tags={"plan": "free"})
        first = (await tenant.text.generate("Hi", model="acme/m-1")).record
        first.tags["plan"] = "spoilt"
        second = (await tenant.text.generate("Hi", model="acme/m-1")).record

    assert {"plan": "free"} == second.tags


# -- what may be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "fine", "refused"),
    [
        (["acme"], ["acme/m-1", "acme/m-2", "acme/unlisted"], ["work/m-1"]),
        (["acme/m-1"], ["acme/m-1", "m-1"], ["acme/m-2", "acme/unlisted", "m-2", "work/m-1"]),
        (["*/m-1"], ["acme/m-1", "work/m-1", "one"], ["acme/m-2", "two"]),
        (["w*"], ["work/m-2"], ["acme/m-1", "one"]),
        ([], [], ["acme/m-1", "work/m-1", "m-1", "one", None]),
    ],
)
async def test_only_what_is_allowed(server, allow, fine, refused):
    """By instance or by model, under whichever name it is asked for; before anything is sent."""
    more = {"aliases": {"one": ["acme/m-1"], "two": ["acme/m-2"]}, "defaults": {"text": "acme/m-2"}}
    async with with_keys(Acme(server), **more) as ai:
        tenant = ai.scoped("tenant", allow=allow)
        for name in fine:
            assert "yes" == (await tenant.text.generate("Hi", model=name)).text
        sent = len(server.received)
        for name in refused:
            with pytest.raises(e.ConfigurationError, match="not allowed in the scope 'tenant'"):
                await tenant.text.generate("Hi", model=name)
            async with ai.scoped("other"):
                with pytest.raises(e.ConfigurationError, match="not allowed"):
                    await tenant.text.stream("Hi", model=name).start()

    assert len(fine) == sent == len(server.received)


async def test_what_is_not_allowed_is_not_asked_for_in_reserve(server):
    """That it was named second is no way round."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", allow=["acme/m-1"], keys={"acme": {"key": THEIRS}})
        assert "yes" == (await tenant.text.generate("Hi", model=["acme/m-1", "acme/m-2"])).text
        passed_by = await tenant.text.generate("Hi", model=["acme/m-2", "acme/m-1"])
        with pytest.raises(e.ConfigurationError, match="not allowed"):
            await tenant.text.generate("Hi", model="acme/m-2")

    assert "m-1" == passed_by.record.model
    assert e.DisabledProviderError is type(passed_by.record.attempts[0].error)
    assert 2 == len(server.received)


async def test_a_name_that_two_claim_goes_to_the_allowed_one(server):
    """What a tenant may not use is no rival."""
    async with client_of(
        Acme(server, required=False), Acme(server, required=False, id="other")
    ) as ai:
        with pytest.raises(e.AmbiguousNameError):
            await ai.text.generate("Hi", model="m-1")
        tenant = ai.scoped("tenant", allow=["other"])
        assert "other" == (await tenant.text.generate("Hi", model="m-1")).record.provider


async def test_listings_and_decisions(server):
    """They show what is allowed, and why the rest is not."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", allow=["acme/m-1"])
        decision = tenant.registry.explain("m-2")

        assert ["acme/m-1", "acme/m-2"] == [one.name for one in ai.registry.models()]
        assert ["acme/m-1"] == [one.name for one in tenant.registry.models()]
        assert {"not allowed in the scope 'tenant'"} == {row.refused for row in decision.rows}


async def test_a_missing_key_does_not_hide_that_it_is_not_allowed(server):
    """Nobody should fetch a key in vain."""
    async with with_keys(Acme(server)) as ai:
        tenant = ai.scoped("tenant", allow=["acme/m-1"], keys={})
        with pytest.raises(e.ConfigurationError, match="not allowed"):
            await tenant.text.generate("Hi", model="acme/m-2")


async def test_nothing_else_leads_there(server):
    """Neither warming up, nor estimates."""
    plugin = Acme(server)
    async with with_keys(plugin) as ai:
        tenant = ai.scoped("tenant", allow=["work"])
        with pytest.raises(e.ConfigurationError):
            await tenant.warm("acme/m-1")
        with pytest.raises(e.ConfigurationError):
            tenant.text.estimate("Hi", model="acme/m-1")

    assert [] == plugin.made


async def test_a_tenants_tenant_may_use_no_more(server):
    """Each list holds."""
    async with with_keys(Acme(server)) as ai:
        inner = ai.scoped("outer", allow=["acme"]).scoped("inner", allow=["*/m-1", "work"])
        assert "yes" == (await inner.text.generate("Hi", model="acme/m-1")).text
        for name in ("acme/m-2", "work/m-1"):
            with pytest.raises(e.ConfigurationError, match="in the scope 'outer/inner'"):
                await inner.text.generate("Hi", model=name)


async def test_a_tenants_tenant_has_its_keys(server):
    """And not the client's."""
    async with with_keys(Acme(server)) as ai:
        outer = ai.scoped("outer", keys={"acme": {"key": THEIRS}})
        inner = outer.scoped("inner", settings={"providers": {"acme": {"second": "sk-inner-6"}}})
        await inner.text.generate("Hi", model="acme/m-1")
        with pytest.raises(e.MissingCredentialsError):
            await inner.text.generate("Hi", model="work/m-1")
        with pytest.raises(e.MissingCredentialsError):
            await outer.scoped("bare", keys={}).text.generate("Hi", model="acme/m-1")

    (request,) = server.received
    assert (THEIRS, "sk-inner-6") == (request.headers["x-key"], request.headers["x-second"])


@pytest.mark.parametrize("allow", ["acme/*", [7], [None]])
async def test_patterns_are_a_list_of_strings(server, allow):
    """A lone string would be a list of letters."""
    async with with_keys(Acme(server)) as ai:
        with pytest.raises(e.ConfigurationError, match="a list of patterns is needed"):
            ai.scoped("tenant", allow=allow)


# -- what is shared ----------------------------------------------------------------------------------------


async def test_what_is_shared_and_what_is_not(server):
    """Plugins, TLS and the clock are; connected providers and their connections are not."""
    plugin = Acme(server)
    async with with_keys(plugin) as ai:
        await ai.text.generate("Hi", model="acme/m-1")
        tenants = [ai.scoped(f"tenant-{number}") for number in range(3)]
        for tenant in tenants:
            await tenant.text.generate("Hi", model="acme/m-1")
            await tenant.text.generate("Hi", model="acme/m-1")
        connections = [one.connection for one in plugin.made]

        assert 4 == len(connections)
        assert 1 == len({one.tls for one in connections})
        assert 1 == len({one.ssl_context for one in connections})
        assert 1 == len({one.clock for one in connections})
        assert 4 == len({one.http for one in connections})
        assert 4 == server.accepted
    assert 1 == plugin.hooks


async def test_plugins_are_not_loaded_again(site):  # noqa: F811  # the fixture
    """A thousand tenants import each module once, and ask its hooks once."""
    site.install("anymodal-acme", offers("acme"))
    async with Client(registry=site.registry()) as ai:
        (plugin,) = ai.registry.plugins()
        tenants = [ai.scoped(f"tenant-{number}", keys={}) for number in range(1000)]

        assert all(plugin is tenant.registry.plugins()[0] for tenant in tenants)


async def test_reloading_is_for_all(server):
    """The client and its tenants see the same plugins afterwards."""
    plugin = Acme(server)
    async with with_keys(plugin) as ai:
        tenant = ai.scoped("tenant")
        inner = tenant.scoped("inner")
        await inner.text.generate("Hi", model="acme/m-1")
        ai.reload()
        await inner.text.generate("Hi", model="acme/m-1")
        assert 2 == plugin.hooks
        tenant.reload()
        await ai.text.generate("Hi", model="acme/m-1")
        assert 3 == plugin.hooks
        assert "inner" not in ai.registry.scope.name


# -- closing ------------------------------------------------------------------------------------------------


async def test_closing_the_client_closes_its_tenants(server):
    """However deep."""
    plugin = Acme(server)
    async with with_keys(plugin) as ai:
        tenant = ai.scoped("tenant")
        inner = tenant.scoped("inner")
        for one in (ai, tenant, inner):
            await one.text.generate("Hi", model="acme/m-1")

    assert [1, 1, 1] == [one.closed for one in plugin.made]
    for one in (tenant, inner):
        with pytest.raises(e.ConfigurationError, match="not open"):
            await one.text.generate("Hi", model="acme/m-1")
    with pytest.raises(e.ConfigurationError, match="not open"):
        ai.scoped("late")
    with pytest.raises(e.ConfigurationError, match="not open"):
        async with tenant:
            pass


async def test_a_tenant_closes_alone(server):
    """The client and the others go on; what was closed is not closed again."""
    plugin = Acme(server)
    async with with_keys(plugin) as ai:
        other = ai.scoped("other")
        async with ai.scoped("tenant") as tenant:
            await tenant.text.generate("Hi", model="acme/m-1")
        assert [1] == [one.closed for one in plugin.made]
        with pytest.raises(e.ConfigurationError, match="not open"):
            await tenant.text.generate("Hi", model="acme/m-1")
        await other.text.generate("Hi", model="acme/m-1")
        await ai.text.generate("Hi", model="acme/m-1")
        async with tenant:
            await tenant.text.generate("Hi", model="acme/m-1")

    assert [1, 1, 1, 1] == [one.closed for one in plugin.made]


async def test_a_client_that_is_not_open_has_no_tenants(server):
    """Nobody would close them."""
    ai = with_keys(Acme(server))

    with pytest.raises(e.ConfigurationError, match="not open"):
        ai.scoped("tenant")


async def test_a_tenant_is_entered_once(server):
    """As every client."""
    async with with_keys(Acme(server)) as ai:
        async with ai.scoped("tenant") as tenant:
            with pytest.raises(e.ConfigurationError, match="open already"):
                async with tenant:
                    pass


async def test_a_tenant_that_does_not_close_keeps_nobody_open(server):
    """Its fault is raised, and the others are closed."""
    plugin = Acme(server)
    ai = with_keys(plugin)
    async with ai:
        for one in (ai.scoped("a"), ai.scoped("b"), ai):
            await one.text.generate("Hi", model="acme/m-1")

        async def breaks():
            raise ValueError

        plugin.made[0].aclose = breaks
        with pytest.raises(ExceptionGroup):
            await ai.aclose()

    assert [1, 1] == [one.closed for one in plugin.made[1:]]


# -- without await ---------------------------------------------------------------------------------------------


def test_tenants_without_await(server):
    """The same, on the one loop."""
    plugin = Acme(server)
    found = with_keys(plugin).registry
    with SyncClient(registry=found) as ai:
        tenant = ai.scoped("tenant", keys={"acme": {"key": THEIRS}}, tags={"a": "b"})
        record = tenant.text.generate("Hi", model="acme/m-1").record
        with ai.scoped("brief", allow=["work"]) as brief:
            brief.text.generate("Hi", model="work/m-1")
            inner = brief.scoped("inner")
        with pytest.raises(e.ConfigurationError):
            inner.text.generate("Hi", model="work/m-1")
        assert [0, 1] == [one.closed for one in plugin.made]
        ai.text.generate("Hi", model="acme/m-1")

    assert ("tenant", {"a": "b"}) == (record.scope, record.tags)
    assert [THEIRS, OF_WORK, OURS] == [one.headers["x-key"] for one in server.received]
    assert [1, 1, 1] == [one.closed for one in plugin.made]
    tenant.close()
    with pytest.raises(e.ConfigurationError):
        tenant.text.generate("Hi", model="acme/m-1")
