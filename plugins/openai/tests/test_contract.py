"""OpenAI keeps the contracts of text, of pictures, of vectors and of conversations."""

from anymodal.testing import EmbeddingSuite, ImageSuite, RealtimeSuite, TextSuite


class TestText(TextSuite):
    provider = "openai"


class TestEmbedding(EmbeddingSuite):
    provider = "openai"


class TestImage(ImageSuite):
    provider = "openai"


class TestRealtime(RealtimeSuite):
    provider = "openai"
