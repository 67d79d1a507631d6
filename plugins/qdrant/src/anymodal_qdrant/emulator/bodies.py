"""What comes in over the wire, as the client's own types, and refused where it is none."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import pydantic
from anymodal_emulator.app import RefusedError, Request

__all__ = ["body_of", "either_of", "invalid", "path_part", "wants", "wrong"]

M = TypeVar("M", bound=pydantic.BaseModel)
T = TypeVar("T")

FAULTS: Final = 3
"""So many of the things that are wrong with a body are told."""


def body_of(request: Request, kind: type[M]) -> M:
    """
    Return the body, without what *kind* does not know.

    Raises:
        RefusedError: It is none, or not declared as JSON.
    """
    known = kind.model_fields
    given = {name: value for name, value in request.json().items() if name in known}
    return _read(given, pydantic.TypeAdapter(kind))


def either_of(request: Request, kinds: pydantic.TypeAdapter[Any]) -> Any:
    """
    Return the body, which is of one of several *kinds*.

    Raises:
        RefusedError: It is of none, or not declared as JSON.
    """
    return _read(request.json(), kinds)


def _read(found: dict[str, object], kinds: pydantic.TypeAdapter[T]) -> T:
    try:
        return kinds.validate_python(found)
    except pydantic.ValidationError as error:
        said = [_fault(one["type"], one["loc"], one["msg"]) for one in error.errors()[:FAULTS]]
        raise RefusedError(kind="not_json", got="; ".join(said)) from None


def _fault(kind: str, place: tuple[int | str, ...], words: str) -> str:
    where = ".".join(str(one) for one in place)
    return f"missing field `{where}`" if kind == "missing" else f"{where}: {words}"


def path_part(request: Request, name: str = "name") -> str:
    """
    Return what a placeholder stood for: one segment of the path.

    Raises:
        RefusedError: There is more than one, and so no such path.
    """
    found = request.args[name]
    if "/" in found:
        raise RefusedError(kind="no_path")
    return found


def wants(request: Request, flag: str) -> bool:
    """Whether the query says that *flag* is true."""
    return parse_qs(request.received.query).get(flag) == ["true"]


def wrong(*, words: str, status: int = 400) -> RefusedError:
    """Return the refusal of something that can be read, but not be done."""
    return RefusedError(kind="other", got=words, status=status)


def invalid(*, field: str, value: int, need: str) -> RefusedError:
    """Return the refusal of a number that is out of bounds."""
    words = f"Validation error in JSON body: [{field}: value {value} invalid, must be {need}]"
    return wrong(words=words, status=422)
