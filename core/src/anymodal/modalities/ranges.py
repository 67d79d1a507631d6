"""The ranges that a model's table states, and requests that leave them."""

from __future__ import annotations

from typing import Any

import attrs

from .text import TextRequest

__all__ = ["within_ranges"]


def within_ranges(request: TextRequest) -> TextRequest:
    """
    Return *request* with what is beyond the model's range at its end, and a warning of it.

    Raises:
        UnsupportedFeatureError: Something is beyond, and the caller is strict.
    """
    model = request.model
    wanted, highest = request.temperature, model.temperature_max
    changes: dict[str, Any] = {}
    if (
        wanted is not None
        and highest is not None
        and wanted > highest
        and model.capabilities.get("sampling") is not False  # then none is sent, which is told
    ):
        request.warn("temperature", f"{highest:g} is sent, the most that {model.id} takes")
        changes["temperature"] = highest
    longest = model.max_output_tokens
    if request.max_tokens is not None and longest is not None and request.max_tokens > longest:
        request.warn("max_tokens", f"{longest} is sent, the most that {model.id} writes")
        changes["max_tokens"] = longest
    return attrs.evolve(request, **changes) if changes else request
