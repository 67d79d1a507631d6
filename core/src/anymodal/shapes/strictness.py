"""Schemas as vendors want them that hold their models to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeGuard, cast

__all__ = ["Schema", "inlined", "strict"]

Schema: TypeAlias = Mapping[str, object]

_ONE: Final = frozenset({"items", "additionalProperties"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "$defs", "definitions"})
_NOTES: Final = frozenset(
    {
        "$comment",
        "$id",
        "$schema",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""What says nothing of which values fit, and may be left out without loss."""

_OPEN: Final = frozenset(
    {
        "$dynamicRef",
        "allOf",
        "contains",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "maxProperties",
        "minProperties",
        "not",
        "patternProperties",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""What means something else once objects are closed, or what nobody holds a model to."""

_TYPES: Final[Mapping[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


def strict(
    schema: Schema,
    *,
    unsupported: frozenset[str] = frozenset(),
    formats: frozenset[str] | None = None,
) -> tuple[dict[str, object], list[str]]:
    """
    Return *schema* as vendors want it that hold their models to it, and what was lost.

    Every object lists all of its properties as required and allows no others, so
    what fits the result fits *schema*, as long as nothing was lost.

    Args:
        schema: JSON Schema.
        unsupported: Keywords that the vendor refuses.
        formats: The formats that it knows; None for any.

    Returns:
        The schema, and one sentence for each thing that it cannot say. Where
        there are any, use *schema* as it was, without strictness.
    """
    work = _Work(unsupported, formats)
    found = work.closed(inlined(schema), "")
    if found.get("type") != "object":
        work.lost.append("the root is not an object")
    if not _all_end(found):
        work.lost.append("with all properties required an answer would have no end")
    return found, work.lost


class _Work:
    def __init__(self, unsupported: frozenset[str], formats: frozenset[str] | None) -> None:
        self._unsupported = unsupported
        self._formats = formats
        self.lost: list[str] = []

    def closed(self, schema: Mapping[str, Any], at: str) -> dict[str, object]:
        """Return *schema* with all of its objects closed."""
        found: dict[str, object] = {}
        for key, value in _plain(schema).items():
            place = f"{at}/{key}"
            if key == "default" or (key in _NOTES and key in self._unsupported):
                continue
            if key in self._unsupported or key in _OPEN:
                self.lost.append(f"{place} cannot be held to")
            elif key in _MAPS and isinstance(value, Mapping):
                found[key] = {
                    name: self._sub(one, f"{place}/{name}") for name, one in value.items()
                }
            elif key in _LISTS and _is_list(value):
                found[key] = [self._sub(one, f"{place}/{n}") for n, one in enumerate(value)]
            elif key in _ONE and value is not False:
                found[key] = self._sub(value, place)
            else:
                found[key] = value
        self._check(found, at or "/")
        if _may_be_object(found):
            self._close(found, schema, at or "/")
        return found

    def _sub(self, schema: object, at: str) -> object:
        if isinstance(schema, Mapping):
            return self.closed(schema, at)
        self.lost.append(f"{at} lets anything through, or nothing")
        return schema

    def _check(self, found: dict[str, object], at: str) -> None:
        """Note what stands in *found* that cannot be held to."""
        if "type" not in found and (types := _types_of(found)):
            found["type"] = types[0] if len(types) == 1 else types
        if found.keys().isdisjoint({"type", "anyOf", "oneOf", "$ref"}):
            self.lost.append(f"{at} does not say of which type it is")
        if self._formats is not None and found.get("format", "date") not in self._formats:
            self.lost.append(f"{at} has the format {found['format']!r}, which the vendor lacks")
        if not str(found.get("$ref", "#")).startswith("#"):
            self.lost.append(f"{at} refers to elsewhere")
        if "array" in _types(found) and found.keys().isdisjoint({"items", "prefixItems"}):
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
        found["required"] = names


def _plain(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *schema* said in another way where the usual one is understood by few."""
    parts: Any = schema.get("allOf")
    if _is_list(parts) and len(parts) == 1 and isinstance(parts[0], Mapping):
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        if parts[0].keys() & rest.keys() <= _NOTES | {"default"}:
            schema = {**parts[0], **rest}
    if "discriminator" in schema and "oneOf" in schema and "anyOf" not in schema:
        # with a property that tells them apart no value fits two of them
        schema = {("anyOf" if key == "oneOf" else key): one for key, one in schema.items()}
    if "$ref" in schema and "anyOf" not in schema and schema.keys() - {"$ref", "default"}:
        # vendors allow nothing beside a reference, least of all a description
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {"anyOf": [{"$ref": schema["$ref"]}], **rest}
    return schema


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _types(schema: Mapping[str, object]) -> Sequence[object]:
    kind = schema.get("type", ())
    return (kind,) if isinstance(kind, str) else cast("Sequence[object]", kind)


def _may_be_object(schema: Mapping[str, object]) -> bool:
    return "object" in _types(schema) or ("type" not in schema and "properties" in schema)


def _types_of(schema: Mapping[str, object]) -> list[str]:
    """Return the types of the values that *schema* lists, if it lists them."""
    if "const" in schema:
        values: Iterator[object] = iter((schema["const"],))
    elif _is_list(schema.get("enum")):
        values = iter(cast("Sequence[object]", schema["enum"]))
    elif "properties" in schema:
        return ["object"]
    else:
        return []
    return list(dict.fromkeys(_TYPES.get(type(value), "string") for value in values))


def _all_end(root: Mapping[str, Any]) -> bool:
    """Whether there is an answer that ends, everything required being there."""
    places: dict[str, Any] = {"#": root}
    for key in ("$defs", "definitions"):
        places |= {f"#/{key}/{name}": one for name, one in root.get(key, {}).items()}
    endless = set(places)
    while more := {ref for ref in endless if _ends(places[ref], endless)}:
        endless -= more
    return "#" not in endless


def _ends(schema: object, endless: set[str]) -> bool:
    if not isinstance(schema, Mapping):
        return True
    if "$ref" in schema:
        return schema["$ref"] not in endless
    inner = [_ends(one, endless) for one in schema.get("anyOf", ())]
    if inner and not any(inner):
        return False
    if "object" in _types(schema) and "null" not in _types(schema):
        return all(_ends(one, endless) for one in schema.get("properties", {}).values())
    return not schema.get("minItems") or _ends(schema.get("items"), endless)


def inlined(schema: Mapping[str, Any]) -> dict[str, object]:
    """Return *schema* with the definition that it merely refers to at its top."""
    definitions = dict(schema.get("$defs", {}))
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    name = name.replace("~1", "/").replace("~0", "~")
    if name not in definitions:
        return dict(schema)
    rest = {key: value for key, value in schema.items() if key not in {"$ref", "$defs"}}
    top = {**definitions[name], **rest}
    if f'"{schema["$ref"]}"' not in json.dumps(definitions):
        del definitions[name]
    return {**top, "$defs": definitions} if definitions else top
