"""What `anymodal index` keeps, and what `anymodal query` shows of it."""

import json

import pytest
from anymodal.cli.passages import passages
from hypothesis import given
from hypothesis import strategies as st

from .distributions import Site

PLUGIN = """
import pickle
from pathlib import Path

from anymodal import hookimpl
from anymodal.modalities.embedding import EmbeddingModelSpec, EmbeddingProviderSpec, EmbeddingResult, dense
from anymodal.modalities.retrieval import Hit, QueryResult, RetrievalProviderSpec

FILE = Path("kept.pickle")
WORDS = ("lamp", "sea")


class Embeds:
    def embed(self, request):
        return EmbeddingResult(
            dense=tuple(dense([text.count(word) for word in WORDS]) for text in request.texts)
        )


class Keeps:
    def __init__(self):
        print("it is connected")
        self.made, self.kept = pickle.loads(FILE.read_bytes()) if FILE.exists() else ({}, {})

    def _save(self):
        FILE.write_bytes(pickle.dumps((self.made, self.kept)))

    def collections(self, request):
        return list(self.made.values())

    def create(self, request):
        self.made[request.collection.name] = request.collection
        self._save()

    def upsert(self, request):
        for one in request.documents:
            self.kept[one.id] = (one.text, dict(one.payload), list(one.vector))
        self._save()

    def query(self, request):
        hits = [
            Hit(id=key, score=sum(a * b for a, b in zip(vector, request.dense)), text=text, payload=payload)
            for key, (text, payload, vector) in self.kept.items()
        ]
        hits.sort(key=lambda one: -one.score)
        return QueryResult(hits=tuple(hits[: request.limit]))

    def delete(self, request):
        self.kept = {k: one for k, one in self.kept.items() if not request.filter.matches(one[1])}
        self._save()

    def drop(self, request):
        raise NotImplementedError

    count = drop


@hookimpl
def anymodal_embedding_providers():
    yield EmbeddingProviderSpec(
        id="acme", display_name="Acme", kind="local", connect=lambda _: Embeds(),
        models=[EmbeddingModelSpec(id="two", dimensions=2)],
    )


@hookimpl
def anymodal_retrieval_providers():
    yield RetrievalProviderSpec(
        id="acme", display_name="Acme", kind="local", connect=lambda _: Keeps(),
    )
"""


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed, and commands run beside their files."""
    found = Site(tmp_path)
    found.install("acme", PLUGIN)
    (found.home / "log.txt").write_text(f"The lamp, the lamp.\n\n{'Rough sea. ' * 90}\n")
    return found


def test_files_are_kept_and_found(site):
    """In passages; what the plugin prints is no part of it."""
    kept = site.run("index", "notes", "log.txt", "-m", "acme/two")
    found = site.run("query", "notes", "the lamp", "-n", "1")

    assert (0, 0) == (kept.returncode, found.returncode), kept.stderr + found.stderr
    assert "notes log.txt 2" == " ".join(kept.stdout.splitlines()[-1].split())
    assert "1 2 log.txt#0 The lamp, the lamp." == " ".join(found.stdout.splitlines()[-1].split())
    assert "it is connected\n" == found.stderr


def test_json_has_all_of_it(site):
    """One document, a list of objects."""
    kept = site.run("index", "notes", "log.txt", "-m", "acme/two", "--json")
    found = site.run("query", "notes", "a lamp", "-n", "1", "--mode", "dense", "--json")

    assert [{"collection": "notes", "file": "log.txt", "passages": 2}] == json.loads(kept.stdout)
    assert [
        {
            "rank": 1, "id": "log.txt#0", "score": 2.0, "mode": "dense",
            "text": "The lamp, the lamp.", "payload": {"file": "log.txt", "passage": 0},
        }
    ] == json.loads(found.stdout)  # fmt: skip


def test_shorter_file_leaves_nothing_behind(site):
    """Indexed again it takes its own place; models need not be named again."""
    site.run("index", "notes", "log.txt", "-m", "acme/two")
    (site.home / "log.txt").write_text("One lamp.")
    site.run("index", "notes", "log.txt")

    found = json.loads(site.run("query", "notes", "lamp sea", "--json").stdout)
    assert [("log.txt#0", "One lamp.")] == [(one["id"], one["text"]) for one in found]


def test_what_is_wrong_is_said_in_a_sentence(site):
    """On standard error, with the status of an error."""
    (site.home / "picture.png").write_bytes(b"\xff\xfe\x00\xd8")
    (site.home / "empty.txt").write_text(" \n")
    unknown = site.run("query", "nothing", "lamp")
    binary = site.run("index", "notes", "picture.png", "-m", "acme/two")
    absent = site.run("index", "notes", "no.txt")
    empty = site.run("index", "notes", "empty.txt", "-m", "acme/two")

    assert (1, 1, 2, 0) == tuple(one.returncode for one in (unknown, binary, absent, empty))
    assert "acme has no collection 'nothing'" in unknown.stderr
    assert "picture.png is no text in UTF-8." in binary.stderr
    assert "no.txt" in absent.stderr
    assert "A file without words has no passages." in empty.stderr


TEXTS = st.text(st.sampled_from("ab. \n!"), max_size=200)


@given(TEXTS, st.integers(1, 40))
def test_passages_lose_no_word(text, longest):
    """Whatever is cut, every letter is there, in order; none is too long, none is empty."""
    found = passages(text, longest)

    assert "".join(text.split()) == "".join("".join(found).split())
    assert all(one.strip() and len(one) <= longest for one in found)
    assert found == passages(text, longest)


def test_passages_end_where_paragraphs_and_sentences_do():
    """As far as they fit."""
    assert ["One.\n\nTwo."] == passages("One.\n\n\nTwo.\n", 20)
    assert ["A first one.", "A second."] == passages("A first one. A second.", 14)
    assert ["alpha", "beta"] == passages("alpha beta", 6)
