"""Batches: our provider against the emulator, and the emulator as the vendor's SDK sees it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import anyio.lowlevel
import attrs
import httpx2
import pytest
from anymodal import Client, Message, ModelSpec, Settings, TextRequest
from anymodal import errors as e
from anymodal.jobs import JobToken
from anymodal.modalities.batches import BatchLine
from anymodal_emulator import Emulated, Reset, Rewrite, Status, emulated, gaps
from anymodal_mistral import MistralText
from anymodal_mistral.batch import STATES
from anymodal_mistral.models import MODELS
from inline_snapshot import snapshot
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from mistralai.client.models import BatchJob, ChatCompletionResponse, CreateBatchJobRequest

pytestmark = pytest.mark.anyio
MODEL = "mistral-medium-3-5"
NAME = f"mistral/{MODEL}"
JOBS = "/v1/batch/jobs"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
JSON = {"content-type": "application/json"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def vendor():
    with emulated("mistral") as running:
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


def client_of(vendor: Emulated) -> Client:
    return Client(Settings.from_mapping(vendor.settings(), environ={}), clock=FakeClock())


def sent(vendor: Emulated) -> list[str]:
    """Return what was asked for, with ids left out."""
    return [UUID.sub("ID", f"{one.method} {one.path}") for one in vendor.requests]


def uploaded(vendor: Emulated) -> list[dict]:
    """Return the lines of the file that was uploaded."""
    (one,) = (one for one in vendor.requests if one.path == "/v1/files")
    return [json.loads(line) for line in one.body.splitlines() if line.startswith(b'{"custom_id')]


def said(**changes) -> Rewrite:
    """Return a fault that changes fields of what the vendor says of a job."""
    return Rewrite(lambda _, body: json.dumps({**json.loads(body), **changes}).encode())


def lines(change) -> Rewrite:
    """Return a fault that changes each line of a file."""

    def changed(_, body):
        rows = [change(json.loads(line)) for line in body.splitlines()]
        return "\n".join(map(json.dumps, rows)).encode()

    return Rewrite(changed)


# -- the provider -------------------------------------------------------------------------


async def test_batch_from_prompts_to_answers(vendor):
    """A file, a job, questions until it is done, a file of answers; each in its place."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch([("a", "One?"), "Two?", "Gr\u00f6\u00dfe\u2028?"], model=NAME, system="Brief.")  # fmt: skip
        told = [(one.state, one.word, one.progress) async for one in job.progress()]
        batch = await job.result()

    assert told == [
        ("running", "RUNNING", 0.0),
        ("running", "RUNNING", pytest.approx(1 / 3)),
        ("succeeded", "SUCCESS", 1.0),
    ]
    assert [answer.text for answer in batch] == [
        f"mistral ({MODEL}) heard: {words} | system: Brief."
        for words in ("One?", "Two?", "Gr\u00f6\u00dfe\u2028?")
    ]
    assert batch["a"] is batch[0]
    asked = ["POST /v1/files", f"POST {JOBS}", *[f"GET {JOBS}/ID"] * 3]
    assert sent(vendor) == [*asked, f"GET {JOBS}/ID", "GET /v1/files/ID/content"]


async def test_what_goes_over_the_wire(vendor):
    """The form, the lines and the job, as the vendor's guide has them."""
    async with client_of(vendor) as ai:
        await ai.text.batch([("a", "One?"), "Two?"], model=NAME, max_tokens=50, seed=7)

    upload, create = vendor.requests
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert upload.headers["authorization"] == f"Bearer {vendor.key}"
    assert upload.headers["user-agent"].startswith("mistral-client-python/")
    assert b'name="purpose"\r\n\r\nbatch\r\n' in upload.body
    assert b'filename="batch.jsonl"\r\nContent-Type: application/jsonl\r\n' in upload.body
    assert uploaded(vendor) == snapshot(
        [
            {
                "custom_id": "0-a",
                "body": {
                    "model": "mistral-medium-3-5",
                    "messages": [{"role": "user", "content": "One?"}],
                    "max_tokens": 50,
                    "random_seed": 7,
                },
            },
            {
                "custom_id": "1",
                "body": {
                    "model": "mistral-medium-3-5",
                    "messages": [{"role": "user", "content": "Two?"}],
                    "max_tokens": 50,
                    "random_seed": 7,
                },
            },
        ]
    )
    assert {**create.json, "input_files": ["the file"]} == snapshot(
        {
            "input_files": ["the file"],
            "endpoint": "/v1/chat/completions",
            "model": "mistral-medium-3-5",
        }
    )
    held = CreateBatchJobRequest.model_validate(create.json).model_dump(exclude_unset=True)
    assert {**held, "timeout_hours": None} == {**create.json, "timeout_hours": None}


async def test_another_client_comes_back(vendor):
    """With the token alone; it has the job's id and no key."""
    async with client_of(vendor) as ai:
        token = (await ai.text.batch([("a", "One?")], model=NAME)).token
    async with client_of(vendor) as ai:
        batch = await ai.jobs.resume(token).result()

    assert "One?" in batch["a"].text
    handle = JobToken.parse(token).handle
    assert UUID.fullmatch(handle.pop("batch"))
    assert handle == {"api": "chat"}
    assert vendor.key not in repr(JobToken.parse(token)) + token


async def test_batches_cost_half(vendor):
    """Of the usual price, by the vendor's guide, which the cost names."""
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(["One?", "Two?"], model=NAME)).result()
        whole = await ai.text.generate("One?", model=NAME)

    assert whole.record.cost.usd == batch[0].record.cost.usd * 2
    assert batch.record.cost.usd == 2 * batch[0].record.cost.usd > Decimal(0)
    assert "batch-processing" in batch.record.cost.source


def test_what_models_of_others_cost_in_a_batch_is_unknown():
    """The vendor's guide speaks of its own; unknown is not the usual price."""
    priced = {model.id for model in MODELS if model.prices and model.batch_prices}
    unknown = {model.id for model in MODELS if model.prices and not model.batch_prices}

    assert MODEL in priced
    assert unknown == {"zai-glm-5-3", "zai-glm-5-3-flash", "deepseek-v4-1-flash-1017"}


async def test_line_that_fails_is_its_own_error(vendor):
    """By the same tables as a call that fails; the others are answered."""
    prompts = ["emulator:quota", "emulator:filter", "Three?"]
    async with client_of(vendor) as ai:
        batch = await (await ai.text.batch(prompts, model=NAME)).result()
        with pytest.raises(e.QuotaExceededError) as caught:
            await ai.text.generate("emulator:quota", model=NAME)

    quota, filtered, answer = batch
    assert type(quota) is type(caught.value)
    assert (quota.provider, quota.status) == ("mistral", 402)
    assert isinstance(filtered, e.AnymodalError)
    assert "Three?" in answer.text
    assert batch.record.cost.usd == answer.record.cost.usd


@pytest.mark.parametrize("error", ["It failed.", {"message": "It failed."}], ids=["bare", "object"])
async def test_line_without_a_response(vendor, error):
    """The vendor's error is an object, or a bare string."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)
        broken = {"response": None, "error": error}
        change = lines(lambda row: {**row, **broken} if row["custom_id"] == "0" else row)
        vendor.script(change, path="/v1/files/*")
        batch = await job.result()

    assert isinstance(batch[0], e.ServerError)
    assert "It failed." in str(batch[0])
    assert "Two?" in batch[1].text


async def test_lines_of_a_job_that_ran_out_of_time(vendor):
    """What was answered in time is there, and paid for."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["emulator:expire", "Two?"], model=NAME)
        batch = await job.result()

    assert (job.status.state, job.status.word) == ("expired", "TIMEOUT_EXCEEDED")
    assert isinstance(batch[0], e.JobFailedError)
    assert batch[0].vendor_code == "TIMEOUT_EXCEEDED"
    assert "Two?" in batch[1].text


async def test_cancelled_batch_gives_what_was_answered(vendor):
    """Half of it, at the emulator; the vendor takes its time to stop."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME)
        await job.poll()
        await job.poll()
        await job.cancel()
        batch = await job.result()

    assert job.status.state == "cancelled"
    assert "One?" in batch[0].text
    assert isinstance(batch[1], e.JobFailedError)
    assert f"POST {JOBS}/ID/cancel" in sent(vendor)


async def test_cancelled_before_it_began(vendor):
    """There is nothing to fetch, and the error says so."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        await job.cancel()
        with pytest.raises(e.JobFailedError, match="the job was cancelled"):
            await job.result()


async def test_job_that_failed_says_why(vendor):
    """In the vendor's words."""
    failed = said(status="FAILED", errors=[{"message": "No  such\nmodel.", "count": 2}])
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(failed, path=f"{JOBS}/*")
        with pytest.raises(e.JobFailedError, match=r"the job failed: No such model\.") as found:
            await job.result()

    assert (found.value.provider, found.value.vendor_code) == ("mistral", "FAILED")


async def test_job_that_failed_line_by_line_gives_the_lines(vendor):
    """Each with its own error, which says more than the job does."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["emulator:quota"], model=NAME)
        while not (await job.poll()).is_ended:
            pass
        again = ai.jobs.resume(job.token)
        vendor.script(said(status="FAILED"), path=f"{JOBS}/*")
        batch = await again.result()

    assert isinstance(batch[0], e.QuotaExceededError)


async def test_unknown_state_goes_on(vendor):
    """A word of tomorrow is no end."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(said(status="PONDERING"), path=f"{JOBS}/*")
        told = [(one.state, one.word) async for one in job.progress()]

    assert told[0] == ("running", "PONDERING")
    assert told[-1] == ("succeeded", "SUCCESS")


def test_every_state_of_the_sdk_is_known():
    """Those that the SDK spells out; others are running until they end."""
    words, _ = BatchJob.model_fields["status"].annotation.__args__

    assert set(words.__args__) == set(STATES)


async def test_no_answer_to_the_creation_is_an_unknown_outcome(vendor):
    """It is not tried elsewhere, because the job may run."""
    vendor.script(Reset(), path=JOBS)
    async with client_of(vendor) as ai:
        with pytest.raises(e.OutcomeUnknownError, match="Look at the vendor's list"):
            await ai.text.batch(["One?"], model=[NAME, "mistral/mistral-small-2603"])

    assert sent(vendor) == ["POST /v1/files", f"POST {JOBS}"]


async def test_failed_upload_goes_on_elsewhere(vendor):
    """Nothing was made yet."""
    vendor.script(Status(401), path="/v1/files")
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=[NAME, "mistral/mistral-small-2603"])

    assert JobToken.parse(job.token).model == "mistral-small-2603"


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        (f"{JOBS}/*", b"[]"),
        (f"{JOBS}/*", b'{"object": "batch"}'),
        (f"{JOBS}/*", b'{"status": "RUNNING", "total_requests": 3}'),
        (f"{JOBS}/*", b'{"status": "FAILED", "total_requests": 0, "errors": [7]}'),
        ("/v1/files/*", b"no json\n"),
        ("/v1/files/*", b'{"custom_id": null, "response": null, "error": ""}\n'),
    ],
)
async def test_malformed_news(vendor, path, reply):
    """A state or a line that cannot be read is no answer; the job can be asked again."""
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(Status(200, reply, headers=JSON), path=path)
        with pytest.raises(e.MalformedReplyError) as found:
            await job.result()
        assert found.value.provider == "mistral"
        assert len(await job.result()) == 1


async def test_key_does_not_come_back_in_what_went_wrong(vendor):
    """Though the vendor repeats it."""
    failed = said(status="FAILED", errors=[{"message": f"Bad key {vendor.key}"}])
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?"], model=NAME)
        vendor.script(failed, path=f"{JOBS}/*")
        with pytest.raises(e.JobFailedError) as found:
            await job.result()

    assert "Bad key" in str(found.value)
    assert vendor.key not in str(found.value)


async def test_headers_of_options_do_not_reach_lines(vendor):
    """They are left out with a warning, told once; the other options do reach them."""
    option = MistralText(safe_prompt=True, extra_headers={"x-mine": "1"})
    async with client_of(vendor) as ai:
        job = await ai.text.batch(["One?", "Two?"], model=NAME, options=[option])

    assert [one.setting for one in job.record.warnings] == ["options"]
    assert all("x-mine" not in one.headers for one in vendor.requests)
    assert [line["body"]["safe_prompt"] for line in uploaded(vendor)] == [True, True]


@pytest.mark.parametrize(
    ("limit", "words"), [("max_lines", "takes 1 in a batch, not 2"), ("max_bytes", "takes 1 bytes")]
)
async def test_batch_of_more_than_the_vendor_takes(vendor, limit, words):
    """Refused before anything is sent."""
    async with client_of(vendor) as ai:
        await ai.warm("mistral")
        provider = ai._way.doors._open["text", "mistral"].provider
        assert (provider.max_lines, provider.max_bytes) == (1_000_000, 512_000_000)
        small = attrs.evolve(provider, **{limit: 1})
        request = TextRequest(model=ModelSpec(id=MODEL), messages=(Message.user("Hi?"),))
        with pytest.raises(e.InvalidRequestError, match=words):
            await small.submit_batch([BatchLine("0", request), BatchLine("1", request)])

    assert vendor.requests == ()


# -- the emulator -------------------------------------------------------------------------


class TestEmulator:
    """As the vendor's own SDK sees it, by its high-level calls."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The SDK runs its hooks by `asyncio.to_thread`."""
        return "asyncio"

    @pytest.fixture
    async def client(self, vendor, anyio_backend) -> AsyncIterator[Mistral]:
        async with Mistral(
            api_key=vendor.key, server_url=vendor.base_url, timeout_ms=10_000
        ) as made:
            yield made

    def row(self, name, words="Hi?", **changes):
        body = {"messages": [{"role": "user", "content": words}], **changes}
        return {"custom_id": name, "body": body}

    async def upload(self, client, *rows, purpose="batch"):
        content = "\n".join(map(json.dumps, rows)).encode()
        file = {"file_name": "in.jsonl", "content": content}
        made = await client.files.upload_async(file=file, purpose=purpose)
        assert gaps(made) == []
        return made

    async def create(self, client, *rows, **changes):
        file = await self.upload(client, *rows)
        usual = {"input_files": [file.id], "model": MODEL, "endpoint": "/v1/chat/completions"}
        made = await client.batch.jobs.create_async(**{**usual, **changes})
        assert gaps(made) == []
        return made

    async def ended(self, client, job, **ask):
        words = [job.status]
        while job.status not in {"SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED"}:
            job = await client.batch.jobs.get_async(job_id=job.id, **ask)
            assert gaps(job) == []
            words.append(job.status)
        return job, words

    async def lines(self, client, file):
        reply = await client.files.download_async(file_id=file)
        content = await reply.aread()
        return {row["custom_id"]: row for row in map(json.loads, content.splitlines())}

    async def test_lifecycle(self, client):
        """Every object is of the SDK's types, with nothing missing and nothing left over."""
        job = await self.create(
            client, self.row("a"), self.row("b", "emulator:context"), metadata={"run": "7"}
        )
        assert (job.status, job.total_requests, job.metadata) == ("QUEUED", 2, {"run": "7"})
        job, words = await self.ended(client, job)

        assert words == ["QUEUED", "RUNNING", "RUNNING", "SUCCESS"]
        counts = (job.completed_requests, job.succeeded_requests, job.failed_requests)
        assert counts == (2, 1, 1)
        assert job.created_at < job.started_at < job.completed_at
        good = (await self.lines(client, job.output_file))["a"]
        assert sorted(good) == ["custom_id", "error", "id", "response"]
        answer = ChatCompletionResponse.model_validate(good["response"]["body"])
        assert gaps(answer) == []
        assert answer.choices[0].message.content == f"mistral ({MODEL}) heard: Hi?"
        bad = (await self.lines(client, job.error_file))["b"]
        assert (bad["response"]["status_code"], bad["response"]["body"]["code"]) == (400, "3051")
        made = await client.files.retrieve_async(file_id=job.output_file)
        assert gaps(made) == []
        assert (made.sample_type, made.source, made.num_lines) == ("batch_result", "mistral", 1)

    async def test_requests_may_stand_in_the_body(self, client):
        """And their answers come back in the job, where they are asked for."""
        job = await client.batch.jobs.create_async(
            requests=[self.row("a", "One?"), self.row("b", "Two?")],
            model=MODEL,
            endpoint="/v1/chat/completions",
        )
        assert gaps(job) == []
        job, _ = await self.ended(client, job, inline=True)

        found = {row["custom_id"]: row["response"]["body"] for row in job.outputs}
        assert "One?" in found["a"]["choices"][0]["message"]["content"]
        assert "Two?" in found["b"]["choices"][0]["message"]["content"]
        assert job.input_files == []

    async def test_model_of_a_line_counts_where_the_job_has_none(self, client):
        """It is optional there; of neither nothing can be asked."""
        job = await self.create(client, self.row("a", model="mistral-small-2603"), model=None)
        job, _ = await self.ended(client, job)
        line = (await self.lines(client, job.output_file))["a"]
        assert line["response"]["body"]["model"] == "mistral-small-2603"
        job = await self.create(client, self.row("a"), model=None)
        job, words = await self.ended(client, job)

        assert words == ["QUEUED", "FAILED"]
        assert [one.message for one in job.errors] == ["No model is named."]

    async def test_expiry(self, client):
        """By the magic word; the others are answered."""
        job = await self.create(client, self.row("a"), self.row("b", "emulator:expire"))
        job, words = await self.ended(client, job)

        assert words[-1] == "TIMEOUT_EXCEEDED"
        assert list(await self.lines(client, job.output_file)) == ["a"]
        assert job.error_file is None

    async def test_cancelling(self, client):
        """It takes until the next question; then it cannot be done again."""
        job = await self.create(client, self.row("a"))
        job = await client.batch.jobs.cancel_async(job_id=job.id)
        assert gaps(job) == []
        job, words = await self.ended(client, job)

        assert words == ["CANCELLATION_REQUESTED", "CANCELLED"]
        assert (job.output_file, job.error_file) == (None, None)
        with pytest.raises(SDKError):
            await client.batch.jobs.cancel_async(job_id=job.id)

    async def test_wrong_lines_fail_the_job(self, client):
        """When it begins, not when it is made; the same words are counted."""
        wrong = {"custom_id": "c", "url": "/v1/chat/completions", "body": {}}
        job = await self.create(client, self.row("a"), self.row("a"), self.row("a"), wrong, 7)
        job, words = await self.ended(client, job)

        assert words == ["QUEUED", "FAILED"]
        assert [(one.message, one.count) for one in job.errors] == [
            ("A custom_id is not unique.", 2),
            ("url: unknown", 1),
            ("A line is no JSON object.", 1),
        ]
        assert job.completed_requests == 0

    async def test_files_and_jobs_are_listed_and_forgotten(self, client):
        """By pages; jobs the newest first."""
        first = await self.create(client, self.row("a"))
        second = await self.create(client, self.row("a"))
        listed = await client.batch.jobs.list_async(page_size=1)
        assert gaps(listed) == []
        assert ([one.id for one in listed.data], listed.total) == ([second.id], 2)
        listed = await client.batch.jobs.list_async(page=1, page_size=1)
        assert [one.id for one in listed.data] == [first.id]
        gone = await client.batch.jobs.delete_async(job_id=first.id)
        assert gaps(gone) == []
        with pytest.raises(SDKError) as found:
            await client.batch.jobs.get_async(job_id=first.id)
        assert found.value.status_code == 404
        files = await client.files.list_async()
        assert gaps(files) == []
        assert [one.filename for one in files.data] == ["in.jsonl", "in.jsonl"]
        gone = await client.files.delete_async(file_id=files.data[0].id)
        assert gaps(gone) == []
        assert gone.deleted
        with pytest.raises(SDKError) as found:
            await client.files.retrieve_async(file_id=files.data[0].id)
        assert found.value.status_code == 404

    async def test_what_does_not_fit_is_refused_with_422(self, client, vendor):
        """An endpoint that is not served, a time of no hours; forms that the SDK would not send."""
        for changes in ({"endpoint": "/v1/ocr"}, {"timeout_hours": 0}):
            with pytest.raises(SDKError) as found:
                await self.create(client, self.row("a"), **changes)
            assert found.value.status_code == 422
        file = {"file": ("in.jsonl", b"{}")}
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {vendor.key}"}) as plain:
            for form in (
                {"data": {"purpose": "vision"}, "files": file},
                {"data": {"color": "red"}, "files": file},
                {"files": {"purpose": (None, b"batch")}},
                {"json": {"purpose": "batch"}},
            ):
                reply = await plain.post(f"{vendor.base_url}/v1/files", **form)
                assert reply.status_code == 422

    async def test_what_is_no_batch_is_refused(self, client):
        """Neither file nor requests, both, a file for something else, a file that is not there."""
        other = await self.upload(client, self.row("a"), purpose="ocr")
        for changes, status in (
            ({"input_files": []}, 400),
            ({"requests": [self.row("a")]}, 400),
            ({"input_files": [other.id]}, 400),
            ({"input_files": ["none"]}, 404),
            ({"input_files": None, "requests": [self.row(str(n)) for n in range(10_001)]}, 400),
        ):
            with pytest.raises(SDKError) as found:
                await self.create(client, self.row("a"), **changes)
            assert found.value.status_code == status

    async def test_key_is_asked_for(self, vendor):
        """At files and jobs as at chats."""
        async with Mistral(api_key="wrong", server_url=vendor.base_url) as other:
            for asking in (other.files.list_async(), other.batch.jobs.list_async()):
                with pytest.raises(SDKError) as found:
                    await asking
                assert found.value.status_code == 401
