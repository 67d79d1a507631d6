"""
The shapes of structured answers and of tools' arguments, as JSON Schema and back.

Dataclasses, attrs classes and TypedDicts are read by msgspec, JSON Schemas are
checked by fastjsonschema, and classes with `model_json_schema` and
`model_validate_json` read themselves. All three are imported when first used.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias

import attrs

from ..errors import InvalidRequestError
from .arguments import Arguments, arguments_of, name_of
from .classes import read_itself, schema_and_reader
from .growing import Growing, partial_json
from .references import inlined, references
from .strictness import Rules, Schema, Strict, asking_for, strict

__all__ = [
    "Arguments",
    "Growing",
    "Output",
    "Rules",
    "Schema",
    "Shape",
    "Strict",
    "arguments_of",
    "asking_for",
    "checked_by",
    "name_of",
    "partial_json",
    "shape_of",
    "strict",
]

Output: TypeAlias = type[Any] | Schema
"""A dataclass, attrs class, TypedDict or pydantic-like class, or a JSON Schema."""

_MARKS = ("__dataclass_fields__", "__attrs_attrs__", "__required_keys__", "__struct_fields__")
"""What dataclasses, attrs classes, TypedDicts (of any make) and structs are known by."""


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
        return Shape(output, checked_by(output, "output"))
    if not isinstance(output, type):
        msg = f"output: a class or a JSON Schema is needed, not {type(output).__name__}."
        raise InvalidRequestError(msg, field="output")
    if read_itself(output):
        itself: Any = output
        return Shape(inlined(itself.model_json_schema()), itself.model_validate_json)
    if any(hasattr(output, mark) for mark in _MARKS):
        try:
            return Shape(*schema_and_reader(output))
        except TypeError as error:
            why = " ".join(str(error).split())
            msg = f"output: {output.__name__} holds what JSON cannot carry: {why}."
            raise InvalidRequestError(msg, field="output") from error
    msg = (
        f"output: {output.__name__} is no dataclass, attrs class or TypedDict, "
        "and has no model_json_schema and model_validate_json."
    )
    raise InvalidRequestError(msg, field="output")


def checked_by(schema: Schema, field: str) -> Callable[[str], Any]:
    """
    Return what reads JSON text and raises ValueError where it does not fit *schema*.

    Args:
        schema: JSON Schema; what drafts after the 7th added is not looked at.
        field: The argument that an error names.

    Raises:
        InvalidRequestError: *schema* is none, or refers to elsewhere, from where
            nothing is fetched.
    """
    try:
        text = json.dumps(schema)
        elsewhere = [ref for ref in references(schema) if not ref.startswith("#")]
        if elsewhere:
            _refuse(field, f"it refers to {elsewhere[0]}, and nothing is fetched")
        return _checked_by(text)
    except (TypeError, ValueError, RecursionError) as error:
        _refuse(field, " ".join(str(error).split()) or type(error).__name__, error)


def _refuse(field: str, why: str, cause: Exception | None = None) -> NoReturn:
    msg = f"{field}: that is no JSON Schema to go by: {why}."
    raise InvalidRequestError(msg, field=field) from cause


@functools.lru_cache(maxsize=128)
def _checked_by(schema: str) -> Callable[[str], object]:
    import fastjsonschema  # noqa: PLC0415  # 20 ms that only bare schemas pay

    try:
        # What was left out stays out: a default is not what the model said.
        check = fastjsonschema.compile(json.loads(schema), use_default=False)
    except Exception as error:  # whatever it stumbles over, that is no schema
        raise ValueError(*error.args[:1]) from error

    def read(text: str) -> object:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
        try:
            check(value)
        except fastjsonschema.JsonSchemaValueException as error:
            raise ValueError(error.message) from error
        return value

    return read


def _finite(text: str) -> float:
    """Return a number that can be written as JSON again."""
    value = float(text)
    if not math.isfinite(value):
        msg = f"{text} is no number of JSON's, or too large a one"
        raise ValueError(msg)
    return value
