"""The emulator of an Ollama server, as the vendor's own SDK sees it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import ollama
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Emulated, Status, emulated, gaps
from anymodal_emulator.samples import png

SPEC = EmulatorSpec(provider="ollama", app="anymodal_ollama.emulator:app")
QWEN, OSS, GEMMA, LLAMA = "qwen3:8b", "gpt-oss:20b", "gemma3:4b", "llama3.2"
HELLO = [{"role": "user", "content": "Hello there!"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
RATE = {"type": "function", "function": {"name": "rate", "parameters": CITY}}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """On trio the SDK leaves its generators behind, which is not what is tested here."""
    return "asyncio"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
async def client(vendor: Emulated, anyio_backend) -> AsyncIterator[ollama.AsyncClient]:
    async with ollama.AsyncClient(host=vendor.base_url, timeout=10) as made:
        yield made


def sent(vendor, path, body=None):
    """Return the objects that an answer has, one a line, as they went over the wire."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(vendor.base_url + path, data)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return [json.loads(line) for line in reply.read().splitlines()]


def left_over(model, found):
    """Return what the SDK's type *model* has no place for; it drops that without a word."""
    return lost(found, model(**found).model_dump(by_alias=True, exclude_unset=True, warnings=False))


def lost(found, kept, at=""):
    if isinstance(found, dict) and isinstance(kept, dict):
        gone = [f"{at}.{key}" for key in found if key not in kept]
        return gone + [x for key in kept for x in lost(found[key], kept[key], f"{at}.{key}")]
    if isinstance(found, list):
        return [x for one, other in zip(found, kept, strict=True) for x in lost(one, other, at)]
    return []


ASKS = {
    "words": {"messages": HELLO},
    "thought": {"model": QWEN, "messages": HELLO, "think": True},
    "unthought": {"model": QWEN, "messages": HELLO, "think": False},
    "level": {"model": OSS, "messages": HELLO, "think": "high"},
    "tool": {"messages": [{"role": "user", "content": "Use rate now."}], "tools": [RATE]},
    "schema": {"messages": HELLO, "format": CITY},
    "length": {"messages": HELLO, "options": {"num_predict": 3, "stop": ["zzz"], "seed": 1}},
    "image": {
        "model": GEMMA,
        "messages": [{"role": "user", "content": "See:", "images": [png(3, 2)]}],
    },
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_answer_and_every_line_is_of_the_sdks_types(client, vendor, ask):
    """Nothing missing, nothing left over; and the stream comes to what the whole one is."""
    ask = {"model": LLAMA, **ask}
    whole = await client.chat(**ask)
    lines = [line async for line in await client.chat(stream=True, **ask)]
    raw = [json.loads(request.body) for request in vendor.requests]
    left = [
        x
        for body in raw
        for line in sent(vendor, "/api/chat", body)
        for x in left_over(ollama.ChatResponse, line)
    ]

    assert [gap for found in (whole, *lines) for gap in gaps(found)] == []
    assert left == []
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert (whole.message.content or "") == "".join(line.message.content for line in lines)
    assert (whole.message.thinking or "") == "".join(line.message.thinking or "" for line in lines)
    calls = [call for line in lines for call in line.message.tool_calls or ()]
    assert list(whole.message.tool_calls or ()) == calls
    last = lines[-1]
    for field in ("done_reason", "prompt_eval_count", "eval_count", "total_duration"):
        assert getattr(whole, field) == getattr(last, field) is not None
    parts = (whole.load_duration, whole.prompt_eval_duration, whole.eval_duration)
    assert whole.total_duration == sum(parts)


async def test_what_the_model_heard(client):
    """Everything that was sent shows in the answer."""
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look.", "images": [png(3, 2)]},
        {"role": "assistant", "content": "I see."},
        {"role": "user", "content": "And now?"},
    ]
    found = await client.chat(model=GEMMA, messages=talk)

    assert found.message.content.startswith(f"ollama ({GEMMA}) heard: And now? | system: Be brief.")
    assert "image/png" in found.message.content
    assert "3x2 pixels" in found.message.content
    assert found.message.content.endswith("turn 2")


async def test_a_function_of_ones_own_is_called_and_heard(client):
    """By the SDK's own way of describing functions, over two rounds; calls have no ids."""

    def rate(city: str) -> str:
        """
        Tell a rate.

        Args:
            city: The city.
        """
        return f"1.25 in {city}"

    talk: list = [{"role": "user", "content": "Use rate now."}]
    first = await client.chat(model=LLAMA, messages=talk, tools=[rate])
    (call,) = first.message.tool_calls
    result = rate(**call.function.arguments)
    talk += [first.message, {"role": "tool", "tool_name": "rate", "content": result}]
    second = await client.chat(model=LLAMA, messages=talk, tools=[rate])

    assert call.function.name == "rate"
    assert second.message.content.endswith("| rate returned: 1.25 in Use rate now.")


async def test_how_hard_to_think(client):
    """A word that a model does not know is its default."""
    thoughts = {}
    for model, think in ((QWEN, None), (QWEN, "low"), (QWEN, False), (OSS, None), (OSS, "low")):
        found = await client.chat(model=model, messages=HELLO, think=think)
        thoughts[model, think] = (found.message.thinking or "").partition(" effort")[0]

    assert thoughts == {
        (QWEN, None): "Thinking with some",
        (QWEN, "low"): "Thinking with some",
        (QWEN, False): "",
        (OSS, None): "Thinking with medium",
        (OSS, "low"): "Thinking with low",
    }


async def test_a_schema_and_plain_json(client):
    """Both answers can be read."""
    fit = await client.chat(model=LLAMA, messages=HELLO, format=CITY)
    plain = await client.chat(model=LLAMA, messages=HELLO, format="json")

    assert json.loads(fit.message.content)["days"] == 1
    assert json.loads(plain.message.content) == {}


async def test_no_messages_load_and_unload(client):
    """As the SDK's users warm a model up."""
    loaded = await client.chat(model=LLAMA, messages=[])
    unloaded = await client.chat(model=LLAMA, messages=[], keep_alive=0)

    assert (loaded.done_reason, unloaded.done_reason) == ("load", "unload")
    assert gaps(loaded) == []


async def test_models_are_listed_and_shown(client, vendor):
    """Beside what the SDK knows there is a name, and how hard a model can think."""
    listed = await client.list()
    shown = [await client.show(model.model) for model in listed.models]
    (raw,) = sent(vendor, "/api/tags")
    details = [sent(vendor, "/api/show", {"model": m.model})[0] for m in listed.models]

    assert [gap for found in (listed, *shown) for gap in gaps(found)] == []
    assert set(left_over(ollama.ListResponse, raw)) == {".models.name"}
    assert {x for one in details for x in left_over(ollama.ShowResponse, one)} == {".thinking"}
    assert "completion" in shown[0].capabilities
    family = shown[0].modelinfo["general.architecture"]
    assert shown[0].modelinfo[f"{family}.context_length"] == 40960
    assert sent(vendor, "/api/version") == [{"version": "0.40.12"}]


async def test_a_pull_tells_how_far_it_is_and_puts_the_model_there(client):
    """Bytes grow to the total of each layer; before and after, the model is asked."""
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat(model="tinyllama", messages=HELLO)
    steps = [step async for step in await client.pull("tinyllama", stream=True)]
    answered = await client.chat(model="tinyllama", messages=HELLO)

    assert caught.value.status_code == 404
    assert caught.value.error == "model 'tinyllama' not found"
    assert [gap for step in steps for gap in gaps(step)] == []
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success")
    sizes = [s.completed for s in steps if s.digest == steps[1].digest and s.completed]
    assert sizes == sorted(sizes)
    assert sizes[-1] == steps[1].total == 637_700_138
    assert answered.model == "tinyllama"


async def test_a_pull_in_one_piece(client):
    """Only the end is told."""
    done = await client.pull("tinyllama")

    assert done.status == "success"
    with pytest.raises(ollama.ResponseError) as caught:
        await client.pull("nobody/nothing")
    assert (caught.value.status_code, caught.value.error) == (
        500,
        "pull model manifest: file does not exist",
    )


async def test_a_pull_of_nothing_fails_in_its_stream(client):
    """With status 200, because the pull had begun."""
    with pytest.raises(ollama.ResponseError) as caught:
        async for _ in await client.pull("nobody/nothing", stream=True):
            pass

    assert caught.value.status_code == -1


async def test_a_stream_that_breaks_off_says_why(client):
    """In a line of its own, with status 200; a whole answer has the status."""
    ask = {"model": LLAMA, "messages": [{"role": "user", "content": "emulator:fail"}]}
    seen = []
    with pytest.raises(ollama.ResponseError) as caught:
        async for line in await client.chat(stream=True, **ask):
            seen.append(line)  # noqa: PERF401  # what came before the error counts
    with pytest.raises(ollama.ResponseError) as whole:
        await client.chat(**ask)

    assert len(seen) == 2
    assert caught.value.error == "an error was encountered while running the model"
    assert whole.value.status_code == 500


USER = {"role": "user", "content": "Hi"}
REFUSED = {
    "no model": ({"model": ""}, 400),
    "not pulled": ({"model": "nothing"}, 404),
    "tools": ({"model": GEMMA, "tools": [RATE]}, 400),
    "thought": ({"model": GEMMA, "think": True}, 400),
    "sight": ({"messages": [{**USER, "images": ["aGk="]}]}, 400),
    "embedding": ({"model": "nomic-embed-text"}, 400),
    "role": ({"messages": [{"role": "developer", "content": "Hi"}]}, 400),
    "no role": ({"messages": [{"content": "Hi"}]}, 400),
    "content": ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, 400),
    "base64": ({"messages": [{**USER, "images": ["data:image/png;base64,aGk="]}]}, 400),
    "arguments": (
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"function": {"name": "rate", "arguments": "{}"}}],
                }
            ]
        },
        400,
    ),
    "tool type": ({"tools": [{"type": "search"}]}, 400),
    "tool without parameters": (
        {"tools": [{"type": "function", "function": {"name": "x"}}]},
        400,
    ),
    "stream": ({"stream": "no"}, 400),
    "think": ({"model": QWEN, "think": "xhigh"}, 400),
    "think number": ({"model": QWEN, "think": 2}, 400),
    "format": ({"format": "xml"}, 400),
    "keep alive": ({"keep_alive": "soon"}, 400),
    "options": ({"options": []}, 400),
    "temperature": ({"options": {"temperature": "hot"}}, 500),
    "num_predict": ({"options": {"num_predict": "all"}}, 500),
    "stop": ({"options": {"stop": "END"}}, 500),
    "quota": ({"messages": [{"role": "user", "content": "emulator:quota"}]}, 402),
    "context": ({"messages": [{"role": "user", "content": "emulator:context"}]}, 400),
}


@pytest.mark.parametrize(("more", "status"), REFUSED.values(), ids=REFUSED)
def test_what_the_server_refuses_is_refused(vendor, more, status):
    """In its one form; the SDK would not send most of it, so the wire is used."""
    ask = {"model": LLAMA, "messages": [USER], **more}
    with pytest.raises(urllib.error.HTTPError) as caught:
        sent(vendor, "/api/chat", ask)
    with caught.value as error:
        body = json.loads(error.read())

    assert error.code == status
    assert list(body) == ["error"]
    assert body["error"]


def test_unknown_fields_and_media_types_are_passed_over(vendor):
    """As Go's JSON reader does; urllib declares a form."""
    ask = {"model": LLAMA, "messages": [USER], "stream": False, "tomorrow": 1, "options": {"x": []}}
    (found,) = sent(vendor, "/api/chat", ask)

    assert found["message"]["content"] == f"ollama ({LLAMA}) heard: Hi"


NONE = {
    "half": ("POST", "/api/chat", b"{", 400, b'{"error":'),
    "nothing": ("POST", "/api/chat", b"", 400, b'{"error":"missing request body"}'),
    "a list": ("POST", "/api/chat", b"[]", 400, b'{"error":'),
    "method": ("GET", "/api/chat", None, 405, b"405 method not allowed"),
    "path": ("GET", "/v1/api/tags", None, 404, b"404 page not found"),
}


@pytest.mark.parametrize("case", NONE.values(), ids=NONE)
def test_requests_that_are_none(vendor, case):
    """A wrong path is answered in plain text."""
    method, path, data, status, said = case
    request = urllib.request.Request(vendor.base_url + path, data, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as error:
        assert error.code == status
        assert error.read().startswith(said)


async def test_faults_have_the_servers_form(client, vendor):
    """The SDK finds the words in the one place where they can be."""
    vendor.script(Status(503))
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat(model=LLAMA, messages=HELLO)

    assert (caught.value.status_code, caught.value.error) == (503, "service unavailable")
