"""A store, which keeps everything as long as its server runs."""

from __future__ import annotations

import math
from typing import Any, cast

from anymodal_emulator.app import Memory, RefusedError, Reply, Request
from anymodal_emulator.checking import Field

from .app import app, asked

NUMBERS = Field("array", required=True, items=Field("number"))
DOCUMENT = {
    "id": Field("string", required=True),
    "text": Field("string|null"),
    "vector": NUMBERS,
    "payload": Field("object"),
}
DOCUMENTS = {"documents": Field("array", required=True, items=Field("object", fields=DOCUMENT))}
WHERE = {"where": Field("object|null")}
QUERY = {**WHERE, "vector": NUMBERS, "limit": Field("integer", least=1)}
DELETE = {**WHERE, "ids": Field("array", items=Field("string"))}


def kept(memory: Memory) -> dict[str, dict[str, Any]]:
    """Return the collections of a server."""
    return cast("dict[str, dict[str, Any]]", memory.kept.setdefault("collections", {}))


def collection(request: Request) -> dict[str, Any]:
    """Return the collection that a path names."""
    found = kept(request.memory).get(request.args["name"])
    if found is None:
        raise RefusedError(kind="no_path", got=request.args["name"])
    return found


def said(request: Request, **more: object) -> Reply:
    """Return an answer."""
    return Reply.json({"id": request.memory.id("r-"), **more})


@app.route("GET", "/v1/collections")
def collections(request: Request) -> Reply:
    """List the collections."""
    return said(request, collections=[one["about"] for one in kept(request.memory).values()])


@app.route("POST", "/v1/collections")
def create(request: Request) -> Reply:
    """Make a collection."""
    about = request.json()
    name = str(about.get("name"))
    if name in kept(request.memory):
        raise RefusedError(kind="value", param="name", got=name, need="a new name", status=409)
    kept(request.memory)[name] = {"about": about, "documents": {}}
    return said(request)


@app.route("POST", "/v1/collections/{name}/documents")
def upsert(request: Request) -> Reply:
    """Keep documents."""
    there = collection(request)
    for one in asked(request, DOCUMENTS)["documents"]:
        if len(one["vector"]) != there["about"]["dimensions"]:
            raise RefusedError(kind="value", param="vector", got=str(len(one["vector"])))
        there["documents"][one["id"]] = one
    return said(request)


@app.route("POST", "/v1/collections/{name}/query")
def query(request: Request) -> Reply:
    """Find what is near."""
    there, body = collection(request), asked(request, QUERY)
    is_cosine = there["about"]["distance"] == "cosine"
    found = [
        {**one, "score": nearness(one["vector"], body["vector"], is_cosine=is_cosine)}
        for one in there["documents"].values()
        if passes(one["payload"], body.get("where"))
    ]
    found.sort(key=lambda one: -one["score"])
    return said(request, hits=found[: body["limit"]])


@app.route("POST", "/v1/collections/{name}/delete")
def delete(request: Request) -> Reply:
    """Take documents out."""
    documents, body = collection(request)["documents"], asked(request, DELETE)
    gone = body.get("ids") or [
        key for key, one in documents.items() if passes(one["payload"], body.get("where"))
    ]
    return said(request, count=sum(documents.pop(one, None) is not None for one in gone))


@app.route("POST", "/v1/collections/{name}/count")
def count(request: Request) -> Reply:
    """Count documents."""
    documents, body = collection(request)["documents"], asked(request, WHERE)
    found = [one for one in documents.values() if passes(one["payload"], body["where"])]
    return said(request, count=len(found))


@app.route("DELETE", "/v1/collections/{name}")
def drop(request: Request) -> Reply:
    """Take a collection away."""
    collection(request)
    del kept(request.memory)[request.args["name"]]
    return said(request)


def nearness(one: list[float], other: list[float], *, is_cosine: bool) -> float:
    """Return how near two vectors are."""
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / (math.hypot(*one) * math.hypot(*other) or 1) if is_cosine else dot


def passes(payload: dict[str, Any], where: dict[str, Any] | None) -> bool:
    """Whether a filter lets a document through."""
    if where is None:
        return True
    if "all" in where:
        return all(passes(payload, one) for one in where["all"])
    if "any" in where:
        return any(passes(payload, one) for one in where["any"])
    if "not" in where:
        return not passes(payload, where["not"])
    value = payload.get(where["field"])
    values = value if isinstance(value, list) else [value]
    if "in" in where:
        return any(type(one) is type(own) and one == own for own in values for one in where["in"])
    return any(within(own, where) for own in values)


def within(value: object, bounds: dict[str, Any]) -> bool:
    """Whether a number lies within bounds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return bool(
        value > bounds.get("gt", -math.inf)
        and value >= bounds.get("gte", -math.inf)
        and value < bounds.get("lt", math.inf)
        and value <= bounds.get("lte", math.inf)
    )
