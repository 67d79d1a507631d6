"""The emulator of OpenAI, as the vendor's own SDK sees it."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import get_args

import httpx2
import openai
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Cut, Emulated, Pings, Raw, Reset, Rewrite, Status, emulated, gaps
from anymodal_openai.emulator import CHAT_ONLY, MODELS, OTHERS, RESPONSES_ONLY
from openai.types.shared import ResponsesModel
from pydantic import BaseModel

SPEC = EmulatorSpec(
    provider="openai", app="anymodal_openai.emulator:app", key="sk-emulated", base_path="/v1"
)
MODEL = "gpt-6.1-sol"
HELLO = [{"role": "user", "content": "Hello there!"}]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


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


pytestmark = pytest.mark.anyio


# -- Responses ----------------------------------------------------------------------------


async def test_response(client, vendor):
    """Whole, of the SDK's types, with the vendor's id of the request."""
    found = await client.responses.create(model=MODEL, input="Hello there!", instructions="Brief.")

    assert gaps(found) == []
    assert f"openai ({MODEL}) heard: Hello there! | system: Brief." == found.output_text
    assert (found.status, found.model) == ("completed", MODEL)
    assert (found.usage.input_tokens, found.usage.output_tokens) == (5, 20)
    assert found._request_id.startswith("req_")
    assert vendor.requests[0].client.startswith("AsyncOpenAI/Python")


ASKS = {
    "words": {"input": "Hello there!"},
    "reasoning": {
        "input": "Hello there!",
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    },
    "tool": {
        "input": "Use rate now.",
        "tools": [{"type": "function", "name": "rate", "parameters": CITY, "strict": True}],
    },
    "schema": {
        "input": "Hello there!",
        "text": {"format": {"type": "json_schema", "name": "c", "schema": CITY, "strict": True}},
    },
    "search": {"input": "Hello there!", "tools": [{"type": "web_search"}]},
    "cited": {"input": "emulator:cite"},
    "refusal": {"input": "emulator:refuse"},
    "length": {"input": "emulator:long", "max_output_tokens": 16},
    "filter": {"input": "emulator:filter"},
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_every_response_and_every_frame_is_of_the_sdks_types(client, ask):
    """Nothing missing, nothing left over; and the stream comes to what the whole one is."""
    whole = await client.responses.create(model=MODEL, **ask)
    frames = [
        event async for event in await client.responses.create(model=MODEL, stream=True, **ask)
    ]

    assert [gap for found in (whole, *frames) for gap in gaps(found)] == []
    assert list(range(len(frames))) == [frame.sequence_number for frame in frames]
    assert [frame.type for frame in frames[:2]] == ["response.created", "response.in_progress"]
    assert f"response.{whole.status}" == frames[-1].type
    last = frames[-1].response
    assert whole.output_text == last.output_text
    assert whole.usage == last.usage
    assert [item.type for item in whole.output] == [item.type for item in last.output]
    deltas = "".join(frame.delta for frame in frames if frame.type == "response.output_text.delta")
    assert whole.output_text == deltas


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_the_sdks_own_accumulator_follows_the_frames(client, ask):
    """It raises where frames come out of order."""
    async with client.responses.stream(model=MODEL, **ask) as stream:
        kinds = [event.type async for event in stream]

    assert "response.output_item.done" in kinds


async def test_frames_of_words_come_in_the_vendors_order(client):
    """As the reference shows them for one message."""
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
    kinds = [event.type async for event in stream]

    assert list(dict.fromkeys(kinds)) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


async def test_reasoning_is_shown_and_sealed(client):
    """Both only when asked for; the seal is taken back with the next turn."""
    first = await client.responses.create(model=MODEL, store=False, **ASKS["reasoning"])
    thought, message = first.output
    again = await client.responses.create(
        model=MODEL,
        input=[
            {"role": "user", "content": "Hello there!"},
            thought.model_dump(exclude_unset=True),
            message.model_dump(exclude_unset=True),
            {"role": "user", "content": "And now?"},
        ],
    )

    assert "high" in thought.summary[0].text
    assert first.usage.output_tokens_details.reasoning_tokens > 0
    assert again.output_text.endswith("| turn 2")
    with pytest.raises(openai.BadRequestError) as caught:
        broken = thought.model_dump(exclude_unset=True) | {"encrypted_content": "mine"}
        await client.responses.create(model=MODEL, input=[broken, *HELLO])
    assert caught.value.code == "invalid_encrypted_content"


async def test_tool_is_called_and_its_result_heard(client):
    """The arguments fit the schema; the second round answers in words."""
    tools = ASKS["tool"]["tools"]
    asked = {"role": "user", "content": "Use rate now."}
    first = await client.responses.create(model=MODEL, input=[asked], tools=tools)
    (call,) = first.output
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "seven"}
    second = await client.responses.create(
        model=MODEL, input=[asked, call.model_dump(exclude_unset=True), result], tools=tools
    )

    assert json.loads(call.arguments) == {"city": "Use rate now.", "days": 1}
    assert second.output_text.endswith("| rate returned: seven")


async def test_prompts_are_counted(client):
    """Everything that a response would be asked with counts, and nothing is said."""
    settings = {"model": MODEL, "input": HELLO, "instructions": "Be brief."}
    counted = await client.responses.input_tokens.count(**settings)
    response = await client.responses.create(**settings)

    assert [] == gaps(counted)
    assert response.usage.input_tokens == counted.input_tokens > 0
    with pytest.raises(openai.BadRequestError):
        await client.responses.input_tokens.count(**settings, extra_body={"store": False})
    with pytest.raises(openai.NotFoundError):
        await client.responses.input_tokens.count(**{**settings, "model": "gpt-none"})


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"oneOf": [{"type": "string"}]}, "'oneOf' is not permitted"),
        ({"type": "array", "items": {"type": "null"}, "uniqueItems": True}, "'uniqueItems' is"),
        ({"$ref": "#/$defs/x", "description": "d"}, "$ref cannot have keywords {'description'}"),
    ],
)
async def test_strict_schemas_are_looked_through(client, schema, fault):
    """What strict mode refuses is refused, and without it nothing is."""
    whole = {**CITY, "properties": {**CITY["properties"], "city": schema}}
    whole["$defs"] = {"x": {"type": "string"}}
    form = {"type": "json_schema", "name": "c", "schema": whole}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(
            model=MODEL, input=HELLO, text={"format": {**form, "strict": True}}
        )
    assert fault in str(caught.value)
    await client.responses.create(model=MODEL, input=HELLO, text={"format": form})


async def test_conversation_goes_on_from_a_stored_response(client):
    """And from one that was not stored it does not."""
    first = await client.responses.create(model=MODEL, input="One.")
    second = await client.responses.create(model=MODEL, input="Two.", previous_response_id=first.id)
    third = await client.responses.create(
        model=MODEL, input="Three.", previous_response_id=second.id, store=False
    )

    assert third.output_text.endswith("heard: Three. | turn 3")
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model=MODEL, input="4", previous_response_id=third.id)
    assert caught.value.code == "previous_response_not_found"


async def test_structured_output_parses(client):
    """The SDK makes the schema and reads the answer."""

    class Trip(BaseModel):
        city: str
        days: int

    found = await client.responses.parse(model=MODEL, input="Plan.", text_format=Trip)
    chat = await client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Trip)

    assert Trip(city=f"openai ({MODEL}) heard: Plan.", days=1) == found.output_parsed
    assert chat.choices[0].message.parsed.days == 1


async def test_picture_and_file_arrive(client):
    """Type, bytes and pixels of the very picture that was sent."""
    picture = png(64, 48)
    found = await client.responses.create(
        model=MODEL,
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look."},
                    {"type": "input_image", "image_url": uri("image/png", picture)},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": uri("application/pdf", b"%PDF-1.7"),
                    },
                ],
            }
        ],
    )

    assert f"| image/png, {len(picture)} bytes, 64x48 pixels |" in found.output_text
    assert found.output_text.endswith("| application/pdf, 8 bytes, a.pdf")


async def test_failed_response_is_a_200(client):
    """The vendor says so in the object, or in the last frame."""
    whole = await client.responses.create(model=MODEL, input="emulator:fail")
    stream = await client.responses.create(model=MODEL, input="emulator:fail", stream=True)
    last = [event async for event in stream][-1]

    assert (whole.status, whole.error.code) == ("failed", "server_error")
    assert last.type == "response.failed"
    assert gaps(whole) + gaps(last) == []


async def test_cached_tokens_are_counted(client):
    """Of a key seen before."""
    ask = {"model": MODEL, "input": "Hello there!", "prompt_cache_key": "k"}
    found = [await client.responses.create(**ask) for _ in range(2)]

    assert [one.usage.input_tokens_details.cached_tokens for one in found] == [0, 3]


# -- Chat Completions -----------------------------------------------------------------------

CHATS = {
    "words": {"messages": HELLO},
    "tool": {
        "messages": [{"role": "user", "content": "Use rate now."}],
        "tools": [
            {"type": "function", "function": {"name": "rate", "parameters": CITY, "strict": True}}
        ],
    },
    "json": {"messages": HELLO, "response_format": {"type": "json_object"}},
    "two": {"messages": HELLO, "n": 2},
    "refusal": {"messages": [{"role": "user", "content": "emulator:refuse"}]},
    "length": {"messages": HELLO, "max_completion_tokens": 4},
    "filter": {"messages": [{"role": "user", "content": "emulator:filter"}]},
    "stop": {"messages": HELLO, "stop": "heard"},
}


@pytest.mark.parametrize("ask", CHATS.values(), ids=CHATS)
async def test_every_completion_and_every_chunk_is_of_the_sdks_types(client, ask):
    """The role first, usage last and in a chunk of its own, and the same words in all."""
    whole = await client.chat.completions.create(model=MODEL, **ask)
    stream = await client.chat.completions.create(
        model=MODEL, stream=True, stream_options={"include_usage": True}, **ask
    )
    chunks = [chunk async for chunk in stream]

    assert [gap for found in (whole, *chunks) for gap in gaps(found)] == []
    assert chunks[0].choices[0].delta.role == "assistant"
    assert ([], whole.usage) == (chunks[-1].choices, chunks[-1].usage)
    assert whole.choices[-1].finish_reason == chunks[-2].choices[0].finish_reason
    for choice in whole.choices:
        mine = [c for chunk in chunks for c in chunk.choices if c.index == choice.index]
        assert (choice.message.content or "") == "".join(c.delta.content or "" for c in mine)
        assert (choice.message.refusal or "") == "".join(c.delta.refusal or "" for c in mine)
        arguments = [call.function.arguments for c in mine for call in c.delta.tool_calls or ()]
        calls = choice.message.tool_calls or []
        assert "".join(call.function.arguments for call in calls) == "".join(arguments)


async def test_chat_without_usage_has_none(client):
    """The vendor sends it only to those who ask."""
    stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    assert {None} == {chunk.usage async for chunk in stream}


async def test_chat_hears_everything(client):
    """System prompt, picture, sound, a tool's result, the number of turns."""
    found = await client.chat.completions.create(
        model="gpt-audio-mini",
        messages=[
            {"role": "system", "content": "Brief."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hi."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look and listen."},
                    {"type": "image_url", "image_url": {"url": uri("image/png", png(3, 2))}},
                    {
                        "type": "input_audio",
                        "input_audio": {
                            "data": base64.b64encode(b"RIFF").decode(),
                            "format": "wav",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "rate", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "seven"},
        ],
    )

    text = found.choices[0].message.content
    assert text.startswith("openai (gpt-audio-mini) heard: Look and listen. | system: Brief. | ")
    assert ", 3x2 pixels | audio/wav, 4 bytes | rate returned: seven | turn 2" in text


async def test_error_in_mid_stream_is_the_sdks(client):
    """After some words an error stands where a chunk should be."""
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "emulator:fail"}], stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        [chunk async for chunk in stream]

    assert openai.APIError is type(caught.value)


# -- models ---------------------------------------------------------------------------------


async def test_models(client):
    """All that are served, and one by its name."""
    listed = [model async for model in client.models.list()]
    one = await client.models.retrieve(MODEL)

    assert [gap for model in (*listed, one) for gap in gaps(model)] == []
    assert [model.id for model in listed] == [*MODELS, *CHAT_ONLY, *RESPONSES_ONLY, *OTHERS]
    named = {name for literal in get_args(ResponsesModel)[1:] for name in get_args(literal)}
    assert set(MODELS) - named == {"gpt-5.4-2026-03-05"}
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-1")


# -- what is refused --------------------------------------------------------------------------


def tool(**schema: object) -> dict[str, object]:
    return {"type": "function", "name": "f", "strict": True, "parameters": schema}


REFUSED = {
    "unknown field": ({"wibble": 1}, "unknown_parameter", "wibble"),
    "wrong type": ({"temperature": "hot"}, "invalid_type", "temperature"),
    "out of range": ({"temperature": 3}, "invalid_value", "temperature"),
    "wrong value": ({"service_tier": "gold"}, "invalid_value", "service_tier"),
    "unknown field within": ({"reasoning": {"hard": 1}}, "unknown_parameter", "reasoning.hard"),
    "too few tokens": ({"max_output_tokens": 3}, "integer_below_min_value", "max_output_tokens"),
    "a temperature while reasoning": (
        {"temperature": 0.5},
        "unsupported_parameter",
        "temperature",
    ),
    "a share while reasoning": (
        {"model": "gpt-5.1", "top_p": 0.5, "reasoning": {"effort": "low"}},
        "unsupported_parameter",
        "top_p",
    ),
    "an effort of the first models": (
        {"reasoning": {"effort": "minimal"}},
        "unsupported_value",
        "reasoning.effort",
    ),
    "an effort of the later models": (
        {"model": "gpt-5-mini-2025-08-07", "reasoning": {"effort": "none"}},
        "unsupported_value",
        "reasoning.effort",
    ),
    "unknown item": ({"input": [{"type": "song"}]}, "invalid_value", "input[0].type"),
    "unknown part": (
        {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        "invalid_value",
        "input[0].content[0].type",
    ),
    "the user's part in the model's turn": (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "a"}]}]},
        "invalid_value",
        "input[0].content[0].type",
    ),
    "a file without a name": (
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_data": "data:"}]}]},
        "missing_required_parameter",
        "input[0].content[0].filename",
    ),
    "a picture that is none": (
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
        "invalid_image_url",
        "input[0].content[0]",
    ),
    "an open object in strict mode": (
        {"tools": [tool(type="object", properties={})]},
        "invalid_function_parameters",
        "tools[0].parameters",
    ),
    "an optional property in strict mode": (
        {"tools": [tool(type="object", properties={"a": {}}, additionalProperties=False)]},
        "invalid_function_parameters",
        "tools[0].parameters",
    ),
    "a result without its call": (
        {"input": [{"type": "function_call_output", "call_id": "c", "output": ""}]},
        None,
        "input",
    ),
    "a call without its result": (
        {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]},
        None,
        "input",
    ),
    "an empty conversation": ({"input": []}, "invalid_value", "input"),
    "no prompt at all": ({"input": None}, "invalid_type", "input"),
    "a long prompt": ({"input": "emulator:context"}, "context_length_exceeded", None),
    "a blocked prompt": ({"input": "emulator:block"}, "content_policy_violation", None),
}


@pytest.mark.parametrize(("ask", "code", "param"), REFUSED.values(), ids=REFUSED)
async def test_response_is_refused(client, ask, code, param):
    """As the vendor refuses it: status, code and place."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/responses", body={"model": MODEL, "input": "Hi", **ask}, cast_to=object)

    assert (code, param) == (caught.value.code, caught.value.param)


CHAT_REFUSED = {
    "unknown field": ({"wibble": 1}, "unknown_parameter", "wibble"),
    "options of a stream without one": ({"stream_options": {}, "n": 0}, "invalid_value", "n"),
    "usage without a stream": (
        {"stream_options": {"include_usage": True}},
        None,
        "stream_options",
    ),
    "the old limit": ({"max_tokens": 5}, "unsupported_parameter", "max_tokens"),
    "no messages": ({"messages": []}, "invalid_value", "messages"),
    "unknown role": (
        {"messages": [{"role": "robot", "content": ""}]},
        "invalid_value",
        "messages[0].role",
    ),
    "no content": ({"messages": [{"role": "user"}]}, "missing_required_parameter", None),
    "a field that no message has": (
        {"messages": [{"role": "user", "content": "a", "mood": "good"}]},
        "unknown_parameter",
        "messages[0].mood",
    ),
    "a result without its call": (
        {"messages": [{"role": "tool", "content": "", "tool_call_id": "c"}]},
        None,
        "messages[0].role",
    ),
    "a format without a schema": (
        {"response_format": {"type": "json_schema"}},
        "missing_required_parameter",
        "response_format.json_schema",
    ),
}


@pytest.mark.parametrize(("ask", "code", "param"), CHAT_REFUSED.values(), ids=CHAT_REFUSED)
async def test_completion_is_refused(client, ask, code, param):
    """As the vendor refuses it."""
    body = {"model": MODEL, "messages": HELLO, **ask}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/chat/completions", body=body, cast_to=object)

    assert code == caught.value.code
    assert param in {caught.value.param, None}


@pytest.mark.parametrize("path", ["/responses", "/chat/completions"])
async def test_unknown_model(client, path):
    """The SDK has a class for it."""
    body = {"model": "gpt-1", "input": "Hi"}
    if "chat" in path:
        body = {"model": "gpt-1", "messages": HELLO}
    with pytest.raises(openai.NotFoundError) as caught:
        await client.post(path, body=body, cast_to=object)

    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("path", "model"), [("/responses", "gpt-audio"), ("/chat/completions", "o3-pro")]
)
async def test_model_of_the_other_protocol(client, path, model):
    """Not every model speaks both."""
    body = {"model": model, "messages": HELLO}
    if "responses" in path:
        body = {"model": model, "input": "Hi"}
    with pytest.raises(openai.NotFoundError, match="not supported in the v1"):
        await client.post(path, body=body, cast_to=object)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("gpt-4.1", {"temperature": 0.5, "top_p": 0.5}),
        ("gpt-5.1", {"temperature": 0.5}),
        ("gpt-5.6-sol", {"temperature": 0.5, "reasoning": {"effort": "none"}}),
        (MODEL, {"temperature": 1}),
        ("gpt-5-mini", {"reasoning": {"effort": "minimal"}}),
    ],
)
async def test_settings_that_a_model_takes(client, model, settings):
    """The refusals above are not for all."""
    found = await client.responses.create(model=model, input="Hi", **settings)

    assert found.status == "completed"


async def test_wrong_key_is_refused_and_not_repeated(client):
    """The vendor masks it in its answer, and so does this."""
    wrong = client.with_options(api_key="sk-wrong-and-long-enough")
    with pytest.raises(openai.AuthenticationError) as caught:
        await wrong.models.list()

    assert caught.value.code == "invalid_api_key"
    assert "sk-wrong-and-long-enough" not in str(caught.value)


async def test_missing_key_is_refused(client):
    """With no header at all."""
    with pytest.raises(openai.AuthenticationError):
        await client.models.list(extra_headers={"Authorization": openai.Omit()})


async def test_spent_account(client):
    """A 429 that waiting does not help."""
    with pytest.raises(openai.RateLimitError) as caught:
        await client.responses.create(model=MODEL, input="emulator:quota")

    assert caught.value.code == "insufficient_quota"


STATUSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}


@pytest.mark.parametrize(("status", "cls"), STATUSES.items())
async def test_scripted_status_raises_the_sdks_class(client, vendor, status, cls):
    """With a body that the SDK reads."""
    vendor.script(Status(status))
    with pytest.raises(cls) as caught:
        await client.responses.create(model=MODEL, input="Hi")

    assert status == caught.value.status_code
    assert "says the emulator" in caught.value.message


@pytest.mark.parametrize("fault", [Reset(), Cut(), Raw(b"nonsense\r\n\r\n")])
async def test_broken_connection_raises_the_sdks_class(client, vendor, fault):
    """Before an answer."""
    vendor.script(fault)
    with pytest.raises(openai.APIConnectionError):
        await client.responses.create(model=MODEL, input="Hi")


async def test_cut_in_mid_stream_raises_the_sdks_class(client, vendor):
    """After the first frames."""
    vendor.script(Cut(after_bytes=3000))
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        [event async for event in stream]


async def test_pings_are_no_events(client, vendor):
    """The SDK waits for ever; only a deadline of one's own ends it."""
    vendor.script(Pings(0.0, count=5))
    stream = await client.responses.create(model=MODEL, input="Hi", stream=True)

    assert [event async for event in stream] == []


async def test_sdk_retries_a_scripted_status_by_itself(client, vendor):
    """One fault is for one request."""
    vendor.script(Status(429, retry_after=0.01))
    found = await client.with_options(max_retries=1).responses.create(model=MODEL, input="Hi")

    assert found.output_text
    assert len(vendor.requests) == 2


def test_key_is_not_printed(vendor):
    """Nor in a log."""
    assert vendor.key not in repr(vendor)
    assert vendor.key == vendor.settings()["providers"]["openai"]["api_key"]


@pytest.mark.parametrize("stream", [False, True])
async def test_plain_dialect_is_of_the_sdks_types_too(stream):
    """Endpoints of one's own are often called with this SDK."""
    spec = EmulatorSpec(
        provider="openai-compatible",
        app="anymodal_openai_compatible.emulator:app",
        base_path="/v1",
    )
    with emulated(spec) as vendor:
        async with openai.AsyncOpenAI(base_url=vendor.base_url, api_key="any") as client:
            found = await client.chat.completions.create(model="m", messages=HELLO, stream=stream)
            answers = [chunk async for chunk in found] if stream else [found]

    assert [gap for answer in answers for gap in gaps(answer)] == []


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [
        (b'"annotations":[],', b"", "Response.output[0].content[0].annotations: missing"),
        (b'"object":"response"', b'"object":"response","odd":1', "Response.odd: left over"),
        (
            b'"total_tokens":',
            b'"odd_tokens":1,"total_tokens":',
            "Response.usage.odd_tokens: left over",
        ),
    ],
)
async def test_gaps_are_seen_through_the_sdks_types(client, vendor, before, after, gap):
    """The check that the tests above lean on does find what it looks for."""
    vendor.script(Rewrite(lambda _, body: body.replace(before, after)))
    found = await client.responses.create(model=MODEL, input="Hi")

    assert gaps(found) == [gap]


async def test_wrong_type_is_seen_through_the_sdks_types(client, vendor):
    """The SDK keeps what comes, whatever its type."""
    vendor.script(
        Rewrite(lambda _, body: body.replace(b'"top_logprobs":0', b'"top_logprobs":"no"'))
    )
    found = await client.responses.create(model=MODEL, input="Hi")

    (gap,) = gaps(found)
    assert "top_logprobs" in gap
