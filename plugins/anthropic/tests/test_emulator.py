"""The emulator of Anthropic, as the vendor's own SDK sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import get_args

import anthropic
import anymodal_anthropic
import httpx2
import pytest
from anthropic.types import Model
from anymodal_anthropic.models import MODELS
from anymodal_emulator import Cut, Emulated, Status, emulated, gaps
from anymodal_emulator.samples import pdf, png

(SPEC,) = anymodal_anthropic.anymodal_emulators()
MODEL = "claude-opus-5"
HELLO = [{"role": "user", "content": "Hello there!"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
RATE = {"name": "rate", "description": "Tells a rate.", "input_schema": CITY}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
SHOWN = {"type": "adaptive", "display": "summarized"}


def image(data, media_type="image/png"):
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


def document(data=None, text=None, **more):
    source = {"type": "text", "media_type": "text/plain", "data": text}
    if data is not None:
        source = {
            "type": "base64",
            "media_type": "application/pdf",
            "data": base64.b64encode(data).decode(),
        }
    return {"type": "document", "source": source, **more}


def user(*content):
    return {"role": "user", "content": list(content)}


def words(text):
    return {"type": "text", "text": text}


@pytest.fixture
def anyio_backend() -> str:
    """The provider runs on both; what is tested here is the server."""
    return "asyncio"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
async def client(vendor: Emulated, anyio_backend) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=vendor.base_url, api_key=vendor.key, max_retries=0, timeout=10
    ) as made:
        yield made


pytestmark = pytest.mark.anyio


async def test_message(client, vendor):
    """Whole, of the SDK's types, with the vendor's id of the request."""
    found = await client.messages.create(
        model=MODEL, max_tokens=99, messages=HELLO, system="Brief.", metadata={"user_id": "u"}
    )

    assert gaps(found) == []
    assert found.content[0].text == f"anthropic ({MODEL}) heard: Hello there! | system: Brief."
    assert (found.stop_reason, found.model) == ("end_turn", MODEL)
    assert (found.usage.input_tokens, found.usage.output_tokens) == (5, 18)
    assert found._request_id.startswith("req_")
    assert vendor.requests[0].headers["anthropic-version"] == "2026-10-21"


ASKS = {
    "words": {},
    "thinking": {"thinking": SHOWN, "output_config": {"effort": "max"}},
    "hidden thinking": {"thinking": {"type": "adaptive"}},
    "budget": {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}},
    "tool": {"messages": [user(words("Use rate now."))], "tools": [RATE], "thinking": SHOWN},
    "forced": {"tools": [{**RATE, "strict": True}], "tool_choice": {"type": "any"}},
    "schema": {"output_config": {"format": {"type": "json_schema", "schema": CITY}}},
    "search": {"tools": [SEARCH], "thinking": SHOWN},
    "cited": {"messages": [user(words("emulator:cite"))]},
    "documents": {
        "messages": [
            user(
                document(pdf("One."), title="One", citations={"enabled": True}),
                document(text="Two in plain words.", citations={"enabled": True}),
                words("emulator:cite"),
            )
        ]
    },
    "refusal": {"messages": [user(words("emulator:refuse"))]},
    "filter": {"messages": [user(words("emulator:filter"))]},
    "block": {"messages": [user(words("emulator:block"))]},
    "length": {"messages": [user(words("emulator:long"))], "max_tokens": 16},
    "stop": {"messages": [user(words("one END two"))], "stop_sequences": ["END"]},
    "cache": {"cache_control": {"type": "ephemeral"}, "system": [words("Brief.")]},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_message_and_every_frame_is_of_the_sdks_types(vendor, ask):
    """Nothing missing, nothing left over; and the stream comes to what the whole one is."""
    ask = {"model": MODEL, "max_tokens": 2000, "messages": HELLO, **ask}
    found = []
    for stream in (False, True):
        with emulated(SPEC) as fresh:
            async with anthropic.AsyncAnthropic(
                base_url=fresh.base_url, api_key=fresh.key, max_retries=0, timeout=10
            ) as client:
                answer = await client.messages.create(stream=stream, **ask)
                found.append([frame async for frame in answer] if stream else answer)
                if stream:
                    async with client.messages.stream(**ask) as helper:
                        final = await helper.get_final_message()
    whole, frames = found

    assert [gap for one in (whole, *frames) for gap in gaps(one)] == []
    assert [frames[0].type, frames[-2].type, frames[-1].type] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert whole.stop_reason == final.stop_reason == frames[-2].delta.stop_reason
    assert [block.type for block in whole.content] == [block.type for block in final.content]
    for one, other in zip(whole.content, final.content, strict=True):
        if one.type in {"text", "thinking"}:
            assert one.to_dict() == {"citations": None, **other.to_dict()} or one == other
    assert whole.usage.output_tokens == final.usage.output_tokens


async def test_frames_of_words_come_in_the_vendors_order(client, vendor):
    """As the reference shows them for one message; a ping is among them."""
    stream = await client.messages.create(model=MODEL, max_tokens=99, messages=HELLO, stream=True)
    kinds = [event.type async for event in stream]
    raw = httpx2.post(
        f"{vendor.base_url}/v1/messages",
        headers={"x-api-key": vendor.key, "anthropic-version": "2026-10-21"},
        json={"model": MODEL, "max_tokens": 9, "messages": HELLO, "stream": True},
    )

    assert list(dict.fromkeys(kinds)) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert 'event: ping\ndata: {"type":"ping"}' in raw.text


async def test_tool_is_called_and_its_result_heard(client):
    """The arguments fit the schema; the second round answers in words, and hears of failure."""
    asked = user(words("Use rate now."))
    settings = {"model": MODEL, "max_tokens": 999, "tools": [RATE], "thinking": SHOWN}
    first = await client.messages.create(messages=[asked], **settings)
    thought, call = first.content
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "no", "is_error": True}
    second = await client.messages.create(
        messages=[asked, first.to_param(), user(result)], **settings
    )

    assert thought.thinking
    assert call.input == {"city": "Use rate now.", "days": 1}
    assert first.stop_reason == "tool_use"
    assert second.content[-1].text.endswith("| rate returned: error: no")


async def test_thinking_is_verified_when_it_comes_back(client):
    """Signature, words, and on newer models all that stood before it."""
    settings = {"model": "claude-opus-5-5", "max_tokens": 999, "thinking": SHOWN}
    first = await client.messages.create(messages=HELLO, **settings)
    turn = json.loads(first.to_json())["content"]
    more = user(words("And now?"))

    async def again(content, messages=HELLO, **changed):
        talk = [*messages, {"role": "assistant", "content": content}, more]
        found = await client.messages.create(messages=talk, **{**settings, **changed})
        return found.content[-1].text

    assert (await again(turn)).endswith("| turn 2")
    assert (await again(turn, [user(words("Hello there!"))])).endswith("| turn 2")
    assert (await again(turn, model="claude-opus-5", system="New.")).endswith("| turn 2")
    changed = {**turn[0], "thinking": "Other thoughts."}
    for call in (
        again([changed, turn[1]]),
        again([{**turn[0], "signature": "mine"}, turn[1]]),
        again(turn, system="New."),
        again(turn, tools=[RATE]),
        again(turn, [user(words("Other."))]),
    ):
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
            await call


async def test_a_search_goes_back_with_its_results(client):
    """Blocks of the vendor's own tools are taken as they were given."""
    settings = {"model": MODEL, "max_tokens": 999, "tools": [SEARCH]}
    first = await client.messages.create(messages=HELLO, **settings)
    more = user(words("And now?"))
    second = await client.messages.create(messages=[*HELLO, first.to_param(), more], **settings)
    paused = {"role": "assistant", "content": first.to_param()["content"][:2]}
    third = await client.messages.create(messages=[*HELLO, paused], **settings)

    assert first.usage.server_tool_use.web_search_requests == 1
    assert second.content[-1].citations[0].url == "https://example.com/source"
    assert third.stop_reason == "end_turn"


async def test_media_are_seen(client):
    """Bytes with type and size, or a URL."""
    content = [
        image(png(8, 4)),
        {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        document(pdf("Deed."), title="deed.pdf"),
        document(text="plain"),
        words("See:"),
    ]
    found = await client.messages.create(model=MODEL, max_tokens=99, messages=[user(*content)])

    assert "8x4 pixels" in found.content[0].text
    assert "image at https://a.example/b.png" in found.content[0].text
    assert "deed.pdf" in found.content[0].text
    assert "text/plain, 5 bytes" in found.content[0].text


async def test_what_was_cached_is_counted_beside_the_input(client):
    """Written at first, read then."""
    ask = {"model": MODEL, "max_tokens": 99, "cache_control": {"type": "ephemeral"}}
    first = (await client.messages.create(messages=HELLO, **ask)).usage
    second = (await client.messages.create(messages=HELLO, **ask)).usage

    assert (first.input_tokens, first.cache_creation_input_tokens) == (0, 3)
    assert (second.cache_read_input_tokens, second.cache_creation_input_tokens) == (3, 0)


async def test_tokens_are_counted(client):
    """As usage has them."""
    found = await client.messages.count_tokens(model=MODEL, messages=HELLO, system="Brief.")

    assert gaps(found) == []
    assert found.input_tokens == 5


async def test_models(client):
    """Every page of the SDK's types; retired ones only when asked for."""
    page = await client.models.list(limit=5)
    everything = [model async for model in page]
    retired = [model.id async for model in await client.models.list(lifecycle=["retired"])]
    one = await client.models.retrieve("claude-opus-5-5")

    assert [gap for model in everything for gap in gaps(model)] == []
    assert len(page.data) == 5
    assert {model.id for model in everything} == {
        model.id for model in MODELS if model.lifecycle.state != "retired"
    }
    assert "claude-mythos-preview" in retired
    assert one.capabilities.thinking.types.disabled.supported is False
    assert one.max_tokens == 128_000


def test_every_model_of_the_sdk_is_known():
    """A new one is seen here; those that were retired are in the table too."""
    named = set(get_args(get_args(Model)[0]))

    assert named <= {model.id for model in MODELS}


# -- what the vendor refuses ------------------------------------------------------------

TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "rate", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1"}
CALLED = [*HELLO, {"role": "assistant", "content": [TOOL_USE]}]
OPEN = {"type": "object", "properties": {}}
FORMAT = {"type": "json_schema", "schema": OPEN}
NULLABLE = {"type": ["string", "null"], "enum": ["a", None]}
LOOSE = {**FORMAT, "schema": {**CITY, "properties": {"n": {"type": "integer", "minimum": 1}}}}
REFUSED = {
    "unknown field": ({"seed": 1}, "seed: Extra inputs are not permitted"),
    "no max_tokens": ({"max_tokens": None}, "max_tokens: Field required"),
    "no messages": ({"messages": []}, "at least one message"),
    "too many tokens": ({"max_tokens": 128_001}, "128001 > 128000"),
    "temperature": ({"temperature": 1.0}, "temperature: is not supported in API version"),
    "top_k": ({"top_k": 5}, "top_k: is not supported"),
    "wrong type": ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid array"),
    "blank stop": ({"stop_sequences": [" "]}, "non-whitespace"),
    "role": ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be"),
    "block": ({"messages": [user({"type": "audio"})]}, "messages.0.content.0.type"),
    "block field": ({"messages": [user({**words("x"), "x": 1})]}, "content.0.x: Extra inputs"),
    "blank text": ({"messages": [user(words(" "))]}, "must be non-empty"),
    "no content": ({"messages": [user()]}, "non-empty content"),
    "citations of a user": (
        {"messages": [user({**words("x"), "citations": [{"type": "char_location"}]})]},
        "citations are not supported",
    ),
    "document of a model": (
        {"messages": [*HELLO, {"role": "assistant", "content": [document(text="x")]}, *HELLO]},
        "messages.1.content.0.type",
    ),
    "prefill": (
        {"messages": [*HELLO, {"role": "assistant", "content": "So"}]},
        "does not support assistant message prefill",
    ),
    "not base64": (
        {"messages": [user({**image(b""), "source": {**image(b"")["source"], "data": "?"}})]},
        "invalid base64",
    ),
    "another type": (
        {"messages": [user(image(png(2, 2), "image/jpeg"))]},
        "appears to be a image/png",
    ),
    "media type": ({"messages": [user(image(b"x", "image/avif"))]}, "media_type: Input should be"),
    "no result": ({"messages": [*CALLED, *HELLO], "tools": [RATE]}, "without `tool_result`"),
    "no call": ({"messages": [user(RESULT)]}, "unexpected `tool_use_id`"),
    "late result": ({"messages": [*CALLED, user(words("x"), RESULT)]}, "must come first"),
    "open call": ({"messages": CALLED}, "`tool_use` without `tool_result`"),
    "id": (
        {"messages": [*HELLO, {"role": "assistant", "content": [{**TOOL_USE, "id": "a:b"}]}]},
        "should match pattern",
    ),
    "id again": (
        {"messages": [*CALLED, user(RESULT), CALLED[-1], user(RESULT)]},
        "ids must be unique",
    ),
    "choice of none": (
        {"tool_choice": {"type": "auto"}},
        "only be specified while providing tools",
    ),
    "unknown tool": (
        {"tools": [RATE], "tool_choice": {"type": "tool", "name": "x"}},
        "not found in provided tools",
    ),
    "twice": ({"tools": [RATE, RATE]}, "must be unique"),
    "no object": (
        {"tools": [{**RATE, "input_schema": {"type": "string"}}]},
        "tools.0.input_schema.type",
    ),
    "loose tool": ({"tools": [{**RATE, "input_schema": OPEN, "strict": True}]}, "set to false"),
    "domains": (
        {"tools": [{**SEARCH, "allowed_domains": ["a"], "blocked_domains": ["b"]}]},
        "only one of",
    ),
    "forced": (
        {"model": "claude-opus-5-5", "tools": [RATE], "tool_choice": {"type": "any"}},
        "not supported for this model",
    ),
    "always thinks": (
        {"model": "claude-opus-5-5", "thinking": {"type": "disabled"}},
        "thinking.type.disabled",
    ),
    "between tools": (
        {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}},
        "thinking.type.disabled",
    ),
    "off and hard": (
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
        "not supported at effort",
    ),
    "budget": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking.type.enabled"),
    "small budget": ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "budget_tokens"),
    "no budget": (
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled"}},
        "thinking.enabled.budget_tokens: Field required",
    ),
    "no room": (
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 2000}},
        "must be greater than `thinking.budget_tokens`",
    ),
    "budget and tool": (
        {
            "model": "claude-haiku-4-5",
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tools": [RATE],
            "tool_choice": {"type": "any"},
        },
        "when tool_choice forces tool use",
    ),
    "adaptive": ({"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}}, "adaptive"),
    "effort": (
        {"model": "claude-opus-4-6", "output_config": {"effort": "xhigh"}},
        "does not support effort level 'xhigh'",
    ),
    "open schema": ({"output_config": {"format": FORMAT}}, "must be explicitly set to false"),
    "bounds": ({"output_config": {"format": LOOSE}}, "properties minimum are not supported"),
    "typed values": (
        {"output_config": {"format": {**FORMAT, "schema": NULLABLE}}},
        "Enum value 'a' does not match declared type '['string', 'null']'",
    ),
    "cited schema": (
        {
            "messages": [user(document(text="x", citations={"enabled": True}), words("x"))],
            "output_config": {"format": {**FORMAT, "schema": CITY}},
        },
        "Citations cannot be used",
    ),
}


@pytest.mark.parametrize(("changed", "reason"), REFUSED.values(), ids=REFUSED)
async def test_refused(client, changed, reason):
    """As the vendor does: HTTP 400, with the place and the reason."""
    body = {"model": MODEL, "max_tokens": 2000, "messages": HELLO, **changed}
    sent = {name: value for name, value in body.items() if value is not None}
    with pytest.raises(anthropic.BadRequestError) as caught:
        await client.post("/v1/messages", cast_to=object, body=sent)

    assert reason in caught.value.api_message
    assert caught.value.type == "invalid_request_error"
    assert caught.value.body["request_id"] == caught.value.request_id


@pytest.mark.parametrize(
    ("model", "settings", "reason"),
    [
        ("claude-haiku-4-5", {"temperature": 0.5}, None),
        ("claude-haiku-4-5", {"temperature": 0.5, "top_p": 0.5}, "cannot both"),
        ("claude-haiku-4-5", {"temperature": 2}, "temperature: Input should be a value <= 1"),
        ("claude-opus-5", {"temperature": 0.5}, "deprecated for this model"),
        (
            "claude-haiku-4-5",
            {"temperature": 0.5, "thinking": {"type": "enabled", "budget_tokens": 1024}},
            "when thinking is enabled",
        ),
    ],
)
async def test_the_version_before_takes_a_temperature(client, model, settings, reason):
    """From the models that do."""
    ask = {"model": model, "max_tokens": 2000, "messages": HELLO}
    older = client.with_options(default_headers={"anthropic-version": "2023-06-01"})
    if reason is None:
        found = await older.messages.create(extra_body=settings, **ask)
        assert gaps(found) == []
        return
    with pytest.raises(anthropic.BadRequestError) as caught:
        await older.messages.create(extra_body=settings, **ask)
    assert reason in caught.value.api_message


@pytest.mark.parametrize(
    ("headers", "status", "words_"),
    [
        ({"anthropic-version": "2026-10-21"}, 401, "required"),
        ({"x-api-key": "wrong", "anthropic-version": "2026-10-21"}, 401, "invalid"),
        ({"authorization": "Bearer wrong", "anthropic-version": "2026-10-21"}, 401, "invalid"),
        ({"x-api-key": SPEC.key}, 400, "anthropic-version: header is required"),
        ({"x-api-key": SPEC.key, "anthropic-version": "2024-01-01"}, 400, "not a valid version"),
        ({"x-api-key": SPEC.key, "anthropic-version": "2026-10-21"}, 200, "heard"),
        ({"authorization": f"Bearer {SPEC.key}", "anthropic-version": "2023-06-01"}, 200, "heard"),
    ],
)
async def test_key_and_version(vendor, headers, status, words_):
    """The key by either header; the version always."""
    body = {"model": MODEL, "max_tokens": 99, "messages": HELLO}
    found = httpx2.post(f"{vendor.base_url}/v1/messages", headers=headers, json=body)

    assert (found.status_code, words_ in found.text) == (status, True)
    assert found.headers["request-id"].startswith("req_")


async def test_the_rest_of_http(client, vendor):
    """Wrong paths, methods, types and bodies."""
    headers = {"x-api-key": vendor.key, "anthropic-version": "2026-10-21"}
    url = f"{vendor.base_url}/v1/messages"
    with httpx2.Client(headers=headers) as plain:
        found = [
            plain.post(f"{vendor.base_url}/v2/x"),
            plain.get(url),
            plain.post(url, content=b"{}"),
            plain.post(url, content=b"{", headers={"content-type": "application/json"}),
        ]

    assert [one.status_code for one in found] == [404, 405, 415, 400]
    assert {one.json()["type"] for one in found} == {"error"}
    for call in (
        client.models.retrieve("claude-nope"),
        client.messages.create(model="claude-nope", max_tokens=9, messages=HELLO),
    ):
        with pytest.raises(anthropic.NotFoundError):
            await call


@pytest.mark.parametrize(
    ("word", "status", "kind"),
    [
        ("context", 400, "invalid_request_error"),
        ("quota", 402, "billing_error"),
        ("fail", 500, "api_error"),
    ],
)
async def test_magic_words_that_refuse(client, word, status, kind):
    """What no test could bring about at the vendor."""
    messages = [user(words(f"emulator:{word}"))]
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=messages)

    assert (caught.value.status_code, caught.value.type) == (status, kind)


async def test_failing_in_mid_stream(client):
    """An event of its own, after three pieces; the status was 200."""
    messages = [user(words("emulator:fail"))]
    stream = await client.messages.create(
        model=MODEL, max_tokens=99, messages=messages, stream=True
    )
    pieces = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        async for event in stream:
            pieces += [event.delta.text] if event.type == "content_block_delta" else []

    assert (len(pieces), caught.value.type) == (3, "overloaded_error")


@pytest.mark.parametrize("status", [401, 403, 413, 429, 500, 504, 529])
async def test_scripted_statuses_are_the_vendors(client, vendor, status):
    """With its body, and the SDK's own exception."""
    vendor.script(Status(status, retry_after=3))
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=HELLO)

    assert caught.value.status_code == status
    assert caught.value.response.headers["retry-after"] == "3"
    assert caught.value.body["type"] == "error"


async def test_scripted_faults_break_off(client, vendor):
    """In mid-stream, too."""
    vendor.script(Cut(after_bytes=900))
    stream = await client.messages.create(model=MODEL, max_tokens=99, messages=HELLO, stream=True)
    with pytest.raises(httpx2.RemoteProtocolError):
        _ = [event async for event in stream]
