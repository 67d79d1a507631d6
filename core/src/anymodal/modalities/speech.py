"""Speech: speech from text."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["SpeechProviderSpec"]


@attrs.frozen(kw_only=True)
class SpeechProviderSpec(ProviderSpec[object]):
    """A provider of speech from text. Its contract comes with its first provider."""

    modality: ClassVar[str] = "speech"
