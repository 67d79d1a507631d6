"""A vendor's own options out of settings, by the class that its plugin exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from .errors import RequestError, SettingsError
from .modalities import Modality
from .specs import ProviderSpec

__all__ = ["call_options", "laid_over", "vendor_option", "with_default"]

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
    cls = spec.options_class()
    if cls is None:
        msg = f"{where}: {spec.id} has no options of its own for {spec.modality}."
        raise SettingsError([msg])
    import msgspec  # noqa: PLC0415  # 15 ms that only such settings pay

    faults = []
    known = [field.name for field in attrs.fields(cls)]
    for name, value in written.items():
        if name not in known:
            import difflib  # noqa: PLC0415  # only where something is wrong

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


def call_options(
    modality: Modality[Any], written: Mapping[str, object], instance: str
) -> Mapping[str, object]:
    """
    Return what settings say of every call, as the options class of *modality* has it.

    Args:
        modality: One that a plugin brings; those of the core are read with the settings.
        written: Values by name, as they stand in a file.
        instance: Whose calls, for errors.

    Raises:
        SettingsError: It has no such options; every fault is listed.
    """
    cls, where = modality.options_class(), f"{instance}: options.{modality.name}"
    known = () if cls is None else tuple(field.name for field in attrs.fields(cls))
    found: dict[str, object] = {}
    faults = []
    for name, value in written.items():
        if cls is None or name not in known:
            faults.append(f"{where}.{name}: there is no such option. Known: {', '.join(known)}.")
            continue
        try:
            found[name] = getattr(cls(**{name: value}), name)
        except (TypeError, ValueError, RequestError) as error:
            faults.append(f"{where}.{name}: {str(error).removeprefix(f'{name}: ')}")
    if faults:
        raise SettingsError(faults)
    return {name: value for name, value in found.items() if value is not None}


def with_default(
    default: object, given: Sequence[OptionT], cls: type[OptionT]
) -> tuple[OptionT, ...]:
    """
    Return the options of a call with what settings say laid under them.

    Args:
        default: `Offer.vendor_option`.
        given: The caller's, of any vendors.
        cls: Base of the modality's options.
    """
    if not isinstance(default, cls):
        return tuple(given)
    own = [laid_over(default, one) for one in given if type(one) is type(default)]
    others = [one for one in given if type(one) is not type(default)]
    return (*(own or [default]), *others)


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
