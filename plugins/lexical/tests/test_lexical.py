"""Words as vectors: which words, which numbers, which weights."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections import Counter

import anyio
import anymodal_lexical as plugin
import pytest
from anymodal import Client, Settings
from anymodal import errors as e
from anymodal_lexical import LexicalEmbedding
from anymodal_lexical.models import LANGUAGES, MODELS
from anymodal_lexical.stopwords import STOPWORDS
from anymodal_lexical.words import LONGEST, REMEMBERED, Lexicon, index_of, lexicon_of
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
KEEPER = "The keepers of the lighthouses were keeping the lamps lit."


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def embed(*texts, model="lexical/bm25-en", **arguments):
    async with Client(Settings.empty()) as ai:
        return await ai.embedding.embed(texts, model=model, **arguments)


async def only(text, **arguments):
    """Return the one vector as a dict."""
    return dict((await embed(text, **arguments)).sparse[0])


def test_same_text_same_vector():
    """In this process and in any other, for what is kept has to be found again."""
    first, second = anyio.run(embed, KEEPER, KEEPER).sparse
    script = (
        "import anyio; from anymodal import Client, Settings\n"
        "async def main():\n"
        "    async with Client(Settings.empty()) as ai:\n"
        f"        found = await ai.embedding.embed({KEEPER!r}, model='lexical/bm25-en')\n"
        "        print(found.sparse[0].to_dict())\n"
        "anyio.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert first == second
    assert str(first.to_dict()) == done.stdout.strip()


async def test_numbers_of_words():
    """They are 31 bits of a CRC, written down here because collections are kept for years."""
    assert {323197465: "lighthous", 0: ""} == {index_of(w): w for w in ("lighthous", "")}
    found = await only("lighthouse", purpose="query")

    assert {323197465: 1.0} == found


async def test_related_texts_are_nearer_than_others():
    """By the words that they share, endings aside."""
    found = await embed(KEEPER, "A lighthouse keeper lit his lamp.", "Cats sleep all day.")
    one, alike, other = (dict(vector) for vector in found.sparse)

    def shared(a, b):
        return sum(weight * b.get(index, 0.0) for index, weight in a.items())

    assert shared(one, alike) > 2
    assert 0 == shared(one, other)


async def test_score_is_that_of_bm25():
    """A document's vector times a query's is the sum over the query's words, but for IDF."""
    text = "lamp " * 3 + "sea ship harbour"
    document, query = await only(text), await only("lamps at sea", purpose="query")
    k1, b, norm = 1.2, 0.75, 6 / 256
    wanted = sum(tf * (k1 + 1) / (tf + k1 * (1 - b + b * norm)) for tf in (3, 1))

    score = sum(weight * document[index] for index, weight in query.items())
    assert math.isclose(wanted, score, rel_tol=1e-6)


async def test_purposes():
    """A query's words count once each; without a purpose a text is a document."""
    assert {1.0} == set((await only("lamp lamp sea", purpose="query")).values())
    assert await only("lamp sea") == await only("lamp sea", purpose="document")


async def test_weights_by_options():
    """k1 of 0 counts a word once; b of 0 knows no long texts."""
    once = await only("lamp lamp sea", options=[LexicalEmbedding(k1=0)])
    short = await only("lamp", options=[LexicalEmbedding(b=0)])
    long = await only("lamp" + " sea" * 500, options=[LexicalEmbedding(b=0)])
    average = await only("lamp", options=[LexicalEmbedding(average_words=1)])

    assert {1.0} == set(once.values())
    assert short[index_of("lamp")] == long[index_of("lamp")]
    assert {1.0} == set(average.values())


@pytest.mark.parametrize("wrong", [{"k1": -1}, {"b": 1.5}, {"b": -0.1}, {"average_words": 0}])
async def test_options_that_make_no_sense(wrong):
    """They say so where they are written."""
    with pytest.raises(e.InvalidRequestError, match=next(iter(wrong))):
        LexicalEmbedding(**wrong)


async def test_options_of_the_settings():
    """A collection's weights stand in one place."""
    told = {"providers": {"lexical": {"vendor_options": {"embedding": {"k1": 0.0}}}}}
    async with Client(Settings.from_mapping(told)) as ai:
        found = await ai.embedding.embed("lamp lamp sea", model="lexical/bm25-en")

    assert {1.0} == set(found.sparse[0].values)


async def test_common_words_are_left_out():
    """Unless there are no others, or somebody wants them."""
    assert 2 == len(await only("the lamp and the sea"))
    assert 4 == len(await only("the lamp and the sea", options=[LexicalEmbedding(stopwords=False)]))
    assert 4 == len(await only("To be, or not to be"))


async def test_endings():
    """By language, and only where wanted."""
    stemmed = await only("keeper keeps keeping", purpose="query")
    whole = await only("keeper keeps keeping", options=[LexicalEmbedding(stemming=False)])
    none = await only("keeper keeps keeping", model="lexical/bm25")
    german = await only("Häuser Hauses", model="lexical/bm25-de")

    assert {index_of("keeper"), index_of("keep")} == set(stemmed)
    assert 3 == len(whole) == len(none)
    assert {index_of("haus")} == set(german)


@pytest.mark.parametrize("code", LANGUAGES)
async def test_every_language_works(code):
    """Each has its stemmer, and a word of it is never lost."""
    found = await embed("Alexandria ÄÖ 1889", model=f"lexical/bm25-{code}")

    assert 3 == len(found.sparse[0])
    assert 3 == found.usage.input_tokens


@pytest.mark.parametrize("code", STOPWORDS)
def test_stop_words_are_words(code):
    """As texts are cut into words, or they would never be left out."""
    lexicon = lexicon_of("", stemming=False, stopwords=False)

    for word in STOPWORDS[code]:
        assert {index_of(word): 1} == lexicon.counts(word)
    assert 40 < len(STOPWORDS[code]) < 250


async def test_scripts_without_spaces():
    """Pairs of letters are found within longer runs."""
    tokyo, name = (
        await only("東京都庁", model="lexical/bm25"),
        await only("東京", model="lexical/bm25"),
    )
    mixed = await only("iPhone手機 1台", model="lexical/bm25")

    assert set(name) < set(tokyo)
    assert 3 == len(tokyo)
    assert {index_of(w) for w in ("iphone", "手機", "1", "台")} == set(mixed)


async def test_writing_makes_no_difference():
    """Capitals, composed letters, wide letters, underscores."""
    wanted = await only("café numéro dix")

    assert wanted == await only("CAFE\u0301 NUMÉRO DIX")
    assert wanted == await only("ｃａｆé_numéro, dix!")


async def test_texts_without_words():
    """Their vectors are empty, and their places kept."""
    found = await embed("?!", "lamp", "…")

    assert [0, 1, 0] == [len(vector) for vector in found.sparse]


async def test_it_costs_nothing():
    """The price is known, and is 0; what was used are words."""
    found = await embed("the lamp and the sea", "sea")

    assert 0 == found.record.cost.usd
    assert (3, None, None) == (found.usage.input_tokens, found.normalised, found.dimensions)


async def test_nothing_dense():
    """Nor any number of dimensions: it is refused."""
    with pytest.raises(e.UnsupportedFeatureError, match="dimensions"):
        await embed("lamp", dimensions=100)


@pytest.mark.parametrize("model", ["bm25-xx", "tf-idf", "bm25en"])
async def test_unknown_languages(model):
    """The error has those that there are."""
    with pytest.raises(e.UnknownModelError, match=r"bm25-.*yi"):
        await embed("lamp", model=f"lexical/{model}")


async def test_long_texts_are_weighed_in_a_thread():
    """So that the event loop goes on; the vectors are the same."""
    threads = set()

    class Watched(Lexicon):
        def counts(self, text):
            threads.add(threading.get_ident())
            return super().counts(text)

    from anymodal_lexical.vectors import LexicalVectors

    provider = LexicalVectors()
    provider._lexicons["", True, True] = Watched(None, frozenset())
    from anymodal.modalities.embedding import EmbeddingRequest

    def request(times):
        return EmbeddingRequest(model=MODELS[1], texts=("lamp sea " * times,))

    await provider.embed(request(10))
    assert {threading.get_ident()} == threads
    found = await provider.embed(request(5000))

    assert 2 == len(threads)
    assert 10_000 == found.usage.input_tokens


async def test_many_tasks_share_one_provider():
    """A stemmer works on itself, so that no two may use it at once."""
    texts = [f"keepers{n} lighting{n} lamps{n} " * 500 for n in range(20)]
    found = {}
    async with Client(Settings.empty()) as ai:

        async def one(number):
            result = await ai.embedding.embed(texts[number], model="lexical/bm25-en")
            found[number] = result.sparse[0]

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, number)
    alone = await embed(*texts)

    assert alone.sparse == tuple(found[number] for number in range(20))


def test_words_that_are_remembered_are_bounded():
    """Texts of random words would fill the memory otherwise; very long ones are not kept at all."""
    lexicon = Lexicon(None, frozenset())
    lexicon._known = dict.fromkeys(map(str, range(REMEMBERED)), (1,))
    lexicon.counts("lamp")
    assert {"lamp"} == set(lexicon._known)
    lexicon.counts("x" * (LONGEST + 1))

    assert {"lamp"} == set(lexicon._known)


WORDS = st.lists(
    st.text(st.characters(categories=["L", "N", "Zs", "P"]), min_size=1, max_size=12), max_size=30
)


@given(WORDS, st.sampled_from(["", "en", "de", "ru", "tr"]))
@settings(deadline=None)
def test_counts_do_not_depend_on_what_came_before(words, code):
    """A table that remembers gives what a new one does; order and repetition change nothing else."""
    text = " ".join(words)
    old = lexicon_of(code, stemming=True, stopwords=False)
    old.counts("lamps " + text)

    assert lexicon_of(code, stemming=True, stopwords=False).counts(text) == old.counts(text)
    assert old.counts(" ".join(reversed(words))) == old.counts(text)
    twice = Counter({index: 2 * count for index, count in old.counts(text).items()})
    assert twice == old.counts(f"{text} {text}")
    assert all(0 <= index < 2**31 for index in twice)


def test_spec():
    """It is local, needs no key and says what it makes."""
    (spec,) = plugin.anymodal_embedding_providers()

    assert ("local", (), None) == (spec.kind, spec.credentials, spec.base_url)
    assert (True, False) == (spec.capabilities.get("sparse"), spec.capabilities.get("dense"))
    assert len(LANGUAGES) + 1 == len(spec.models)
    assert all(model.source and model.prices for model in spec.models)


def test_names_of_the_module():
    """Those that are promised come when asked for, and no others."""
    assert [] == [name for name in plugin.__all__ if not hasattr(plugin, name)]
    with pytest.raises(AttributeError, match="nonsense"):
        plugin.nonsense  # noqa: B018
