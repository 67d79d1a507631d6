"""Acme on loopback, as a store: it keeps all in memory and compares all with all."""

from __future__ import annotations

import math

from anymodal.modalities import filters
from anymodal_emulator.app import Emulator, RefusedError, Reply
from anymodal_emulator.exchange import phrase

__all__ = ["app"]


def refuse(refused):
    return Reply.json({"error": {"message": refused.got or refused.kind}}, status=refused.status)


def fail(status):
    return Reply.json({"error": {"message": phrase(status)}}, status=status)


def admit(request):
    if request.bearer != request.key:
        raise RefusedError(kind="bad_key" if request.bearer else "no_key", status=401)


app = Emulator(
    "acme",
    refuse=refuse,
    fail=fail,
    admit=admit,
    headers=lambda request: {"x-request-id": request.memory.id("req_")},
)


def operation(handler):
    """Let *handler* answer at the path of its name, with the body and all collections."""

    def answer(request):
        return Reply.json(handler(request.json(), request.memory.kept))

    app.route("POST", f"/v1/{handler.__name__}")(answer)
    return handler


def of(body, kept):
    """Return the documents of the collection that is meant."""
    return entry(body, kept)["documents"]


def entry(body, kept):
    if body["name"] not in kept:
        raise RefusedError(kind="other", got=f"no collection {body['name']}", status=404)
    return kept[body["name"]]


def chosen(body, kept):
    """Return the documents that the filter lets through."""
    wanted = read(body["filter"]) if body.get("filter") else None
    return [
        one for one in of(body, kept).values() if wanted is None or wanted.matches(one["payload"])
    ]


def read(found):
    name, fields = found
    kind = getattr(filters, name)
    if name in {"And", "Or"}:
        return kind(*map(read, fields["parts"]))
    if name == "Not":
        return kind(read(fields["part"]))
    if name == "Range":
        field = fields.pop("field")
        return kind(field, **fields)
    return kind(**fields)


@operation
def collections(body, kept):
    return {
        "collections": [one["made"] for name, one in kept.items() if body["name"] in {None, name}]
    }


@operation
def create(body, kept):
    name = body["collection"]["name"]
    if name in kept:
        raise RefusedError(kind="other", got=f"there is a collection {name}", status=409)
    kept[name] = {"made": body["collection"], "documents": {}}
    return {}


@operation
def drop(body, kept):
    return {"dropped": kept.pop(body["name"], None) is not None}


@operation
def upsert(body, kept):
    of(body, kept).update({one["id"]: one for one in body["documents"]})
    return {}


@operation
def query(body, kept):
    distance = entry(body, kept)["made"]["distance"]
    hits = [
        {
            "id": one["id"],
            "score": score(one, body, distance),
            "text": one["text"],
            "payload": one["payload"],
        }
        for one in chosen(body, kept)
    ]
    hits.sort(key=lambda one: (-one["score"], one["id"]))
    return {"hits": hits[: body["limit"]]}


def score(document, body, distance):
    if body["dense"] is None:
        theirs = dict(zip(*document["sparse"].values(), strict=True))
        ours = zip(*body["sparse"].values(), strict=True)
        return math.fsum(value * theirs.get(at, 0.0) for at, value in ours)
    ours, theirs = body["dense"], document["dense"]
    product = math.fsum(one * other for one, other in zip(ours, theirs, strict=True))
    return product if distance == "dot" else product / (math.hypot(*ours) * math.hypot(*theirs))


@operation
def delete(body, kept):
    gone = body["ids"] or [one["id"] for one in chosen(body, kept)]
    return {"count": sum(of(body, kept).pop(one, None) is not None for one in gone)}


@operation
def count(body, kept):
    return {"count": len(chosen(body, kept))}
