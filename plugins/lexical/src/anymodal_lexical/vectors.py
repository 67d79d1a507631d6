"""
BM25 as sparse vectors.

The score of BM25 is a sum over the words of a query: how much a word weighs in the
document, times how rare it is in the collection (IDF). A document's vector has the
weights, a query's has 1.0 for each word, and their dot product is the score but for
the rarity. That is left to the store, which alone knows the collection: Qdrant's
vectors with the modifier `idf` are multiplied with it at every query.
"""

from __future__ import annotations

import threading
from typing import Final

import anyio.to_thread
from anymodal.errors import UnknownModelError
from anymodal.modalities.embedding import EmbeddingRequest, EmbeddingResult, SparseVector
from anymodal.usage import Usage

from .models import ANY, LANGUAGES
from .options import LexicalEmbedding
from .words import Lexicon, lexicon_of

__all__ = ["LexicalVectors"]

USUAL: Final = LexicalEmbedding()
SHORT: Final = 20_000
"""Letters that are weighed in the event loop, within a millisecond or two; more go to a thread."""

Key = tuple[str, bool, bool]


class LexicalVectors:
    """Sparse vectors of words. What it remembers are words, and nothing of any call."""

    def __init__(self) -> None:
        self._lexicons: dict[Key, Lexicon] = {}
        self._guard = threading.Lock()

    async def embed(self, request: EmbeddingRequest, /) -> EmbeddingResult:
        """
        Make a vector of each text: that of a document, unless the purpose is `query`.

        Raises:
            UnknownModelError: There is no stemmer for the language.
        """
        lexicon = self._lexicon(request)
        if sum(map(len, request.texts)) <= SHORT:
            return _weighed(lexicon, request)
        return await anyio.to_thread.run_sync(_weighed, lexicon, request, abandon_on_cancel=True)

    def _lexicon(self, request: EmbeddingRequest) -> Lexicon:
        option, name = request.option(LexicalEmbedding) or USUAL, request.model.id
        code = "" if name == ANY else name.removeprefix(f"{ANY}-")
        if code and (code == name or code not in LANGUAGES):
            known = ", ".join(LANGUAGES)
            msg = f"lexical has no model {name!r}. There is {ANY}, and {ANY}- with one of {known}."
            raise UnknownModelError(msg)
        key = (code, option.stemming, option.stopwords)
        with self._guard:
            found = self._lexicons.get(key)
            if found is None:
                found = self._lexicons[key] = lexicon_of(
                    code, stemming=option.stemming, stopwords=option.stopwords
                )
        return found


def _weighed(lexicon: Lexicon, request: EmbeddingRequest) -> EmbeddingResult:
    option = request.option(LexicalEmbedding) or USUAL
    most, even = option.k1 + 1, option.k1 * (1 - option.b)
    longer = option.k1 * option.b / option.average_words
    is_query, words = request.purpose == "query", 0
    found: list[SparseVector] = []
    for text in request.texts:
        counts = sorted(lexicon.counts(text).items())
        length = sum(times for _, times in counts)
        words += length
        if is_query:
            weights = [1.0] * len(counts)
        else:
            norm = even + longer * length
            weights = [times * most / (times + norm) for _, times in counts]
        found.append(SparseVector([index for index, _ in counts], weights))
    return EmbeddingResult(
        sparse=tuple(found),
        usage=Usage(input_tokens=words, output_tokens=0),
        model=request.model.id,
    )
