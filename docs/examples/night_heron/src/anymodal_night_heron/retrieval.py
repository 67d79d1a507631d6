"""A store of documents: collections, and what is near a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from anymodal import errors
from anymodal.modalities.filters import And, Eq, Filter, In, Not, Or, Range
from anymodal.modalities.retrieval import (
    Collection,
    CollectionsRequest,
    CountRequest,
    CreateRequest,
    DeleteRequest,
    DropRequest,
    Hit,
    QueryRequest,
    QueryResult,
    UpsertRequest,
)

from .vendor import NightHeronVendor


class NightHeronStore(NightHeronVendor):
    """Keeps documents by their dense vectors."""

    async def collections(self, request: CollectionsRequest) -> Sequence[Collection]:
        """Return the collections, or the one of a name."""
        said = await self.ask("/collections", method="GET")
        found = [Collection.from_dict(one) for one in said["collections"]]
        return [one for one in found if request.name in (None, one.name)]

    async def create(self, request: CreateRequest) -> None:
        """Make a collection."""
        await self.ask("/collections", request.collection.to_dict())

    async def drop(self, request: DropRequest) -> bool:
        """Take a collection away; say whether there was one."""
        try:
            await self.ask(path(request.name), method="DELETE")
        except errors.NotFoundError:
            return False
        return True

    async def upsert(self, request: UpsertRequest) -> None:
        """Keep documents, in the place of those with the same ids."""
        documents = [
            {
                "id": one.id,
                "text": one.text,
                "vector": list(one.vector or ()),
                "payload": dict(one.payload),
            }
            for one in request.documents
        ]
        await self.ask(path(request.collection.name, "/documents"), {"documents": documents})

    async def query(self, request: QueryRequest) -> QueryResult:
        """Return the nearest documents, the nearest first."""
        body = {
            "vector": list(request.dense or ()),
            "limit": request.limit,
            "where": where(request.filter),
        }
        said = await self.ask(path(request.collection.name, "/query"), body)
        hits = tuple(
            Hit(id=one["id"], score=one["score"], text=one["text"], payload=one["payload"])
            for one in said["hits"]
        )
        return QueryResult(hits=hits, request_id=said["id"])

    async def delete(self, request: DeleteRequest) -> int:
        """Take documents out, by their ids or by a filter."""
        body = {"ids": request.ids} if request.ids else {"where": where(request.filter)}
        said = await self.ask(path(request.collection.name, "/delete"), body)
        return int(said["count"])

    async def count(self, request: CountRequest) -> int:
        """Return how many documents there are."""
        body = {"where": where(request.filter)}
        said = await self.ask(path(request.collection.name, "/count"), body)
        return int(said["count"])


def path(name: str, then: str = "") -> str:
    """Return where a collection is."""
    return f"/collections/{quote(name, safe='')}{then}"


def where(filter: Filter | None) -> Any:  # noqa: A002  # as in requests
    """Return a filter as Night Heron writes it."""
    match filter:
        case None:
            return None
        case Eq(field, value):
            return {"field": field, "in": [value]}
        case In(field, values):
            return {"field": field, "in": list(values)}
        case Range(field):
            bounds = {name: getattr(filter, name) for name in ("gt", "gte", "lt", "lte")}
            return {
                "field": field,
                **{name: one for name, one in bounds.items() if one is not None},
            }
        case And(parts):
            return {"all": [where(one) for one in parts]}
        case Or(parts):
            return {"any": [where(one) for one in parts]}
        case Not(part):
            return {"not": where(part)}
    raise errors.InvalidRequestError("There is no such filter.", field="filter")
