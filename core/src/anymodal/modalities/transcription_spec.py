"""How providers of text from speech are offered: what a listing needs of the room, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from ..specs import ProviderSpec, words
from .packing import ENCODINGS

if TYPE_CHECKING:
    from .transcription import TranscriptionProvider  # noqa: F401  # named in a string

__all__ = ["TranscriptionProviderSpec"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TranscriptionProviderSpec(ProviderSpec["TranscriptionProvider"]):
    """
    A provider of text from speech.

    Args:
        encodings: How live sound may be packed, such as `pcm_s16le`; none where all of
            `AudioFormat` may be. The core makes them of others where nothing is lost.
    """

    modality: ClassVar[str] = "transcription"

    encodings: tuple[str, ...] = attrs.field(
        default=(),
        converter=words,
        validator=attrs.validators.deep_iterable(attrs.validators.in_(ENCODINGS)),
    )
