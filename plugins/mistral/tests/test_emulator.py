"""The emulator of Mistral, as the vendor's own SDK sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Emulated, Status, emulated, gaps
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError
from mistralai.client.models import ThinkChunk

SPEC = EmulatorSpec(provider="mistral", app="anymodal_mistral.emulator:app", key="key-emulated")
MODEL = "mistral-medium-3-5"
HELLO = [{"role": "user", "content": "Hello there!"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
RATE = {"type": "function", "function": {"name": "rate", "parameters": CITY}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "c", "schema": CITY, "strict": True}}
PIXEL = "data:image/png;base64,iVBORw0KGgo="

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The SDK runs its hooks by `asyncio.to_thread`."""
    return "asyncio"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
async def client(vendor: Emulated, anyio_backend) -> AsyncIterator[Mistral]:
    async with Mistral(api_key=vendor.key, server_url=vendor.base_url, timeout_ms=10_000) as made:
        yield made


async def streamed(client, **ask):
    """Return the chunks of a stream."""
    async with await client.chat.stream_async(**ask) as stream:
        return [event.data async for event in stream]


def words(content) -> str:
    """Return the words of content, in one piece or several."""
    if isinstance(content, str):
        return content
    return "".join(c.text for c in content or () if c.type == "text")


def thoughts(content) -> str:
    """Return the thoughts among the pieces of content."""
    pieces = content if isinstance(content, list) else ()
    return "".join(words(c.thinking) for c in pieces if isinstance(c, ThinkChunk))


ASKS = {
    "words": {"messages": HELLO},
    "reasoning": {"messages": HELLO, "reasoning_effort": "high"},
    "tool": {"messages": [{"role": "user", "content": "Use rate now."}], "tools": [RATE]},
    "schema": {"messages": HELLO, "response_format": FORMAT},
    "length": {"messages": [{"role": "user", "content": "emulator:long"}], "max_tokens": 16},
    "error": {"messages": [{"role": "user", "content": "emulator:filter"}]},
    "refusal": {"messages": [{"role": "user", "content": "emulator:refuse"}]},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_answer_and_every_chunk_is_of_the_sdks_types(client, ask):
    """Nothing missing, nothing left over; and the stream comes to what the whole one is."""
    whole = await client.chat.complete_async(model=MODEL, **ask)
    chunks = await streamed(client, model=MODEL, **ask)
    (choice,) = whole.choices
    deltas = [chunk.choices[0].delta for chunk in chunks]

    assert [gap for found in (whole, *chunks) for gap in gaps(found)] == []
    assert choice.finish_reason == chunks[-1].choices[0].finish_reason
    assert words(choice.message.content) == "".join(words(d.content) for d in deltas)
    assert thoughts(choice.message.content) == "".join(thoughts(d.content) for d in deltas)
    assert whole.usage == chunks[-1].usage
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


async def test_reasoning_is_a_piece_of_content_and_only_when_asked_for(client):
    """Beside it the words are a piece too."""
    plain = await client.chat.complete_async(model=MODEL, messages=HELLO)
    found = await client.chat.complete_async(model=MODEL, messages=HELLO, reasoning_effort="high")
    thinking, said = found.choices[0].message.content

    assert isinstance(plain.choices[0].message.content, str)
    assert "high" in thinking.thinking[0].text
    assert said.text == plain.choices[0].message.content


async def test_tool_is_called_whole_and_its_result_heard(client):
    """The id has nine letters and digits; the second round answers in words."""
    asked = {"role": "user", "content": "Use rate now."}
    first = await client.chat.complete_async(model=MODEL, messages=[asked], tools=[RATE])
    chunks = await streamed(client, model=MODEL, messages=[asked], tools=[RATE])
    (call,) = first.choices[0].message.tool_calls
    second = await client.chat.complete_async(
        model=MODEL,
        messages=[
            asked,
            first.choices[0].message,
            {"role": "tool", "tool_call_id": call.id, "content": "seven"},
        ],
        tools=[RATE],
    )

    assert len(call.id) == 9
    assert call.id.isalnum()
    (streamed_call,) = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or ()]
    assert streamed_call.function.arguments == call.function.arguments
    assert words(second.choices[0].message.content).endswith("| rate returned: seven")


async def test_pictures_files_and_sounds_arrive(client):
    """In the vendor's own forms."""
    found = await client.chat.complete_async(
        model=MODEL,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See:"},
                    {"type": "image_url", "image_url": PIXEL},
                    {
                        "type": "document_url",
                        "document_url": "https://a.example/a.pdf",
                        "document_name": "a.pdf",
                    },
                    {"type": "input_audio", "input_audio": "SUQzBA=="},
                ],
            }
        ],
    )

    assert "image/png, 8 bytes | file at https://a.example/a.pdf | audio/mpeg, 4 bytes" in words(
        found.choices[0].message.content
    )


async def test_prompts_with_one_key_are_cached(client):
    """As many tokens as the first had."""
    ask = {"model": MODEL, "messages": HELLO, "prompt_cache_key": "k"}
    await client.chat.complete_async(**ask)
    second = await client.chat.complete_async(**ask)

    details = second.usage.additional_properties["prompt_tokens_details"]
    assert details == {"cached_tokens": second.usage.prompt_tokens}


async def test_models_are_listed(client):
    """Of the SDK's types, with what they can do."""
    found = await client.models.list_async()

    assert gaps(found) == []
    by_id = {card.id: card for card in found.data}
    assert by_id[MODEL].capabilities.reasoning is True
    assert by_id["ministral-8b-2512"].deprecation.year == 2027


SHAPES = {
    "temperature": {"temperature": 9},
    "seed": {"random_seed": -1},
    "format": {"response_format": {"type": "text"}, "top_p": 3},
}


@pytest.mark.parametrize("ask", SHAPES.values(), ids=SHAPES)
async def test_what_does_not_fit_is_refused_with_422(client, ask):
    """The SDK has a class for it, and finds the place in it."""
    with pytest.raises(HTTPValidationError) as caught:
        await client.chat.complete_async(model=MODEL, messages=HELLO, **ask)

    (detail,) = caught.value.data.detail
    assert gaps(detail) == []
    assert detail.loc[0] == "body"


CALL = {"id": "call_a", "type": "function", "function": {"name": "rate", "arguments": "{}"}}
REFUSED = {
    "call id": {
        "messages": [
            *HELLO,
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_a", "content": "1"},
        ]
    },
    "model": {"model": "mistral-tiny"},
    "effort of others": {"reasoning_effort": "low"},
    "no thinker": {"model": "mistral-large-2512", "reasoning_effort": "high"},
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
async def test_what_the_vendor_refuses_is_refused_with_400(client, ask):
    """In its own shape."""
    with pytest.raises(SDKError) as caught:
        await client.chat.complete_async(**{"model": MODEL, "messages": HELLO, **ask})

    assert caught.value.status_code == 400
    assert '"object":"error"' in caught.value.body


async def test_faults_have_the_vendors_statuses(client, vendor):
    """And a wrong key is one."""
    vendor.script(Status(429, retry_after=2), Status(503))
    for status in (429, 503):
        with pytest.raises(SDKError) as caught:
            await client.chat.complete_async(model=MODEL, messages=HELLO)
        assert caught.value.status_code == status
    async with Mistral(api_key="wrong", server_url=vendor.base_url) as other:
        with pytest.raises(SDKError) as caught:
            await other.models.list_async()
    assert caught.value.status_code == 401
