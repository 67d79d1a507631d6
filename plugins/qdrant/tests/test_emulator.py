"""The emulator of a Qdrant server, as Qdrant's own client and its published description see it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
from anymodal.specs import EmulatorSpec
from anymodal_emulator import Status, emulated
from anymodal_qdrant.emulator import app
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.common.version_check import get_server_version, is_compatible
from qdrant_client.http.exceptions import UnexpectedResponse

SPEC = EmulatorSpec(provider="qdrant", app="anymodal_qdrant.emulator:app", key="qd-key")
DESCRIPTION = json.loads((Path(__file__).parent / "description.json").read_text("utf-8"))


@pytest.fixture
def anyio_backend():
    """The client's async twin runs on this one alone."""
    return "asyncio"


@pytest.fixture
def vendor():
    with emulated(SPEC) as running:
        yield running


@pytest.fixture
def client(vendor):
    """Return the vendor's client; what it asks in a thread of its own is tried below."""
    headers = {"api-key": vendor.key}
    made = QdrantClient(url=vendor.base_url, headers=headers, check_compatibility=False)
    yield made
    made.close()


def thin(**weights):
    pairs = sorted((int(name[1:]), value) for name, value in weights.items())
    return models.SparseVector(indices=[one for one, _ in pairs], values=[two for _, two in pairs])


POINTS = [
    models.PointStruct(
        id=1, vector={"dense": [1, 0], "sparse": thin(w1=1.0)}, payload={"n": 1, "kind": None}
    ),
    models.PointStruct(
        id=2, vector={"dense": [0.6, 0.8], "sparse": thin(w1=2.0, w2=1.0)}, payload={"n": 2}
    ),
    models.PointStruct(
        id="5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
        vector={"dense": [0, 1], "sparse": thin(w3=1.0)},
        payload={"n": 3, "kind": "log", "tags": ["a", "b"]},
    ),
]


def filled(client, name="notes"):
    """Make a collection of three points with two vectors each."""
    client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=2, distance=models.Distance.COSINE)},
        sparse_vectors_config={"sparse": models.SparseVectorParams()},
        metadata={"anymodal": {"about": None}},
    )
    client.upsert(name, POINTS, wait=True)


def eq(key, value):
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


# -- the description ------------------------------------------------------------------------


def sealed(found):
    """Return a schema that takes no property which it does not name."""
    if isinstance(found, list):
        return [sealed(one) for one in found]
    if not isinstance(found, dict):
        return found
    made = {name: sealed(value) for name, value in found.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


SCHEMAS = sealed(DESCRIPTION["schemas"])


def validate(found, schema):
    jsonschema.Draft202012Validator({**sealed(schema), "schemas": SCHEMAS}).validate(found)


def operation(method, path):
    """Return the operation of the description that a request is."""
    fits = [
        name
        for name in DESCRIPTION["operations"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), f"{method} {path}")
    ]
    return min(fits, key=lambda name: name.count("{"))


def everything(client):
    """Do what the client can do here, by its own calls."""
    filled(client)
    client.get_collections()
    client.get_collection("notes")
    client.collection_exists("notes")
    client.create_payload_index("notes", "n", models.PayloadSchemaType.INTEGER)
    client.get_collection("notes")
    client.query_points("notes", query=[1, 0], using="dense", with_vectors=True)
    client.query_batch_points("notes", [models.QueryRequest(query=1, using="dense", limit=1)])
    client.scroll("notes", limit=1, with_vectors=True)
    client.count("notes", count_filter=models.Filter(must=[eq("n", 1)]), exact=True)
    client.retrieve("notes", [1], with_vectors=True)
    client.http.points_api.get_point(collection_name="notes", id=1)
    client.set_payload("notes", {"n": 4}, points=[1])
    client.overwrite_payload("notes", {"n": 5}, points=models.Filter(must=[eq("n", 4)]))
    client.delete_payload("notes", ["n"], points=[1])
    client.clear_payload("notes", models.PointIdsList(points=[1]))
    client.delete("notes", models.FilterSelector(filter=models.Filter(must=[eq("n", 3)])))
    client.delete("notes", models.PointIdsList(points=[1]))
    client.delete_payload_index("notes", "n")
    alias = models.CreateAlias(collection_name="notes", alias_name="log")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    client.get_collection_aliases("notes")
    client.get_aliases()
    client.info()
    client.delete_collection("notes")


def test_requests_and_answers_are_as_described(client):
    """Of every route, what the client sends, and what it is answered, with nothing left over."""
    talked = []

    def listen(request, proceed):
        answer = proceed(request)
        talked.append((request, answer))
        return answer

    client.http.client.add_middleware(listen)
    everything(client)

    seen = set()
    for request, answer in talked:
        name = operation(request.method, request.url.path)
        known = DESCRIPTION["operations"][name]
        seen.add(name)
        assert 200 == answer.status_code
        if request.content:
            validate(json.loads(request.content), known["body"])
        if "answer" in known:
            validate(answer.json(), known["answer"])
    assert {name for name, known in DESCRIPTION["operations"].items() if "answer" in known} == seen


def test_every_route_is_described():
    """An emulator has no paths of its own making."""
    routes = {
        f"{method} " + re.sub(r"\(\?P<\w+>\.\+\?\)", "{}", pattern.pattern)
        for method, pattern, _ in app._routes
    }

    assert {re.sub(r"\{\w+\}", "{}", name) for name in DESCRIPTION["operations"]} == routes


# -- what is found --------------------------------------------------------------------------


def test_dense_vectors_are_found_by_their_angle(client):
    """Cosines; a threshold and a page leave some out."""
    filled(client)
    found = client.query_points("notes", query=[3, 0], using="dense").points
    page = client.query_points("notes", query=[3, 0], using="dense", limit=1, offset=1).points
    near = client.query_points("notes", query=[3, 0], using="dense", score_threshold=0.5).points

    assert [1.0, 0.6, 0.0] == pytest.approx([one.score for one in found])
    assert ([2], [1, 2]) == ([one.id for one in page], [one.id for one in near])
    assert {"n": 1, "kind": None} == found[0].payload


def test_sparse_vectors_are_found_by_what_they_share(client):
    """Sums of products; what shares nothing is not found."""
    filled(client)
    found = client.query_points("notes", query=thin(w1=1.0, w2=3.0), using="sparse").points

    assert [(2, 5.0), (1, 1.0)] == [(one.id, one.score) for one in found]


def test_rare_words_count_more(client):
    """Where the collection says so, the server multiplies by how rare they are."""
    client.create_collection(
        "notes",
        sparse_vectors_config={"s": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    weights = {1: thin(w1=1.0, w2=1.0), 2: thin(w1=1.0), 3: thin(w1=1.0)}
    points = [models.PointStruct(id=id_, vector={"s": one}) for id_, one in weights.items()]
    client.upsert("notes", points)
    often = client.query_points("notes", query=thin(w1=1.0), using="s").points
    rare = client.query_points("notes", query=thin(w2=1.0), using="s").points

    assert rare[0].score > often[0].score


@pytest.mark.parametrize(
    ("fusion", "scores"),
    [
        (models.RrfQuery(rrf=models.Rrf(k=60)), {1: 1 / 60 + 1 / 61, 2: 1 / 61 + 1 / 60}),
        (models.FusionQuery(fusion=models.Fusion.RRF), {1: 1 / 2 + 1 / 3, 2: 1 / 3 + 1 / 2}),
    ],
)
def test_two_lists_become_one_by_places(client, fusion, scores):
    """Places begin at nought; the constant is 2 where nothing is said."""
    filled(client)
    found = client.query_points(
        "notes",
        prefetch=[
            models.Prefetch(query=[3, 0], using="dense", limit=2),
            models.Prefetch(query=thin(w1=1.0), using="sparse", limit=2),
        ],
        query=fusion,
    ).points

    assert scores == pytest.approx({one.id: one.score for one in found})


def test_two_lists_become_one_by_scores(client):
    """What is best in both lists is best in the one."""
    filled(client)
    found = client.query_points(
        "notes",
        prefetch=[
            models.Prefetch(query=[0.6, 0.8], using="dense"),
            models.Prefetch(query=thin(w1=1.0), using="sparse"),
        ],
        query=models.FusionQuery(fusion=models.Fusion.DBSF),
    ).points

    assert 2 == found[0].id
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (models.Filter(must=[eq("kind", "log")]), 1),
        (models.Filter(must_not=[eq("kind", "log")]), 2),
        (models.Filter(should=[eq("n", 1), eq("tags", "b")]), 2),
        (models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gt=1, lte=3))]), 2),
        (models.Filter(must=[models.HasIdCondition(has_id=[1, 9])]), 1),
        (models.Filter(must=[models.Filter(must_not=[eq("n", 1)]), eq("n", 2)]), 1),
        (None, 3),
    ],
)
def test_filters(client, wanted, count):
    """The same points are counted, found, scrolled through and taken out."""
    filled(client)
    counted = client.count("notes", count_filter=wanted).count
    found = client.query_points("notes", query=[1, 1], using="dense", query_filter=wanted).points
    pages, _ = client.scroll("notes", scroll_filter=wanted)
    client.delete("notes", models.FilterSelector(filter=wanted or models.Filter()))

    assert [count] * 3 == [counted, len(found), len(pages)]
    assert 3 - count == client.count("notes").count


def test_scrolling_ends(client):
    """Page by page, each point once."""
    filled(client)
    first, following = client.scroll("notes", limit=2, with_payload=["n"])
    rest, end = client.scroll("notes", limit=2, offset=following)

    assert ([1, 2], 1, None) == ([one.id for one in first], len(rest), end)
    assert [{"n": 1}, {"n": 2}] == [one.payload for one in first]


def test_payloads_change(client):
    """Added to, put in place of, taken away."""
    filled(client)
    client.set_payload("notes", {"new": 1}, points=[1])
    client.overwrite_payload("notes", {"only": 1}, points=[2])
    client.delete_payload("notes", ["kind", "n"], points=[1])

    assert [{"new": 1}, {"only": 1}] == [one.payload for one in client.retrieve("notes", [1, 2])]


def test_collection_says_what_it_is(client):
    """Its vectors, its metadata to the letter, and its indexes with what they have."""
    filled(client)
    client.create_payload_index("notes", "kind", models.PayloadSchemaType.KEYWORD)
    found = client.get_collection("notes")

    assert {"anymodal": {"about": None}} == found.config.metadata
    assert (2, "Cosine") == (
        found.config.params.vectors["dense"].size,
        found.config.params.vectors["dense"].distance,
    )
    assert 3 == found.points_count
    assert {"kind": ("keyword", 1)} == {
        name: (one.data_type.value, one.points) for name, one in found.payload_schema.items()
    }


def test_alias_is_a_name(client):
    """Points go through it; dropping it by that name does nothing."""
    filled(client)
    alias = models.CreateAlias(collection_name="notes", alias_name="log")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])

    assert 3 == client.count("log").count
    assert client.collection_exists("log")
    assert not client.delete_collection("log")
    assert client.delete_collection("notes")
    assert not client.collection_exists("log")


# -- what is refused ------------------------------------------------------------------------


def asked(vendor, method, path, body=b"", **headers):
    """Return status, body and media type of the answer to a request by hand."""
    given = {"api-key": vendor.key, "content-type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        vendor.base_url + path,
        data or None,
        {key: value for key, value in given.items() if value is not None},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read(), reply.headers["content-type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers["content-type"]


QUERY = "/collections/notes/points/query"
KEEP = "PUT /collections/notes/points"
ASK = f"POST {QUERY}"
NAME = "Wrong input: Not existing vector name error: "
SIZE = "Wrong input: Vector dimension error: expected dim: 2, got "
FORMAT = "Format error in JSON body"
GONE = "Not found: Collection `none` doesn't exist!"


@pytest.mark.parametrize(
    ("where", "body", "status", "words"),
    [
        (ASK, b"{", 400, FORMAT),
        (ASK, b"[]", 400, FORMAT),
        (ASK, {"query": {"neerest": [1, 0]}}, 400, FORMAT),
        (ASK, {"filter": {"musst": []}}, 400, FORMAT),
        (ASK, {"query": [1, 0], "using": "dense", "limit": 0}, 422, "limit: value 0"),
        (ASK, {"query": [1], "using": "dense"}, 400, SIZE + "1"),
        (ASK, {"query": [1, 0]}, 400, NAME),
        (ASK, {"query": [1, 0], "using": "x"}, 400, NAME + "x"),
        (
            ASK,
            {"prefetch": {"query": [1], "using": "dense"}, "query": {"fusion": "rrf"}},
            400,
            SIZE + "1",
        ),
        (ASK, {"query": 77, "using": "dense"}, 404, "Not found: No point with id 77"),
        ("POST /collections/none/points/query", {}, 404, GONE),
        ("GET /collections/none", b"", 404, GONE),
        ("GET /collections/notes/points/77", b"", 404, "Point with id 77"),
        ("PUT /collections/notes", {}, 409, "Wrong input: Collection `notes` already exists!"),
        ("PUT /collections/x", {"vectors": {"size": 0, "distance": "Dot"}}, 422, "value 0"),
        ("PUT /collections/x", {"vectors": {"size": 2}}, 400, FORMAT),
        (KEEP, {}, 400, "missing field"),
        (KEEP, {"points": []}, 400, "Wrong input: Empty update request"),
        (KEEP, {"points": [{"id": "x", "vector": {}}]}, 400, "Wrong input"),
        (KEEP, {"points": [{"id": 9, "vector": {"dense": [1, 2, 3]}}]}, 400, SIZE + "3"),
        (KEEP, {"points": [{"id": 9, "vector": {"thick": [1, 2]}}]}, 400, NAME + "thick"),
        ("POST /collections/notes/points/scroll", {"limit": 0}, 422, "limit: value 0"),
        ("POST /collections/notes/points/payload", {"payload": {}}, 400, "No filter or points"),
        ("PUT /collections/notes/index", {"field_name": "n"}, 400, "field_schema"),
    ],
)
def test_refusals(client, vendor, *, where, body, status, words):
    """With the server's statuses, in its one form, as described."""
    filled(client)
    got, said, kind = asked(vendor, *where.split(), body)

    assert (status, "application/json") == (got, kind)
    found = json.loads(said)
    validate(found, {"$ref": "#/schemas/ErrorResponse"})
    assert words in found["status"]["error"]
    assert 3 == client.count("notes").count


def test_media_type_has_to_be_declared(client, vendor):
    """A body that is no JSON by its own account is not read."""
    filled(client)
    got, said, _ = asked(vendor, "POST", QUERY, {"limit": 1}, **{"content-type": "text/plain"})

    assert (400, "Content type error") == (got, json.loads(said)["status"]["error"])


def test_unknown_fields_of_a_body_are_passed_over(client, vendor):
    """As the server does: a newer client may know more."""
    filled(client)

    assert 200 == asked(vendor, "POST", QUERY, {"limit": 1, "novelty": 2})[0]


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"api-key": None}, 401, b"Must provide an API key or an Authorization bearer token"),
        ({"api-key": "other"}, 401, b"Invalid API key or JWT"),
        ({"api-key": None, "authorization": "Bearer qd-key"}, 200, b""),
    ],
)
def test_keys(vendor, headers, status, words):
    """In a header of its own, or as a bearer token; the refusal is plain text."""
    got, said, kind = asked(vendor, "GET", "/collections", **headers)

    assert status == got
    if words:
        assert (words, "text/plain; charset=utf-8") == (said, kind)


@pytest.mark.parametrize("path", ["/", "/healthz", "/livez", "/readyz"])
def test_health_needs_no_key(vendor, path):
    """Whoever looks whether it lives has none."""
    assert 200 == asked(vendor, "GET", path, **{"api-key": None})[0]


def test_no_such_path(vendor):
    """Neither a body nor a reason."""
    for method, path in (
        ("GET", "/nowhere"),
        ("POST", "/collections/a/points/query/groups"),
        ("PUT", "/collections/a/points/vectors"),
        ("PATCH", "/collections"),
        ("GET", "/collections/a/b"),
    ):
        assert (404, b"") == asked(vendor, method, path)[:2]


def test_client_raises_what_it_raises(client, vendor):
    """Its own exceptions, with the server's words in them."""
    with pytest.raises(UnexpectedResponse) as caught:
        client.count("none")
    assert 404 == caught.value.status_code
    vendor.script(Status(429, retry_after=3))
    with pytest.raises(ResourceExhaustedResponse) as slow:
        client.get_collections()
    assert 3 == int(slow.value.retry_after_s)
    vendor.script(Status(503))
    with pytest.raises(UnexpectedResponse, match="Service Unavailable"):
        client.get_collections()
    assert [] == client.get_collections().collections


def test_version_fits_the_client(vendor):
    """The client compares them, and would warn; what it compares with is asked for here."""
    server = get_server_version(vendor.base_url, {"api-key": vendor.key}, None, timeout=10)

    assert is_compatible(version("qdrant-client"), server)


@pytest.mark.anyio
async def test_the_clients_async_twin(vendor):
    """The same server by its other face, many points at once."""
    made = AsyncQdrantClient(
        url=vendor.base_url, headers={"api-key": vendor.key}, check_compatibility=False
    )
    size = models.VectorParams(size=2, distance=models.Distance.DOT)
    await made.create_collection("notes", vectors_config=size)
    points = [models.PointStruct(id=n, vector=[n, 1]) for n in range(1, 200)]
    made.upload_points("notes", points, batch_size=64, wait=True)
    found = await made.query_points("notes", query=[1.0, 0.0], limit=3)
    near = await made.query_points("notes", query=models.NearestQuery(nearest=7), limit=1)
    counted = await made.count("notes")
    await made.close()

    assert [(199, 199.0), (198, 198.0), (197, 197.0)] == [(p.id, p.score) for p in found.points]
    assert ([199], 199) == ([one.id for one in near.points], counted.count)


def test_servers_share_nothing(vendor, client):
    """Each keeps its own collections."""
    filled(client)
    with emulated(SPEC) as other:
        _, said, _ = asked(other, "GET", "/collections")

    assert [] == json.loads(said)["result"]["collections"]
