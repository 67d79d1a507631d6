"""Retrieval: `client.retrieval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..call import ModelChoice
from ..facade import Facade
from ..modalities import RETRIEVAL, Modality
from ..modalities.documents import Collection, Distance, Document, Mode
from ..modalities.embedding import DenseVector, SparseVector
from ..modalities.filters import Filter
from ..modalities.retrieval import QueryResult, RetrievalOption, RetrievalProvider, Tally
from ..policies import Policy
from ..specs import Deadlines
from .asking_retrieval import AskedCollection, AskedCreate, AskedDelete, AskedQuery, AskedUpsert
from .retrieving import BoundRetrieval, bind

if TYPE_CHECKING:
    from ..loops import KeptLoop
    from ..sync.retrieval import SyncRetrievalFacade

__all__ = ["RetrievalFacade"]


class RetrievalFacade(Facade[BoundRetrieval]):
    """Documents in, and out again those that are near a query."""

    modality: ClassVar[Modality[Any]] = RETRIEVAL

    async def create(
        self,
        collection: str,
        *,
        embedding: str | None = None,
        sparse: str | bool | None = None,
        dimensions: int | None = None,
        distance: Distance | None = None,
        idf: bool | None = None,
        exists_ok: bool = False,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> Collection:
        """
        Make a collection, which remembers the models of its vectors.

        Args:
            collection: Its name: letters, digits, `_`, `-` and `.`.
            embedding: The model of its dense vectors, such as `acme/embed-1`. It is asked
                for one vector where nothing says how many numbers it has.
            sparse: The model of its sparse vectors; True where they are brought along.
            dimensions: How many numbers its dense vectors have: asked of *embedding*,
                or those of vectors that are brought along.
            distance: What nearness of dense vectors is; `cosine` if not said.
            idf: Whether rare words of sparse vectors count more: as they do, if not
                said, and must for BM25. False for models that weigh words themselves.
            exists_ok: Whether one that is there is fine, if it is as asked for.
            model: The store: a provider or an instance, or several in order of
                preference; None for the default of the settings.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            What the collection is, with `embedding` and `sparse` as exact names.

        Raises:
            InvalidRequestError: It exists, or exists with other models; nothing is said of
                its vectors; or a model makes none of the kind.
            VendorError: The store, or the vendor of a model, refused or failed.
        """
        call = self.call("create", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedCreate(
            way=self._way, collection=collection, embedding=embedding, sparse=sparse,
            dimensions=dimensions, distance=distance, idf=idf, exists_ok=exists_ok, model=model,
            policy=policy, options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(lambda call: call.asked.create(call))

    async def upsert(
        self,
        collection: str,
        documents: Sequence[Document],
        *,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> Tally:
        """
        Keep documents, in the place of those with the same ids.

        Vectors that they lack are made of their texts, by the collection's models.

        Args:
            collection: Where.
            documents: Any number, each id once.
            model: The store; see `create`.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            How many, with `record`, and in `embedded` those of the models.

        Raises:
            InvalidRequestError: Nothing was sent; `index` is the place of the document.
            NotFoundError: There is no such collection.
            VendorError: The store, or the vendor of a model, refused or failed; some
                documents may be kept. The same again puts that right.
        """
        call = self.call("upsert", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedUpsert(
            way=self._way, collection=collection, documents=documents, model=model,
            policy=policy, options=options, end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(lambda call: call.asked.upsert(call))

    async def query(
        self,
        collection: str,
        query: str | DenseVector | Sequence[float] | SparseVector,
        *,
        sparse: SparseVector | None = None,
        mode: Mode | None = None,
        limit: int = 10,
        filter: Filter | None = None,  # noqa: A002  # the word for it
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
        end_user: str | None = None,
        strict: bool = False,
        raw: bool = False,
    ) -> QueryResult:
        """
        Return the documents that are nearest.

        Args:
            collection: Where.
            query: Words, of which the collection's models make vectors; or a vector.
            sparse: A sparse vector beside a dense one, for `hybrid`.
            mode: By `dense` vectors, by `sparse` ones, or by both: `hybrid`, which puts
                the two rankings together. If not said, by all that there is.
            limit: Most documents to return.
            filter: Which documents come into question: `Eq`, `In`, `Range`, and these put
                together by `&`, `|` and `~`.
            model: The store; see `create`.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures, limits and money, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.
            end_user: Opaque id of the person behind the call.
            strict: Whether a setting that cannot be honoured is an error.
            raw: Whether the vendor's own answer goes into the record.

        Returns:
            The hits, each with `id`, `score`, `text` and `payload`; `mode`, `record`, and
            in `embedded` the records of the models.

        Raises:
            InvalidRequestError: The collection has no vectors of the kind, or the
                query's are of another length.
            NotFoundError: There is no such collection.
            VendorError: The store, or the vendor of a model, refused or failed.
        """
        call = self.call("query", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedQuery(
            way=self._way, collection=collection, query=query, sparse=sparse, mode=mode,
            limit=limit, filter=filter, model=model, policy=policy, options=options,
            end_user=end_user, strict=strict, raw=raw,
        )  # fmt: skip
        return await call.through(lambda call: call.asked.find(call))

    async def delete(
        self,
        collection: str,
        ids: str | Sequence[str] = (),
        *,
        filter: Filter | None = None,  # noqa: A002  # the word for it
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Tally:
        """
        Take documents out: by their ids, or all that a filter lets through.

        Args:
            collection: Where.
            ids: Theirs; ones that are not there do no harm.
            filter: Instead of ids.
            model: The store; see `create`.
            timeout: Seconds in all, or `Deadlines`; None for the instance's.
            policy: What to do about failures and limits, over the client's.
            options: Options of single vendors; others ignore them.
            tags: The caller's own words, for the record.

        Returns:
            How many, where the store says so.

        Raises:
            InvalidRequestError: Neither is given, or both.
            NotFoundError: There is no such collection.
            VendorError: The store refused or failed.
        """
        call = self.call("delete", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedDelete(
            collection=collection, ids=ids, filter=filter, model=model, options=options
        )
        return await call.through(lambda call: call.asked.delete(call))

    async def count(
        self,
        collection: str,
        *,
        filter: Filter | None = None,  # noqa: A002  # the word for it
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Tally:
        """
        Count documents: all, or those that *filter* lets through. See `delete` for the rest.

        Raises:
            NotFoundError: There is no such collection.
            VendorError: The store refused or failed.
        """
        call = self.call("count", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedDelete(collection=collection, filter=filter, model=model, options=options)
        return await call.through(lambda call: call.asked.count(call))

    async def drop(
        self,
        collection: str,
        *,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Tally:
        """
        Take a collection away, with all that is in it. See `delete` for the arguments.

        Returns:
            1, or 0 where there was none.

        Raises:
            VendorError: The store refused or failed.
        """
        call = self.call("drop", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedCollection(collection=collection, model=model, options=options)
        return await call.through(lambda call: call.asked.drop(call))

    async def collections(
        self,
        *,
        model: ModelChoice = None,
        timeout: float | Deadlines | None = None,  # noqa: ASYNC109  # four deadlines, not one
        policy: Policy | None = None,
        options: Sequence[RetrievalOption] = (),
        tags: Mapping[str, str] | None = None,
    ) -> tuple[Collection, ...]:
        """
        Return the collections that were made through anymodal, by name. See `delete` for the arguments.

        Raises:
            VendorError: The store refused or failed.
        """
        call = self.call("collections", timeout=timeout, policy=policy, tags=tags)
        call.asked = AskedCollection(model=model, options=options)
        return await call.through(lambda call: call.asked.all(call))

    def sync_face(self, loop: KeptLoop) -> SyncRetrievalFacade:
        """Return the same without `await`."""
        from ..sync.retrieval import SyncRetrievalFacade  # noqa: PLC0415  # few programs need both

        return SyncRetrievalFacade(self, loop)

    def bind(self, provider: RetrievalProvider) -> BoundRetrieval:
        """Return *provider* with its methods to be awaited."""
        return bind(provider)
