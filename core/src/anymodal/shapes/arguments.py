"""What functions take, as JSON Schema and back."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import attrs

from ..errors import InvalidRequestError
from .classes import schema_and_reader
from .strictness import Schema

__all__ = ["Arguments", "arguments_of", "name_of"]


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
    Return what *function* takes, by its annotations.

    Its docstring's `Args:`, or a string in `Annotated`, becomes the description
    of an argument. What a `functools.partial` has bound is not shown.

    Raises:
        InvalidRequestError: An argument has no annotation, or one that JSON
            cannot carry, or arguments are not named.
    """
    import msgspec  # noqa: PLC0415  # 15 ms that only tools pay

    name = name_of(function)
    hints = _hints(function, name)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    defaults: dict[str, object] = {}
    for parameter in _parameters(function):
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise _refused(name, f"takes {parameter}, which no schema can name")
        if parameter.name not in hints:
            raise _refused(name, f"says no type for {parameter.name}")
        field = (parameter.name, _described(hints[parameter.name]))
        if parameter.default is parameter.empty:
            fields.append(field)
        else:
            defaults[parameter.name] = parameter.default
            default = functools.partial(_same, parameter.default)
            fields.append((*field, msgspec.field(default_factory=default)))
    try:
        struct = msgspec.defstruct("arguments", fields, kw_only=True, forbid_unknown_fields=True)
        schema, decode = schema_and_reader(struct)
    except TypeError as error:
        why = f"takes what JSON cannot carry: {' '.join(str(error).split())}"
        raise _refused(name, why) from error
    _describe(schema, function)
    _show_defaults(schema, defaults)
    schema.pop("title", None)

    def read(text: str) -> dict[str, Any]:
        return msgspec.structs.asdict(decode(text or "{}"))

    return Arguments(schema, read)


def name_of(function: Callable[..., object]) -> str:
    """Return the name of *function*; of a callable object, that of its class."""
    function = _unbound(function)
    return str(getattr(function, "__name__", type(function).__name__))


def _refused(name: str, why: str) -> InvalidRequestError:
    return InvalidRequestError(f"tools: {name} {why}.", field="tools")


def _unbound(function: Callable[..., object]) -> Callable[..., object]:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _hints(function: Callable[..., object], name: str) -> dict[str, Any]:
    function = _unbound(function)
    if isinstance(function, type):
        function = function.__init__  # type: ignore[misc]  # the class's own, not an instance's
    elif not inspect.isroutine(function):
        function = type(function).__call__
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise _refused(name, f"has types that cannot be looked up: {error}") from error


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """Return the parameters that are free."""
    bound: set[str] = set()
    inner = function
    while isinstance(inner, functools.partial):
        bound |= inner.keywords.keys()
        inner = inner.func
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError as error:
        raise _refused(name_of(function), "does not say what it takes") from error
    return [parameter for parameter in found if parameter.name not in bound]


def _described(hint: Any) -> Any:
    """Return *hint* with a bare string in `Annotated` as what it is meant to be."""
    import msgspec  # noqa: PLC0415  # 15 ms that only tools pay

    if get_origin(hint) is not Annotated:
        return hint
    for note in get_args(hint)[1:]:
        if isinstance(note, str):
            return Annotated[hint, msgspec.Meta(description=note)]
    return hint


def _show_defaults(schema: dict[str, Any], defaults: dict[str, object]) -> None:
    """Add to *schema* those *defaults* that JSON can carry."""
    import msgspec  # noqa: PLC0415  # 15 ms that only tools pay

    for name, value in defaults.items():
        try:
            shown = msgspec.to_builtins(value)
        except TypeError:
            continue
        schema["properties"][name] = {**schema["properties"][name], "default": shown}


def _same(value: object) -> object:
    return value


_ARGUMENT: Final = re.compile(r"^(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def _describe(schema: dict[str, Any], function: Callable[..., object]) -> None:
    """Add what the docstring says of each argument."""
    lines = iter((inspect.getdoc(_unbound(function)) or "").splitlines())
    for line in lines:
        if line.strip() in {"Args:", "Arguments:"}:
            break
    said: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if line and not line.startswith(" "):
            break
        found = _ARGUMENT.match(line.strip())
        if found and found[1] in schema["properties"]:
            current = said[found[1]] = [found[2]]
        elif line.strip():
            current.append(line.strip())
    for name, words in said.items():
        schema["properties"][name] = {
            "description": " ".join(filter(None, words)),
            **schema["properties"][name],
        }
