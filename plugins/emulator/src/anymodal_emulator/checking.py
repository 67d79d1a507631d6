"""Checks request bodies as strict vendors do: unknown, missing, wrong type, wrong value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import attrs

from .app import RefusedError

__all__ = ["Field", "check", "kind_of", "one_of"]

KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "string": lambda found: isinstance(found, str),
    "integer": lambda found: isinstance(found, int) and not isinstance(found, bool),
    "number": lambda found: isinstance(found, int | float) and not isinstance(found, bool),
    "boolean": lambda found: isinstance(found, bool),
    "object": lambda found: isinstance(found, dict),
    "array": lambda found: isinstance(found, list),
    "null": lambda found: found is None,
}


def kind_of(found: object) -> str:
    """Return JSON's word for the type of *found*."""
    return next(name for name, fits in KINDS.items() if fits(found))


@attrs.frozen
class Field:
    """
    What may stand in one place of a body.

    Args:
        kinds: JSON types, joined by bars: `string|array|null`.
        required: Whether it may be left out.
        values: The only ones allowed; None (null) needs no mention here.
        least: Smallest number.
        most: Greatest number.
        fields: Of an object: what it may have. None: anything.
        items: Of an array: what each item has to be.
        further: Of a place: a check of its own, of name and value.
    """

    kinds: str
    required: bool = attrs.field(default=False, kw_only=True)
    values: Sequence[object] | None = attrs.field(default=None, kw_only=True)
    least: float | None = attrs.field(default=None, kw_only=True)
    most: float | None = attrs.field(default=None, kw_only=True)
    fields: Mapping[str, Field] | None = attrs.field(default=None, kw_only=True)
    items: Field | None = attrs.field(default=None, kw_only=True)
    further: Callable[[str, object], None] | None = attrs.field(default=None, kw_only=True)


def one_of(*values: str, required: bool = False, null: bool = False) -> Field:
    """Return a field for one of a few strings."""
    return Field("string|null" if null else "string", required=required, values=values)


def check(
    body: Mapping[str, object],
    fields: Mapping[str, Field],
    *,
    at: str = "",
    lenient: bool = False,
) -> None:
    """
    Check an object.

    Args:
        body: The object.
        fields: What it may have.
        at: Its own place, put before the names of its fields.
        lenient: Whether unknown fields pass, here and below.

    Raises:
        RefusedError: Something is unknown, missing or wrong; `param` says where.
    """
    place = f"{at}." if at else ""
    for name in body:
        if name not in fields and not lenient:
            raise RefusedError(kind="unknown", param=place + name)
    for name, field in fields.items():
        if name in body:
            _check_field(place + name, body[name], field, lenient=lenient)
        elif field.required:
            raise RefusedError(kind="missing", param=place + name)


def _check_field(at: str, found: object, field: Field, *, lenient: bool) -> None:
    kinds = field.kinds.split("|")
    if not any(KINDS[kind](found) for kind in kinds):
        raise RefusedError(kind="type", param=at, need=" or ".join(kinds), got=kind_of(found))
    if found is None:
        return
    if field.values is not None and found not in field.values:
        need = ", ".join(f"'{value}'" for value in field.values)
        raise RefusedError(kind="value", param=at, got=str(found), need=need)
    if kind_of(found) in {"integer", "number"}:
        _check_bounds(at, cast("float", found), field)
    if field.fields is not None and isinstance(found, dict):
        check(found, field.fields, at=at, lenient=lenient)
    if field.items is not None and isinstance(found, list):
        for index, item in enumerate(found):
            _check_field(f"{at}[{index}]", item, field.items, lenient=lenient)
    if field.further is not None:
        field.further(at, found)


def _check_bounds(at: str, found: float, field: Field) -> None:
    if field.least is not None and found < field.least:
        raise RefusedError(kind="value", param=at, got=str(found), need=f"a value >= {field.least}")
    if field.most is not None and found > field.most:
        raise RefusedError(kind="value", param=at, got=str(found), need=f"a value <= {field.most}")
