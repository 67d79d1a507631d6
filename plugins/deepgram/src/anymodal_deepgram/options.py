"""What only Deepgram can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs
from anymodal.modalities.transcription import TranscriptionOption

__all__ = ["DeepgramTranscription"]


@attrs.frozen(kw_only=True)
class DeepgramTranscription(TranscriptionOption):
    """
    Options for speech to text by Deepgram. `None` means Deepgram's default, if not said otherwise.

    Source: Deepgram's OpenAPI and AsyncAPI descriptions, `/v1/listen`, read 2026-11-20.

    Args:
        smart_format: Whether numbers, dates and sentences are written as people do;
            None is yes.
        detect_language: Whether the language of a file is to be found out.
        multichannel: Whether each channel is a speaker of its own.
        profanity_filter: Whether profanity is left out.
        redact: What is hidden, such as `pci` or `numbers`.
        numerals: Whether numbers are written in digits.
        filler_words: Whether `uh` and `um` are written.
        endpointing: Milliseconds of silence after which live speech is final.
        utterance_end_ms: Milliseconds without a word after which a live turn has
            ended, 1000 at least; needs partials.
        mip_opt_out: Whether the sound is kept from improving models.
        tag: Labels for Deepgram's usage reports.
        extra_query: Parameters of the address, sent unchecked; they replace ours.
        extra_headers: Headers, sent unchecked.
    """

    provider: ClassVar[str] = "deepgram"

    smart_format: bool | None = None
    detect_language: bool | None = None
    multichannel: bool | None = None
    profanity_filter: bool | None = None
    redact: tuple[str, ...] | None = None
    numerals: bool | None = None
    filler_words: bool | None = None
    endpointing: int | None = None
    utterance_end_ms: int | None = None
    mip_opt_out: bool | None = None
    tag: tuple[str, ...] | None = None
    extra_query: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = None
