"""OpenAI keeps the contracts of text and of vectors."""

from anymodal.testing import EmbeddingSuite, TextSuite


class TestText(TextSuite):
    provider = "openai"


class TestEmbedding(EmbeddingSuite):
    provider = "openai"
