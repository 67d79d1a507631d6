"""Black Forest Labs keeps the contract of pictures, as far as the vendor lets it."""

from anymodal.testing import ImageSuite


class TestImage(ImageSuite):
    provider = "bfl"
    excuses = {  # noqa: RUF012  # nobody changes it
        "error.has-its-class": "the vendor answers HTTP 403 where a key is missing or wrong",
    }
