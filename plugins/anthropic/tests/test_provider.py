"""The whole way, from the client through the SDK to the emulator and back, on both event loops."""

from __future__ import annotations

import json

import anymodal
import anymodal_anthropic
import attrs
import pytest
from anymodal import (
    Citation,
    File,
    Finish,
    Image,
    Message,
    ReasoningDelta,
    Settings,
    TextDelta,
    ToolResult,
    ToolSpec,
)
from anymodal import errors as e
from anymodal.modalities.text import WebSearch
from anymodal_anthropic import AnthropicText
from anymodal_emulator import Cut, Drip, Reset, Rewrite, Status, emulated
from anymodal_emulator.samples import pdf, png

from .talk import ask, connection, turn_of

pytestmark = pytest.mark.anyio
(SPEC,) = anymodal_anthropic.anymodal_emulators()
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 1}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters=CITY, strict=True)
SHOWN = AnthropicText(thinking_display="summarized")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
async def provider(vendor, anyio_backend):
    made = anymodal_anthropic.connect(connection(vendor.base_url, vendor.key))
    yield made
    await made.aclose()


async def streamed(provider, request):
    """Return all events."""
    async with provider.stream(request) as stream:
        return [event async for event in stream]


async def test_through_the_client(vendor):
    """As a user writes it, with settings that point at the emulator."""
    settings = Settings.from_mapping(vendor.settings())
    async with anymodal.Client(settings) as ai:
        reply = await ai.text.generate("Hello there!", model="anthropic/claude-sonnet-5-5")
        async with ai.text.stream("Hello", model="anthropic/claude-sonnet-5-5") as stream:
            result = await stream.result()

    assert reply.text == "anthropic (claude-sonnet-5-5) heard: Hello there!"
    assert reply.record.request_id.startswith("req_")
    assert reply.record.cost.usd > 0
    assert result.text == "anthropic (claude-sonnet-5-5) heard: Hello"
    assert (result.finish_reason, result.finish.raw_reason) == ("stop", "end_turn")


async def test_generate_and_stream_say_the_same(provider):
    """Words, thinking, sources, usage and state."""
    request = ask("emulator:cite", reasoning="high", options=(SHOWN,), system="Be brief.")
    whole = await provider.generate(request)
    found = await streamed(provider, request)

    words = "".join(one.text for one in found if isinstance(one, TextDelta))
    thoughts = "".join(one.text for one in found if isinstance(one, ReasoningDelta))
    assert (
        whole.text == words == "anthropic (claude-opus-5) heard: emulator:cite | system: Be brief."
    )
    assert whole.reasoning == thoughts == "Thinking with high effort about: emulator:cite"
    cited = Citation("https://example.com/source", "An example", 0, len(words))
    assert [cited] == list(whole.citations) == [one for one in found if isinstance(one, Citation)]
    assert isinstance(found[-1], Finish)
    assert whole.usage == found[-1].usage
    assert whole.usage.reasoning_tokens > 0


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-4-5", "claude-opus-4-6"])
async def test_tools_and_thinking_there_and_back(provider, model):
    """The signed turn goes back as it was, before the results; the vendor verifies it."""
    settings = {"name": model, "reasoning": "low", "tools": (RATE,), "options": (SHOWN,)}
    question = Message.user("Use rate now.")
    for answer in ("generate", "stream"):
        if answer == "generate":
            turn = (await provider.generate(ask(messages=[question], **settings))).message
        else:
            events = await streamed(provider, ask(messages=[question], **settings))
            turn = turn_of(events)
        kept = Message.from_dict(json.loads(json.dumps(turn.to_dict())))
        (call,) = [part for part in kept.parts if isinstance(part, anymodal.ToolCall)]
        result = Message.user(ToolResult(call.id, "seven", is_error=True))
        final = await provider.generate(ask(messages=[question, kept, result], **settings))

        assert json.loads(call.arguments) == {"city": "Use rate now.", "days": 1}
        assert kept.state
        assert final.text.endswith("| rate returned: error: seven")


async def test_a_conversation_of_another_vendor_goes_on_here(provider):
    """Ids that this one refuses are remade, and what is sealed for the other stays out."""
    state = [anymodal.ProviderState("openai", [{"index": 0, "item": {}}])]
    call = anymodal.ToolCall("functions.rate:0", "rate", '{"city":"x"}')
    talk = [
        Message.user("Use rate."),
        Message("assistant", (call,), state),
        Message.user(ToolResult("functions.rate:0", "1")),
        Message("assistant", (call,), state),
        Message.user(ToolResult("functions.rate:0", "2")),
    ]
    tool = attrs.evolve(RATE, strict=False)
    request = ask(messages=talk, tools=(tool,))
    result = await provider.generate(request)

    assert result.text.endswith("rate returned: 1 | rate returned: 2")
    assert ["state", "state"] == [warning.setting for warning in request.warnings]


async def test_media_arrive(provider):
    """Pictures, documents and text, with size and name."""
    parts = (Image(png(8, 4)), File(pdf("A deed."), name="deed.pdf"), File(b"plain"), "See:")
    result = await provider.generate(ask(*parts))

    assert "8x4 pixels" in result.text
    assert "application/pdf" in result.text
    assert "deed.pdf" in result.text


async def test_documents_are_cited_on_request(provider):
    """By title, since they have no URL."""
    option = AnthropicText(citations=True)
    file = File(b"Salt is salt.", name="salt.txt")
    result = await provider.generate(ask(file, "emulator:cite", options=(option,)))

    assert [Citation("", "salt.txt", 0, len(result.text))] == list(result.citations)


async def test_answers_fit_their_schema(provider):
    """Keywords that the vendor refuses were moved where the model reads them."""
    result = await provider.generate(ask("Hi", schema=CITY))

    assert set(json.loads(result.text)) == {"city", "days"}


async def test_the_web_is_searched(provider):
    """Found pages come as citations, and go back with the turn."""
    search = WebSearch(max_uses=2, country="FR")
    first = await provider.generate(ask("Hi", web_search=search))
    talk = [Message.user("Hi"), first.message, Message.user("And now?")]
    second = await provider.generate(ask(messages=talk, web_search=search))

    assert ["https://example.com/source"] == [one.url for one in first.citations]
    assert second.text.endswith("| turn 2")


async def test_every_effort_is_taken_by_every_model(provider):
    """What a model lacks was clamped before it was sent."""
    for model in ("fable-5-2", "sonnet-5-5", "haiku-5-5", "opus-4-6", "opus-4-5", "haiku-4-5"):
        for effort in ("none", "minimal", "xhigh", "max"):
            request = ask("Hi", name=f"claude-{model}", reasoning=effort, max_tokens=60_000)
            assert (await provider.generate(request)).text


async def test_caching_counts(provider):
    """Within the input, as everywhere."""
    for cache in ("system", "conversation"):
        request = ask("Hi there", system="Be brief.", cache=cache)
        first = (await provider.generate(request)).usage
        second = (await provider.generate(request)).usage
        assert first.input_tokens == second.input_tokens == 5
        assert second.cached_input_tokens > 0


async def test_counting_and_listing(provider):
    """By the vendor's own word."""
    models = {model.id: model for model in await provider.list_models()}

    assert await provider.count_tokens(ask("Hello there!", system="Brief.")) == 5
    assert models["claude-opus-5-5"].capabilities.get("reasoning") is True
    assert models["claude-opus-5-5"].context_tokens == 1_000_000
    assert models["claude-sonnet-4-5"].lifecycle.state == "deprecated"


# -- what goes wrong -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["refuse", "filter", "block"])
async def test_refusals(provider, word):
    """One error, whole or streamed, with the vendor's words and what had been said."""
    request = ask(f"emulator:{word}")
    with pytest.raises(e.ContentFilteredError, match="general_harms") as caught:
        await provider.generate(request)
    with pytest.raises(e.ContentFilteredError, match="general_harms") as streaming:
        await streamed(provider, request)

    assert caught.value.partial == streaming.value.partial
    assert bool(caught.value.partial) is (word == "filter")


@pytest.mark.parametrize(
    ("fault", "cls"),
    [
        (Status(429, retry_after=3), e.RateLimitedError),
        (Status(529), e.OverloadedError),
        (Status(401), e.AuthenticationError),
        (Status(402), e.QuotaExceededError),
        (Status(500), e.ServerError),
        (Status(504), e.TimedOutError),
        (Status(200, b"<html>"), e.MalformedReplyError),
        (Cut(), e.ConnectionFailedError),
        (Reset(), e.ConnectionFailedError),
        (Cut(after_bytes=20), e.IncompleteError),
    ],
)
async def test_faults(provider, vendor, fault, cls):
    """One request each; the core decides whether there is another."""
    vendor.script(fault)
    with pytest.raises(e.VendorError) as caught:
        await provider.generate(ask())

    assert type(caught.value) is cls
    assert caught.value.provider == "anthropic"
    assert len(vendor.requests) == 1
    if cls is e.RateLimitedError:
        assert caught.value.retry_after == 3
    assert (await provider.generate(ask())).text


async def test_a_stream_that_is_cut_has_no_end(provider, vendor):
    """What had come is kept; the connection's end is no Finish."""
    vendor.script(Cut(after_bytes=1200))
    found = []
    with pytest.raises(e.ConnectionFailedError):
        async with provider.stream(ask()) as stream:
            async for event in stream:
                found.append(event)  # noqa: PERF401  # what came before the fault is kept

    assert found
    assert all(isinstance(event, TextDelta) for event in found)


async def test_an_error_in_mid_stream(provider):
    """By its type, after the pieces that came before it."""
    found = []
    with pytest.raises(e.OverloadedError, match="Overloaded"):
        async with provider.stream(ask("emulator:fail")) as stream:
            async for event in stream:
                found.append(event)  # noqa: PERF401  # what came before the fault is kept

    assert [type(event) for event in found] == [TextDelta] * 3


async def test_drops_and_unknown_frames_change_nothing(provider, vendor):
    """Byte by byte, and with a frame that nobody knows."""
    expected = await streamed(provider, ask())
    vendor.script(Drip(size=7), Rewrite(lambda _, data: b'data: {"type":"new"}\n\n' + data))

    for _ in range(2):
        found = await streamed(provider, ask())
        assert found[:-1] == expected[:-1]
        assert found[-1].usage == expected[-1].usage


async def test_the_sdk_logs_no_key(vendor, caplog):
    """It writes headers into its log as they are, where somebody turns that on."""
    caplog.set_level("DEBUG")
    async with anymodal.Client(anymodal.Settings.from_mapping(vendor.settings())) as ai:
        await ai.text.generate("Hi", model="anthropic/claude-sonnet-5-5")

    assert "Request options" in caplog.text
    assert vendor.key not in caplog.text
