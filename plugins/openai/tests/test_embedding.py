"""Vectors from OpenAI: what goes out, what comes back, what is refused; and the emulator by the SDK."""

from __future__ import annotations

import math

import anymodal_openai as plugin
import openai
import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal_emulator import Status, emulated, gaps
from anymodal_openai import OpenAIEmbedding
from inline_snapshot import snapshot

pytestmark = pytest.mark.anyio
(SPEC,) = plugin.anymodal_embedding_providers()
(EMULATOR,) = plugin.anymodal_emulators()
TEXTS = ["A lighthouse keeper lights the lamp.", "The lamps of the lighthouse.", "Taxes are due."]


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
        return await ai.embedding.embed(
            texts, **{"model": "openai/text-embedding-3-small", **arguments}
        )


def sent(vendor):
    return [request.json for request in vendor.requests]


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_goes_out(vendor):
    """Everything that was asked for, in the vendor's words; numbers as base64."""
    await embed(
        vendor, dimensions=256, end_user="u-1", purpose="query",
        options=[OpenAIEmbedding(extra_body={"user": "u-3"}, extra_headers={"X-Trace": "t"})],
    )  # fmt: skip
    (request,) = vendor.requests

    assert request.json == snapshot(
        {
            "model": "text-embedding-3-small",
            "input": [
                "A lighthouse keeper lights the lamp.",
                "The lamps of the lighthouse.",
                "Taxes are due.",
            ],
            "encoding_format": "base64",
            "dimensions": 256,
            "user": "u-3",
        }
    )
    assert ("t", "Bearer sk-proj-emulator") == (
        request.headers["x-trace"], request.headers["authorization"],
    )  # fmt: skip


async def test_what_comes_back(vendor):
    """Vectors of length 1, near where texts are, with what they cost."""
    found = await embed(vendor, raw=True)
    lamp, lamps, taxes = found.dense

    assert (1536, True, "text-embedding-3-small") == (
        found.dimensions, found.normalised, found.model,
    )  # fmt: skip
    assert all(math.isclose(1, dot(one, one), rel_tol=1e-5) for one in found.dense)
    assert dot(lamp, lamps) > dot(lamp, taxes) + 0.3
    assert found.request_id.startswith("req_")
    assert found.usage.input_tokens * 2 == int(found.record.cost.usd * 100_000_000)
    assert "list" == found.record.raw["object"]


async def test_a_text_has_the_same_vector_again(vendor):
    """And another one by another model, in other dimensions."""
    first, again = await embed(vendor), await embed(vendor)
    other = await embed(vendor, model="openai/text-embedding-ada-002")
    short = await embed(vendor, dimensions=64)

    assert first.dense == again.dense
    assert 0.5 > abs(dot(first.dense[0], other.dense[0]))
    assert (3072, 64) == (
        (await embed(vendor, model="openai/text-embedding-3-large")).dimensions, short.dimensions,
    )  # fmt: skip


async def test_user_goes_before_end_user(vendor):
    """An option of the vendor's own is the more exact one."""
    await embed(vendor, end_user="u-1", options=[OpenAIEmbedding(user="u-2")])

    assert "u-2" == sent(vendor)[0]["user"]


async def test_model_without_dimensions_to_choose(vendor):
    """It is known of the old one, so nothing is sent; its own number needs no saying."""
    with pytest.raises(e.UnsupportedFeatureError, match="dimensions"):
        await embed(vendor, model="openai/text-embedding-ada-002", dimensions=256)
    assert () == vendor.requests
    await embed(vendor, model="openai/text-embedding-ada-002", dimensions=1536)

    assert "dimensions" not in sent(vendor)[0]


async def test_more_texts_than_the_vendor_takes(vendor):
    """They go out in parts, and come back in order."""
    texts = [f"text {number}" for number in range(2500)]
    found = await embed(vendor, texts, dimensions=8)
    alone = await embed(vendor, texts[2400], dimensions=8)

    assert [2048, 452] == sorted((len(body["input"]) for body in sent(vendor)[:2]), reverse=True)
    assert alone.dense[0] == found.dense[2400]


async def test_more_tokens_than_were_guessed(vendor):
    """What the vendor refuses as too long in all is halved."""
    found = await embed(vendor, ["a b c d e f g h " * 1000] * 40, dimensions=8)

    assert 40 == len(found.dense)
    assert 40 < sum(len(body["input"]) for body in sent(vendor))


@pytest.mark.parametrize("at", [0, 5])
async def test_a_text_that_is_too_long(vendor, at):
    """The vendor says which; it is a bad request there, without a code of its own."""
    texts = ["short"] * at + ["word " * 9000]
    with pytest.raises(e.BadRequestError, match="maximum input length") as caught:
        await embed(vendor, texts)

    assert at == caught.value.index


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, e.AuthenticationError), (429, e.RateLimitedError), (500, e.ServerError)],
)
async def test_failures_of_the_vendor(vendor, status, kind):
    """They are those of all its calls."""
    vendor.script(Status(status))
    with pytest.raises(kind) as caught:
        await embed(vendor)

    assert ("openai", status) == (caught.value.provider, caught.value.status)


async def test_batches_cost_half():
    """As the vendor's guide says."""
    for model in SPEC.models:
        (usual,), (half,) = model.prices.items, model.batch_prices.items
        assert usual.usd == half.usd * 2


async def test_spec():
    """The same doors as for text."""
    (text,) = plugin.anymodal_text_providers()

    assert (text.credentials, text.base_url, text.id) == (SPEC.credentials, SPEC.base_url, SPEC.id)
    assert SPEC.model(SPEC.default_model) is not None
    assert (2048, 300_000) == (SPEC.max_inputs, SPEC.max_request_tokens)


# -- the emulator, by the vendor's SDK ----------------------------------------------------


@pytest.fixture
def sdk(vendor):
    key, url = vendor.key, vendor.base_url
    with openai.OpenAI(api_key=key, base_url=url, max_retries=0) as client:
        yield client


def test_the_sdk_reads_vectors(sdk):
    """Packed, as it asks for by itself, and as numbers: the same."""
    packed = sdk.embeddings.create(model="text-embedding-3-small", input=TEXTS, dimensions=32)
    plain = sdk.embeddings.create(
        model="text-embedding-3-small", input=TEXTS, dimensions=32, encoding_format="float"
    )

    assert [] == gaps(packed) == gaps(plain)
    assert [row.embedding for row in plain.data] == [
        pytest.approx(row.embedding) for row in packed.data
    ]
    assert [0, 1, 2] == [row.index for row in packed.data]
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input": ""}, "is invalid"),
        ({"input": []}, "is invalid"),
        ({"input": ["a", ""]}, "is invalid"),
        ({"input": ["a"] * 2049}, "maximum length 2048"),
        ({"input": [1, 2]}, "Invalid type"),
        ({"input": ["word " * 2000] * 200}, "max 300000 tokens"),
        ({"dimensions": 1537}, "less than or equal to 1536"),
        ({"dimensions": 0}, "Invalid value"),
        ({"model": "text-embedding-ada-002", "dimensions": 5}, "not support specifying"),
        ({"encoding_format": "md5"}, "Supported values"),
        ({"extra_body": {"future": 1}}, "Unknown parameter"),
    ],
)
def test_what_the_vendor_refuses(sdk, arguments, words):
    """With its words, as the SDK's own error."""
    usual = {"model": "text-embedding-3-small", "input": "a"}
    with pytest.raises(openai.BadRequestError, match=words):
        sdk.embeddings.create(**{**usual, **arguments})


def test_models_that_make_no_vectors(sdk):
    """They are not found here."""
    with pytest.raises(openai.NotFoundError):
        sdk.embeddings.create(model="gpt-6.1-sol", input="a")
