"""Deepgram keeps the contract of transcription."""

from anymodal.testing import TranscriptionSuite


class TestTranscription(TranscriptionSuite):
    provider = "deepgram"
