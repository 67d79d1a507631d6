"""Says whether a vendor SDK's own objects hold an answer with nothing missing or left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

__all__ = ["gaps"]


class _Model(Protocol):
    """What is used of pydantic's models, so that this module needs no pydantic."""

    model_fields: Mapping[str, _FieldInfo]
    model_fields_set: set[str]
    model_extra: Mapping[str, object] | None

    def model_dump(
        self, *, by_alias: bool, exclude_unset: bool, warnings: bool
    ) -> dict[str, object]: ...

    @classmethod
    def model_validate(cls, found: object, /) -> object: ...


class _FieldInfo(Protocol):
    def is_required(self) -> bool: ...


def gaps(model: object) -> list[str]:
    """
    Walk a pydantic model as an SDK built it, and return all that is wrong with it.

    SDKs build their objects without validating: what is missing stays unset,
    what is unknown is kept as an extra, what has another type is kept as it came.
    Each of these gives a line here; an empty list means the SDK's types and the
    answer agree.

    Args:
        model: The SDK's object. Attributes whose names begin with an underscore
            are the SDK's own and not looked at.
    """
    found = list(_walk(model, type(model).__name__))
    if not found:
        try:
            dumped = cast("_Model", model).model_dump(
                by_alias=True, exclude_unset=True, warnings=False
            )
            cast("type[_Model]", type(model)).model_validate(dumped)
        except ValueError as error:  # pydantic's ValidationError is one
            found.append(f"{type(model).__name__}: {error}")
    return found


def _walk(value: object, at: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{at}[{key!r}]")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{at}[{index}]")
    elif hasattr(type(value), "model_fields"):
        yield from _walk_model(cast("_Model", value), at)


def _walk_model(model: _Model, at: str) -> Iterator[str]:
    for name in model.model_extra or {}:
        if not name.startswith("_"):
            yield f"{at}.{name}: left over"
    for name, field in type(model).model_fields.items():
        if name in model.model_fields_set:
            yield from _walk(getattr(model, name), f"{at}.{name}")
        elif field.is_required():
            yield f"{at}.{name}: missing"
