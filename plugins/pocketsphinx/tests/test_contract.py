"""PocketSphinx keeps the contract of transcription, on this machine alone."""

from typing import ClassVar

from anymodal.testing import TranscriptionSuite


class TestTranscription(TranscriptionSuite):
    provider = "pocketsphinx"
    patience = 120.0  # six decoders at once take a while
    excuses: ClassVar = {
        "transcription.live.agrees-with-transcribe": "PocketSphinx levels sound by all of it that "
        "it has heard, which of somebody who has just begun to speak is little.",
    }
