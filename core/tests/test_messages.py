"""Messages: what a prompt may be, and the way through JSON."""

import json
from collections import UserDict

import pytest
from anymodal.errors import InvalidRequestError
from anymodal.media import File, Image
from anymodal.modalities.messages import (
    Citation,
    Message,
    ProviderState,
    Reasoning,
    ToolCall,
    ToolResult,
    messages_of,
)
from hypothesis import given
from hypothesis import strategies as st

PICTURE = Image(url="https://acme.example/a.png")


def refusal(call):
    """The message and field of the refusal that *call* ends with."""
    with pytest.raises(InvalidRequestError) as caught:
        call()
    return str(caught.value), caught.value.field


# -- what a prompt may be -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "messages"),
    [
        ("Hello", [Message.user("Hello")]),
        (PICTURE, [Message.user(PICTURE)]),
        (ToolResult("c1", "4"), [Message.user(ToolResult("c1", "4"))]),
        (Message.assistant("Hi"), [Message.assistant("Hi")]),
        (["Read this.", PICTURE], [Message.user("Read this.", PICTURE)]),
        (("Read", "this"), [Message.user("Read", "this")]),
        (
            ["a", Message.assistant("b"), "c", PICTURE, Message.user("d"), "e"],
            [
                Message.user("a"),
                Message.assistant("b"),
                Message.user("c", PICTURE),
                Message.user("d"),
                Message.user("e"),
            ],
        ),
        (["", PICTURE], [Message.user("", PICTURE)]),
    ],
)
def test_prompt_is_a_part_or_a_sequence(prompt, messages):
    """Bare parts form one user turn; messages stand as they are."""
    assert messages_of(prompt) == tuple(messages)


@pytest.mark.parametrize("prompt", ["", " \n", [], [""], ["", "  "], [Message.user(" ")]])
def test_empty_prompt_is_refused(prompt):
    """Vendors answer it with anything from an error to a greeting."""
    assert refusal(lambda: messages_of(prompt)) == ("prompt: it is empty.", "prompt")


@pytest.mark.parametrize("prompt", [3, [3], ["a", None], [b"bytes"], b"bytes"])
def test_what_is_no_part_is_refused(prompt):
    """With the types that are, rather than an error from deep inside a codec."""
    told, field = refusal(lambda: messages_of(prompt))

    assert field == "parts"
    assert told.endswith("is not a part; use a string, Image, Audio, Video or File.")


PARTS = st.one_of(
    st.text(min_size=1),
    st.just(PICTURE),
    st.builds(File, st.binary(min_size=1), media_type=st.just("application/x"), name=st.text()),
    st.builds(ToolCall, st.text(), st.text(), st.text()),
    st.builds(ToolResult, st.text(), st.text(), st.text(), st.booleans()),
    st.builds(Reasoning, st.text()),
    st.builds(Citation, st.text(), st.text(), st.none() | st.integers(), st.none()),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["user", "assistant"]),
    st.lists(PARTS, min_size=1, max_size=4),
    st.lists(st.builds(ProviderState, st.text(), JSON), max_size=2),
)


@given(messages=st.lists(MESSAGES | PARTS, min_size=1, max_size=5))
def test_nothing_of_a_prompt_is_lost_or_moved(messages):
    """Whatever is mixed with whatever, the parts come out in order."""
    prompt = ["x", *messages]
    parts = [part for m in prompt for part in (m.parts if isinstance(m, Message) else (m,))]

    assert [part for message in messages_of(prompt) for part in message.parts] == parts


# -- the message itself -----------------------------------------------------------------------


def test_message_has_a_role():
    """The system prompt is not a turn of the conversation, and the error says where it goes."""
    told, field = refusal(lambda: Message("system", "Be brief."))

    assert field == "role"
    assert told == (
        "role: 'system' is neither 'user' nor 'assistant'. The system prompt goes by system=."
    )
    assert refusal(lambda: Message("tool", "4"))[0] == (
        "role: 'tool' is neither 'user' nor 'assistant'."
    )


def test_message_has_parts():
    """At least one; a string alone is one."""
    assert Message("user", "Hello") == Message.user("Hello")
    assert refusal(Message.user) == ("parts: a message has at least one.", "parts")
    assert refusal(lambda: Message.user(3))[1] == "parts"


def test_text_is_what_was_said():
    """Neither what was thought nor what was shown."""
    message = Message.assistant(
        "Hel", Reasoning("hm"), PICTURE, "lo", Citation("https://a.example")
    )

    assert message.text == "Hello"


def test_provider_state_does_not_print():
    """Signatures and encrypted reasoning are kilobytes of nothing to read."""
    message = Message("assistant", "Hi", [ProviderState("acme", {"signature": "x" * 1000})])

    assert "xxx" not in repr(message)
    assert message.state[0].data == {"signature": "x" * 1000}


@pytest.mark.parametrize(
    "make",
    [
        lambda: ToolCall(1, "name"),
        lambda: ToolCall("1", "name", {"a": 1}),
        lambda: ToolResult("1", 4),
        lambda: Reasoning(None),
    ],
)
def test_parts_are_made_of_strings(make):
    """Arguments and results are text on every wire."""
    with pytest.raises(TypeError):
        make()


# -- through JSON -------------------------------------------------------------------------------


@given(message=MESSAGES)
def test_json_keeps_everything(message):
    """A conversation can be stored anywhere and taken up again, provider state included."""
    assert Message.from_dict(json.loads(json.dumps(message.to_dict()))) == message


def test_json_of_a_message():
    """The format is stored by users, so it does not change."""
    message = Message(
        "assistant",
        [
            "Hi",
            PICTURE,
            ToolCall("c1", "add", '{"a": 1}'),
            ToolResult("c1", "2", "add", is_error=True),
            Reasoning("hm"),
            Citation("https://a.example", "A", 0, 2),
        ],
        [ProviderState("acme", {"id": 1})],
    )

    assert message.to_dict() == {
        "role": "assistant",
        "parts": [
            "Hi",
            {"type": "image", "url": "https://acme.example/a.png"},
            {"type": "tool_call", "id": "c1", "name": "add", "arguments": '{"a": 1}'},
            {
                "type": "tool_result",
                "id": "c1",
                "content": "2",
                "name": "add",
                "is_error": True,
            },
            {"type": "reasoning", "text": "hm"},
            {"type": "citation", "url": "https://a.example", "title": "A", "start": 0, "end": 2},
        ],
        "state": [{"provider": "acme", "data": {"id": 1}}],
    }
    assert Message.user("Hi").to_dict() == {"role": "user", "parts": ["Hi"]}


def test_state_without_data_is_read_as_none():
    """An older version may have written less."""
    found = {"role": "assistant", "parts": ["Hi"], "state": [{"provider": "acme"}]}

    assert Message.from_dict(UserDict(found)).state == (ProviderState("acme", None),)


@pytest.mark.parametrize(
    ("found", "message", "field"),
    [
        ([], "message: an object is needed, not list.", "message"),
        ({"role": "user"}, "parts: a list is needed, not NoneType.", "parts"),
        ({"role": "user", "parts": "Hi"}, "parts: a list is needed, not str.", "parts"),
        ({"role": "user", "parts": []}, "parts: a message has at least one.", "parts"),
        (
            {"role": "user", "parts": [3]},
            "parts: int is neither a string nor an object.",
            "parts",
        ),
        ({"parts": ["Hi"]}, "role: None is neither 'user' nor 'assistant'.", "role"),
        (
            {"role": "user", "parts": ["Hi"], "state": {}},
            "state: a list of objects with a provider is needed.",
            "state",
        ),
        (
            {"role": "user", "parts": ["Hi"], "state": [3]},
            "state: a list of objects with a provider is needed.",
            "state",
        ),
        (
            {"role": "user", "parts": ["Hi"], "state": [{"provider": 3}]},
            "state: a list of objects with a provider is needed.",
            "state",
        ),
        (
            {"role": "user", "parts": [{"type": "tool_call", "id": "c1"}]},
            "parts: tool_call has a field too many or too few.",
            "parts",
        ),
        (
            {"role": "user", "parts": [{"type": "reasoning", "text": "a", "b": 1}]},
            "parts: reasoning has a field too many or too few.",
            "parts",
        ),
        (
            {"role": "user", "parts": [{"type": "hologram"}]},
            "part: 'hologram' is not a kind of media.",
            "parts",
        ),
    ],
)
def test_what_is_no_message_is_refused(found, message, field):
    """Stored JSON may have been written by somebody else; the field is named."""
    assert refusal(lambda: Message.from_dict(found)) == (message, field)
