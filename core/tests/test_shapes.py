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
    checked_by,
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
    ids=str,
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

SCALARS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"enum": ["a", 1]},
        {"const": "x"},
        {"type": "integer", "minimum": 0, "description": "a count", "default": 3},
    ]
)
NAMES = st.sampled_from(["a", "b", "items", "properties", "$ref"])


def objects(inner):
    def make(properties, required, closed):
        found = {"type": "object", "properties": properties, "required": [*required]}
        return {**found, "additionalProperties": False} if closed else found

    return st.dictionaries(NAMES, inner, max_size=3).flatmap(
        lambda properties: st.builds(
            make,
            st.just(properties),
            st.sets(st.sampled_from(sorted(properties) or ["a"])).map(
                lambda names: sorted(names & properties.keys())
            ),
            st.booleans(),
        )
    )


SCHEMAS = objects(
    st.recursive(
        SCALARS,
        lambda inner: (
            objects(inner)
            | st.builds(lambda one: {"type": "array", "items": one}, inner)
            | st.builds(lambda many: {"anyOf": many}, st.lists(inner, min_size=1, max_size=2))
        ),
        max_leaves=6,
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)
KINDS = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def fits(schema, value, *, whole):  # noqa: PLR0911  # one line a kind of schema
    """Tell whether *value* fits; where *whole*, with every property and no other."""
    if "anyOf" in schema:
        return any(fits(one, value, whole=whole) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        known = schema.get("enum", [schema.get("const")])
        return any(type(one) is type(value) and one == value for one in known)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(KINDS[kind](value) for kind in kinds):
        return False
    if isinstance(value, list):
        return all(fits(schema["items"], one, whole=whole) for one in value)
    if not isinstance(value, dict):
        return not (KINDS["number"](value) and value < schema.get("minimum", value))
    known = schema["properties"]
    missing = (known if whole else set(schema["required"])) - value.keys()
    odd = value.keys() - known.keys()
    if missing or (odd and (whole or "additionalProperties" in schema)):
        return False
    return all(fits(known[k], v, whole=whole) for k, v in value.items() if k in known)


@st.composite
def values(draw, schema):
    """Draw a value that often fits *schema*, sometimes with keys left out or added."""
    if "anyOf" in schema:
        return draw(values(draw(st.sampled_from(schema["anyOf"]))))
    kind = schema.get("type")
    if kind == "array":
        return draw(st.lists(values(schema["items"]), max_size=2))
    if kind == "object":
        found = {name: draw(values(one)) for name, one in schema["properties"].items()}
        for name in draw(st.lists(st.sampled_from([*found, "more", "none"]), max_size=1)):
            if name == "more":
                found["zzz"] = 1
            else:
                found.pop(name, None)
        return found
    return draw(st.sampled_from(["a", "x", 1, -1, 2.5, True, None]))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), schema=SCHEMAS)
def test_strict_accepts_exactly_what_is_whole(data, schema):
    """The values of the original with every property and no other: none more, none fewer."""
    before = copy.deepcopy(schema)
    found, lost = strict(schema)
    value = data.draw(values(schema))

    assert [] == lost
    assert before == schema
    assert fits(schema, value, whole=True) == fits(found, value, whole=False)


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS)
def test_strict_is_idempotent(schema):
    """What is strict stays as it is."""
    found, lost = strict(schema)

    assert (found, lost) == strict(found)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), schema=SCHEMAS)
def test_what_fits_strictly_fits(data, schema):
    """By another's judgement: no answer that a vendor was held to is refused here."""
    value = data.draw(values(schema))
    text = json.dumps(value)
    try:
        checked_by(strict(schema)[0], "output")(text)
    except ValueError:
        return
    assert value == checked_by(schema, "output")(text)


def test_every_kind_of_class_can_be_strict():
    """What people use for answers loses nothing on the way."""
    for output in (Receipt, Point, Place, Node, Weather):
        found, lost = strict(shape_of(output).schema)

        assert [] == lost
        assert found["additionalProperties"] is False
        assert [*found["properties"]] == found["required"]


def test_enums_say_their_type():
    """msgspec leaves it out, and vendors want it."""
    found, _ = strict(shape_of(Receipt).schema)

    assert {"title": "Colour", "enum": ["blue", "red"], "type": "string"} == found["$defs"][
        "Colour"
    ]


LINKED = {
    "properties": {"next": {"$ref": "#/$defs/Link"}},
    "$defs": {"Link": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Link"}}}},
}
MUTUAL = {
    "properties": {"a": {"$ref": "#/$defs/A"}},
    "$defs": {
        "A": {"type": "array", "items": {"$ref": "#/$defs/B"}, "minItems": 1},
        "B": {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]},
    },
}


@pytest.mark.parametrize("way_out", [{"type": ["object", "null"]}, {"type": "object"}])
def test_recursion_with_a_way_out_can_be_strict(way_out):
    """An empty list or a null ends it."""
    schema = {
        "properties": {"tree": {"$ref": "#/$defs/Tree"}},
        "$defs": {
            "Tree": {
                **way_out,
                "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
            }
        },
    }

    assert [] == strict(schema)[1]


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "object"}, "free keys"),
        ({"type": "object", "properties": {}, "additionalProperties": True}, "free keys"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "free keys"),
        ({"properties": {"a": {"type": ["object", "null"]}}}, "/properties/a has free keys"),
        ({"properties": {"a": {}}}, "/properties/a does not say of which type"),
        ({"properties": {"a": True}}, "/properties/a lets anything through"),
        ({"properties": {"a": {"type": "array"}}}, "what the array holds"),
        ({"properties": {}, "required": ["b"]}, "requires b"),
        ({"properties": {}, "not": {"type": "null"}}, "/not"),
        ({"properties": {}, "patternProperties": {"^a": {}}}, "/patternProperties"),
        ({"properties": {}, "allOf": [{"type": "object"}, {"type": "object"}]}, "/allOf"),
        ({"properties": {}, "if": {}, "then": {}}, "/if"),
        ({"properties": {"a": {"$ref": "https://x.example/a"}}}, "elsewhere"),
        ({"type": "array", "items": {"type": "string"}}, "the root"),
        (LINKED, "no end"),
        (MUTUAL, "no end"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "no end"),
        ({"properties": {"a": {"type": "string", "minLength": 1}}}, "/properties/a/minLength"),
        ({"properties": {"a": {"type": "string", "format": "iri"}}}, "'iri'"),
    ],
)
def test_what_cannot_be_said_strictly_is_told(schema, word):
    """One sentence each, with its place."""
    _, lost = strict(schema, unsupported=frozenset({"minLength"}), formats=frozenset({"date"}))

    assert any(word in one for one in lost), lost


def test_what_only_describes_is_left_out_without_loss():
    """Titles and defaults change no value."""
    schema = {
        "title": "T",
        "type": "object",
        "properties": {"a": {"type": "integer", "default": 1, "title": "A"}},
    }
    found, lost = strict(schema, unsupported=frozenset({"title"}))

    assert [] == lost
    assert {"a": {"type": "integer"}} == found["properties"]
    assert "title" not in found


def test_a_reference_stands_alone():
    """Vendors refuse a description beside it; wrapped, it may stay."""
    schema = {
        "properties": {"a": {"$ref": "#/$defs/A", "description": "the a"}},
        "$defs": {"A": {"type": "string"}},
    }
    found, lost = strict(schema)

    assert [] == lost
    assert {"anyOf": [{"$ref": "#/$defs/A"}], "description": "the a"} == found["properties"]["a"]


def test_alternatives_that_are_told_apart():
    """`oneOf` with a discriminator means what `anyOf` does; `allOf` of one is that one."""
    cat = {"properties": {"kind": {"const": "cat"}}}
    dog = {"properties": {"kind": {"const": "dog"}}}
    schema = {
        "properties": {
            "pet": {"oneOf": [cat, dog], "discriminator": {"propertyName": "kind"}},
            "name": {"allOf": [{"type": "string"}], "description": "its name"},
        }
    }
    found, lost = strict(schema, unsupported=frozenset({"oneOf", "discriminator"}))

    assert [] == lost
    assert ["anyOf"] == [*found["properties"]["pet"]]
    assert {"type": "string", "description": "its name"} == found["properties"]["name"]


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
    ids=repr,
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
    assert [] == strict(arguments_of(nothing).schema)[1]


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
    assert 2 == len(strict(found.schema)[1])
