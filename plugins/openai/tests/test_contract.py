"""OpenAI keeps the contracts of text, of pictures and of vectors."""

from anymodal.testing import EmbeddingSuite, ImageSuite, TextSuite


class TestText(TextSuite):
    provider = "openai"


class TestEmbedding(EmbeddingSuite):
    provider = "openai"


class TestImage(ImageSuite):
    provider = "openai"
