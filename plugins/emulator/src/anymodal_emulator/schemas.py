"""Makes a JSON value that fits a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

__all__ = ["instance"]

MAX_DEPTH: Final = 12
FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-09-21",
    "date-time": "2026-09-21T14:13:20Z",
    "time": "14:13:20Z",
    "duration": "PT1M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: Mapping[str, object], words: str) -> object:
    """
    Return a value that fits *schema*; strings that may be anything are *words*.

    Knows types, enum, const, default, properties, items, prefixItems, bounds,
    formats, anyOf, oneOf, allOf, and $ref within the schema. Of alternatives the
    first is taken; optional properties are filled in, as far as the schema is not
    nested more than 12 deep. Patterns are not looked at.
    """
    return _fit(schema, schema, words, 0)


def _fit(schema: object, root: Mapping[str, object], words: str, depth: int) -> object:
    if not isinstance(schema, Mapping):
        return words
    if fixed := [schema[key] for key in ("const", "default") if key in schema]:
        return fixed[0]
    if schema.get("enum"):
        return schema["enum"][0]
    if (other := _elsewhere(schema, root, depth)) is not None:
        return _fit(other, root, words, depth + 1)
    kind = _kind(schema, depth)
    if kind in {"object", "array"}:
        make = _object if kind == "object" else _array
        return make(schema, root, words, depth)
    return _plain(kind, schema, words)


def _elsewhere(schema: Mapping[str, object], root: Mapping[str, object], depth: int) -> object:
    """Return the schema that *schema* only points at, or None."""
    if "$ref" in schema:
        return _referred(str(schema["$ref"]), root)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _shallowest(cast("Sequence[object]", schema[key]), depth)
    return _merged(schema, root) if "allOf" in schema else None


def _kind(schema: Mapping[str, object], depth: int) -> object:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if depth > MAX_DEPTH and "null" in kind else kind[0]
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return kind


def _plain(kind: object, schema: Mapping[str, object], words: str) -> object:
    if kind == "string":
        return _string(schema, words)
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    return True if kind == "boolean" else None


def _shallowest(options: Sequence[object], depth: int) -> object:
    """Return the first option, or where it goes too deep one that ends here."""
    if depth > MAX_DEPTH:
        for option in options:
            if isinstance(option, Mapping) and option.get("type") not in {None, "object", "array"}:
                return option
    return options[0]


def _referred(pointer: str, root: Mapping[str, object]) -> object:
    found: object = root
    for step in pointer.removeprefix("#").strip("/").split("/"):
        if step and isinstance(found, Mapping):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
    return found


def _merged(schema: Mapping[str, object], root: Mapping[str, object]) -> Mapping[str, object]:
    merged: dict[str, object] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in cast("Sequence[Mapping[str, object]]", schema["allOf"]):
        found = (
            cast("Mapping[str, object]", _referred(str(part["$ref"]), root))
            if "$ref" in part
            else part
        )
        for key, value in found.items():
            before = merged.get(key)
            if isinstance(before, dict) and isinstance(value, dict):
                merged[key] = before | value
            elif isinstance(before, list) and isinstance(value, list):
                merged[key] = before + value
            else:
                merged[key] = value
    return merged


def _object(
    schema: Mapping[str, object], root: Mapping[str, object], words: str, depth: int
) -> object:
    properties = cast("Mapping[str, object]", schema.get("properties") or {})
    required = cast("Sequence[str]", schema.get("required") or ())
    names = [name for name in properties if depth <= MAX_DEPTH or name in required]
    return {
        name: _fit(properties.get(name, {}), root, words, depth + 1)
        for name in [*names, *(name for name in required if name not in names)]
    }


def _array(
    schema: Mapping[str, object], root: Mapping[str, object], words: str, depth: int
) -> object:
    first = cast("Sequence[object]", schema.get("prefixItems") or ())
    least, most = schema.get("minItems"), schema.get("maxItems")
    count = least if isinstance(least, int) else (1 if depth <= MAX_DEPTH else 0)
    count = max(count, len(first))
    count = min(count, most) if isinstance(most, int) else count
    rest = schema.get("items", {})
    return [
        _fit(first[at] if at < len(first) else rest, root, words, depth + 1) for at in range(count)
    ]


def _string(schema: Mapping[str, object], words: str) -> str:
    if (form := schema.get("format")) in FORMATS:
        return FORMATS[cast("str", form)]
    least, most = schema.get("minLength"), schema.get("maxLength")
    text = words[:most] if isinstance(most, int) else words
    return text.ljust(least, ".") if isinstance(least, int) else text


def _number(schema: Mapping[str, object], *, whole: bool) -> float:
    def bound(name: str) -> float | None:
        value = schema.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    step = bound("multipleOf") or 1
    least, over = bound("minimum"), bound("exclusiveMinimum")
    most, under = bound("maximum"), bound("exclusiveMaximum")
    value: float = step
    if least is not None:
        value = -(-least // step) * step
    elif over is not None:
        value = (over // step + 1) * step
    if most is not None and value > most:
        value = most // step * step
    elif under is not None and value >= under:
        value = (-(-under // step) - 1) * step
    if not whole and over is not None and under is not None and not over < value < under:
        value = (over + under) / 2
    return int(value) if whole else value
