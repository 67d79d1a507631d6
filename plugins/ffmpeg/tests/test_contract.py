"""FFmpeg keeps the contracts of clips and of sound, on this machine alone."""

from anymodal.testing import AudioSuite, VideoSuite


class TestVideo(VideoSuite):
    provider = "ffmpeg"
    seconds = 1.0


class TestAudio(AudioSuite):
    provider = "ffmpeg"
