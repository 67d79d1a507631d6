"""What only PocketSphinx can be asked for."""

from __future__ import annotations

from typing import ClassVar

import attrs
from anymodal.modalities.transcription import TranscriptionOption

__all__ = ["PocketsphinxTranscription"]


@attrs.frozen(kw_only=True)
class PocketsphinxTranscription(TranscriptionOption):
    """
    Options for transcription by PocketSphinx.

    Args:
        grammar: What may be said, as JSGF; nothing else is then heard. Its words are
            those of the CMU dictionary.
        keyphrases: Phrases to listen for; nothing else is then heard. Not with *grammar*.
    """

    provider: ClassVar[str] = "pocketsphinx"

    grammar: str | None = None
    keyphrases: tuple[str, ...] | None = None
