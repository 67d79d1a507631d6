"""
The shapes of structured answers and of tools' arguments, as JSON Schema and back.

Dataclasses, attrs classes and TypedDicts are read by msgspec, JSON Schemas are
checked by fastjsonschema, and classes with `model_json_schema` and
`model_validate_json` read themselves. All three are imported when first used.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, get_type_hints, is_typeddict

import attrs

from .errors import InvalidRequestError

__all__ = [
    "Arguments",
    "Output",
    "Schema",
    "Shape",
    "arguments_of",
    "partial_json",
    "shape_of",
    "strict",
]

Schema: TypeAlias = Mapping[str, object]
Output: TypeAlias = type[Any] | Schema
"""A dataclass, attrs class, TypedDict or pydantic-like class, or a JSON Schema."""


@attrs.frozen
class Shape:
    """
    What an answer has to look like.

    Attributes:
        schema: As JSON Schema, without references to elsewhere.
        read: Makes the value of JSON text; raises ValueError where it does not fit.
    """

    schema: Schema
    read: Callable[[str], Any] = attrs.field(repr=False)


def shape_of(output: Output) -> Shape:
    """
    Return the shape that *output* means.

    Raises:
        InvalidRequestError: It is none of the kinds that can be read.
    """
    if isinstance(output, Mapping):
        return Shape(output, _checked_by(json.dumps(output, sort_keys=True)))
    if not isinstance(output, type):
        msg = f"output: a class or a JSON Schema is needed, not {type(output).__name__}."
        raise InvalidRequestError(msg, field="output")
    schema = getattr(output, "model_json_schema", None)
    if schema is not None:
        return Shape(schema(), getattr(output, "model_validate_json"))  # noqa: B009  # known by duck typing alone
    if attrs.has(output) or is_typeddict(output) or hasattr(output, "__dataclass_fields__"):
        return _by_msgspec(output)
    msg = (
        f"output: {output.__name__} is no dataclass, attrs class or TypedDict, "
        "and has no model_json_schema."
    )
    raise InvalidRequestError(msg, field="output")


def _by_msgspec(cls: type[Any]) -> Shape:
    import msgspec  # noqa: PLC0415  # 15 ms that only structured answers pay

    decoder = msgspec.json.Decoder(cls)
    return Shape(_inlined(msgspec.json.schema(cls)), decoder.decode)


@functools.lru_cache(maxsize=128)
def _checked_by(schema: str) -> Callable[[str], object]:
    import fastjsonschema  # noqa: PLC0415  # 20 ms that only answers with a bare schema pay

    try:
        check = fastjsonschema.compile(json.loads(schema))
    except fastjsonschema.JsonSchemaDefinitionException as error:
        msg = f"output: that is no JSON Schema: {error}."
        raise InvalidRequestError(msg, field="output") from error

    def read(text: str) -> object:
        value = json.loads(text)
        try:
            check(value)
        except fastjsonschema.JsonSchemaValueException as error:
            raise ValueError(error.message) from error
        return value

    return read


def _inlined(schema: Mapping[str, Any]) -> dict[str, object]:
    """Return *schema* with the definition that it merely refers to at its top."""
    definitions = dict(schema.get("$defs", {}))
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name not in definitions:
        return dict(schema)
    top = dict(definitions[name])
    if f'"#/$defs/{name}"' not in json.dumps(definitions):
        del definitions[name]
    return {**top, "$defs": definitions} if definitions else top


# -- strict schemas -----------------------------------------------------------------------


def strict(
    schema: Schema, *, unsupported: frozenset[str] = frozenset()
) -> tuple[dict[str, object], list[str]]:
    """
    Return *schema* as vendors want it that hold their models to it, and what was lost.

    Every object lists all of its properties as required and allows no others.
    Keywords that the vendor does not know are left out. A map of free keys
    cannot be expressed so.

    Args:
        schema: JSON Schema.
        unsupported: Keywords that the vendor refuses.

    Returns:
        The schema, and one sentence for each thing that it no longer says.
    """
    lost: list[str] = []
    return _strict(schema, unsupported, lost, ""), lost


_SUBSCHEMAS: Final = {"items", "additionalProperties", "not"}
_LISTS: Final = {"anyOf", "allOf", "oneOf", "prefixItems"}
_MAPS: Final = {"properties", "$defs", "definitions"}
_SILENT: Final = {"default", "title", "examples"}


def _strict(
    schema: Mapping[str, Any], unsupported: frozenset[str], lost: list[str], where: str
) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in schema.items():
        place = f"{where}/{key}"
        if key in _SILENT and key in unsupported | {"default"}:
            continue
        if key in unsupported:
            lost.append(f"{place} is not known to the vendor")
        elif key in _MAPS and isinstance(value, Mapping):
            found[key] = {
                name: _strict(inner, unsupported, lost, f"{place}/{name}")
                for name, inner in value.items()
            }
        elif key in _LISTS:
            found[key] = [_strict(inner, unsupported, lost, place) for inner in value]
        elif key in _SUBSCHEMAS and isinstance(value, Mapping):
            found[key] = _strict(value, unsupported, lost, place)
        else:
            found[key] = value
    if found.get("type") == "object" or "properties" in found:
        if isinstance(found.get("additionalProperties"), Mapping) or not found.get("properties"):
            lost.append(f"{where or '/'} has free keys, which cannot be held to a schema")
        found["additionalProperties"] = False
        found["required"] = list(schema.get("properties", {}))
    return found


# -- half an answer ------------------------------------------------------------------------

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CUT_STRING: Final = re.compile(r'"(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*', re.DOTALL)
_WORD: Final = re.compile(r"[^\s,\]}]+")
_SPACE: Final = re.compile(r"[\s]*")


def partial_json(text: str) -> object:
    """
    Return what *text*, the beginning of a JSON document, says so far.

    A string may be cut; a number, a word or a key that may be cut is left out.
    None where nothing can be said.
    """
    found: list[object] = []
    with contextlib.suppress(_CutError, ValueError, RecursionError):
        _value(text, 0, found.append)
    return found[0] if found else None


class _CutError(Exception):
    """The text ends here."""


def _value(text: str, at: int, put: Callable[[Any], None]) -> int:
    """Read the value at *at*, hand it on as soon as it is there, and return where it ends."""
    at = _visible(text, at)
    match text[at]:
        case "{":
            members: dict[str, object] = {}
            put(members)
            return _members(text, at + 1, members)
        case "[":
            items: list[object] = []
            put(items)
            return _items(text, at + 1, items)
        case '"':
            if (whole := _STRING.match(text, at)) is not None:
                put(json.loads(whole[0]))
                return whole.end()
            put(_cut_string(text, at))
            raise _CutError
    word = _WORD.match(text, at)
    if word is None:
        raise ValueError
    if word.end() == len(text) and word[0] not in {"true", "false", "null"}:
        raise _CutError
    put(json.loads(word[0]))
    return word.end()


def _cut_string(text: str, at: int) -> str:
    whole = _CUT_STRING.match(text, at)
    value: str = json.loads(f'{whole[0] if whole else chr(34)}"')
    return value[:-1] if "\ud800" <= value[-1:] <= "\udbff" else value


def _members(text: str, at: int, members: dict[str, object]) -> int:
    while text[at := _visible(text, at)] != "}":
        key = _STRING.match(text, at)
        if key is None:
            raise _CutError
        at = _visible(text, key.end())
        if text[at] != ":":
            raise ValueError
        at = _visible(
            text, _value(text, at + 1, functools.partial(members.__setitem__, json.loads(key[0])))
        )
        at += text[at] == ","
    return at + 1


def _items(text: str, at: int, items: list[object]) -> int:
    while text[at := _visible(text, at)] != "]":
        at = _visible(text, _value(text, at, items.append))
        at += text[at] == ","
    return at + 1


def _visible(text: str, at: int) -> int:
    """Return where the next thing begins that is not white space."""
    found = _SPACE.match(text, at)
    at = found.end() if found else at
    if at >= len(text):
        raise _CutError
    return at


# -- arguments of functions ---------------------------------------------------------------------


@attrs.frozen
class Arguments:
    """
    What a function takes.

    Attributes:
        schema: JSON Schema of an object with one property an argument.
        read: Makes keyword arguments of JSON text; raises ValueError.
    """

    schema: Schema
    read: Callable[[str], dict[str, Any]] = attrs.field(repr=False)


def arguments_of(function: Callable[..., object]) -> Arguments:
    """
    Return what *function* takes, by its annotations; what its docstring says under
    `Args:` becomes the descriptions.

    Raises:
        InvalidRequestError: An argument has no annotation, or one that JSON
            cannot carry, or arguments are not named.
    """
    import msgspec  # noqa: PLC0415  # 15 ms that only tools pay

    name = getattr(function, "__name__", type(function).__name__)
    hints = get_type_hints(function, include_extras=True)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            msg = f"tools: {name} takes {parameter}, which no schema can name."
            raise InvalidRequestError(msg, field="tools")
        if parameter.name not in hints:
            msg = f"tools: {name} says no type for {parameter.name}."
            raise InvalidRequestError(msg, field="tools")
        field = (parameter.name, hints[parameter.name])
        if parameter.default is parameter.empty:
            fields.append(field)
        else:
            default = functools.partial(_same, parameter.default)
            fields.append((*field, msgspec.field(default_factory=default)))
    try:
        cls = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
        decoder = msgspec.json.Decoder(cls)
        schema = _inlined(msgspec.json.schema(cls))
    except TypeError as error:
        msg = f"tools: {name} takes what JSON cannot carry: {error}."
        raise InvalidRequestError(msg, field="tools") from error
    _describe(schema, function)
    schema.pop("title", None)

    def read(text: str) -> dict[str, Any]:
        return msgspec.structs.asdict(decoder.decode(text or "{}"))

    return Arguments(schema, read)


def _same(value: object) -> object:
    return value


_ARGUMENT: Final = re.compile(r"^(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def _describe(schema: dict[str, Any], function: Callable[..., object]) -> None:
    """Add what the docstring says of each argument."""
    lines = iter((inspect.getdoc(function) or "").splitlines())
    for line in lines:
        if line.strip() in {"Args:", "Arguments:"}:
            break
    current = ""
    for line in lines:
        if line and not line.startswith(" "):
            break
        found = _ARGUMENT.match(line.strip())
        if found and found[1] in schema.get("properties", {}):
            current = found[1]
            schema["properties"][current] = {
                **schema["properties"][current],
                "description": found[2],
            }
        elif current and line.strip():
            schema["properties"][current]["description"] += f" {line.strip()}"
