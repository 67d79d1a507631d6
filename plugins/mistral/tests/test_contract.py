"""Mistral keeps the contracts of text and of vectors, as far as the vendor lets it."""

from anymodal.testing import EmbeddingSuite, TextSuite


class TestText(TextSuite):
    provider = "mistral"
    excuses = {  # noqa: RUF012  # nobody changes it
        "text.error.of-a-long-prompt": "the vendor's reference has no code for it",
        "text.error.of-a-filter": "the vendor's reference has no code for it, only HTTP 403",
        "text.finish.says-filtered": "the vendor's word for it is that of any failure, `error`",
    }


class TestEmbedding(EmbeddingSuite):
    provider = "mistral"
