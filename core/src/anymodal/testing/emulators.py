"""Vendors on loopback, as the distribution `anymodal-emulator` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from anymodal_emulator import Emulated

    from ..specs import EmulatorSpec

__all__ = ["absent", "emulated", "faults"]

_ABSENT: Final = "Emulators need another distribution. Try: pip install anymodal-emulator"


def absent() -> ConfigurationError:
    """Return the error for emulators that are not installed."""
    return ConfigurationError(_ABSENT)


def emulated(vendor: str | EmulatorSpec, *, port: int = 0) -> Emulated:
    """
    Return a vendor on loopback, to be entered by `with` or `async with`.

    Args:
        vendor: Id of a provider whose installed plugin has an emulator, or a spec.
        port: Port to listen on; 0 for any free one.

    Raises:
        ConfigurationError: `anymodal-emulator` is not installed, or no plugin has an emulator
            of that name.
    """
    try:
        from anymodal_emulator import emulated as start  # noqa: PLC0415  # may not be installed
    except ImportError as error:
        raise absent() from error
    try:
        return start(vendor, port=port)
    except LookupError as error:
        raise ConfigurationError(str(error)) from error


def faults() -> Any:
    """
    Return the module with what a vendor on loopback can be told to do wrong.

    Raises:
        ConfigurationError: `anymodal-emulator` is not installed.
    """
    try:
        from anymodal_emulator import faults as found  # noqa: PLC0415  # as above
    except ImportError as error:
        raise absent() from error
    return found
