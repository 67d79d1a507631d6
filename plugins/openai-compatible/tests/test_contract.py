"""An endpoint of one's own keeps the contracts of text and of vectors."""

from anymodal.testing import EmbeddingSuite, TextSuite


class TestText(TextSuite):
    provider = "openai-compatible"
    model = "gpt-6.1-mini"
    abilities = {  # noqa: RUF012  # nobody changes it
        "audio_input": "gpt-6.1-mini",
        "citations": "gpt-6.1-mini",
        "file_input": "gpt-6.1-mini",
        "function_calling": "gpt-6.1-mini",
        "image_input": "gpt-6.1-mini",
        "reasoning": "gpt-6.1-mini",
        "structured_output": "gpt-6.1-mini",
    }


class TestEmbedding(EmbeddingSuite):
    provider = "openai-compatible"
    model = "text-embedding-small"
    excuses = {  # noqa: RUF012  # as above
        "embedding.keeps-its-limits": "no endpoint says its limit; who takes less is asked by halves",
    }
