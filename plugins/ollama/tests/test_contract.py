"""Ollama keeps the contracts of text and of vectors, as far as the server lets it."""

from anymodal.testing import EmbeddingSuite, TextSuite


class TestText(TextSuite):
    provider = "ollama"
    model = "qwen3:8b"
    abilities = {  # noqa: RUF012  # nobody changes it
        "function_calling": "qwen3:8b",
        "image_input": "gemma3:4b",
        "reasoning": "qwen3:8b",
        "structured_output": "qwen3:8b",
    }
    excuses = {  # noqa: RUF012  # as above
        "call.keeps-the-request-id": "the server gives requests no ids",
        "text.error.of-a-long-prompt": "the server says so in words alone",
        "text.finish.says-filtered": "the server has no filters",
    }


class TestEmbedding(EmbeddingSuite):
    provider = "ollama"
    model = "nomic-embed-text"
    excuses = {  # noqa: RUF012  # as above
        "call.keeps-the-request-id": "the server gives requests no ids",
    }
