"""Requests as they go over the wire: the diff of a snapshot is the diff of the protocol."""

from __future__ import annotations

import json

import attrs
import pytest
from anthropic import transform_schema
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
from anymodal.modalities.text import EFFORTS, TextOption, WebSearch
from anymodal_anthropic import AnthropicText
from anymodal_anthropic.body import encode
from anymodal_anthropic.models import MODELS, THINKING
from anymodal_anthropic.reply import decode
from inline_snapshot import snapshot

from .talk import CONTENT, WHOLE, ask

PNG = Image(b"\x89PNG\r\n\x1a\n")
PDF = File(b"%PDF-1.7", name="deed.pdf")
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters={"type": "object"})
SCHEMA = {
    "title": "Answer",
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1},
        "kind": {"enum": ["a", "b"]},
        "more": {"type": "array", "items": {"type": "string", "maxLength": 9}},
    },
    "required": ["n"],
}
TALK = (
    Message.user("What is the rate?"),
    Message.assistant("I look.", ToolCall("toolu_a", "rate", '{"x":1}'), Citation("https://a")),
    Message.user(
        "And now?", ToolResult("toolu_a", "1.25"), ToolResult("toolu_b", "no", is_error=True)
    ),
)


def body(*parts, version="2026-10-21", stream=False, **settings):
    """Return the body that would be sent, and the warnings."""
    request = ask(*parts, **settings)
    found = encode(request, "anthropic", stream=stream, version=version)
    return found, [(w.setting, w.message) for w in request.warnings]


def part_of(found, *names):
    """Return what of a body is of interest."""
    return {name: found[name] for name in names if name in found}


def test_the_least():
    """A limit is required, so the model's own stands for none."""
    assert body() == snapshot(
        (
            {
                "model": "claude-opus-5",
                "max_tokens": 128000,
                "messages": [{"role": "user", "content": "Hello"}],
            },
            [],
        )
    )
    assert body(name="claude-next", stream=True) == snapshot(
        (
            {
                "model": "claude-next",
                "max_tokens": 32000,
                "messages": [{"role": "user", "content": "Hello"}],
                "stream": True,
            },
            [],
        )
    )


def test_everything():
    """Each setting has its field, or a warning."""
    found = body(
        messages=TALK,
        system="Be brief.",
        tools=(RATE, ToolSpec(name="strict", strict=True)),
        tool_choice="rate",
        schema=SCHEMA,
        web_search=WebSearch(),
        cache="system",
        reasoning="low",
        temperature=0.5,
        top_p=0.9,
        max_tokens=64,
        stop=("END",),
        seed=7,
        end_user="u-1",
    )

    assert found == snapshot(
        (
            {
                "model": "claude-opus-5",
                "max_tokens": 64,
                "messages": [
                    {"role": "user", "content": "What is the rate?"},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "text", "text": "I look."},
                            {
                                "type": "tool_use",
                                "id": "toolu_a",
                                "name": "rate",
                                "input": {"x": 1},
                            },
                        ],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "toolu_a", "content": "1.25"},
                            {
                                "type": "tool_result",
                                "tool_use_id": "toolu_b",
                                "content": "no",
                                "is_error": True,
                            },
                            {"type": "text", "text": "And now?"},
                        ],
                    },
                ],
                "system": [
                    {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
                ],
                "tools": [
                    {
                        "name": "rate",
                        "input_schema": {"type": "object"},
                        "description": "Tells a rate.",
                    },
                    {
                        "name": "strict",
                        "input_schema": {
                            "type": "object",
                            "properties": {},
                            "additionalProperties": False,
                        },
                        "strict": True,
                    },
                    {"type": "web_search_20250305", "name": "web_search"},
                ],
                "tool_choice": {"type": "tool", "name": "rate"},
                "thinking": {"type": "adaptive"},
                "output_config": {
                    "effort": "low",
                    "format": {
                        "type": "json_schema",
                        "schema": {
                            "type": "object",
                            "title": "Answer",
                            "properties": {
                                "n": {"type": "integer", "description": "{minimum: 1}"},
                                "kind": {"enum": ["a", "b"]},
                                "more": {
                                    "type": "array",
                                    "items": {"type": "string", "description": "{maxLength: 9}"},
                                },
                            },
                            "additionalProperties": False,
                            "required": ["n"],
                        },
                    },
                },
                "stop_sequences": ["END"],
                "metadata": {"user_id": "u-1"},
            },
            [
                (
                    "schema",
                    "the vendor does not hold the model to all of the schema: /properties/n/minimum cannot be held to; /properties/more/items/maxLength cannot be held to",
                ),
                (
                    "temperature",
                    "left out, because version 2026-10-21 of the API refuses it; set api_version = '2023-06-01'",
                ),
                (
                    "top_p",
                    "left out, because version 2026-10-21 of the API refuses it; set api_version = '2023-06-01'",
                ),
                ("seed", "left out, because the vendor has no field for it"),
            ],
        )
    )


def test_every_option():
    """What is given last wins; lists are joined and objects merged."""
    option = AnthropicText(
        service_tier="standard_only",
        speed="fast",
        inference_geo="us",
        thinking_display="summarized",
        citations=True,
        cache_ttl="1h",
        parallel_tool_calls=False,
        web_search_tool="web_search_20260318",
        top_k=3,
        betas=["a"],
        extra_body={"tools": [{"type": "new"}], "thinking": {"block_binding": {}}, "x": 1},
    )
    found = body(PDF, options=(option,), web_search=WebSearch(), cache="conversation")

    assert found == snapshot(
        (
            {
                "model": "claude-opus-5",
                "max_tokens": 128000,
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "document",
                                "source": {
                                    "type": "base64",
                                    "media_type": "application/pdf",
                                    "data": "JVBERi0xLjc=",
                                },
                                "title": "deed.pdf",
                                "citations": {"enabled": True},
                            }
                        ],
                    }
                ],
                "tools": [{"type": "web_search_20260318", "name": "web_search"}, {"type": "new"}],
                "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
                "thinking": {"type": "adaptive", "display": "summarized", "block_binding": {}},
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
                "service_tier": "standard_only",
                "speed": "fast",
                "inference_geo": "us",
                "x": 1,
            },
            [
                (
                    "top_k",
                    "left out, because version 2026-10-21 of the API refuses it; set api_version = '2023-06-01'",
                )
            ],
        )
    )


def test_options_of_others_do_not_count():
    """Failover takes them along."""

    class Foreign(TextOption):
        pass

    assert body(options=(Foreign(),)) == body()


def test_media_that_lie_in_files_go_as_their_bytes(tmp_path):
    """Pictures and documents in base64, text as text."""
    held = (PNG, PDF, File("größer".encode(), media_type="text/markdown", name="n.md"))
    lying = []
    for number, one in enumerate(held):
        path = tmp_path / str(number)
        path.write_bytes(one.data)
        lying.append(type(one)(path=path, media_type=one.media_type, name=one.name or "x"))

    assert body("See:", *lying) == body("See:", *held)


def test_media():
    """Bytes, or a URL that the vendor fetches."""
    found, _ = body(
        "See:",
        PNG,
        Image(url="https://a.example/b.png"),
        PDF,
        File(url="https://a.example/c.pdf"),
        File("größer".encode(), media_type="text/markdown", name="n.md"),
        File(b"{}", media_type="application/json"),
    )

    assert found["messages"] == snapshot(
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See:"},
                    {
                        "type": "image",
                        "source": {
                            "type": "base64",
                            "media_type": "image/png",
                            "data": "iVBORw0KGgo=",
                        },
                    },
                    {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "JVBERi0xLjc=",
                        },
                        "title": "deed.pdf",
                    },
                    {
                        "type": "document",
                        "source": {"type": "url", "url": "https://a.example/c.pdf"},
                    },
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "größer"},
                        "title": "n.md",
                    },
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "{}"},
                    },
                ],
            }
        ]
    )


@pytest.mark.parametrize(
    "part",
    [
        Video(url="https://a.example/v.mp4"),
        Audio(b"RIFF....WAVE", media_type="audio/wav"),
        Image(b"....ftypavif"),
        File(b"PK", media_type="application/zip"),
        File(url="https://a.example/c.docx", media_type="application/msword"),
    ],
)
def test_what_the_vendor_has_no_form_for_is_refused(part):
    """Leaving a part out would answer another question."""
    with pytest.raises(e.UnsupportedFeatureError, match="nothing was sent"):
        body("See:", part)


def test_pictures_in_a_models_turn_are_refused():
    """The vendor takes none there."""
    with pytest.raises(e.UnsupportedFeatureError, match="model's turn"):
        body(messages=[Message.assistant(PNG), Message.user("Hi")])


def test_turns_that_say_nothing_are_left_out():
    """The vendor refuses blank text; an empty answer is a turn all the same."""
    messages = [Message.user("Hi"), Message.assistant("", Reasoning("hm")), Message.user(" ", "a")]

    assert body(messages=messages)[0]["messages"] == snapshot(
        [{"role": "user", "content": "Hi"}, {"role": "user", "content": "a"}]
    )


def test_strange_parts_of_a_users_turn_are_warned_of():
    """They are the model's to say."""
    found = body("Hi", ToolCall("a", "rate"), Reasoning("hm"), Citation("https://a"))

    assert found[0]["messages"] == [{"role": "user", "content": "Hi"}]
    assert found[1] == snapshot(
        [
            ("messages", "a ToolCall in a user's turn was left out"),
            ("messages", "a Reasoning in a user's turn was left out"),
            ("messages", "a Citation in a user's turn was left out"),
        ]
    )


# -- state ------------------------------------------------------------------------------


def answered(*more):
    """Return the model's turn of a whole answer, and what comes after it."""
    result = decode(WHOLE, "anthropic", None)
    results = (ToolResult("toolu_a", "1"), ToolResult("toolu_b", "2"))
    return [Message.user("Hi"), result.message, Message.user(*results), *more]


def test_the_models_turn_goes_back_as_it_came():
    """Signatures are verified: not a byte may change, nor the order."""
    found, warnings = body(messages=answered())

    assert found["messages"][1] == {"role": "assistant", "content": CONTENT}
    assert warnings == []


def test_blank_text_of_the_vendor_does_not_go_back():
    """It writes such between thoughts, and answers HTTP 400 to it."""
    blank = {"type": "text", "text": "\n\n"}
    told = {**WHOLE, "content": [CONTENT[0], blank, *CONTENT[2:]]}
    hello, _, results = answered()
    turn = decode(told, "anthropic", None).message

    sent = body(messages=[hello, turn, results])[0]["messages"][1]["content"]
    assert sent == [CONTENT[0], *CONTENT[2:]]


def test_a_turn_survives_json():
    """A conversation is kept in a file."""
    kept = [Message.from_dict(message.to_dict()) for message in answered()]

    assert body(messages=kept) == body(messages=answered())


def test_a_turn_that_was_edited_is_rebuilt_without_its_thinking():
    """The edit counts; the vendor would refuse the old signature with new words."""
    hello, turn, results = answered()
    edited = attrs.evolve(turn, parts=("Other words.", *turn.parts[-2:]))
    found, warnings = body(messages=[hello, edited, results])

    assert [block["type"] for block in found["messages"][1]["content"]] == [
        "text",
        "tool_use",
        "tool_use",
    ]
    assert warnings == snapshot(
        [("state", "left out with its thinking, because the turn was changed since")]
    )


def test_state_of_others_is_left_out_with_a_warning():
    """It is theirs, and sealed for them."""
    turn = Message("assistant", ("Hi",), [ProviderState("openai", {"secret": 1})])
    found, warnings = body(messages=[Message.user("Hi"), turn, Message.user("So?")])

    assert "secret" not in str(found)
    assert warnings == [("state", "what openai wants back was left out")]


@pytest.mark.parametrize("data", [None, {}, {"content": 7}, {"content": [{}]}, {"content": [7]}])
def test_state_that_is_not_ours_is_the_callers_error(data):
    """Somebody tampered with a file."""
    turn = Message("assistant", ("Hi",), [ProviderState("anthropic", data)])
    with pytest.raises(e.InvalidRequestError, match="state"):
        body(messages=[turn])


def test_ids_that_the_vendor_would_refuse_are_remade():
    """Characters of other vendors, and ids that come again in the next turn."""
    call, result = ToolCall("functions.rate:0", "rate"), ToolResult("functions.rate:0", "1")
    again = [Message.assistant(call), Message.user(result)]
    found, _ = body(messages=[Message.user("Hi"), *again, *again], tools=(RATE,))
    calls = [turn["content"][0] for turn in found["messages"][1:]]
    ids = [block.get("id") or block["tool_use_id"] for block in calls]

    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert all(one.startswith("toolu_") for one in ids)
    assert found == body(messages=[Message.user("Hi"), *again, *again], tools=(RATE,))[0]


@pytest.mark.parametrize("arguments", ["[1]", "{", "7"])
def test_arguments_that_are_no_object_are_the_callers_error(arguments):
    """The vendor takes them as an object only."""
    with pytest.raises(e.InvalidRequestError, match="rate"):
        body(messages=[Message.assistant(ToolCall("a", "rate", arguments))])


def test_results_in_a_models_turn_go_into_a_users():
    """Where the vendor wants them."""
    turn = Message.assistant(ToolCall("a", "rate"), ToolResult("a", "1"))

    assert body(messages=[Message.user("Hi"), turn])[0]["messages"][1:] == snapshot(
        [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "rate", "input": {}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": "1"}],
            },
        ]
    )


# -- thinking -----------------------------------------------------------------------------


def test_each_effort_on_each_kind_of_model():
    """Clamped to the next lower one, with a warning; `none` turns it off where it can be."""
    kinds = ("fable-5-2", "sonnet-5-5", "haiku-5-5", "opus-4-6", "opus-4-5", "haiku-4-5", "next")
    found = {}
    for kind in kinds:
        for effort in EFFORTS:
            sent, warnings = body(name=f"claude-{kind}", reasoning=effort)
            asked = sent.get("thinking") or {}
            row = (
                asked.get("budget_tokens") or asked.get("type"),
                sent.get("output_config", {}).get("effort"),
            )
            found[f"{kind} {effort}"] = (*row, *(words for _, words in warnings))

    assert found == snapshot(
        {
            "fable-5-2 none": (
                None,
                "low",
                "lowered to 'low', because claude-fable-5-2 always thinks",
            ),
            "fable-5-2 minimal": (
                "adaptive",
                "low",
                "changed to 'low', because claude-fable-5-2 has no effort 'minimal'",
            ),
            "fable-5-2 low": ("adaptive", "low"),
            "fable-5-2 medium": ("adaptive", "medium"),
            "fable-5-2 high": ("adaptive", "high"),
            "fable-5-2 xhigh": ("adaptive", "xhigh"),
            "fable-5-2 max": ("adaptive", "max"),
            "sonnet-5-5 none": ("between_tools", None),
            "sonnet-5-5 minimal": (
                "adaptive",
                "low",
                "changed to 'low', because claude-sonnet-5-5 has no effort 'minimal'",
            ),
            "sonnet-5-5 low": ("adaptive", "low"),
            "sonnet-5-5 medium": ("adaptive", "medium"),
            "sonnet-5-5 high": ("adaptive", "high"),
            "sonnet-5-5 xhigh": ("adaptive", "xhigh"),
            "sonnet-5-5 max": ("adaptive", "max"),
            "haiku-5-5 none": ("disabled", None),
            "haiku-5-5 minimal": (
                "adaptive",
                "low",
                "changed to 'low', because claude-haiku-5-5 has no effort 'minimal'",
            ),
            "haiku-5-5 low": ("adaptive", "low"),
            "haiku-5-5 medium": ("adaptive", "medium"),
            "haiku-5-5 high": ("adaptive", "high"),
            "haiku-5-5 xhigh": ("adaptive", "xhigh"),
            "haiku-5-5 max": ("adaptive", "max"),
            "opus-4-6 none": ("disabled", None),
            "opus-4-6 minimal": (
                "adaptive",
                "low",
                "changed to 'low', because claude-opus-4-6 has no effort 'minimal'",
            ),
            "opus-4-6 low": ("adaptive", "low"),
            "opus-4-6 medium": ("adaptive", "medium"),
            "opus-4-6 high": ("adaptive", "high"),
            "opus-4-6 xhigh": (
                "adaptive",
                "high",
                "changed to 'high', because claude-opus-4-6 has no effort 'xhigh'",
            ),
            "opus-4-6 max": ("adaptive", "max"),
            "opus-4-5 none": ("disabled", None),
            "opus-4-5 minimal": (
                1024,
                "low",
                "changed to 'low', because claude-opus-4-5 has no effort 'minimal'",
            ),
            "opus-4-5 low": (2048, "low"),
            "opus-4-5 medium": (8192, "medium"),
            "opus-4-5 high": (16384, "high"),
            "opus-4-5 xhigh": (
                32768,
                "high",
                "changed to 'high', because claude-opus-4-5 has no effort 'xhigh'",
            ),
            "opus-4-5 max": (
                49152,
                "high",
                "changed to 'high', because claude-opus-4-5 has no effort 'max'",
            ),
            "haiku-4-5 none": ("disabled", None),
            "haiku-4-5 minimal": (1024, None),
            "haiku-4-5 low": (2048, None),
            "haiku-4-5 medium": (8192, None),
            "haiku-4-5 high": (16384, None),
            "haiku-4-5 xhigh": (32768, None),
            "haiku-4-5 max": (49152, None),
            "next none": ("disabled", None),
            "next minimal": (
                "adaptive",
                "low",
                "changed to 'low', because claude-next has no effort 'minimal'",
            ),
            "next low": ("adaptive", "low"),
            "next medium": ("adaptive", "medium"),
            "next high": ("adaptive", "high"),
            "next xhigh": ("adaptive", "xhigh"),
            "next max": ("adaptive", "max"),
        }
    )


def test_thinking_leaves_room_for_an_answer():
    """The vendor wants the number below the limit, and at least 1024."""
    small = body(name="claude-haiku-4-5", reasoning="high", max_tokens=2000)
    smaller = body(name="claude-haiku-4-5", reasoning="high", max_tokens=1024)

    assert small[0]["thinking"] == {"type": "enabled", "budget_tokens": 1999}
    assert "thinking" not in smaller[0]
    assert smaller[1] == snapshot(
        [("reasoning", "left out: max_tokens=1024 leaves no room for it")]
    )


def test_thinking_by_a_number_gives_way_to_a_tool_that_has_to_be_called():
    """The vendor takes not both."""
    found = body(name="claude-haiku-4-5", reasoning="high", tools=(RATE,), tool_choice="required")

    assert "thinking" not in found[0]
    assert found[1] == snapshot(
        [("reasoning", "left out, because the model is told to use a tool")]
    )


def test_models_that_do_not_reason_are_left_alone():
    """As live discovery, or a user's own table, has it."""
    plain = ModelSpec(id="claude-plain", capabilities=Capabilities(no=["reasoning"]))
    request = attrs.evolve(ask(reasoning="high"), model=plain)
    calm = attrs.evolve(ask(reasoning="none"), model=plain)

    assert "thinking" not in encode(request, "anthropic", stream=False)
    assert "thinking" not in encode(calm, "anthropic", stream=False)
    assert ["reasoning"] == [warning.setting for warning in request.warnings]
    assert [] == calm.warnings


def test_thinking_is_shown_on_request_without_an_effort():
    """Models that think anyway then say what; those that take a number are not told to."""
    shown = AnthropicText(thinking_display="summarized")
    new, old = body(options=(shown,)), body(name="claude-haiku-4-5", options=(shown,))

    assert new[0]["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert "thinking" not in old[0]


# -- tools, search, cache, sampling ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "choice", "expected"),
    [
        ("claude-opus-5", None, None),
        ("claude-opus-5", "auto", {"type": "auto"}),
        ("claude-opus-5", "none", {"type": "none"}),
        ("claude-opus-5", "required", {"type": "any"}),
        ("claude-opus-5", "rate", {"type": "tool", "name": "rate"}),
        ("claude-opus-5-5", "required", {"type": "auto"}),
        ("claude-opus-5-5", "rate", {"type": "auto"}),
    ],
)
def test_tool_choice(name, choice, expected):
    """Newer models cannot be told to call a tool; callers are told."""
    found, warnings = body(name=name, tools=(RATE,), tool_choice=choice)

    assert expected == found.get("tool_choice")
    assert [] == warnings or ["tool_choice"] == [setting for setting, _ in warnings]
    assert bool(warnings) is (name == "claude-opus-5-5")


def test_strict_callers_get_an_error_instead_of_a_warning():
    """Nothing is sent."""
    with pytest.raises(e.UnsupportedFeatureError, match="tool_choice"):
        body(name="claude-opus-5-5", tools=(RATE,), tool_choice="rate", strict=True)


def test_without_tools_there_is_nothing_to_choose():
    """The vendor refuses a choice of none."""
    assert "tool_choice" not in body(tool_choice="none")[0]


def test_one_call_at_a_time():
    """It goes with the choice, which is then given."""
    option = AnthropicText(parallel_tool_calls=False)
    found = body(tools=(RATE,), options=(option,))[0]
    none = body(tools=(RATE,), tool_choice="none", options=(option,))[0]

    assert found["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert none["tool_choice"] == {"type": "none"}


def test_web_search():
    """The vendor takes one list of domains."""
    search = WebSearch(max_uses=2, domains=["a.example"], blocked_domains=["b"], country="FR")
    blocked = body(web_search=WebSearch(blocked_domains=["b"]))

    found, warnings = body(web_search=search)
    assert (found["tools"], warnings) == snapshot(
        (
            [
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "max_uses": 2,
                    "allowed_domains": ["a.example"],
                    "user_location": {"type": "approximate", "country": "FR"},
                }
            ],
            [("web_search", "blocked_domains left out; the vendor takes only one list")],
        )
    )
    assert blocked[0]["tools"][0]["blocked_domains"] == ["b"]


def test_cache():
    """A mark covers all before it: tools, then system, then the conversation."""
    system = {"system": "Be brief.", "tools": (RATE,)}
    rows = (body(cache="system", **system), body(cache="system", tools=(RATE,)))
    rows += (body(cache="system"), body(cache="conversation", **system))

    assert [part_of(row[0], "cache_control", "system", "tools") for row in rows] == snapshot(
        [
            {
                "system": [
                    {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
                ],
                "tools": [
                    {
                        "name": "rate",
                        "input_schema": {"type": "object"},
                        "description": "Tells a rate.",
                    }
                ],
            },
            {
                "tools": [
                    {
                        "name": "rate",
                        "input_schema": {"type": "object"},
                        "description": "Tells a rate.",
                        "cache_control": {"type": "ephemeral"},
                    }
                ]
            },
            {},
            {
                "cache_control": {"type": "ephemeral"},
                "system": "Be brief.",
                "tools": [
                    {
                        "name": "rate",
                        "input_schema": {"type": "object"},
                        "description": "Tells a rate.",
                    }
                ],
            },
        ]
    )


@pytest.mark.parametrize(
    ("version", "name", "reasoning", "sent"),
    [
        ("2026-10-21", "claude-haiku-4-5", None, False),
        ("2023-06-01", "claude-haiku-4-5", None, True),
        ("2023-06-01", "claude-haiku-4-5", "none", True),
        ("2023-06-01", "claude-haiku-4-5", "low", False),
        ("2023-06-01", "claude-opus-5", None, False),
        ("2023-06-01", "claude-next", None, True),
    ],
)
def test_sampling_by_version_and_model(version, name, reasoning, sent):
    """What the vendor would refuse is left out, with a warning that says why."""
    option = AnthropicText(top_k=3)
    settings = {"temperature": 0.5, "top_p": 0.9, "options": (option,), "reasoning": reasoning}
    found, warnings = body(version=version, name=name, **settings)

    assert sent is (part_of(found, "temperature", "top_p", "top_k") != {})
    assert ([] if sent else ["temperature", "top_p", "top_k"]) == [one for one, _ in warnings]


LINK = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Link"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        {"type": "object", "properties": {"a": {}}},
        {**LINK, "$defs": {"Link": LINK}},
        {"type": 7},
        {},
    ],
)
def test_what_no_answer_is_held_to_is_asked_for(schema):
    """The vendor closes objects, follows no recursion, and refuses what it cannot hold to."""
    alone, warnings = body(schema=schema)
    behind, _ = body(schema=schema, system="Be brief.", cache="system")
    asked = f"Answer with JSON alone that fits this JSON Schema: {json.dumps(schema)}"

    assert ["schema"] == [setting for setting, _ in warnings]
    assert "output_config" not in alone
    assert asked == alone["system"]
    assert f"Be brief.\n\n{asked}" == behind["system"][0]["text"]


def test_a_tool_that_cannot_be_held_to_is_sent_without():
    """Its schema as it was, and a warning that says why; the others stay strict."""
    free = {"type": "object", "properties": {"a": {"type": "object"}}}
    tools = (
        ToolSpec(name="free", parameters=free, strict=True),
        ToolSpec(name="held", strict=True),
    )
    found, warnings = body(tools=tools)

    assert {"name": "free", "input_schema": free} == found["tools"][0]
    assert found["tools"][1]["strict"] is True
    assert warnings == snapshot(
        [
            (
                "tools",
                "the vendor does not hold the model to the schema: /properties/a has free keys",
            )
        ]
    )


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 1},
        {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False},
        {"type": "object", "properties": {"a": {"enum": ["x", "y"], "type": "string"}}},
        {"anyOf": [{"const": 1, "type": "integer"}, {"type": "string", "minLength": 2}]},
        {"oneOf": [{"type": "string", "description": "a word"}, {"type": "boolean"}]},
        {"type": "number", "multipleOf": 2, "default": 4, "description": "even"},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "required": ["a"],
            "$defs": {"A": {"type": "array", "items": {"type": "integer"}, "minItems": 3}},
        },
    ],
)
def test_schemas_are_what_the_sdk_makes_of_them(schema):
    """By the vendor's own judgement, where it has one."""
    found, _ = body(schema=schema)

    assert transform_schema(schema) == found["output_config"]["format"]["schema"]


def test_what_the_sdk_leaves_to_the_vendor():
    """Types beside an enum, and words beside a reference."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": ["integer", "null"]},
            "c": {"$ref": "#/$defs/C", "description": "a c"},
        },
        "$defs": {"C": {"type": "string", "pattern": "^c"}},
    }
    found, warnings = body(schema=schema)

    assert found["output_config"]["format"]["schema"] == snapshot(
        {
            "type": "object",
            "properties": {
                "a": {"enum": ["x", None]},
                "b": {"type": ["integer", "null"]},
                "c": {"anyOf": [{"$ref": "#/$defs/C"}], "description": "a c"},
            },
            "$defs": {"C": {"type": "string", "description": '{pattern: "^c"}'}},
            "additionalProperties": False,
        }
    )
    assert ["schema"] == [setting for setting, _ in warnings]


# -- the table ------------------------------------------------------------------------------


def test_every_model_says_where_its_facts_are_from():
    """And what it costs, if it is served."""
    for model in MODELS:
        assert model.source
        if model.lifecycle.state != "retired":
            assert model.prices.as_of.isoformat() == "2026-11-20"
            assert model.context_tokens > model.max_output_tokens > 0
            assert model.id in THINKING
        else:
            assert model.lifecycle.retires_on


def test_the_budgets_leave_room_in_every_model():
    """Else the highest effort could never be asked for."""
    for model in MODELS:
        if model.id in THINKING and not THINKING[model.id].adaptive:
            found, warnings = body(name=model.id, reasoning="max")
            assert found["thinking"]["budget_tokens"] < model.max_output_tokens - 8192
            assert all("left out" not in words for _, words in warnings)


def test_a_misspelt_option_is_a_type_error():
    """Not a field that is sent into the blue."""
    with pytest.raises(TypeError):
        AnthropicText(servicetier="auto")
