"""Collections: what is asked of stores and models, what is refused, and what comes back."""

import attrs
import pytest
from anymodal import Policy, Retry, SyncClient
from anymodal import errors as e
from anymodal.facades.retrieving import bind
from anymodal.modalities.embedding import SparseVector, dense
from anymodal.modalities.filters import Eq
from anymodal.modalities.retrieval import (
    Collection,
    CollectionsRequest,
    CreateRequest,
    Document,
    DropRequest,
    QueryRequest,
    RetrievalOption,
    UpsertRequest,
)
from anymodal.specs import Capabilities

from .shelves import Counts, Down, Shelf, client

pytestmark = pytest.mark.anyio

DOCUMENTS = [
    Document(id="a", text="sea sea lamp", payload={"kind": "log"}),
    Document(id="b", text="lamp lamp lamp", payload={"kind": "bill"}),
    Document(id="c", text="tax rose", payload={"kind": "log"}),
]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@attrs.frozen(kw_only=True)
class Shelved(RetrievalOption):
    """An option of a vendor."""

    depth: int = 0


async def filled(ai, **arguments):
    """Make a collection of both kinds of vectors, and fill it."""
    asked = {"embedding": "acme/wide", "sparse": "acme/thin", **arguments}
    made = await ai.retrieval.create("notes", **asked)
    await ai.retrieval.upsert("notes", DOCUMENTS)
    return made


def ids(found):
    return [hit.id for hit in found]


# -- making collections -------------------------------------------------------------------


async def test_collection_remembers_its_models():
    """By exact names, with what else the store has to know."""
    shelf = Shelf()
    async with client(shelf) as ai:
        made = await ai.retrieval.create(
            "notes", embedding="acme/wide", sparse="acme/thin", distance="dot", idf=False,
            tags={"run": "7"}, options=[Shelved(depth=2)], end_user="u",
        )  # fmt: skip

    (asked,) = shelf.of(CreateRequest)
    assert asked.collection == made == Collection(
        name="notes", dimensions=4, distance="dot", embedding="acme/wide", has_sparse=True,
        sparse="acme/thin", idf=False,
    )  # fmt: skip
    assert ("shelf", "create", {"run": "7"}) == (
        made.record.instance, made.record.operation, made.record.tags,
    )  # fmt: skip
    assert (Shelved(depth=2), "u") == (asked.option(Shelved), asked.end_user)
    assert made == Collection.from_dict({**made.to_dict(), "of a later version": 1})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"dimensions": 7}, {"dimensions": 7}),
        ({"sparse": True}, {"has_sparse": True}),
        ({"sparse": "acme/thin"}, {"has_sparse": True, "sparse": "acme/thin"}),
        ({"embedding": "acme/known"}, {"dimensions": 4, "embedding": "acme/known"}),
        (
            {"embedding": "acme/known", "dimensions": 2},
            {"dimensions": 2, "embedding": "acme/known", "is_shortened": True},
        ),
    ],
)
async def test_what_a_collection_is_made_of(arguments, expected):
    """A model is asked for a vector only where nothing says how long they are."""
    counts = Counts()
    async with client(Shelf(), counts) as ai:
        made = await ai.retrieval.create("notes", **arguments)

    assert Collection(name="notes", **expected) == made
    assert [] == counts.asked


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        ({"collection": "a/b", "dimensions": 1}, "collection", "no name"),
        ({"collection": 3, "dimensions": 1}, "collection", "no name"),
        ({"dimensions": 0}, "dimensions", "from 1 up"),
        ({"dimensions": True}, "dimensions", "from 1 up"),
        ({"dimensions": 2, "distance": "far"}, "distance", "neither cosine nor dot"),
        ({}, "embedding", "say what makes the vectors"),
        ({"embedding": "acme/thin"}, "embedding", "makes no dense vectors; .* sparse="),
        ({"sparse": "acme/wide"}, "sparse", "makes no sparse vectors; .* embedding="),
    ],
)
async def test_what_no_store_could_make_is_refused(arguments, field, words):
    """Before any store is asked."""
    shelf = Shelf()
    async with client(shelf) as ai:
        with pytest.raises(e.InvalidRequestError, match=words) as caught:
            await ai.retrieval.create(**{"collection": "notes", **arguments})

    assert field == caught.value.field
    assert [] == shelf.asked


async def test_unknown_model_is_its_own_error():
    """As everywhere."""
    async with client(Shelf()) as ai:
        with pytest.raises(e.UnknownProviderError, match="amce"):
            await ai.retrieval.create("notes", embedding="amce/wide")


async def test_store_without_sparse_vectors_says_so():
    """A known no is refused before anything is made."""
    shelf = Shelf()
    async with client(shelf, capabilities=Capabilities({"dense"}, {"sparse"})) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="sparse"):
            await ai.retrieval.create("notes", sparse=True)

    assert [] == shelf.of(CreateRequest)


async def test_collection_that_exists():
    """It is an error, or fine where it is as asked for; what is not said may be anything."""
    shelf = Shelf()
    async with client(shelf) as ai:
        made = await filled(ai)
        with pytest.raises(e.InvalidRequestError, match="exists_ok=True"):
            await ai.retrieval.create("notes", embedding="acme/wide")
        same = await ai.retrieval.create("notes", embedding="acme/wide", exists_ok=True)

        assert made == same
        for other in (
            {"embedding": "acme/known"},
            {"sparse": "acme/odd"},
            {"embedding": "acme/wide", "sparse": False},
            {"dimensions": 3},
            {"dimensions": 4, "distance": "dot"},
            {"dimensions": 4, "idf": False},
        ):
            with pytest.raises(e.InvalidRequestError, match="cannot be compared"):
                await ai.retrieval.create("notes", exists_ok=True, **other)

    assert 1 == len(shelf.of(CreateRequest))


async def test_model_that_makes_no_dense_vectors_is_found_out():
    """Where nothing was known of it."""

    class Thin(Counts):
        async def embed(self, request):
            found = await super().embed(request)
            thin = SparseVector([0], [1.0])
            return attrs.evolve(found, dense=(), sparse=(thin,) * len(request.texts))

    async with client(Shelf(), Thin()) as ai:
        with pytest.raises(e.InvalidRequestError, match="no dense vectors"):
            await ai.retrieval.create("notes", embedding="acme/odd")


# -- keeping documents --------------------------------------------------------------------


async def test_documents_get_the_vectors_that_they_lack():
    """Each model is asked once, for documents; vectors that were brought stay."""
    shelf, counts = Shelf(), Counts()
    own = Document(id="d", vector=[9, 0, 0, 0], sparse=SparseVector([1], [5]))
    async with client(shelf, counts) as ai:
        await ai.retrieval.create("notes", embedding="acme/wide", sparse="acme/thin")
        found = await ai.retrieval.upsert("notes", [DOCUMENTS[0], own, DOCUMENTS[1]])

    assert 3 == found.count
    assert ["wide", "thin"] == [one.model for one in found.embedded]
    texts = ("sea sea lamp", "lamp lamp lamp")
    assert [("wide", texts), ("thin", texts)] == [
        (one.model.id, one.texts) for one in counts.asked[1:] if one.purpose == "document"
    ]
    kept = shelf.kept["notes"]
    assert dense([2, 1, 0, 0]) == kept["a"].vector
    assert [(0, 2.0), (1, 1.0)] == list(kept["a"].sparse)
    assert own == kept["d"]


async def test_many_documents_go_in_several_requests():
    """As many at once as the store takes, in their order."""
    shelf = Shelf()
    documents = [Document(id=f"{n}", vector=[n]) for n in range(5)]
    async with client(shelf, max_documents=2) as ai:
        await ai.retrieval.create("notes", dimensions=1)
        await ai.retrieval.upsert("notes", documents)

    sent = [[one.id for one in request.documents] for request in shelf.of(UpsertRequest)]
    assert [["0", "1"], ["2", "3"], ["4"]] == sent


async def test_no_documents_are_no_trouble():
    """A loop over files may come to nothing."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await ai.retrieval.create("notes", embedding="acme/known", sparse="acme/thin")
        found = await ai.retrieval.upsert("notes", [])

    assert (0, []) == (found.count, shelf.of(UpsertRequest))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"id": "x"}, "Document|dict"),
        (Document(id=""), "has no id"),
        (Document(id=7), "has no id"),
        (Document(id="x", text=b"sea"), "no string"),
        (Document(id="x", text="sea", payload={"at": object()}), "JSON"),
        (Document(id="x", text="sea", payload={"at": float("nan")}), "JSON"),
        (Document(id="a", text="sea"), "comes twice"),
        (Document(id="x"), "is empty"),
        (Document(id="x", text="sea", vector=[1, 2]), "vectors of 4 numbers, and this one has 2"),
    ],
)
async def test_document_that_cannot_be_kept(document, words):
    """Nothing is kept of any; the error has its place."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await ai.retrieval.create("notes", embedding="acme/wide")
        with pytest.raises(e.InvalidRequestError, match=words) as caught:
            await ai.retrieval.upsert("notes", [DOCUMENTS[0], document])

    assert {} == shelf.kept["notes"]
    assert isinstance(document, dict) or 1 == caught.value.index


async def test_place_of_a_text_at_fault_is_the_document_s():
    """Documents that brought their vectors are counted, too."""
    async with client(Shelf()) as ai:
        await ai.retrieval.create("notes", embedding="acme/wide")
        with pytest.raises(e.InvalidRequestError) as caught:
            await ai.retrieval.upsert(
                "notes",
                [Document(id="x", vector=[1] * 4), Document(id="y", text="sea"), Document(id="z")],
            )

    assert 2 == caught.value.index


async def test_vectors_have_to_be_brought_where_no_model_is_known():
    """The error says which document has none."""
    async with client(Shelf()) as ai:
        await ai.retrieval.create("notes", dimensions=2, sparse=True)
        with pytest.raises(e.InvalidRequestError, match="without a model for dense") as caught:
            await ai.retrieval.upsert("notes", DOCUMENTS)
        assert (0, "vector") == (caught.value.index, caught.value.field)
        with pytest.raises(e.InvalidRequestError, match="without a model for sparse"):
            await ai.retrieval.query("notes", "sea", mode="sparse")


async def test_model_that_makes_no_sparse_vectors_is_found_out():
    """Where nothing was known of it."""
    async with client(Shelf()) as ai:
        await ai.retrieval.create("notes", sparse="acme/odd")
        with pytest.raises(e.InvalidRequestError, match="acme/odd makes no sparse"):
            await ai.retrieval.upsert("notes", DOCUMENTS)


async def test_failure_of_a_model_is_the_model_s():
    """The store's circuit has nothing to do with it."""

    class Fails(Counts):
        async def embed(self, request):
            msg = "too much"
            raise e.RateLimitedError(msg)

    async with client(Shelf(), Fails()) as ai:
        await ai.retrieval.create("notes", embedding="acme/known")
        with pytest.raises(e.RateLimitedError) as caught:
            await ai.retrieval.upsert("notes", DOCUMENTS)

    assert "embedding" == caught.value.record.modality
    assert caught.value.index is None


async def test_fallbacks_of_a_model_are_not_followed():
    """Vectors of another model would be mixed with those that are there."""

    class Fails(Counts):
        async def embed(self, request):
            self.asked.append(request)
            msg = "down"
            raise e.OverloadedError(msg)

    counts = Fails()
    async with client(Shelf(), counts, {"fallbacks": {"acme/known": ["acme/wide"]}}) as ai:
        await ai.retrieval.create("notes", embedding="acme/known")
        with pytest.raises(e.OverloadedError):
            await ai.retrieval.upsert("notes", DOCUMENTS)

    assert ["known"] == [one.model.id for one in counts.asked]


async def test_name_that_means_another_model_now_is_refused():
    """Such as an alias that was given the model's own name."""
    shelf = Shelf()
    told = {"aliases": {"acme/known": ["acme/wide"]}}
    async with client(shelf, None, told) as ai:
        shelf.made["notes"] = Collection(name="notes", dimensions=4, embedding="acme/known")
        with pytest.raises(e.ConfigurationError, match="acme/known, which now means acme/wide"):
            await ai.retrieval.query("notes", "sea")


# -- looking ------------------------------------------------------------------------------


async def test_query_by_words():
    """By the collection's own models, and by both kinds of vectors if nothing is said."""
    shelf, counts = Shelf(), Counts()
    async with client(shelf, counts, capabilities=Capabilities({"dense", "hybrid"})) as ai:
        await filled(ai)
        found = await ai.retrieval.query("notes", "lamp", limit=2, filter=Eq("kind", "log"))

    (asked,) = shelf.of(QueryRequest)
    assert ("hybrid", 2, 50, Eq("kind", "log")) == (
        asked.mode, asked.limit, asked.depth, asked.filter,
    )  # fmt: skip
    assert (dense([0, 1, 0, 0]), [(1, 1.0)]) == (asked.dense, list(asked.sparse))
    assert ["query", "query"] == [one.purpose for one in counts.asked[-2:]]
    assert (["a"], "hybrid", 1) == (ids(found), found.mode, len(found))
    assert ("sea sea lamp", {"kind": "log"}) == (found.hits[0].text, found.hits[0].payload)
    assert ["wide", "thin"] == [one.model for one in found.embedded]
    assert ("query", "r-hybrid") == (found.record.operation, found.record.request_id)


async def test_both_kinds_are_put_together_where_the_store_does_not():
    """Two requests, one ranking; the first in both is the first."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await filled(ai)
        found = await ai.retrieval.query("notes", "lamp", limit=1, raw=True)

    assert ["dense", "sparse"] == [one.mode for one in shelf.of(QueryRequest)]
    assert [50, 50] == [one.limit for one in shelf.of(QueryRequest)]
    assert ["b"] == ids(found)
    assert 2 / 61 == found.hits[0].score
    assert ("raw dense", "raw sparse") == found.record.raw


async def test_one_kind_of_vectors():
    """Only its model is asked."""
    shelf, counts = Shelf(), Counts()
    async with client(shelf, counts) as ai:
        await filled(ai)
        before = len(counts.asked)
        thick = await ai.retrieval.query("notes", "sea", mode="dense", raw=True)
        thin = await ai.retrieval.query("notes", "tax", mode="sparse")

    assert ["wide", "thin"] == [one.model.id for one in counts.asked[before:]]
    assert (["a"], ["c"]) == (ids(thick), ids(thin))
    assert "raw dense" == thick.record.raw


async def test_query_by_vectors():
    """Models are not asked; both kinds together are hybrid."""
    counts = Counts()
    thin = SparseVector([2], [1.0])
    async with client(Shelf(), counts) as ai:
        await filled(ai)
        before = len(counts.asked)
        by_thick = await ai.retrieval.query("notes", [1, 0, 0, 0])
        by_thin = await ai.retrieval.query("notes", thin)
        by_both = await ai.retrieval.query("notes", dense([1, 0, 0, 0]), sparse=thin)

    assert before == len(counts.asked)
    assert [("dense", ["a"]), ("sparse", ["c"]), ("hybrid", ["a", "c"])] == [
        (one.mode, ids(one)) for one in (by_thick, by_thin, by_both)
    ]


async def test_words_that_are_in_no_document():
    """Nothing is near a sparse vector of nothing; the dense one still serves."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await filled(ai)
        thin = await ai.retrieval.query("notes", "storm", mode="sparse")
        both = await ai.retrieval.query("notes", "storm")

    assert [(), ()] == [thin.hits, both.hits]
    assert ["sparse", "dense"] == [thin.mode, both.mode]
    assert ["dense"] == [one.mode for one in shelf.of(QueryRequest)]


async def test_shorter_vectors_are_asked_for_again():
    """A collection of fewer dimensions is queried by as many."""
    counts = Counts()
    async with client(Shelf(), counts) as ai:
        await ai.retrieval.create("notes", embedding="acme/known", dimensions=2)
        await ai.retrieval.upsert("notes", DOCUMENTS)
        found = await ai.retrieval.query("notes", "lamp")

    assert [2, 2] == [one.dimensions for one in counts.asked]
    assert ["b", "a"] == ids(found)


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        ({"limit": 0}, "limit", "from 1 up"),
        ({"limit": True}, "limit", "from 1 up"),
        ({"mode": "fuzzy"}, "mode", "none of dense, sparse, hybrid"),
        ({"query": "  "}, "query", "empty"),
        ({"filter": {"kind": "log"}}, "filter", "not dict"),
        ({"sparse": SparseVector([1], [1])}, "sparse", "beside a dense vector"),
        ({"mode": "sparse"}, "mode", "by dense only"),
        ({"query": [1, 2, 3, 4], "mode": "hybrid"}, "mode", "other vectors than the dense"),
        ({"query": [1, 2]}, "vector", "has 2"),
    ],
)
async def test_query_that_cannot_be_asked(arguments, field, words):
    """The store is not asked for anything near."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await ai.retrieval.create("notes", embedding="acme/known")
        with pytest.raises(e.InvalidRequestError, match=words) as caught:
            await ai.retrieval.query("notes", **{"query": "sea", **arguments})

    assert field == caught.value.field
    assert [] == shelf.of(QueryRequest)


# -- counting, deleting, dropping ---------------------------------------------------------


async def test_documents_are_counted_and_taken_out():
    """By ids, or by a filter."""
    async with client(Shelf()) as ai:
        await filled(ai)
        store = ai.retrieval

        assert 3 == (await store.count("notes")).count
        assert 2 == (await store.count("notes", filter=Eq("kind", "log"))).count
        assert 1 == (await store.delete("notes", "b")).count
        assert 0 == (await store.delete("notes", ["b", "z"])).count
        gone = await store.delete("notes", filter=Eq("kind", "log"))
        assert (2, "delete") == (gone.count, gone.record.operation)
        assert 0 == (await store.count("notes")).count


@pytest.mark.parametrize("arguments", [{}, {"ids": "a", "filter": Eq("n", 1)}, {"ids": [""]}])
async def test_what_to_take_out_has_to_be_said(arguments):
    """A forgotten argument does not empty a collection."""
    shelf = Shelf()
    async with client(shelf) as ai:
        await filled(ai)
        with pytest.raises(e.InvalidRequestError, match="or else a filter"):
            await ai.retrieval.delete("notes", **arguments)

    assert 3 == len(shelf.kept["notes"])


async def test_collections_are_listed_and_dropped():
    """By name; one that is not there is no error."""
    shelf = Shelf()
    async with client(shelf) as ai:
        for name in ("b", "a"):
            await ai.retrieval.create(name, dimensions=1)
        listed = await ai.retrieval.collections()

        assert ["a", "b"] == [one.name for one in listed]
        assert "collections" == listed[0].record.operation
        assert 1 == (await ai.retrieval.drop("a")).count
        assert 0 == (await ai.retrieval.drop("a")).count
        with pytest.raises(e.InvalidRequestError, match="no name"):
            await ai.retrieval.drop("a b")

    assert ["a"] == [one.name for one in shelf.of(DropRequest)]


async def test_collection_that_is_not_there():
    """Whatever is asked of it; the error says who has none."""
    async with client(Shelf()) as ai:
        for asking in (
            ai.retrieval.upsert("notes", DOCUMENTS),
            ai.retrieval.query("notes", "sea"),
            ai.retrieval.count("notes"),
            ai.retrieval.delete("notes", "a"),
        ):
            with pytest.raises(e.NotFoundError, match="shelf has no collection 'notes'") as caught:
                await asking
            assert ("shelf", "shelf") == (caught.value.provider, caught.value.record.instance)


# -- stores -------------------------------------------------------------------------------


async def test_store_that_is_down_fails_over_once():
    """The store that says what the collection is also does what is asked."""
    first, second = Down(), Shelf()
    told = {"fallbacks": {"second": ["first"]}}
    async with client(first, None, told, more=[("second", second)]) as ai:
        await ai.retrieval.create("notes", dimensions=1, model=["shelf", "second"])
        await ai.retrieval.upsert(
            "notes", [Document(id="a", vector=[1])], model=["shelf", "second"]
        )
        found = await ai.retrieval.query("notes", [1], model=["shelf", "second"])
        second.fault = e.NotFoundError("gone")
        with pytest.raises(e.NotFoundError, match="gone"):
            await ai.retrieval.query("notes", [1], model="second/second")

    assert ["a"] == ids(found)
    assert [("shelf", "OverloadedError"), ("second", "NoneType"), ("second", "NoneType")] == [
        (one.instance, type(one.error).__name__) for one in found.record.attempts
    ]


async def test_keeping_again_does_no_harm():
    """What was cut off is sent once more, under the same ids."""
    once = iter([e.ConnectionFailedError("cut")])

    class Cuts(Shelf):
        async def upsert(self, request):
            await super().upsert(request)
            for fault in once:
                raise fault

    shelf = Cuts()
    policy = Policy(retry=Retry(attempts=2, first=0.001))
    async with client(shelf, policy=policy) as ai:
        await ai.retrieval.create("notes", dimensions=1)
        found = await ai.retrieval.upsert("notes", [Document(id="a", vector=[1])])

    assert (2, 1, 1) == (len(shelf.of(UpsertRequest)), len(shelf.kept["notes"]), found.count)


async def test_store_is_connected_once():
    """However many ask."""
    shelf, made = Shelf(), []

    class Counting(Shelf):
        pass

    async with client(shelf, told={"instances": {"mine": {"provider": "shelf"}}}) as ai:
        await ai.retrieval.create("notes", dimensions=1, model="mine")
        made = [await ai.retrieval.collections(model="mine") for _ in range(3)]
        doors = [key for key in ai._way.doors._open if key[0] == "retrieval"]

    assert [("retrieval", "mine")] == doors
    assert [1, 1, 1] == [len(one) for one in made]
    assert 4 == len(shelf.of(CollectionsRequest))


async def test_store_can_be_connected_early():
    """By its name alone."""
    async with client(Shelf()) as ai:
        await ai.warm("shelf")

        assert [("retrieval", "shelf")] == list(ai._way.doors._open)


async def test_store_that_lacks_a_method_is_broken():
    """Found when it is connected."""

    class Half:
        async def collections(self, request):
            return []

    with pytest.raises(e.BrokenPluginError, match=r"Half has no create\(\)"):
        bind(Half())


def test_without_await():
    """A script and a notebook do the same."""
    shelf = Shelf()
    inner = client(shelf)
    with SyncClient(registry=inner.registry) as ai:
        ai.retrieval.create("notes", embedding="acme/wide")
        ai.retrieval.upsert("notes", DOCUMENTS)

        assert ["b", "a"] == ids(ai.retrieval.query("notes", "lamp"))
