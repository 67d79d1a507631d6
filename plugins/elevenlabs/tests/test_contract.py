"""ElevenLabs keeps the contracts of speech, and of effects and music."""

from anymodal.testing import AudioSuite, SpeechSuite


class TestSpeech(SpeechSuite):
    provider = "elevenlabs"


class TestAudio(AudioSuite):
    provider = "elevenlabs"
