"""Mistral over the vendor's SDK: what goes out, what comes back, what never leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager

import anyio
import anymodal_mistral as plugin
import pytest
from anymodal import (
    Audio,
    Connection,
    File,
    Finish,
    Image,
    Message,
    ProviderState,
    Reasoning,
    Secret,
    TextDelta,
    TextRequest,
    ToolCall,
    ToolResult,
    ToolSpec,
    Video,
)
from anymodal import errors as e
from anymodal.modalities.text import ReasoningDelta, WebSearch
from anymodal_emulator import Cut, Emulated, Rewrite, Status, emulated
from anymodal_mistral import MistralText
from anymodal_mistral.models import MODELS
from anymodal_mistral.quirks import QUIRKS
from anymodal_mistral.text import model_of
from anymodal_openai_compatible import ChatCodec
from inline_snapshot import snapshot
from mistralai.client import models as sdk

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_text_providers()
(EMULATOR,) = plugin.anymodal_emulators()
CODEC = ChatCodec("mistral", QUIRKS)
MEDIUM, LARGE = "mistral-medium-3-5", "mistral-large-2512"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters=CITY, strict=True)
PNG = Image(b"\x89PNG\r\n\x1a\n")


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
async def provided(vendor: Emulated, key: str = ""):
    """Give the provider, connected to the emulator."""
    connection = Connection(
        provider="mistral",
        base_url=vendor.base_url,
        credentials={"api_key": Secret(key or vendor.key)},
        clock=Still(),
        refine=SPEC.errors,
    )
    provider = plugin.connect(connection)
    try:
        yield provider
    finally:
        await provider.aclose()
        await connection.aclose()


def ask(*parts, name=MEDIUM, messages=None, **settings):
    """Return a request with one user's turn."""
    found = messages or (Message.user(*(parts or ("Hello",))),)
    return TextRequest(model=SPEC.model(name), messages=found, **settings)


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


def fits(body):
    """Tell whether the SDK's own types hold *body*, with nothing left out."""
    kind = sdk.ChatCompletionStreamRequest if body.get("stream") else sdk.ChatCompletionRequest
    held = kind.model_validate(body).model_dump(by_alias=True, exclude_unset=True)
    return json.loads(json.dumps(held)) == json.loads(json.dumps(body))


# -- the request ---------------------------------------------------------------------------

TALK = (
    Message.user("What is the rate?"),
    Message(
        "assistant",
        (Reasoning("hm"), "I look.", ToolCall("call_of_another_vendor", "rate", '{"city":"x"}')),
        [ProviderState("mistral", {"signature": "sig"})],
    ),
    Message.user(ToolResult("call_of_another_vendor", "1.25"), "And now?"),
)
EVERYTHING = {
    "messages": TALK,
    "system": "Be brief.",
    "tools": (RATE,),
    "tool_choice": "rate",
    "schema": CITY,
    "reasoning": "high",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 64,
    "stop": ("END",),
    "seed": 7,
    "end_user": "u-1",
    "cache": "conversation",
    "options": [MistralText(safe_prompt=True, top_k=3, service_tier="auto")],
}


def test_a_simple_request():
    """Usage comes unasked; `stream_options` would be refused."""
    assert CODEC.encode(ask(), stream=False) == snapshot(
        {"model": "mistral-medium-3-5", "messages": [{"role": "user", "content": "Hello"}]}
    )
    assert CODEC.encode(ask(), stream=True) == snapshot(
        {
            "model": "mistral-medium-3-5",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
        }
    )


def test_a_request_with_everything():
    """Each setting has its field, or a warning."""
    request = ask(**EVERYTHING)

    assert CODEC.encode(request, stream=False) == snapshot(
        {
            "model": "mistral-medium-3-5",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "What is the rate?"},
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "thinking",
                            "thinking": [{"type": "text", "text": "hm"}],
                            "signature": "sig",
                        },
                        {"type": "text", "text": "I look."},
                    ],
                    "tool_calls": [
                        {
                            "id": "f5923mhu9",
                            "type": "function",
                            "function": {"name": "rate", "arguments": '{"city":"x"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "f5923mhu9", "content": "1.25"},
                {"role": "user", "content": "And now?"},
            ],
            "max_tokens": 64,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "rate",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                            "additionalProperties": False,
                        },
                        "description": "Tells a rate.",
                        "strict": True,
                    },
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "rate"}},
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "answer",
                    "schema": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                },
            },
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "random_seed": 7,
            "reasoning_effort": "high",
            "prompt_cache_key": "a3bd8de4ca02dcf716d313d94565eba5",
            "top_k": 3,
            "safe_prompt": True,
            "service_tier": "auto",
        }
    )
    assert [(w.setting, w.message) for w in request.warnings] == snapshot(
        [("end_user", "left out, because the vendor has no field for it")]
    )


def test_media_have_the_vendors_forms():
    """A file goes by URL too; sound goes bare."""
    request = ask(
        PNG,
        File(url="https://a.example/a.pdf"),
        File(b"%PDF-1.7", name="b.pdf"),
        Audio(b"ID3", media_type="audio/mpeg"),
    )

    assert CODEC.encode(request, stream=False)["messages"][0]["content"] == snapshot(
        [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            {"type": "document_url", "document_url": "https://a.example/a.pdf"},
            {
                "type": "document_url",
                "document_url": "data:application/pdf;base64,JVBERi0xLjc=",
                "document_name": "b.pdf",
            },
            {"type": "input_audio", "input_audio": "SUQz"},
        ]
    )


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        EVERYTHING,
        {"messages": (Message.user(PNG, File(b"%PDF", name="b.pdf"), Audio(b"ID3")),)},
    ],
    ids=["simple", "everything", "media"],
)
def test_requests_fit_the_sdks_own_types(settings, stream):
    """Nothing that the vendor's types do not have, nothing of another kind."""
    body = CODEC.encode(ask(**settings), stream=stream)

    assert fits(body)
    assert not fits({**body, "stream_options": {}})


@pytest.mark.parametrize(
    "part", [Video(url="https://a.example/v.mp4"), Audio(url="https://a.example/a.mp3")]
)
def test_what_the_vendor_has_no_form_for_is_refused(part):
    """Leaving a part out would answer another question."""
    with pytest.raises(e.UnsupportedFeatureError, match="nothing was sent"):
        CODEC.encode(ask(part), stream=False)


@pytest.mark.parametrize(
    ("name", "effort", "word", "warned"),
    [
        (MEDIUM, "none", "none", False),
        (MEDIUM, "low", "high", True),
        (MEDIUM, "high", "high", False),
        (MEDIUM, "max", "high", True),
        ("mistral-small-latest", "minimal", "high", True),
        ("zai-glm-5-3", "none", "low", True),
        ("zai-glm-5-3-flash", "max", "max", False),
        ("mistral-large-4", "medium", "medium", False),
        (LARGE, "high", None, True),
        (LARGE, "none", None, False),
    ],
)
def test_efforts(name, effort, word, warned):
    """What a model does not have is bent to the nearest, and said."""
    request = ask(name=name, reasoning=effort)
    body = CODEC.encode(request, stream=False)

    assert body.get("reasoning_effort") == word
    assert [w.setting for w in request.warnings] == ["reasoning"] * warned


def test_there_is_no_search():
    """Chat Completions has none; an answer from memory would be no answer."""
    with pytest.raises(e.UnsupportedFeatureError):
        CODEC.encode(ask(web_search=WebSearch()), stream=False)


# -- the answer ----------------------------------------------------------------------------


@pytest.mark.parametrize("effort", [None, "high"])
async def test_an_answer_whole_and_streamed(vendor, effort):
    """Words, reasoning where it was asked for, usage and the vendor's id of the request."""
    request = ask("Hi", system="Brief.", reasoning=effort)
    async with provided(vendor) as provider:
        result = await provider.generate(request)
        found, error = await events(provider, request)

    assert error is None
    assert result.text == f"mistral ({MEDIUM}) heard: Hi | system: Brief."
    assert result.text == "".join(x.text for x in found if isinstance(x, TextDelta))
    assert result.reasoning == "".join(x.text for x in found if isinstance(x, ReasoningDelta))
    assert ("high effort about: Hi" in result.reasoning) == (effort == "high")
    for finish in (result.finish, found[-1]):
        assert isinstance(finish, Finish)
        assert (finish.reason, finish.model) == ("stop", MEDIUM)
        assert finish.usage.total_tokens > 0
        assert len(finish.request_id) == 32
    assert vendor.requests[0].headers["user-agent"].startswith("mistral-client-python/3")


async def test_a_conversation_with_a_tool_keeps_its_thoughts(vendor):
    """Over two rounds, after a call of another vendor's with an id that Mistral refuses."""
    asked = Message.user("Use rate now.")
    before = (
        Message.user("Hello."),
        Message.assistant(ToolCall("call_of_another_vendor", "rate")),
        Message.user(ToolResult("call_of_another_vendor", "six")),
    )
    async with provided(vendor) as provider:
        first = await provider.generate(ask(messages=(asked,), tools=(RATE,), reasoning="high"))
        (call,) = first.tool_calls
        talk = (*before, asked, first.message, Message.user(ToolResult(call.id, "seven")))
        second = await provider.generate(ask(messages=talk, tools=(RATE,)))
        streamed, error = await events(provider, ask(messages=(asked,), tools=(RATE,)))

    assert error is None
    assert first.finish_reason == streamed[-1].reason == "tool_calls"
    assert "| rate returned: seven" in second.text
    assert b'{"type":"thinking","thinking":[{"type":"text"' in vendor.requests[1].body


async def test_media_arrive(vendor):
    """Each in the vendor's own form."""
    async with provided(vendor) as provider:
        result = await provider.generate(ask("See:", PNG, File(b"%PDF-1.7", name="b.pdf")))

    assert "image/png, 8 bytes" in result.text
    assert "application/pdf, 8 bytes, b.pdf" in result.text


async def test_a_schema_holds_the_answer(vendor):
    """Whole and streamed, beside tools too."""
    async with provided(vendor) as provider:
        result = await provider.generate(ask(schema=CITY, tools=(RATE,)))
        found, error = await events(provider, ask(schema=CITY))

    assert error is None
    assert json.loads(result.text).keys() == {"city"}
    assert json.loads("".join(x.text for x in found if isinstance(x, TextDelta)))["city"]


async def test_a_prompt_to_be_cached_is(vendor):
    """Its key is made of its beginning; without one the vendor caches less."""
    async with provided(vendor) as provider:
        plain = await provider.generate(ask(system="Brief."))
        await provider.generate(ask(system="Brief.", cache="system"))
        again = await provider.generate(ask("Ho", system="Brief.", cache="system"))

    assert plain.usage.cached_input_tokens is None
    assert again.usage.cached_input_tokens > 0


async def test_models_are_listed_with_what_they_can(vendor):
    """More than their names is known."""
    async with provided(vendor) as provider:
        listed = {model.id: model for model in await provider.list_models()}

    others = {name: model.modality for name, model in listed.items() if model.modality != "text"}
    assert others == {"codestral-embed": "embedding", "mistral-embed": "embedding"}
    assert listed.keys() - others.keys() <= {model.id for model in MODELS}
    for name in listed.keys() - others.keys():
        model = listed[name]
        for ability in ("reasoning", "image_input", "function_calling"):
            assert model.capabilities.get(ability) == SPEC.model(name).capabilities.get(ability)
    leaving = listed["ministral-8b-2512"].lifecycle
    assert (leaving.state, str(leaving.retires_on)) == ("deprecated", "2027-01-31")


def test_a_list_entry_may_say_little():
    """What is not said is not known."""
    model = model_of({"id": "mistral-9", "capabilities": {"vision": False}})

    assert model.modality == "text"
    assert (model.capabilities.get("image_input"), model.capabilities.get("reasoning")) == (
        False,
        None,
    )


@pytest.mark.parametrize(
    ("name", "flags", "kind"),
    [
        ("mistral-9", {"completion_chat": True, "audio_transcription": True}, "text"),
        ("voxtral-9", {"completion_chat": False, "audio_transcription": True}, "transcription"),
        ("voxtral-9", {"completion_chat": False, "audio_speech": True}, "speech"),
        ("codestral-9", {"completion_chat": False, "completion_fim": True}, None),
        ("mistral-embed-9", {"completion_chat": False}, "embedding"),
        ("mistral-ocr-9", {"completion_chat": False, "ocr": True}, None),
    ],
)
def test_the_vendor_tells_the_kind_of_work(name, flags, kind):
    """By its flags, else by the name; what fills gaps in code is no chat."""
    assert model_of({"id": name, "capabilities": flags}).modality == kind


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, e.BadRequestError),
        (401, e.AuthenticationError),
        (402, e.QuotaExceededError),
        (403, e.PermissionDeniedError),
        (404, e.NotFoundError),
        (422, e.BadRequestError),
        (429, e.RateLimitedError),
        (500, e.ServerError),
        (503, e.OverloadedError),
    ],
)
async def test_statuses(vendor, status, kind):
    """Whole and streamed, before anything is read; one request each."""
    vendor.script(Status(status, retry_after=3), times=2)
    async with provided(vendor) as provider:
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask())
        _, error = await events(provider, ask())

    assert len(vendor.requests) == 2
    for found in (caught.value, error):
        assert type(found) is kind
        assert (found.provider, found.status, found.retry_after) == ("mistral", status, 3.0)


async def test_the_place_of_what_does_not_fit_is_named(vendor):
    """The vendor tells it in a list of details."""
    async with provided(vendor) as provider:
        with pytest.raises(e.BadRequestError) as caught:
            await provider.generate(ask(options=[MistralText(extra_body={"seed": 1})]))

    assert str(caught.value) == snapshot("mistral: HTTP 422: body.seed: Unknown parameter: 'seed'.")
    assert len(caught.value.request_id) == 32


async def test_an_unknown_model_is_not_found(vendor):
    """The vendor says so with status 400."""
    async with provided(vendor) as provider:
        with pytest.raises(e.NotFoundError):
            await provider.generate(ask(name="codestral-2508"))


async def test_an_end_in_error_is_an_error(vendor):
    """Half an answer is not an answer."""
    async with provided(vendor) as provider:
        with pytest.raises(e.ServerError):
            await provider.generate(ask("emulator:filter"))
        found, error = await events(provider, ask("emulator:filter"))

    assert found
    assert type(error) is e.ServerError
    assert error.vendor_code == "error"


@pytest.mark.parametrize("cut", [True, False])
async def test_a_stream_that_breaks_off_is_an_error(vendor, cut):
    """By the vendor's word, or the connection's end."""
    if cut:
        vendor.script(Cut(600))
    async with provided(vendor) as provider:
        _, error = await events(provider, ask("Hello" if cut else "emulator:fail"))

    assert isinstance(error, e.ServerError | e.ConnectionFailedError | e.IncompleteError)


async def test_a_model_that_is_leaving_still_streams(vendor):
    """The SDK's own hook reads a body then that has not come yet."""
    vendor.script(Rewrite(headers={"x-model-deprecation-timestamp": "2027-01-31T12:00:00Z"}))
    async with provided(vendor) as provider:
        found, error = await events(provider, ask())

    assert error is None
    assert isinstance(found[-1], Finish)


async def test_the_environment_does_nothing(vendor, monkeypatch, tmp_path, capfd):
    """Key, token, telemetry and debugging are the settings' affair."""
    token = tmp_path / "token"
    token.write_text("token-ambient")
    for name, value in {
        "MISTRAL_API_KEY": "key-ambient",
        "MISTRAL_SA_TOKEN_PATH": str(token),
        "MISTRAL_DEBUG": "1",
        "MISTRAL_SDK_TELEMETRY": "dedicated",
        "MISTRAL_OTLP_TRACES_ENDPOINT": f"{vendor.base_url}/ambient",
        "MISTRAL_SDK_DEBUG_TRACING": "true",
    }.items():
        monkeypatch.setenv(name, value)
    async with provided(vendor) as provider:
        await provider.generate(ask())
        await events(provider, ask())

    assert [request.path for request in vendor.requests] == ["/v1/chat/completions"] * 2
    sent = "".join(f"{request.headers} {request.body!r}" for request in vendor.requests)
    assert "ambient" not in sent
    assert vendor.key not in "".join(capfd.readouterr())


async def test_a_wrong_key_is_named_by_nobody(vendor):
    """Neither message nor representation has it."""
    async with provided(vendor, "very-wrong-key") as provider:
        with pytest.raises(e.AuthenticationError) as caught:
            await provider.generate(ask())

    shown = f"{caught.value} {caught.value!r} {provider!r} {provider.carrier!r}"
    assert "very-wrong" not in shown


async def test_closing_leaves_no_connection(vendor):
    """Not even where a stream was left half-way."""
    async with provided(vendor) as provider:
        async with provider.stream(ask("emulator:long")) as stream:
            async for _ in stream:
                break
        await provider.generate(ask())

    with anyio.fail_after(5):  # the server hears of it a moment later
        while vendor.connections:
            await anyio.sleep(0.001)


# -- the spec ------------------------------------------------------------------------------


def test_facts_have_sources():
    """Prices say when they were read; what leaves says what comes."""
    for model in MODELS:
        assert model.source.startswith("https://")
        assert model.prices is None or model.prices.as_of.year == 2026
        if model.lifecycle.state != "active":
            assert SPEC.model(model.lifecycle.replacement).lifecycle.state == "active"
    assert SPEC.model(SPEC.default_model).lifecycle.state == "active"


def test_offering_models_imports_no_sdk():
    """A listing of what is installed asks every plugin."""
    code = (
        "import sys, anymodal_mistral as p; list(p.anymodal_text_providers());"
        "list(p.anymodal_emulators()); p.MistralText;"
        "print([m for m in ('httpx', 'httpx2', 'mistralai', 'pydantic', 'anymodal.http',"
        " 'anymodal_emulator') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
