"""Where schemas refer to, and whether that ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

__all__ = ["all_end", "inlined", "is_list", "references", "refers_to_itself", "types_in"]


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether *value* is an array of JSON's."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def types_in(schema: Mapping[str, object]) -> Sequence[str]:
    """Return the types that *schema* names."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return (kind,)
    return [one for one in kind if isinstance(one, str)] if is_list(kind) else ()


def references(schema: object) -> Iterator[str]:
    """Iterate over where *schema* and all within it refer to."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference
        schema = list(schema.values())
    if isinstance(schema, list | tuple):
        for inner in schema:
            yield from references(inner)


def _places(root: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas that can be referred to: *root* and its definitions."""
    kept = ("$defs", "definitions")
    places: dict[str, Any] = {"#": {key: root[key] for key in root.keys() - {*kept}}}
    for key in kept:
        places |= {f"#/{key}/{name}": one for name, one in root.get(key, {}).items()}
    return places


def refers_to_itself(root: Mapping[str, Any]) -> bool:
    """Whether a definition leads back to itself, or to somewhere within *root*."""
    places = _places(root)
    # what is no definition is somewhere in the root
    refers = {
        place: {ref if ref in places else "#" for ref in references(one)}
        for place, one in places.items()
    }
    while done := {place for place, refs in refers.items() if not refs & refers.keys()}:
        refers = {place: refs for place, refs in refers.items() if place not in done}
    return bool(refers)


def all_end(root: Mapping[str, Any]) -> bool:
    """Whether there is an answer that ends, everything required being there."""
    places = _places(root)
    endless = set(places)
    while more := {ref for ref in endless if _ends(places[ref], endless)}:
        endless -= more
    return "#" not in endless


def _ends(schema: object, endless: set[str]) -> bool:
    if not isinstance(schema, Mapping):
        return True
    if "$ref" in schema:
        return schema["$ref"] not in endless
    ways = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    inner = [_ends(one, endless) for one in ways]
    if inner and not any(inner):
        return False
    if "object" in types_in(schema) and "null" not in types_in(schema):
        properties = schema.get("properties", {})
        return all(_ends(properties.get(name), endless) for name in schema.get("required", ()))
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
