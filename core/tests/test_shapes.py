"""Shapes: what answers and arguments have to look like, strictly and half."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import enum
import functools
import json
import typing
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import attrs
import pytest
import typing_extensions
from anymodal import errors as e
from anymodal.shapes import (
    Growing,
    arguments_of,
    partial_json,
    shape_of,
    strict,
)
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore:.*typing_extensions.*:DeprecationWarning")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Item:
    name: str
    price: float = 1.0


@dataclasses.dataclass
class Receipt:
    shop: str
    items: list[Item]
    colour: Colour | None = None


@attrs.define
class Point:
    x: int = attrs.field(validator=attrs.validators.ge(0))
    y: int = 0


class Place(TypedDict):
    city: str
    zip: NotRequired[str]


class OlderPlace(typing_extensions.TypedDict):
    city: str


@dataclasses.dataclass
class Node:
    value: int
    next: Optional[Node] = None  # noqa: UP045  # both spellings are met


class Weather:
    """A class that reads itself, as pydantic's do."""

    def __init__(self, sky):
        self.sky = sky

    @classmethod
    def model_json_schema(cls):
        return {
            "type": "object",
            "properties": {"sky": {"$ref": "#/$defs/Sky"}},
            "required": ["sky"],
            "$defs": {"Sky": {"type": "string"}},
        }

    @classmethod
    def model_validate(cls, found):
        if found.get("sky") not in {"grey", "blue"}:
            msg = "sky: grey or blue"
            raise ValueError(msg)
        return cls(found["sky"])

    @classmethod
    def model_validate_json(cls, text):
        return cls.model_validate(json.loads(text))


# -- shapes of answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "text", "value"),
    [
        (Receipt, '{"shop":"a","items":[{"name":"b"}]}', Receipt("a", [Item("b")])),
        (Point, '{"x":1}', Point(1)),
        (Place, '{"city":"c"}', {"city": "c"}),
        (OlderPlace, '{"city":"c"}', {"city": "c"}),
        (Node, '{"value":1,"next":{"value":2}}', Node(1, Node(2))),
        ({"type": "object", "required": ["a"]}, '{"a":1}', {"a": 1}),
    ],
    ids=["dataclass", "attrs", "TypedDict", "older TypedDict", "recursive", "schema"],
)
def test_an_answer_becomes_what_was_asked_for(output, text, value):
    """Whatever kind of class, or a bare schema."""
    assert value == shape_of(output).read(text)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (Receipt, '{"shop":"a"}'),
        (Receipt, '{"shop":"a","items":[{"name":1}]}'),
        (Receipt, '{"shop":"a","items":[],"colour":"green"}'),
        (Point, '{"x":-1}'),
        (Place, "{}"),
        (Weather, '{"sky":1}'),
        ({"type": "object", "required": ["a"]}, "{}"),
        ({"type": "object"}, "{"),
    ],
)
def test_what_does_not_fit_is_a_value_error(output, text):
    """The caller of `read` needs to know one exception."""
    with pytest.raises(ValueError, match=r"."):
        shape_of(output).read(text)


def test_a_class_that_reads_itself():
    """By its methods, whatever library it is of."""
    shape = shape_of(Weather)

    assert Weather.model_json_schema() == shape.schema
    assert "grey" == shape.read('{"sky":"grey"}').sky


def test_the_root_of_a_schema_is_an_object_and_no_reference():
    """Vendors want it so, of recursive classes too."""
    schema = shape_of(Node).schema

    assert "object" == schema["type"]
    assert {"$ref": "#/$defs/Node"} in schema["properties"]["next"]["anyOf"]
    assert "object" == schema["$defs"]["Node"]["type"]
    assert "$defs" not in shape_of(Point).schema


@dataclasses.dataclass
class Unfit:
    z: complex


@pytest.mark.parametrize(
    "output",
    [
        int,
        list[int],
        "Receipt",
        Unfit,
        object(),
        {"type": "nonsense"},
        {"properties": 3, "type": "object"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema.json"},
        {"anyOf": [{"$ref": "other.json"}]},
        {"enum": {1, 2}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
    ],
    ids=lambda one: type(one).__name__ if type(one) is object else str(one),
)
def test_an_unfit_output_is_refused_by_its_field(output):
    """Before anything is sent, or fetched from elsewhere."""
    with pytest.raises(e.InvalidRequestError, match=r"^output: ") as caught:
        shape_of(output)

    assert "output" == caught.value.field


def test_names_that_lead_nowhere_are_refused():
    """A class of a function's own, under postponed annotations."""

    class Hidden:
        pass

    @dataclasses.dataclass
    class Local:
        hidden: Hidden

    with pytest.raises(e.InvalidRequestError, match="Hidden"):
        shape_of(Local)


def test_a_default_is_not_what_the_model_said():
    """A bare schema checks, and adds nothing."""
    schema = {"type": "object", "properties": {"a": {"type": "integer", "default": 7}}}

    assert {} == shape_of(schema).read("{}")


# -- strictness -----------------------------------------------------------------------------------


def test_every_kind_of_class_can_be_strict():
    """What people use for answers loses nothing on the way."""
    for output in (Receipt, Point, Place, Node, Weather):
        found = strict(shape_of(output).schema)

        assert [] == found.lost == found.loose
        assert found.schema["additionalProperties"] is False
        assert [*found.schema["properties"]] == found.schema["required"]


def test_enums_say_their_type():
    """msgspec leaves it out, and vendors want it."""
    found = strict(shape_of(Receipt).schema).schema

    assert {"title": "Colour", "enum": ["blue", "red"], "type": "string"} == found["$defs"][
        "Colour"
    ]


# -- half an answer --------------------------------------------------------------------------------


def grows(before, after):
    """Tell whether *after* says all that *before* said, and perhaps more."""
    if before is None:
        return True
    if isinstance(before, dict):
        return isinstance(after, dict) and all(
            name in after and grows(one, after[name]) for name, one in before.items()
        )
    if isinstance(before, list):
        return (
            isinstance(after, list)
            and len(before) <= len(after)
            and all(map(grows, before, after[: len(before)]))
        )
    if isinstance(before, str):
        return isinstance(after, str) and after.startswith(before)
    return type(before) is type(after) and before == after


TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from('"\\/\n\t\x00😀é'), max_size=8)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
).filter(lambda found: isinstance(found, dict | list | str))


@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS, ascii=st.booleans(), indent=st.sampled_from([None, 1]))
def test_half_a_document_grows_into_the_whole(document, ascii, indent):  # noqa: A002  # json's word
    """No prefix raises or takes back what the one before it said, escapes and pairs cut or not."""
    text = json.dumps(document, ensure_ascii=ascii, indent=indent)
    said = None
    for cut in range(len(text) + 1):
        now = partial_json(text[:cut])

        assert grows(said, now), text[:cut]
        said = now

    assert json.loads(text) == said


@settings(max_examples=100, deadline=None)
@given(document=DOCUMENTS, cuts=st.lists(st.integers(1, 12), max_size=20))
def test_pieces_do_not_matter(document, cuts):
    """Fed in pieces it says what it says at once, and tells when it has changed."""
    text = json.dumps(document)
    growing, before, at = Growing(), None, 0
    for cut in [*cuts, len(text)]:
        changed = growing.feed(text[at : at + cut])
        at += cut

        assert partial_json(text[:at]) == growing.value
        assert changed or before == growing.value
        before = copy.deepcopy(growing.value)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from('{}[],:"\\ truefalsn1-.eu0d83\n😀'), max_size=40))
def test_no_text_at_all_raises(text):
    """Models write what they like."""
    for cut in range(len(text) + 1):
        partial_json(text[:cut])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  {", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a":1', {}),
        ('{"a":1,', {"a": 1}),
        ('{"a":tru', {}),
        ('{"a":true', {"a": True}),
        ('{"a":nul', {}),
        ("[1,2", [1]),
        ('[1,"x', [1, "x"]),
        ('["\\', [""]),
        ('["\\u00', [""]),
        ('["\\ud83d', [""]),
        ('["\\ud83d\\ude', [""]),
        ('["\\ud83d\\ude00', ["😀"]),
        ("12", None),
        ('"so', "so"),
        ("Here it is: {}", None),
        ('{"a":1}}', {"a": 1}),
        ('{"a":[1}', {"a": [1]}),
        ('["a\\x', []),
        ('["a\\x"', []),
        ("[}", []),
        ("[:", []),
        ("{1", {}),
        ('{"a"}', {}),
        ("[1 2", [1]),
        ("[1,]", [1]),
        ("[" * 1000, None),
    ],
)
def test_what_half_a_document_says(text, value):
    """A string may be cut; a number, a word or a key may not."""
    found = partial_json(text)
    if text.startswith("[[["):
        assert isinstance(found, list)
    else:
        assert value == found


def test_values_that_were_handed_on_do_not_change():
    """Whoever keeps one, keeps what it was."""
    growing = Growing()
    kept = []
    for piece in ('{"a":[', "1,", '2,{"b":"x', 'y"}', "]}"):
        growing.feed(piece)
        kept.append(growing.value)

    assert [
        {"a": []},
        {"a": [1]},
        {"a": [1, 2, {"b": "x"}]},
        {"a": [1, 2, {"b": "xy"}]},
        {"a": [1, 2, {"b": "xy"}]},
    ] == kept


# -- arguments of functions ---------------------------------------------------------------------------


def plain(city: str, days: int = 3, *, unit: Literal["c", "f"] = "c") -> str:
    """
    Tell the weather.

    Args:
        city: Where
            it is asked for.
        days (int): How many.

    Returns:
        unit: no argument.
    """


def nested(items: list[Item], colour: Colour, when: dt.date, place: Place | None = None): ...


def annotated(city: Annotated[str, "Where to look"], n: Annotated[int, 5] = 1): ...


class Service:
    def method(self, city: str): ...

    async def later(self, city: str): ...

    def __call__(self, city: str): ...

    @classmethod
    def made(cls, city: str): ...

    @staticmethod
    def free(city: str): ...


@functools.lru_cache
def wrapped(city: str): ...


@dataclasses.dataclass
class Order:
    city: str


def properties(function):
    return arguments_of(function).schema["properties"]


def test_arguments_by_their_annotations():
    """Types, defaults, what the docstring says, and nothing else allowed."""
    assert {
        "type": "object",
        "properties": {
            "city": {"description": "Where it is asked for.", "type": "string"},
            "days": {"description": "How many.", "type": "integer", "default": 3},
            "unit": {"enum": ["c", "f"], "default": "c"},
        },
        "required": ["city"],
        "additionalProperties": False,
    } == arguments_of(plain).schema


def test_arguments_are_made_of_json():
    """Enums, dates and classes become themselves; defaults come in."""
    found = arguments_of(nested).read(
        '{"items":[{"name":"a"}],"colour":"red","when":"2026-11-20","place":{"city":"b"}}'
    )

    assert {
        "items": [Item("a")],
        "colour": Colour.RED,
        "when": dt.date(2026, 11, 20),
        "place": {"city": "b"},
    } == found
    assert {"city": "x", "days": 3, "unit": "c"} == arguments_of(plain).read('{"city":"x"}')


def test_a_default_is_the_very_object():
    """Not what a round through JSON would make of it."""
    default = object()

    def odd(n: int = default): ...

    odd.__annotations__ = {"n": int}
    assert arguments_of(odd).read("{}")["n"] is default
    assert "default" not in properties(odd)["n"]


def test_a_bare_string_in_annotated_describes():
    """As people write it for other libraries."""
    assert "Where to look" == properties(annotated)["city"]["description"]
    assert "description" not in properties(annotated)["n"]


@pytest.mark.parametrize(
    "function",
    [
        Service().method,
        Service().later,
        Service(),
        Service.made,
        Service.free,
        functools.partial(Service.method, Service()),
        functools.partial(functools.partial(plain, days=2), unit="f"),
        wrapped,
        Order,
    ],
    ids=[
        "method",
        "async method",
        "callable",
        "classmethod",
        "staticmethod",
        "partial of a method",
        "partial of a partial",
        "wrapped",
        "class",
    ],
)
def test_whatever_can_be_called(function):
    """Methods, callables, partials, wrapped functions, classes; what is bound is not shown."""
    assert ["city"] == [*properties(function)]
    assert {"city": "x"} == arguments_of(function).read('{"city":"x"}')


def test_classes_that_read_themselves_are_arguments_too():
    """Their definitions stand with the others."""

    def look(weather, item): ...

    look.__annotations__ = {"weather": Weather, "item": Item}
    found = arguments_of(look)

    assert {"Weather", "Item", "Sky"} >= {*found.schema["$defs"]} >= {"Item", "Sky"}
    read = found.read('{"weather":{"sky":"grey"},"item":{"name":"a"}}')
    assert "grey" == read["weather"].sky
    with pytest.raises(ValueError, match="grey or blue"):
        found.read('{"weather":{"sky":1},"item":{"name":"a"}}')


@pytest.mark.parametrize(
    "text",
    ["{}", '{"city":1}', '{"city":"x","more":1}', '{"city":"x"', "[]", '{"city":"x","days":"3"}'],
)
def test_arguments_that_do_not_fit_are_a_value_error(text):
    """A model that gets them wrong is to hear of it."""
    with pytest.raises(ValueError, match=r"."):
        arguments_of(plain).read(text)


def test_two_classes_of_one_name_are_refused():
    """Their definitions would take each other's place."""

    def of(kind):
        class Odd(Weather):
            @classmethod
            def model_json_schema(cls):
                return {"$ref": "#/$defs/Odd", "$defs": {"Odd": {"type": kind}}}

        return Odd

    def look(one, other): ...

    look.__annotations__ = {"one": of("string"), "other": of("integer")}
    with pytest.raises(e.InvalidRequestError, match="two classes are called Odd"):
        arguments_of(look)


def test_no_arguments_may_be_no_text():
    """Some vendors send nothing for an empty object."""

    def nothing(): ...

    assert {} == arguments_of(nothing).read("")
    assert [] == strict(arguments_of(nothing).schema).lost


def unnamed(*cities: str): ...
def open_ended(**cities: str): ...
def by_place(city: str, /): ...
def untyped(city): ...
def unfit(z: complex): ...
def two_customs(z: typing.Union[complex, range]): ...  # noqa: UP007  # both spellings are met
def nowhere(city: "Nowhere"): ...  # noqa: F821, UP037  # it is to lead nowhere


@pytest.mark.parametrize(
    "function",
    [unnamed, open_ended, by_place, untyped, unfit, two_customs, nowhere, Service.method, dict.get],
    ids=lambda one: one.__name__,
)
def test_arguments_that_no_schema_can_name_are_refused(function):
    """With the tool's name, and the field."""
    with pytest.raises(e.InvalidRequestError, match=function.__name__) as caught:
        arguments_of(function)

    assert "tools" == caught.value.field


def test_any_is_any():
    """It may be what it likes, though no vendor can be held to that."""

    def keep(value, more): ...

    keep.__annotations__ = {"value": Any, "more": dict[str, int]}
    found = arguments_of(keep)

    assert {"value": [1], "more": {"a": 1}} == found.read('{"value":[1],"more":{"a":1}}')
    assert 2 == len(strict(found.schema).lost)
