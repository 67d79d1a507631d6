"""How vendors deviate, one deviation at a time."""

from __future__ import annotations

import pytest
from anymodal import (
    Capabilities,
    Citation,
    File,
    Message,
    ModelSpec,
    ProviderState,
    Reasoning,
    TextDelta,
    ToolCall,
    ToolResult,
)
from anymodal import errors as e
from anymodal.modalities.text import EFFORTS, ReasoningDelta, ToolSpec, WebSearch
from anymodal_openai_compatible import ChatCodec, CompatibleText, Quirks
from anymodal_openai_compatible.pieces import call_id

from .talk import CHAT_WHOLE, ask, chunk, events, frames, joined, taken_apart

THINKER = ModelSpec(id="m-1", capabilities=Capabilities(yes=["reasoning"]))
RATE = ToolSpec(name="rate", description="Tells a rate.")


def codec(**quirks):
    """Return a codec with one deviation."""
    return ChatCodec("acme", Quirks(**quirks))


def whole(message, finish="stop", **more):
    """Return a whole answer of one message."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "c-1", "model": "m-1", "choices": [choice], **more}


# -- the request ---------------------------------------------------------------------------


def test_a_seed_under_another_name():
    """The protocol's own name is not sent beside it."""
    body = codec(seed_field="random_seed").encode(ask(seed=7), stream=False)

    assert body["random_seed"] == 7
    assert "seed" not in body


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        (("low", "medium", "high"), ["low", "low", "low", "medium", "high", "high", "high"]),
        (("none", "high"), ["none", "high", "high", "high", "high", "high", "high"]),
        (("none", "low", "max"), ["none", "low", "low", "low", "max", "max", "max"]),
    ],
)
def test_the_nearest_effort_is_asked_for_with_a_warning(own, wanted):
    """Of two as near the higher; and who asks for thought does not get none."""
    found = []
    for effort in EFFORTS:
        request = ask(model=THINKER, reasoning=effort)
        body = codec(own_efforts={"m-1": {name: f"x-{name}" for name in own}}).encode(
            request, stream=False
        )
        found.append(body["reasoning_effort"].removeprefix("x-"))

        assert [w.setting for w in request.warnings] == ["reasoning"] * (effort not in own)

    assert found == wanted


def test_fields_for_one_model():
    """Other models of the vendor do without."""
    made = codec(model_bodies={"m-1": {"format": "parsed"}})

    assert made.encode(ask(), stream=False)["format"] == "parsed"
    assert "format" not in made.encode(ask(model=ModelSpec(id="m-2")), stream=False)


def test_a_schema_beside_tools_where_the_vendor_refuses_both():
    """It is described instead; the client looks at the answer anyway."""
    made = codec(schemas_with_tools=False)
    alone = ask(schema={"type": "object"})
    beside = ask(schema={"type": "object"}, tools=(RATE,))
    searching = ask(schema={"type": "object"}, web_search=WebSearch())
    searcher = codec(schemas_with_tools=False, web_search={"tools": [{"type": "search"}]})

    assert "response_format" in made.encode(alone, stream=False)
    for encoder, request in ((made, beside), (searcher, searching)):
        body = encoder.encode(request, stream=False)
        assert "response_format" not in body
        assert "JSON Schema" in body["messages"][0]["content"]
        assert [w.setting for w in request.warnings] == ["schema"]


def test_a_strict_tool_where_the_vendor_knows_no_strictness():
    """The model may then call it with anything, which the caller should know."""
    request = ask(tools=(ToolSpec(name="rate", strict=True),))
    body = codec(strict_schemas=False).encode(request, stream=False)

    assert "strict" not in body["tools"][0]["function"]
    assert [w.setting for w in request.warnings] == ["tools"]


def test_prompts_with_the_same_beginning_share_a_cache_key():
    """The same for each turn of a conversation, another for another beginning."""
    made = codec(cache_key_field="key")
    talk = (Message.user("One."), Message.assistant("Two."), Message.user("Three."))

    def key(**settings):
        return made.encode(ask(**settings), stream=False).get("key")

    system = key(cache="system", system="Be brief.", messages=talk[:1])

    assert key(system="Be brief.") is None
    assert system == key(cache="system", system="Be brief.", messages=talk)
    assert system != key(cache="system", system="Be long.", messages=talk)
    assert system != key(cache="system", system="Be brief.", messages=talk, tools=(RATE,))
    first = key(cache="conversation", messages=talk[:1])
    assert first == key(cache="conversation", messages=talk)
    assert first != key(cache="conversation", messages=talk[2:])


def test_a_form_of_the_vendors_own_for_media():
    """It gets the part, and other kinds keep the protocol's form."""
    made = codec(media_forms={File: lambda file: {"type": "document", "name": file.name}})
    body = made.encode(ask("See:", File(b"x", name="a.pdf")), stream=False)

    assert body["messages"][0]["content"][1] == {"type": "document", "name": "a.pdf"}


def test_ids_of_calls_are_remade_where_the_vendor_is_narrow():
    """A call and its result stay together; an id that fits is left alone."""
    talk = (
        Message.user("Rate?"),
        Message.assistant(ToolCall("call_a-long-one", "rate"), ToolCall("abcDEF123", "rate")),
        Message.user(ToolResult("call_a-long-one", "1"), ToolResult("abcDEF123", "2")),
    )
    _, said, first, second = codec(call_id_length=9).encode(ask(messages=talk), stream=False)[
        "messages"
    ]
    made = said["tool_calls"][0]["id"]

    assert len(made) == 9
    assert made.isalnum()
    assert made.isascii()
    assert said["tool_calls"][1]["id"] == second["tool_call_id"] == "abcDEF123"
    assert first["tool_call_id"] == made
    assert call_id("x", 9) != call_id("y", 9)


# -- reasoning -----------------------------------------------------------------------------

PIECES = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "sig"},
    {"type": "text", "text": "Yes."},
]


def test_reasoning_among_the_pieces_of_content():
    """Whole or streamed, it is reasoning and no part of the words."""
    made = codec(thinks_in_content=True)
    result = made.decode(whole({"content": PIECES}), ask(), None)
    found, error = events(
        made,
        frames(
            chunk({"role": "assistant", "content": PIECES[:1]}),
            chunk({"content": PIECES[1:]}),
            chunk({"content": ""}, "stop"),
            "[DONE]",
        ),
    )

    assert error is None
    assert found[:2] == [ReasoningDelta("hm"), TextDelta("Yes.")]
    assert taken_apart(result)["reasoning"] == joined(found)["reasoning"] == "hm"
    assert result.text == joined(found)["text"] == "Yes."
    state = (ProviderState("acme", {"signature": "sig"}),)
    assert result.message.state == found[-1].state == state


def test_reasoning_goes_back_among_the_pieces_with_its_seal():
    """Only with a seal does the vendor take it for its own."""
    said = Message(
        "assistant", (Reasoning("hm"), "Yes."), [ProviderState("acme", {"signature": "sig"})]
    )
    talk = (Message.user("Sure?"), said, Message.user("And now?"))
    made = codec(thinks_in_content=True)

    assert made.encode(ask(messages=talk), stream=False)["messages"][1]["content"] == PIECES


def test_reasoning_goes_to_no_model_that_does_not_reason():
    """Such a model would refuse the piece."""
    plain = ModelSpec(id="m-1", capabilities=Capabilities(no=["reasoning"]))
    talk = (Message.user("Sure?"), Message.assistant(Reasoning("hm"), "Yes."), Message.user("So?"))
    body = codec(thinks_in_content=True).encode(ask(messages=talk, model=plain), stream=False)

    assert body["messages"][1] == {"role": "assistant", "content": "Yes."}


def test_turns_that_show_no_reasoning_have_what_the_vendor_wants_there():
    """Those of other vendors show none, and the field may not be missing."""
    made = codec(reasoning_back="reasoning_content", reasoning_unknown=" ")
    talk = (
        Message.user("One?"),
        Message.assistant("One."),
        Message.user("Two?"),
        Message.assistant(Reasoning("hm"), "Two."),
        Message.user("Three?"),
    )
    said = made.encode(ask(messages=talk), stream=False)["messages"]

    assert [m.get("reasoning_content") for m in said] == [None, " ", None, "hm", None]


# -- the answer ----------------------------------------------------------------------------


def test_an_extension_holds_the_request_id_and_a_streams_usage():
    """The id of the headers gives way to it; a whole answer has its usage in place."""
    made = codec(extension="x_acme")
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    found, error = events(
        made,
        frames(
            chunk({"role": "assistant", "content": ""}, x_acme={"id": "own"}),
            chunk({"content": "Yes."}),
            chunk({}, "stop", x_acme={"id": "own", "usage": usage}),
            "[DONE]",
        ),
    )
    result = made.decode({**CHAT_WHOLE, "x_acme": {"id": "own"}}, ask(), "req_1")

    assert error is None
    assert found[-1].request_id == result.finish.request_id == "own"
    assert (found[-1].usage.input_tokens, found[-1].usage.output_tokens) == (3, 2)


def test_an_extension_may_say_that_the_answer_broke_off():
    """In words, and with an end that looks like a good one."""
    found, error = events(
        codec(extension="x_acme"),
        frames(
            chunk({"content": "Ye"}),
            chunk({}, "stop", x_acme={"id": "own", "error": "over capacity"}),
            "[DONE]",
        ),
    )

    assert found == [TextDelta("Ye")]
    assert type(error) is e.ServerError
    assert (str(error), error.request_id) == ("acme: over capacity", "own")


@pytest.mark.parametrize("kind", [e.OverloadedError, e.IncompleteError])
def test_an_end_that_means_failure(kind):
    """Half an answer is not an answer."""
    made = codec(failures={"died": kind})
    _, streamed = events(made, frames(chunk({"content": "Ye"}), chunk({}, "died"), "[DONE]"))
    with pytest.raises(kind) as caught:
        made.decode(whole({"content": "Ye"}, "died"), ask(), "req_1")

    for error in (streamed, caught.value):
        assert type(error) is kind
        assert (error.vendor_code, error.request_id) == ("died", "req_1")
    assert kind is e.OverloadedError or caught.value.partial == "Ye"


def test_sources_in_a_place_of_the_vendors_own():
    """They are citations, after those of the annotations."""
    made = codec(sources=lambda found: [Citation(url) for url in found.get("found", ())])
    result = made.decode(whole({"content": "Yes.", "found": ["https://a.example"]}), ask(), None)
    found, _ = events(
        made,
        frames(chunk({"content": "Yes.", "found": ["https://a.example"]}), chunk({}, "stop")),
    )

    assert result.citations == (Citation("https://a.example"),)
    assert found[1:] == [Citation("https://a.example")]


class Road:
    """Keeps what was sent, and answers in one piece."""

    def __init__(self):
        self.sent = []

    async def send(self, method, path, body=None, *, headers, stream=False, connect_seconds=None):
        self.sent.append((body, stream))
        return Reply()

    async def aclose(self):
        """Close nothing."""


class Reply:
    """A whole answer."""

    status = 200

    def __init__(self):
        self.headers = {"content-type": "application/json"}

    async def chunks(self):
        yield b'{"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}'

    async def aclose(self):
        """Close nothing."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_held_to_a_schema_comes_in_one_piece_where_it_has_to(streamed):
    """The caller's stream has the same events; the request says nothing of one."""
    road, made = Road(), codec(schemas_streamed=streamed)
    provider = CompatibleText("acme", road, lambda _: made)
    async with provider.stream(ask(schema={"type": "object"})) as stream:
        found = [event async for event in stream]

    ((body, asked),) = road.sent
    assert asked is streamed
    assert body.get("stream", False) is streamed
    assert found[0] == TextDelta("{}")
