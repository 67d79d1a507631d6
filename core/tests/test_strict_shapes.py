"""Strictness: schemas as vendors want them, and what they lose on the way."""

from __future__ import annotations

import copy
import json

import attrs
import pytest
from anymodal.shapes import Rules, asking_for, checked_by, strict
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

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
    found = strict(schema)
    value = data.draw(values(schema))

    assert [] == found.lost == found.loose
    assert before == schema
    assert fits(schema, value, whole=True) == fits(found.schema, value, whole=False)


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS)
def test_strict_is_idempotent(schema):
    """What is strict stays as it is."""
    found = strict(schema)

    assert found == strict(found.schema)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), schema=SCHEMAS)
def test_what_fits_strictly_fits(data, schema):
    """By another's judgement: no answer that a vendor was held to is refused here."""
    value = data.draw(values(schema))
    text = json.dumps(value)
    try:
        checked_by(strict(schema).schema, "output")(text)
    except ValueError:
        return
    assert value == checked_by(schema, "output")(text)


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

    assert [] == strict(schema).lost


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
        ({"properties": {"a": {"type": "word"}}}, "of a type that JSON lacks"),
        ({"properties": {"a": {"type": 7}}}, "of a type that JSON lacks"),
        ({"properties": {"a": {"type": []}}}, "of a type that JSON lacks"),
        ({"properties": {"a": {"enum": []}}}, "does not say of which type"),
        ({"properties": {"a": {"enum": [[1], "a"]}}}, "no scalars"),
        ({"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}]}, "in two places"),
        (LINKED, "no end"),
        (MUTUAL, "no end"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "no end"),
        ({"properties": {"a": {"type": "string", "minLength": 1}}}, "/properties/a/minLength"),
        ({"properties": {"a": {"type": "string", "format": "iri"}}}, "'iri'"),
    ],
)
def test_what_cannot_be_said_strictly_is_told(schema, word):
    """One sentence each, with its place."""
    rules = Rules(unsupported=frozenset({"minLength"}), formats=frozenset({"date"}))
    lost = strict(schema, rules).lost

    assert any(word in one for one in lost), lost


def test_what_only_describes_is_left_out_without_loss():
    """Titles and defaults change no value."""
    schema = {
        "title": "T",
        "type": "object",
        "properties": {"a": {"type": "integer", "default": 1, "title": "A"}},
    }
    found = strict(schema, Rules(unsupported=frozenset({"title"})))

    assert [] == found.lost
    assert {"a": {"type": "integer"}} == found.schema["properties"]
    assert "title" not in found.schema


def test_a_reference_stands_alone():
    """Vendors refuse a description beside it; wrapped, it may stay."""
    schema = {
        "properties": {"a": {"$ref": "#/$defs/A", "description": "the a"}},
        "$defs": {"A": {"type": "string"}},
    }
    found = strict(schema)
    wrapped = {"anyOf": [{"$ref": "#/$defs/A"}], "description": "the a"}

    assert [] == found.lost
    assert wrapped == found.schema["properties"]["a"]


def test_alternatives_that_are_told_apart():
    """`oneOf` with a discriminator means what `anyOf` does; `allOf` of one is that one."""
    cat = {"properties": {"kind": {"const": "cat"}}}
    dog = {"properties": {"kind": {"const": "dog"}}}
    schema = {
        "properties": {
            "pet": {"oneOf": [cat, dog], "discriminator": {"propertyName": "kind"}},
            "name": {"allOf": [{"type": "string"}], "description": "its name"},
            "age": {"oneOf": [{"type": "integer"}, {"enum": ["young", "old"]}]},
        }
    }
    found = strict(schema, Rules(unsupported=frozenset({"oneOf", "discriminator"})))

    assert [] == found.lost
    assert ["anyOf"] == [*found.schema["properties"]["pet"]]
    assert {"type": "string", "description": "its name"} == found.schema["properties"]["name"]
    assert ["anyOf"] == [*found.schema["properties"]["age"]]


@pytest.mark.parametrize("other", [{"type": "number"}, {"minimum": 1}, True])
def test_alternatives_that_may_overlap(other):
    """A value that fits two of them fits none; not every vendor can say so."""
    schema = {"properties": {"a": {"oneOf": [{"type": "integer"}, other]}}}
    refused = frozenset({"oneOf"})

    assert "oneOf" in strict(schema).schema["properties"]["a"]
    assert (
        "/properties/a/oneOf cannot be held to" in strict(schema, Rules(unsupported=refused)).lost
    )
    found = strict(schema, Rules(unsupported=refused, in_words=True))
    assert "anyOf" in found.schema["properties"]["a"]
    assert "/properties/a/oneOf lets a value fit several" in found.loose


def test_without_strictness_a_model_is_asked():
    """The words hold the whole schema."""
    assert asking_for({"type": "null"}).endswith(' {"type": "null"}')


# -- by rule ---------------------------------------------------------------------------------------

LIMITS = {
    "string": [{"minLength": 2}, {"maxLength": 2, "description": "short"}, {"pattern": "^a"}],
    "number": [{"minimum": 0}, {"exclusiveMaximum": 5}, {"multipleOf": 2, "default": 2}],
    "array": [{"minItems": 1}, {"minItems": 2}, {"maxItems": 1}, {"uniqueItems": True}],
}
LIMITING = sorted({key for some in LIMITS.values() for one in some for key in one})
LISTED = st.lists(st.sampled_from(["a", "b", 2, None]), min_size=1, max_size=3, unique=True)


def limited(kind, **more):
    return st.builds(lambda limit: {"type": kind, **more, **limit}, st.sampled_from(LIMITS[kind]))


LIMITED = objects(
    st.recursive(
        SCALARS.filter(lambda one: "minimum" not in one)
        | limited("string")
        | limited("number")
        | st.builds(lambda some: {"enum": some}, LISTED)
        | st.builds(lambda some: {"type": ["string", "null"], "enum": ["a", *some]}, LISTED),
        lambda inner: (
            objects(inner)
            | inner.flatmap(lambda one: limited("array", items=one))
            | st.builds(lambda many: {"anyOf": many}, st.lists(inner, min_size=1, max_size=2))
            | st.builds(lambda many: {"oneOf": many}, st.lists(inner, min_size=1, max_size=2))
        ),
        max_leaves=6,
    )
)
RULES = st.builds(
    Rules,
    unsupported=st.sets(st.sampled_from([*LIMITING, "oneOf"])).map(frozenset)
    | st.just(frozenset(LIMITING) - {"description"}),
    values=st.sampled_from([{}, {"minItems": {0, 1}}]),
    optional=st.booleans(),
    typed_values=st.booleans(),
    in_words=st.booleans(),
)


def within(schema, rules):
    """Return *schema* with no more than what *rules* ask of every object."""
    found = dict(schema)
    for key in found.keys() & {"anyOf", "oneOf"}:
        found[key] = [within(one, rules) for one in found[key]]
    if "items" in found:
        found["items"] = within(found["items"], rules)
    if found.get("type") == "object":
        found["properties"] = {k: within(v, rules) for k, v in found["properties"].items()}
        found["additionalProperties"] = False
        if not rules.optional:
            found["required"] = [*found["properties"]]
    return found


@st.composite
def tried(draw, schema):
    """Draw a value that often fits *schema*, whatever its limits."""
    for key in schema.keys() & {"anyOf", "oneOf"}:
        return draw(tried(draw(st.sampled_from(schema[key]))))
    kind = schema.get("type")
    if kind == "array":
        return draw(st.lists(tried(schema["items"]), max_size=3))
    if kind == "object":
        kept = {k: draw(tried(one)) for k, one in schema["properties"].items()}
        for name in draw(st.lists(st.sampled_from([*kept, "none"]), max_size=1)):
            kept.pop(name, None)
        return kept
    like = {"string": ["a", "aa", "bbb"], "number": [2, -3, 7.5], "integer": [3]}
    some = schema.get("enum") or (like.get(kind) if isinstance(kind, str) else None)
    return draw(st.sampled_from(some or ["a", "x", 2, 2.5, True, None]))


def judged(schema, value):
    """Tell by another's judgement whether *value* fits."""
    try:
        checked_by(schema, "output")(json.dumps(value))
    except ValueError:
        return False
    return True


def keywords(schema):
    """Iterate over what the keywords of *schema* and of all within it say."""
    yield from schema.items()
    within = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for one in [
        *within,
        *schema.get("oneOf", ()),
        *([schema["items"]] if "items" in schema else ()),
    ]:
        yield from keywords(one)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), schema=LIMITED, rules=RULES)
def test_what_fits_within_the_rules_fits_strictly(data, schema, rules):
    """No good answer is ruled out; where nothing is loose, no other answer is let in."""
    found = strict(schema, rules)
    assume(not found.lost)
    event("loose" if found.loose else "exact")
    value = data.draw(tried(schema))
    fitted = judged(within(schema, rules), value)
    event("fits" if fitted else "does not fit")

    assert judged(found.schema, value) or not fitted
    if not found.loose:
        assert fitted == judged(found.schema, value)


@settings(max_examples=200, deadline=None)
@given(schema=LIMITED, rules=RULES)
def test_what_is_strict_keeps_the_rules(schema, rules):
    """It holds nothing that the vendor refuses, and stays as it is."""
    found = strict(schema, rules)
    assume(not found.lost)

    for key, value in keywords(found.schema):
        assert key not in rules.unsupported
        assert value in rules.values.get(key, [value])
    again = strict(found.schema, rules)
    assert (found.schema, [], []) == (again.schema, again.lost, again.loose)


@settings(max_examples=200, deadline=None)
@given(schema=LIMITED, rules=RULES)
def test_only_words_make_loose(schema, rules):
    """What cannot be said is lost, unless the model may read it."""
    found = strict(schema, rules)
    wordless = strict(schema, attrs.evolve(rules, in_words=False))

    assert [] == wordless.loose
    assert bool(wordless.lost) == bool(found.lost or found.loose)


def test_what_is_not_held_to_is_said_in_words():
    """After the description, as a schema would say it; what tells a model nothing is left out."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {
            "a": {"type": "integer", "minimum": 1, "default": None, "description": "the a"},
            "b": {"type": "string", "format": "iri", "examples": ["é"]},
            "c": {"type": "array", "items": {"type": "null"}, "minItems": 1, "not": {"const": []}},
        },
    }
    known = {"description", "format", "items", "minItems", "properties", "type"}
    rules = Rules(
        known=frozenset(known),
        values={"minItems": {0, 1}},
        formats=frozenset({"date"}),
        optional=True,
        in_words=True,
    )
    found = strict(schema, rules)

    assert [] == found.lost
    assert [
        "/properties/a/minimum cannot be held to",
        "/properties/b has the format 'iri', which the vendor lacks",
        "/properties/c/not cannot be held to",
    ] == found.loose
    assert found.schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the a\n\n{minimum: 1, default: null}"},
            "b": {"type": "string", "description": '{format: "iri", examples: ["é"]}'},
            "c": {
                "type": "array",
                "items": {"type": "null"},
                "minItems": 1,
                "description": '{not: {"const": []}}',
            },
        },
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [], "items": {}}}},
        {"type": "object", "properties": {}, "patternProperties": {}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"anyOf": [{"type": "null"}], "oneOf": [{"type": "null"}, {"type": "null"}]},
    ],
)
def test_structure_is_never_put_into_words(schema):
    """Without it a good answer might be ruled out."""
    refused = frozenset({"prefixItems", "oneOf"})

    assert strict(schema, Rules(unsupported=refused, any_root=True, in_words=True)).lost


def test_values_without_their_types():
    """Those of another type never fitted."""
    schema = {"properties": {"a": {"type": ["integer", "null"], "enum": [1, 2.0, "x", None]}}}
    found = strict(schema, Rules(typed_values=False))
    nothing = {"properties": {"a": {"type": "number", "const": "x"}}}

    assert {"a": {"enum": [1, 2.0, None]}} == found.schema["properties"]
    assert "/properties/a lets nothing through" in strict(nothing, Rules(typed_values=False)).lost


@pytest.mark.parametrize(
    ("schema", "round_about"),
    [
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}, False),
        ({"type": "array", "items": {"$ref": "#"}}, True),
        ({"properties": {"a": {"$ref": "#/properties/b"}, "b": {"type": "null"}}}, True),
        ({"properties": {"a": {"$ref": "#/$defs/C"}}}, True),
    ],
)
def test_recursion_by_rule(schema, round_about):
    """What leads back is told where the vendor cannot follow."""
    link = {"type": "object", "properties": {"next": {"$ref": "#/$defs/D"}}}
    definitions = {"A": {"type": "null"}}
    if "C" in str(schema):
        definitions |= {"C": link, "D": {"type": "array", "items": {"$ref": "#/$defs/C"}}}
    found = strict({**schema, "$defs": definitions}, Rules(recursive=False, any_root=True))

    assert round_about is ("it refers to itself" in found.lost)


def test_what_may_be_left_out_needs_no_end():
    """Only a required property is always there."""
    assert [] == strict({**LINKED, "type": "object"}, Rules(optional=True)).lost
