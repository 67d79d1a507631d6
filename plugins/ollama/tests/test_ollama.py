"""Ollama: the provider against its emulator, models, pulls, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from decimal import Decimal

import anyio
import anymodal
import anymodal_ollama as plugin
import pytest
from anymodal import (
    Connection,
    Finish,
    Image,
    LiveModel,
    Message,
    ModelSpec,
    Secret,
    TextDelta,
    TextRequest,
    ToolResult,
    ToolSpec,
)
from anymodal import errors as e
from anymodal.modalities.text import ReasoningDelta, ToolCallDelta
from anymodal_emulator import Cut, Drip, Emulated, Reset, Rewrite, Stall, Status, emulated
from anymodal_emulator.samples import png
from anymodal_ollama import OllamaText, PullProgress
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_text_providers()
(EMULATOR,) = plugin.anymodal_emulators()
QWEN, OSS, GEMMA, LLAMA = "qwen3:8b", "gpt-oss:20b", "gemma3:4b", "llama3.2"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters=CITY)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(EMULATOR) as running:
        yield running


class Still:
    """A clock that nobody asks."""

    def now(self):
        return 0.0

    async def sleep(self, seconds):
        raise NotImplementedError


@asynccontextmanager
async def provided(base_url: str, key: str = ""):
    """Give the provider, connected to the emulator."""
    connection = Connection(
        provider="ollama",
        base_url=base_url,
        credentials={"api_key": Secret(key)} if key else {},
        clock=Still(),
        refine=SPEC.errors,
    )
    try:
        yield plugin.connect(connection)
    finally:
        await connection.aclose()


@pytest.fixture
async def provider(vendor, anyio_backend):
    async with provided(vendor.base_url) as found:
        yield found


def ask(*parts, name=LLAMA, messages=None, **settings):
    """Return a request with one user's turn."""
    found = messages or (Message.user(*(parts or ("Hello",))),)
    return TextRequest(model=ModelSpec(id=name, listed=False), messages=found, **settings)


async def events(provider, request):
    """Return the events of a stream, and the error that ended it, if one did."""
    found, error = [], None
    try:
        async with provider.stream(request) as stream:
            async for event in stream:
                found.append(event)  # noqa: PERF401  # what came before an error counts
    except e.AnymodalError as fault:
        error = fault
    return found, error


def joined(found, kind=TextDelta):
    return "".join(event.text for event in found if isinstance(event, kind))


# -- answers -------------------------------------------------------------------------------


async def test_an_answer_whole_and_streamed(provider):
    """Words, counts, and what they cost: nothing."""
    request = ask("Hi", system="Brief.", reasoning="none", name=QWEN)
    result = await provider.generate(request)
    found, error = await events(provider, request)

    assert error is None
    assert result.text == joined(found) == f"ollama ({QWEN}) heard: Hi | system: Brief."
    assert result.finish == found[-1]
    assert (found[-1].reason, found[-1].raw_reason, found[-1].model) == ("stop", "stop", QWEN)
    assert found[-1].usage.total_tokens > found[-1].usage.input_tokens > 0
    assert found[-1].usage.usd == Decimal(0)
    assert request.warnings == []


@pytest.mark.parametrize(("name", "word"), [(QWEN, "some"), (OSS, "low")])
async def test_reasoning_stands_apart(provider, name, word):
    """By a model's levels, or as a plain yes."""
    result = await provider.generate(ask("Hi", name=name, reasoning="low"))
    found, _ = await events(provider, ask("Hi", name=name, reasoning="low"))

    assert result.reasoning == joined(found, ReasoningDelta)
    assert result.reasoning == f"Thinking with {word} effort about: Hi"
    assert result.text == joined(found)


async def test_a_tool_is_called_and_its_result_heard(provider, vendor):
    """Over two rounds, the reasoning going back with the call."""
    asked = Message.user("Use rate now.")
    first = await provider.generate(ask(messages=(asked,), tools=(RATE,), name=QWEN))
    (call,) = first.tool_calls
    talk = (asked, first.message, Message.user(ToolResult(call.id, "seven")))
    second = await provider.generate(ask(messages=talk, tools=(RATE,), name=QWEN))
    streamed, error = await events(provider, ask("Use rate now.", tools=(RATE,), name=QWEN))
    (delta,) = [event for event in streamed if isinstance(event, ToolCallDelta)]

    assert error is None
    assert first.finish_reason == streamed[-1].reason == "tool_calls"
    assert call.arguments == delta.arguments == '{"city": "Use rate now."}'
    assert call.id != delta.id
    assert second.text.endswith("| rate returned: seven")
    assert b'"thinking":"Thinking with' in vendor.requests[1].body


async def test_a_picture_and_a_schema(provider):
    """Seen as it was sent; held to the schema."""
    seen = await provider.generate(ask("See:", Image(png(3, 2)), name=GEMMA))
    fit, _ = await events(provider, ask("Hi", schema=CITY))

    assert "image/png" in seen.text
    assert "3x2 pixels" in seen.text
    assert joined(fit) == f'{{"city": "ollama ({LLAMA}) heard: Hi"}}'


async def test_an_answer_that_is_cut(provider):
    """By the tokens allowed, or before a word that ends it."""
    short = await provider.generate(ask("emulator:long", max_tokens=3))
    stopped = await provider.generate(ask("one END two", stop=("END",)))

    assert (short.finish_reason, short.usage.output_tokens) == ("length", 3)
    assert (stopped.finish_reason, stopped.text) == ("stop", f"ollama ({LLAMA}) heard: one ")


async def test_the_key_and_the_callers_headers_are_sent(vendor, anyio_backend):
    """There is a key for the cloud; without one there is no such header."""
    option = OllamaText(extra_headers={"X-Team": "blue"})
    async with provided(vendor.base_url, "ok-cloud") as provider:
        await provider.generate(ask(options=[option]))
        assert "ok-cloud" not in repr(provider)
    async with provided(vendor.base_url) as provider:
        await provider.generate(ask())
    first, second = vendor.requests

    assert first.headers["authorization"] == "Bearer ok-cloud"
    assert first.headers["x-team"] == "blue"
    assert "authorization" not in second.headers


async def test_one_provider_serves_many_tasks(provider):
    """It holds nothing of a call."""
    answers = {}

    async def call(number):
        answers[number] = joined((await events(provider, ask(f"number {number}")))[0])

    async with anyio.create_task_group() as tasks:
        for number in range(16):
            tasks.start_soon(call, number)

    assert answers == {n: f"ollama ({LLAMA}) heard: number {n}" for n in range(16)}


async def test_through_the_client(vendor, anyio_backend):
    """An unlisted model is warned of; the call costs nothing; tools are run in a chat."""

    async def rate(city: str) -> str:
        """Tell a rate."""
        return f"1.25 in {city[:3]}"

    settings = anymodal.Settings.from_mapping(vendor.settings())
    async with anymodal.Client(settings, plugins=[]) as ai:
        reply = await ai.text.generate("Hi", model=f"ollama/{QWEN}")
        chat = ai.text.chat(model=f"ollama/{LLAMA}", tools=[rate])
        answer = await chat.generate("Use rate now.")

    assert reply.text == f"ollama ({QWEN}) heard: Hi"
    assert reply.record.cost.usd == 0
    assert [warning.setting for warning in reply.record.warnings] == ["model"]
    assert answer.text.endswith("| rate returned: 1.25 in Use")


@pytest.mark.parametrize(
    ("url", "name", "free"),
    [
        ("http://127.0.0.1:11434", QWEN, True),
        ("http://127.8.0.1:11434", QWEN, True),
        ("http://localhost:11434", QWEN, True),
        ("http://[::1]:11434", QWEN, True),
        ("http://127.0.0.1:11434", "gpt-oss:120b-cloud", False),
        ("http://127.0.0.1:11434", "gemma4:cloud", False),
        ("http://10.0.0.7:11434", QWEN, False),
        ("http://localhost.example.com", QWEN, False),
        ("https://ollama.com", QWEN, False),
    ],
)
async def test_only_what_runs_here_is_known_to_be_free(url, name, free):
    """Unknown is unknown, and not 0."""
    async with provided(url) as provider:
        assert provider._reader(ask(name=name)).free is free


async def test_prices_of_the_users_own_go_first(vendor, anyio_backend):
    """Somebody pays for the electricity."""
    settings = vendor.settings()
    settings["models"] = {f"ollama/{QWEN}": {"prices": {"input_token": 1, "output_token": 1}}}
    async with anymodal.Client(anymodal.Settings.from_mapping(settings)) as ai:
        reply = await ai.text.generate("Hi", model=f"ollama/{QWEN}")

    assert reply.record.cost.usd == Decimal(reply.usage.total_tokens) / 1_000_000


# -- models --------------------------------------------------------------------------------


async def test_models_are_listed_with_what_they_can_do(provider):
    """Of all kinds; the server's word is taken for yes and no."""
    listed = {model.id: model for model in await provider.list_models()}

    assert {name: model.modality for name, model in listed.items()} == {
        **dict.fromkeys([QWEN, OSS, GEMMA, "llama3.2:latest"], "text"),
        "nomic-embed-text:latest": "embedding",
    }
    qwen, gemma = listed[QWEN], listed[GEMMA]
    assert (qwen.capabilities.yes, qwen.capabilities.no) == (
        {"function_calling", "reasoning"},
        {"image_input"},
    )
    assert gemma.capabilities.get("image_input") is True
    assert gemma.capabilities.get("structured_output") is None
    assert (qwen.context_tokens, gemma.context_tokens) == (40960, 131072)
    assert listed["llama3.2:latest"].aliases == ("llama3.2",)
    assert {model.prices.usd_per("output_token") for model in listed.values()} == {Decimal(0)}
    assert not any(model.listed for model in listed.values())


async def test_a_server_that_says_little_is_believed_no_more(provider, vendor):
    """Old ones tell no abilities; what runs elsewhere has no known price."""
    row = {"model": "old", "remote_host": "https://ollama.com:443"}
    vendor.script(Status(200, {"models": [row, {"model": "gone"}]}), path="*/tags")
    vendor.script(Status(200, {"model_info": None}), Status(404), path="*/show")
    (model,) = await provider.list_models()

    assert model == LiveModel(id="old", modality="text", source="/api/show")


async def test_a_model_that_does_nothing_of_ours_is_listed_as_that(provider, vendor):
    """Somebody may wonder where it is."""
    vendor.script(Status(200, {"models": [{"model": "odd"}]}), path="*/tags")
    vendor.script(Status(200, {"capabilities": ["juggling"]}), path="*/show")
    (model,) = await provider.list_models()

    assert (model.modality, model.capabilities.yes) == (None, set())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("*/tags", {}),
        ("*/tags", []),
        ("*/tags", {"models": [{}]}),
        ("*/tags", {"models": [{"model": 7}]}),
        ("*/show", []),
        ("*/show", {"capabilities": 7}),
        ("*/show", {"model_info": {"general.architecture": "x", "x.context_length": "many"}}),
    ],
)
async def test_a_list_of_no_shape_is_malformed(provider, vendor, path, body):
    """And not an error that nobody names."""
    vendor.script(Status(200, body), path=path)
    with pytest.raises(e.MalformedReplyError) as caught:
        await provider.list_models()

    assert caught.value.provider == "ollama"


# -- pulls ---------------------------------------------------------------------------------


async def test_a_pull_tells_how_far_it_is(provider):
    """Then the model is there."""
    with pytest.raises(e.NotFoundError):
        await provider.generate(ask(name="tinyllama"))
    async with provider.pull("tinyllama") as progress:
        steps = [step async for step in progress]
    answer = await provider.generate(ask(name="tinyllama"))

    assert steps[0] == PullProgress("pulling manifest")
    assert steps[-1] == PullProgress("success")
    sizes = [step.completed for step in steps if step.digest == steps[1].digest]
    assert sizes == [None, 159425034, 318850069, 478275103, 637700138]
    assert steps[5].total == 637_700_138
    assert answer.text == "ollama (tinyllama) heard: Hello"


async def test_a_pull_that_fails_says_why(provider):
    """The server had said 200 already."""
    seen = []
    with pytest.raises(e.JobFailedError) as caught:
        async with provider.pull("nobody/nothing") as progress:
            async for step in progress:
                seen.append(step.status)  # noqa: PERF401  # what came before the error counts

    assert seen == ["pulling manifest"]
    assert str(caught.value) == snapshot(
        "ollama: nobody/nothing could not be pulled: pull model manifest: file does not exist"
    )


async def test_a_pull_that_ends_early_is_no_success(provider, vendor):
    """Even where the server closes as if all were well."""
    vendor.script(Rewrite(lambda at, data: data if at < 3 else None))
    seen = []
    with pytest.raises(e.IncompleteError, match="pull again to go on"):
        async with provider.pull("tinyllama") as progress:
            async for step in progress:
                seen.append(step)  # noqa: PERF401  # as above

    assert len(seen) == 3


@pytest.mark.parametrize("line", [b"{}\n", b"[]\n", b"?\n", b'{"status":7}\n'])
async def test_a_pull_of_no_shape_is_malformed(provider, vendor, line):
    """And not an error that nobody names."""
    vendor.script(Status(200, line))
    with pytest.raises(e.MalformedReplyError):
        async with provider.pull("tinyllama") as progress:
            await anext(aiter(progress))


async def test_leaving_a_pull_stops_it(provider, vendor):
    """The connection is closed, so that the server stops; the model is not there."""
    vendor.script(Drip(64, 0.002))
    async with provider.pull("tinyllama", insecure=True) as progress:
        async for step in progress:
            if step.completed:
                break
    await closed(vendor)

    assert b'"insecure":true' in vendor.requests[0].body
    with pytest.raises(e.NotFoundError):
        await provider.generate(ask(name="tinyllama"))


async def test_a_cancelled_pull_leaves_nothing_open(provider, vendor):
    """Whoever waits for the next step may be cancelled at any time."""
    vendor.script(Stall(200))
    with anyio.move_on_after(0.3) as scope:
        async with provider.pull("tinyllama") as progress:
            async for _ in progress:
                pass
    await closed(vendor)

    assert scope.cancelled_caught


async def closed(vendor: Emulated) -> None:
    """Wait until the server has no connection left."""
    with anyio.fail_after(5):
        while vendor.connections:
            await anyio.sleep(0.01)


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, e.BadRequestError),
        (401, e.AuthenticationError),
        (402, e.QuotaExceededError),
        (403, e.PermissionDeniedError),
        (404, e.NotFoundError),
        (413, e.TooLargeError),
        (429, e.RateLimitedError),
        (500, e.ServerError),
        (502, e.ServerError),
        (503, e.OverloadedError),
    ],
)
async def test_statuses(provider, vendor, status, kind):
    """Whole and streamed, before anything is read."""
    vendor.script(Status(status, retry_after=3), times=2)
    with pytest.raises(e.VendorError) as caught:
        await provider.generate(ask())
    _, error = await events(provider, ask())

    for found in (caught.value, error):
        assert type(found) is kind
        assert (found.provider, found.status) == ("ollama", status)
        assert found.retry_after == (None if status == 404 else 3.0)


async def test_a_model_that_was_not_pulled_is_named_with_what_to_do(provider):
    """The server's words alone would leave a beginner alone."""
    _, error = await events(provider, ask(name="mystery:7b"))

    assert type(error) is e.NotFoundError
    assert str(error) == snapshot(
        "ollama: HTTP 404: model 'mystery:7b' not found. "
        "`ollama pull mystery:7b` fetches it, as does the provider's pull('mystery:7b')."
    )


async def test_what_a_model_cannot_do_is_the_servers_word(provider):
    """Of a model that is not listed nothing is known before."""
    with pytest.raises(e.BadRequestError, match="does not support tools"):
        await provider.generate(ask(name=GEMMA, tools=(RATE,)))


async def test_a_stream_that_breaks_off_is_an_error(provider):
    """In a line of its own, with status 200; a whole answer has the status."""
    found, error = await events(provider, ask("emulator:fail"))
    with pytest.raises(e.ServerError) as caught:
        await provider.generate(ask("emulator:fail"))

    assert joined(found) == "ollama ("
    assert type(error) is e.ServerError
    assert str(error) == "ollama: an error was encountered while running the model"
    assert caught.value.status == 500


@pytest.mark.parametrize("fault", [Cut(600), Reset(600)])
async def test_a_stream_that_is_cut_off_is_an_error(provider, vendor, fault):
    """What came before it stands."""
    vendor.script(fault)
    found, error = await events(provider, ask())

    assert found
    assert Finish not in map(type, found)
    assert type(error) is e.ConnectionFailedError


async def test_a_stream_that_ends_without_its_end_is_seen_by_the_core(vendor, anyio_backend):
    """A proxy that gives up closes as if all were well."""
    vendor.script(Rewrite(lambda at, data: data if at < 3 else None))
    settings = anymodal.Settings.from_mapping(vendor.settings())
    async with anymodal.Client(settings) as ai:
        with pytest.raises(e.IncompleteError) as caught:
            async with ai.text.stream("Hi", model=f"ollama/{LLAMA}") as stream:
                await stream.result()

    assert caught.value.partial == "ollama (llama3"


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_drops_say_what_lines_say(provider, vendor, size):
    """Wherever the packets end."""
    whole, _ = await events(provider, ask("Grüße 🌊"))
    vendor.script(Drip(size))
    found, error = await events(provider, ask("Grüße 🌊"))

    assert error is None
    assert found == whole


async def test_an_answer_in_one_piece_is_a_stream_too(provider, vendor):
    """Proxies there are that cannot stream."""
    result = await provider.generate(ask())
    message = {"role": "assistant", "content": result.text}
    vendor.script(Status(200, {"model": LLAMA, "message": message, "done": True}))
    found, error = await events(provider, ask())

    assert error is None
    assert joined(found) == result.text


async def test_leaving_a_stream_closes_the_connection(provider, vendor):
    """So that the server stops to compute."""
    vendor.script(Drip(64, 0.002))
    async with provider.stream(ask("emulator:long")) as stream:
        await anext(aiter(stream))
    await closed(vendor)

    assert len(vendor.requests) == 1


async def test_nobody_listens(anyio_backend):
    """The commonest fault: the server was not started."""
    async with provided("http://127.0.0.1:9") as provider:
        with pytest.raises(e.ConnectionFailedError):
            await provider.check_health()


async def test_health_is_the_servers_version(provider, vendor):
    """Nothing is computed for it."""
    await provider.check_health()

    assert [request.path for request in vendor.requests] == ["/api/version"]


# -- the spec ------------------------------------------------------------------------------


def test_the_spec_is_local_keyless_and_patient():
    """Loading a model takes minutes, and is no reason to give up."""
    assert SPEC.kind == "local"
    assert SPEC.base_url == "http://127.0.0.1:11434"
    assert [(c.name, c.env, c.required) for c in SPEC.credentials] == [
        ("api_key", ("OLLAMA_API_KEY",), False)
    ]
    assert SPEC.deadlines.first == 900.0
    assert SPEC.deadlines.connect == 5.0
    assert (SPEC.models, SPEC.default_model) == ((), None)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"web_search": True}, "web_search"),
        ({"prompt": [anymodal.File(b"%PDF-1.4")]}, "file_input"),
        ({"prompt": [anymodal.Audio(b"RIFF    WAVE")]}, "audio_input"),
    ],
)
async def test_known_lacks_are_refused_before_anything_is_sent(
    vendor, anyio_backend, settings, missing
):
    """By the core, of the spec."""
    async with anymodal.Client(anymodal.Settings.from_mapping(vendor.settings())) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match=missing):
            await ai.text.generate(**{"prompt": "Hi", "model": f"ollama/{LLAMA}", **settings})

    assert vendor.requests == ()


def test_offering_imports_no_http():
    """A listing of what is installed asks every plugin."""
    code = (
        "import sys, anymodal_ollama as p; list(p.anymodal_text_providers());"
        "list(p.anymodal_emulators()); p.OllamaText;"
        "print([m for m in ('httpx', 'httpx2', 'ollama', 'pydantic', 'anymodal.http',"
        " 'anymodal_emulator') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
