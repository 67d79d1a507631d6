"""eSpeak NG keeps the contract of speech, on this machine alone."""

from anymodal.testing import SpeechSuite


class TestSpeech(SpeechSuite):
    provider = "espeak"
