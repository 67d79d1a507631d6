"""Transcription: text from speech."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..specs import ProviderSpec

__all__ = ["TranscriptionProviderSpec"]


@attrs.frozen(kw_only=True)
class TranscriptionProviderSpec(ProviderSpec[object]):
    """A provider of text from speech. Its contract comes with its first provider."""

    modality: ClassVar[str] = "transcription"
