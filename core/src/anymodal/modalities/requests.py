"""What requests of all kinds of work have in common."""

from __future__ import annotations

from typing import ClassVar, TypeVar

import attrs

from ..errors import InvalidRequestError, UnsupportedFeatureError
from ..specs import Deadlines, ModelSpec
from ..usage import CallWarning

__all__ = ["Request", "VendorOption"]

_OptionT = TypeVar("_OptionT", bound="VendorOption")


class VendorOption:
    """Base of the options of single vendors; each kind of work has its own beneath."""

    provider: ClassVar[str] = ""


@attrs.frozen(kw_only=True)
class Request:
    """
    What a provider is asked for. `None` means the vendor's default.

    Attributes:
        model: The model's spec; `model.id` goes over the wire.
        options: Options of vendors; see `option`.
        end_user: The caller's opaque id of the person behind the call.
        deadlines: How long things may take; the core keeps all but `connect`.
        strict: Whether a setting that cannot be honoured is an error.
        raw: Whether the vendor's own answer is wanted beside ours.
        warnings: What could not be honoured; see `warn`.
    """

    option_class: ClassVar[type[VendorOption]] = VendorOption

    model: ModelSpec
    options: tuple[VendorOption, ...] = ()
    end_user: str | None = None
    deadlines: Deadlines = Deadlines()
    strict: bool = False
    raw: bool = False
    warnings: list[CallWarning] = attrs.field(factory=list, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        cls = self.option_class
        for option in self.options:
            if not isinstance(option, cls):
                msg = f"options: {type(option).__name__} is no {cls.__name__} of a plugin."
                raise InvalidRequestError(msg, field="options")

    def option(self, cls: type[_OptionT]) -> _OptionT | None:
        """Return the options of class *cls*, if the caller gave some."""
        for option in self.options:
            if isinstance(option, cls):
                return option
        return None

    def warn(self, setting: str, message: str) -> None:
        """
        Note that *setting* is not honoured.

        Raises:
            UnsupportedFeatureError: The caller is strict.
        """
        if self.strict:
            text = f"{setting}: {message}"
            raise UnsupportedFeatureError(text)
        self.warnings.append(CallWarning(setting, message))
