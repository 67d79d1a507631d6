"""
Mistral's embeddings: its fields, its limits, its ways of saying that they were passed.

Sources: mistralai 3.7.0, `client/models/embeddingrequest.py` and `embeddingresponse.py`;
limits as in `anymodal_mistral.embedding`; read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from anymodal_emulator.app import RefusedError, Request
from anymodal_emulator.checking import Field, one_of
from anymodal_openai_compatible.emulator import Embedder

__all__ = ["EMBEDDER"]

FIELDS: Final[Mapping[str, Field]] = {
    "model": Field("string", required=True),
    "input": Field("string|array", required=True),
    "metadata": Field("object|null"),
    "output_dimension": Field("integer|null", least=1),
    "output_dtype": one_of("float"),  # the others are whole numbers, which nobody here asks for
    "encoding_format": one_of("float", "base64"),
}


def _too_much(what: str) -> NoReturn:
    words = f"Too many {what}, split into more batches."
    raise RefusedError(kind="other", got=words, code="3210")


def _refuse_inputs(inputs: int, most: int) -> NoReturn:
    del inputs, most
    _too_much("inputs in request")


def _refuse_tokens(tokens: int, most: int) -> NoReturn:
    del tokens, most
    _too_much("tokens overall")


def _usage(tokens: int) -> dict[str, object]:
    return {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}


def _further(request: Request) -> dict[str, object]:
    return {"id": request.memory.id("", 32)}


EMBEDDER: Final = Embedder(
    provider="mistral",
    models={"mistral-embed": (1024, 0), "codestral-embed": (1536, 3072)},
    fields=FIELDS,
    dimensions_field="output_dimension",
    encodes=False,
    most_inputs=512,
    most_tokens=16_384,
    most_text=8192,
    refuse_inputs=_refuse_inputs,
    refuse_tokens=_refuse_tokens,
    usage=_usage,
    further=_further,
)
