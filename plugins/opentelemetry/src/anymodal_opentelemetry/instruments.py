"""What measures: the conventions' metrics, and our own under `anymodal`."""

from __future__ import annotations

from opentelemetry.metrics import Meter

from .conventions import DURATION_BOUNDARIES, TOKEN_BOUNDARIES

__all__ = ["Instruments"]


class Instruments:
    """
    What measures.

    Attributes:
        duration: How long calls took, retries and failover included.
        first_event: How long until the first event of a stream.
        tokens: What a call used.
        cost: Dollars spent, as far as they are known.
        failed_attempts: Attempts that failed, whatever became of their calls.
        breaker_changes: Circuits that opened, are probed, or closed.
        job_changes: Jobs that came into another state.
    """

    def __init__(self, meter: Meter) -> None:
        self.duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDARIES,
        )
        self.first_event = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to receive the first chunk of a streamed answer.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDARIES,
        )
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKEN_BOUNDARIES,
        )
        self.cost = meter.create_counter(
            "anymodal.cost", unit="{USD}", description="What calls cost, where that is known."
        )
        self.failed_attempts = meter.create_counter(
            "anymodal.attempts.failed", unit="{attempt}", description="Attempts that failed."
        )
        self.breaker_changes = meter.create_counter(
            "anymodal.breaker.changes",
            unit="{change}",
            description="Circuits that were opened, probed or closed.",
        )
        self.job_changes = meter.create_counter(
            "anymodal.job.changes",
            unit="{change}",
            description="Jobs that came into another state.",
        )
