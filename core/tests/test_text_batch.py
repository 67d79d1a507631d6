"""Batches of text: one job, a result for each line, whoever comes back to it."""

from __future__ import annotations

from decimal import Decimal

import anyio
import attrs
import pytest
from anymodal import (
    Capabilities,
    Client,
    Credential,
    Deadlines,
    Finish,
    JobStatus,
    Lifecycle,
    Message,
    Registry,
    Settings,
    TextBatch,
    TextResult,
    Usage,
    Used,
)
from anymodal import errors as e
from anymodal.facades.batch import POLLING
from anymodal.jobs import JobToken

from .batching import DAY, DONE, PRICED, RUNNING, Acme, FakeClock, answer, client
from .once import ONCE
from .plugins_on_path import Brings

pytestmark = pytest.mark.anyio
BUSY = e.OverloadedError("busy: no")
SECRET = "sk-very-secret-0123456789"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


# -- what comes of it -----------------------------------------------------------------


async def test_results_come_in_the_order_asked():
    """Whatever the vendor's order; by place and by key."""
    acme = Acme()
    async with client(acme) as ai:
        job = await ai.text.batch([("a", "One"), "Two", ("c", ["Three", "parts"])], model="acme")
        batch = await job.result()

    assert isinstance(batch, TextBatch)
    assert ["answer 0-a", "answer 1", "answer 2-c"] == [line.text for line in batch]
    assert ("a", "", "c") == batch.keys
    assert batch["c"] is batch[2]
    assert 3 == len(batch) == len(batch.answers)
    with pytest.raises(KeyError):
        batch[""]
    assert ["submit", "poll", "fetch"] == acme.calls
    assert ("Three", "parts") == acme.lines[2].request.messages[0].parts


async def test_settings_reach_every_line():
    """They are those of generate."""
    acme = Acme()
    async with client(acme) as ai:
        await ai.text.batch(["One", "Two"], model="acme", system="Brief.", max_tokens=5)

    assert [("Brief.", 5)] * 2 == [
        (line.request.system, line.request.max_tokens) for line in acme.lines
    ]


async def test_each_line_costs_the_price_of_batches():
    """Half of it here; the batch costs the sum, and has all that was used."""
    async with client(Acme()) as ai:
        job = await ai.text.batch(["One", "Two"], model="acme", tags={"run": "7"})
        assert (None, "the job has not ended") == (job.record.cost.usd, job.record.cost.source)
        batch = await job.result()

    first = batch[0].record
    assert (Decimal(3), "acme.example/batches") == (first.cost.usd, first.cost.source)
    assert (Decimal(6), "acme.example/batches") == (batch.record.cost.usd, batch.record.cost.source)
    assert 4_000_000 == batch.record.usage.total_tokens
    assert ("acme", "m-1", "batch", {"run": "7"}) == (
        first.provider,
        first.model,
        first.operation,
        first.tags,
    )
    assert first.id != batch[1].record.id != batch.record.id == job.record.id


async def test_without_a_price_of_batches_the_cost_is_unknown():
    """The usual price would be a guess, and too high."""
    async with client(Acme(), model=attrs.evolve(PRICED, batch_prices=None)) as ai:
        batch = await (await ai.text.batch(["One"], model="acme")).result()

    assert batch[0].record.cost.usd is batch.record.cost.usd is None
    assert "batch" in batch.record.cost.source


async def test_a_line_that_failed_is_its_error():
    """The others are answers all the same, and what it cost is not made up."""
    error = e.ContextLengthError("acme: too long", request_id="r-9")
    acme = Acme(outcomes={"1": error}, leaves_out={"2"})
    async with client(acme) as ai:
        batch = await (await ai.text.batch(["One", "Two", "Three"], model="acme")).result()

    assert error is batch[1]
    assert ("acme", "r-9", None) == (error.provider, error.record.request_id, error.record.cost.usd)
    assert isinstance(batch[2], e.JobFailedError)
    assert "line 2 got no answer" in str(batch[2])
    assert {1: batch[1], 2: batch[2]} == batch.errors
    assert Decimal(3) == batch.record.cost.usd


async def test_no_answer_at_all_has_no_known_cost():
    """Vendors do not charge for errors, but that is theirs to say."""
    acme = Acme(outcomes={"0": e.ServerError("acme: broken")})
    async with client(acme) as ai:
        batch = await (await ai.text.batch(["One"], model="acme")).result()

    assert (None, None) == (batch.record.cost.usd, batch.record.usage)


async def test_lines_that_nobody_asked_for_are_passed_over():
    """A vendor's mistake does not take another line's place."""

    class Talkative(Acme):
        async def fetch_batch(self, handle, request):
            found = await super().fetch_batch(handle, request)
            return {**found, "1": answer("no"), "x-0": answer("no"), "-1": answer("no")}

    async with client(Talkative()) as ai:
        batch = await (await ai.text.batch(["One"], model="acme")).result()

    assert ["answer 0"] == [line.text for line in batch]


async def test_error_that_is_no_vendors_stays_what_it_is():
    """It has a record like the others."""
    acme = Acme(outcomes={"0": e.InvalidRequestError("acme: a part has no form")})
    async with client(acme) as ai:
        batch = await (await ai.text.batch(["One"], model="acme")).result()

    assert isinstance(batch[0], e.InvalidRequestError)
    assert "acme" == batch[0].record.provider


async def test_answers_are_read_into_their_shape():
    """One that does not fit is the error of its line alone."""
    acme = Acme(outcomes={"0": answer('{"city": "Oslo"}'), "1": answer("Oslo")})
    shape = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with client(acme) as ai:
        job = await ai.text.batch(["One", "Two"], model="acme", output=shape)
        batch = await job.result()

    assert {"city": "Oslo"} == batch[0].output
    assert isinstance(batch[1], e.InvalidOutputError)
    assert ("Oslo", "r-o") == (batch[1].partial, batch[1].request_id)


async def test_the_same_warning_is_told_once():
    """On the job's record; a line has its own."""
    async with client(Acme()) as ai:
        job = await ai.text.batch(["One", "Two"], model="acme", seed=7)
        batch = await job.result()

    assert ["seed"] == [one.setting for one in job.record.warnings]
    assert ["seed"] == [one.setting for one in batch[1].record.warnings]


# -- what is refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ([], "there are none"),
        ("One", "several are needed"),
        (7, "several are needed"),
        (["One", ""], r"prompts\[1\]: prompt: it is empty"),
        ([("a", "One"), ("a", "Two")], "was given before"),
        ([("Read this.", "Two")], "Put the parts of a prompt into a list"),
        ([("a", "One", "Two")], "Put the parts of a prompt into a list"),
        ([("x" * 49, "One")], "up to 48"),
    ],
)
async def test_wrong_prompts_are_refused(prompts, words):
    """Before anything is sent."""
    acme = Acme()
    async with client(acme) as ai:
        with pytest.raises(e.InvalidRequestError, match=words):
            await ai.text.batch(prompts, model="acme")

    assert [] == acme.calls


@pytest.mark.parametrize("whose", ["provider", "model"])
async def test_known_lack_of_batches_is_refused(whose):
    """By the capability, like every other; the provider is not even connected."""
    lack = {"capabilities": Capabilities(no={"batch"})}
    acme = Acme()
    model = attrs.evolve(PRICED, **lack) if whose == "model" else PRICED
    spec = lack if whose == "provider" else {}
    async with client(acme, spec=spec, model=model) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match=r"acme/m-1 is known not to have batch"):
            await ai.text.batch(["One"], model="acme")
        assert {} == ai._way.doors._open

    assert [] == acme.calls


async def test_provider_without_batches_is_refused():
    """Its spec says nothing of them; the same error, and nothing was sent."""

    class Plain:
        async def generate(self, request):
            raise NotImplementedError

    async with client(Plain()) as ai:
        with pytest.raises(e.UnsupportedFeatureError, match="acme has no batches of text"):
            await ai.text.batch(["One"], model="acme")


async def test_refused_submission_goes_on_to_the_next():
    """As every call does; the job is the second's."""

    class Busy(Acme):
        async def submit_batch(self, lines):
            raise BUSY

    second = Acme()
    registry = Registry(
        Settings.empty(),
        plugins=[Brings(Busy(), id="busy"), Brings(second)],
        distributions=(),
    )
    async with Client(registry=registry, policy=ONCE, clock=FakeClock()) as ai:
        job = await ai.text.batch(["One"], model=["busy", "acme"])
        batch = await job.result()

    assert "acme" == JobToken.parse(job.token).provider == batch.record.provider
    assert 2 == len(batch.record.attempts)


# -- the wait ---------------------------------------------------------------------------


async def test_progress_tells_every_state_until_the_end():
    """And asks no more when it has ended."""
    acme = Acme(JobStatus(state="queued"), RUNNING, DONE)
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        assert "queued" == job.status.state
        told = [(status.state, status.progress) async for status in job.progress()]
        again = [status.state async for status in job.progress()]
        await job.result()

    assert [("queued", None), ("running", 0.5), ("succeeded", None)] == told
    assert ["succeeded"] == again
    assert 3 == acme.calls.count("poll")


async def test_waits_grow_on_the_clients_clock():
    """No real time passes; the first question comes at once."""
    clock = FakeClock()
    async with client(Acme(*[RUNNING] * 20, DONE), clock=clock) as ai:
        await (await ai.text.batch(["One"], model="acme")).result()

    assert 20 == len(clock.slept)
    full = [min(POLLING.first * POLLING.factor**n, POLLING.longest) for n in range(20)]
    for seconds, most in zip(clock.slept, full, strict=True):
        assert most * (1 - POLLING.jitter) <= seconds <= most


async def test_the_vendors_wait_is_honoured():
    """Whether it comes with the state or with a refusal."""
    clock = FakeClock()
    told = attrs.evolve(RUNNING, retry_after=300.0)
    refused = e.RateLimitedError("acme: slow down", retry_after=700.0)
    async with client(Acme(told, refused, DONE), clock=clock) as ai:
        await (await ai.text.batch(["One"], model="acme")).result()

    assert [300.0, 700.0] == clock.slept


async def test_passing_failures_do_not_end_the_wait():
    """The job goes on at the vendor's, whatever happens to a question about it."""
    failures = [e.ServerError("x"), e.ConnectionFailedError("x"), e.TimedOutError("x")]
    acme = Acme(RUNNING, *failures, DONE)
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        told = [status.state async for status in job.progress()]

    assert ["running", "succeeded"] == told
    assert 5 == acme.calls.count("poll")


async def test_patience_ends():
    """A vendor that is gone is reported; the job can be asked for again."""
    acme = Acme(e.ServerError("acme: broken"))
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        with pytest.raises(e.ServerError) as found:
            await job.result()
        assert POLLING.patience == acme.calls.count("poll")
        acme.states = [DONE]
        await job.result()

    assert found.value.record is job.record


async def test_lasting_failures_end_the_wait_at_once():
    """A key that was withdrawn does not come back by waiting."""
    acme = Acme(e.AuthenticationError("acme: no"))
    async with client(acme) as ai:
        with pytest.raises(e.AuthenticationError):
            await (await ai.text.batch(["One"], model="acme")).result()

    assert 1 == acme.calls.count("poll")


async def test_unknown_state_means_running_until_the_deadline():
    """The wait ends by its own deadline, to the second, and the job does not."""
    clock = FakeClock()
    acme = Acme(JobStatus(state="running", word="pondering"))
    async with client(acme, clock=clock) as ai:
        job = await ai.text.batch(["One"], model="acme")
        began = clock.now()
        with pytest.raises(e.DeadlineExceededError, match="it is running") as found:
            await job.result(timeout=100)
        assert found.value.record is job.record
        assert 100 == pytest.approx(clock.now() - began)
        acme.states = [DONE]
        assert 1 == len(await job.result(timeout=100))


async def test_a_refusal_may_not_stretch_the_wait():
    """Nor may a vendor that wants an hour."""
    clock = FakeClock()
    acme = Acme(attrs.evolve(RUNNING, retry_after=3600.0))
    async with client(acme, clock=clock) as ai:
        job = await ai.text.batch(["One"], model="acme")
        with pytest.raises(e.DeadlineExceededError):
            await job.result(timeout=30)

    assert [30.0] == [round(seconds, 6) for seconds in clock.slept]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_wait_of_no_time_is_refused(seconds):
    """As for every other deadline."""
    async with client(Acme()) as ai:
        job = await ai.text.batch(["One"], model="acme")
        with pytest.raises(e.InvalidRequestError) as found:
            await job.result(timeout=seconds)

    assert "timeout" == found.value.field


async def test_deadline_of_the_call_bounds_each_request():
    """One that hangs is given up and made again; the wait as a whole has no end."""

    class Hanging(Acme):
        async def poll_batch(self, handle):
            if "poll" not in self.calls:
                self.calls.append("poll")
                await anyio.sleep_forever()
            return await super().poll_batch(handle)

    acme = Hanging(DONE)
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme", timeout=Deadlines(total=0.05))
        assert 1 == len(await job.result())

    assert 2 == acme.calls.count("poll")


async def test_leaving_progress_leaves_nothing():
    """It is no generator, so that there is nothing to close."""
    async with client(Acme(RUNNING)) as ai:
        job = await ai.text.batch(["One"], model="acme")
        async for status in job.progress():
            assert "running" == status.state
            break

    assert "running" == job.status.state


async def test_closed_client_is_refused():
    """As for every call."""
    async with client(Acme(RUNNING)) as ai:
        job = await ai.text.batch(["One"], model="acme")
    with pytest.raises(e.ConfigurationError):
        await job.poll()


# -- the ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "cls"), [("failed", e.JobFailedError), ("filtered", e.ContentFilteredError)]
)
async def test_job_that_failed_has_no_result(state, cls):
    """progress() tells it, result() raises it, and nothing is fetched."""
    acme = Acme(JobStatus(state=state, message="no luck", code="bad_line"))
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        assert [state] == [status.state async for status in job.progress()]
        with pytest.raises(cls, match=r"acme/m-1: the job .*: no luck") as found:
            await job.result()

    assert "fetch" not in acme.calls
    assert ("bad_line", job.record) == (found.value.vendor_code, found.value.record)


@pytest.mark.parametrize("state", ["cancelled", "expired"])
async def test_what_was_answered_until_then_is_not_lost(state):
    """The vendor gives it, and charges for it."""
    acme = Acme(JobStatus(state=state, word=state, has_result=True), leaves_out={"1"})
    async with client(acme) as ai:
        batch = await (await ai.text.batch(["One", "Two"], model="acme")).result()

    assert "answer 0" == batch[0].text
    assert state in str(batch[1])


async def test_cancelled_job_without_a_result_is_an_error():
    """Not an empty list."""
    acme = Acme(RUNNING, JobStatus(state="cancelled"))
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        await job.poll()
        await job.cancel()
        with pytest.raises(e.JobFailedError, match="was cancelled"):
            await job.result()

    assert ["submit", "poll", "cancel", "poll"] == acme.calls


async def test_job_that_has_ended_is_not_cancelled():
    """Vendors answer that with an error."""
    acme = Acme(DONE)
    async with client(acme) as ai:
        job = await ai.text.batch(["One"], model="acme")
        await job.poll()
        await job.cancel()

    assert "cancel" not in acme.calls


# -- the way back -----------------------------------------------------------------------

WORK = {"instances": {"work": {"provider": "acme", "api_key": SECRET}}}
KEYED = {"credentials": [Credential()]}


@pytest.mark.parametrize("where", ["jobs", "text"])
async def test_another_client_comes_back_to_it(where):
    """With nothing but the token; keys, order, prices and the call's id are there again."""
    acme = Acme()
    async with client(acme, settings=WORK, spec=KEYED) as ai:
        job = await ai.text.batch([("a", "One"), "Two"], model="work", raw=True)
        token = job.token
    other = Acme(outcomes={"0-a": answer("again")}, leaves_out={"1"})
    async with client(other, settings=WORK, spec=KEYED) as ai:
        job = ai.jobs.resume(token) if where == "jobs" else ai.text.resume(token)
        batch = await job.result()

    assert ["poll", "fetch"] == other.calls
    assert "again" == batch["a"].text
    assert isinstance(batch[1], e.JobFailedError)
    assert Decimal(3) == batch.record.cost.usd
    assert JobToken.parse(token).call == batch.record.id
    assert ("work", "acme", True) == (batch.record.instance, batch.record.provider, other.asked.raw)


async def test_no_key_is_in_a_token_or_a_repr():
    """They are written down and sent around."""
    async with client(Acme(), settings=WORK, spec=KEYED) as ai:
        job = await ai.text.batch(["One"], model="work")

    assert SECRET not in repr(JobToken.parse(job.token)) + job.token + repr(job)
    assert "<Job work/m-1: queued>" == repr(job)


async def test_retired_model_does_not_lose_its_jobs():
    """What was submitted can be fetched; only new calls are refused."""
    async with client(Acme()) as ai:
        token = (await ai.text.batch(["One"], model="acme")).token
    retired = attrs.evolve(PRICED, lifecycle=Lifecycle(state="retired", retires_on=DAY))
    async with client(Acme(), model=retired) as ai:
        assert 1 == len(await ai.jobs.resume(token).result())


async def test_resumed_answers_are_read_into_the_shape_that_is_given():
    """A class is no part of a token."""
    async with client(Acme()) as ai:
        token = (await ai.text.batch(["One"], model="acme")).token
    shape = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with client(Acme(outcomes={"0": answer('{"city": "Oslo"}')})) as ai:
        batch = await ai.text.resume(token, output=shape).result()

    assert {"city": "Oslo"} == batch[0].output


async def changed_token(**changes):
    async with client(Acme()) as ai:
        token = (await ai.text.batch(["One"], model="acme")).token
    return str(attrs.evolve(JobToken.parse(token), **changes))


@pytest.mark.parametrize(
    ("changes", "settings", "error"),
    [
        ({"instance": "elsewhere"}, {}, e.UnknownProviderError),
        ({"provider": "other"}, {}, e.UnknownProviderError),
        ({}, {"providers": {"acme": {"enabled": False}}}, e.ConfigurationError),
        ({"modality": "image"}, {}, e.InvalidRequestError),
        ({"modality": "smell"}, {}, e.InvalidRequestError),
        ({"operation": "other"}, {}, e.InvalidRequestError),
        ({"kept": {}}, {}, e.InvalidRequestError),
        ({"kept": {"lines": 0}}, {}, e.InvalidRequestError),
        ({"kept": {"lines": 10**12}}, {}, e.InvalidRequestError),
    ],
    ids=["instance", "provider", "disabled", "image", "smell", "operation", "none", "0", "many"],
)
async def test_way_back_that_leads_nowhere(changes, settings, error):
    """Nothing is sent to whom the job does not belong."""
    token = await changed_token(**changes)
    async with client(Acme(), settings=settings) as ai:
        with pytest.raises(error):
            ai.jobs.resume(token)


async def test_resuming_elsewhere_needs_the_key_there():
    """The token has none to give."""
    async with client(Acme(), settings=WORK, spec=KEYED) as ai:
        token = (await ai.text.batch(["One"], model="work")).token
    bare = {"instances": {"work": {"provider": "acme"}}}
    async with client(Acme(), settings=bare, spec=KEYED) as ai:
        with pytest.raises(e.MissingCredentialsError):
            ai.jobs.resume(token)


async def test_what_is_billed_beside_tokens_is_summed():
    """By what it is: a search is no picture, and a large picture no small one."""
    small, large = Used("image", 1, size="small"), Used("image", 2, size="large")
    lines = [
        TextResult(Message.assistant(word), Finish(usage=Usage(1, 1, units=units)))
        for word, units in [("one", (small, large)), ("two", (large,)), ("three", ())]
    ]
    acme = Acme(outcomes={str(number): line for number, line in enumerate(lines)})
    async with client(acme) as ai:
        batch = await (await ai.text.batch(["One", "Two", "Three"], model="acme")).result()

    usage = batch.record.usage
    assert (3, 3) == (usage.input_tokens, usage.output_tokens)
    assert (small, Used("image", 4, size="large")) == usage.units
