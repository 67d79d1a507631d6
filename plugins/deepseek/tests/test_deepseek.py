"""DeepSeek: what goes out, what comes back, what is refused or warned of."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager

import anymodal_deepseek as plugin
import pytest
from anymodal import (
    Connection,
    Finish,
    Image,
    Message,
    Reasoning,
    Secret,
    TextDelta,
    TextRequest,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from anymodal import errors as e
from anymodal.modalities.text import EFFORTS, ReasoningDelta, WebSearch
from anymodal_deepseek import DeepSeekText
from anymodal_deepseek.models import MODELS
from anymodal_deepseek.quirks import QUIRKS
from anymodal_emulator import Emulated, Rewrite, Status, emulated
from anymodal_openai_compatible import ChatCodec
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_text_providers()
(EMULATOR,) = plugin.anymodal_emulators()
CODEC = ChatCodec("deepseek", QUIRKS)
PRO, FLASH = "deepseek-v4-pro", "deepseek-v4-flash"
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
        provider="deepseek",
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


def ask(*parts, name=PRO, messages=None, **settings):
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
    Message.assistant("Somebody else said this."),
    Message.user("Sure?"),
)
EVERYTHING = {
    "messages": TALK,
    "system": "Be brief.",
    "tools": (RATE,),
    "tool_choice": "rate",
    "schema": CITY,
    "reasoning": "medium",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 64,
    "stop": ("END",),
    "seed": 7,
    "end_user": "u-1",
    "cache": "conversation",
    "options": [DeepSeekText(presence_penalty=1.0, extra_body={"logprobs": True})],
}


def test_a_simple_request():
    """The least that the vendor has to understand."""
    assert CODEC.encode(ask(), stream=False) == snapshot(
        {"model": "deepseek-v4-pro", "messages": [{"role": "user", "content": "Hello"}]}
    )
    assert CODEC.encode(ask(), stream=True) == snapshot(
        {
            "model": "deepseek-v4-pro",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )


def test_a_request_with_everything():
    """Each setting has its field, or a warning; each turn of a model's has its thought."""
    request = ask(**EVERYTHING)

    assert CODEC.encode(request, stream=False) == snapshot(
        {
            "model": "deepseek-v4-pro",
            "messages": [
                {
                    "role": "system",
                    "content": """\
Be brief.

Answer with JSON alone that fits this JSON Schema: {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}\
""",
                },
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
                    "reasoning_content": "hm",
                },
                {"role": "tool", "tool_call_id": "call_a", "content": "1.25"},
                {"role": "user", "content": "And now?"},
                {
                    "role": "assistant",
                    "content": "Somebody else said this.",
                    "reasoning_content": " ",
                },
                {"role": "user", "content": "Sure?"},
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
                    },
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "rate"}},
            "response_format": {"type": "json_object"},
            "stop": ["END"],
            "thinking": {"type": "enabled"},
            "reasoning_effort": "high",
            "presence_penalty": 1.0,
            "logprobs": True,
        }
    )
    assert [(w.setting, w.message) for w in request.warnings] == snapshot(
        [
            ("tools", "strict was left out of rate; the vendor does not know it"),
            ("schema", "the vendor promises JSON, but not that it fits the schema"),
            ("temperature", "left out, because deepseek-v4-pro refuses it as it is asked"),
            ("top_p", "left out, because deepseek-v4-pro refuses it as it is asked"),
            ("seed", "left out, because the vendor does not honour it"),
            ("end_user", "left out, because the vendor has no field for it"),
            ("presence_penalty", "without effect, because the model thinks"),
        ]
    )


def test_a_request_not_to_think():
    """Then, and only then, sampling settings have an effect."""
    settings = {"reasoning": "none", "temperature": 0.5, "top_p": 0.9}
    request = ask(**settings, options=[DeepSeekText(frequency_penalty=0.5)])

    assert CODEC.encode(request, stream=False) == snapshot(
        {
            "model": "deepseek-v4-pro",
            "messages": [{"role": "user", "content": "Hello"}],
            "temperature": 0.5,
            "top_p": 0.9,
            "thinking": {"type": "disabled"},
            "frequency_penalty": 0.5,
        }
    )
    assert request.warnings == []


def test_efforts():
    """As the vendor maps them itself, so that none is warned of."""
    found = {}
    for effort in EFFORTS:
        request = ask(reasoning=effort)
        body = CODEC.encode(request, stream=False)
        found[effort] = (body["thinking"]["type"], body.get("reasoning_effort"))

        assert request.warnings == []

    assert found == snapshot(
        {
            "none": ("disabled", None),
            "minimal": ("enabled", "low"),
            "low": ("enabled", "low"),
            "medium": ("enabled", "high"),
            "high": ("enabled", "high"),
            "xhigh": ("enabled", "high"),
            "max": ("enabled", "max"),
        }
    )


def test_there_is_no_search():
    """An answer from memory would be no answer."""
    with pytest.raises(e.UnsupportedFeatureError):
        CODEC.encode(ask(web_search=WebSearch()), stream=False)


# -- the answer ----------------------------------------------------------------------------


async def test_an_answer_whole_and_streamed(vendor):
    """Words, reasoning unasked, usage."""
    async with provided(vendor) as provider:
        result = await provider.generate(ask("Hi", system="Brief."))
        found, error = await events(provider, ask("Hi", system="Brief."))

    assert error is None
    assert result.text == f"deepseek ({PRO}) heard: Hi | system: Brief."
    assert result.text == "".join(x.text for x in found if isinstance(x, TextDelta))
    assert result.reasoning == "".join(x.text for x in found if isinstance(x, ReasoningDelta))
    assert "with high effort about: Hi" in result.reasoning
    for finish in (result.finish, found[-1]):
        assert isinstance(finish, Finish)
        assert (finish.reason, finish.model) == ("stop", PRO)
        assert finish.usage.total_tokens > finish.usage.reasoning_tokens > 0
    assert result.usage.cached_input_tokens == 0
    assert found[-1].usage.cached_input_tokens == result.usage.input_tokens


async def test_a_model_told_not_to_think_does_not(vendor):
    """And it takes turns without a thought."""
    talk = (Message.user("Hi"), Message.assistant("Ho."), Message.user("Hm?"))
    async with provided(vendor) as provider:
        result = await provider.generate(ask(messages=talk, reasoning="none"))

    assert result.reasoning == ""
    assert result.usage.reasoning_tokens == 0


async def test_a_conversation_with_a_tool_keeps_its_thoughts(vendor):
    """Without them the vendor refuses the second round; a foreign turn has a blank one."""
    asked = Message.user("Use rate now.")
    async with provided(vendor) as provider:
        first = await provider.generate(ask(messages=(asked,), tools=(RATE,)))
        (call,) = first.tool_calls
        talk = (
            Message.user("Hello."),
            Message.assistant("A turn of another vendor's."),
            asked,
            first.message,
            Message.user(ToolResult(call.id, "seven")),
        )
        second = await provider.generate(ask(messages=talk, tools=(RATE,)))
        streamed, error = await events(provider, ask(messages=(asked,), tools=(RATE,)))

    assert error is None
    assert first.finish_reason == streamed[-1].reason == "tool_calls"
    assert second.text.endswith("| rate returned: seven | turn 2")
    assert b'"reasoning_content":" "' in vendor.requests[1].body
    assert b'"reasoning_content":"Thinking with' in vendor.requests[1].body


async def test_json_is_promised_and_the_schema_described(vendor):
    """The caller is told that the vendor does not hold the model to it."""
    request = ask(schema=CITY)
    async with provided(vendor) as provider:
        result = await provider.generate(request)

    assert result.text.startswith("{")
    assert [w.setting for w in request.warnings] == ["schema"]


async def test_a_picture_arrives_where_a_model_sees(vendor):
    """And nothing is known to go to one that does not."""
    async with provided(vendor) as provider:
        result = await provider.generate(ask("See:", Image(b"\x89PNG\r\n\x1a\n"), name=FLASH))
        with pytest.raises(e.BadRequestError):
            await provider.generate(ask("See:", Image(b"\x89PNG\r\n\x1a\n"), name=PRO))

    assert "| image/png, 8 bytes" in result.text
    assert SPEC.model(PRO).capabilities.get("image_input") is False


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
        (422, e.BadRequestError),
        (429, e.RateLimitedError),
        (500, e.ServerError),
        (503, e.OverloadedError),
    ],
)
async def test_statuses(vendor, status, kind):
    """The vendor gives every error the same code, so the status decides."""
    vendor.script(Status(status, retry_after=3), times=2)
    async with provided(vendor) as provider:
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask())
        _, error = await events(provider, ask())

    for found in (caught.value, error):
        assert type(found) is kind
        assert (found.provider, found.status, found.retry_after) == ("deepseek", status, 3.0)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("emulator:filter", e.ContentFilteredError),
        ("emulator:quota", e.QuotaExceededError),
        ("emulator:context", e.BadRequestError),
        ("emulator:block", e.BadRequestError),
    ],
)
async def test_refusals(vendor, word, kind):
    """Of a prompt that is refused the vendor tells the cause in words alone."""
    async with provided(vendor) as provider:
        with pytest.raises(e.VendorError) as caught:
            await provider.generate(ask(word))
        _, error = await events(provider, ask(word))

    assert type(caught.value) is type(error) is kind


async def test_an_end_for_want_of_resources_is_an_overload(vendor):
    """The vendor says so in the finish reason, with status 200."""
    vendor.script(
        Rewrite(lambda _, body: body.replace(b'"stop"', b'"insufficient_system_resource"')),
        times=2,
    )
    async with provided(vendor) as provider:
        with pytest.raises(e.OverloadedError) as caught:
            await provider.generate(ask())
        found, error = await events(provider, ask())

    assert found
    assert type(error) is e.OverloadedError
    assert caught.value.vendor_code == error.vendor_code == "insufficient_system_resource"


async def test_blank_lines_before_an_answer_are_nothing(vendor):
    """The vendor sends them to keep a connection alive."""
    vendor.script(Rewrite(lambda _, body: b"\n\n\n" + body))
    async with provided(vendor) as provider:
        result = await provider.generate(ask())

    assert "Hello" in result.text


async def test_a_wrong_key_is_named_by_nobody(vendor):
    """Neither message nor representation has it."""
    async with provided(vendor, "sk-very-wrong-key") as provider:
        with pytest.raises(e.AuthenticationError) as caught:
            await provider.generate(ask())

    assert "very-wrong" not in f"{caught.value} {caught.value!r} {provider!r}"


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
        "import sys, anymodal_deepseek as p; list(p.anymodal_text_providers());"
        "list(p.anymodal_emulators()); p.DeepSeekText;"
        "print([m for m in ('httpx', 'httpx2', 'openai', 'pydantic', 'anymodal.http',"
        " 'anymodal_emulator') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
