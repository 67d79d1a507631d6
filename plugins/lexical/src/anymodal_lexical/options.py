"""How words are weighed."""

from __future__ import annotations

from typing import ClassVar

import attrs
from anymodal.errors import InvalidRequestError
from anymodal.modalities.embedding import EmbeddingOption

__all__ = ["LexicalEmbedding"]


@attrs.frozen(kw_only=True)
class LexicalEmbedding(EmbeddingOption):
    """
    Options of BM25. What is kept in one collection has to be made with the same.

    Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25
    and Beyond" (2009), section 3.4, for the usual values; read 2026-11-20.

    Args:
        k1: How much a word counts that comes again and again: from 0, where it
            counts once.
        b: How much it counts less in long texts: from 0, not at all, to 1.
        average_words: How long texts are on the whole, in words that are no stop
            words; only the store could know it, and a text that is as long as this
            is neither long nor short.
        stopwords: Whether words that are in every text are left out.
        stemming: Whether the endings of words are.
    """

    provider: ClassVar[str] = "lexical"

    k1: float = 1.2
    b: float = 0.75
    average_words: float = 256.0
    stopwords: bool = True
    stemming: bool = True

    def __attrs_post_init__(self) -> None:
        for name, fits, need in (
            ("k1", self.k1 >= 0, "a number from 0 up"),
            ("b", 0 <= self.b <= 1, "a number from 0 to 1"),
            ("average_words", self.average_words > 0, "a number above 0"),
        ):
            if not fits:
                msg = f"{name}: {need} is needed, not {getattr(self, name)!r}."
                raise InvalidRequestError(msg, field="options")
