"""A server, by way of the plugin: what it keeps and finds, what is sent, what its refusals mean."""

from __future__ import annotations

import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal.modalities.documents import Document
from anymodal.modalities.embedding import SparseVector
from anymodal.modalities.filters import Eq, Range
from anymodal_emulator import Cut, Reset, Stall, Status, emulated
from anymodal_emulator.faults import Raw
from anymodal_qdrant.points import point_id
from inline_snapshot import snapshot
from qdrant_client import QdrantClient, models

pytestmark = pytest.mark.anyio
ONCE = Policy(retry=Retry(attempts=1))
A, B = point_id("a"), point_id("b")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("qdrant") as running:
        yield running


def client(vendor, policy=ONCE, **more):
    told = {"provider": "qdrant", "base_url": vendor.base_url, "api_key": vendor.key, **more}
    return Client(Settings.from_mapping({"instances": {"shared": told}}), policy=policy)


DOCUMENTS = [
    Document(
        id="a", text="Lamps.", payload={"n": 1, "kind": None}, vector=[1, 0],
        sparse=SparseVector([1], [1.0]),
    ),
    Document(
        id="b", text="The sea.", payload={"n": 2}, vector=[0, 1],
        sparse=SparseVector([1, 2], [2.0, 1.0]),
    ),
]  # fmt: skip


async def filled(ai):
    await ai.retrieval.create("notes", dimensions=2, sparse=True, idf=False, model="shared")
    await ai.retrieval.upsert("notes", DOCUMENTS, model="shared")


def sent(vendor):
    """Return what a server was sent: method, path, query and body."""
    return [
        (one.method, one.path, one.query, one.json if one.body else None)
        for one in vendor.requests
    ]  # fmt: skip


async def test_what_is_kept_is_found(vendor):
    """By vectors of one kind, of the other, and of both; another client finds it, too."""
    async with client(vendor) as ai:
        await filled(ai)
    async with client(vendor) as ai:
        store, thin = ai.retrieval, SparseVector([1], [1.0])
        thick = await store.query("notes", [3, 0], model="shared")
        words = await store.query("notes", thin, model="shared")
        both = await store.query("notes", [3, 0], sparse=thin, model="shared")
        some = await store.query("notes", [3, 0], filter=Range("n", gt=1), model="shared")
        (made,) = await store.collections(model="shared")

    assert [("a", 1.0), ("b", 0.0)] == [(hit.id, hit.score) for hit in thick]
    assert [("b", 2.0), ("a", 1.0)] == [(hit.id, hit.score) for hit in words]
    assert {"a": 1 / 61 + 1 / 62, "b": 1 / 62 + 1 / 61} == pytest.approx(
        {hit.id: hit.score for hit in both}
    )
    assert ["b"] == [hit.id for hit in some]
    assert ("Lamps.", {"n": 1, "kind": None}) == (thick.hits[0].text, thick.hits[0].payload)
    assert ("notes", 2, False) == (made.name, made.dimensions, made.idf)


async def test_what_goes_comes_back_as_gone(vendor):
    """Taken out by id and by filter, counted, dropped; the second time there is nothing."""
    async with client(vendor) as ai:
        await filled(ai)
        store = ai.retrieval
        await store.delete("notes", ["a", "never"], model="shared")
        assert 1 == (await store.count("notes", model="shared")).count
        await store.delete("notes", filter=Eq("n", 2), model="shared")
        assert 0 == (await store.count("notes", model="shared")).count
        assert 1 == (await store.drop("notes", model="shared")).count
        assert () == await store.collections(model="shared")


async def test_what_is_sent(vendor):
    """To the letter; what waits for a change says so."""
    async with client(vendor) as ai:
        await filled(ai)
        vendor.clear()
        store, thin = ai.retrieval, SparseVector([1], [1.0])
        await store.query("notes", [3, 0], sparse=thin, filter=Eq("n", 1), limit=3, model="shared")
        await store.count("notes", filter=~Eq("kind", "log"), model="shared")
        await store.delete("notes", ["a"], model="shared")

    assert sent(vendor) == snapshot(
        [
            ("GET", "/collections/notes/exists", "", None),
            ("GET", "/collections/notes", "", None),
            (
                "POST",
                "/collections/notes/points/query",
                "",
                {
                    "prefetch": [
                        {
                            "query": [3.0, 0.0],
                            "using": "dense",
                            "filter": {"must": [{"key": 'payload."n"', "match": {"value": 1}}]},
                            "limit": 50,
                        },
                        {
                            "query": {"indices": [1], "values": [1.0]},
                            "using": "sparse",
                            "filter": {"must": [{"key": 'payload."n"', "match": {"value": 1}}]},
                            "limit": 50,
                        },
                    ],
                    "query": {"rrf": {"k": 61}},
                    "limit": 3,
                    "with_vector": False,
                    "with_payload": True,
                },
            ),
            ("GET", "/collections/notes/exists", "", None),
            ("GET", "/collections/notes", "", None),
            (
                "POST",
                "/collections/notes/points/count",
                "",
                {
                    "filter": {"must_not": [{"key": 'payload."kind"', "match": {"value": "log"}}]},
                    "exact": True,
                },
            ),
            ("GET", "/collections/notes/exists", "", None),
            ("GET", "/collections/notes", "", None),
            (
                "POST",
                "/collections/notes/points/delete",
                "wait=true",
                {"points": ["595e138e-f38d-5cb9-9f02-87d50ad92f42"]},
            ),
        ]
    )


async def test_what_is_sent_to_make_a_collection(vendor):
    """Its models lie in its metadata, and a document's parts in its point's payload."""
    async with client(vendor) as ai:
        await filled(ai)

    assert [one for one in sent(vendor) if one[0] == "PUT"] == snapshot(
        [
            (
                "PUT",
                "/collections/notes",
                "",
                {
                    "vectors": {"dense": {"size": 2, "distance": "Cosine"}},
                    "sparse_vectors": {"sparse": {"modifier": "none"}},
                    "metadata": {
                        "anymodal": {
                            "version": 1,
                            "name": "notes",
                            "dimensions": 2,
                            "distance": "cosine",
                            "embedding": None,
                            "is_shortened": False,
                            "has_sparse": True,
                            "sparse": None,
                            "idf": False,
                        }
                    },
                },
            ),
            (
                "PUT",
                "/collections/notes/points",
                "wait=true",
                {
                    "points": [
                        {
                            "id": "595e138e-f38d-5cb9-9f02-87d50ad92f42",
                            "vector": {
                                "dense": [1.0, 0.0],
                                "sparse": {"indices": [1], "values": [1.0]},
                            },
                            "payload": {
                                "id": "a",
                                "text": "Lamps.",
                                "payload": {"n": 1, "kind": None},
                            },
                        },
                        {
                            "id": "4bd07687-7a6a-5582-8f1b-83e4ba000cd1",
                            "vector": {
                                "dense": [0.0, 1.0],
                                "sparse": {"indices": [1, 2], "values": [2.0, 1.0]},
                            },
                            "payload": {"id": "b", "text": "The sea.", "payload": {"n": 2}},
                        },
                    ]
                },
            ),
        ]
    )
    assert {vendor.key} == {one.headers["api-key"] for one in vendor.requests}


async def test_refusals_are_of_our_own_tree(vendor):
    """What the server itself says of a key, of a name that is taken, and of other vectors."""
    async with client(vendor, api_key="other") as ai:
        with pytest.raises(e.AuthenticationError) as caught:
            await ai.retrieval.collections(model="shared")
    assert (401, "qdrant") == (caught.value.status, caught.value.provider)

    theirs = QdrantClient(
        url=vendor.base_url, headers={"api-key": vendor.key}, check_compatibility=False
    )
    size = models.VectorParams(size=1, distance=models.Distance.DOT)
    theirs.create_collection("theirs", vectors_config=size)
    async with client(vendor) as ai:
        assert () == await ai.retrieval.collections(model="shared")
        with pytest.raises(e.BadRequestError, match="`theirs` already exists") as caught:
            await ai.retrieval.create("theirs", dimensions=1, model="shared")
        assert 409 == caught.value.status
        await filled(ai)
        theirs.delete_collection("notes")
        with pytest.raises(e.NotFoundError, match="has no collection 'notes'"):
            await ai.retrieval.query("notes", [1, 0], model="shared")
    theirs.close()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Status(429, retry_after=7), e.RateLimitedError),
        (Status(500), e.ServerError),
        (Status(503), e.OverloadedError),
        (Reset(), e.ConnectionFailedError),
        (Cut(after_bytes=20), e.ConnectionFailedError),
        (Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"), e.MalformedReplyError),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, type) else one.__name__,
)
async def test_faults_are_of_our_own_tree(vendor, fault, expected):
    """Of the server, and of the way to it."""
    async with client(vendor) as ai:
        vendor.script(fault)
        with pytest.raises(e.VendorError) as caught:
            await ai.retrieval.collections(model="shared")

    assert expected is type(caught.value)
    assert vendor.key not in str(caught.value)
    assert expected is not e.RateLimitedError or 7 == caught.value.retry_after


async def test_what_hangs_ends(vendor):
    """By the time that settings leave for an answer."""
    async with client(vendor, timeout={"first": 1}) as ai:
        vendor.script(Stall())
        with pytest.raises(e.TimedOutError):
            await ai.retrieval.collections(model="shared")


async def test_what_is_busy_is_asked_again(vendor):
    """The same query gets its answer the second time."""
    patient = Policy(retry=Retry(attempts=2, first=0.01))
    async with client(vendor, patient) as ai:
        await filled(ai)
        vendor.clear()
        vendor.script(Status(503), path="*/query")
        found = await ai.retrieval.query("notes", [3, 0], model="shared")

    assert ["a", "b"] == [hit.id for hit in found]
    assert 2 == sum(one.path.endswith("/query") for one in vendor.requests)
