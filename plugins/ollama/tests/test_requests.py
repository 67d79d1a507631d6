"""What goes to an Ollama server, and what is refused or warned of instead."""

from __future__ import annotations

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
    TextRequest,
    ToolCall,
    ToolResult,
    ToolSpec,
    Video,
)
from anymodal import errors as e
from anymodal.modalities.text import EFFORTS, TextOption, WebSearch
from anymodal_ollama import OllamaText
from anymodal_ollama.body import encode
from inline_snapshot import snapshot

MODEL = ModelSpec(id="qwen3:8b", listed=False)
PNG = b"\x89PNG\r\n\x1a\n"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RATE = ToolSpec(name="rate", description="Tells a rate.", parameters=CITY)
TIME = ToolSpec(name="time")


def ask(*parts, model=MODEL, messages=None, **settings):
    """Return a request with one user's turn."""
    found = messages or (Message.user(*(parts or ("Hello",))),)
    return TextRequest(model=model, messages=found, **settings)


def body(request, *, stream=False):
    return encode(request, "ollama", stream=stream)


def warned(request):
    return [warning.setting for warning in request.warnings]


def test_a_simple_request():
    """What nobody asked for is left to the server, but for the stream, whose default is yes."""
    assert body(ask()) == snapshot(
        {
            "model": "qwen3:8b",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": False,
        }
    )
    assert body(ask(), stream=True)["stream"] is True


def test_a_request_with_everything():
    """Each setting has its field, and none is warned of."""
    request = ask(
        messages=(
            Message.user("Compare", Image(PNG), "and tell the rate."),
            Message.assistant(
                Reasoning("hm"),
                "I look.",
                ToolCall("call_a", "rate", '{"city":"x"}'),
                ToolCall("call_b", "time"),
            ),
            Message.user(ToolResult("call_a", "1.25"), ToolResult("call_b", "noon"), "And now?"),
        ),
        system="Be brief.",
        tools=(RATE, TIME),
        tool_choice="auto",
        schema=CITY,
        reasoning="high",
        temperature=0.5,
        top_p=0.9,
        max_tokens=64,
        stop=("END",),
        seed=7,
        options=[
            OllamaText(
                num_ctx=32768,
                top_k=40,
                min_p=0.1,
                repeat_penalty=1.1,
                keep_alive="10m",
                extra_body={"options": {"mirostat": 2}, "logprobs": True},
            )
        ],
    )

    assert body(request) == snapshot(
        {
            "model": "qwen3:8b",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": """\
Compare
and tell the rate.\
""",
                    "images": ["iVBORw0KGgo="],
                },
                {
                    "role": "assistant",
                    "content": "I look.",
                    "thinking": "hm",
                    "tool_calls": [
                        {"function": {"name": "rate", "arguments": {"city": "x"}}},
                        {"function": {"name": "time", "arguments": {}}},
                    ],
                },
                {"role": "tool", "content": "1.25", "tool_name": "rate"},
                {"role": "tool", "content": "noon", "tool_name": "time"},
                {"role": "user", "content": "And now?"},
            ],
            "stream": False,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "rate",
                        "description": "Tells a rate.",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    },
                },
                {
                    "type": "function",
                    "function": {
                        "name": "time",
                        "parameters": {"type": "object", "properties": {}},
                    },
                },
            ],
            "format": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
            "think": "high",
            "options": {
                "temperature": 0.5,
                "top_p": 0.9,
                "num_predict": 64,
                "seed": 7,
                "stop": ["END"],
                "num_ctx": 32768,
                "top_k": 40,
                "min_p": 0.1,
                "repeat_penalty": 1.1,
                "mirostat": 2,
            },
            "keep_alive": "10m",
            "logprobs": True,
        }
    )
    assert request.warnings == []


@pytest.mark.parametrize(
    ("effort", "word", "warns"),
    [
        ("none", False, False),
        ("minimal", "low", True),
        ("low", "low", False),
        ("medium", "medium", False),
        ("high", "high", False),
        ("xhigh", "high", True),
        ("max", "high", True),
    ],
)
def test_efforts(effort, word, warns):
    """What Ollama does not have is bent to the nearest, and said."""
    request = ask(reasoning=effort)

    assert body(request)["think"] == word
    assert set(warned(request)) == ({"reasoning"} if warns else set())


def test_every_effort_has_a_word():
    """None of them is left out by mistake."""
    assert all("think" in body(ask(reasoning=effort)) for effort in EFFORTS)


def test_a_models_own_word_for_thinking_goes_before_the_effort():
    """Words are the models' own, so that some have more than three."""
    request = ask(reasoning="low", options=[OllamaText(think="max")])

    assert body(request)["think"] == "max"
    assert body(ask(options=[OllamaText(think=False)]))["think"] is False
    assert request.warnings == []


def test_no_thought_is_asked_of_a_model_that_is_known_to_have_none():
    """A server would refuse the field; earlier thoughts of others stay away as well."""
    plain = ModelSpec(id="gemma3:4b", capabilities=Capabilities(no={"reasoning"}))
    talk = (Message.user("Hi"), Message.assistant(Reasoning("hm"), "Ho"), Message.user("And?"))
    request = ask(model=plain, messages=talk, reasoning="high")
    found = body(request)

    assert "think" not in found
    assert found["messages"][1] == {"role": "assistant", "content": "Ho"}
    assert warned(request) == ["reasoning"]
    silent = ask(model=plain, reasoning="none")
    assert "think" not in body(silent)
    assert silent.warnings == []


@pytest.mark.parametrize(
    ("choice", "offered", "warns"),
    [
        (None, ["rate", "time"], []),
        ("auto", ["rate", "time"], []),
        ("none", None, []),
        ("required", ["rate", "time"], ["tool_choice"]),
        ("time", ["time"], ["tool_choice"]),
    ],
)
def test_choices_of_tools(choice, offered, warns):
    """There is no field for them: fewer tools are offered, and what cannot be forced is said."""
    request = ask(tools=(RATE, TIME), tool_choice=choice)
    tools = body(request).get("tools")

    assert (tools and [tool["function"]["name"] for tool in tools]) == offered
    assert warned(request) == warns


def test_a_tool_without_parameters_or_description():
    """The server wants the parameters; a description may be missing."""
    assert body(ask(tools=(TIME,)))["tools"] == snapshot(
        [
            {
                "type": "function",
                "function": {"name": "time", "parameters": {"type": "object", "properties": {}}},
            }
        ]
    )


def test_results_are_told_apart_by_name():
    """By their own, or that of the latest call with their id; unknown ones have none."""
    talk = (
        Message.user("Hi"),
        Message.assistant(ToolCall("call_0", "rate"), ToolResult("call_0", "1")),
        Message.assistant(ToolCall("call_0", "time")),
        Message.user(
            ToolResult("call_0", "2"), ToolResult("call_9", "3"), ToolResult("call_0", "4", "own")
        ),
    )
    results = [m for m in body(ask(messages=talk))["messages"] if m["role"] == "tool"]

    assert [(m["content"], m.get("tool_name")) for m in results] == [
        ("1", "rate"),
        ("2", "time"),
        ("3", None),
        ("4", "own"),
    ]


@pytest.mark.parametrize("arguments", ["{", "[]", "7", "null"])
def test_arguments_that_are_no_object_are_warned_of(arguments):
    """The server would refuse the whole conversation for what another model once wrote."""
    request = ask(messages=(Message.assistant(ToolCall("a", "rate", arguments)),))
    (said,) = body(request)["messages"]

    assert said["tool_calls"] == [{"function": {"name": "rate", "arguments": {}}}]
    assert warned(request) == ["messages"]


@pytest.mark.parametrize(
    "part",
    [
        Image(url="https://example.com/a.png"),
        Audio(b"RIFF    WAVE"),
        Video(b"    ftypmp42"),
        File(b"%PDF-1.4"),
    ],
    ids=["image by url", "audio", "video", "file"],
)
def test_parts_without_a_form_are_refused(part):
    """Before anything is sent."""
    with pytest.raises(e.UnsupportedFeatureError, match="nothing was sent"):
        body(ask(part))


def test_media_in_a_models_turn_are_refused():
    """The server's templates have no place for them."""
    with pytest.raises(e.UnsupportedFeatureError, match="a model's turn"):
        body(ask(messages=(Message.assistant(Image(PNG)),)))


def test_a_search_is_refused():
    """The core refuses it already, by the spec; nobody gets around that."""
    with pytest.raises(e.UnsupportedFeatureError, match="web_search"):
        body(ask(web_search=WebSearch()))


LOST = {
    "cache": ({"cache": "system"}, "cache"),
    "end_user": ({"end_user": "u-1"}, "end_user"),
    "strict tool": ({"tools": (ToolSpec(name="x", strict=True),)}, "tools"),
    "state": ({"messages": (Message("assistant", "Hi", [ProviderState("acme", 1)]),)}, "state"),
    "citation": ({"messages": (Message.user("Hi", Citation("https://a.example")),)}, "messages"),
}


@pytest.mark.parametrize(("settings", "setting"), LOST.values(), ids=LOST)
def test_what_is_lost_is_warned_of_or_an_error(settings, setting):
    """Never in silence; the strict hear of it before anything is sent."""
    request = ask(**settings)
    body(request)

    assert warned(request) == [setting]
    with pytest.raises(e.UnsupportedFeatureError, match=setting):
        body(ask(**settings, strict=True))


def test_a_turn_of_nothing_that_can_be_sent_is_left_out():
    """An empty message confuses the template."""
    talk = (Message.assistant(""), Message.user(Reasoning("hm")), Message.user("Hi"))

    assert body(ask(messages=talk))["messages"] == [{"role": "user", "content": "Hi"}]


def test_options_of_other_vendors_are_ignored():
    """So that failover stays legal."""

    class Other(TextOption):
        provider = "other"

    request = ask(options=[Other()])

    assert body(request) == body(ask())
    assert request.warnings == []


def test_the_request_is_left_as_it_was():
    """A retry makes the same body again."""
    request = ask(
        schema={"type": "object"},
        temperature=0,
        options=[OllamaText(extra_body={"format": {"x": 1}, "options": {"temperature": 1}})],
    )

    assert body(request) == body(request)
    assert request.schema == {"type": "object"}
    assert body(request)["options"] == {"temperature": 1}
