"""
Embedding: `client.embedding`, without `await`.

Written by tools/make_sync.py, from facades/embedding.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..call import ModelChoice
from ..facades.embedding import EmbeddingFacade
from ..modalities.embedding import EmbeddingOption, EmbeddingResult, Purpose
from ..policies import Policy
from ..specs import Deadlines
from .face import Face

__all__ = ["SyncEmbeddingFacade"]


class SyncEmbeddingFacade(Face[EmbeddingFacade]):
    """Texts in, vectors out."""

    __slots__ = ()

    def embed(
        self,
        texts: str | Sequence[str],
        *,
        model: ModelChoice = None,
        purpose: Purpose | None = None,
        dimensions: int | None = None,
        timeout: float | Deadlines | None = None,
        policy: Policy | None = None,
        options: Sequence[EmbeddingOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> EmbeddingResult:
        """
        Make a vector of each text.

        More texts than the vendor takes at once go out in several requests, some of
        them at once, within one call with one record.

        Args:
            texts: One or several, none of them empty; any number.
            model: A name, several in order of preference, or None for the
                default of the settings. Vectors of different models cannot be
                compared, so name one where they are kept.
            purpose: `query` for what is looked for, `document` for what is searched.
                Models that do not tell them apart make the same of both.
            dimensions: How many numbers each vector is to have.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answers go into the record.

        Returns:
            The vectors in the order of the texts, with `dense` or `sparse`, `vectors`,
            `normalised`, `model` and `record`.

        Raises:
            RequestError: Nothing was sent. `index` is that of an empty text.
            ContextLengthError: A text is too long for the model; `index` is its place.
            VendorError: The vendor refused or failed; some of the texts may have
                been paid for.
            DeadlineExceededError: *timeout* went by.
        """
        inner = self._inner.embed(
            texts, model=model, purpose=purpose, dimensions=dimensions, timeout=timeout,
            policy=policy, options=options, tags=tags, end_user=end_user, strict=strict,
            raw=raw,
        )  # fmt: skip
        return self._loop.run(inner)
