"""
Filters over payloads, the same for every store.

    Eq("kind", "letter") & Range("year", gte=1900) & ~In("tongue", ["la", "el"])

A field is a key of the payload itself. One that holds a list fulfils a condition
where any of its elements does; one that is missing, or null, fulfils none. `Not`
is everything else, what lacks the field included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import attrs

from ..errors import InvalidRequestError

__all__ = ["And", "Eq", "Filter", "In", "Not", "Or", "Range", "Scalar"]


Scalar: TypeAlias = str | int | bool
"""What may be compared for being the same; numbers with a fraction have a range."""

FIELD: Final = re.compile(r"[A-Za-z0-9_-]+")
LARGEST: Final = 2**63
"""Stores keep whole numbers in eight bytes."""


class Filter:
    """Base of the conditions; `&`, `|` and `~` put them together."""

    __slots__ = ()

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether a point with *payload* is let through; what stores have to agree with."""
        raise NotImplementedError

    def __and__(self, other: Filter) -> And:
        return And(self, other)

    def __or__(self, other: Filter) -> Or:
        return Or(self, other)

    def __invert__(self) -> Not:
        return Not(self)


def _wrong(message: str) -> InvalidRequestError:
    return InvalidRequestError(f"filter: {message}", field="filter")


def _field(_: object, __: attrs.Attribute[str], name: str) -> None:
    if not isinstance(name, str) or not FIELD.fullmatch(name):
        msg = f"{name!r} is no field: letters, digits, _ and - make one."
        raise _wrong(msg)


def _scalar(value: object) -> None:
    if not isinstance(value, Scalar):
        hint = "; use Range" if isinstance(value, float) else ""
        msg = f"{value!r} is neither a string, a whole number, nor true or false{hint}."
        raise _wrong(msg)
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        msg = f"{value} is too large a number."
        raise _wrong(msg)


def _values(payload: Mapping[str, object], field: str) -> list[object]:
    value = payload.get(field)
    return list(value) if isinstance(value, list | tuple) else [value]


def _same(value: object, wanted: Scalar) -> bool:
    """Whether they are equal and of one type: in JSON 1 is neither true nor 1.0."""
    return type(value) is type(wanted) and value == wanted


@attrs.frozen
class Eq(Filter):
    """
    A field has a value.

    Args:
        field: The payload's key.
        value: A string, a whole number, or a bool.
    """

    field: str = attrs.field(validator=_field)
    value: Scalar = attrs.field(validator=lambda _, __, value: _scalar(value))

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether one of the field's values is this one."""
        return any(_same(value, self.value) for value in _values(payload, self.field))


def _several(found: Iterable[Scalar]) -> tuple[Scalar, ...]:
    if isinstance(found, str):
        msg = f"a list of values is needed, not the string {found!r}."
        raise _wrong(msg)
    return tuple(found)


@attrs.frozen
class In(Filter):
    """
    A field has one of several values.

    Args:
        field: The payload's key.
        values: At least one, as in `Eq`.
    """

    field: str = attrs.field(validator=_field)
    values: tuple[Scalar, ...] = attrs.field(converter=_several)

    def __attrs_post_init__(self) -> None:
        if not self.values:
            msg = "In needs at least one value."
            raise _wrong(msg)
        for value in self.values:
            _scalar(value)

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether one of the field's values is among them."""
        found = _values(payload, self.field)
        return any(_same(value, one) for value in found for one in self.values)


@attrs.frozen
class Range(Filter):
    """
    A field is a number between bounds, of which there is at least one.

    Args:
        field: The payload's key.
        gt: It is greater than this.
        gte: It is this or greater.
        lt: It is less than this.
        lte: It is this or less.
    """

    field: str = attrs.field(validator=_field)
    gt: float | None = attrs.field(default=None, kw_only=True)
    gte: float | None = attrs.field(default=None, kw_only=True)
    lt: float | None = attrs.field(default=None, kw_only=True)
    lte: float | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        bounds = [one for one in (self.gt, self.gte, self.lt, self.lte) if one is not None]
        if not bounds:
            msg = "Range needs a bound: gt, gte, lt or lte."
            raise _wrong(msg)
        for bound in bounds:
            if not _is_number(bound) or not math.isfinite(bound):
                msg = f"a bound of Range is a number, not {bound!r}."
                raise _wrong(msg)

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether one of the field's numbers lies within."""
        return any(self._has(value) for value in _values(payload, self.field))

    def _has(self, value: object) -> bool:
        if not isinstance(value, int | float) or not _is_number(value):
            return False
        return (
            (self.gt is None or value > self.gt)
            and (self.gte is None or value >= self.gte)
            and (self.lt is None or value < self.lt)
            and (self.lte is None or value <= self.lte)
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parts(parts: tuple[Filter, ...], name: str) -> tuple[Filter, ...]:
    if not parts or not all(isinstance(part, Filter) for part in parts):
        msg = f"{name} is made of filters, at least one."
        raise _wrong(msg)
    return parts


@attrs.frozen(init=False)
class And(Filter):
    """
    All of several filters.

    Args:
        parts: At least one.
    """

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        self.__attrs_init__(_parts(parts, "And"))

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether each does."""
        return all(part.matches(payload) for part in self.parts)


@attrs.frozen(init=False)
class Or(Filter):
    """
    Any of several filters.

    Args:
        parts: At least one.
    """

    parts: tuple[Filter, ...]

    def __init__(self, *parts: Filter) -> None:
        self.__attrs_init__(_parts(parts, "Or"))

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether one does."""
        return any(part.matches(payload) for part in self.parts)


@attrs.frozen
class Not(Filter):
    """
    Everything but.

    Args:
        part: What is not wanted.
    """

    part: Filter = attrs.field(validator=lambda _, __, part: _parts((part,), "Not") and None)

    def matches(self, payload: Mapping[str, object]) -> bool:
        """Whether it does not."""
        return not self.part.matches(payload)
