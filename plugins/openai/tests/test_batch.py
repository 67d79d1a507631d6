"""Batches: the emulator as the vendor's SDK sees it, and our provider against it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import anyio.lowlevel
import attrs
import openai
import pytest
from anymodal import Audio, Client, Message, ModelSpec, Settings, TextRequest
from anymodal import errors as e
from anymodal.jobs import JobToken
from anymodal.modalities.batches import BatchLine
from anymodal_emulator import Emulated, Reset, Rewrite, Status, emulated, gaps
from anymodal_openai import OpenAIText
from anymodal_openai_compatible.batch import BatchingText

pytestmark = pytest.mark.anyio
MODEL = "gpt-6.1-sol"
NAME = f"openai/{MODEL}"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(20)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("openai") as running:
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
    return [
        re.sub(r"(batch_|file-)\w+", "ID", f"{one.method} {one.path}") for one in vendor.requests
    ]


def uploaded(vendor: Emulated) -> list[dict]:
    """Return the lines of the file that was uploaded."""
    (one,) = (one for one in vendor.requests if one.path == "/v1/files")
    return [json.loads(line) for line in one.body.splitlines() if line.startswith(b'{"custom_id')]


def said(**changes) -> Rewrite:
    """Return a fault that changes fields of what the vendor says of a batch."""
    return Rewrite(lambda _, body: json.dumps({**json.loads(body), **changes}).encode())


# -- the provider -------------------------------------------------------------------------


async def test_batch_from_prompts_to_answers(vendor):
    """A file, a batch, questions until it is done, a file of answers; each in its place."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch([("a", "One?"), "Two?", "Three?"], model=NAME, system="Brief.")
        assert isinstance(ai._way.doors._open["text", "openai"].provider, BatchingText)
        told = [(one.state, one.word, one.progress) async for one in job.progress()]
        batch = await job.result()

    assert [
        ("running", "in_progress", 0.0),
        ("running", "in_progress", pytest.approx(1 / 3)),
        ("running", "finalizing", 1.0),
        ("succeeded", "completed", 1.0),
    ] == told
    assert [f"openai ({MODEL}) heard: {words} | system: Brief." for words in ("One?", "Two?", "Three?")] == [
        line.text for line in batch
    ]  # fmt: skip
    asked = ["POST /v1/files", "POST /v1/batches", *["GET /v1/batches/ID"] * 4]
    assert [*asked, "GET /v1/batches/ID", "GET /v1/files/ID/content"] == sent(vendor)


async def test_separators_of_lines_that_json_does_not_escape(vendor):
    """A line of the file ends with a newline alone, whatever else Unicode ends lines with."""
    async with client_of(vendor) as ai:
        batch = await (
            await ai.text.batch(["Gr\u00f6\u00dfe\u2028?", "a\x85b"], model=NAME)
        ).result()

    assert "Gr\u00f6\u00dfe\u2028?" in batch[0].text
    assert "a\x85b" in batch[1].text


async def test_what_goes_over_the_wire(vendor):
    """The form, the lines and the batch, as the vendor's guide has them."""
    async with client_of(vendor) as ai:
        await ai.text.batch([("a", "One?"), "Two?"], model=NAME, max_tokens=50)

    upload, create = vendor.requests
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="purpose"\r\n\r\nbatch\r\n' in upload.body
    assert b'name="file"; filename="batch.jsonl"\r\n' in upload.body
    first, second = uploaded(vendor)
    assert ("0-a", "1") == (first["custom_id"], second["custom_id"])
    assert ("POST", "/v1/responses") == (first["method"], first["url"])
    assert {
        "model": MODEL,
        "input": [{"role": "user", "content": "One?"}],
        "max_output_tokens": 50,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    } == first["body"]
    file = create.json["input_file_id"]
    assert {
        "input_file_id": file,
        "endpoint": "/v1/responses",
        "completion_window": "24h",
    } == create.json
    assert f"Bearer {vendor.key}" == upload.headers["authorization"]


async def test_batches_cost_half(vendor):
    """Of the usual price, by the vendor's guide, which the cost names."""
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(["One?", "Two?"], model=NAME)).result()
        whole = await ai.text.generate("One?", model=NAME)

    assert whole.record.cost.usd == batch[0].record.cost.usd * 2
    assert batch.record.cost.usd == 2 * batch[0].record.cost.usd > Decimal(0)
    assert "guides/batch" in batch.record.cost.source


async def test_one_line_that_needs_chat_takes_all_along(vendor):
    """A batch has one endpoint."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", ["Two?", Audio(WAV)]], model="openai/gpt-audio")
        batch = await job.result()

    assert {"/v1/chat/completions"} == {line["url"] for line in uploaded(vendor)}
    assert "One?" in batch[0].text and "Two?" in batch[1].text


async def test_line_that_fails_is_its_own_error(vendor):
    """By the same tables as a call that fails; the others are answered."""
    prompts = ["emulator:context", "emulator:fail", "emulator:refuse", "Four?"]
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(prompts, model=NAME)).result()

    context, fail, refuse, answer = batch
    assert (e.ContextLengthError, e.ServerError, e.ContentFilteredError) == (
        type(context),
        type(fail),
        type(refuse),
    )
    assert ("openai", 400, "context_length_exceeded") == (
        context.provider,
        context.status,
        context.vendor_code,
    )
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
    assert (e.JobFailedError, "batch_expired") == (type(batch[1]), batch[1].vendor_code)


async def test_cancelled_batch_keeps_what_was_done(vendor):
    """The vendor takes its time to stop; what was answered until then is given."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)
        await job.poll()
        await job.poll()
        await job.cancel()
        batch = await job.result()

    assert "cancelled" == job.status.state
    assert "One?" in batch[0].text
    assert (e.JobFailedError, "batch_cancelled") == (type(batch[1]), batch[1].vendor_code)
    assert 1 == sent(vendor).count("POST /v1/batches/ID/cancel")


async def test_batch_that_failed_says_why(vendor):
    """In the vendor's words, with the line."""
    errors = {"data": [{"code": "mismatched_model", "line": 2, "message": "No.", "param": None}]}
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(said(status="failed", errors=errors), path="/v1/batches/*")
        with pytest.raises(e.JobFailedError, match=r"the job failed: line 2: No\.") as found:
            await job.result()

    assert ("openai", "mismatched_model") == (found.value.provider, found.value.vendor_code)


async def test_another_client_comes_back(vendor):
    """With the token alone; it has the batch's id and no key."""
    async with client_of(vendor) as ai:
        token = (await ai.text.batch([("a", "One?")], model=NAME)).token
    async with client_of(vendor) as ai:
        batch = await ai.jobs.resume(token).result()

    assert "One?" in batch["a"].text
    assert "responses" == JobToken.parse(token).handle["api"]
    assert vendor.key not in repr(JobToken.parse(token)) + token


async def test_unknown_state_goes_on(vendor):
    """A word of tomorrow is no end."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(said(status="pondering"), path="/v1/batches/*")
        told = [(one.state, one.word) async for one in job.progress()]

    assert ("running", "pondering") == told[0]
    assert ("succeeded", "completed") == told[-1]


async def test_retry_after_is_waited_for(vendor):
    """On the client's clock."""
    clock = FakeClock()
    async with client_of(vendor, clock) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(Status(429, retry_after=77), path="/v1/batches/*")
        await job.result()

    assert 77 == clock.slept[0]
    assert 4 == len(clock.slept)


async def test_no_answer_to_the_creation_is_an_unknown_outcome(vendor):
    """It is not tried elsewhere, because the batch may run."""
    vendor.script(Reset(), path="/v1/batches")
    async with client_of(vendor) as ai:
        with pytest.raises(e.OutcomeUnknownError, match="Look at the vendor's list"):
            await ai.text.batch(["One?"], model=[NAME, "openai/gpt-5.5"])

    assert ["POST /v1/files", "POST /v1/batches"] == sent(vendor)


async def test_failed_upload_goes_on_elsewhere(vendor):
    """Nothing was made yet."""
    vendor.script(Status(401), path="/v1/files")
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=[NAME, "openai/gpt-5.5"])

    assert "gpt-5.5" == JobToken.parse(job.token).model


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/v1/files", b"[]"),
        ("/v1/files", b'{"id": 7}'),
        ("/v1/batches", b'{"object": "batch"}'),
    ],
)
async def test_malformed_answers_to_a_submission(vendor, path, reply):
    """As everywhere: typed, and the provider named."""
    vendor.script(Status(200, reply, headers={"content-type": "application/json"}), path=path)
    async with client_of(vendor) as ai:
        with pytest.raises(e.MalformedReplyError) as found:
            await ai.text.batch(["One?"], model=NAME)

    assert "openai" == found.value.provider


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/v1/batches/*", b"[]"),
        ("/v1/batches/*", b'{"object": "batch"}'),
        ("/v1/batches/*", b'{"status": "in_progress", "request_counts": {"total": 3}}'),
        ("/v1/files/*", b"no json\n"),
        ("/v1/files/*", b"[]\n"),
        ("/v1/files/*", b'{"custom_id": 7, "response": null, "error": {}}\n'),
        ("/v1/files/*", b'{"custom_id": "0"}\n'),
    ],
)
async def test_malformed_news(vendor, path, reply):
    """A state or a line that cannot be read is no answer; the job can be asked again."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(Status(200, reply, headers={"content-type": "application/json"}), path=path)
        with pytest.raises(e.MalformedReplyError) as found:
            await job.result()
        assert "openai" == found.value.provider
        assert 1 == len(await job.result())


async def test_line_that_is_no_answer_is_its_own_error(vendor):
    """One odd answer does not cost the others."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)

        def odd(_, body):
            rows = [json.loads(line) for line in body.splitlines()]
            rows[0]["response"]["body"] = {"id": "resp_1"}
            return "\n".join(map(json.dumps, rows)).encode()

        vendor.script(Rewrite(odd), path="/v1/files/*")
        batch = await job.result()

    assert {e.MalformedReplyError} == {type(one) for one in batch.errors.values()}
    assert 1 == len(batch.answers)


async def test_headers_of_options_do_not_reach_lines(vendor):
    """They are left out with a warning, told once."""
    option = OpenAIText(extra_headers={"x-mine": "1"})
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME, options=[option])

    assert ["options"] == [one.setting for one in job.record.warnings]
    assert all("x-mine" not in one.headers for one in vendor.requests)


@pytest.mark.parametrize(
    ("limit", "words"), [("max_lines", "takes 1 in a batch, not 2"), ("max_bytes", "takes 1 bytes")]
)
async def test_batch_of_more_than_the_vendor_takes(vendor, limit, words):
    """Refused before anything is sent."""
    async with client_of(vendor) as ai:
        await ai.warm("openai")
        provider = ai._way.doors._open["text", "openai"].provider
        assert (50_000, 200_000_000) == (provider.max_lines, provider.max_bytes)
        small = attrs.evolve(provider, **{limit: 1})
        request = TextRequest(model=ModelSpec(id=MODEL), messages=(Message.user("Hi?"),))
        with pytest.raises(e.InvalidRequestError, match=words):
            await small.submit_batch([BatchLine("0", request), BatchLine("1", request)])

    assert () == vendor.requests


async def test_damaged_token_asks_nobody(vendor):
    """A handle without a batch, or with a path for one, leads nowhere."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        handle = JobToken.parse(job.token)
        vendor.clear()
        for name in ("", 7, None):
            other = JobToken(**{**_fields(handle), "handle": {"batch": name}})
            with pytest.raises(e.InvalidRequestError):
                await ai.jobs.resume(str(other)).poll()
        assert () == vendor.requests
        other = JobToken(**{**_fields(handle), "handle": {"batch": "../models"}})
        with pytest.raises(e.NotFoundError):
            await ai.jobs.resume(str(other)).poll()


def _fields(token):
    return {name: getattr(token, name) for name in token.__slots__ if not name.startswith("__")}


# -- the emulator -------------------------------------------------------------------------


class TestEmulator:
    """As the vendor's own SDK sees it, by its high-level calls."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """On trio the SDK leaves its generators behind, which is not what is tested here."""
        return "asyncio"

    @pytest.fixture
    async def client(self, vendor, anyio_backend) -> AsyncIterator[openai.AsyncOpenAI]:
        async with openai.AsyncOpenAI(
            base_url=vendor.base_url, api_key=vendor.key, max_retries=0, timeout=10
        ) as made:
            yield made

    async def upload(self, client, *rows, endpoint="/v1/responses"):
        content = "\n".join(map(json.dumps, rows)).encode()
        file = await client.files.create(file=("in.jsonl", content), purpose="batch")
        assert gaps(file) == []
        return await client.batches.create(
            input_file_id=file.id, endpoint=endpoint, completion_window="24h"
        )

    def row(self, name, words="Hi?", **changes):
        body = {"model": MODEL, "input": words}
        usual = {"custom_id": name, "method": "POST", "url": "/v1/responses", "body": body}
        return {**usual, **changes}

    async def ended(self, client, batch):
        words = [batch.status]
        while batch.status not in {"completed", "failed", "expired", "cancelled"}:
            batch = await client.batches.retrieve(batch.id)
            assert gaps(batch) == []
            words.append(batch.status)
        return batch, words

    async def lines(self, client, file):
        content = await client.files.content(file)
        return {row["custom_id"]: row for row in map(json.loads, content.text.splitlines())}

    async def test_lifecycle(self, client):
        """Every object is of the SDK's types, with nothing missing and nothing left over."""
        batch = await self.upload(client, self.row("a"), self.row("b", "emulator:context"))
        assert gaps(batch) == []
        assert (batch.status, batch.request_counts.total) == ("validating", 0)
        batch, words = await self.ended(client, batch)

        assert ["validating", "in_progress", "in_progress", "finalizing", "completed"] == words
        counts = batch.request_counts
        assert (2, 1, 1) == (counts.total, counts.completed, counts.failed)
        assert batch.model == MODEL
        assert batch.created_at < batch.in_progress_at < batch.finalizing_at < batch.completed_at
        good = await self.lines(client, batch.output_file_id)
        assert 200 == good["a"]["response"]["status_code"]
        used = good["a"]["response"]["body"]["usage"]
        assert batch.usage.total_tokens == used["total_tokens"]
        bad = await self.lines(client, batch.error_file_id)
        assert 400 == bad["b"]["response"]["status_code"]
        assert "context_length_exceeded" == bad["b"]["response"]["body"]["error"]["code"]

    async def test_answers_are_those_of_the_endpoint(self, client):
        """What a line gets is what a request gets."""
        batch, _ = await self.ended(client, await self.upload(client, self.row("a")))
        (line,) = (await self.lines(client, batch.output_file_id)).values()
        response = openai.types.responses.Response.model_validate(line["response"]["body"])

        assert gaps(response) == []
        assert f"openai ({MODEL}) heard: Hi?" == response.output_text

    async def test_chat_completions(self, client):
        """The other endpoint, with its own counting."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi?"}]}
        row = self.row("a", url="/v1/chat/completions", body=body)
        batch = await self.upload(client, row, endpoint="/v1/chat/completions")
        batch, _ = await self.ended(client, batch)
        (line,) = (await self.lines(client, batch.output_file_id)).values()

        assert "Hi?" in line["response"]["body"]["choices"][0]["message"]["content"]
        assert batch.usage.input_tokens > 0

    async def test_expiry(self, client):
        """By the magic word."""
        batch = await self.upload(client, self.row("a"), self.row("b", "emulator:expire"))
        batch, words = await self.ended(client, batch)

        assert "expired" == words[-1] and batch.expired_at
        (line,) = (await self.lines(client, batch.error_file_id)).values()
        assert (None, "batch_expired") == (line["response"], line["error"]["code"])

    async def test_cancelling(self, client):
        """It takes until the next question; then it cannot be done again."""
        batch = await self.upload(client, self.row("a"))
        batch = await client.batches.cancel(batch.id)
        assert gaps(batch) == []
        assert "cancelling" == batch.status
        batch, words = await self.ended(client, batch)

        assert ["cancelling", "cancelled"] == words
        (line,) = (await self.lines(client, batch.error_file_id)).values()
        assert "batch_cancelled" == line["error"]["code"]
        with pytest.raises(openai.ConflictError):
            await client.batches.cancel(batch.id)

    async def test_wrong_lines_fail_the_batch(self, client):
        """When it is validated, not when it is made; every line is told."""
        body = {"model": "gpt-5.5", "input": "Hi?"}
        batch = await self.upload(
            client,
            self.row("a"),
            self.row("a"),
            self.row("b", url="/v1/embeddings"),
            self.row("c", body=body),
            {"custom_id": "d"},
            7,
        )
        batch, words = await self.ended(client, batch)

        assert ["validating", "failed"] == words
        assert [
            (2, "duplicate_custom_id"),
            (3, "invalid_url"),
            (4, "mismatched_model"),
            (5, "invalid_request"),
            (6, "invalid_json_line"),
        ] == [(error.line, error.code) for error in batch.errors.data]
        assert (None, None) == (batch.output_file_id, batch.error_file_id)

    async def test_empty_file_fails_the_batch(self, client):
        """There is no line to tell of."""
        batch, _ = await self.ended(client, await self.upload(client))

        assert [(None, "empty_file")] == [(one.line, one.code) for one in batch.errors.data]

    async def test_files_and_batches_are_listed(self, client):
        """By pages; a file can be forgotten."""
        first = await self.upload(client, self.row("a"))
        second = await self.upload(client, self.row("a"))
        listed = await client.batches.list(limit=1)
        assert gaps(listed.data[0]) == []
        assert [second.id, first.id] == [one.id async for one in listed]
        file = await client.files.retrieve(first.input_file_id)
        assert gaps(file) == []
        assert ("in.jsonl", "batch", "processed") == (file.filename, file.purpose, file.status)
        gone = await client.files.delete(file.id)
        assert gaps(gone) == [] and gone.deleted
        assert [second.input_file_id] == [one.id async for one in await client.files.list()]

    async def test_what_is_refused(self, client, vendor):
        """As the vendor would."""
        with pytest.raises(openai.NotFoundError):
            await client.batches.retrieve("batch_none")
        with pytest.raises(openai.NotFoundError):
            await client.files.content("file-none")
        with pytest.raises(openai.NotFoundError):
            await client.batches.create(
                input_file_id="file-none", endpoint="/v1/responses", completion_window="24h"
            )
        with pytest.raises(openai.BadRequestError):
            await client.files.create(file=("in.jsonl", b"{}"), purpose="vision")
        with pytest.raises(openai.BadRequestError):
            await client.batches.create(
                input_file_id="x", endpoint="/v1/responses", completion_window="7d"
            )
        with pytest.raises(openai.APIStatusError) as found:
            await client.post("/files", body={"purpose": "batch"}, cast_to=object)
        assert 415 == found.value.status_code
