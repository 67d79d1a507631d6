"""The emulator of DeepSeek, as the SDK that its documentation names sees it: OpenAI's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Emulated, Status, emulated, gaps

SPEC = EmulatorSpec(provider="deepseek", app="anymodal_deepseek.emulator:app", key="sk-emulated")
MODEL = "deepseek-v4-flash"
HELLO = [{"role": "user", "content": "Hello there!"}]
OFF = {"thinking": {"type": "disabled"}}
RATE = {
    "type": "function",
    "function": {
        "name": "rate",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="

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
async def client(vendor: Emulated, anyio_backend) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=vendor.base_url, api_key=vendor.key, max_retries=0, timeout=10
    ) as made:
        yield made


def own(found) -> set[str]:
    """Return what OpenAI's types do not have, by the last part of its place."""
    return {gap.rpartition(".")[2] for gap in gaps(found)}


ASKS = {
    "words": {"messages": HELLO},
    "unthinking": {"messages": HELLO, "extra_body": OFF},
    "tool": {"messages": [{"role": "user", "content": "Use rate now."}], "tools": [RATE]},
    "json": {"messages": HELLO, "response_format": {"type": "json_object"}},
    "length": {"messages": [{"role": "user", "content": "emulator:long"}], "max_tokens": 16},
    "filter": {"messages": [{"role": "user", "content": "emulator:filter"}]},
    "refusal": {"messages": [{"role": "user", "content": "emulator:refuse"}]},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_answer_and_every_chunk_is_of_the_sdks_types(client, ask):
    """Nothing missing, and nothing left over but what is DeepSeek's own."""
    whole = await client.chat.completions.create(model=MODEL, **ask)
    stream = await client.chat.completions.create(
        model=MODEL, stream=True, stream_options={"include_usage": True}, **ask
    )
    chunks = [chunk async for chunk in stream]
    thought = "extra_body" not in ask
    hits = {"prompt_cache_hit_tokens: left over", "prompt_cache_miss_tokens: left over"}
    shown = {"reasoning_content: left over"}

    assert own(whole) == (hits | shown if thought else hits)
    assert set().union(*map(own, chunks[:-1])) == (shown if thought else set())
    assert own(chunks[-1]) == hits
    (choice,) = whole.choices
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert choice.finish_reason == chunks[-2].choices[0].finish_reason
    assert (choice.message.content or "") == "".join(d.content or "" for d in deltas)
    assert whole.usage.completion_tokens == chunks[-1].usage.completion_tokens


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        (None, "high"),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "high"),
        ("xhigh", "high"),
        ("max", "max"),
    ],
)
async def test_it_thinks_unless_told_not_to(client, asked, done):
    """With the effort that the vendor maps what is asked to."""
    more = {} if asked is None else {"reasoning_effort": asked}
    found = await client.chat.completions.create(model=MODEL, messages=HELLO, **more)
    silent = await client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=OFF)

    assert f"with {done} effort" in found.choices[0].message.reasoning_content
    assert not hasattr(silent.choices[0].message, "reasoning_content")


async def test_a_turn_without_its_thought_is_refused(client):
    """Only where the model does not think, or is given a blank one, does it pass."""
    said = {"role": "assistant", "content": "Hi."}
    again = {"role": "user", "content": "And?"}
    for back in ({}, {"reasoning_content": ""}):
        with pytest.raises(openai.BadRequestError, match="must be passed back"):
            await client.chat.completions.create(
                model=MODEL, messages=[*HELLO, {**said, **back}, again]
            )
    blank = await client.chat.completions.create(
        model=MODEL, messages=[*HELLO, {**said, "reasoning_content": " "}, again]
    )
    off = await client.chat.completions.create(
        model=MODEL, messages=[*HELLO, said, again], extra_body=OFF
    )

    assert blank.choices[0].message.content.endswith("turn 2")
    assert off.choices[0].message.content.endswith("turn 2")


async def test_prompts_that_begin_alike_are_cached_unasked(client):
    """Hits and misses are the whole prompt."""
    first = await client.chat.completions.create(model=MODEL, messages=HELLO)
    second = await client.chat.completions.create(model=MODEL, messages=HELLO)

    assert first.usage.prompt_cache_hit_tokens == 0
    assert first.usage.prompt_cache_miss_tokens == first.usage.prompt_tokens
    assert second.usage.prompt_cache_hit_tokens == second.usage.prompt_tokens


async def test_models_are_listed(client):
    """Of the SDK's types."""
    found = await client.models.list()

    assert gaps(found) == []
    assert MODEL in [model.id for model in found.data]


REFUSED = {
    "schema": ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, 422),
    "thinking": ({"extra_body": {"thinking": {"type": "maybe"}}}, 422),
    "temperature": ({"temperature": 3}, 422),
    "effort": ({"reasoning_effort": "enormous"}, 422),
    "blind": (
        {
            "model": "deepseek-v4-pro",
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": PIXEL}}],
                }
            ],
        },
        422,
    ),
    "retired": ({"model": "deepseek-chat"}, 404),
    "quota": ({"messages": [{"role": "user", "content": "emulator:quota"}]}, 402),
    "risk": ({"messages": [{"role": "user", "content": "emulator:block"}]}, 400),
}


@pytest.mark.parametrize(("ask", "status"), REFUSED.values(), ids=REFUSED)
async def test_what_the_vendor_refuses_is_refused(client, ask, status):
    """With the one code that it has for everything."""
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(**{"model": MODEL, "messages": HELLO, **ask})

    assert caught.value.status_code == status
    assert caught.value.code == "invalid_request_error"


async def test_unknown_fields_are_passed_over(client):
    """DeepSeek minds no field that it does not know."""
    found = await client.chat.completions.create(model=MODEL, messages=HELLO, seed=7, user="u")

    assert found.choices[0].finish_reason == "stop"


async def test_faults_have_the_vendors_statuses(client, vendor):
    """And a wrong key is one."""
    vendor.script(Status(429), Status(503))
    with pytest.raises(openai.RateLimitError):
        await client.chat.completions.create(model=MODEL, messages=HELLO)
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model=MODEL, messages=HELLO)
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="sk-wrong").models.list()
