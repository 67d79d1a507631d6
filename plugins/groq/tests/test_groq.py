"""Groq: what goes out, what comes back, what is refused or warned of."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager

import anymodal_groq as plugin
import pytest
from anymodal import (
    Citation,
    Connection,
    Finish,
    Image,
    Message,
    ModelSpec,
    Reasoning,
    Secret,
    TextDelta,
    TextRequest,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from anymodal import errors as e
from anymodal.modalities.text import ReasoningDelta, WebSearch
from anymodal_emulator import Cut, Emulated, Status, emulated
from anymodal_groq import GroqText
from anymodal_groq.models import MODELS
from anymodal_groq.quirks import QUIRKS, sources
from anymodal_openai_compatible import ChatCodec
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_text_providers()
(EMULATOR,) = plugin.anymodal_emulators()
CODEC = ChatCodec("groq", QUIRKS)
OSS, QWEN = "openai/gpt-oss-120b", "qwen/qwen3.8-27b"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters=CITY, strict=True)


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
        provider="groq",
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


def ask(*parts, name=OSS, messages=None, **settings):
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


# -- the request ---------------------------------------------------------------------------

TALK = (
    Message.user("What is the rate?"),
    Message.assistant(Reasoning("hm"), "I look.", ToolCall("call_a", "rate", '{"city":"x"}')),
    Message.user(ToolResult("call_a", "1.25"), "And now?"),
)
EVERYTHING = {
    "messages": TALK,
    "system": "Be brief.",
    "tools": (RATE,),
    "tool_choice": "required",
    "reasoning": "high",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 64,
    "stop": ("END",),
    "seed": 7,
    "end_user": "u-1",
    "cache": "conversation",
    "options": [GroqText(service_tier="flex", extra_body={"citation_options": "disabled"})],
}


def test_a_simple_request():
    """Usage comes unasked; `stream_options` would be refused."""
    assert CODEC.encode(ask(), stream=False) == snapshot(
        {"model": "openai/gpt-oss-120b", "messages": [{"role": "user", "content": "Hello"}]}
    )
    assert CODEC.encode(ask(), stream=True) == snapshot(
        {
            "model": "openai/gpt-oss-120b",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
        }
    )


def test_a_request_with_everything():
    """Each setting has its field, and none is warned of."""
    request = ask(**EVERYTHING)

    assert CODEC.encode(request, stream=False) == snapshot(
        {
            "model": "openai/gpt-oss-120b",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "What is the rate?"},
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "call_a",
                            "type": "function",
                            "function": {"name": "rate", "arguments": '{"city":"x"}'},
                        }
                    ],
                    "reasoning": "hm",
                },
                {"role": "tool", "tool_call_id": "call_a", "content": "1.25"},
                {"role": "user", "content": "And now?"},
            ],
            "max_completion_tokens": 64,
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
            "tool_choice": "required",
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "seed": 7,
            "reasoning_effort": "high",
            "user": "u-1",
            "service_tier": "flex",
            "citation_options": "disabled",
        }
    )
    assert request.warnings == []


def test_a_request_to_a_model_that_shows_its_thought_in_its_words():
    """It is asked to show it apart."""
    request = ask("See:", Image(b"\x89PNG\r\n\x1a\n"), name=QWEN, reasoning="none")

    assert CODEC.encode(request, stream=False) == snapshot(
        {
            "model": "qwen/qwen3.8-27b",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "See:"},
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                        },
                    ],
                }
            ],
            "reasoning_effort": "none",
            "reasoning_format": "parsed",
        }
    )


@pytest.mark.parametrize(
    ("name", "effort", "word", "warned"),
    [
        (OSS, "none", "low", True),
        (OSS, "minimal", "low", True),
        (OSS, "low", "low", False),
        (OSS, "medium", "medium", False),
        (OSS, "high", "high", False),
        (OSS, "xhigh", "high", True),
        (OSS, "max", "high", True),
        (QWEN, "none", "none", False),
        (QWEN, "minimal", "default", True),
        (QWEN, "medium", "default", False),
        (QWEN, "max", "default", True),
    ],
)
def test_efforts(name, effort, word, warned):
    """What a model does not have is bent to the nearest, and said."""
    request = ask(name=name, reasoning=effort)
    body = CODEC.encode(request, stream=False)

    assert body["reasoning_effort"] == word
    assert [w.setting for w in request.warnings] == ["reasoning"] * warned


def test_an_effort_for_a_model_of_tomorrow_is_sent_as_it_is():
    """The table knows nothing of it, so the vendor decides."""
    request = TextRequest(
        model=ModelSpec(id="moonshotai/kimi-k4", listed=False),
        messages=(Message.user("Hello"),),
        reasoning="medium",
    )

    assert CODEC.encode(request, stream=False)["reasoning_effort"] == "medium"


def test_a_search():
    """Bounds that the vendor has no field for are warned of."""
    request = ask(web_search=WebSearch(max_uses=1), tools=(RATE,))
    body = CODEC.encode(request, stream=False)

    assert [tool["type"] for tool in body["tools"]] == ["function", "browser_search"]
    assert [w.setting for w in request.warnings] == ["web_search"]


# -- the answer ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [OSS, QWEN])
async def test_an_answer_whole_and_streamed(vendor, name):
    """Words, reasoning, usage and the vendor's own id of the request."""
    async with provided(vendor) as provider:
        result = await provider.generate(ask("Hi", name=name, system="Brief."))
        found, error = await events(provider, ask("Hi", name=name, system="Brief."))

    assert error is None
    assert result.text == f"groq ({name}) heard: Hi | system: Brief."
    assert result.text == "".join(x.text for x in found if isinstance(x, TextDelta))
    assert result.reasoning == "".join(x.text for x in found if isinstance(x, ReasoningDelta))
    assert "about: Hi" in result.reasoning
    assert isinstance(found[-1], Finish)
    for finish in (result.finish, found[-1]):
        assert (finish.reason, finish.model) == ("stop", name)
        assert finish.request_id.startswith("req_")
        assert finish.usage.total_tokens > finish.usage.reasoning_tokens > 0
    assert result.finish.request_id != found[-1].request_id


async def test_cached_input_is_counted(vendor):
    """Groq caches unasked."""
    async with provided(vendor) as provider:
        first = await provider.generate(ask("Hi"))
        second = await provider.generate(ask("Hi"))

    assert first.usage.cached_input_tokens is None
    assert second.usage.cached_input_tokens == second.usage.input_tokens == first.usage.input_tokens


async def test_a_tool_is_called_and_its_result_heard(vendor):
    """Over two rounds, the reasoning going back with the call."""
    async with provided(vendor) as provider:
        asked = Message.user("Use rate now.")
        first = await provider.generate(ask(messages=(asked,), tools=(RATE,)))
        (call,) = first.tool_calls
        talk = (asked, first.message, Message.user(ToolResult(call.id, "seven")))
        second = await provider.generate(ask(messages=talk, tools=(RATE,)))
        streamed, error = await events(provider, ask(messages=(asked,), tools=(RATE,)))

    assert first.finish_reason == streamed[-1].reason == "tool_calls"
    assert error is None
    assert second.text.endswith("| rate returned: seven")
    assert b'"reasoning":"Thinking with' in vendor.requests[1].body


async def test_a_schema_holds_a_stream_which_comes_in_one_piece(vendor):
    """The vendor streams none; beside tools the schema is described instead."""
    async with provided(vendor) as provider:
        found, error = await events(provider, ask(schema=CITY))
        beside = ask("Hello", schema=CITY, tools=(RATE,))
        result = await provider.generate(beside)

    assert error is None
    assert "".join(x.text for x in found if isinstance(x, TextDelta)).startswith('{"city": ')
    assert b'"stream"' not in vendor.requests[0].body
    assert [w.setting for w in beside.warnings] == ["schema"]
    assert "fits this JSON Schema" in result.text


async def test_pages_of_a_search_are_citations(vendor):
    """They stand among the tools that were executed."""
    page = Citation("https://example.com/source", "An example")
    async with provided(vendor) as provider:
        result = await provider.generate(ask(web_search=WebSearch()))
        found, _ = await events(provider, ask(web_search=WebSearch()))

    assert result.citations == (page,)
    assert [x for x in found if isinstance(x, Citation)] == [page]
    pages = [{"url": "https://a.example", "title": None}, {"title": "no address"}]
    assert [*sources({"executed_tools": [{"browser_results": pages}]})] == [
        Citation("https://a.example")
    ]


async def test_models_are_listed(vendor):
    """With the ids that the table has."""
    async with provided(vendor) as provider:
        listed = await provider.list_models()

    assert {m.id for m in listed} == {m.id for m in MODELS if m.lifecycle.state == "active"}


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
        (422, e.BadRequestError),
        (424, e.BadRequestError),
        (429, e.RateLimitedError),
        (498, e.OverloadedError),
        (500, e.ServerError),
        (502, e.ServerError),
        (503, e.OverloadedError),
    ],
)
async def test_statuses(vendor, status, kind):
    """Whole and streamed, before anything is read."""
    vendor.script(Status(status, retry_after=3), times=2)
    async with provided(vendor) as provider:
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask())
        _, error = await events(provider, ask())

    for found in (caught.value, error):
        assert type(found) is kind
        assert (found.provider, found.status, found.retry_after) == ("groq", status, 3.0)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("emulator:context", e.ContextLengthError),
        ("emulator:block", e.ContentFilteredError),
        ("emulator:filter", e.ContentFilteredError),
        ("emulator:quota", e.QuotaExceededError),
    ],
)
async def test_refusals_go_by_their_code(vendor, word, kind):
    """The status alone does not say."""
    async with provided(vendor) as provider:
        with pytest.raises(kind):
            await provider.generate(ask(word))
        _, error = await events(provider, ask(word))

    assert type(error) is kind


async def test_a_stream_that_breaks_off_is_an_error(vendor):
    """The vendor says so in `x_groq`, with status 200."""
    async with provided(vendor) as provider:
        found, error = await events(provider, ask("emulator:fail"))

    assert found
    assert type(error) is e.ServerError
    assert (str(error), error.request_id) == snapshot(
        ("groq: Internal error, says the emulator.", "req_emulated")
    )


async def test_a_stream_that_is_cut_off_is_an_error(vendor):
    """What came before it stands."""
    vendor.script(Cut(2000))
    async with provided(vendor) as provider:
        found, error = await events(provider, ask())

    assert found
    assert Finish not in map(type, found)
    assert isinstance(error, e.ConnectionFailedError | e.IncompleteError)


async def test_a_wrong_key_is_named_by_nobody(vendor):
    """Neither message nor representation has it."""
    async with provided(vendor, "gsk_very_wrong_key") as provider:
        with pytest.raises(e.AuthenticationError) as caught:
            await provider.generate(ask())

    assert "very_wrong" not in f"{caught.value} {caught.value!r} {provider!r}"


# -- the spec ------------------------------------------------------------------------------


def test_facts_have_sources():
    """Prices say when they were read; what is retired says since when."""
    for model in MODELS:
        assert model.source.startswith("https://")
        if model.lifecycle.state == "active":
            assert model.prices.as_of.year == 2026
        else:
            assert model.lifecycle.retires_on
            assert SPEC.model(model.lifecycle.replacement).lifecycle.state == "active"
    assert SPEC.model(SPEC.default_model).lifecycle.state == "active"


def test_offering_models_imports_no_http():
    """A listing of what is installed asks every plugin."""
    code = (
        "import sys, anymodal_groq as p; list(p.anymodal_text_providers());"
        "list(p.anymodal_emulators()); p.GroqText;"
        "print([m for m in ('httpx', 'httpx2', 'groq', 'openai', 'pydantic', 'anymodal.http',"
        " 'anymodal_emulator') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
