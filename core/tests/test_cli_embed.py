"""What `anymodal embed` sends and writes."""

import json

import pytest

from .distributions import Site

PLUGIN = """
from anymodal import hookimpl
from anymodal.modalities.embedding import (
    EmbeddingModelSpec, EmbeddingProviderSpec, EmbeddingResult, SparseVector, dense,
)
from anymodal.usage import Usage


class Embeds:
    def embed(self, request):
        print("it is called")
        if request.model.id == "thin":
            return EmbeddingResult(sparse=(SparseVector([3, 7], [0.1, 2]),) * len(request.texts))
        size = request.dimensions or 6
        return EmbeddingResult(
            dense=tuple(dense([len(text) / 10] * size) for text in request.texts),
            usage=Usage(5, 0), normalised=False,
        )


@hookimpl
def anymodal_embedding_providers():
    yield EmbeddingProviderSpec(
        id="acme", display_name="Acme", kind="local", connect=lambda _: Embeds(),
        models=[EmbeddingModelSpec(id="wide"), EmbeddingModelSpec(id="thin")],
        default_model="wide",
    )
"""


@pytest.fixture
def site(tmp_path):
    """A place where only acme is installed."""
    found = Site(tmp_path)
    found.install("acme", PLUGIN)
    return found


def test_table_of_vectors(site):
    """Their beginnings; what the plugin prints is no part of it."""
    ended = site.run("embed", "a lamp", "sea", "-m", "acme/wide")

    assert 0 == ended.returncode
    *_, lamp, sea = ended.stdout.splitlines()
    assert "a lamp 6 0.6, 0.6, 0.6, 0.6, …" == " ".join(lamp.split())
    assert "sea 6 0.3, 0.3, 0.3, 0.3, …" == " ".join(sea.split())
    assert "it is called\n" == ended.stderr


def test_json_has_all_of_it(site):
    """One document, a list of objects; the numbers with as many digits as they have."""
    ended = site.run("embed", "a lamp", "sea", "-m", "acme/wide", "--dimensions", "2", "--json")

    assert [
        {
            "index": index, "text": text, "provider": "acme", "model": "wide", "dimensions": 2,
            "normalised": False, "vector": [number, number], "sparse": None,
        }
        for index, (text, number) in enumerate([("a lamp", 0.600000024), ("sea", 0.300000012)])
    ] == json.loads(ended.stdout)  # fmt: skip


def test_sparse_vectors(site):
    """In both forms."""
    table = site.run("embed", "lamp", "-m", "acme/thin")
    (row,) = json.loads(site.run("embed", "lamp", "-m", "acme/thin", "--json").stdout)

    assert "3: 0.1, 7: 2" in table.stdout
    assert {"indices": [3, 7], "values": [0.100000001, 2.0]} == row["sparse"]
    assert (None, None) == (row["vector"], row["dimensions"])


@pytest.mark.parametrize("arguments", [[], ["-"], ["-", "--purpose", "document"]])
def test_lines_of_standard_input(site, arguments):
    """Each is a text; empty ones are passed over."""
    piped = "one\n\n  \nzwölf\r\n".encode()
    ended = site.run("embed", *arguments, "-m", "acme", "--json", piped=piped)

    assert ["one", "zwölf"] == [row["text"] for row in json.loads(ended.stdout)]


def test_lines_among_texts(site):
    """A dash stands for them where it is."""
    ended = site.run("embed", "a", "-", "z", "-m", "acme", "--json", piped=b"b\nc\n")

    assert ["a", "b", "c", "z"] == [row["text"] for row in json.loads(ended.stdout)]


def test_what_it_cost(site):
    """On standard error, where asked."""
    ended = site.run("embed", "a", "-m", "acme", "-v")

    assert "acme/wide: cost unknown" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "piped", "status", "words"),
    [
        ([], None, 2, "There is no text"),
        (["-"], b"\n", 2, "There is no text"),
        ([], b"\xff\xfe\x00", 2, "no text in UTF-8"),
        (["a", "--dimensions", "0"], None, 2, "--dimensions"),
        (["a", "--purpose", "search"], None, 2, "--purpose"),
        (["a", " "], None, 1, "number 1 is empty"),
        (["a", "-m", "acme/nothing/x"], None, 0, ""),
        (["a", "-m", "nobody/x"], None, 1, "nobody"),
    ],
)
def test_how_it_ends(site, arguments, piped, status, words):
    """One or two sentences on standard error, and nothing beside them."""
    arguments = arguments if "-m" in arguments else [*arguments, "-m", "acme"]
    ended = site.run("embed", *arguments, piped=piped)

    assert status == ended.returncode
    assert words in ended.stderr
    assert not status or "" == ended.stdout
