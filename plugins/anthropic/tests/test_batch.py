"""Batches: the emulator as the vendor's SDK sees it, and our provider against it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import anthropic
import anyio.lowlevel
import anymodal_anthropic
import attrs
import pytest
from anymodal import Client, Settings
from anymodal import errors as e
from anymodal.jobs import JobToken
from anymodal.modalities.batches import BatchLine
from anymodal_anthropic import AnthropicText
from anymodal_emulator import Emulated, Reset, Rewrite, Status, emulated, gaps

from .talk import ask, connection

pytestmark = pytest.mark.anyio
MODEL = "claude-opus-5"
NAME = f"anthropic/{MODEL}"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("anthropic") as running:
        yield running


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 0.0
        self.slept = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds
        await anyio.lowlevel.checkpoint()


def client_of(vendor: Emulated, clock: FakeClock | None = None) -> Client:
    return Client(Settings.from_mapping(vendor.settings(), environ={}), clock=clock or FakeClock())


def sent(vendor: Emulated) -> list[str]:
    """Return what was asked for, with ids left out."""
    return [re.sub(r"msgbatch_\w+", "ID", f"{one.method} {one.path}") for one in vendor.requests]


def said(**changes) -> Rewrite:
    """Return a fault that changes fields of what the vendor says of a batch."""
    return Rewrite(lambda _, body: json.dumps({**json.loads(body), **changes}).encode())


# -- the provider -------------------------------------------------------------------------


async def test_batch_from_prompts_to_answers(vendor):
    """Made, asked for until it has ended, fetched; each answer in its place."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch([("a", "One?"), "Two?", "Three?"], model=NAME, system="Brief.")
        told = [(one.state, one.word, one.progress) async for one in job.progress()]
        batch = await job.result()

    assert [
        ("running", "in_progress", None),
        ("running", "in_progress", None),
        ("succeeded", "ended", 1.0),
    ] == told
    heard = f"anthropic ({MODEL}) heard: "
    assert [f"{heard}{words} | system: Brief." for words in ("One?", "Two?", "Three?")] == [
        line.text for line in batch
    ]
    assert "One?" in batch["a"].text
    polled = ["GET /v1/messages/batches/ID"] * 3
    assert [
        "POST /v1/messages/batches",
        *polled,
        "GET /v1/messages/batches/ID/results",
    ] == sent(vendor)


async def test_what_goes_over_the_wire(vendor):
    """Each line has an id and the parameters of a message; betas go with the whole."""
    option = AnthropicText(betas=["new-2026-11-01"])
    async with client_of(vendor) as ai:
        await ai.text.batch([("a", "One?"), "Two?"], model=NAME, max_tokens=50, options=[option])

    (create,) = vendor.requests
    assert "new-2026-11-01" == create.headers["anthropic-beta"]
    first, second = create.json["requests"]
    assert ("0-a", "1") == (first["custom_id"], second["custom_id"])
    assert {"model": MODEL, "max_tokens": 50} == {
        name: first["params"][name] for name in ("model", "max_tokens")
    }
    assert "stream" not in first["params"]


async def test_batches_cost_half(vendor):
    """Of the usual price, by the vendor's guide, which the cost names."""
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(["One?", "Two?"], model=NAME)).result()
        whole = await ai.text.generate("One?", model=NAME)

    assert whole.record.cost.usd == batch[0].record.cost.usd * 2 == batch.record.cost.usd
    assert "batch-processing" in batch.record.cost.source


async def test_line_that_fails_is_its_own_error(vendor):
    """By the same tables as a call that fails; the others are answered."""
    prompts = ["emulator:context", "emulator:fail", "emulator:refuse", "Four?"]
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(prompts, model=NAME)).result()

    context, fail, refuse, answer = batch
    assert (e.BadRequestError, e.ServerError, e.ContentFilteredError) == (
        type(context),
        type(fail),
        type(refuse),
    )
    assert ("anthropic", "invalid_request_error") == (context.provider, context.vendor_code)
    assert context.request_id.startswith("req_")
    assert context.request_id == context.record.request_id
    assert "Four?" in answer.text
    assert batch.record.cost.usd == answer.record.cost.usd


async def test_lines_of_an_expired_batch(vendor):
    """What was answered in time is there, and paid for."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "emulator:expire"], model=NAME)
        batch = await job.result()

    assert ("expired", True) == (job.status.state, job.status.has_result)
    assert "One?" in batch[0].text
    assert (e.JobFailedError, "expired") == (type(batch[1]), batch[1].vendor_code)


async def test_cancelled_batch_keeps_what_was_done(vendor):
    """What could not be interrupted is answered."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)
        await job.cancel()
        batch = await job.result()

    assert "cancelled" == job.status.state
    assert "One?" in batch[0].text
    assert (e.JobFailedError, "canceled") == (type(batch[1]), batch[1].vendor_code)


async def test_archived_batch_has_no_result(vendor):
    """The vendor keeps results for a time only."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        while not (await job.poll()).is_ended:
            pass
        job = ai.jobs.resume(job.token)
        vendor.script(said(archived_at="2026-10-21T00:00:00Z", results_url=None))
        with pytest.raises(e.JobFailedError, match="its results are no longer kept"):
            await job.result()


async def test_another_client_comes_back(vendor):
    """With the token alone, which has no key."""
    async with client_of(vendor) as ai:
        token = (await ai.text.batch([("a", "One?")], model=NAME)).token
    async with client_of(vendor) as ai:
        batch = await ai.jobs.resume(token).result()

    assert "One?" in batch["a"].text
    assert vendor.key not in repr(JobToken.parse(token)) + token


async def test_unknown_state_goes_on(vendor):
    """A word of tomorrow is no end."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(said(processing_status="pondering"))
        told = [(one.state, one.word) async for one in job.progress()]

    assert ("running", "pondering") == told[0]
    assert ("succeeded", "ended") == told[-1]


async def test_retry_after_is_waited_for(vendor):
    """On the client's clock."""
    clock = FakeClock()
    async with client_of(vendor, clock) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(Status(529, retry_after=77))
        await job.result()

    assert 77 == clock.slept[0]


async def test_no_answer_to_the_creation_is_an_unknown_outcome(vendor):
    """It is not tried elsewhere, because the batch may run."""
    vendor.script(Reset())
    async with client_of(vendor) as ai:
        with pytest.raises(e.OutcomeUnknownError, match="Look at the vendor's list"):
            await ai.text.batch(["One?"], model=[NAME, "anthropic/claude-sonnet-5"])

    assert ["POST /v1/messages/batches"] == sent(vendor)


@pytest.mark.parametrize("reply", [b"[]", b"{}", b'{"id": 7}', b'{"id": ""}'])
async def test_malformed_answers_to_a_submission(vendor, reply):
    """As everywhere: typed, and the provider named."""
    vendor.script(Status(200, reply, headers={"content-type": "application/json"}))
    async with client_of(vendor) as ai:
        with pytest.raises(e.MalformedReplyError) as found:
            await ai.text.batch(["One?"], model=NAME)

    assert "anthropic" == found.value.provider


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("*", b"[]"),
        ("*", b'{"type": "message_batch"}'),
        ("*", b'{"processing_status": "ended"}'),
        ("*/results", b"no json\n"),
        ("*/results", b"[]\n"),
        ("*/results", b'{"custom_id": 7, "result": {"type": "expired"}}\n'),
        ("*/results", b'{"custom_id": "0", "result": {"type": "errored"}}\n'),
    ],
)
async def test_malformed_news(vendor, path, reply):
    """A state or a line that cannot be read is no answer; the job can be asked again."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(Status(200, reply, headers={"content-type": "application/json"}), path=path)
        with pytest.raises(e.MalformedReplyError) as found:
            await job.result()
        assert "anthropic" == found.value.provider
        assert 1 == len(await job.result())


async def test_line_that_is_no_answer_is_its_own_error(vendor):
    """One odd answer does not cost the others."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)

        def odd(_, body):
            rows = [json.loads(line) for line in body.splitlines()]
            rows[0]["result"]["message"] = {"id": "msg_1"}
            rows.append({"custom_id": "2", "result": {"type": "succeeded", "message": {}}})
            return "\n".join(map(json.dumps, rows)).encode()

        vendor.script(Rewrite(odd), path="*/results")
        batch = await job.result()

    assert 2 == len(batch)
    assert {1: e.MalformedReplyError} == {n: type(one) for n, one in batch.errors.items()}


async def test_batch_of_more_than_the_vendor_takes(vendor):
    """Refused before anything is sent."""
    provider = anymodal_anthropic.connect(connection(vendor.base_url, vendor.key))
    assert 100_000 == provider.max_lines
    small = attrs.evolve(provider, max_lines=1)
    with pytest.raises(e.InvalidRequestError, match="takes 1 in a batch, not 2"):
        await small.submit_batch([BatchLine("0", ask()), BatchLine("1", ask())])
    await provider.aclose()

    assert () == vendor.requests


async def test_damaged_handle_asks_nobody(vendor):
    """One without a batch."""
    token = JobToken(
        provider="anthropic",
        instance="anthropic",
        model=MODEL,
        modality="text",
        operation="batch",
        call="c",
        handle={"batch": 7},
        kept={"lines": 1},
    )
    async with client_of(vendor) as ai:
        with pytest.raises(e.InvalidRequestError):
            await ai.jobs.resume(str(token)).poll()

    assert () == vendor.requests


# -- the emulator -------------------------------------------------------------------------


class TestEmulator:
    """As the vendor's own SDK sees it, by its high-level calls."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The provider runs on both; what is tested here is the server."""
        return "asyncio"

    @pytest.fixture
    async def client(self, vendor, anyio_backend) -> AsyncIterator[anthropic.AsyncAnthropic]:
        async with anthropic.AsyncAnthropic(
            base_url=vendor.base_url, api_key=vendor.key, max_retries=0, timeout=10
        ) as made:
            yield made

    def line(self, name, words="Hi?", **more):
        messages = [{"role": "user", "content": words}]
        params = {"model": MODEL, "max_tokens": 99, "messages": messages, **more}
        return {"custom_id": name, "params": params}

    async def ended(self, client, batch):
        words = [batch.processing_status]
        while batch.processing_status != "ended":
            batch = await client.messages.batches.retrieve(batch.id)
            assert gaps(batch) == []
            words.append(batch.processing_status)
        return batch, words

    async def results(self, client, batch):
        found = [row async for row in await client.messages.batches.results(batch.id)]
        assert [] == [gap for row in found for gap in gaps(row)]
        return found

    async def test_lifecycle(self, client):
        """Every object is of the SDK's types, with nothing missing and nothing left over."""
        lines = [self.line("a"), self.line("b", "emulator:context"), self.line("c", max_tokens=-1)]
        batch = await client.messages.batches.create(requests=lines)
        assert gaps(batch) == []
        assert 3 == batch.request_counts.processing
        batch, words = await self.ended(client, batch)

        assert ["in_progress"] * 3 + ["ended"] == words
        counts = batch.request_counts
        assert (0, 1, 2) == (counts.processing, counts.succeeded, counts.errored)
        assert batch.created_at < batch.ended_at < batch.expires_at
        rows = await self.results(client, batch)
        assert ["c", "b", "a"] == [row.custom_id for row in rows]
        assert "invalid_request_error" == rows[1].result.error.error.type
        assert f"anthropic ({MODEL}) heard: Hi?" == rows[2].result.message.content[0].text

    async def test_expiry(self, client):
        """By the magic word."""
        lines = [self.line("a"), self.line("b", "emulator:expire")]
        batch, _ = await self.ended(client, await client.messages.batches.create(requests=lines))

        assert 1 == batch.request_counts.expired
        assert ["expired", "succeeded"] == [
            row.result.type for row in await self.results(client, batch)
        ]

    async def test_canceling(self, client):
        """It takes until the next question; then it cannot be done again."""
        batch = await client.messages.batches.create(requests=[self.line("a"), self.line("b")])
        batch = await client.messages.batches.cancel(batch.id)
        assert gaps(batch) == []
        assert "canceling" == batch.processing_status and batch.cancel_initiated_at
        batch, _ = await self.ended(client, batch)

        assert ["canceled", "succeeded"] == [
            row.result.type for row in await self.results(client, batch)
        ]
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.batches.cancel(batch.id)

    async def test_batches_are_listed_and_deleted(self, client):
        """By pages; only what has ended can be deleted."""
        first = await client.messages.batches.create(requests=[self.line("a")])
        second = await client.messages.batches.create(requests=[self.line("a")])
        listed = await client.messages.batches.list(limit=1)
        assert gaps(listed.data[0]) == []
        assert [second.id, first.id] == [one.id async for one in listed]
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.batches.delete(first.id)
        await self.ended(client, first)
        gone = await client.messages.batches.delete(first.id)

        assert gaps(gone) == []
        assert [second.id] == [one.id async for one in await client.messages.batches.list()]

    @pytest.mark.parametrize(
        "lines",
        [
            [],
            [{"custom_id": "a:b"}],
            [{"custom_id": "x" * 65}],
            [{"custom_id": "a"}, {"custom_id": "a"}],
            [{"custom_id": "a", "stream": True}],
        ],
        ids=["none", "colon", "long", "twice", "stream"],
    )
    async def test_what_is_refused_at_once(self, client, lines):
        """The rest is told when the batch has ended, line by line."""
        made = [self.line(one.pop("custom_id"), **one) for one in map(dict, lines)]
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.batches.create(requests=made)

    async def test_what_is_not_there(self, client):
        """Neither a batch nor, before its end, its results."""
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.batches.retrieve("msgbatch_none")
        batch = await client.messages.batches.create(requests=[self.line("a")])
        with pytest.raises(anthropic.BadRequestError):
            await client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=object)
