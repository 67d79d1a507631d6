"""
Qdrant, by its own client, in threads.

The client's async twin runs on asyncio alone, and its embedded store would hold up
the event loop while it counts; the plain one in threads does neither.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio.to_thread
import portalocker
from anymodal import Connection
from anymodal import errors as e
from anymodal.failures import status_error, transport_errors
from anymodal.modalities.documents import Collection
from anymodal.modalities.fusion import CONSTANT
from anymodal.modalities.retrieval import (
    CollectionsRequest,
    CountRequest,
    CreateRequest,
    DeleteRequest,
    DropRequest,
    QueryRequest,
    QueryResult,
    UpsertRequest,
)
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from .conditions import filter_of
from .points import (
    DENSE,
    SPARSE,
    dense_params,
    hit_of,
    point_id,
    point_of,
    sparse_params,
    thin,
)

__all__ = ["QdrantStore"]

T = TypeVar("T")

MEMORY: Final = ":memory:"
KEPT: Final = "anymodal"
"""Where a collection's metadata has what we remember of it."""
RRF: Final = models.RrfQuery(rrf=models.Rrf(k=CONSTANT + 1))
"""Its places begin at 0, ours at 1. Source: qdrant_client/hybrid/fusion.py 1.20, read 2026-11-20."""


class QdrantStore:
    """Collections in one Qdrant: a folder, the memory of this process, or a server."""

    def __init__(self, connection: Connection) -> None:
        path = connection.settings.get("path")
        name = connection.instance
        if not isinstance(path, str | None):
            msg = f"{name}.path: a folder's name or {MEMORY!r} is needed, not {path!r}."
            raise e.ConfigurationError(msg)
        if bool(path) == bool(connection.base_url):
            what = "which of the two" if path else "where"
            msg = (
                f"{name} needs to know {what} its collections are: set path, a folder or "
                f"{MEMORY!r}, or base_url, a server, in [providers.{name}] or [instances.{name}]."
            )
            raise e.ConfigurationError(msg)
        self._connection = connection
        self._path = path
        self._client: QdrantClient | None = None
        self._guard = threading.Lock()

    # -- what it does ---------------------------------------------------------------------

    async def collections(self, request: CollectionsRequest, /) -> Sequence[Collection]:
        """Return those that have our metadata."""
        return await self._run(_collections, request.name)

    async def create(self, request: CreateRequest, /) -> None:
        """Make a collection, with what we remember of it as its metadata."""
        made = request.collection
        await self._run(
            lambda client: client.create_collection(
                made.name,
                vectors_config=dense_params(made),
                sparse_vectors_config=sparse_params(made) or None,
                metadata={KEPT: made.to_dict()},
            )
        )

    async def drop(self, request: DropRequest, /) -> bool:
        """Take a collection away."""
        return await self._run(lambda client: client.delete_collection(request.name))

    async def upsert(self, request: UpsertRequest, /) -> None:
        """Keep documents; they are there when it returns."""
        points = [point_of(document) for document in request.documents]
        await self._run(
            lambda client: client.upsert(request.collection.name, points=points, wait=True),
            within=request.collection,
        )

    async def query(self, request: QueryRequest, /) -> QueryResult:
        """Return the nearest; a server from 1.16 puts both kinds of vectors together itself."""
        found = await self._run(_query, request, within=request.collection)
        try:
            hits = tuple(hit_of(point) for point in found.points)
        except KeyError:
            msg = f"{self._connection.instance}: {request.collection.name} has points of others in it."
            raise e.MalformedReplyError(msg, provider=self._connection.provider) from None
        return QueryResult(hits=hits, raw=found.model_dump(mode="json") if request.raw else None)

    async def delete(self, request: DeleteRequest, /) -> None:
        """Take documents out; Qdrant does not say how many there were."""
        gone: models.PointIdsList | models.FilterSelector
        if request.ids:
            gone = models.PointIdsList(points=[point_id(one) for one in request.ids])
        else:
            gone = models.FilterSelector(filter=filter_of(request.filter) or models.Filter())
        await self._run(
            lambda client: client.delete(request.collection.name, points_selector=gone, wait=True),
            within=request.collection,
        )

    async def count(self, request: CountRequest, /) -> int:
        """Count documents, exactly."""
        wanted = filter_of(request.filter)
        name = request.collection.name
        return await self._run(
            lambda client: int(client.count(name, count_filter=wanted, exact=True).count),
            within=request.collection,
        )

    async def aclose(self) -> None:
        """Close the client, and let go of the folder."""
        await anyio.to_thread.run_sync(self._close)

    def _close(self) -> None:
        with self._guard:  # a request whose caller was cancelled may still be at work
            if self._client is not None:
                self._client.close()
                self._client = None

    # -- how ------------------------------------------------------------------------------

    async def _run(
        self, work: Callable[..., T], *given: object, within: Collection | None = None
    ) -> T:
        key = await self._connection.secret()
        doing = partial(self._done, work, given, key, within)
        return await anyio.to_thread.run_sync(doing, abandon_on_cancel=True)

    def _done(
        self,
        work: Callable[..., T],
        given: tuple[object, ...],
        key: str | None,
        within: Collection | None,
    ) -> T:
        with self._errors():
            if self._path:
                with self._guard:  # the embedded store is not made for several threads
                    return self._done_here(self._opened(key), work, given, within)
            with self._guard:
                client = self._opened(key)
            return work(client, *given)

    def _done_here(
        self,
        client: QdrantClient,
        work: Callable[..., T],
        given: tuple[object, ...],
        within: Collection | None,
    ) -> T:
        """Do it in the embedded store, whose errors do not tell that a collection is gone."""
        try:
            return work(client, *given)
        except ValueError:
            if within is None or client.collection_exists(within.name):
                raise
            msg = f"{self._connection.instance}: the collection {within.name!r} is gone."
            raise e.NotFoundError(msg, provider=self._connection.provider) from None

    def _opened(self, key: str | None) -> QdrantClient:
        if self._client is None:
            self._client = self._embedded() if self._path else self._remote(key)
        return self._client

    def _embedded(self) -> QdrantClient:
        if self._path == MEMORY:
            return QdrantClient(MEMORY, force_disable_check_same_thread=True)
        folder = Path(self._path or "").expanduser()
        try:
            _check_free(folder)  # before the client does, which would leave the lock's file open
            return QdrantClient(path=str(folder), force_disable_check_same_thread=True)
        except (portalocker.LockException, RuntimeError) as error:
            if not isinstance(error.__context__ or error, portalocker.LockException | OSError):
                raise
            msg = (
                f"{self._connection.instance}: {folder} is open elsewhere: one client of one process "
                "may use a folder. Close that one, or run a server and set base_url."
            )
            raise e.ConfigurationError(msg) from None

    def _remote(self, key: str | None) -> QdrantClient:
        """Open no connection yet; its own check of versions, which would, is off."""
        connection = self._connection
        url, seconds = connection.base_url, connection.deadlines.first
        more: dict[str, Any] = {}
        if url.startswith("https"):
            more["verify"] = connection.ssl_context
        if connection.proxy is not None:
            more |= {"proxy": connection.proxy} if connection.proxy else {"trust_env": False}
        return QdrantClient(
            url=url,
            timeout=None if seconds is None else math.ceil(seconds),
            check_compatibility=False,
            # as a header, since as `api_key` it warns of servers without TLS on this machine
            headers={"api-key": key} if key else None,
            **more,
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate what the client raises: a server's refusals, and the embedded store's."""
        connection = self._connection
        name, provider = connection.instance, connection.provider
        try:
            yield
        except e.AnymodalError:
            raise
        except UnexpectedResponse as error:
            headers = {key.lower(): value for key, value in error.headers.items()}
            status, words = error.status_code or 0, _words(error.content)
            raise status_error(provider, status, headers, words, scrub=connection.scrub) from None
        except ResourceExhaustedResponse as error:
            headers, words = {"retry-after": str(error.retry_after_s)}, str(error.message).encode()
            raise status_error(provider, 429, headers, words, scrub=connection.scrub) from None
        except ResponseHandlingException as error:
            found = error.source
            if isinstance(found, ValueError):  # what pydantic and json raise
                raise self._refusal(found) from None
            with transport_errors(name):
                raise found from found.__cause__
        except (ValueError, AssertionError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> e.VendorError:
        """Return what the client's own checks mean; an answer out of all shape ends there, too."""
        name, provider = self._connection.instance, self._connection.provider
        if not self._path:
            msg = f"{name}: the answer cannot be read ({type(error).__name__})"
            return e.MalformedReplyError(msg, provider=provider)
        return e.BadRequestError(f"{name}: {error}", provider=provider)


def _words(content: bytes) -> bytes:
    """
    Return what a refusal says.

    Source: https://api.qdrant.tech/api-reference, read 2026-11-20: it stands in `status.error`.
    """
    try:
        return str(json.loads(content)["status"]["error"]).encode()
    except (LookupError, RecursionError, TypeError, ValueError):
        return content


def _check_free(folder: Path) -> None:
    """
    See that no other client has *folder*.

    Raises:
        LockException: One has.
    """
    lock = folder / ".lock"
    if lock.exists():
        with lock.open("r+") as file:
            portalocker.lock(
                file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
            )
            portalocker.unlock(file)


def _collections(client: QdrantClient, name: str | None) -> list[Collection]:
    if name is None:
        names = [one.name for one in client.get_collections().collections]
    else:
        names = [name] if client.collection_exists(name) else []
    found: list[Collection] = []
    for one in names:
        kept = (client.get_collection(one).config.metadata or {}).get(KEPT)
        if isinstance(kept, dict):
            found.append(Collection.from_dict({**kept, "name": one}))
    return found


def _query(client: QdrantClient, request: QueryRequest) -> models.QueryResponse:
    wanted = filter_of(request.filter)
    thick = None if request.dense is None else request.dense.tolist()
    sparse = None if request.sparse is None else thin(request.sparse)
    if request.mode != "hybrid":
        return client.query_points(
            request.collection.name,
            query=thick if request.mode == "dense" else sparse,
            using=DENSE if request.mode == "dense" else SPARSE,
            query_filter=wanted,
            limit=request.limit,
            with_payload=True,
        )
    return client.query_points(
        request.collection.name,
        prefetch=[
            models.Prefetch(query=thick, using=DENSE, filter=wanted, limit=request.depth),
            models.Prefetch(query=sparse, using=SPARSE, filter=wanted, limit=request.depth),
        ],
        query=RRF,
        limit=request.limit,
        with_payload=True,
    )
