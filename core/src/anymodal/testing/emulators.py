"""Vendors on loopback, as the distribution `anymodal-emulator` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from anymodal_emulator import Emulated

    from ..specs import EmulatorSpec

__all__ = ["emulated"]


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
        msg = "Emulators need another distribution. Try: pip install anymodal-emulator"
        raise ConfigurationError(msg) from error
    try:
        return start(vendor, port=port)
    except LookupError as error:
        raise ConfigurationError(str(error)) from error
