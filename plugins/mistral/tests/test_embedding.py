"""Vectors from Mistral: what goes out, what comes back, what is refused; and the emulator by the SDK."""

from __future__ import annotations

import math

import anymodal_mistral as plugin
import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal_emulator import Rewrite, Status, emulated, gaps
from anymodal_mistral import MistralEmbedding
from inline_snapshot import snapshot
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError

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
        return await ai.embedding.embed(texts, **{"model": "mistral/mistral-embed", **arguments})


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_goes_out(vendor):
    """In the vendor's words; what it has no field for is warned of."""
    found = await embed(
        vendor, model="mistral/codestral-embed", dimensions=256, end_user="u-1",
        options=[MistralEmbedding(metadata={"run": "7"}, extra_body={"output_dtype": "float"})],
    )  # fmt: skip
    (request,) = vendor.requests

    assert request.json == snapshot(
        {
            "model": "codestral-embed",
            "input": [
                "A lighthouse keeper lights the lamp.",
                "The lamps of the lighthouse.",
                "Taxes are due.",
            ],
            "encoding_format": "float",
            "output_dimension": 256,
            "metadata": {"run": "7"},
            "output_dtype": "float",
        }
    )
    assert ["end_user"] == [one.setting for one in found.record.warnings]
    assert 256 == found.dimensions
    with pytest.raises(e.UnsupportedFeatureError, match="end_user"):
        await embed(vendor, end_user="u-1", strict=True)


async def test_what_comes_back(vendor):
    """Vectors near where texts are, with what they cost; how long they are is not known."""
    found = await embed(vendor)
    lamp, lamps, taxes = found.dense

    assert (1024, None, "mistral-embed") == (found.dimensions, found.normalised, found.model)
    assert dot(lamp, lamps) > dot(lamp, taxes) + 0.3
    assert math.isclose(found.usage.input_tokens * 1e-7, found.record.cost.usd)
    assert found.request_id
    assert found.dense == (await embed(vendor)).dense


async def test_more_texts_and_tokens_than_the_vendor_takes(vendor):
    """Parts are within both limits, as far as tokens can be guessed, and halved beyond."""
    found = await embed(vendor, [f"text {number}" for number in range(1100)])
    await embed(vendor, ["a b c d e f g h " * 400] * 20)

    assert 1100 == len(found.dense)
    sizes = [len(request.json["input"]) for request in vendor.requests]
    assert 512 == max(sizes)
    assert 1120 < sum(sizes)


async def test_a_text_that_is_too_long(vendor):
    """The vendor says which."""
    with pytest.raises(e.BadRequestError) as caught:
        await embed(vendor, ["short", "word " * 9000])

    assert 1 == caught.value.index


async def test_fixed_dimensions(vendor):
    """The general model has its own number alone."""
    with pytest.raises(e.UnsupportedFeatureError, match="dimensions"):
        await embed(vendor, dimensions=256)
    with pytest.raises(e.InvalidRequestError, match="at most 3072"):
        await embed(vendor, model="mistral/codestral-embed", dimensions=4000)

    assert () == vendor.requests


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(401), e.AuthenticationError),
        (Status(429), e.RateLimitedError),
        (says(b"{}"), e.MalformedReplyError),
    ],
)
async def test_failures_of_the_vendor(vendor, fault, kind):
    """They are those of all its calls."""
    vendor.script(fault)
    with pytest.raises(kind) as caught:
        await embed(vendor)

    assert "mistral" == caught.value.provider


async def test_list_of_models(vendor):
    """The vendor's own, of which those for vectors are of this kind."""
    async with Client(Settings.from_mapping(vendor.settings())) as ai:
        found = await ai.discover("mistral", modality="embedding", refresh=True)

    assert {"mistral-embed", "codestral-embed"} <= {one.model.id for one in found.models}


def test_facts_have_sources():
    """And prices; batches cost half."""
    for model in SPEC.models:
        (usual,), (half,) = model.prices.items, model.batch_prices.items
        assert model.source and usual.usd == half.usd * 2
    assert SPEC.model(SPEC.default_model).dimensions == 1024


# -- the emulator, by the vendor's SDK ----------------------------------------------------


@pytest.fixture
def sdk(vendor):
    with Mistral(api_key=vendor.key, server_url=vendor.base_url) as client:
        yield client


def test_the_sdk_reads_vectors(sdk):
    """With nothing missing and nothing left over."""
    found = sdk.embeddings.create(model="codestral-embed", inputs=TEXTS, output_dimension=32)

    assert [] == gaps(found)
    assert [32, 32, 32] == [len(row.embedding) for row in found.data]
    assert [0, 1, 2] == [row.index for row in found.data]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"inputs": ["a"] * 513}, SDKError),
        ({"inputs": ["word " * 4000] * 5}, SDKError),
        ({"inputs": [""]}, SDKError),
        ({"output_dimension": 5}, SDKError),
        ({"model": "mistral-large-4"}, SDKError),
        ({"output_dtype": "int8"}, HTTPValidationError),
    ],
)
def test_what_the_vendor_refuses(sdk, arguments, error):
    """As the SDK's own errors."""
    with pytest.raises(error):
        sdk.embeddings.create(**{"model": "mistral-embed", "inputs": "a", **arguments})
