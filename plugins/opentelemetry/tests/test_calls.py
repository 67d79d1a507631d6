"""What is seen of calls: to the last attribute."""

from __future__ import annotations

import gc

import anyio
import pytest
from anymodal import Finish, Policy, Retry, TextDelta
from anymodal import errors as e
from inline_snapshot import snapshot
from opentelemetry.trace import SpanKind, StatusCode

from .acme import ANSWER, DONE, FINISH, Acme, Clock, Watched

pytestmark = pytest.mark.anyio
ONCE = Policy(retry=Retry(attempts=1))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def watched():
    return Watched()


async def test_an_answer(watched):
    """One span, and each metric once for the call."""
    clock = Clock()
    async with watched.client(Acme(clock=clock), clock=clock) as ai:
        await ai.text.generate(
            "Name a river.",
            model="acme/m-1",
            system="Be brief.",
            temperature=0.5,
            max_tokens=100,
            stop=["end"],
            seed=7,
            reasoning="low",
            tags={"feature": "rivers"},
        )

    span = watched.span
    assert (span.name, span.kind, span.status.status_code) == (
        "chat m-1",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert "anymodal_opentelemetry" == span.instrumentation_scope.name
    assert watched.facts == snapshot(
        {
            "anymodal.attempts": 1,
            "anymodal.cost.usd": 0.004,
            "anymodal.instance": "acme",
            "anymodal.modality": "text",
            "anymodal.outcome": "answered",
            "anymodal.plugin": "host",
            "anymodal.request.id": "req_1",
            "anymodal.tag.feature": "rivers",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.model": "m-1",
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.request.seed": 7,
            "gen_ai.request.stop_sequences": ["end"],
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.model": "m-1-2026",
            "gen_ai.usage.cache_read.input_tokens": 200,
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 500,
            "gen_ai.usage.reasoning.output_tokens": 100,
        }
    )
    assert watched.metrics == snapshot(
        {
            "gen_ai.client.token.usage": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "acme",
                        "gen_ai.request.model": "m-1",
                        "gen_ai.response.model": "m-1-2026",
                        "gen_ai.token.type": "input",
                    },
                    (1, 1000),
                ),
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "acme",
                        "gen_ai.request.model": "m-1",
                        "gen_ai.response.model": "m-1-2026",
                        "gen_ai.token.type": "output",
                    },
                    (1, 500),
                ),
            ],
            "anymodal.cost": [
                (
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "acme",
                        "gen_ai.request.model": "m-1",
                        "gen_ai.response.model": "m-1-2026",
                    },
                    0.004,
                )
            ],
            "gen_ai.client.operation.duration": [
                (
                    {
                        "anymodal.outcome": "answered",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "acme",
                        "gen_ai.request.model": "m-1",
                        "gen_ai.response.model": "m-1-2026",
                    },
                    (1, 0.5),
                )
            ],
        }
    )
    assert [] == watched.events


async def test_buckets_are_those_of_the_conventions(watched):
    """Powers of two above ten milliseconds, and powers of four above one token."""
    async with watched.client(Acme()) as ai:
        await ai.text.generate("Hi")

    (resource,) = watched.reader.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    bounds = {
        metric.name: metric.data.data_points[0].explicit_bounds
        for metric in scope.metrics
        if metric.name.startswith("gen_ai")
    }
    assert bounds == {
        "gen_ai.client.token.usage": tuple(4**power for power in range(14)),
        "gen_ai.client.operation.duration": tuple(2**power / 100 for power in range(14)),
    }


async def test_a_model_that_is_asked_for_is_known_from_the_start(watched):
    """Samplers decide by what a span begins with."""
    begun = []

    class Listens:
        def on_start(self, span, parent_context=None):
            begun.append((span.name, dict(span.attributes)))

        def _on_ending(self, span): ...
        def on_end(self, span): ...
        def shutdown(self): ...
        def force_flush(self, timeout_millis=0): ...

    watched.tracers.add_span_processor(Listens())
    async with watched.client(Acme()) as ai:
        reply = await ai.text.generate("Hi", model="acme/m-1", tags={"feature": "x"})

    ((name, attributes),) = begun
    assert attributes.pop("anymodal.call.id") == reply.record.id
    assert (name, attributes) == snapshot(
        (
            "chat acme/m-1",
            {
                "gen_ai.operation.name": "chat",
                "anymodal.modality": "text",
                "gen_ai.request.model": "acme/m-1",
                "anymodal.tag.feature": "x",
            },
        )
    )
    assert "chat m-1" == watched.span.name


# -- streams ------------------------------------------------------------------------------


async def test_a_stream_read_to_its_end(watched):
    """As an answer in one piece, and the time to its first event."""
    clock = Clock()
    async with watched.client(Acme(clock=clock), clock=clock) as ai:
        async with ai.text.stream("Hi") as stream:
            assert () == watched.spans
            await stream.result()
            assert 1 == len(watched.spans)

    assert watched.facts == snapshot(
        {
            "anymodal.attempts": 1,
            "anymodal.cost.usd": 0.004,
            "anymodal.instance": "acme",
            "anymodal.modality": "text",
            "anymodal.outcome": "answered",
            "anymodal.plugin": "host",
            "anymodal.request.id": "req_1",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
            "gen_ai.request.stream": True,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.model": "m-1-2026",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "gen_ai.usage.cache_read.input_tokens": 200,
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 500,
            "gen_ai.usage.reasoning.output_tokens": 100,
        }
    )
    assert watched.metrics["gen_ai.client.operation.time_to_first_chunk"] == snapshot(
        [
            (
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                    "gen_ai.response.model": "m-1-2026",
                },
                (1, 0.5),
            )
        ]
    )


async def test_a_stream_that_is_left(watched):
    """It was no failure, and had no end."""
    async with watched.client(Acme([TextDelta("one "), TextDelta("two"), FINISH])) as ai:
        async with ai.text.stream("Hi") as stream:
            async for _ in stream:
                break

    facts = watched.facts
    assert (facts["anymodal.outcome"], facts["gen_ai.response.finish_reasons"]) == snapshot(
        ("left", ["error"])
    )
    assert StatusCode.UNSET == watched.span.status.status_code
    ((attributes, _),) = watched.metrics["gen_ai.client.operation.duration"]
    assert attributes == snapshot(
        {
            "anymodal.outcome": "left",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
        }
    )


async def test_a_stream_that_breaks(watched):
    """The caller has seen some of it, so there is no other attempt."""
    broken = Acme([TextDelta("one "), e.ServerError("acme: broke", status=500)])
    async with watched.client(broken) as ai:
        with pytest.raises(e.ServerError):
            async with ai.text.stream("Hi") as stream:
                await stream.result()

    facts = watched.facts
    shown = ("anymodal.outcome", "error.type", "gen_ai.response.finish_reasons")
    assert [facts[name] for name in shown] == snapshot(["failed", "server", ["error"]])
    assert [name for name, _ in watched.events] == snapshot(["anymodal.attempt.failed"])
    assert StatusCode.ERROR == watched.span.status.status_code


async def test_a_stream_that_was_never_opened_is_no_call(watched):
    """Nothing was asked."""
    async with watched.client(Acme()) as ai:
        ai.text.stream("Hi")

    assert ((), {}) == (watched.spans, watched.metrics)


# -- failures -----------------------------------------------------------------------------


async def test_attempts_are_events_of_the_call(watched):
    """One span covers them all, whoever answered in the end."""
    clock = Clock()
    limited = e.RateLimitedError("acme: 429", status=429, retry_after=2, vendor_code="slow_down")
    down = e.OverloadedError("acme: 503", status=503)
    policy = Policy(retry=Retry(attempts=2))
    client = watched.client(
        Acme(limited, down, clock=clock), Acme(clock=clock), clock=clock, policy=policy
    )
    async with client as ai:
        await ai.text.generate("Hi", model=["acme/m-1", "other/m-1"])

    events = watched.events
    assert 2 <= events[0][1].pop("anymodal.attempt.wait") < 3
    assert events == snapshot(
        [
            (
                "anymodal.attempt.failed",
                {
                    "anymodal.attempt.seconds": 0.5,
                    "anymodal.error.vendor_code": "slow_down",
                    "anymodal.instance": "acme",
                    "error.type": "rate_limited",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                    "http.response.status_code": 429,
                },
            ),
            (
                "anymodal.attempt.failed",
                {
                    "anymodal.attempt.seconds": 0.5,
                    "anymodal.instance": "acme",
                    "error.type": "overloaded",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                    "http.response.status_code": 503,
                },
            ),
        ]
    )
    facts = watched.facts
    shown = ("gen_ai.provider.name", "anymodal.attempts", "anymodal.outcome")
    assert [facts[name] for name in shown] == snapshot(["other", 3, "answered"])
    assert StatusCode.UNSET == watched.span.status.status_code
    metrics = watched.metrics
    assert metrics["anymodal.attempts.failed"] == snapshot(
        [
            (
                {
                    "error.type": "rate_limited",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                },
                1,
            ),
            (
                {
                    "error.type": "overloaded",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                },
                1,
            ),
        ]
    )
    ((attributes, (count, seconds)),) = metrics["gen_ai.client.operation.duration"]
    assert 1 == count
    assert 3.5 <= seconds < 4.5
    assert attributes == snapshot(
        {
            "anymodal.outcome": "answered",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "other",
            "gen_ai.request.model": "m-1",
            "gen_ai.response.model": "m-1-2026",
        }
    )


async def test_a_call_that_fails(watched):
    """With the code that never changes, and none of the vendor's words."""
    error = e.AuthenticationError(
        "acme: 401, no such user: Name a river.", status=401, request_id="req_9"
    )
    async with watched.client(Acme(error), policy=ONCE) as ai:
        with pytest.raises(e.AuthenticationError):
            await ai.text.generate("Name a river.")

    span = watched.span
    assert (StatusCode.ERROR, None) == (span.status.status_code, span.status.description)
    assert watched.facts == snapshot(
        {
            "anymodal.attempts": 1,
            "anymodal.instance": "acme",
            "anymodal.modality": "text",
            "anymodal.outcome": "failed",
            "anymodal.plugin": "host",
            "anymodal.request.id": "req_9",
            "error.type": "authentication",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
            "http.response.status_code": 401,
        }
    )
    metrics = watched.metrics
    assert metrics["gen_ai.client.operation.duration"][0][0] == snapshot(
        {
            "anymodal.outcome": "failed",
            "error.type": "authentication",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
        }
    )
    assert set(metrics) == snapshot(
        {"anymodal.attempts.failed", "gen_ai.client.operation.duration"}
    )
    assert "river" not in span.to_json()


async def test_a_name_that_nobody_serves(watched):
    """It fails before anybody is asked."""
    async with watched.client(Acme()) as ai:
        with pytest.raises(e.UnknownProviderError):
            await ai.text.generate("Hi", model="nobody/m-1")

    assert "chat nobody/m-1" == watched.span.name
    assert watched.facts == snapshot(
        {
            "anymodal.attempts": 1,
            "anymodal.modality": "text",
            "anymodal.outcome": "failed",
            "error.type": "unknown_provider",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "nobody/m-1",
        }
    )


async def test_what_is_no_error_of_ours_has_its_own_name(watched):
    """A plugin's bug, as it is."""
    async with watched.client(Acme(ZeroDivisionError("x"))) as ai:
        with pytest.raises(ZeroDivisionError):
            await ai.text.generate("Hi")

    assert "ZeroDivisionError" == watched.facts["error.type"]


async def test_a_call_that_is_cancelled(watched):
    """Nobody failed; the caller left."""
    acme = Acme()
    acme.before = anyio.sleep_forever
    async with watched.client(acme) as ai:
        with anyio.move_on_after(0.01):
            await ai.text.generate("Hi")

    assert ("cancelled", StatusCode.UNSET) == (
        watched.facts["anymodal.outcome"],
        watched.span.status.status_code,
    )
    ((attributes, (count, seconds)),) = watched.metrics["gen_ai.client.operation.duration"]
    assert ("cancelled", 1) == (attributes["anymodal.outcome"], count)
    assert 0 < seconds < 60


# -- other operations ---------------------------------------------------------------------


async def test_a_batch(watched):
    """Its submission is a call; what becomes of it are events and counts."""
    acme = Acme(DONE)
    async with watched.client(acme, clock=Clock()) as ai:
        job = await ai.text.batch(["one", "two"])
        await job.poll()

    assert "text.batch m-1" == watched.span.name
    assert watched.facts == snapshot(
        {
            "anymodal.attempts": 1,
            "anymodal.batch.size": 2,
            "anymodal.instance": "acme",
            "anymodal.modality": "text",
            "anymodal.outcome": "answered",
            "anymodal.plugin": "host",
            "gen_ai.operation.name": "text.batch",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
        }
    )
    assert watched.metrics["anymodal.job.changes"] == snapshot(
        [
            (
                {
                    "anymodal.job.state": "succeeded",
                    "gen_ai.operation.name": "text.batch",
                    "gen_ai.provider.name": "acme",
                    "gen_ai.request.model": "m-1",
                },
                1,
            )
        ]
    )


async def test_a_job_that_changes_is_noted_where_that_is_seen(watched):
    """On whatever span is current then: the call that submitted it is long over."""
    tracer = watched.tracers.get_tracer("mine")
    async with watched.client(Acme(DONE), clock=Clock()) as ai:
        job = await ai.text.batch(["one"])
        with tracer.start_as_current_span("waiting"):
            await job.poll()

    waiting = watched.spans[-1]
    (event,) = waiting.events
    assert job.record.id == event.attributes["anymodal.call.id"]
    assert ("waiting", event.name, event.attributes["anymodal.job.state"]) == snapshot(
        ("waiting", "anymodal.job.changed", "succeeded")
    )


async def test_a_circuit_that_opens(watched):
    """On the span of the call that opened it, and counted."""
    from anymodal import Breaker

    down = Acme(e.ServerError("acme: 500"))
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(failures=1))
    async with watched.client(down, policy=policy) as ai:
        with pytest.raises(e.ServerError):
            await ai.text.generate("Hi")

    assert [name for name, _ in watched.events] == snapshot(
        ["anymodal.breaker.changed", "anymodal.attempt.failed"]
    )
    assert watched.events[0][1] == snapshot(
        {"anymodal.breaker.state": "open", "anymodal.instance": "acme", "anymodal.modality": "text"}
    )
    assert watched.metrics["anymodal.breaker.changes"] == snapshot(
        [
            (
                {
                    "anymodal.breaker.state": "open",
                    "anymodal.instance": "acme",
                    "anymodal.modality": "text",
                },
                1,
            )
        ]
    )


async def test_each_turn_of_a_chat_is_a_call(watched):
    """The caller's own span holds them together."""
    from anymodal import Message, TextResult, ToolCall

    def rate(currency: str) -> str:
        """Say what it is worth."""
        return "seven"

    asks = TextResult(
        Message.assistant(ToolCall("c-1", "rate", '{"currency": "EUR"}')), Finish("tool_calls")
    )
    tracer = watched.tracers.get_tracer("mine")
    async with watched.client(Acme(asks, ANSWER)) as ai:
        with tracer.start_as_current_span("turn") as turn:
            await ai.text.chat(tools=[rate]).generate("Rate?")

    *calls, own = watched.spans
    assert turn.get_span_context() == own.context
    assert [one.attributes["gen_ai.response.finish_reasons"] for one in calls] == snapshot(
        [("tool_calls",), ("stop",)]
    )
    assert {own.context.span_id} == {one.parent.span_id for one in calls}


async def test_tenants_and_tags(watched):
    """On spans all of them; on metrics those that were asked for, since each value is a series."""
    watched = Watched(metric_tags=["plan"])
    async with watched.client(Acme(), settings={"providers": {}}) as ai:
        async with ai.scoped("tenant-7", tags={"plan": "gold"}, keys={}) as tenant:
            await tenant.text.generate("Hi", tags={"feature": "x"})

    facts = watched.facts
    shown = ("anymodal.scope", "anymodal.tag.plan", "anymodal.tag.feature")
    assert [facts[name] for name in shown] == snapshot(["tenant-7", "gold", "x"])
    ((attributes, _),) = watched.metrics["anymodal.cost"]
    assert attributes == snapshot(
        {
            "anymodal.tag.plan": "gold",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "m-1",
            "gen_ai.response.model": "m-1-2026",
        }
    )


async def test_a_schema_and_warnings(watched):
    """What was asked for and not done, by the names of settings."""

    class Warns(Acme):
        async def generate(self, request):
            request.warn("seed", "left out")
            request.warn("seed", "left out again")
            return await super().generate(request)

    async with watched.client(Warns()) as ai:
        with pytest.raises(e.InvalidOutputError):
            await ai.text.generate("Hi", output={"type": "object"})

    facts = watched.facts
    assert [facts[name] for name in ("anymodal.warnings", "gen_ai.output.type")] == snapshot(
        [["seed"], "json"]
    )
    assert facts["error.type"] == snapshot("invalid_output")


# -- many at once -------------------------------------------------------------------------


async def test_each_span_has_its_own_callers_span_above_it(watched):
    """A hundred tasks at once."""
    tracer = watched.tracers.get_tracer("mine")
    async with watched.client(Acme()) as ai:

        async def ask(number):
            with tracer.start_as_current_span(f"task {number}"):
                await ai.text.generate("Hi", tags={"number": str(number)})

        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(ask, number)

    parents = {one.context.span_id: one.name for one in watched.spans if one.parent is None}
    calls = [one for one in watched.spans if one.parent is not None]
    assert (100, 100) == (len(parents), len(calls))
    for one in calls:
        assert f"task {one.attributes['anymodal.tag.number']}" == parents[one.parent.span_id]


async def test_what_a_provider_does_is_beneath_the_call(watched):
    """Such as what an instrumented HTTP library sends, in each attempt; not what the caller does."""
    tracer = watched.tracers.get_tracer("http")

    class Sends(Acme):
        async def _next(self):
            with tracer.start_as_current_span("POST"):
                return await super()._next()

    async with watched.client(Sends(e.ServerError("acme: 500"), ANSWER), clock=Clock()) as ai:
        await ai.text.generate("Hi")
        async with ai.text.stream("Hi") as stream:
            with tracer.start_as_current_span("mine"):
                await stream.result()

    names = {one.context.span_id: one.name for one in watched.spans}
    above = [(one.name, names[one.parent.span_id] if one.parent else "") for one in watched.spans]
    assert above == snapshot(
        [
            ("POST", "chat m-1"),
            ("POST", "chat m-1"),
            ("chat m-1", ""),
            ("POST", "chat m-1"),
            ("chat m-1", ""),
            ("mine", ""),
        ]
    )


async def test_nothing_is_kept_of_calls_that_are_over(watched):
    """However they ended: answered, failed, cancelled, left, or dropped without being closed."""
    acme = Acme()
    async with watched.client(acme, policy=ONCE) as ai:
        for _ in range(200):
            await ai.text.generate("Hi")
            async with ai.text.stream("Hi") as stream:
                await anext(stream)
            acme.before = anyio.sleep_forever
            with anyio.move_on_after(0):
                await ai.text.generate("Hi")
            acme.before = anyio.lowlevel.checkpoint
            with pytest.raises(e.UnknownProviderError):
                await ai.text.generate("Hi", model="nobody/m")
            dropped = ai.text.stream("Hi")
            await dropped.start()
            assert 1 == watched.open
            await dropped.aclose()
        assert 0 == watched.open

    assert 1000 == len(watched.spans)


async def test_a_call_that_nobody_ends_takes_its_span_along(watched):
    """A stream that was opened and forgotten; its span is lost, and nothing else."""
    from anymodal import Record
    from anymodal.events import CallStarted

    record = Record("1", "text", "stream")
    watched.watch.on_event(CallStarted(record))
    assert 1 == watched.open
    del record
    gc.collect()

    assert 0 == watched.open
