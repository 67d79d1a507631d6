"""The emulator of an endpoint of one's own, and what vendors' emulators are made of."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import anymodal
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Emulated, emulated
from anymodal_openai_compatible.emulator import MODELS, Dialect, vendor

SPEC = EmulatorSpec(
    provider="openai-compatible",
    app="anymodal_openai_compatible.emulator:app",
    key="sk-compatible",
    base_path="/v1",
)
HELLO = [{"role": "user", "content": "Hello there!"}]
HEARD = "openai-compatible (anything) heard: Hello there!"


@pytest.fixture
def server() -> Iterator[Emulated]:
    with emulated(SPEC) as running:
        yield running


def send(server: Emulated, path: str, body: object = None, *, key: str = "") -> bytes:
    asked = urllib.request.Request(server.base_url + path)
    if body is not None:
        asked.data = json.dumps(body).encode()
        asked.add_header("content-type", "application/json")
    if key:
        asked.add_header("authorization", f"Bearer {key}")
    with urllib.request.urlopen(asked) as answer:
        return answer.read()


def chat(server: Emulated, *, key: str = "", **fields: object) -> dict:
    body = {"model": "anything", "messages": HELLO, **fields}
    return json.loads(send(server, "/chat/completions", body, key=key))


def refusal(server: Emulated, path: str, body: object = None, *, key: str = "") -> tuple:
    with pytest.raises(urllib.error.HTTPError) as caught:
        send(server, path, body, key=key)
    with caught.value as error:
        return error.code, json.load(error)["error"]["code"]


@pytest.mark.parametrize("key", ["", "sk-compatible"])
def test_any_model_answers_with_a_key_or_without(server, key):
    """As servers do that people run themselves."""
    answer = chat(server, key=key)

    assert answer["choices"][0]["message"]["content"] == HEARD
    assert answer["usage"]["total_tokens"] == 3 + answer["usage"]["completion_tokens"]


def test_wrong_key_is_refused(server):
    """A key that is sent has to be right."""
    assert refusal(server, "/models", key="sk-other") == (401, "invalid_api_key")


def test_unknown_fields_are_passed_over(server):
    """At the top, in messages and in parts."""
    parts = [{"type": "text", "text": "Hello there!", "cache_control": {}}]
    messages = [{"role": "user", "content": parts, "mood": "good"}]

    answer = chat(server, messages=messages, top_k=40)
    assert answer["choices"][0]["message"]["content"] == HEARD


def test_wrong_types_are_not(server):
    """Lenient is not blind."""
    body = {"model": "anything", "messages": "Hello"}

    assert refusal(server, "/chat/completions", body) == (400, "invalid_type")


def test_answer_has_no_fields_that_only_openai_has(server):
    """Adapters must not lean on them."""
    assert not {"service_tier", "system_fingerprint"} & set(chat(server))
    assert "annotations" not in chat(server)["choices"][0]["message"]


def test_reasoning_stands_beside_the_words(server):
    """Under the name that most servers use, whole and streamed."""
    thought = chat(server, reasoning_effort="high")["choices"][0]["message"]["reasoning_content"]
    body = {"model": "m", "messages": HELLO, "reasoning_effort": "high", "stream": True}
    lines = send(server, "/chat/completions", body).split(b"\n\n")[:-2]
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines]

    assert thought == "Thinking with high effort about: Hello there!"
    assert thought == "".join(delta.get("reasoning_content", "") for delta in deltas)


def test_reasoning_may_be_sent_back(server):
    """Some servers want it with the next turn."""
    before = {"role": "assistant", "content": "Hi.", "reasoning_content": "Hm."}
    answer = chat(server, messages=[*HELLO, before, {"role": "user", "content": "And?"}])

    assert answer["choices"][0]["message"]["content"].endswith("heard: And? | turn 2")


def test_stream_ends_with_its_mark(server):
    """Usage comes only where it is asked for."""
    body = {"model": "m", "messages": HELLO, "stream": True}
    plain = send(server, "/chat/completions", body)
    counted = send(server, "/chat/completions", {**body, "stream_options": {"include_usage": True}})

    assert plain.endswith(b"data: [DONE]\n\n")
    assert b"usage" not in plain
    assert counted.count(b'"usage":null') == counted.count(b"data: ") - 2


def test_responses_are_served_too(server):
    """By the same endpoint."""
    answer = json.loads(send(server, "/responses", {"model": "anything", "input": "Hello there!"}))

    assert answer["output"][0]["content"][0]["text"] == HEARD


def test_models_are_listed(server):
    """And each by its name; with any model allowed, any is there."""
    listed = json.loads(send(server, "/models"))["data"]

    assert tuple(model["id"] for model in listed) == MODELS
    assert json.loads(send(server, "/models/org/name"))["id"] == "org/name"


def test_the_same_requests_get_the_same_answers():
    """Ids and times included, on every server."""
    found = []
    for _ in range(2):
        with emulated(SPEC) as running:
            found.append([chat(running), chat(running)])

    assert found[0] == found[1]
    assert found[0][0]["id"] != found[0][1]["id"]


def test_vendor_is_a_dialect():
    """Strictness, key, models and paths are data."""

    app = vendor(Dialect(provider="acme", models=["acme-1"]), base_path="/openai/v1")
    spec = EmulatorSpec(provider="acme", app="nowhere:app", key="k", base_path="/openai/v1")
    with Emulated(spec, app) as running:
        assert refusal(running, "/models") == (401, None)
        assert refusal(running, "/models/acme-2", key="k") == (404, "model_not_found")
        body = {"model": "acme-1", "messages": HELLO, "top_k": 4}
        assert refusal(running, "/chat/completions", body, key="k") == (400, "unknown_parameter")
        del body["top_k"]
        answer = json.loads(send(running, "/chat/completions", body, key="k"))

    assert answer["choices"][0]["message"]["content"] == "acme (acme-1) heard: Hello there!"


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_client_reaches_it_by_its_settings(server, anyio_backend):
    """What `settings` gives is all that an application under test needs."""
    settings = anymodal.Settings.from_mapping(server.settings())
    async with anymodal.Client(settings) as ai:
        reply = await ai.text.generate("Hello there!", model="openai-compatible/anything")

    assert reply.text == HEARD
    assert server.requests[0].headers["authorization"] == "Bearer sk-compatible"
