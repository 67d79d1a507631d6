"""The emulator of Groq, as the vendor's own SDK sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import groq
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Emulated, Status, emulated, gaps

SPEC = EmulatorSpec(
    provider="groq", app="anymodal_groq.emulator:app", key="gsk_emulated", base_path="/openai/v1"
)
OSS, QWEN = "openai/gpt-oss-120b", "qwen/qwen3.8-27b"
HELLO = [{"role": "user", "content": "Hello there!"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
RATE = {"type": "function", "function": {"name": "rate", "parameters": CITY, "strict": True}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "c", "schema": CITY, "strict": True}}

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
async def client(vendor: Emulated, anyio_backend) -> AsyncIterator[groq.AsyncGroq]:
    base = vendor.base_url.removesuffix("/openai/v1")
    async with groq.AsyncGroq(base_url=base, api_key=vendor.key, max_retries=0, timeout=10) as made:
        yield made


ASKS = {
    "words": {"messages": HELLO},
    "hidden": {"messages": HELLO, "include_reasoning": False},
    "qwen": {"messages": HELLO, "model": QWEN, "reasoning_format": "parsed"},
    "tool": {"messages": [{"role": "user", "content": "Use rate now."}], "tools": [RATE]},
    "search": {"messages": HELLO, "tools": [{"type": "browser_search"}]},
    "length": {
        "messages": [{"role": "user", "content": "emulator:long"}],
        "max_completion_tokens": 16,
    },
    "refusal": {"messages": [{"role": "user", "content": "emulator:refuse"}]},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_answer_and_every_chunk_is_of_the_sdks_types(client, ask):
    """Nothing missing, nothing left over; and the stream comes to what the whole one is."""
    ask = {"model": OSS, **ask}
    whole = await client.chat.completions.create(**ask)
    chunks = [c async for c in await client.chat.completions.create(stream=True, **ask)]
    (choice,) = whole.choices

    assert [gap for found in (whole, *chunks) for gap in gaps(found)] == []
    assert choice.finish_reason == chunks[-1].choices[0].finish_reason
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (choice.message.content or "") == "".join(d.content or "" for d in deltas)
    assert (choice.message.reasoning or "") == "".join(d.reasoning or "" for d in deltas)
    assert whole.usage.completion_tokens == chunks[-1].x_groq.usage.completion_tokens


async def test_reasoning_stands_apart(client):
    """Of the small models unasked, of Qwen in the format `parsed` alone."""
    oss = await client.chat.completions.create(model=OSS, messages=HELLO)
    raw = await client.chat.completions.create(model=QWEN, messages=HELLO)
    parsed = await client.chat.completions.create(
        model=QWEN, messages=HELLO, reasoning_format="parsed"
    )

    assert "medium" in oss.choices[0].message.reasoning
    assert raw.choices[0].message.reasoning is None
    assert "default" in parsed.choices[0].message.reasoning
    assert oss.usage.completion_tokens_details.reasoning_tokens > 0


async def test_x_groq_is_in_the_first_and_the_last_chunk(client):
    """As the vendor's description says; the usage comes with the last."""
    stream = await client.chat.completions.create(model=OSS, messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]

    assert [at for at, chunk in enumerate(chunks) if chunk.x_groq] == [0, len(chunks) - 1]
    assert chunks[0].x_groq.id == chunks[-1].x_groq.id
    assert chunks[-1].x_groq.usage.queue_time > 0


async def test_a_search_is_an_executed_tool(client):
    """With the pages that it found."""
    found = await client.chat.completions.create(model=OSS, **ASKS["search"])
    (tool,) = found.choices[0].message.executed_tools

    assert tool.type == "browser_search"
    assert tool.search_results.results[0].url == "https://example.com/source"


async def test_prompts_that_begin_alike_are_cached_unasked(client):
    """The second time as much as the first prompt had."""
    first = await client.chat.completions.create(model=OSS, messages=HELLO)
    second = await client.chat.completions.create(
        model=OSS,
        messages=[
            *HELLO,
            {"role": "assistant", "content": "Hi."},
            {"role": "user", "content": "?"},
        ],
    )

    assert first.usage.prompt_tokens_details is None
    assert second.usage.prompt_tokens_details.cached_tokens == first.usage.prompt_tokens


async def test_a_stream_that_breaks_off_says_why(client):
    """In `x_groq`, which the SDK hands on."""
    stream = await client.chat.completions.create(
        model=OSS, messages=[{"role": "user", "content": "emulator:fail"}], stream=True
    )
    chunks = [chunk async for chunk in stream]

    assert "Internal error" in chunks[-1].x_groq.error
    assert gaps(chunks[-1]) == []


async def test_models_are_listed(client):
    """Of the SDK's types."""
    found = await client.models.list()

    assert gaps(found) == []
    assert OSS in [model.id for model in found.data]


REFUSED = {
    "streamed schema": {"response_format": FORMAT, "stream": True},
    "schema and tools": {"response_format": FORMAT, "tools": [RATE]},
    "two of one": {"reasoning_format": "parsed", "include_reasoning": True},
    "effort of others": {"reasoning_effort": "default"},
    "effort of none": {"reasoning_effort": "xhigh"},
    "unknown": {"extra_body": {"stream_options": {"include_usage": True}}},
    "two answers": {"n": 2},
    "five stops": {"stop": ["1", "2", "3", "4", "5"]},
    "search by qwen": {"model": QWEN, "tools": [{"type": "browser_search"}]},
    "file": {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
async def test_what_the_vendor_refuses_is_refused(client, ask):
    """By status 400, with the field's name or words that say what is wrong."""
    with pytest.raises(groq.BadRequestError) as caught:
        await client.chat.completions.create(**{"model": OSS, "messages": HELLO, **ask})

    assert caught.value.body["error"]["type"] == "invalid_request_error"


async def test_faults_have_the_vendors_statuses(client, vendor):
    """498 is one of its own."""
    vendor.script(Status(429, retry_after=2), Status(498))
    with pytest.raises(groq.RateLimitError):
        await client.chat.completions.create(model=OSS, messages=HELLO)
    with pytest.raises(groq.APIStatusError) as caught:
        await client.chat.completions.create(model=OSS, messages=HELLO)
    assert caught.value.status_code == 498
    assert caught.value.body["error"]["code"] == "capacity_exceeded"
    with pytest.raises(groq.NotFoundError):
        await client.chat.completions.create(model="llama-3.3-70b-versatile", messages=HELLO)
    with pytest.raises(groq.AuthenticationError):
        await client.with_options(api_key="gsk_wrong").chat.completions.create(
            model=OSS, messages=HELLO
        )
