"""Night Heron does what every provider does, clause by clause, against the emulator."""

from __future__ import annotations

from anymodal import testing


# [text]
class TestText(testing.TextSuite):
    """The contract of text."""

    provider = "night-heron"


# [/text]
# [image]
class TestImage(testing.ImageSuite):
    """The contract of image."""

    provider = "night-heron"


# [/image]
# [video]
class TestVideo(testing.VideoSuite):
    """The contract of video."""

    provider = "night-heron"


# [/video]
# [audio]
class TestAudio(testing.AudioSuite):
    """The contract of audio."""

    provider = "night-heron"


# [/audio]
# [speech]
class TestSpeech(testing.SpeechSuite):
    """The contract of speech."""

    provider = "night-heron"


# [/speech]
# [transcription]
class TestTranscription(testing.TranscriptionSuite):
    """The contract of transcription."""

    provider = "night-heron"


# [/transcription]
# [realtime]
class TestRealtime(testing.RealtimeSuite):
    """The contract of realtime."""

    provider = "night-heron"


# [/realtime]
# [embedding]
class TestEmbedding(testing.EmbeddingSuite):
    """The contract of embedding."""

    provider = "night-heron"


# [/embedding]
# [retrieval]
class TestRetrieval(testing.RetrievalSuite):
    """The contract of retrieval."""

    provider = "night-heron"


# [/retrieval]
