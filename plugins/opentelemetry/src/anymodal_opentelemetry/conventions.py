"""
The words of OpenTelemetry's conventions for generative AI, and our own beside them.

The conventions are in development. They were part of the general ones up to 1.41
and have moved to a repository of their own, which has published no version yet
and renames metrics. Here stands what OpenTelemetry's own instrumentations for
Python send (opentelemetry-util-genai 1.3b0), so that a dashboard fits both: the
metrics as of 1.41, the attributes as of now.

Sources, read 2026-11-20:
https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai:
client-inference.md, gen-ai-spans.md, gen-ai-metrics.md, non-normative/migration.md)
and opentelemetry-util-genai 1.3b0 (_instruments.py, _inference_invocation.py, utils.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "CAPTURE_CONTENT",
    "CAPTURE_IN_SPANS",
    "DURATION_BOUNDARIES",
    "OUTPUT_TYPES",
    "REQUEST_FIELDS",
    "TOKEN_BOUNDARIES",
    "operation_of",
    "provider_of",
]

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CAPTURE_IN_SPANS: Final = frozenset({"true", "span_only", "span_and_event"})
"""Without `event_only`, which keeps content out of spans; and no such events are sent from here."""

DURATION_BOUNDARIES: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
TOKEN_BOUNDARIES: Final = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip

_OPERATIONS: Final[Mapping[tuple[str, str], str]] = {
    ("text", "generate"): "chat",
    ("text", "stream"): "chat",
    ("embedding", "embed"): "embeddings",
    ("retrieval", "query"): "retrieval",
    ("image", "generate"): "generate_content",
    ("image", "edit"): "generate_content",
    ("video", "generate"): "generate_content",
    ("audio", "generate"): "generate_content",
    ("speech", "synthesize"): "generate_content",
    ("speech", "stream"): "generate_content",
}

_PROVIDERS: Final[Mapping[str, str]] = {
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google-vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Ids for which the conventions have another word, which then has to be used."""

OUTPUT_TYPES: Final[Mapping[str, str]] = {"image": "image", "speech": "speech"}

REQUEST_FIELDS: Final = (
    ("gen_ai.request.max_tokens", "max_tokens"),
    ("gen_ai.request.reasoning.level", "reasoning"),
    ("gen_ai.request.seed", "seed"),
    ("gen_ai.request.stop_sequences", "stop"),
    ("gen_ai.request.temperature", "temperature"),
    ("gen_ai.request.top_p", "top_p"),
    ("gen_ai.embeddings.dimension.count", "dimensions"),
)
"""Attributes, and the fields of requests in which they stand."""


def operation_of(modality: str, operation: str) -> str:
    """Return the conventions' word for an operation; `modality.operation` where they have none."""
    return _OPERATIONS.get((modality, operation)) or f"{modality}.{operation}"


def provider_of(provider: str) -> str:
    """Return the conventions' word for the provider of that id."""
    return _PROVIDERS.get(provider, provider)
