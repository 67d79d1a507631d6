"""Where something is that is imported when it is used: `module:name`."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

import attrs

from .errors import BrokenPluginError

__all__ = ["class_at", "class_or_place"]

PLACE: Final = re.compile(r"\w+(?:\.\w+)*:\w+")


def class_or_place(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse what is neither a class, nor the place of one, nor None."""
    if isinstance(value, str) and PLACE.fullmatch(value) is None:
        msg = f"{attribute.name}: {value!r} is no module:Class"
        raise ValueError(msg)
    if not isinstance(value, type | str | None):
        msg = f"{attribute.name}: a class or module:Class is needed, not {value!r}"
        raise TypeError(msg)


def class_at(place: str, owner: str) -> type:
    """
    Import the class at *place*, which *owner* names.

    Raises:
        BrokenPluginError: There is none.
    """
    module, _, name = place.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        msg = f"{owner}: there is no {place}: {error}."
        raise BrokenPluginError(msg) from error
    if not isinstance(found, type):
        msg = f"{owner}: {place} is no class."
        raise BrokenPluginError(msg)
    return found
