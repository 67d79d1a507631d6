"""Classes as JSON Schema, and their values out of JSON text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .references import inlined

__all__ = ["read_itself", "schema_and_reader"]

T = TypeVar("T")


def read_itself(cls: object) -> bool:
    """Whether *cls* says its own schema and reads its own values."""
    names = ("model_json_schema", "model_validate_json")
    return isinstance(cls, type) and all(callable(getattr(cls, name, None)) for name in names)


def schema_and_reader(cls: type[T]) -> tuple[dict[str, Any], Callable[[str], T]]:
    """
    Return the schema of a dataclass, attrs class, TypedDict or struct, and what reads it.

    Raises:
        TypeError: It holds what JSON cannot carry, or names that lead nowhere.
    """
    import msgspec  # noqa: PLC0415  # 15 ms that only tools and structured answers pay

    definitions: dict[str, object] = {}

    def schema_of(inner: type[Any]) -> dict[str, Any]:
        if not read_itself(inner):
            raise NotImplementedError
        schema: dict[str, Any] = dict(inner.model_json_schema())
        for name, definition in schema.pop("$defs", {}).items():
            if definitions.setdefault(name, definition) != definition:
                msg = f"two classes are called {name}"
                raise TypeError(msg)
        return schema

    def read(inner: type[Any], value: object) -> object:
        validate = getattr(inner, "model_validate", None)
        if callable(validate):
            return validate(value)
        return inner.model_validate_json(msgspec.json.encode(value).decode())

    try:
        decoder = msgspec.json.Decoder(cls, dec_hook=read)
        schema = msgspec.json.schema(cls, schema_hook=schema_of)
    except NameError as error:
        msg = f"{error}: are its types known in its module?"
        raise TypeError(msg) from error
    if definitions:
        schema["$defs"] = {**definitions, **schema.get("$defs", {})}
    return inlined(schema), decoder.decode
