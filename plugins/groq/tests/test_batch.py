"""Batches of Groq: the shared protocol over plain HTTP, and the emulator by Groq's SDK."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio.lowlevel
import groq
import pytest
from anymodal import Client, Settings
from anymodal import errors as e
from anymodal_emulator import Reset, emulated, gaps
from anymodal_groq.models import MODELS

pytestmark = pytest.mark.anyio
MODEL = "openai/gpt-oss-120b"
NAME = f"groq/{MODEL}"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("groq") as running:
        yield running


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


def client_of(vendor):
    return Client(Settings.from_mapping(vendor.settings(), environ={}), clock=FakeClock())


async def test_batch_from_prompts_to_answers(vendor):
    """The form is our own here; another client comes back and finds all in order."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch([("a", "One?"), "emulator:context", "Größe?"], model=NAME)
    async with client_of(vendor) as ai:
        batch = await ai.jobs.resume(job.token).result()

    assert "One?" in batch["a"].text and "Größe?" in batch[2].text
    assert isinstance(batch[1], e.ContextLengthError)
    upload, create = vendor.requests[:2]
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert f"Bearer {vendor.key}" == upload.headers["authorization"]
    assert b'filename="batch.jsonl"\r\nContent-Type: application/jsonl\r\n' in upload.body
    assert "/v1/chat/completions" == create.json["endpoint"]


async def test_batches_cost_half(vendor):
    """And the cost says by which page."""
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(["One?"], model=NAME)).result()

    used = batch[0].usage
    usual = used.input_tokens * Decimal("0.15") + used.output_tokens * Decimal("0.6")
    assert usual / 1_000_000 / 2 == batch.record.cost.usd
    assert "docs/batch" in batch.record.cost.source


def test_cached_input_has_no_price_of_its_own_in_a_batch():
    """The vendor's page names none; it then counts as other input."""
    model = next(model for model in MODELS if model.id == MODEL)

    assert model.prices.usd_per("cached_input_token") is not None
    assert model.batch_prices.usd_per("cached_input_token") is None


async def test_no_answer_to_the_creation_is_an_unknown_outcome(vendor):
    """Over plain HTTP as over an SDK."""
    vendor.script(Reset(), path="*/batches")
    async with client_of(vendor) as ai:
        with pytest.raises(e.OutcomeUnknownError):
            await ai.text.batch(["One?"], model=NAME)


async def test_nobody_there_is_no_unknown_outcome(vendor):
    """Nothing was sent, so another vendor may be asked."""
    settings = vendor.settings()
    vendor.stop()
    async with Client(Settings.from_mapping(settings, environ={}), clock=FakeClock()) as ai:
        with pytest.raises(e.ConnectionFailedError):
            await ai.text.batch(["One?"], model=NAME)


class TestEmulator:
    """As Groq's own SDK sees it."""

    @pytest.fixture
    def anyio_backend(self):
        """The provider runs on both; what is tested here is the server."""
        return "asyncio"

    async def test_lifecycle(self, vendor):
        """Objects are of this SDK's types, which have fewer fields than OpenAI's."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi?"}]}
        row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
        base = vendor.base_url.removesuffix("/openai/v1")
        async with groq.AsyncGroq(base_url=base, api_key=vendor.key, max_retries=0) as client:
            file = await client.files.create(
                file=("in.jsonl", json.dumps(row).encode()), purpose="batch"
            )
            batch = await client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="7d"
            )
            assert [] == [*gaps(file), *gaps(batch)]
            words = [batch.status]
            while batch.status != "completed":
                batch = await client.batches.retrieve(batch.id)
                assert [] == gaps(batch)
                words.append(batch.status)
            content = await client.files.content(batch.output_file_id)
            line = json.loads(await content.read())
            with pytest.raises(groq.BadRequestError):
                await client.batches.create(
                    input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
                )

        assert ["validating", "in_progress", "in_progress", "finalizing", "completed"] == words
        completion = groq.types.chat.ChatCompletion.model_validate(line["response"]["body"])
        assert [] == gaps(completion)
        assert "Hi?" in completion.choices[0].message.content
