"""A vendor's own options out of settings, by the class that its plugin exports."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from .errors import SettingsError
from .specs import ProviderSpec

__all__ = ["laid_over", "vendor_option"]

OptionT = TypeVar("OptionT")


def vendor_option(
    spec: ProviderSpec[Any], written: Mapping[str, object] | None, section: str
) -> object | None:
    """
    Return *written* as the options of *spec*, or None where nothing is.

    Args:
        spec: Whose options they are.
        written: Values by name, as they stand in a file.
        section: The table that has them, for errors.

    Raises:
        SettingsError: The plugin has no such options; every fault is listed.
    """
    if not written:
        return None
    where = f"{section} vendor_options.{spec.modality}"
    cls = spec.options
    if cls is None:
        msg = f"{where}: {spec.id} has no options of its own for {spec.modality}."
        raise SettingsError([msg])
    import msgspec  # noqa: PLC0415  # 15 ms that only such settings pay

    faults = []
    known = [field.name for field in attrs.fields(cls)]
    for name, value in written.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."
            faults.append(f"{where}.{name}: there is no such option. {hint}")
            continue
        try:
            msgspec.convert({name: value}, cls)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            faults.append(f"{where}.{name}: {str(error).partition(' - at ')[0]}.")
    if faults:
        raise SettingsError(faults)
    return msgspec.convert(written, cls)


def laid_over(default: OptionT, given: OptionT) -> OptionT:
    """Return *given* with what *default* says where *given* says what it would anyway."""
    unsaid = type(given)()
    merged: Any = default  # an attrs class, which its static type need not be
    said = {
        field.name: value
        for field in attrs.fields(type(merged))
        if (value := getattr(given, field.name)) != getattr(unsaid, field.name)
    }
    found: OptionT = attrs.evolve(merged, **said)
    return found
