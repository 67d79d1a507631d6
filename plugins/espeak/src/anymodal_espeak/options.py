"""What only eSpeak NG can be asked for."""

from __future__ import annotations

from typing import ClassVar

import attrs
from anymodal.modalities.speech import SpeechOption

__all__ = ["EspeakSpeech"]


@attrs.frozen(kw_only=True)
class EspeakSpeech(SpeechOption):
    """
    Options for speech from eSpeak NG. `None` means the program's default.

    Source: the manual page of espeak-ng 1.51, read 2026-11-20.

    Args:
        pitch: From 0 to 99; 50 is usual.
        volume: From 0 to 200; 100 is usual.
        word_gap: Pause between words, in steps of 10 ms at the usual speed.
        words_per_minute: How fast, from 80 to 450, in place of `speed`.
    """

    provider: ClassVar[str] = "espeak"

    pitch: int | None = None
    volume: int | None = None
    word_gap: int | None = None
    words_per_minute: int | None = None
