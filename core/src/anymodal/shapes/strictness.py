"""Schemas as vendors want them that hold their models to them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from .references import all_end, inlined, is_list, refers_to_itself, types_in

__all__ = ["Rules", "Schema", "Strict", "asking_for", "strict"]

Schema: TypeAlias = Mapping[str, object]

_ONE: Final = frozenset({"items", "additionalProperties"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "$defs", "definitions"})
_TELLING: Final = frozenset({"default", "deprecated", "examples"})
"""Notes that a model may go by, though no value fits the more or less for them."""

_NOTES: Final = _TELLING | {
    "$comment",
    "$id",
    "$schema",
    "description",
    "discriminator",
    "readOnly",
    "title",
    "writeOnly",
}
"""What says nothing of which values fit, and may be left out without loss."""

_BINDING: Final = frozenset(
    {
        "$dynamicRef",
        "allOf",
        "dependencies",
        "dependentSchemas",
        "else",
        "if",
        "patternProperties",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""What means something else once objects are closed."""

_LIMITING: Final = frozenset(
    {
        "contains",
        "dependentRequired",
        "maxProperties",
        "minProperties",
        "not",
        "propertyNames",
    }
)
"""What nobody holds a model to, and only makes fewer values fit."""

_STRUCTURE: Final = _ONE | _LISTS | _MAPS | _BINDING | {"$ref", "required", "type"}
"""What a schema is built of: without it other values fit, not just more."""

_TYPES: Final[Mapping[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


@attrs.frozen(kw_only=True)
class Rules:
    """
    What a vendor wants of a schema that it holds its models to.

    Args:
        unsupported: Keywords that it refuses.
        known: Keywords that it takes; None for all but *unsupported*.
        values: Keyword to the values that it takes there, where those are few.
        formats: The formats that it knows; None for any.
        optional: Whether an answer may leave properties out. Otherwise all are
            required, and defaults, which then never count, are left out.
        any_root: Whether an answer may be something else than an object.
        recursive: Whether a schema may refer to itself.
        typed_values: Whether a list of values goes with their types; where it
            does not, it goes without.
        in_words: Whether what merely limits values may be left out and put into
            the description, where a model reads it without being held to it.
    """

    unsupported: frozenset[str] = frozenset()
    known: frozenset[str] | None = None
    values: Mapping[str, Collection[object]] = attrs.field(factory=dict)
    formats: frozenset[str] | None = None
    optional: bool = False
    any_root: bool = False
    recursive: bool = True
    typed_values: bool = True
    in_words: bool = False


@attrs.frozen
class Strict:
    """
    A schema as a vendor wants it, and what it does not say.

    What fits it fits the original, as long as nothing is lost or loose.

    Attributes:
        schema: As the vendor wants it.
        lost: One sentence for each thing that it cannot say. Where there are
            any, use the original, without strictness.
        loose: One sentence for each thing that only its descriptions say: what
            fits it may break the original there, and is worth a check.
    """

    schema: dict[str, object]
    lost: Sequence[str]
    loose: Sequence[str]


def strict(schema: Schema, rules: Rules = Rules()) -> Strict:
    """
    Return *schema* as a vendor wants it that holds its models to it, and what was lost.

    Every object allows only the properties that it names.

    Args:
        schema: JSON Schema.
        rules: What the vendor wants.
    """
    work = _Work(rules)
    found = work.closed(inlined(schema), "")
    if not rules.any_root and found.get("type") != "object":
        work.lost.append("the root is not an object")
    if not rules.recursive and refers_to_itself(found):
        work.lost.append("it refers to itself")
    if not all_end(found):
        work.lost.append("with all that is required an answer would have no end")
    return Strict(found, work.lost, work.loose)


def asking_for(schema: Schema) -> str:
    """Return the words that ask for what fits *schema*, where no model is held to it."""
    return f"Answer with JSON alone that fits this JSON Schema: {json.dumps(schema)}"


class _Work:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._in_words = rules.in_words and self._takes("description", "")
        self.lost: list[str] = []
        self.loose: list[str] = []

    def closed(self, schema: Mapping[str, Any], at: str) -> dict[str, object]:
        """Return *schema* with all of its objects closed."""
        found: dict[str, object] = {}
        words: dict[str, object] = {}
        loose = len(self.loose)
        for key, value in self._plain(schema, at).items():
            place = f"{at}/{key}"
            if not self._takes(key, value):
                self._leave_out(key, value, at, words)
            elif key in _MAPS and isinstance(value, Mapping):
                found[key] = {
                    name: self._sub(one, f"{place}/{name}") for name, one in value.items()
                }
            elif key in _LISTS and is_list(value):
                found[key] = [self._sub(one, f"{place}/{n}") for n, one in enumerate(value)]
            elif key in _ONE and value is not False:
                found[key] = self._sub(value, place)
            else:
                found[key] = value
        found = self._alternatives_in(found, at, is_loose=len(self.loose) > loose)
        if words:
            found["description"] = _with_words(found.get("description"), words)
        self._settle_types_in(found, at or "/")
        self._check(found, at or "/")
        if _may_be_object(found):
            self._close(found, schema, at or "/")
        return found

    def _plain(self, schema: Mapping[str, Any], at: str) -> Mapping[str, Any]:
        """Return *schema* said in another way where the usual one is not understood."""
        schema = _plain(schema)
        if self._in_words and "anyOf" not in schema and not self._takes("oneOf", None):
            if "oneOf" in schema:
                self.loose.append(f"{at}/oneOf lets a value fit several")
            schema = _any_of(schema)
        return schema

    def _takes(self, key: str, value: object) -> bool:
        """Whether the vendor takes *value* as what the keyword *key* says."""
        rules = self._rules
        if key in rules.unsupported or (rules.known is not None and key not in rules.known):
            return False
        if key == "default":
            return rules.optional
        if key == "format":
            return rules.formats is None or value in rules.formats
        if key in rules.values:
            return value in rules.values[key]
        return key not in _BINDING and key not in _LIMITING

    def _leave_out(self, key: str, value: object, at: str, words: dict[str, object]) -> None:
        """Put what *key* says into *words*, or note that it is lost."""
        if key in _NOTES:
            if self._in_words and key in _TELLING:
                words[key] = value
            return
        said = f"{at}/{key} cannot be held to"
        if key == "format":
            said = f"{at or '/'} has the format {value!r}, which the vendor lacks"
        if self._in_words and key not in _STRUCTURE:
            words[key] = value
            self.loose.append(said)
        else:
            self.lost.append(said)

    def _sub(self, schema: object, at: str) -> object:
        if isinstance(schema, Mapping):
            return self.closed(schema, at)
        self.lost.append(f"{at} lets anything through, or nothing")
        return schema

    def _alternatives_in(
        self, found: dict[str, object], at: str, *, is_loose: bool
    ) -> dict[str, object]:
        """Return *found* with `anyOf` for `oneOf`, where no value fits two, or some now may."""
        if "oneOf" not in found or "anyOf" in found or not self._takes("anyOf", None):
            return found
        if not _apart(found["oneOf"]):
            if not is_loose:
                return found
            # what told two of them apart may be among what is left out
            self.loose.append(f"{at}/oneOf lets a value fit several")
        return dict(_any_of(found))

    def _settle_types_in(self, found: dict[str, object], at: str) -> None:
        """Say the types of listed values, or only the values."""
        listed = _listed(found)
        types = _types_of(found)
        if listed is None or self._rules.typed_values:
            if types and "type" not in found:
                found["type"] = types[0] if len(types) == 1 else types
            return
        if "type" in found:
            allowed = types_in(found)
            listed = [value for value in listed if _is_of(value, allowed)]
            del found["type"]
        if "const" not in found:
            found["enum"] = list(listed)
        if not listed:
            self.lost.append(f"{at} lets nothing through")

    def _check(self, found: dict[str, object], at: str) -> None:
        """Note what stands in *found* that cannot be held to."""
        said = {"type", "anyOf", "oneOf", "$ref"} & found.keys()
        types = types_in(found)
        if "type" in found and not (types and set(types) <= {*_TYPES.values()}):
            self.lost.append(f"{at} is of a type that JSON lacks")
        if not said and not _listed(found):
            self.lost.append(f"{at} does not say of which type it is")
        if {"array", "object"} & {*_types_of(found)} and _listed(found):
            self.lost.append(f"{at} lists values that are no scalars")
        if len({"properties", "anyOf", "oneOf", "$ref"} & found.keys()) > 1:
            self.lost.append(f"{at} says in two places what fits")
        if not str(found.get("$ref", "#")).startswith("#"):
            self.lost.append(f"{at} refers to elsewhere")
        if "array" in types and found.keys().isdisjoint({"items", "prefixItems"}):
            self.lost.append(f"{at} does not say what the array holds")

    def _close(self, found: dict[str, object], schema: Mapping[str, Any], at: str) -> None:
        properties = found.setdefault("properties", {})
        names = list(properties) if isinstance(properties, Mapping) else []
        further = schema.get("additionalProperties", "properties" not in schema)
        if further is not False:
            self.lost.append(f"{at} has free keys")
        if unknown := [name for name in schema.get("required") or () if name not in names]:
            self.lost.append(f"{at} requires {', '.join(unknown)} without saying what that is")
        found["additionalProperties"] = False
        if not self._rules.optional:
            found["required"] = names


def _with_words(description: object, words: Mapping[str, object]) -> str:
    """Return *description* and what *words* say, in the braces that models know from schemas."""
    said = ", ".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in words.items()
    )
    return f"{description}\n\n{{{said}}}" if description else f"{{{said}}}"


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *schema* said in another way where the usual one is understood by few."""
    parts: Any = schema.get("allOf")
    if is_list(parts) and len(parts) == 1 and isinstance(parts[0], Mapping):
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        if parts[0].keys() & rest.keys() <= _NOTES:
            schema = {**parts[0], **rest}
    if "anyOf" not in schema and ("discriminator" in schema or _apart(schema.get("oneOf"))):
        # with a property or a type that tells them apart no value fits two of them
        schema = _any_of(schema)
    if "$ref" in schema and "anyOf" not in schema and schema.keys() - {"$ref", "default"}:
        # vendors allow nothing beside a reference, least of all a description
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {"anyOf": [{"$ref": schema["$ref"]}], **rest}
    return schema


def _any_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}


def _apart(alternatives: object) -> bool:
    """Whether no two of *alternatives* share a type."""
    seen: set[str] = set()
    for one in alternatives if is_list(alternatives) else ():
        types = (types_in(one) or _types_of(one)) if isinstance(one, Mapping) else ()
        kinds = {"number" if kind == "integer" else kind for kind in types}
        if not kinds or kinds & seen:
            return False
        seen |= kinds
    return bool(seen)


def _may_be_object(schema: Mapping[str, object]) -> bool:
    return "object" in types_in(schema) or ("type" not in schema and "properties" in schema)


def _listed(schema: Mapping[str, object]) -> Sequence[object] | None:
    """Return the values that *schema* lists, if it lists them."""
    if "const" in schema:
        return (schema["const"],)
    values = schema.get("enum")
    return values if is_list(values) else None


def _types_of(schema: Mapping[str, object]) -> list[str]:
    """Return the types that *schema* means without naming them."""
    values = _listed(schema)
    if values is None:
        return ["object"] if "properties" in schema else []
    return list(dict.fromkeys(_TYPES.get(type(value), "string") for value in values))


def _is_of(value: object, types: Sequence[str]) -> bool:
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return True
    kind = _TYPES.get(type(value), "string")
    return kind in types or (kind == "integer" and "number" in types)
