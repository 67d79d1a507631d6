"""Vectors from endpoints that speak the shared protocol: bodies, answers in all their forms."""

from __future__ import annotations

import base64
import json
from array import array

import anymodal_openai_compatible as plugin
import pytest
from anymodal import Client, Policy, Retry, Settings
from anymodal import errors as e
from anymodal_emulator import Rewrite, emulated
from anymodal_openai_compatible import CompatibleEmbedding
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


async def embed(vendor, texts=TEXTS, told=None, **arguments):
    found = vendor.settings()
    found["providers"]["openai-compatible"] |= told or {}
    once = Policy(retry=Retry(attempts=1))
    async with Client(Settings.from_mapping(found), policy=once) as ai:
        return await ai.embedding.embed(
            texts, **{"model": "openai-compatible/bge-small", **arguments}
        )


async def test_what_goes_out(vendor):
    """With the headers of the settings; numbers as numbers, which every server knows."""
    await embed(vendor, told={"headers": {"X-Team": "harbour"}}, dimensions=64, end_user="u-1")
    (request,) = vendor.requests

    assert request.json == snapshot(
        {
            "model": "bge-small",
            "input": [
                "A lighthouse keeper lights the lamp.",
                "The lamps of the lighthouse.",
                "Taxes are due.",
            ],
            "encoding_format": "float",
            "dimensions": 64,
            "user": "u-1",
        }
    )
    assert ("harbour", f"Bearer {vendor.key}") == (
        request.headers["x-team"], request.headers["authorization"],
    )  # fmt: skip


async def test_packed_numbers_are_the_same(vendor):
    """Where the server knows base64, one may ask for it."""
    plain = await embed(vendor)
    packed = await embed(vendor, options=[CompatibleEmbedding(encoding_format="base64")])

    assert "base64" == vendor.requests[1].json["encoding_format"]
    assert plain.dense == packed.dense
    assert (384, None) == (plain.dimensions, plain.normalised)


async def test_a_server_that_takes_few_texts(vendor):
    """Its 413 says that there were too many, and what is left goes in smaller parts too."""
    texts = [f"text {number}" for number in range(300)]
    found = await embed(vendor, texts)

    assert 300 == len(found.dense)
    assert (await embed(vendor, texts[290])).dense[0] == found.dense[290]
    sizes = [len(one.json["input"]) for one in vendor.requests]
    assert 256 == max(sizes)
    assert 300 + 1 < sum(sizes)


def answer(*rows, **more):
    body = {"object": "list", "data": list(rows), "model": "m", **more}
    return says(json.dumps(body).encode())


def row(number, index=None):
    found = {"object": "embedding", "embedding": [float(number)]}
    return found if index is None else {**found, "index": index}


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([row(5, 0), row(6, 1)], [5, 6]),
        ([row(6, 1), row(5, 0)], [5, 6]),
        ([row(5), row(6)], [5, 6]),
        ([{"embedding": base64.b64encode(array("f", [5]).tobytes()).decode()}, row(6)], [5, 6]),
    ],
)
async def test_order_of_the_answer(vendor, rows, wanted):
    """By the places that it tells, else as it came."""
    vendor.script(answer(*rows, usage={"prompt_tokens": 4, "total_tokens": 4}))
    found = await embed(vendor, ["a", "b"])

    assert wanted == [vector[0] for vector in found.dense]
    assert 4 == found.usage.input_tokens


async def test_answer_without_a_count(vendor):
    """What was used is not known then."""
    vendor.script(answer(row(5, 0)))

    assert (await embed(vendor, ["a"])).usage is None


@pytest.mark.parametrize(
    "strange",
    [
        says(b"[]"),
        says(b'{"data": 3}'),
        answer(row(5, 0), row(6, 0)),
        answer(row(5, 0), row(6, 2)),
        answer(row(5, 0), row(6)),
        answer({"embedding": "no base64!"}, row(6)),
        answer({"embedding": "YWI="}, row(6)),
        answer({"embedding": 3}, row(6)),
        answer({"embedding": ["a"]}, row(6)),
        answer({"embedding": [None]}, row(6)),
        answer(row(5, 0), row(6, 1), usage={"prompt_tokens": "many"}),
        answer(row(5, 0)),
        answer(row(5, 0), row(6, 1), row(7, 2)),
        answer(),
    ],
)
async def test_answers_that_are_none(vendor, strange):
    """They are told from the vendor's failures, and none is taken for vectors."""
    vendor.script(strange)
    with pytest.raises(e.MalformedReplyError):
        await embed(vendor, ["a", "b"])


async def test_list_of_models(vendor):
    """The endpoint's own."""
    async with Client(Settings.from_mapping(vendor.settings())) as ai:
        found = await ai.discover("openai-compatible", refresh=True)

    assert [] == [one for one in found.failures if one.provider == "openai-compatible"]


async def test_endpoint_without_an_address():
    """It says so when it is connected."""
    async with Client(Settings.empty()) as ai:
        with pytest.raises(e.ConfigurationError, match="base_url"):
            await ai.embedding.embed("a", model="openai-compatible/m")


def test_spec():
    """The same settings as for text, so that one instance serves both."""
    (text,) = plugin.anymodal_text_providers()

    assert (text.settings, text.credentials) == (SPEC.settings, SPEC.credentials)
