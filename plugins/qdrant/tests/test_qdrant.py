"""Qdrant's embedded store: what is kept, what is found, and what it says when it cannot."""

from __future__ import annotations

import subprocess
import sys
import threading

import anyio
import pytest
from anymodal import Client, Settings
from anymodal import errors as e
from anymodal.modalities.documents import Document
from anymodal.modalities.embedding import SparseVector
from anymodal.modalities.filters import Eq, In, Not, Or, Range
from anymodal_qdrant.conditions import filter_of
from anymodal_qdrant.points import point_id
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

pytestmark = pytest.mark.anyio

DOCUMENTS = [
    Document(id="a", text="The keeper lights the lamp.", payload={"n": 1, "kind": "log"}),
    Document(id="b", text="Lamps are lit by keepers; a lamp is lit.", payload={"n": 2.5}),
    Document(id="c", text="The sea is rough.", payload={"n": [3, 9], "kind": None}),
]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def told(path=":memory:", **more):
    return Settings.from_mapping({"providers": {"qdrant": {"path": str(path), **more}}})


def with_vectors():
    """Return the documents with vectors made by hand."""
    dense = [[1, 0], [0.6, 0.8], [0, 1]]
    sparse = [[(1, 1.0)], [(1, 2.0), (2, 1.0)], [(3, 1.0)]]
    return [
        Document(
            id=one.id, text=one.text, payload=one.payload, vector=thick,
            sparse=SparseVector(*zip(*thin, strict=True)),
        )
        for one, thick, thin in zip(DOCUMENTS, dense, sparse, strict=True)
    ]  # fmt: skip


def ids(found):
    return [hit.id for hit in found]


async def test_what_was_kept_is_there_again(tmp_path):
    """In the folder, with the models that made its vectors; another client reads it."""
    folder = tmp_path / "store"
    async with Client(told(folder)) as ai:
        made = await ai.retrieval.create("notes", sparse="lexical/bm25-en")
        await ai.retrieval.upsert("notes", DOCUMENTS)
    async with Client(told(folder)) as ai:
        assert (made,) == await ai.retrieval.collections()
        found = await ai.retrieval.query("notes", "lamps", filter=Range("n", lt=2))

    assert ["a"] == ids(found)
    assert ("The keeper lights the lamp.", {"n": 1, "kind": "log"}) == (
        found.hits[0].text, found.hits[0].payload,
    )  # fmt: skip


async def test_three_ways_of_looking():
    """Cosines, weights of words, and both by their places, as the core would count them."""
    async with Client(told()) as ai:
        await ai.retrieval.create("notes", dimensions=2, sparse=True, idf=False)
        await ai.retrieval.upsert("notes", with_vectors())
        thin = SparseVector([1], [1.0])
        thick = await ai.retrieval.query("notes", [3, 0])
        by_words = await ai.retrieval.query("notes", thin)
        both = await ai.retrieval.query("notes", [3, 0], sparse=thin, raw=True)

    assert (["a", "b", "c"], ["b", "a"]) == (ids(thick), ids(by_words))
    assert [1.0, 0.6, 0.0] == pytest.approx([hit.score for hit in thick])
    assert {"a": 1 / 61 + 1 / 62, "b": 1 / 62 + 1 / 61, "c": 1 / 63} == pytest.approx(
        {hit.id: hit.score for hit in both}
    )
    assert 3 == len(both.record.raw["points"])


async def test_rare_words_count_more():
    """The store knows how rare they are, as soon as there is another document."""
    async with Client(told()) as ai:
        await ai.retrieval.create("notes", sparse="lexical/bm25-en")
        await ai.retrieval.upsert("notes", DOCUMENTS)
        before = await ai.retrieval.query("notes", "sea")
        await ai.retrieval.upsert("notes", [Document(id=f"d{n}", text="sea") for n in range(9)])
        after = await ai.retrieval.query("notes", "sea", limit=20)

    assert before.hits[0].score > max(hit.score for hit in after)


async def test_same_id_takes_the_place():
    """And what is taken out is gone; an id may be any string."""
    odd = "ä/#?\n"
    async with Client(told()) as ai:
        store = ai.retrieval
        await store.create("notes", dimensions=1)
        await store.upsert("notes", [Document(id=odd, vector=[1]), Document(id="x", vector=[2])])
        await store.upsert("notes", [Document(id=odd, vector=[1], text="new")])
        assert (2, "new") == (
            (await store.count("notes")).count,
            {hit.id: hit.text for hit in await store.query("notes", [1])}[odd],
        )
        assert (await store.delete("notes", [odd, "none"])).count is None
        assert 1 == (await store.count("notes")).count
        await store.delete("notes", filter=~Eq("kind", "log"))
        assert 0 == (await store.count("notes")).count
        assert 1 == (await store.drop("notes")).count
        assert () == await store.collections()


async def test_filters_mean_what_they_say():
    """All three, put together."""
    async with Client(told()) as ai:
        await ai.retrieval.create("notes", dimensions=2, sparse=True)
        await ai.retrieval.upsert("notes", with_vectors())
        counts = [
            (await ai.retrieval.count("notes", filter=one)).count
            for one in (
                Eq("kind", "log"), ~Eq("kind", "log"), In("n", [1, 3]), Range("n", gt=2, lte=3),
                Eq("kind", "log") | Eq("n", 9), In("n", ["1", 1, True]),
            )
        ]  # fmt: skip

    assert [1, 2, 2, 2, 2, 1] == counts


FIELDS = st.sampled_from(["kind", "n", "a-b", "0"])
SCALARS = st.sampled_from(["a", "b", 0, 1, -3, True, False])
VALUES = st.one_of(
    st.none(), SCALARS, st.sampled_from([0.0, 1.0, 0.5]), st.lists(SCALARS, max_size=3)
)
PAYLOADS = st.lists(st.dictionaries(FIELDS, VALUES, max_size=3), min_size=1, max_size=5)
FILTERS = st.recursive(
    st.one_of(
        st.builds(Eq, FIELDS, SCALARS),
        st.builds(In, FIELDS, st.lists(SCALARS, min_size=1, max_size=3)),
        st.builds(Range, FIELDS, gte=st.sampled_from([-3, 0.5, 1])),
        st.builds(Range, FIELDS, gt=st.just(0), lt=st.sampled_from([1, 2.5])),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: Or(*some)),
        inner.map(Not),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILTERS, PAYLOADS)
def test_qdrant_agrees_with_what_filters_mean(condition, payloads):
    """Its own words for them let through the same payloads, and De Morgan's others."""
    from qdrant_client.local.payload_filters import check_filter

    def lets_through(one, payload):
        kept = {"id": "x", "text": None, "payload": payload}
        return check_filter(filter_of(one), kept, 1, {})

    for payload in payloads:
        assert condition.matches(payload) is lets_through(condition, payload)
        assert lets_through(~condition, payload) is not lets_through(condition, payload)


def test_no_filter_is_none():
    """Qdrant has a word for everything, and it is to say nothing."""
    assert filter_of(None) is None


def test_point_has_the_same_id_everywhere():
    """What was kept yesterday is replaced today."""
    assert "595e138e-f38d-5cb9-9f02-87d50ad92f42" == point_id("a")


async def test_folder_is_open_once(tmp_path):
    """The second client is told who is in its way; when the first is closed it may."""
    async with Client(told(tmp_path)) as first:
        await first.retrieval.collections()
        async with Client(told(tmp_path)) as second:
            with pytest.raises(e.ConfigurationError, match="is open elsewhere") as caught:
                await second.retrieval.collections()
            assert str(tmp_path) in str(caught.value)
    async with Client(told(tmp_path)) as third:
        assert () == await third.retrieval.collections()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "needs to know where"),
        ({"path": ":memory:", "base_url": "http://127.0.0.1:1"}, "which of the two"),
        ({"path": 7}, "a folder's name"),
    ],
)
async def test_where_it_is_has_to_be_said(settings, words):
    """Nothing is written to a folder that nobody named."""
    async with Client(Settings.from_mapping({"providers": {"qdrant": settings}})) as ai:
        with pytest.raises(e.ConfigurationError, match=words):
            await ai.retrieval.collections(model="qdrant")


async def test_collections_of_others_are_left_alone(tmp_path):
    """They have no models that are known, and other payloads."""
    from qdrant_client import models

    theirs = QdrantClient(path=str(tmp_path))
    size = models.VectorParams(size=1, distance=models.Distance.DOT)
    theirs.create_collection("theirs", vectors_config=size)
    theirs.close()
    async with Client(told(tmp_path)) as ai:
        assert () == await ai.retrieval.collections()
        with pytest.raises(e.NotFoundError):
            await ai.retrieval.count("theirs")
        with pytest.raises(e.BadRequestError, match="already exists"):
            await ai.retrieval.create("theirs", dimensions=1)


async def test_many_tasks_share_one_store():
    """The embedded store is not made for threads; it is asked by one at a time."""
    async with Client(told()) as ai:
        await ai.retrieval.create("notes", dimensions=1)

        async def keep(n):
            await ai.retrieval.upsert("notes", [Document(id=str(n), vector=[n + 1])])
            await ai.retrieval.query("notes", [1])

        async with anyio.create_task_group() as tasks:
            for n in range(20):
                tasks.start_soon(keep, n)

        assert 20 == (await ai.retrieval.count("notes")).count


async def test_event_loop_goes_on():
    """What the store counts it counts in a thread."""
    seen = []

    async with Client(told()) as ai:
        await ai.retrieval.create("notes", dimensions=1)
        door = ai._way.doors._open["retrieval", "qdrant"]
        await door.provider._run(lambda _: seen.append(threading.current_thread()))

    assert [True] == [one is not threading.main_thread() for one in seen]


def test_plugin_is_cheap_to_import():
    """Neither Qdrant's client nor numpy comes before a store is opened."""
    script = (
        "import sys, anymodal_qdrant\n"
        "list(anymodal_qdrant.anymodal_retrieval_providers())\n"
        "print({'qdrant_client', 'numpy', 'httpx', 'pydantic'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "set()" == done.stdout.strip()
