"""What a contract suite consists of: tests that each stand for one clause, and cannot be lost."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Concatenate, Final, Literal, NoReturn, ParamSpec, TypeAlias, TypeVar

import anyio
import attrs
import pytest

__all__ = ["LEVELS", "Clause", "Level", "clause", "clauses_of", "not_applicable"]

P = ParamSpec("P")
SuiteT = TypeVar("SuiteT")
Level: TypeAlias = Literal["works", "honest", "complete"]
Method: TypeAlias = Callable[Concatenate[SuiteT, P], Coroutine[Any, Any, None]]

LEVELS: Final[tuple[Level, ...]] = ("works", "honest", "complete")
"""What a provider has reached when no clause up to there is broken."""


@attrs.frozen
class Clause:
    """
    One thing that every provider of a modality does.

    Attributes:
        id: Its name, which never changes, such as `text.stream.ends-in-one-finish`.
        level: For what it counts.
        words: What the provider does, and why.
        needs_vendor: Whether it takes a vendor on loopback to show it.
    """

    id: str
    level: Level
    words: str
    needs_vendor: bool = False


def clause(
    name: str, level: Level, *, needs_vendor: bool = False
) -> Callable[[Method[SuiteT, P]], Method[SuiteT, P]]:
    """
    Make an async method of a suite the test of a clause.

    Its docstring is what the contract wants, and stands below whatever fails. It is
    given up after the suite's `patience`.

    Args:
        name: The clause's id.
        level: For what it counts.
        needs_vendor: Whether it is of no use without an emulator.
    """

    def mark(test: Method[SuiteT, P]) -> Method[SuiteT, P]:
        found = Clause(name, level, " ".join(inspect.getdoc(test).split()), needs_vendor)  # type: ignore[union-attr]  # one without words is a mistake, and fails here

        async def tried(self: SuiteT, /, *args: P.args, **kwargs: P.kwargs) -> None:
            patience: float = getattr(self, "patience")  # noqa: B009  # every suite's, and no protocol can say so here
            try:
                with anyio.fail_after(patience):
                    await test(self, *args, **kwargs)
            except BaseException as error:
                if not isinstance(error, pytest.skip.Exception):
                    error.add_note(f"The contract, {found.id}: {found.words}")
                raise

        functools.update_wrapper(tried, test)
        tried.clause = found  # type: ignore[attr-defined]  # functions take attributes
        return tried

    return mark


def clauses_of(suite: type) -> Iterator[tuple[str, Clause]]:
    """Give the clauses of *suite* by the names of its methods, those of its bases first."""
    for cls in reversed(suite.__mro__):
        for name, value in vars(cls).items():
            if isinstance(found := getattr(value, "clause", None), Clause):
                yield name, found


def check_nothing_is_lost(suite: type) -> None:
    """
    See to it that *suite* keeps every clause of its bases, or says why not.

    Raises:
        TypeError: A clause is overridden or removed without a reason, or one is excused that
            there is not.
    """
    for name, found in clauses_of(suite):
        method = inspect.getattr_static(suite, name)
        if getattr(method, "clause", None) is not found and not _is_excused(method):
            msg = (
                f"{suite.__name__}.{name} would do away with {found.id} of the contract. "
                'Mark it @pytest.mark.xfail(reason="…") and await the original in it, '
                "or give it another name."
            )
            raise TypeError(msg)
    known = {found.id for _, found in clauses_of(suite)}
    if odd := set(getattr(suite, "excuses", ())) - known:
        msg = f"{suite.__name__}.excuses: no clause is called {', '.join(sorted(odd))}."
        raise TypeError(msg)


def _is_excused(method: Any) -> bool:
    marks: list[pytest.Mark] = getattr(method, "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)


def not_applicable(why: str) -> NoReturn:
    """Say that a clause does not concern this provider, and why; it shows as a skip."""
    pytest.skip(f"not applicable: {why}")
