"""
A Qdrant server on loopback: collections, points, queries of vectors, and filters.

It keeps what it is given in memory and finds what is nearest for real, with the
embedded store of Qdrant's own client as its engine: all is compared with all. A
change is done when it is answered, whether it was waited for or not. There is no queue,
and there are no shards, snapshots, quantisation, groups, facets, batches of changes, changes
of single vectors, and models that make vectors: their paths are not found.

Paths, bodies and answers are those of Qdrant's published description
(https://github.com/qdrant/qdrant/blob/master/docs/redoc/master/openapi.json), statuses
and words of refusals those of its sources
(https://github.com/qdrant/qdrant/tree/master/src/actix), both read 2026-11-20:

| what is wrong | status | words |
|---|---|---|
| no key, another key | 401 | plain text |
| no such collection, no such point | 404 | `Not found: …` |
| there is one already | 409 | `Wrong input: …` |
| not JSON, not declared as JSON, another shape | 400 | `Format error in JSON body: …` |
| a number out of bounds | 422 | `Validation error in JSON body: …` |
| what does not fit the collection | 400 | `Wrong input: …` |

What follows `Format error in JSON body:` is this module's, since the server's is its
parser's. Fields that a body does not have are passed over, as the server does, and
refused deeper down, where it does so in filters alone.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import pydantic
from anymodal_emulator.app import Emulator, RefusedError, Reply, Request
from anymodal_emulator.exchange import phrase
from qdrant_client import models

from .bodies import body_of, either_of, invalid, path_part, wants, wrong
from .engine import Engine, engine_of, plain, refusals

__all__ = ["app"]

VERSION: Final = version("qdrant-client")
"""As old as the client, which minds a difference."""
TIME: Final = 0.000042
"""How long everything takes."""
OPEN: Final = frozenset({"/", "/healthz", "/livez", "/readyz"})
"""Paths that need no key."""
SELECTOR: Final = pydantic.TypeAdapter[Any](models.PointsSelector)
INSERTION: Final = pydantic.TypeAdapter[Any](models.PointInsertOperations)

_WORDS: Final = {
    "no_key": "Must provide an API key or an Authorization bearer token",
    "bad_key": "Invalid API key or JWT",
}


def refuse(refused: RefusedError) -> Reply:
    """Return a refusal in the server's words."""
    if refused.kind in _WORDS:
        text = {"content-type": "text/plain; charset=utf-8"}
        return Reply(401, _WORDS[refused.kind].encode(), text)
    if refused.kind in {"no_path", "no_method"}:
        return Reply(404)
    if refused.kind == "media_type":
        return _error("Content type error", 400)
    if refused.kind == "not_json":
        return _error(f"Format error in JSON body: {refused.got}", 400)
    return _error(refused.got, refused.status)


def fail(status: int) -> Reply:
    """Return what the server says with a bare status."""
    return _error(phrase(status), status)


def admit(request: Request) -> None:
    """Let those in who have the key."""
    given = request.received.headers.get("api-key") or request.bearer
    if request.received.path in OPEN or not request.key:
        return
    if not given:
        raise RefusedError(kind="no_key")
    if given != request.key:
        raise RefusedError(kind="bad_key")


def _error(words: str, status: int) -> Reply:
    return Reply.json({"status": {"error": words}, "time": TIME}, status=status)


def _ok(result: object) -> Reply:
    return Reply.json({"result": result, "status": "ok", "time": TIME})


app = Emulator("qdrant", refuse=refuse, fail=fail, admit=admit)


def _place(request: Request) -> tuple[Engine, str]:
    """Return what is kept, and the collection that the path names."""
    engine = engine_of(request.memory)
    return engine, engine.real_name(path_part(request))


# -- the service --------------------------------------------------------------------------


@app.route("GET", "/")
def root(_: Request) -> Reply:
    """Say who it is."""
    return Reply.json({"title": "qdrant - vector search engine", "version": VERSION})


@app.route("GET", "/healthz")
@app.route("GET", "/livez")
def alive(request: Request) -> Reply:
    """Say that it lives."""
    word = request.received.path.removeprefix("/")
    return Reply(200, f"{word} check passed".encode(), {"content-type": "text/plain"})


@app.route("GET", "/readyz")
def ready(_: Request) -> Reply:
    """Say that it is ready."""
    return Reply(200, b"all shards are ready", {"content-type": "text/plain"})


# -- points -------------------------------------------------------------------------------


@app.route("POST", "/collections/{name}/points/query/batch")
def query_batch(request: Request) -> Reply:
    """Answer several queries."""
    engine, name = _place(request)
    asked = body_of(request, models.QueryRequestBatch).searches
    return _ok([{"points": engine.query(name, one)} for one in asked])


@app.route("POST", "/collections/{name}/points/query")
def query(request: Request) -> Reply:
    """Answer a query."""
    engine, name = _place(request)
    return _ok({"points": engine.query(name, body_of(request, models.QueryRequest))})


@app.route("POST", "/collections/{name}/points/scroll")
def scroll(request: Request) -> Reply:
    """Go through all points, page by page."""
    engine, name = _place(request)
    body = body_of(request, models.ScrollRequest)
    limit = 10 if body.limit is None else body.limit
    if limit < 1:
        raise invalid(field="limit", value=limit, need="1 or larger")
    with refusals():
        found, following = engine.store.scroll(
            name,
            scroll_filter=body.filter,
            limit=limit,
            order_by=body.order_by,
            offset=body.offset,
            with_payload=True if body.with_payload is None else body.with_payload,
            with_vectors=body.with_vector or False,
        )
    return _ok({"points": [plain(one) for one in found], "next_page_offset": following})


@app.route("POST", "/collections/{name}/points/count")
def count(request: Request) -> Reply:
    """Count points."""
    engine, name = _place(request)
    wanted = body_of(request, models.CountRequest).filter
    with refusals():
        return _ok({"count": int(engine.store.count(name, count_filter=wanted).count)})


@app.route("POST", "/collections/{name}/points/delete")
def delete(request: Request) -> Reply:
    """Take points out."""
    engine, name = _place(request)
    gone = either_of(request, SELECTOR)
    with refusals():
        engine.store.delete(name, points_selector=gone)
    return _ok(engine.done(name, waited=wants(request, "wait")))


@app.route("POST", "/collections/{name}/points/payload/delete")
def delete_payload(request: Request) -> Reply:
    """Take parts of payloads away."""
    engine, name = _place(request)
    body = body_of(request, models.DeletePayload)
    whose: Any = body.points if body.points is not None else body.filter
    with refusals():
        engine.store.delete_payload(name, keys=body.keys, points=_some(whose))
    return _ok(engine.done(name, waited=wants(request, "wait")))


@app.route("POST", "/collections/{name}/points/payload/clear")
def clear_payload(request: Request) -> Reply:
    """Take payloads away."""
    engine, name = _place(request)
    whose = either_of(request, SELECTOR)
    with refusals():
        engine.store.clear_payload(name, points_selector=whose)
    return _ok(engine.done(name, waited=wants(request, "wait")))


@app.route("POST", "/collections/{name}/points/payload")
@app.route("PUT", "/collections/{name}/points/payload")
def set_payload(request: Request) -> Reply:
    """Add to payloads, or put others in their place."""
    engine, name = _place(request)
    body = body_of(request, models.SetPayload)
    whose: Any = body.points if body.points is not None else body.filter
    with refusals():
        if request.received.method == "PUT":
            engine.store.overwrite_payload(name, payload=body.payload, points=_some(whose))
        else:
            engine.store.set_payload(name, payload=body.payload, points=_some(whose), key=body.key)
    return _ok(engine.done(name, waited=wants(request, "wait")))


def _some(whose: Any) -> Any:
    if whose is None:
        raise RefusedError(kind="not_json", got="No filter or points provided")
    return whose


@app.route("GET", "/collections/{name}/points/{id}")
def point(request: Request) -> Reply:
    """Return one point."""
    engine, name = _place(request)
    text = path_part(request, "id")
    with refusals():
        found = engine.store.retrieve(
            name, [int(text) if text.isdigit() else text], with_vectors=True
        )
    if not found:
        raise wrong(words=f"Not found: Point with id {text} does not exists!", status=404)
    return _ok(plain(found[0]))


@app.route("POST", "/collections/{name}/points")
def points(request: Request) -> Reply:
    """Return points by their ids."""
    engine, name = _place(request)
    body = body_of(request, models.PointRequest)
    with refusals():
        found = engine.store.retrieve(
            name,
            body.ids,
            with_payload=True if body.with_payload is None else body.with_payload,
            with_vectors=body.with_vector or False,
        )
    return _ok([plain(one) for one in found])


@app.route("PUT", "/collections/{name}/points")
def upsert(request: Request) -> Reply:
    """Keep points."""
    engine, name = _place(request)
    body = either_of(request, INSERTION)
    given = body.batch if isinstance(body, models.PointsBatch) else body.points
    with refusals():
        engine.store.upsert(
            name, given, update_filter=body.update_filter, update_mode=body.update_mode
        )
    return _ok(engine.done(name, waited=wants(request, "wait")))


# -- collections --------------------------------------------------------------------------


@app.route("PUT", "/collections/{name}/index")
def index(request: Request) -> Reply:
    """Make an index of a field of payloads."""
    engine, name = _place(request)
    body = body_of(request, models.CreateFieldIndex)
    if body.field_schema is None:
        raise wrong(
            words="Wrong input: Can't auto-detect field type, please specify `field_schema`"
        )
    engine.index(name, body.field_name, body.field_schema)
    return _ok(engine.done(name, waited=wants(request, "wait")))


@app.route("DELETE", "/collections/{name}/index/{field}")
def unindex(request: Request) -> Reply:
    """Take an index away."""
    engine, name = _place(request)
    engine.unindex(name, path_part(request, "field"))
    return _ok(engine.done(name, waited=wants(request, "wait")))


@app.route("GET", "/collections/{name}/exists")
def exists(request: Request) -> Reply:
    """Say whether there is a collection, or an alias, of that name."""
    engine = engine_of(request.memory)
    return _ok({"exists": engine.store.collection_exists(path_part(request))})


@app.route("GET", "/collections/{name}/aliases")
def aliases_of(request: Request) -> Reply:
    """List the other names of a collection."""
    engine, name = _place(request)
    return _ok(engine.store.get_collection_aliases(name).model_dump(mode="json"))


@app.route("POST", "/collections/aliases")
def change_aliases(request: Request) -> Reply:
    """Give collections other names, or take them back."""
    engine = engine_of(request.memory)
    body = body_of(request, models.ChangeAliasesOperation)
    for action in body.actions:
        if isinstance(action, models.CreateAliasOperation):
            engine.real_name(action.create_alias.collection_name)
    with refusals():
        engine.store.update_collection_aliases(body.actions)
    return _ok(True)  # noqa: FBT003  # what the server says


@app.route("GET", "/aliases")
def aliases(request: Request) -> Reply:
    """List all other names."""
    return _ok(engine_of(request.memory).store.get_aliases().model_dump(mode="json"))


@app.route("GET", "/collections")
def collections(request: Request) -> Reply:
    """List collections."""
    return _ok(engine_of(request.memory).store.get_collections().model_dump(mode="json"))


@app.route("GET", "/collections/{name}")
def collection(request: Request) -> Reply:
    """Return what a collection is made of."""
    engine, name = _place(request)
    return _ok(engine.info(name))


@app.route("PUT", "/collections/{name}")
def create(request: Request) -> Reply:
    """Make a collection."""
    name = path_part(request)
    body = body_of(request, models.CreateCollection)
    return _ok(engine_of(request.memory).create(name, body))


@app.route("DELETE", "/collections/{name}")
def drop(request: Request) -> Reply:
    """Take a collection away, if there is one."""
    return _ok(engine_of(request.memory).drop(path_part(request)))
