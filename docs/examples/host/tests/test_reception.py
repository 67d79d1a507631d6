"""The reception: several companies, one client, and nothing of one is another's."""

from __future__ import annotations

import json
from decimal import Decimal

import pluggy
import pytest
from anymodal import Client, Settings
from anymodal_emulator import Status, emulated
from reception import House, Reception, Shown, Tenant, tenancy, tenants_of
from reception.tenants import hookimpl

NOTICES = {"open": "We are open from 9 to 5.", "lunch": "There is soup."}


class Companies:
    """A plugin of the host's own: who its tenants are."""

    def __init__(self, *tenants):
        self.tenants = tenants

    @hookimpl
    def reception_tenants(self):
        return self.tenants


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both event loops."""
    return request.param


@pytest.fixture(autouse=True)
def nothing_of_the_machine(monkeypatch, tmp_path):
    """A key of the host's own lies in the environment; no cache or state does."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-host")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("ANYMODAL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def openai():
    """A vendor on loopback."""
    with emulated("openai") as vendor:
        yield vendor


class Visitor:
    """Asks the application as a server would, in place of HTTP."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, method, path, token="", body=b"{}"):
        told, sent = (
            [],
            iter([{"body": body if isinstance(body, bytes) else json.dumps(body).encode()}]),
        )
        scope = {
            "type": "http", "method": method, "path": path,
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }  # fmt: skip

        async def receive():
            return next(sent)

        async def send(said):
            told.append(said)

        await self.app(scope, receive, send)
        return told[0]["status"], json.loads(told[1]["body"])


@pytest.fixture
async def visit(openai):
    """Three companies: one rich, one poor, one without a key."""
    tenants = Companies(
        Tenant(name="rich", token="r", keys={"openai": openai.key}, plan="gold"),
        Tenant(
            name="poor", token="p", keys={"openai": openai.key}, usd=Decimal("0.000001"),
            allow=("openai/*", "notices"),
        ),
        Tenant(name="new", token="n"),
    )  # fmt: skip
    address = {"providers": {"openai": {"base_url": openai.base_url}}}
    settings = Settings.from_mapping({**address, "policy": {"retry": {"attempts": 1}}})
    house = House(NOTICES, usual="openai/gpt-6.1-sol")
    client = Client(settings, plugins=[house, Shown({"notices", "openai", "groq"})])
    async with client:
        app = Reception(client, tenancy(tenants))
        app.open()
        yield Visitor(app)


@pytest.mark.anyio
async def test_a_tenant_is_served_with_its_own_key(visit, openai):
    """By everybody's usual name, which the host's plugin leads somewhere."""
    status, found = await visit("POST", "/ask", "r", {"prompt": "Hello there."})

    assert (200, "openai/gpt-6.1-sol") == (status, found["by"])
    assert "Hello there." in found["text"]
    assert [f"Bearer {openai.key}"] == [one.headers["authorization"] for one in openai.requests]


@pytest.mark.anyio
async def test_who_is_unknown_is_not_served(visit, openai):
    """Nor is anything sent."""
    assert 401 == (await visit("POST", "/ask", "x", {"prompt": "Hello."}))[0]
    assert 401 == (await visit("GET", "/bill"))[0]
    assert not openai.requests


@pytest.mark.anyio
async def test_the_hosts_key_serves_no_tenant(visit, openai):
    """One without a key of its own has what is local."""
    refused = await visit("POST", "/ask", "n", {"prompt": "When are you open?"})
    told = await visit("POST", "/ask", "n", {"prompt": "When are you open?", "model": "notices"})

    assert (403, "missing_credentials") == (refused[0], refused[1]["code"])
    assert (200, {"text": NOTICES["open"], "by": "notices/wall"}) == told
    assert not openai.requests


@pytest.mark.anyio
async def test_a_budget_ends_with_itself(visit):
    """What one has spent is no other's loss; what is free goes on."""
    poor = await visit("POST", "/ask", "p", {"prompt": "Hello."})
    rich = await visit("POST", "/ask", "r", {"prompt": "Hello."})
    free = await visit("POST", "/ask", "p", {"prompt": "Is there lunch?", "model": "notices"})

    assert (402, "budget_exceeded") == (poor[0], poor[1]["code"])
    assert [200, 200] == [rich[0], free[0]]


@pytest.mark.anyio
async def test_the_bill_is_each_tenants_own(visit):
    """As an observer heard it."""
    await visit("POST", "/ask", "r", {"prompt": "Hello."})
    await visit("POST", "/ask", "n", {"prompt": "lunch?", "model": "notices/wall"})
    rich, new = [(await visit("GET", "/bill", token))[1] for token in "rn"]

    assert ("rich", 1, "new", 1) == (rich["tenant"], rich["calls"], new["tenant"], new["calls"])
    assert Decimal(rich["usd"]) > 0 == Decimal(new["usd"])


@pytest.mark.anyio
async def test_offers_come_from_the_hooks(visit):
    """What the wrapper leaves, and whether the tenant may use it."""
    rich, poor, new = [(await visit("GET", "/offers", token))[1]["providers"] for token in "rpn"]

    assert {"notices": True, "openai": True, "groq": False} == rich
    assert rich == poor
    assert {"notices": True, "openai": False, "groq": False} == new


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"prompt": "Hello.", "model": "mistral/mistral-small"}, 404),
        ({"prompt": "Hello.", "model": "mystery"}, 404),
        ({"prompt": ""}, 400),
        (b"{", 400),
        (b"[]", 400),
        (b" " * 200_000, 400),
    ],
    ids=["not shown", "mystery", "empty", "no JSON", "no object", "long"],
)
async def test_what_cannot_be_asked_is_refused(visit, asked, status):
    """With the error's own code."""
    found = await visit("POST", "/ask", "r", asked)

    assert status == found[0]
    assert {"code", "detail"} == set(found[1])


@pytest.mark.anyio
@pytest.mark.parametrize(("said", "status"), [(429, 429), (500, 502), (401, 502)])
async def test_a_vendor_that_fails_is_not_the_tenants_fault(visit, openai, said, status):
    """Statuses of gateways."""
    openai.script(Status(said))

    assert status == (await visit("POST", "/ask", "r", {"prompt": "Hello."}))[0]
    assert 404 == (await visit("GET", "/", "r"))[0]


@pytest.mark.anyio
async def test_it_is_open_while_the_server_runs():
    """Tenants are asked for then, and not before."""
    client, told = Client(Settings.empty()), []
    app = Reception(client, tenancy(Companies(Tenant(name="rich", token="r"))))
    order = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        if told:
            assert 200 == (await Visitor(app)("GET", "/bill", "r"))[0]
        return {"type": next(order)}

    async def send(said):
        told.append(said["type"])

    assert 401 == (await Visitor(app)("GET", "/bill", "r"))[0]
    await app({"type": "lifespan"}, receive, send)

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == told


def test_two_tenants_share_nothing():
    """Two with one token would be one."""
    twins = Companies(Tenant(name="a", token="t"), Tenant(name="b", token="t"))

    with pytest.raises(ValueError, match="share a name or a token"):
        tenants_of(tenancy(twins))


def test_a_misspelt_hook_of_the_hosts_is_found():
    """Its manager is pluggy's own."""

    class Misspelt:
        @hookimpl
        def reception_tenant(self):
            return []

    with pytest.raises(pluggy.PluginValidationError, match="reception_tenant"):
        tenancy(Misspelt())
