"""How providers of conversations are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec, words
from .packing import AudioFormat

if TYPE_CHECKING:
    from .realtime import OpensRealtime  # noqa: F401  # named in a string

__all__ = ["RealtimeProviderSpec"]


def _formats(given: Iterable[str | AudioFormat]) -> tuple[AudioFormat, ...]:
    return tuple(AudioFormat.parse(one) for one in given)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RealtimeProviderSpec(ProviderSpec["OpensRealtime"]):
    """
    A provider of spoken conversation, both ways at once.

    Args:
        input_formats: How sound may be packed that is sent, the usual one first.
        output_formats: How answers may be packed, likewise.
        voices: Ids of voices; others are sent as they are.
    """

    modality: ClassVar[str] = "realtime"

    input_formats: tuple[AudioFormat, ...] = attrs.field(
        default=(AudioFormat(),), converter=_formats, validator=attrs.validators.min_len(1)
    )
    output_formats: tuple[AudioFormat, ...] = attrs.field(
        default=(AudioFormat(),), converter=_formats, validator=attrs.validators.min_len(1)
    )
    voices: tuple[str, ...] = attrs.field(default=(), converter=words)
