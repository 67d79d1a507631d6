"""Groq keeps the contract of text."""

from anymodal.testing import TextSuite


class TestText(TextSuite):
    provider = "groq"
