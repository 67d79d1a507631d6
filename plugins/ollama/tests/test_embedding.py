"""Vectors from Ollama: what goes out, what comes back, what is refused; and the emulator by its client."""

from __future__ import annotations

import math

import anymodal_ollama as plugin
import ollama
import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal_emulator import Rewrite, Status, emulated, gaps
from anymodal_ollama import OllamaEmbedding
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_embedding_providers()
(EMULATOR,) = plugin.anymodal_emulators()
TEXTS = ["A lighthouse keeper lights the lamp.", "The lamps of the lighthouse.", "Taxes are due."]


def says(body):
    """Return what makes the vendor answer with *body*."""
    return Rewrite(lambda _, __: body)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated(EMULATOR) as running:
        yield running


async def embed(vendor, texts=TEXTS, **arguments):
    once = Policy(retry=Retry(attempts=1))
    async with Client(Settings.from_mapping(vendor.settings()), policy=once) as ai:
        return await ai.embedding.embed(texts, **{"model": "ollama/nomic-embed-text", **arguments})


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_goes_out(vendor):
    """In the server's words; a text that is too long is refused and not cut in silence."""
    found = await embed(
        vendor, dimensions=64, end_user="u-1",
        options=[
            OllamaEmbedding(
                num_ctx=4096, keep_alive="10m", extra_body={"options": {"seed": 1}},
                extra_headers={"X-Trace": "t"},
            )
        ],
    )  # fmt: skip
    (request,) = vendor.requests

    assert request.json == snapshot(
        {
            "model": "nomic-embed-text",
            "input": [
                "A lighthouse keeper lights the lamp.",
                "The lamps of the lighthouse.",
                "Taxes are due.",
            ],
            "truncate": False,
            "dimensions": 64,
            "options": {"num_ctx": 4096, "seed": 1},
            "keep_alive": "10m",
        }
    )
    assert "t" == request.headers["x-trace"]
    assert "end_user" in [one.setting for one in found.record.warnings]
    assert 64 == found.dimensions


async def test_what_comes_back(vendor):
    """Vectors of length 1, near where texts are; on this machine they cost nothing."""
    found = await embed(vendor, raw=True)
    lamp, lamps, taxes = found.dense

    assert (768, True, "nomic-embed-text") == (found.dimensions, found.normalised, found.model)
    assert all(math.isclose(1, dot(one, one), rel_tol=1e-5) for one in found.dense)
    assert dot(lamp, lamps) > dot(lamp, taxes) + 0.3
    assert (0, True) == (found.record.cost.usd, found.usage.input_tokens > 0)
    assert found.dense == (await embed(vendor)).dense
    assert "embeddings" in found.raw


@pytest.mark.parametrize(
    ("purpose", "options", "wanted"),
    [
        ("query", (), "search_query: a"),
        ("document", (), "search_document: a"),
        (None, (), "a"),
        ("query", [OllamaEmbedding(prefixes=False)], "a"),
    ],
)
async def test_purposes(vendor, purpose, options, wanted):
    """Models that were taught with words before the text get them."""
    await embed(vendor, ["a"], purpose=purpose, options=options)

    assert [wanted] == vendor.requests[0].json["input"]


async def test_purpose_of_a_model_that_knows_none(vendor):
    """Its texts go as they are."""
    await embed(vendor, ["a"], model="ollama/qwen3:8b", purpose="query")

    assert ["a"] == vendor.requests[0].json["input"]


async def test_more_dimensions_than_there_are(vendor):
    """The server gives what it has; that is warned of, or an error."""
    found = await embed(vendor, dimensions=5000)

    assert 768 == found.dimensions
    assert "dimensions" in [one.setting for one in found.record.warnings]
    with pytest.raises(e.UnsupportedFeatureError, match="768"):
        await embed(vendor, dimensions=5000, strict=True)


async def test_a_text_that_is_too_long(vendor):
    """It is refused, or cut where somebody wants that."""
    long = "word " * 3000
    with pytest.raises(e.BadRequestError, match="context length") as caught:
        await embed(vendor, [long])
    found = await embed(vendor, [long], options=[OllamaEmbedding(truncate=True)])

    assert 0 == caught.value.index
    assert 2048 == found.usage.input_tokens


async def test_model_that_was_not_pulled(vendor):
    """The error says how to get it."""
    with pytest.raises(e.NotFoundError, match="ollama pull"):
        await embed(vendor, model="ollama/bge-m3")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(500), e.ServerError),
        (says(b'{"model": "m"}'), e.MalformedReplyError),
        (
            says(b'{"model":"m","embeddings":[[1]],"prompt_eval_count":"3"}'),
            e.MalformedReplyError,
        ),
    ],
)  # fmt: skip
async def test_failures_of_the_server(vendor, fault, kind):
    """They are those of all its calls."""
    vendor.script(fault)
    with pytest.raises(kind) as caught:
        await embed(vendor)

    assert "ollama" == caught.value.provider


async def test_answer_without_a_count(vendor):
    """What was used is not known then, and so is the cost."""
    body = b'{"model":"m","embeddings":[[1],[2],[3]]}'
    vendor.script(says(body))
    found = await embed(vendor)

    assert (None, None) == (found.usage, found.record.cost.usd)


async def test_models_and_health(vendor):
    """The server's list, and whether it answers."""
    async with Client(Settings.from_mapping(vendor.settings())) as ai:
        found = await ai.discover("ollama", modality="embedding", refresh=True)
        health = await ai.health("ollama")

    assert ["nomic-embed-text:latest"] == [one.model.id for one in found.models]
    assert {"healthy"} == {one.state for one in health}


def test_spec():
    """The same door as for text."""
    (text,) = plugin.anymodal_text_providers()

    assert (text.kind, text.base_url, text.credentials) == (
        SPEC.kind,
        SPEC.base_url,
        SPEC.credentials,
    )


# -- the emulator, by Ollama's own client -------------------------------------------------


def test_the_client_reads_vectors(vendor):
    """With nothing missing and nothing left over."""
    with ollama.Client(vendor.base_url) as client:
        found = client.embed("nomic-embed-text", TEXTS, dimensions=32)
        one = client.embed("nomic-embed-text", TEXTS[0])
        with pytest.raises(ollama.ResponseError, match="not found"):
            client.embed("bge-m3", "a")
        with pytest.raises(ollama.ResponseError, match="context length"):
            client.embed("nomic-embed-text", "word " * 3000, truncate=False)

    assert [] == gaps(found)
    assert [32, 32, 32] == [len(row) for row in found.embeddings]
    assert 768 == len(one.embeddings[0])
    assert found.prompt_eval_count > 0
