"""From what observers are told to spans and metrics."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from anymodal import Attempt, Message, Record, TextResult
from anymodal import errors as e
from anymodal.events import (
    AttemptFailed,
    BreakerChanged,
    CallEnded,
    CallStarted,
    Event,
    JobChanged,
)
from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider

from .content import content_of
from .conventions import (
    CAPTURE_CONTENT,
    CAPTURE_IN_SPANS,
    OUTPUT_TYPES,
    REQUEST_FIELDS,
    operation_of,
    provider_of,
)
from .instruments import Instruments

__all__ = ["Signals"]

NAME: Final = "anymodal_opentelemetry"
SILENT: Final = ("opentelemetry.metrics", "opentelemetry.trace")
"""Where the API's own providers live: some do nothing, some stand for one that is not set yet."""

Value: TypeAlias = str | bool | int | float | list[str]
Attributes: TypeAlias = dict[str, Value]


class Signals:
    """
    Makes spans and metrics of events.

    A span is kept from the start of its call to its end, and no longer than the
    record of the call: a stream that nobody closes takes its span along.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        *,
        content: bool | None,
        metric_tags: tuple[str, ...],
    ) -> None:
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._metric_tags = metric_tags
        if content is None:
            content = os.environ.get(CAPTURE_CONTENT, "").strip().lower() in CAPTURE_IN_SPANS
        self._has_content = content
        self._tracer: Tracer | None = None
        self._instruments: Instruments | None = None
        self._spans: WeakKeyDictionary[Record, Span] = WeakKeyDictionary()

    def span_of(self, record: Record) -> Span | None:
        """Return the span of the call that is under way; None where it has none."""
        return self._spans.get(record)

    def hear(self, event: Event) -> None:
        """Make of *event* what there is to make of it."""
        if isinstance(event, CallStarted):
            self._started(event.record, event.asked)
        elif isinstance(event, CallEnded):
            self._ended(event)
        elif isinstance(event, AttemptFailed):
            self._attempt_failed(event)
        elif isinstance(event, JobChanged):
            self._job_changed(event)
        elif isinstance(event, BreakerChanged):
            self._breaker_changed(event)

    # -- where it goes --------------------------------------------------------------------

    def _tracing(self) -> Tracer | None:
        """Return what makes spans; None as long as nobody wants them."""
        if self._tracer is None:
            provider = self._tracer_provider or trace.get_tracer_provider()
            if type(provider).__module__.startswith(SILENT):
                return None
            self._tracer = provider.get_tracer(NAME, _version())
        return self._tracer

    def _measuring(self) -> Instruments | None:
        """Return what measures; None as long as nobody wants it."""
        if self._instruments is None:
            provider = self._meter_provider or metrics.get_meter_provider()
            if type(provider).__module__.startswith(SILENT):
                return None
            self._instruments = Instruments(provider.get_meter(NAME, _version()))
        return self._instruments

    # -- a call ---------------------------------------------------------------------------

    def _started(self, record: Record, asked: object) -> None:
        tracer = self._tracing()
        if tracer is None:
            return
        # What is there from the start is what samplers see. The model is as the caller wrote it,
        # until it is known who serves it.
        wanted = getattr(asked, "model", None)
        operation = operation_of(record.modality, record.operation)
        attributes: Attributes = {
            "gen_ai.operation.name": operation,
            "anymodal.call.id": record.id,
            "anymodal.modality": record.modality,
        }
        name = operation
        if isinstance(wanted, str):
            attributes["gen_ai.request.model"] = wanted
            name = f"{operation} {wanted}"
        if record.operation == "stream":
            attributes["gen_ai.request.stream"] = True
        if record.scope:
            attributes["anymodal.scope"] = record.scope
        for tag, value in record.tags.items():
            attributes[f"anymodal.tag.{tag}"] = value
        self._spans[record] = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)

    def _ended(self, event: CallEnded) -> None:
        record = event.record
        span = self._spans.pop(record, None)
        if span is not None:
            if span.is_recording():
                self._describe(span, event)
            span.end()
        instruments = self._measuring()
        if instruments is not None:
            self._measure(instruments, event)

    def _describe(self, span: Span, event: CallEnded) -> None:
        record, error = event.record, event.error
        attributes = _who(record.provider, record.model)
        if record.model:
            operation = operation_of(record.modality, record.operation)
            span.update_name(f"{operation} {record.model}")
        attributes |= _asked(event.request)
        if record.modality in OUTPUT_TYPES:
            attributes["gen_ai.output.type"] = OUTPUT_TYPES[record.modality]
        attributes |= _answered(event)
        attributes |= _used(record)
        attributes |= _known(record)
        attributes["anymodal.outcome"] = _outcome(event)
        if isinstance(error, Exception):
            attributes |= _error(error)
            words = str(error) if self._has_content else None
            span.set_status(StatusCode.ERROR, words)
        if self._has_content:
            attributes.update(content_of(event.request, event.answer))
        span.set_attributes(attributes)

    def _measure(self, instruments: Instruments, event: CallEnded) -> None:
        record, usage = event.record, event.record.usage
        shared: Attributes = {
            "gen_ai.operation.name": operation_of(record.modality, record.operation),
            **_who(record.provider, record.model),
        }
        if isinstance(event.answer, TextResult) and event.answer.finish.model:
            shared["gen_ai.response.model"] = event.answer.finish.model
        for name in self._metric_tags:
            if name in record.tags:
                shared[f"anymodal.tag.{name}"] = record.tags[name]
        if usage is not None:
            tokens = (("input", usage.input_tokens), ("output", usage.output_tokens))
            for kind, count in tokens:
                if count is not None:
                    instruments.tokens.record(count, {**shared, "gen_ai.token.type": kind})
        if record.cost.usd is not None:
            instruments.cost.add(float(record.cost.usd), shared)
        if record.first_event_seconds is not None:
            instruments.first_event.record(record.first_event_seconds, shared)
        # A copy, since older SDKs (1.35 does) keep the mapping that they are given.
        ended: Attributes = {**shared, "anymodal.outcome": _outcome(event)}
        if isinstance(event.error, Exception):
            ended["error.type"] = _error_type(event.error)
        instruments.duration.record(_seconds(record), ended)

    def _attempt_failed(self, event: AttemptFailed) -> None:
        attempt = event.attempt
        span, instruments = self._spans.get(event.record), self._measuring()
        if attempt.error is None or (span is None and instruments is None):
            return
        if span is not None and span.is_recording():
            span.add_event("anymodal.attempt.failed", _attempt(attempt, event.wait))
        if instruments is not None:
            instruments.failed_attempts.add(
                1,
                {
                    **_who(attempt.provider, attempt.model),
                    "error.type": _error_type(attempt.error),
                },
            )

    # -- what is no call --------------------------------------------------------------------

    def _job_changed(self, event: JobChanged) -> None:
        record, status = event.record, event.status
        attributes: Attributes = {
            "gen_ai.operation.name": operation_of(record.modality, record.operation),
            **_who(record.provider, record.model),
            "anymodal.job.state": status.state,
        }
        instruments = self._measuring()
        if instruments is not None:
            instruments.job_changes.add(1, attributes)
        self._happened("anymodal.job.changed", {**attributes, "anymodal.call.id": record.id})

    def _breaker_changed(self, event: BreakerChanged) -> None:
        attributes: Attributes = {
            "anymodal.breaker.state": event.state,
            "anymodal.instance": event.instance,
            "anymodal.modality": event.modality,
        }
        instruments = self._measuring()
        if instruments is not None:
            instruments.breaker_changes.add(1, attributes)
        self._happened("anymodal.breaker.changed", attributes)

    def _happened(self, name: str, attributes: Attributes) -> None:
        """Note on the span under which it happened, of whomever that is, what is no call's own."""
        if self._tracing() is not None:
            trace.get_current_span().add_event(name, attributes)


# -- what is said of a call ---------------------------------------------------------------


def _version() -> str:
    return version("anymodal-opentelemetry")


def _who(provider: str, model: str) -> Attributes:
    found: Attributes = {}
    if provider:
        found["gen_ai.provider.name"] = provider_of(provider)
    if model:
        found["gen_ai.request.model"] = model
    return found


def _asked(request: object) -> Attributes:
    """Return the settings of *request*, of whatever modality it is."""
    found: Attributes = {}
    for name, field in REQUEST_FIELDS:
        value = getattr(request, field, None)
        if value is not None and value != ():
            found[name] = list(value) if isinstance(value, tuple) else value
    if getattr(request, "schema", None) is not None:
        found["gen_ai.output.type"] = "json"
    if isinstance(request, tuple):
        found["anymodal.batch.size"] = len(request)
    return found


def _answered(event: CallEnded) -> Attributes:
    found: Attributes = {}
    answer = event.answer
    if isinstance(answer, TextResult):
        found["gen_ai.response.finish_reasons"] = [answer.finish.reason]
        if answer.finish.model:
            found["gen_ai.response.model"] = answer.finish.model
    elif event.record.first_event_seconds is not None:
        found["gen_ai.response.finish_reasons"] = ["error"]  # the conventions' word for no end
    if event.record.first_event_seconds is not None:
        found["gen_ai.response.time_to_first_chunk"] = event.record.first_event_seconds
    return found


def _used(record: Record) -> Attributes:
    found: Attributes = {}
    usage = record.usage
    if usage is not None:
        counts = (
            ("gen_ai.usage.input_tokens", usage.input_tokens),
            ("gen_ai.usage.output_tokens", usage.output_tokens),
            ("gen_ai.usage.cache_read.input_tokens", usage.cached_input_tokens),
            ("gen_ai.usage.cache_write.input_tokens", usage.cache_write_tokens),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
        )
        found.update((name, count) for name, count in counts if count is not None)
    if record.cost.usd is not None:
        found["anymodal.cost.usd"] = float(record.cost.usd)
    return found


def _known(record: Record) -> Attributes:
    found: Attributes = {"anymodal.attempts": len(record.attempts)}
    if record.instance:
        found["anymodal.instance"] = record.instance
    if record.plugin:
        found["anymodal.plugin"] = record.plugin
    if record.request_id:
        found["anymodal.request.id"] = record.request_id
    if record.warnings:
        found["anymodal.warnings"] = _distinct(one.setting for one in record.warnings)
    return found


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _attempt(attempt: Attempt, wait: float | None) -> Attributes:
    found = _who(attempt.provider, attempt.model)
    if attempt.instance:
        found["anymodal.instance"] = attempt.instance
    found["anymodal.attempt.seconds"] = attempt.seconds
    if wait is not None:
        found["anymodal.attempt.wait"] = wait
    return found | ({} if attempt.error is None else _error(attempt.error))


def _error(error: Exception) -> Attributes:
    """Return what is known of *error* but its words, in which vendors repeat what was said."""
    found: Attributes = {"error.type": _error_type(error)}
    if isinstance(error, e.VendorError):
        if error.status is not None:
            found["http.response.status_code"] = error.status
        if error.vendor_code:
            found["anymodal.error.vendor_code"] = error.vendor_code
    return found


def _error_type(error: Exception) -> str:
    return error.code if isinstance(error, e.AnymodalError) else type(error).__qualname__


def _outcome(event: CallEnded) -> str:
    if event.error is not None:
        return "failed" if isinstance(event.error, Exception) else "cancelled"
    return "left" if isinstance(event.answer, Message) else "answered"


def _seconds(record: Record) -> float:
    """Return how long the call took; one that was cancelled has not noted it."""
    if record.seconds is not None or record.started_at is None:
        return record.seconds or 0.0
    return (dt.datetime.now(dt.UTC) - record.started_at).total_seconds()
