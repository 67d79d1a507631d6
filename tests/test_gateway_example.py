"""The example of a gateway: plain ASGI over the client's own methods."""

import importlib.util
import logging
from pathlib import Path

import httpx2
import pytest
from anymodal import Client, Settings
from anymodal_emulator import Status, emulated

FILE = Path(__file__).parent.parent / "docs" / "examples" / "gateway" / "gateway.py"
HELLO = {"messages": [{"role": "user", "content": "Hello."}]}


@pytest.fixture(scope="module")
def gateway():
    """The module, as a server would import it."""
    spec = importlib.util.spec_from_file_location("gateway", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def vendors():
    """One provider with a key and one without."""
    with emulated("openai") as openai, emulated("ollama") as ollama:
        yield {"openai": openai, "ollama": ollama}


@pytest.fixture
async def http(gateway, vendors):
    """A visitor of the gateway."""
    openai, ollama = vendors["openai"], vendors["ollama"]
    settings = Settings.from_mapping(
        {
            "defaults": {"text": "openai/gpt-6.1-sol"},
            "policy": {"retry": {"attempts": 1}},
            "providers": {
                "openai": {"base_url": openai.base_url, "api_key": openai.key},
                "ollama": {"base_url": ollama.base_url},
            },
        }
    )
    async with Client(settings) as client:
        transport = httpx2.ASGITransport(gateway.Gateway(client))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as visitor:
            yield visitor


def home(vendors, **more):
    """What registers one more door to the local provider."""
    said = {"name": "home", "provider_type": "ollama", "base_url": vendors["ollama"].base_url}
    return {**said, "default_model": "qwen3:8b", **more}


@pytest.mark.anyio
async def test_providers_are_listed_with_the_default(http):
    """From what was seen of them: nothing is sent."""
    found = (await http.get("/api/providers")).json()

    assert "openai/gpt-6.1-sol" == found["default"]
    assert ["ollama", "openai"] == sorted(found["providers"])
    assert "healthy" == found["providers"]["ollama"]["state"]


@pytest.mark.anyio
async def test_all_are_asked_how_they_are(http, vendors):
    """And a vendor that fails is not healthy."""
    vendors["openai"].script(Status(500), times=3)

    assert {"openai": False, "ollama": True} == (await http.get("/api/providers/health")).json()[
        "health"
    ]


@pytest.mark.anyio
async def test_models_are_the_vendors_own(http):
    """Of all, and of one."""
    every = (await http.get("/api/providers/models")).json()["models"]
    one = (await http.get("/api/providers/ollama/models")).json()["models"]

    assert {"ollama", "openai"} == set(every)
    assert "gpt-4.1" in every["openai"]
    assert every["ollama"] == one
    assert "qwen3:8b" in one


@pytest.mark.anyio
async def test_what_is_registered_answers(http, vendors):
    """By its name, and where no name is given once it is the default."""
    done = await http.post("/api/providers/register", json=home(vendors, timeout=20))
    named = await http.post("/api/chat/multi", json={**HELLO, "provider": "home"})
    default = await http.post("/api/providers/home/default")
    unnamed = await http.post("/api/chat/multi", json=HELLO)

    assert (200, {"registered": "home"}) == (done.status_code, done.json())
    assert ("home", "qwen3:8b") == (named.json()["provider"], named.json()["model"])
    assert 200 == default.status_code
    assert "home" == unnamed.json()["provider"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "wrong",
    [
        {"provider_type": "mystery"},
        {"provider_type": "openai"},
        {"name": "No Name"},
        {"name": "ollama"},
        {"rate_limit": "many"},
        {"default_model": 7},
    ],
    ids=str,
)
async def test_what_is_invalid_is_a_400(http, vendors, caplog, wrong):
    """An unknown kind, no key, a bad name, a taken one, a wrong setting: all logged."""
    done = await http.post("/api/providers/register", json=home(vendors, **wrong))

    assert (400, "invalid_request") == (done.status_code, done.json()["code"])
    assert "was not registered" in caplog.text
    assert "home" not in (await http.get("/api/providers")).json()["providers"]


@pytest.mark.anyio
async def test_registering_is_logged_without_the_key(http, vendors, caplog):
    """A key that is refused by nobody is still nobody's business."""
    with caplog.at_level(logging.INFO, "gateway"):
        done = await http.post("/api/providers/register", json=home(vendors, api_key="sk-secret"))

    assert 200 == done.status_code
    assert "home was registered: ollama" in caplog.text
    assert "sk-secret" not in caplog.text
    assert "sk-secret" not in (await http.get("/api/providers")).text


@pytest.mark.anyio
async def test_a_setting_that_runs_commands_is_not_passed_on(http, vendors):
    """Strangers choose among the settings that are numbers and switches."""
    done = await http.post(
        "/api/providers/register", json=home(vendors, http={"proxy": "command:false"})
    )
    reply = await http.post("/api/chat/multi", json={**HELLO, "provider": "home"})

    assert 200 == done.status_code
    assert 200 == reply.status_code


@pytest.mark.anyio
async def test_an_answer_has_what_gateways_tell(http):
    """The system prompt among the messages goes where it belongs."""
    said = [{"role": "system", "content": "Be kind."}, *HELLO["messages"]]
    done = await http.post(
        "/api/chat/multi", json={"messages": said, "provider": "openai", "model": "gpt-4.1"}
    )
    found = done.json()

    assert ("gpt-4.1", "openai", "stop") == tuple(
        found[key] for key in ("model", "provider", "finish_reason")
    )
    assert "Be kind." in found["content"]
    assert found["tokens_used"] > 0
    assert found["latency_ms"] >= 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": []}, 400),
        ({"messages": ["Hello."]}, 400),
        ({}, 400),
        ([], 400),
        ({**HELLO, "temperature": "hot"}, 400),
        ({**HELLO, "provider": "mystery"}, 404),
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_refused(http, body, status):
    """With the error's own code and words."""
    done = await http.post("/api/chat/multi", json=body)

    assert status == done.status_code
    assert {"code", "detail"} == set(done.json())


@pytest.mark.anyio
@pytest.mark.parametrize(("said", "status"), [(429, 429), (500, 502)])
async def test_a_vendor_that_fails_is_not_the_visitors_fault(http, vendors, said, status):
    """Statuses of gateways."""
    vendors["openai"].script(Status(said))

    assert status == (await http.post("/api/chat/multi", json=HELLO)).status_code


@pytest.mark.anyio
async def test_other_paths_and_bodies_are_refused(http):
    """Nothing else is served."""
    for method, path in (("GET", "/"), ("GET", "/api/chat/multi"), ("POST", "/api/providers")):
        assert 404 == (await http.request(method, path)).status_code
    assert 404 == (await http.post("/api/providers/mystery/default")).status_code
    assert 400 == (await http.post("/api/chat/multi", content=b"{")).status_code


@pytest.mark.anyio
async def test_a_body_without_end_is_not_kept(gateway):
    """It is refused when it is too long, not when it is whole."""
    told, pieces = [], iter([b" " * 1_000_000] * 5)

    async def receive():
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def send(said):
        told.append(said)

    scope = {"type": "http", "method": "POST", "path": "/api/chat/multi"}
    await gateway.Gateway(Client(Settings.empty()))(scope, receive, send)

    assert 400 == told[0]["status"]
    assert [] == list(pieces)


@pytest.mark.anyio
async def test_the_client_is_open_while_the_server_runs(gateway):
    """From its start to its end, as ASGI tells it."""
    client = Client(Settings.empty())
    told = []
    order = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        if told:
            assert not (await client.discover()).models  # it is open, and knows nobody
        return {"type": next(order)}

    async def send(said):
        told.append(said["type"])

    await gateway.Gateway(client)({"type": "lifespan"}, receive, send)

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == told
    with pytest.raises(gateway.errors.ConfigurationError):
        await client.discover()


def test_a_server_may_make_it(gateway):
    """`uvicorn --factory gateway:app` does."""
    assert isinstance(gateway.app(), gateway.Gateway)
