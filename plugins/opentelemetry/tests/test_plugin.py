"""The plugin: what it offers, what it imports, and that it is silent where nobody listens."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import anymodal_opentelemetry
import pytest
from anymodal import Client, Record, Registry, Settings, SyncClient
from anymodal.events import CallEnded, CallStarted
from anymodal_opentelemetry import OpenTelemetry

from .acme import Acme, Offers, Watched

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


def run(code):
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "" == done.stderr
    return done.stdout.strip()


def test_importing_and_offering_imports_no_opentelemetry():
    """A listing of what is installed asks every plugin."""
    code = """
        import sys, anymodal_opentelemetry as p
        [*p.anymodal_observers(), *p.anymodal_middleware(), p.OpenTelemetry()]
        print([one for one in sys.modules if one.split(".")[0] == "opentelemetry"])
    """

    assert "[]" == run(code)


def test_an_unknown_name_is_an_attribute_error():
    """As for every module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        anymodal_opentelemetry.nonsense  # noqa: B018


def test_installed_it_does_nothing_until_it_is_named():
    """Installing a distribution changes nothing."""
    silent, named = (
        Registry(Settings.from_mapping(said, environ={})).acting("anymodal_observers")
        for said in ({}, {"plugins": {"use": ["opentelemetry"]}})
    )

    assert () == silent
    assert [OpenTelemetry] == [type(one) for one in named]


def test_both_hooks_give_the_same():
    """Or the middleware would know no span."""
    (observer,) = anymodal_opentelemetry.anymodal_observers()
    (middleware,) = anymodal_opentelemetry.anymodal_middleware()

    assert observer is middleware


SETTINGS = """
    import anyio
    from anymodal import Client, Finish, Message, ModelSpec, Registry, Settings, TextResult
    from anymodal import TextProviderSpec, hookimpl
    from opentelemetry import metrics, trace

    class Acme:
        async def generate(self, request):
            trace.get_current_span().add_event("sent")
            return TextResult(Message.assistant("yes"), Finish())

    class Plugin:
        @hookimpl
        def anymodal_text_providers(self):
            yield TextProviderSpec(
                id="acme", display_name="Acme", kind="local", models=[ModelSpec(id="m-1")],
                default_model="m-1", connect=lambda _: Acme(),
            )

    settings = Settings.from_mapping({"plugins": {"use": ["opentelemetry"]}}, environ={})
    registry = Registry(settings, plugins=[Plugin()])

    async def ask(ai):
        await ai.text.generate("Hi", model="acme/m-1")
"""


def test_named_in_settings_it_uses_the_providers_of_the_process():
    """Also those that are set after the client was opened and has made calls."""
    code = (
        SETTINGS
        + """
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()

    async def main():
        async with Client(registry=registry) as ai:
            await ask(ai)
            tracers = TracerProvider()
            tracers.add_span_processor(SimpleSpanProcessor(spans))
            trace.set_tracer_provider(tracers)
            metrics.set_meter_provider(MeterProvider([reader]))
            await ask(ai)

    anyio.run(main)
    (span,) = spans.get_finished_spans()
    (metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    print(span.name, [one.name for one in span.events], metric.name)
    """
    )

    assert "chat m-1 ['sent'] gen_ai.client.operation.duration" == run(code)


def test_where_nobody_listens_nothing_is_made():
    """Without an SDK there is neither span nor instrument."""
    code = (
        SETTINGS
        + """
    from anymodal_opentelemetry import anymodal_observers

    async def main():
        async with Client(registry=registry) as ai:
            await ask(ai)

    anyio.run(main)
    (watch,) = anymodal_observers()
    signals = watch._signals
    print(signals._tracer, signals._instruments, len(signals._spans))
    """
    )

    assert "None None 0" == run(code)


async def test_spans_alone_or_metrics_alone():
    """Each has its own provider."""
    from opentelemetry.metrics import NoOpMeterProvider
    from opentelemetry.trace import NoOpTracerProvider

    watched = Watched()
    for given in ((watched.tracers, NoOpMeterProvider()), (NoOpTracerProvider(), watched.meters)):
        watch = OpenTelemetry(*given)
        registry = Registry(Settings.empty(), plugins=[Offers(Acme(), "acme")], distributions=())
        async with Client(registry=registry, observers=[watch], middleware=[watch]) as ai:
            await ai.text.generate("Hi")
            assert (1, bool(given[1] is watched.meters)) == (
                len(watched.spans),
                bool(watched.metrics),
            )


async def test_a_span_that_is_not_sampled_is_still_the_current_one():
    """So that what is beneath it is not sampled either."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
    from opentelemetry.trace import get_current_span

    seen = []

    class Looks(Acme):
        async def generate(self, request):
            span = get_current_span()
            seen.append((span.is_recording(), span.get_span_context().is_valid))
            return await super().generate(request)

    watched = Watched()
    watch = OpenTelemetry(TracerProvider(sampler=ALWAYS_OFF), watched.meters)
    registry = Registry(Settings.empty(), plugins=[Offers(Looks(), "acme")], distributions=())
    async with Client(registry=registry, observers=[watch], middleware=[watch]) as ai:
        await ai.text.generate("Hi")

    assert [(False, True)] == seen
    assert 1 == watched.metrics["gen_ai.client.operation.duration"][0][1][0]


async def test_as_middleware_alone_it_does_nothing():
    """It has heard of no call."""
    watch = OpenTelemetry(Watched().tracers)
    registry = Registry(Settings.empty(), plugins=[Offers(Acme(), "acme")], distributions=())
    async with Client(registry=registry, middleware=[watch]) as ai:
        assert "The Rhine." == (await ai.text.generate("Hi")).text


@pytest.mark.parametrize("is_there", [False, True], ids=["here", "in a loop's thread"])
def test_a_synchronous_call_is_beneath_its_callers_span(is_there):
    """Whichever thread its loop runs in."""
    watched = Watched()
    tracer = watched.tracers.get_tracer("mine")
    registry = Registry(Settings.empty(), plugins=[Offers(Acme(), "acme")], distributions=())

    def ask():
        with SyncClient(
            registry=registry, observers=[watched.watch], middleware=[watched.watch]
        ) as ai:
            with tracer.start_as_current_span("mine"):
                ai.text.generate("Hi")

    async def ask_inside():
        ask()

    asyncio.run(ask_inside()) if is_there else ask()

    call, mine = watched.spans
    assert mine.context.span_id == call.parent.span_id


async def test_an_operation_that_the_conventions_do_not_name():
    """It goes by its modality and its own name."""
    record = Record("1", "text", "count_tokens")
    watched = Watched()
    watched.watch.on_event(CallStarted(record))
    watched.watch.on_event(CallEnded(record, None, 7, None))

    assert "text.count_tokens" == watched.span.name


README = Path(__file__).parent.parent / "README.md"


def test_every_attribute_and_metric_is_documented():
    """What is sent is what the page says, and no more."""
    sources = Path(anymodal_opentelemetry.__file__).parent.glob("*.py")
    sent = {
        name
        for source in sources
        for name in re.findall(
            r'"((?:anymodal|gen_ai|error|http)\.[a-z_.]+)"', source.read_text("utf-8")
        )
    }
    said = set(
        re.findall(r"`((?:anymodal|gen_ai|error|http)\.[a-z_.]+)`", README.read_text("utf-8"))
    )

    assert len(sent) > 40
    assert set() == sent ^ (said - {"anymodal.toml"})


def test_the_example_can_be_pasted():
    """All but its call, which needs a vendor."""
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    found = {}
    exec(compile(block, "README.md", "exec"), found)

    assert isinstance(found["watch"], OpenTelemetry)
    assert asyncio.iscoroutinefunction(found["main"])
