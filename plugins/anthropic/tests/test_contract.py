"""Anthropic keeps the contract of text, as far as the vendor lets it."""

from anymodal.testing import TextSuite


class TestText(TextSuite):
    provider = "anthropic"
    excuses = {  # noqa: RUF012  # nobody changes it
        "text.error.of-a-long-prompt": "the vendor says so in words alone, with no code for it",
    }
