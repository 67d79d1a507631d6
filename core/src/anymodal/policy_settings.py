"""Policies as settings have them: for a client, a kind of work and an instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import attrs

from .layers import Table, WrongValueError, mapping
from .policies import Breaker, Budget, Limits, Policy, Retry

__all__ = ["NOTHING", "policies_of", "policy_of"]

T = TypeVar("T")

NOTHING: Final = Policy()

_PARTS: Final[Mapping[str, type[Breaker | Limits | Retry]]] = {
    "breaker": Breaker,
    "limits": Limits,
    "retry": Retry,
}

OFF: Final[Mapping[str, Breaker | Retry]] = {
    "breaker": Breaker(failures=None, rate=None),
    "retry": Retry(attempts=1),
}
"""What `false` means."""


def policy_of(table: Table) -> Policy:
    """Return what *table* says, such as `[policy]`; faults go to its layer."""
    if not table.found:
        return NOTHING
    table.allow((*_PARTS, "budgets", "on_filtered"))
    said: dict[str, Any] = {
        name: OFF[name]
        if table.found[name] is False and name in OFF
        else _read(table.table(name), cls)
        for name, cls in _PARTS.items()
        if name in table.found
    }
    said["on_filtered"] = table.take("on_filtered", _on_filtered)
    return Policy(budgets=_budgets(table), **said)


def policies_of(table: Table) -> dict[str, Policy]:
    """Return the policies of `[policies]`, by the kind of work."""
    return {name: policy_of(one) for name, one in table.tables().items()}


def _on_filtered(value: object) -> object:
    if not isinstance(value, str) or value not in {"stop", "next"}:
        message = "stop or next is needed."
        raise WrongValueError(message)
    return value


def _budgets(table: Table) -> tuple[Budget, ...]:
    given = table.take("budgets", _tables) or ()
    key = (*table.key, "budgets")
    tables = (Table(table.layer, (*key, str(i)), one) for i, one in enumerate(given))
    return tuple(_read(one, Budget) for one in tables)


def _tables(value: object) -> tuple[Mapping[str, object], ...]:
    if not isinstance(value, list | tuple):
        message = "a list of tables is needed, such as [[policy.budgets]]."
        raise WrongValueError(message)
    return tuple(mapping(one) for one in value)


def _read(table: Table, cls: type[T]) -> T:
    """Return what *table* says as *cls*; what is wrong is noted, and left out."""
    names = [field.name for field in attrs.fields(cls)]  # type: ignore[arg-type]  # all of them are attrs classes
    table.allow(names)
    said: dict[str, Any] = {}
    for name in names:
        one = table.take(name, partial(_checked, cls, name))
        if one is not None:
            said[name] = one
    return cls(**said)


def _checked(cls: Callable[..., object], name: str, value: object) -> object:
    """Return *value*, if it may be the *name* of a *cls*."""
    try:
        cls(**{name: value})
    except (TypeError, ValueError) as error:
        message = str(error).removeprefix(f"{name}: ") + "."
        raise WrongValueError(message) from None
    return value
