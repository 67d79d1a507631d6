"""A provider that says what a test wrote for it, and clients whose signals are kept in memory."""

from __future__ import annotations

import datetime as dt

import anyio
from anymodal import (
    Client,
    Credential,
    Deadlines,
    Finish,
    JobStatus,
    Message,
    ModelSpec,
    Price,
    Prices,
    Registry,
    Settings,
    TextDelta,
    TextProviderSpec,
    TextResult,
    Usage,
    hookimpl,
    streaming,
)
from anymodal_opentelemetry import OpenTelemetry
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PRICES = Prices(
    [Price("input_token", 2), Price("output_token", 4)], "acme.example", dt.date(2026, 11, 20)
)
USAGE = Usage(1000, 500, cached_input_tokens=200, reasoning_tokens=100)
FINISH = Finish("stop", USAGE, "m-1-2026", "req_1")
ANSWER = TextResult(Message.assistant("The Rhine."), FINISH)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds
        await anyio.lowlevel.checkpoint()


class Acme:
    """
    A provider that gives *answers* in turn, the last of them for ever.

    An answer may be an exception; a stream's is a list of events and exceptions.
    """

    def __init__(self, *answers, clock=None):
        self.answers = list(answers) or [ANSWER]
        self.clock = clock
        self.before = anyio.lowlevel.checkpoint

    async def _next(self):
        await self.before()
        if self.clock is not None:
            self.clock.time += 0.5
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def generate(self, request):
        return await self._next()

    @streaming
    async def stream(self, request):
        answer = await self._next()
        for event in answer if isinstance(answer, list) else [TextDelta("The Rhine."), FINISH]:
            if isinstance(event, BaseException):
                raise event
            yield event

    async def submit_batch(self, lines):
        return {"batch": "b-1"}

    async def poll_batch(self, handle):
        return await self._next()

    async def fetch_batch(self, handle, request):
        return {"0": ANSWER}

    async def cancel_batch(self, handle):
        raise NotImplementedError


DONE = JobStatus(state="succeeded", word="done")


class Offers:
    """A plugin with one provider of text."""

    def __init__(self, provider, name):
        self.provider = provider
        self.name = name

    @hookimpl
    def anymodal_text_providers(self):
        yield TextProviderSpec(
            id=self.name,
            display_name=self.name.title(),
            kind="local",
            deadlines=Deadlines(),
            credentials=[Credential(env=["ACME_API_KEY"], required=False)],
            models=[ModelSpec(id="m-1", prices=PRICES, batch_prices=PRICES)],
            default_model="m-1",
            connect=lambda _: self.provider,
        )


class Watched:
    """
    Providers of memory for spans and metrics, and an `OpenTelemetry` that fills them.

    Its arguments are those of `OpenTelemetry`.
    """

    def __init__(self, **settings):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])
        self.watch = OpenTelemetry(self.tracers, self.meters, **settings)

    def client(self, *providers, names=("acme", "other"), clock=None, policy=None, **more):
        """Return a client of *providers*, the first of them being `acme`."""
        plugins = [Offers(one, name) for one, name in zip(providers, names, strict=False)]
        settings = Settings.from_mapping(more.pop("settings", {}), environ={})
        return Client(
            registry=Registry(settings, plugins=plugins, distributions=()),
            observers=[self.watch],
            middleware=[self.watch],
            clock=clock,
            policy=policy,
            **more,
        )

    @property
    def spans(self):
        """The spans that have ended."""
        return self.exporter.get_finished_spans()

    @property
    def span(self):
        """The one span that has ended."""
        (span,) = self.spans
        return span

    @property
    def facts(self):
        """What the one span says, without what differs from run to run."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in sorted(self.span.attributes.items())
            if name != "anymodal.call.id"
        }

    @property
    def events(self):
        """The events of the one span."""
        return [(one.name, dict(sorted(one.attributes.items()))) for one in self.span.events]

    @property
    def metrics(self):
        """The points of each metric: attributes, and the sum or (count, sum)."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: [
                (
                    dict(sorted(point.attributes.items())),
                    (point.count, point.sum) if hasattr(point, "count") else point.value,
                )
                for point in metric.data.data_points
            ]
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    @property
    def open(self):
        """How many spans are kept."""
        return len(self.watch._signals._spans)
