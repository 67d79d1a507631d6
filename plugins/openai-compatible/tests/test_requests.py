"""Requests as they go over the wire: the diff of a snapshot is the diff of the protocol."""

from __future__ import annotations

import attrs
import pytest
from anymodal import (
    Audio,
    Capabilities,
    Citation,
    File,
    Image,
    Message,
    ModelSpec,
    ProviderState,
    Reasoning,
    ToolCall,
    ToolResult,
    ToolSpec,
    Video,
)
from anymodal import errors as e
from anymodal.modalities.text import WebSearch
from anymodal_openai_compatible import (
    ChatCodec,
    CompatibleOption,
    Quirks,
    ResponsesCodec,
    WireOption,
)
from inline_snapshot import snapshot

from .talk import CODECS, REASONING, ask

CHAT, RESPONSES = CODECS["chat"], CODECS["responses"]
PNG = Image(b"\x89PNG\r\n\x1a\n")
PDF = File(b"%PDF-1.7", name="deed.pdf")
WAV = Audio(b"RIFF....WAVE", media_type="audio/wav")
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters={"type": "object"})
SCHEMA = {
    "title": "The answer!",
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
THINKER = ModelSpec(id="m-1", capabilities=Capabilities(yes=["reasoning"]))
TALK = (
    Message.user("What is the rate?", PNG),
    Message(
        "assistant",
        (
            Reasoning("hm"),
            "I look.",
            Citation("https://a.example"),
            ToolCall("call_a", "rate", '{"x":1}'),
        ),
        [ProviderState("acme", [{"index": 0, "item": REASONING}]), ProviderState("other", "sig")],
    ),
    Message.user(ToolResult("call_a", "1.25"), "And now?"),
)
EVERYTHING = {
    "messages": TALK,
    "model": THINKER,
    "system": "Be brief.",
    "tools": (RATE, ToolSpec(name="strict", strict=True)),
    "tool_choice": "rate",
    "schema": SCHEMA,
    "reasoning": "low",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 64,
    "stop": ("END",),
    "seed": 7,
    "end_user": "u-1",
}


def test_a_simple_chat():
    """The least that a server has to understand."""
    assert CHAT.encode(ask(), stream=False) == snapshot(
        {"model": "m-1", "messages": [{"role": "user", "content": "Hello"}]}
    )
    assert CHAT.encode(ask(), stream=True) == snapshot(
        {
            "model": "m-1",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )


def test_a_chat_with_everything():
    """Each setting has its field."""
    request = ask(**EVERYTHING)

    assert CHAT.encode(request, stream=False) == snapshot(
        {
            "model": "m-1",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is the rate?"},
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "call_a",
                            "type": "function",
                            "function": {"name": "rate", "arguments": '{"x":1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_a", "content": "1.25"},
                {"role": "user", "content": "And now?"},
            ],
            "max_tokens": 64,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "rate",
                        "parameters": {"type": "object"},
                        "description": "Tells a rate.",
                    },
                },
                {
                    "type": "function",
                    "function": {
                        "name": "strict",
                        "parameters": {
                            "type": "object",
                            "properties": {},
                            "additionalProperties": False,
                            "required": [],
                        },
                        "strict": True,
                    },
                },
            ],
            "tool_choice": {"type": "function", "function": {"name": "rate"}},
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "The_answer_",
                    "schema": {
                        "title": "The answer!",
                        "type": "object",
                        "properties": {"n": {"type": "integer"}},
                        "required": ["n"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                },
            },
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "seed": 7,
            "reasoning_effort": "low",
            "user": "u-1",
        }
    )
    assert [w.setting for w in request.warnings] == ["state", "state"]


def test_a_simple_response():
    """Nothing is stored at the vendor's unless somebody asks for it."""
    assert RESPONSES.encode(ask(), stream=False) == snapshot(
        {"model": "m-1", "input": [{"role": "user", "content": "Hello"}], "store": False}
    )
    assert RESPONSES.encode(ask(), stream=True) == snapshot(
        {
            "model": "m-1",
            "input": [{"role": "user", "content": "Hello"}],
            "store": False,
            "stream": True,
        }
    )


def test_a_response_with_everything():
    """Each setting has its field, or a warning."""
    request = ask(**EVERYTHING)

    assert RESPONSES.encode(request, stream=False) == snapshot(
        {
            "model": "m-1",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is the rate?"},
                        {
                            "type": "input_image",
                            "image_url": "data:image/png;base64,iVBORw0KGgo=",
                            "detail": "auto",
                        },
                    ],
                },
                {
                    "type": "reasoning",
                    "id": "rs_1",
                    "summary": [
                        {"type": "summary_text", "text": "hm,"},
                        {"type": "summary_text", "text": "hm"},
                    ],
                    "encrypted_content": "gAAA",
                },
                {"role": "assistant", "content": "I look."},
                {
                    "type": "function_call",
                    "call_id": "call_a",
                    "name": "rate",
                    "arguments": '{"x":1}',
                },
                {"type": "function_call_output", "call_id": "call_a", "output": "1.25"},
                {"role": "user", "content": "And now?"},
            ],
            "instructions": "Be brief.",
            "max_output_tokens": 64,
            "tools": [
                {
                    "type": "function",
                    "name": "rate",
                    "description": "Tells a rate.",
                    "parameters": {"type": "object"},
                    "strict": False,
                },
                {
                    "type": "function",
                    "name": "strict",
                    "description": "",
                    "parameters": {
                        "type": "object",
                        "properties": {},
                        "additionalProperties": False,
                        "required": [],
                    },
                    "strict": True,
                },
            ],
            "tool_choice": {"type": "function", "name": "rate"},
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "The_answer_",
                    "schema": {
                        "title": "The answer!",
                        "type": "object",
                        "properties": {"n": {"type": "integer"}},
                        "required": ["n"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                }
            },
            "temperature": 0.5,
            "top_p": 0.9,
            "reasoning": {"effort": "low"},
            "user": "u-1",
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
    )
    assert [(w.setting, w.message) for w in request.warnings] == snapshot(
        [
            ("state", "what other wants back was left out"),
            ("stop", "left out, because this protocol has no field for it"),
            ("seed", "left out, because this protocol has no field for it"),
        ]
    )


def test_media_in_a_chat():
    """Bytes go as data URIs, except sound, which goes bare."""
    request = ask("See:", PNG, Image(url="https://a.example/b.png"), PDF, WAV)

    assert CHAT.encode(request, stream=False)["messages"] == snapshot(
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See:"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                    },
                    {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
                    {
                        "type": "file",
                        "file": {
                            "filename": "deed.pdf",
                            "file_data": "data:application/pdf;base64,JVBERi0xLjc=",
                        },
                    },
                    {
                        "type": "input_audio",
                        "input_audio": {"data": "UklGRi4uLi5XQVZF", "format": "wav"},
                    },
                ],
            }
        ]
    )


@pytest.mark.parametrize("codec", [CHAT, RESPONSES])
def test_media_that_lie_in_files_go_as_their_bytes(codec, tmp_path):
    """What is read on the way and what was held all along are the same request."""
    held = [PNG, PDF, *([WAV] if codec is CHAT else [])]
    lying = []
    for number, one in enumerate(held):
        path = tmp_path / str(number)
        path.write_bytes(one.data)
        lying.append(type(one)(path=path, media_type=one.media_type, name=one.name or "x"))
    sent = [codec.encode(ask("See:", *media), stream=False) for media in (held, lying)]

    assert sent[0] == sent[1]


def test_media_in_a_response():
    """Files go as bytes or by URL."""
    request = ask("See:", PNG, PDF, File(url="https://a.example/c.pdf"), File(b"plain"))

    assert RESPONSES.encode(request, stream=False)["input"] == snapshot(
        [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "See:"},
                    {
                        "type": "input_image",
                        "image_url": "data:image/png;base64,iVBORw0KGgo=",
                        "detail": "auto",
                    },
                    {
                        "type": "input_file",
                        "filename": "deed.pdf",
                        "file_data": "data:application/pdf;base64,JVBERi0xLjc=",
                    },
                    {"type": "input_file", "file_url": "https://a.example/c.pdf"},
                    {
                        "type": "input_file",
                        "filename": "file.txt",
                        "file_data": "data:text/plain;base64,cGxhaW4=",
                    },
                ],
            }
        ]
    )


@pytest.mark.parametrize(
    ("api", "part"),
    [
        ("chat", Video(url="https://a.example/v.mp4")),
        ("chat", Audio(url="https://a.example/a.wav")),
        ("chat", Audio(b"OggS", media_type="audio/ogg")),
        ("chat", File(url="https://a.example/c.pdf")),
        ("responses", Video(url="https://a.example/v.mp4")),
        ("responses", WAV),
    ],
)
def test_what_a_protocol_has_no_form_for_is_refused(api, part):
    """Leaving a part out would answer another question."""
    with pytest.raises(e.UnsupportedFeatureError, match="nothing was sent"):
        CODECS[api].encode(ask("See:", part), stream=False)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_pictures_in_a_models_turn_are_refused(api):
    """Neither protocol takes them there."""
    with pytest.raises(e.UnsupportedFeatureError):
        CODECS[api].encode(ask(messages=(Message.assistant(PNG),)), stream=False)


def test_reasoning_goes_back_to_where_it_stood():
    """The vendor refuses a reasoning item that its following item does not follow."""
    kept = [{"index": 0, "item": {"id": "rs_0"}}, {"index": 2, "item": {"id": "rs_2"}}]
    turn = Message(
        "assistant",
        (ToolCall("a", "rate"), ToolCall("b", "rate")),
        [ProviderState("acme", kept)],
    )
    sent = RESPONSES.encode(ask(messages=(turn,)), stream=False)["input"]

    assert [item.get("id") or item["call_id"] for item in sent] == ["rs_0", "a", "rs_2", "b"]


def test_what_came_back_goes_back():
    """A turn that the codec made is a turn that it sends, item for item."""
    output = [REASONING, {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}]
    turn = RESPONSES.decode({"output": output}, ask(), None).message

    assert output == RESPONSES.encode(ask(messages=(turn,)), stream=False)["input"]


@pytest.mark.parametrize("data", [[{"item": {}}], ["x"], [None]])
def test_damaged_state_is_the_callers_error(data):
    """State passes through files of the caller's; nothing is sent when it is damaged."""
    turn = Message("assistant", ("Hi",), [ProviderState("acme", data)])
    with pytest.raises(e.InvalidRequestError, match="state"):
        RESPONSES.encode(ask(messages=(turn,)), stream=False)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_state_of_the_other_protocol_is_left_out_with_a_warning(api):
    """The two protocols of one vendor want different things back."""
    data = {"chat": [{"index": 0, "item": {}}], "responses": {"reasoning_details": []}}[api]
    request = ask(messages=(Message("assistant", ("Hi",), [ProviderState("acme", data)]),))
    CODECS[api].encode(request, stream=False)

    assert [warning.setting for warning in request.warnings] == ["state"]


def test_encrypted_reasoning_is_asked_for_where_a_model_reasons():
    """A model that does not reason refuses the question."""
    plain = ModelSpec(id="m", capabilities=Capabilities(no=["reasoning"]))

    assert "include" in RESPONSES.encode(ask(model=THINKER), stream=False)
    assert "include" in RESPONSES.encode(ask(reasoning="low"), stream=False)
    assert "include" not in RESPONSES.encode(ask(model=plain), stream=False)
    assert "include" not in RESPONSES.encode(ask(), stream=False)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_strict_callers_get_errors_for_warnings(api):
    """`strict` turns what would be left out into a refusal."""
    model = ModelSpec(id="m-1", capabilities=Capabilities(no=["sampling"]))
    with pytest.raises(e.UnsupportedFeatureError, match="temperature"):
        CODECS[api].encode(ask(model=model, temperature=0.1, strict=True), stream=False)


def test_settings_that_a_model_refuses_are_left_out_with_a_warning():
    """The vendor would answer with an error for the whole request."""
    model = ModelSpec(id="m-1", capabilities=Capabilities(no=["sampling", "reasoning"]))
    request = ask(model=model, temperature=0.1, top_p=0.5, reasoning="high")
    body = CHAT.encode(request, stream=False)

    assert {"model", "messages"} == set(body)
    assert [w.setting for w in request.warnings] == ["temperature", "top_p", "reasoning"]
    assert not CHAT.encode(ask(model=model, reasoning="none"), stream=False).get("reasoning_effort")


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"additionalProperties": True}, False),
        ({"required": []}, True),
        ({"required": None}, True),
        ({"properties": {"n": {"type": "object"}}}, False),
        ({"properties": {"n": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}]}}}, True),
        ({"$defs": {"x": {"oneOf": []}}}, False),
        ({"properties": {"n": {"type": "array", "items": {"default": 1}}}}, False),
        ({"properties": {"n": {"enum": [{"default": 1}]}}}, False),
        ({"properties": {"n": {"type": "string", "format": "iri"}}}, False),
        ({"properties": {"n": {"type": "string", "format": "uuid"}}}, True),
        (
            {
                "properties": {
                    "n": {"type": "array", "items": {"type": "null"}, "uniqueItems": True}
                }
            },
            False,
        ),
    ],
)
def test_strictness_is_asked_for_where_the_schema_allows(change, fits):
    """What cannot be said strictly goes as it is, with a warning, or not at all."""
    schema = {**SCHEMA, **change}
    for made in (CHAT, RESPONSES):
        asked = ask(schema=schema)
        body = made.encode(asked, stream=False)
        form = body["response_format"]["json_schema"] if made is CHAT else body["text"]["format"]

        assert fits == form.get("strict", False)
        assert fits or schema == form["schema"]
        assert ([] if fits else ["output"]) == [w.setting for w in asked.warnings]
        if not fits:
            with pytest.raises(e.UnsupportedFeatureError, match="output"):
                made.encode(ask(schema=schema, strict=True), stream=False)


@pytest.mark.parametrize("made", [CHAT, RESPONSES], ids=["chat", "responses"])
def test_ids_of_calls_that_are_too_long_are_remade(made):
    """Other vendors have longer ones; a call and its result keep together."""
    calls = [ToolCall("a" * 64, "rate"), ToolCall("b" * 65, "rate"), ToolCall("c" * 930, "rate")]
    talk = [Message.assistant(*calls), Message.user(*(ToolResult(one.id, "1") for one in calls))]
    body = made.encode(ask(messages=tuple(talk)), stream=False)
    if made is CHAT:
        asked = [call["id"] for call in body["messages"][0]["tool_calls"]]
        given = [message["tool_call_id"] for message in body["messages"][1:]]
    else:
        asked = [item["call_id"] for item in body["input"][:3]]
        given = [item["call_id"] for item in body["input"][3:]]

    assert asked == given
    assert "a" * 64 == asked[0]
    assert [64, 24, 24] == [len(one) for one in asked]
    assert 3 == len(set(asked))


@pytest.mark.parametrize("made", [CHAT, RESPONSES], ids=["chat", "responses"])
def test_strict_tools_have_strict_schemas(made):
    """Made so where they can be; the others go as they are, with a warning."""
    loose = {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}
    free = {"type": "object"}
    tools = (
        ToolSpec(name="a", parameters=loose, strict=True),
        ToolSpec(name="b", parameters=free, strict=True),
        ToolSpec(name="c", parameters=loose),
    )
    request = ask(tools=tools)
    sent = [tool.get("function", tool) for tool in made.encode(request, stream=False)["tools"]]

    assert [True, False, False] == [tool.get("strict", False) for tool in sent]
    assert {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "additionalProperties": False,
        "required": ["n"],
    } == sent[0]["parameters"]
    assert [free, loose] == [tool["parameters"] for tool in sent[1:]]
    assert ["tools"] == [w.setting for w in request.warnings]
    with pytest.raises(e.UnsupportedFeatureError, match="tools"):
        made.encode(ask(tools=tools, strict=True), stream=False)


# -- options ---------------------------------------------------------------------------


def test_extras_are_merged_over_everything():
    """What the vendor shipped yesterday can be had today."""
    option = CompatibleOption(
        top_k=5, extra_body={"stream_options": {"more": 1}, "tools": [{"type": "web"}], "seed": 2}
    )
    body = CHAT.encode(ask(options=(option,), tools=(RATE,), seed=1), stream=True)

    assert body["stream_options"] == {"include_usage": True, "more": 1}
    assert [tool["type"] for tool in body["tools"]] == ["function", "web"]
    assert (body["top_k"], body["seed"]) == (5, 2)


def test_options_of_other_vendors_are_not_for_us():
    """Failover takes one request to many vendors."""

    @attrs.frozen(kw_only=True)
    class OtherOption(WireOption):
        provider = "other"

    body = CHAT.encode(ask(options=(OtherOption(extra_body={"x": 1}),)), stream=False)

    assert {"model", "messages"} == set(body)


def test_a_misspelt_option_is_a_type_error():
    """Not a field that is sent into the blue."""
    with pytest.raises(TypeError):
        CompatibleOption(tok_k=1)


# -- quirks ----------------------------------------------------------------------------


def sent(quirks, api="chat", **settings):
    """Return the body and the warnings of a request to a vendor with *quirks*."""
    request = ask(**settings)
    kind = ChatCodec if api == "chat" else ResponsesCodec
    body = kind("acme", Quirks(**quirks)).encode(request, stream=True)
    return body, [warning.setting for warning in request.warnings]


@pytest.mark.parametrize(
    ("quirks", "settings", "field", "value"),
    [
        (
            {"max_tokens_field": "max_completion_tokens"},
            {"max_tokens": 5},
            "max_completion_tokens",
            5,
        ),
        ({"stream_options": False}, {}, "stream_options", None),
        ({"end_user_field": "safety_identifier"}, {"end_user": "u"}, "safety_identifier", "u"),
        ({"body": {"usage": {"include": True}}}, {}, "usage", {"include": True}),
        (
            {"efforts": {"low": {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}}},
            {"reasoning": "low"},
            "thinking",
            {"type": "enabled"},
        ),
        (
            {"schemas": "json_object"},
            {"schema": SCHEMA},
            "response_format",
            {"type": "json_object"},
        ),
        ({"schemas": "none"}, {"schema": SCHEMA}, "response_format", None),
    ],
)
def test_a_quirk_changes_the_body(quirks, settings, field, value):
    """A vendor that speaks a shared protocol is a table of facts."""
    assert value == sent(quirks, **settings)[0].get(field)


@pytest.mark.parametrize(
    ("quirks", "settings", "setting"),
    [
        ({"dropped": frozenset({"seed"})}, {"seed": 1}, "seed"),
        ({"end_user_field": ""}, {"end_user": "u"}, "end_user"),
        ({"efforts": {"low": {}}}, {"reasoning": "max"}, "reasoning"),
        ({"refused_efforts": {"m-1": frozenset({"none"})}}, {"reasoning": "none"}, "reasoning"),
        ({"schemas": "json_object"}, {"schema": SCHEMA}, "schema"),
        ({"schemas": "none"}, {"schema": SCHEMA}, "schema"),
    ],
)
def test_what_a_quirk_leaves_out_is_warned_of(quirks, settings, setting):
    """Nothing is dropped in silence."""
    assert [setting] == sent(quirks, **settings)[1]


@pytest.mark.parametrize(
    ("refused", "asked", "sent_as"),
    [
        (["none", "minimal"], "none", "low"),
        (["xhigh", "max"], "max", "high"),
        (["max"], "low", "low"),
    ],
)
def test_an_effort_that_a_model_lacks_goes_to_its_nearest(refused, asked, sent_as):
    """The vendor's default may be far from it."""
    quirks = {"refused_efforts": {"m-1": frozenset(refused)}}
    body, warned = sent(quirks, reasoning=asked)

    assert sent_as == body["reasoning_effort"]
    assert (["reasoning"] if asked != sent_as else []) == warned


def test_vendors_without_schemas_are_told_of_the_schema():
    """In words, beside the caller's own system prompt."""
    body, _ = sent({"schemas": "json_object"}, schema=SCHEMA, system="Be brief.")

    assert body["messages"][0]["content"].startswith("Be brief.\n\nAnswer with JSON")


@pytest.mark.parametrize(
    ("effort", "goes"), [(None, False), ("low", False), ("none", True), ("minimal", False)]
)
def test_models_that_reason_only_sample_while_they_do_not(effort, goes):
    """Such models refuse a temperature as long as their effort is not `none`."""
    model = ModelSpec(id="m", capabilities=Capabilities(yes=["reasoning"], no=["sampling"]))
    quirks = {"samples_unreasoned": True}
    body, warned = sent(quirks, model=model, temperature=0.2, reasoning=effort)

    assert goes == ("temperature" in body)
    assert goes == ("temperature" not in warned)


def test_reasoning_goes_back_in_the_field_that_wants_it():
    """Some vendors refuse a turn of theirs without it."""
    turn = Message("assistant", (Reasoning("hm"), ToolCall("a", "rate")))
    body, _ = sent({"reasoning_back": "reasoning_content"}, messages=(turn,))

    assert body["messages"][0]["reasoning_content"] == "hm"


def test_a_field_of_state_goes_back_unchanged():
    """Such as signed reasoning, which no one else may see."""
    details = [{"type": "reasoning.encrypted", "data": "gAAA"}]
    turn = Message("assistant", ("Hi",), [ProviderState("acme", {"reasoning_details": details})])
    body, warned = sent({"state_field": "reasoning_details"}, messages=(turn,))

    assert details == body["messages"][0]["reasoning_details"]
    assert warned == []


def test_a_vendor_may_keep_no_promise_of_statelessness():
    """Then nothing is said of storing."""
    body, _ = sent({"stateless": False}, api="responses", model=THINKER)

    assert not {"store", "include"} & set(body)


def test_a_search_of_the_web_is_refused_where_there_is_none():
    """An answer from memory is no answer to it."""
    for api, quirks in (("chat", {}), ("responses", {"web_search_tool": ""})):
        with pytest.raises(e.UnsupportedFeatureError, match="web_search"):
            sent(quirks, api=api, web_search=WebSearch())


def test_a_search_of_the_web_by_the_vendors_own_fields():
    """What cannot be said of it is warned of."""
    search = WebSearch(max_uses=1)
    body, warned = sent({"web_search": {"plugins": [{"id": "web"}]}}, web_search=search)

    assert body["plugins"] == [{"id": "web"}]
    assert warned == ["web_search"]


def test_a_search_of_the_web_is_a_tool_beside_others():
    """Its bound counts for all tools of the vendor's."""
    search = WebSearch(max_uses=2, domains=["a.example"], country="FR")
    body, warned = sent({}, api="responses", tools=(RATE,), web_search=search)

    assert [tool["type"] for tool in body["tools"]] == ["function", "web_search"]
    assert body["max_tool_calls"] == 2
    assert warned == []
