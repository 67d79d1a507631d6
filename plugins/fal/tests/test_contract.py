"""fal keeps the contract of clips, as far as the vendor lets it."""

from anymodal.testing import VideoSuite


class TestVideo(VideoSuite):
    provider = "fal"
    excuses = {  # noqa: RUF012  # nobody changes it
        "made.error.of-a-quota": "the vendor says so in words alone, with HTTP 403",
    }
