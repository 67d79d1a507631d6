"""
Embeddings, in the shared protocol: `POST /embeddings`.

Shapes and limits are those of openai 3.52, `types/embedding_create_params.py` and
`types/create_embedding_response.py`. Words of refusals are as quoted in
https://github.com/spiceai/spiceai/issues/6142, https://github.com/HKUDS/DeepTutor/issues/521
and https://github.com/raphaelmansuy/edgequake-llm/pull/74; all read 2026-11-20.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, cast

import attrs
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.checking import Field, check, one_of
from anymodal_emulator.embedding import vector
from anymodal_emulator.text import count

__all__ = ["EMBEDDINGS", "Embedder", "serve_embeddings"]

EMBEDDINGS: Final[Mapping[str, Field]] = {
    "input": Field("string|array", required=True),
    "model": Field("string", required=True),
    "dimensions": Field("integer", least=1),
    "encoding_format": one_of("float", "base64"),
    "user": Field("string"),
}


def _usage(tokens: int) -> dict[str, object]:
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def _refuse_tokens(tokens: int, most: int) -> NoReturn:
    code = "max_tokens_per_request"
    words = f"Requested {tokens} tokens, max {most} tokens per request"
    raise RefusedError(kind="other", got=words, code=code)


def _refuse_inputs(inputs: int, most: int) -> NoReturn:
    words = f"batch size {inputs} > maximum allowed batch size {most}"
    raise RefusedError(kind="other", got=words, status=413, code="Validation")


@attrs.frozen(kw_only=True)
class Embedder:
    """
    How one vendor makes vectors.

    Args:
        provider: Id of the provider; its vectors are its own.
        models: By name, how many numbers vectors have, and the most that may be
            asked for: 0 for none. Empty for any model.
        usual: How many numbers they have where any model answers.
        fields: What a body may have.
        lenient: Whether unknown fields of a body are passed over.
        dimensions_field: What asks for another number of numbers.
        encodes: Whether `base64` is known.
        most_inputs: Most texts in one request; 0 for any number.
        most_tokens: Most tokens of all texts; 0 for any number.
        most_text: Most tokens of one text; 0 for any number.
        refuse_inputs: Raises what the vendor says of too many texts.
        refuse_tokens: Raises what it says of too many tokens.
        usage: What is said to have been used.
        further: More fields of every answer.
    """

    provider: str
    models: Mapping[str, tuple[int, int]] = attrs.field(factory=dict)
    usual: int = 0
    fields: Mapping[str, Field] = attrs.field(default=EMBEDDINGS, repr=False)
    lenient: bool = False
    dimensions_field: str = "dimensions"
    encodes: bool = True
    most_inputs: int = 0
    most_tokens: int = 0
    most_text: int = 0
    refuse_inputs: Callable[[int, int], NoReturn] = _refuse_inputs
    refuse_tokens: Callable[[int, int], NoReturn] = _refuse_tokens
    usage: Callable[[int], Mapping[str, object]] = _usage
    further: Callable[[Request], Mapping[str, object]] = lambda _: {}

    def answer(self, request: Request) -> Reply:
        """
        Return vectors.

        Raises:
            RefusedError: Something in the body the vendor does not take.
        """
        body = request.json()
        check(body, self.fields, lenient=self.lenient)
        model = str(body["model"])
        if self.models and model not in self.models:
            raise RefusedError(kind="no_model", param="model", got=model)
        size = self._size(model, cast("int | None", body.get(self.dimensions_field)))
        texts = self._texts(body["input"])
        tokens = self._count(texts)
        packed = self.encodes and body.get("encoding_format") == "base64"
        space = f"{self.provider}/{model}"
        rows = [
            {"object": "embedding", "index": index, "embedding": _written(made, packed=packed)}
            for index, made in enumerate(vector(space, text, size) for text in texts)
        ]
        head = {"object": "list", "data": rows, "model": model, "usage": self.usage(tokens)}
        return Reply.json({**head, **self.further(request)})

    def _size(self, model: str, wanted: int | None) -> int:
        usual, most = self.models.get(model, (self.usual, self.usual))
        if wanted is None:
            return usual
        at = self.dimensions_field
        if not most:
            words = "This model does not support specifying dimensions."
            raise RefusedError(kind="other", param=at, got=words)
        if wanted > most:
            words = f"Invalid value for '{at}' = {wanted}. Must be less than or equal to {most}."
            raise RefusedError(kind="other", param=at, got=words)
        return wanted

    def _texts(self, found: object) -> Sequence[str]:
        """Return the texts; lists of tokens, which nobody here sends, are refused."""
        texts = [found] if isinstance(found, str) else cast("list[object]", found)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise RefusedError(kind="type", param=f"input[{index}]", need="string", got="other")
        if not texts or "" in texts:
            words = "'$.input' is invalid. Please check the API reference."
            raise RefusedError(kind="other", param="input", got=words)
        if self.most_inputs and len(texts) > self.most_inputs:
            self.refuse_inputs(len(texts), self.most_inputs)
        return cast("Sequence[str]", texts)

    def _count(self, texts: Sequence[str]) -> int:
        counts = [count(text) for text in texts]
        for index, tokens in enumerate(counts):
            if self.most_text and tokens > self.most_text:
                words = (
                    f"Invalid 'input[{index}]': maximum input length is {self.most_text} tokens."
                )
                raise RefusedError(kind="other", got=words)
        if self.most_tokens and sum(counts) > self.most_tokens:
            self.refuse_tokens(sum(counts), self.most_tokens)
        return sum(counts)


def _written(found: array[float], *, packed: bool) -> object:
    return base64.b64encode(found.tobytes()).decode() if packed else found.tolist()


def serve_embeddings(emulator: Emulator, base_path: str, embedder: Embedder) -> None:
    """Add the route of *embedder* to *emulator*."""
    emulator.route("POST", f"{base_path}/embeddings")(embedder.answer)
