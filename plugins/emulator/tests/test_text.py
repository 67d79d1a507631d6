"""The model behind text emulators."""

from __future__ import annotations

import base64
import json
import struct

import attrs
import pytest
from anymodal_emulator.app import Memory
from anymodal_emulator.schemas import instance
from anymodal_emulator.text import Ask, Given, answer, count, tokens, word
from hypothesis import given
from hypothesis import strategies as st

ASK = Ask(provider="acme", model="acme-1", prompt="Hello there!", history="Hello there!")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def said(**changes) -> object:
    return answer(attrs.evolve(ASK, **changes), Memory())


@given(st.text())
def test_tokens_are_the_text(text):
    """Streamed piece by piece, the whole is the same; and each piece counts one."""
    assert text == "".join(tokens(text))
    assert count(text) == len(tokens(text)) or not text.strip()


def test_answer_says_what_was_heard():
    """Provider, model and words."""
    found = said()

    assert found.text == "acme (acme-1) heard: Hello there!"
    assert (found.end, found.input_tokens, found.output_tokens) == ("stop", 3, 11)


def test_answer_says_all_that_was_given():
    """A test can see from the answer that everything arrived."""
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
    uri = "data:image/png;base64," + base64.b64encode(png).decode()
    found = said(
        system="Be brief.",
        given=(Given.of_uri("image", uri), Given.of_uri("file", "https://a.example/b.pdf")),
        results=(("rate", "7"),),
        turns=2,
    )

    assert found.text.endswith(
        "| system: Be brief. | image/png, 24 bytes, 640x480 pixels "
        "| file at https://a.example/b.pdf | rate returned: 7 | turn 2"
    )


@pytest.mark.parametrize("uri", ["ftp://a", "data:image/png,abc", "data:image/png;base64,a?", ""])
def test_media_that_are_none_are_an_error(uri):
    """The vendor's emulator says so in the vendor's words."""
    with pytest.raises(ValueError, match="base64"):
        Given.of_uri("image", uri)


@pytest.mark.parametrize("limit", [1, 4, 10])
def test_limit_of_tokens_is_kept(limit):
    """To the token, and the end says why."""
    found = said(max_tokens=limit)

    assert (limit, "length") == (found.output_tokens, found.end)
    assert said().text.startswith(found.text)


def test_limit_that_is_enough_is_no_end():
    """The answer has eleven tokens."""
    assert said(max_tokens=11).end == "stop"


def test_reasoning_takes_from_the_limit():
    """With little room nothing is left for words."""
    found = said(effort="high", max_tokens=5)

    assert (found.text, found.end) == ("", "length")
    assert found.reasoning_tokens == count(found.reasoning) > 5
    assert "high" in found.reasoning
    assert not said(effort="none").reasoning


def test_stop_ends_the_text_before_it():
    """The mark itself is not said."""
    assert said(stop=("heard",)).text == "acme (acme-1) "


def test_tool_is_called_when_named_and_once():
    """With its result the model answers in words."""
    tools = {"rate": CITY, "other": CITY}
    (call,) = said(tools=tools, prompt="Use rate.").calls

    assert (call.name, json.loads(call.arguments)) == ("rate", {"city": "Use rate."})
    assert said(tools=tools, prompt="Use rate.").end == "tool_calls"
    assert said(tools=tools).calls == ()
    assert said(tools=tools, prompt="Use rate.", tool_choice="none").calls == ()
    assert said(tools=tools, prompt="Use rate.", results=(("rate", "1"),)).calls == ()


@pytest.mark.parametrize(("choice", "name"), [("required", "rate"), ("other", "other")])
def test_tool_is_called_when_it_has_to_be(choice, name):
    """Whatever the prompt says."""
    assert [name] == [
        call.name for call in said(tools={"rate": {}, "other": {}}, tool_choice=choice).calls
    ]


def test_structured_answer_carries_the_prompt():
    """So that a tour can show who answered what."""
    assert json.loads(said(schema=CITY).text) == {"city": "acme (acme-1) heard: Hello there!"}


def test_cache_key_seen_before():
    """As much is cached as both prompts have."""
    memory = Memory()
    keyed = attrs.evolve(ASK, cache_key="k")

    assert [
        answer(ask, memory).cached_tokens
        for ask in (keyed, attrs.evolve(keyed, history="Hello there! More."), ASK)
    ] == [0, 3, 0]


@pytest.mark.parametrize(
    "magic", ["refuse", "filter", "block", "context", "quota", "fail", "long", "cite"]
)
def test_magic_words_are_found(magic):
    """Alone and within other words, but not as the beginning of another."""
    assert magic == word(f"please emulator:{magic}, now") == said(prompt=f"emulator:{magic}").word
    assert word(f"emulator:{magic}ish") is None


def test_magic_words_work():
    """Those that concern the answer itself; the others are the vendor's to say."""
    assert said(prompt="emulator:refuse").refusal == "acme (acme-1) will not answer that."
    assert said(prompt="emulator:filter").end == "content_filter"
    assert count(said(prompt="emulator:long").text) == 200
    assert said(prompt="emulator:cite").cited


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "w"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "string", "minLength": 3}, "w.."),
        ({"type": "string", "format": "date"}, "2026-09-21"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": None}, None),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5, "multipleOf": 4}, 8),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "number", "exclusiveMaximum": 1}, 0),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["string", "null"]}, "w"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {}, "maxItems": 0}, []),
        ({"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}]}, [None, True]),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"type": "object", "required": ["b"]}, {"b": "w"}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a": "w", "b": "w"}),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 1),
    ],
)
def test_instance_fits(schema, value):
    """One row for each keyword that is known."""
    assert value == instance(schema, "w")


def test_instance_of_a_schema_within_itself_ends():
    """A tree has leaves."""
    node = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        },
        "required": ["name", "children", "next"],
    }
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}

    found = instance(schema, "w")
    while found["next"]:
        found = found["next"]
    assert found == {"name": "w", "children": [], "next": None}
