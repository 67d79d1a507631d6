"""What hosts and settings put into a client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anymodal.call import Call
    from anymodal.events import Event
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .signals import Signals

__all__ = ["OpenTelemetry"]


class OpenTelemetry:
    """
    Makes a span of every call, and metrics of them all.

    As an observer it makes them: `Client(observers=[it])`. As middleware too, the
    same object, it puts what happens during a call beneath the call's span, such
    as the requests that an instrumented HTTP library sends:
    `Client(observers=[it], middleware=[it])`.

    It may serve any number of clients. OpenTelemetry is imported with the first
    call, and nothing is done as long as nobody has set a provider.

    Args:
        tracer_provider: Where spans go; None is the global one.
        meter_provider: Where metrics go; None is the global one.
        content: Whether prompts, answers, tools and the words of errors go into
            spans. None asks the environment, once:
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, of which `true`,
            `SPAN_ONLY` and `SPAN_AND_EVENT` are a yes.
        metric_tags: Names of tags that metrics are told apart by, beside models and
            providers. Spans have all tags.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        content: bool | None = None,
        metric_tags: Sequence[str] = (),
    ) -> None:
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._content = content
        self._metric_tags = tuple(metric_tags)
        self._signals: Signals | None = None

    def on_event(self, event: Event, /) -> None:
        """Take note of *event*."""
        (self._signals or self._begin()).hear(event)

    async def around(self, call: Call, proceed: Callable[[Call], Awaitable[Any]], /) -> Any:
        """Do the work of *call* with its span as the current one."""
        span = None if self._signals is None else self._signals.span_of(call.record)
        if span is None:
            return await proceed(call)
        from opentelemetry.trace import use_span  # noqa: PLC0415  # there is a span, so it is imported

        with use_span(span, record_exception=False, set_status_on_exception=False):
            return await proceed(call)

    def _begin(self) -> Signals:
        from .signals import Signals  # noqa: PLC0415  # brings OpenTelemetry

        self._signals = Signals(
            self._tracer_provider,
            self._meter_provider,
            content=self._content,
            metric_tags=self._metric_tags,
        )
        return self._signals
