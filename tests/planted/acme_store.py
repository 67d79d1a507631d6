"""Acme's store, a good one: what is planted is a change of one thing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anymodal import errors as e
from anymodal import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anymodal import Connection, EmulatorSpec
    from anymodal.modalities.documents import Collection
    from anymodal.modalities.filters import Filter
    from anymodal.modalities.retrieval import (
        CollectionsRequest,
        CountRequest,
        CreateRequest,
        DeleteRequest,
        DropRequest,
        QueryRequest,
        QueryResult,
        RetrievalProviderSpec,
        UpsertRequest,
    )

PAGE = "https://acme.example/store"
KEY = "sk-acme-0123456789abcdef"


class AcmeStore:
    """A store that is asked by one path for each operation."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def call(self, operation: str, **body: Any) -> tuple[dict[str, Any], str | None]:
        """Return the answer, with the vendor's id of the request."""
        from anymodal.http import parse_json, read

        name = self.connection.provider
        headers = {"authorization": f"Bearer {await self.connection.required()}"}
        reply = await self.connection.http.send("POST", f"/{operation}", body=body, headers=headers)
        found = parse_json(await read(reply, name), name)
        if not isinstance(found, dict):
            msg = f"{name}: no object"
            raise e.MalformedReplyError(msg, provider=name)
        return found, reply.headers.get("x-request-id")

    async def collections(self, request: CollectionsRequest) -> Sequence[Collection]:
        from anymodal.modalities.documents import Collection

        found, _ = await self.call("collections", name=request.name)
        return [Collection.from_dict(one) for one in found["collections"]]

    async def create(self, request: CreateRequest) -> None:
        await self.call("create", collection=request.collection.to_dict())

    async def drop(self, request: DropRequest) -> bool:
        found, _ = await self.call("drop", name=request.name)
        return found["dropped"]

    async def upsert(self, request: UpsertRequest) -> None:
        documents = [self.packed(one) for one in request.documents]
        await self.call("upsert", name=request.collection.name, documents=documents)

    async def query(self, request: QueryRequest) -> QueryResult:
        from anymodal.modalities.retrieval import Hit, QueryResult

        thick = request.dense if request.mode != "sparse" else None
        thin = request.sparse if request.mode != "dense" else None
        found, named = await self.call(
            "query",
            name=request.collection.name,
            dense=None if thick is None else thick.tolist(),
            sparse=None if thin is None else thin.to_dict(),
            filter=self.filter(request.filter),
            limit=request.limit,
        )
        return QueryResult(hits=tuple(Hit(**one) for one in found["hits"]), request_id=named)

    async def delete(self, request: DeleteRequest) -> int | None:
        found, _ = await self.call(
            "delete",
            name=request.collection.name,
            ids=list(request.ids),
            filter=self.filter(request.filter),
        )
        return found["count"]

    async def count(self, request: CountRequest) -> int:
        found, _ = await self.call(
            "count", name=request.collection.name, filter=self.filter(request.filter)
        )
        return found["count"]

    def packed(self, document):
        return {
            "id": document.id,
            "text": document.text,
            "payload": dict(document.payload),
            "dense": None if document.vector is None else document.vector.tolist(),
            "sparse": None if document.sparse is None else document.sparse.to_dict(),
        }

    def filter(self, given: Filter | None) -> list[Any] | None:
        """Return a filter as it goes over the wire."""
        return None if given is None else said(given)


def said(given: Filter) -> list[Any]:
    """Return the name of a filter's class and what it has."""
    import attrs
    from anymodal.modalities.filters import Filter

    def plain(value):
        if isinstance(value, Filter):
            return said(value)
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    fields = (field.name for field in attrs.fields(type(given)))
    return [type(given).__name__, {name: plain(getattr(given, name)) for name in fields}]


def spec(
    connect: Callable[[Connection], object] = AcmeStore, **changes: object
) -> RetrievalProviderSpec:
    """Return the spec of Acme, changed."""
    from anymodal import Capabilities, Credential
    from anymodal.modalities.retrieval import RetrievalProviderSpec

    fields = {
        "id": "acme",
        "display_name": "Acme",
        "docs": PAGE,
        "base_url": "https://store.acme.example/v1",
        "credentials": [Credential(env=["ACME_API_KEY"])],
        "capabilities": Capabilities(yes={"dense", "sparse"}),
        "connect": connect,
    }
    return RetrievalProviderSpec(**{**fields, **changes})


class Plugin:
    """The hooks, as a module would have them."""

    def __init__(self, made: Callable[[], RetrievalProviderSpec] = spec) -> None:
        self.made = made

    @hookimpl
    def anymodal_retrieval_providers(self) -> list[RetrievalProviderSpec]:
        return [self.made()]

    @hookimpl
    def anymodal_emulators(self) -> list[EmulatorSpec]:
        from anymodal import EmulatorSpec

        app = "acme_store_emulator:app"
        return [EmulatorSpec(provider=self.made().id, app=app, key=KEY, base_path="/v1")]
