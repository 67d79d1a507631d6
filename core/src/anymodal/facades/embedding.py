"""Embedding: `client.embedding`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .. import errors as e
from ..call import Call, ModelChoice
from ..facade import Facade
from ..modalities import EMBEDDING, Modality
from ..modalities.embedding import (
    EmbeddingOption,
    EmbeddingProvider,
    EmbeddingRequest,
    EmbeddingResult,
    Purpose,
)
from ..policies import Policy
from ..specs import Deadlines
from ..usage import Usage
from ..vendor_options import with_default
from .awaiting import awaited
from .embedding_parts import Parts, tokens_of

if TYPE_CHECKING:
    from ..loops import KeptLoop
    from ..resolution import Row
    from ..sync.embedding import SyncEmbeddingFacade

__all__ = ["AskedEmbedding", "BoundEmbedding", "EmbeddingFacade"]


@attrs.frozen
class BoundEmbedding:
    """
    A provider of vectors, its method to be awaited.

    Attributes:
        embed: Makes a vector of each text.
    """

    embed: Callable[[EmbeddingRequest], Awaitable[EmbeddingResult]]


@attrs.frozen(kw_only=True)
class AskedEmbedding:
    """
    What a caller asks for, as it was given.

    The attributes are the arguments of `EmbeddingFacade.embed`.
    """

    texts: str | Sequence[str]
    model: ModelChoice = None
    purpose: Purpose | None = None
    dimensions: int | None = None
    options: Sequence[EmbeddingOption] = ()
    end_user: str | None = None
    strict: bool = False
    raw: bool = False

    def request(self, call: Call, row: Row) -> EmbeddingRequest:
        """
        Return the request for the candidate *row*.

        Raises:
            InvalidRequestError: Something in it no provider could serve.
        """
        return EmbeddingRequest(
            model=row.model,
            texts=(self.texts,) if isinstance(self.texts, str) else tuple(self.texts),
            purpose=self.purpose,
            dimensions=self.dimensions,
            options=with_default(row.offer.vendor_option, self.options, EmbeddingOption),
            end_user=self.end_user,
            deadlines=call.deadlines,
            strict=self.strict,
            raw=self.raw,
            warnings=call.record.warnings,
        )


class EmbeddingFacade(Facade[BoundEmbedding]):
    """Texts in, vectors out."""

    modality: ClassVar[Modality[Any]] = EMBEDDING

    async def embed(
        self,
        texts: str | Sequence[str],
        *,
        model: ModelChoice = None,
        purpose: Purpose | None = None,
        dimensions: int | None = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
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
        call = self.call("embed", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedEmbedding(
            texts=texts, model=model, purpose=purpose, dimensions=dimensions, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(_ask)

    def sync_face(self, loop: KeptLoop) -> SyncEmbeddingFacade:
        """Return the same without `await`."""
        from ..sync.embedding import SyncEmbeddingFacade  # noqa: PLC0415  # few programs need both

        return SyncEmbeddingFacade(self, loop)

    def bind(self, provider: EmbeddingProvider) -> BoundEmbedding:
        """Return *provider* with its method to be awaited."""
        return bind(provider)


def bind(provider: EmbeddingProvider) -> BoundEmbedding:
    """
    Return *provider* with its method to be awaited.

    Raises:
        BrokenPluginError: It does not embed.
    """
    embed = getattr(provider, "embed", None)
    if embed is None:
        msg = f"{type(provider).__name__} has no embed()."
        raise e.BrokenPluginError(msg)
    return BoundEmbedding(awaited(embed))


async def _ask(call: Call) -> EmbeddingResult:
    asked: AskedEmbedding = call.asked
    found = await call.run(
        asked.model,
        partial(asked.request, call),
        Parts(call).attempt,
        bind=bind,
        needs_of=_needs_of,
        weigh=_weight_of,
    )
    call.account(found.usage, found.request_id)
    call.record.raw = found.raw
    await call.settle()
    return attrs.evolve(found, record=call.record)


def _needs_of(request: EmbeddingRequest) -> list[str]:
    return [] if request.dimensions is None else ["dimensions"]


def _weight_of(request: EmbeddingRequest) -> Usage:
    return Usage(sum(map(tokens_of, request.texts)), 0)
